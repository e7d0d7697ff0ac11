//! The lines of a file of records, with what Intel HEX and S-record have in common: line ends, numbers, the end record.

use std::path::Path;

use super::fault::RecordFault;
use super::format::BYTE_ORDER_MARK;
use super::{Format, ImageError};

/// Ctrl-Z, with which CP/M and DOS tools end a text.
const END_OF_TEXT: &[u8] = &[0x1A];

/// What may follow a record.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// Further records.
    More,
    /// Nothing: it was the end record.
    End,
}

/// Gives `record` every line that is not empty, with its number, counted from 1.
///
/// # Errors
/// What `record` finds, a line behind the end record, and a file without one; each with its line.
pub(super) fn read(
    path: &Path,
    format: Format,
    content: &[u8],
    mut record: impl FnMut(u32, &[u8]) -> Result<Then, RecordFault>,
) -> Result<(), ImageError> {
    let text = content.strip_prefix(BYTE_ORDER_MARK).unwrap_or(content);
    let mut end_line = None;
    let mut last_line = 0;
    for (line, raw) in (1_u32..).zip(text.split(|byte| *byte == b'\n')) {
        let raw = raw.trim_ascii();
        if raw.is_empty() || raw == END_OF_TEXT {
            continue;
        }
        last_line = line;
        let then = match end_line {
            Some(end_line) => Err(RecordFault::AfterEnd { end_line }),
            None => record(line, raw),
        };
        let then = then.map_err(|fault| ImageError::Record {
            path: path.to_owned(),
            format,
            line,
            fault,
        })?;
        if then == Then::End {
            end_line = Some(line);
        }
    }
    match end_line {
        Some(_) => Ok(()),
        None => Err(ImageError::WithoutEnd {
            path: path.to_owned(),
            format,
            line: last_line,
        }),
    }
}

/// The value of a hexadecimal digit.
pub(super) fn hex_digit(character: u8) -> Option<u8> {
    let digit = char::from(character).to_digit(16)?;
    u8::try_from(digit).ok()
}

/// The bytes that pairs of digits mean.
///
/// # Errors
/// A character that is no digit, or a digit without its pair.
pub(super) fn hex_bytes(digits: &[u8]) -> Result<Vec<u8>, RecordFault> {
    let (pairs, odd) = digits.as_chunks();
    let mut bytes = Vec::with_capacity(pairs.len());
    for [high, low] in pairs {
        let high = hex_digit(*high).ok_or(RecordFault::NotHexadecimal)?;
        let low = hex_digit(*low).ok_or(RecordFault::NotHexadecimal)?;
        bytes.push((high << 4) | low);
    }
    if !odd.is_empty() {
        return Err(RecordFault::Length);
    }
    Ok(bytes)
}
