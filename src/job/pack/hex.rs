//! Intel HEX: 16 data bytes a record, a linear address record wherever the upper half changes.

use ihex::Record;

use super::{Run, pieces};

/// Data bytes of a record; divides 64 KiB, so that no record crosses an upper half.
const RECORD_BYTES: u32 = 16;
const HALF_BITS: u32 = 16;

/// The file's content; `None` where the crate refuses a record.
pub(super) fn write(runs: &[Run<'_>]) -> Option<Vec<u8>> {
    let mut records = Vec::new();
    let mut upper = None;
    for (address, bytes) in pieces(runs, RECORD_BYTES) {
        let half = (address >> HALF_BITS) as u16;
        if upper != Some(half) {
            records.push(Record::ExtendedLinearAddress(half));
            upper = Some(half);
        }
        records.push(Record::Data {
            offset: address as u16,
            value: bytes.to_vec(),
        });
    }
    records.push(Record::EndOfFile);
    let text = ihex::create_object_file_representation(&records).ok()?;
    Some((text + "\n").into_bytes())
}
