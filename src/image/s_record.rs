//! Motorola S-records: S1, S2 and S3 data, checked against length, checksum, count and end records.
//!
//! An own parser, because none of the crates tells the line, keeps the address width of S1 and S2, or checks S5 and S6.
//! Layout of a record: `S`, type digit, count byte, address of 2 to 4 bytes, data, checksum (ones' complement of the
//! sum of count, address and data), all in hexadecimal.

use std::path::Path;

use super::fault::RecordFault;
use super::record_lines::{self, Then, hex_bytes, hex_digit};
use super::segment::{Pieces, Segment};
use super::source::Source;
use super::{Format, ImageError};
use crate::address::Address;

/// Reads all data records, each as a piece with its line.
///
/// # Errors
/// [`ImageError`] with the line at fault.
pub(super) fn read(path: &Path, content: &[u8]) -> Result<Vec<Segment>, ImageError> {
    let mut pieces = Pieces::default();
    let mut data_records = 0_u32;
    record_lines::read(path, Format::SRecord, content, |line, raw| {
        let record = Record::parse(raw)?;
        match record.kind {
            Kind::Header => {}
            Kind::Data => {
                data_records += 1;
                record
                    .stays_in_its_address_space()
                    .then(|| Address::new(record.address))
                    .and_then(|start| pieces.add(start, record.data(), Source::line(line)))
                    .ok_or(RecordFault::AddressOverflow)?;
            }
            Kind::Count if record.address == data_records => {}
            Kind::Count => {
                return Err(RecordFault::Count {
                    written: record.address,
                    found: data_records,
                });
            }
            Kind::End => return Ok(Then::End),
        }
        Ok(Then::More)
    })?;
    Ok(pieces.into_segments())
}

/// What a record is for.
#[derive(Clone, Copy)]
enum Kind {
    /// S0: a name, of no effect.
    Header,
    /// S1, S2, S3.
    Data,
    /// S5, S6: how many data records stand before it.
    Count,
    /// S7, S8, S9: the last line; its address is for debuggers, the boot ROM takes its entry from the IVT.
    End,
}

/// A record whose length and checksum are right.
struct Record {
    kind: Kind,
    address_bytes: usize,
    address: u32,
    /// Count, address, data, checksum.
    bytes: Vec<u8>,
}

impl Record {
    fn parse(line: &[u8]) -> Result<Self, RecordFault> {
        let rest = line
            .strip_prefix(b"S")
            .ok_or(RecordFault::NoStartCode { expected: 'S' })?;
        let (digit, rest) = rest.split_first().ok_or(RecordFault::Length)?;
        let digit = hex_digit(*digit).ok_or(RecordFault::NotHexadecimal)?;
        let (kind, address_bytes) = match digit {
            0 => (Kind::Header, 2),
            1 => (Kind::Data, 2),
            2 => (Kind::Data, 3),
            3 => (Kind::Data, 4),
            5 => (Kind::Count, 2),
            6 => (Kind::Count, 3),
            7 => (Kind::End, 4),
            8 => (Kind::End, 3),
            9 => (Kind::End, 2),
            record_type => return Err(RecordFault::UnknownType { record_type }),
        };
        let bytes = hex_bytes(rest)?;
        let (count, counted) = bytes.split_first().ok_or(RecordFault::Length)?;
        if usize::from(*count) != counted.len() {
            return Err(RecordFault::Length);
        }
        let (written, body) = counted.split_last().ok_or(RecordFault::Length)?;
        let sum = body.iter().fold(*count, |sum, b| sum.wrapping_add(*b));
        if !sum != *written {
            return Err(RecordFault::Checksum {
                computed: !sum,
                written: *written,
            });
        }
        let (address, data) = body
            .split_at_checked(address_bytes)
            .ok_or(RecordFault::Length)?;
        if matches!(kind, Kind::Count | Kind::End) && !data.is_empty() {
            return Err(RecordFault::Length);
        }
        Ok(Record {
            kind,
            address_bytes,
            address: address
                .iter()
                .fold(0, |a, byte| (a << 8) | u32::from(*byte)),
            bytes,
        })
    }

    fn data(&self) -> &[u8] {
        let behind_count_and_address = 1 + self.address_bytes;
        self.bytes
            .get(behind_count_and_address..self.bytes.len().saturating_sub(1))
            .unwrap_or_default()
    }

    fn stays_in_its_address_space(&self) -> bool {
        u64::from(self.address) + self.data().len() as u64 <= 1_u64 << (8 * self.address_bytes)
    }
}
