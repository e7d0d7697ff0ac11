//! Where a byte came from: which input file, and which line or byte of it.

/// A position in an input file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// Line of a text format, counted from 1; all bytes of a record share it.
    Line(u32),
    /// Byte of a binary format, counted from 0; the next image byte is the next byte of the file.
    Offset(u64),
}

impl Position {
    /// The position of the image byte that follows `bytes` further up.
    pub(super) const fn advanced(self, bytes: usize) -> Self {
        match self {
            Position::Line(line) => Position::Line(line),
            Position::Offset(offset) => Position::Offset(offset.saturating_add(bytes as u64)),
        }
    }

    /// The line, in a text format.
    pub const fn line(self) -> Option<u32> {
        match self {
            Position::Line(line) => Some(line),
            Position::Offset(_) => None,
        }
    }

    /// The byte, in a binary format.
    pub const fn offset(self) -> Option<u64> {
        match self {
            Position::Line(_) => None,
            Position::Offset(offset) => Some(offset),
        }
    }
}

/// Where a byte came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// Index of the input file.
    pub input: usize,
    /// Position in it.
    pub position: Position,
}

impl Source {
    /// A line of the first input file.
    pub(super) const fn line(line: u32) -> Self {
        Source {
            input: 0,
            position: Position::Line(line),
        }
    }

    /// A byte of the first input file.
    pub(super) const fn offset(offset: u64) -> Self {
        Source {
            input: 0,
            position: Position::Offset(offset),
        }
    }

    /// The source of the image byte that follows `bytes` further up.
    pub(super) const fn advanced(self, bytes: usize) -> Self {
        Source {
            input: self.input,
            position: self.position.advanced(bytes),
        }
    }
}
