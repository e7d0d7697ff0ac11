//! Motorola S-record: S0 with our name, S3 with 16 data bytes, S7.

use std::fmt::Write;

use super::{Run, pieces};

const RECORD_BYTES: u32 = 16;
const HEADER: &[u8] = b"rtflash";

/// The file's content.
pub(super) fn write(runs: &[Run<'_>]) -> Vec<u8> {
    let mut text = String::new();
    record(&mut text, '0', &[0, 0], HEADER);
    for (address, bytes) in pieces(runs, RECORD_BYTES) {
        record(&mut text, '3', &address.to_be_bytes(), bytes);
    }
    // the boot ROM takes its entry from the IVT
    record(&mut text, '7', &[0; 4], &[]);
    text.into_bytes()
}

/// One record: type, count of what follows, address, data, and the complement of the sum of all but the type.
fn record(text: &mut String, kind: char, address: &[u8], data: &[u8]) {
    let count = (address.len() + data.len() + 1) as u8;
    let mut sum = 0_u8;
    let _ = write!(text, "S{kind}");
    for byte in std::iter::once(&count).chain(address).chain(data) {
        sum = sum.wrapping_add(*byte);
        let _ = write!(text, "{byte:02X}");
    }
    let _ = writeln!(text, "{:02X}", !sum);
}
