//! Intel HEX: records by the `ihex` crate, fed line by line so that every error knows its line.

use std::path::Path;

use ihex::{ReaderError, Record};

use super::format::BYTE_ORDER_MARK;
use super::segment::{Segment, Source};
use super::{ImageError, error::RecordFault};
use crate::address::Address;

/// A segment record counts in 16-byte paragraphs.
const PARAGRAPH_SHIFT: u32 = 4;
/// Characters of a record without data: colon, count, address, type, sum.
const RECORD_CHARACTERS: usize = 11;
/// Ctrl-Z, with which CP/M and DOS tools end a text.
const END_OF_TEXT: &[u8] = &[0x1A];
/// Upper half of a linear address.
const LINEAR_SHIFT: u32 = 16;

/// Reads all data records, each as a piece with its line.
///
/// # Errors
/// [`ImageError`] with the line at fault.
pub(super) fn read(path: &Path, content: &[u8]) -> Result<Vec<Segment>, ImageError> {
    let text = content.strip_prefix(BYTE_ORDER_MARK).unwrap_or(content);
    let mut pieces = Vec::new();
    let mut base = Base::Linear(0);
    let mut end_line = None;
    let mut last_line = 0;
    for (line, raw) in (1_u32..).zip(text.split(|byte| *byte == b'\n')) {
        let raw = raw.trim_ascii();
        if raw.is_empty() || raw == END_OF_TEXT {
            continue;
        }
        last_line = line;
        let fault = |fault| ImageError::HexRecord {
            path: path.to_owned(),
            line,
            fault,
        };
        if let Some(end_line) = end_line {
            return Err(fault(RecordFault::AfterEnd { end_line }));
        }
        // the crate looks at the sum first; what is wrong with a line cut short is its length
        if has_other_length(raw) {
            return Err(fault(RecordFault::Length));
        }
        let record = std::str::from_utf8(raw)
            .map_err(|_| fault(RecordFault::NotHexadecimal))
            .and_then(|raw| Record::from_record_string(raw).map_err(|e| fault(e.into())))?;
        match record {
            Record::Data { value, .. } if value.is_empty() => {}
            Record::Data { offset, value } => {
                let source = Source {
                    input: 0,
                    line: Some(line),
                };
                let piece = base
                    .address_of(offset, value.len())
                    .and_then(|start| Segment::new(start, value, source))
                    .ok_or_else(|| fault(RecordFault::AddressOverflow))?;
                pieces.push(piece);
            }
            Record::ExtendedLinearAddress(upper) => base = Base::Linear(upper),
            Record::ExtendedSegmentAddress(paragraph) => base = Base::Segment(paragraph),
            Record::EndOfFile => end_line = Some(line),
            // Entry points for a debugger: the boot ROM takes its entry from the IVT.
            Record::StartLinearAddress(_) | Record::StartSegmentAddress { .. } => {}
        }
    }
    if end_line.is_none() {
        return Err(ImageError::HexWithoutEnd {
            path: path.to_owned(),
            line: last_line,
        });
    }
    Ok(pieces)
}

/// Whether the line is of another length than its first byte says.
fn has_other_length(raw: &[u8]) -> bool {
    let count = raw
        .get(1..3)
        .and_then(|digits| std::str::from_utf8(digits).ok())
        .and_then(|digits| usize::from_str_radix(digits, 16).ok());
    let sound = raw.first() == Some(&b':') && raw.iter().skip(1).all(u8::is_ascii_hexdigit);
    sound && count.is_some_and(|count| raw.len() != RECORD_CHARACTERS + 2 * count)
}

/// The address that later records add to.
#[derive(Clone, Copy)]
enum Base {
    Linear(u16),
    Segment(u16),
}

impl Base {
    /// The bus address of a record, or `None` where its data would wrap around the bus or the 64 KiB segment.
    fn address_of(self, offset: u16, length: usize) -> Option<Address> {
        match self {
            Base::Linear(upper) => {
                let start = (u32::from(upper) << LINEAR_SHIFT) | u32::from(offset);
                Some(Address::new(start))
            }
            Base::Segment(paragraph) => {
                let last = usize::from(offset) + length - 1;
                u16::try_from(last).ok()?;
                let start = (u32::from(paragraph) << PARAGRAPH_SHIFT) + u32::from(offset);
                Some(Address::new(start))
            }
        }
    }
}

impl From<ReaderError> for RecordFault {
    fn from(error: ReaderError) -> Self {
        match error {
            ReaderError::MissingStartCode => RecordFault::NoStartCode,
            ReaderError::ContainsInvalidCharacters => RecordFault::NotHexadecimal,
            ReaderError::RecordTooShort
            | ReaderError::RecordTooLong
            | ReaderError::RecordNotEvenLength
            | ReaderError::PayloadLengthMismatch
            | ReaderError::InvalidLengthForType => RecordFault::Length,
            ReaderError::ChecksumMismatch(computed, written) => {
                RecordFault::Checksum { computed, written }
            }
            ReaderError::UnsupportedRecordType(record_type) => {
                RecordFault::UnknownType { record_type }
            }
        }
    }
}
