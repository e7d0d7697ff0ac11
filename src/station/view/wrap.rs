//! Text made to fit: into lines at words, into so many lines, and never cut without an ellipsis.

use ratatui::text::Span;

/// Stands for what did not fit.
pub const ELLIPSIS: char = '…';

/// Columns that the text takes.
pub fn columns(text: &str) -> usize {
    Span::raw(text).width()
}

fn columns_of(c: char) -> usize {
    columns(c.encode_utf8(&mut [0; 4]))
}

/// The longest beginning that fits into `width` columns.
fn beginning(text: &str, width: usize) -> &str {
    let mut used = 0;
    let end = text.char_indices().find_map(|(at, c)| {
        used += columns_of(c);
        (used > width).then_some(at)
    });
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}

/// The text in one line of `width` columns at most; what does not fit is an ellipsis.
pub fn cut(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    if width == 0 {
        return String::new();
    }
    format!("{}{ELLIPSIS}", beginning(text, width - 1).trim_end())
}

/// The text in lines of `width` columns at most, broken at blanks, and within a word only where the word is longer than a
/// line.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    if width == 0 {
        return lines;
    }
    let mut line = String::new();
    for word in text.split_whitespace() {
        let blank = usize::from(!line.is_empty());
        if columns(&line) + blank + columns(word) > width && !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        let mut rest = word;
        while columns(rest) > width {
            let head = beginning(rest, width);
            // a character wider than the line: nothing of it can be shown
            let Some(tail) = rest.get(head.len()..).filter(|_| !head.is_empty()) else {
                break;
            };
            lines.push(head.to_owned());
            rest = tail;
        }
        line.push_str(beginning(rest, width));
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// The text in `rows` lines at most, the last with an ellipsis where there is more.
pub fn fit(text: &str, width: usize, rows: usize) -> Vec<String> {
    let mut lines = wrap(text, width);
    if lines.len() <= rows {
        return lines;
    }
    let rest = lines.split_off(rows.saturating_sub(1)).join(" ");
    if rows > 0 {
        lines.push(cut(&rest, width));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_broken_at_words_and_a_cut_is_seen() {
        let text = "verify mismatch at 0x60012345: read 00";
        assert_eq!(
            wrap(text, 16),
            ["verify mismatch", "at 0x60012345:", "read 00"]
        );
        assert_eq!(fit(text, 16, 2), ["verify mismatch", "at 0x60012345:…"]);
        assert_eq!(fit(text, 16, 1), ["verify mismatch…"]);
        assert_eq!(fit(text, 16, 3), wrap(text, 16));
        assert_eq!(wrap("0123456789", 4), ["0123", "4567", "89"]);
        assert_eq!(wrap("a 0123456789", 4), ["a", "0123", "4567", "89"]);
        assert_eq!(cut("0123456789", 4), "012…");
        assert_eq!(cut("板板板", 4), "板…");
        assert!(wrap("板", 1).iter().all(|line| columns(line) <= 1));
        assert_eq!(fit("x", 0, 3), Vec::<String>::new());
    }
}
