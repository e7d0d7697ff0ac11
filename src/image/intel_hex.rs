//! Intel HEX: records by the `ihex` crate, fed line by line so that every error knows its line.

use std::path::Path;

use ihex::{ReaderError, Record};

use super::fault::RecordFault;
use super::record_lines::{self, Then};
use super::segment::{Pieces, Segment};
use super::source::Source;
use super::{Format, ImageError};
use crate::address::Address;

/// A segment record counts in 16-byte paragraphs.
const PARAGRAPH_SHIFT: u32 = 4;
/// Characters of a record without data: colon, count, address, type, sum.
const RECORD_CHARACTERS: usize = 11;
/// Upper half of a linear address.
const LINEAR_SHIFT: u32 = 16;

/// Reads all data records, each as a piece with its line.
///
/// # Errors
/// [`ImageError`] with the line at fault.
pub(super) fn read(path: &Path, content: &[u8]) -> Result<Vec<Segment>, ImageError> {
    let mut pieces = Pieces::default();
    let mut base = Base::Linear(0);
    record_lines::read(path, Format::IntelHex, content, |line, raw| {
        // the crate looks at the sum first; what is wrong with a line cut short is its length
        if has_other_length(raw) {
            return Err(RecordFault::Length);
        }
        let record = std::str::from_utf8(raw)
            .map_err(|_| RecordFault::NotHexadecimal)
            .and_then(|raw| Ok(Record::from_record_string(raw)?))?;
        match record {
            Record::Data { value, .. } if value.is_empty() => {}
            Record::Data { offset, value } => {
                base.address_of(offset, value.len())
                    .and_then(|start| pieces.add(start, &value, Source::line(line)))
                    .ok_or(RecordFault::AddressOverflow)?;
            }
            Record::ExtendedLinearAddress(upper) => base = Base::Linear(upper),
            Record::ExtendedSegmentAddress(paragraph) => base = Base::Segment(paragraph),
            Record::EndOfFile => return Ok(Then::End),
            // Entry points for a debugger: the boot ROM takes its entry from the IVT.
            Record::StartLinearAddress(_) | Record::StartSegmentAddress { .. } => {}
        }
        Ok(Then::More)
    })?;
    Ok(pieces.into_segments())
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
            ReaderError::MissingStartCode => RecordFault::NoStartCode { expected: ':' },
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
