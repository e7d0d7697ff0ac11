//! Recognising an input file by its content, never by its name.

use super::{elf, uf2};

/// A file format that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Intel HEX with linear or segment addresses.
    IntelHex,
    /// Motorola S-records.
    SRecord,
    /// ELF for 32-bit Arm.
    Elf,
    /// UF2 for i.MX RT10xx.
    Uf2,
    /// Bytes without addresses.
    Raw,
}

/// UTF-8 byte order mark that some editors put in front.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

impl Format {
    /// The name for reports.
    pub const fn name(self) -> &'static str {
        match self {
            Format::IntelHex => "Intel HEX",
            Format::SRecord => "Motorola S-record",
            Format::Elf => "ELF",
            Format::Uf2 => "UF2",
            Format::Raw => "raw binary",
        }
    }

    /// The format that `content` shows: one that brings its own addresses, or else [`Format::Raw`].
    pub fn of(content: &[u8]) -> Self {
        if content.starts_with(elf::MAGIC) {
            return Format::Elf;
        }
        if content.starts_with(uf2::MAGIC) {
            return Format::Uf2;
        }
        let Some(line) = first_line(content) else {
            return Format::Raw;
        };
        match line {
            [b':', ..] => Format::IntelHex,
            [b'S', digits @ ..]
                if digits.len() >= 3
                    && digits.iter().take(3).all(u8::is_ascii_hexdigit)
                    && digits.first().is_some_and(u8::is_ascii_digit) =>
            {
                Format::SRecord
            }
            _ => Format::Raw,
        }
    }
}

/// The first line with content, without blanks around it.
pub(super) fn first_line(content: &[u8]) -> Option<&[u8]> {
    let text = content.strip_prefix(BYTE_ORDER_MARK).unwrap_or(content);
    let line = text
        .trim_ascii_start()
        .split(|byte| *byte == b'\n')
        .next()?;
    Some(line.trim_ascii_end()).filter(|line| !line.is_empty())
}

/// Whether `content` is text as far as its beginning shows.
pub(super) fn is_text(content: &[u8]) -> bool {
    const LOOKED_AT: usize = 256;
    content
        .iter()
        .take(LOOKED_AT)
        .all(|byte| (b'\t'..=b'~').contains(byte))
}

/// The number of the first line with content, counted from 1.
pub(super) fn first_line_number(content: &[u8]) -> u32 {
    let text = content.strip_prefix(BYTE_ORDER_MARK).unwrap_or(content);
    let blank = text.len() - text.trim_ascii_start().len();
    let lines = text.iter().take(blank).filter(|byte| **byte == b'\n');
    u32::try_from(lines.count())
        .unwrap_or(u32::MAX)
        .saturating_add(1)
}
