//! Words in letters that are read from across the room: a font of three by five dots, drawn with block characters.

/// Dots of a letter, in columns and rows.
const DOTS_WIDE: usize = 3;
const DOTS_HIGH: usize = 5;
/// Dots between two letters.
const GAP: usize = 1;

/// How large a dot is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// One column wide, half a row high.
    Small,
    /// Two columns and one row.
    Large,
    /// Four columns and two rows.
    Huge,
}

impl Size {
    /// The largest first.
    pub const ALL: [Size; 3] = [Size::Huge, Size::Large, Size::Small];

    const fn columns_per_dot(self) -> usize {
        match self {
            Size::Small => 1,
            Size::Large => 2,
            Size::Huge => 4,
        }
    }

    /// Rows that a word takes.
    pub const fn rows(self) -> usize {
        match self {
            Size::Small => DOTS_HIGH.div_ceil(2),
            Size::Large => DOTS_HIGH,
            Size::Huge => DOTS_HIGH * 2,
        }
    }

    /// Columns that a word takes.
    pub fn columns(self, word: &str) -> usize {
        let letters = word.chars().count();
        let dots = letters * (DOTS_WIDE + GAP);
        dots.saturating_sub(GAP) * self.columns_per_dot()
    }
}

/// The word as lines of block characters, all equally long; a letter that the font lacks is a blank.
pub fn draw(word: &str, size: Size) -> Vec<String> {
    let dots: Vec<Vec<bool>> = (0..DOTS_HIGH).map(|row| dots(word, row)).collect();
    let line = |upper: &[bool], lower: &[bool]| -> String {
        let pairs = upper
            .iter()
            .zip(lower.iter().chain(std::iter::repeat(&false)));
        pairs
            .flat_map(|pair| {
                let block = match pair {
                    (true, true) => '█',
                    (true, false) => '▀',
                    (false, true) => '▄',
                    (false, false) => ' ',
                };
                std::iter::repeat_n(block, size.columns_per_dot())
            })
            .collect()
    };
    match size {
        Size::Small => dots
            .chunks(2)
            .map(|rows| match rows {
                [upper, lower] => line(upper, lower),
                rows => rows.iter().map(|upper| line(upper, &[])).collect(),
            })
            .collect(),
        Size::Large => dots.iter().map(|row| line(row, row)).collect(),
        Size::Huge => dots
            .iter()
            .flat_map(|row| std::iter::repeat_n(line(row, row), 2))
            .collect(),
    }
}

/// One row of dots of the word.
fn dots(word: &str, row: usize) -> Vec<bool> {
    let mut dots: Vec<bool> = word
        .chars()
        .flat_map(|letter| {
            let pattern = pattern(letter).get(row).copied().unwrap_or("   ");
            pattern.chars().chain([' ']).map(|dot| dot != ' ')
        })
        .collect();
    dots.truncate(dots.len().saturating_sub(GAP));
    dots
}

const fn pattern(letter: char) -> [&'static str; DOTS_HIGH] {
    match letter {
        'A' => ["###", "# #", "###", "# #", "# #"],
        'C' => ["###", "#  ", "#  ", "#  ", "###"],
        'E' => ["###", "#  ", "## ", "#  ", "###"],
        'F' => ["###", "#  ", "## ", "#  ", "#  "],
        'G' => ["###", "#  ", "# #", "# #", "###"],
        'I' => ["###", " # ", " # ", " # ", "###"],
        'K' => ["# #", "# #", "## ", "# #", "# #"],
        'L' => ["#  ", "#  ", "#  ", "#  ", "###"],
        'N' => ["###", "# #", "# #", "# #", "# #"],
        'O' => ["###", "# #", "# #", "# #", "###"],
        'P' => ["###", "# #", "###", "#  ", "#  "],
        'S' => ["###", "#  ", "###", "  #", "###"],
        'T' => ["###", " # ", " # ", " # ", " # "],
        'Y' => ["# #", "# #", "###", " # ", " # "],
        _ => ["   "; DOTS_HIGH],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_as_large_as_it_says() {
        for size in Size::ALL {
            let lines = draw("FAIL", size);
            assert_eq!(lines.len(), size.rows());
            for line in &lines {
                assert_eq!(line.chars().count(), size.columns("FAIL"));
            }
        }
        assert_eq!(
            draw("PASS", Size::Small),
            ["█▀█ █▀█ █▀▀ █▀▀", "█▀▀ █▀█ ▀▀█ ▀▀█", "▀   ▀ ▀ ▀▀▀ ▀▀▀"]
        );
    }
}
