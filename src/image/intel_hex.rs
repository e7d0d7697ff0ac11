//! Intel HEX: records by the `ihex` crate, fed line by line so that every error knows its line.

use std::path::Path;

use ihex::{ReaderError, Record};

use super::fault::RecordFault;
use super::record_lines::{self, Then, hex_bytes};
use super::segment::{Pieces, Segment};
use super::source::Source;
use super::{Format, ImageError};
use crate::address::Address;

/// A segment record counts in 16-byte paragraphs.
const PARAGRAPH_SHIFT: u32 = 4;
/// Type of a data record.
const DATA_RECORD: u8 = 0;
/// Count, address, type.
const HEAD_BYTES: usize = 4;
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
        if let Some((offset, data)) = sound_data(raw) {
            base.address_of(offset, data.len())
                .and_then(|start| pieces.add(start, &data, Source::line(line)))
                .ok_or(RecordFault::AddressOverflow)?;
            return Ok(Then::More);
        }
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

/// Offset and data of a data record in which all is right: nearly every line of a large file. Anything else is left to the
/// crate, which is slower, and knows what is wrong.
fn sound_data(raw: &[u8]) -> Option<(u16, Vec<u8>)> {
    let mut bytes = hex_bytes(raw.strip_prefix(b":")?).ok()?;
    let sum = bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    let [count, high, low, DATA_RECORD, ..] = *bytes.as_slice() else {
        return None;
    };
    let data_bytes = usize::from(count);
    if sum != 0 || data_bytes == 0 || bytes.len() != HEAD_BYTES + data_bytes + 1 {
        return None;
    }
    bytes.truncate(HEAD_BYTES + data_bytes);
    bytes.drain(..HEAD_BYTES);
    Some((u16::from_be_bytes([high, low]), bytes))
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_taken_without_the_crate_is_what_the_crate_takes(
            bytes in prop::collection::vec(any::<u8>(), 0..24),
            record_type in 0..3_u8,
            right_count in any::<bool>(),
            right_sum in any::<bool>(),
        ) {
            let mut record = bytes;
            if record.len() > 3 {
                record[3] = record_type;
                if right_count {
                    record[0] = (record.len() - 4) as u8;
                }
            }
            let sum = record.iter().fold(0_u8, |sum, byte| sum.wrapping_sub(*byte));
            record.push(if right_sum { sum } else { sum ^ 1 });
            let digits: String = record.iter().map(|byte| format!("{byte:02X}")).collect();
            let line = format!(":{digits}");
            let by_crate = match Record::from_record_string(&line) {
                Ok(Record::Data { offset, value }) if !value.is_empty() => Some((offset, value)),
                _ => None,
            };
            prop_assert_eq!(sound_data(line.as_bytes()), by_crate);
        }
    }
}
