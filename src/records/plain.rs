//! Text of others made fit for one line: nothing in it moves the cursor, ends the line or hides a character.

/// Where Unicode has pictures of the control characters, in their order.
const CONTROL_PICTURES: u32 = 0x2400;
const DELETE: char = '\u{7F}';
const PICTURE_OF_DELETE: char = '\u{2421}';

/// The text with each control character as its picture (␛, ␊, …), and invisible characters that turn the reading
/// direction or are no characters at all as �.
pub fn visible(text: &str) -> String {
    text.chars().map(visible_char).collect()
}

fn visible_char(c: char) -> char {
    match c {
        '\u{0}'..='\u{1F}' => {
            char::from_u32(CONTROL_PICTURES + u32::from(c)).unwrap_or(char::REPLACEMENT_CHARACTER)
        }
        DELETE => PICTURE_OF_DELETE,
        '\u{80}'..='\u{9F}'
        | '\u{200E}'
        | '\u{200F}'
        | '\u{2028}'..='\u{202E}'
        | '\u{2066}'..='\u{2069}'
        | '\u{FFFE}'
        | '\u{FFFF}' => char::REPLACEMENT_CHARACTER,
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::visible;

    #[test]
    fn nothing_in_a_visible_text_acts_on_a_terminal() {
        assert_eq!(visible("a\u{1b}[31m\r\n\t\u{7f}ü"), "a␛[31m␍␊␉␡ü");
        assert_eq!(
            visible("\u{9b}x\u{202e}y\u{ffff}"),
            "\u{fffd}x\u{fffd}y\u{fffd}"
        );
    }
}
