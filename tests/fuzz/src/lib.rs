//! The image stage by itself: it is pure, so the fuzz targets need neither probe-rs nor the virtual board.

#[path = "../../../src/address.rs"]
pub mod address;
pub mod check;
#[path = "../../../src/image/mod.rs"]
pub mod image;
#[path = "../../../src/problem.rs"]
pub mod problem;

use image::Format;

/// Reads `content` only where it begins as a file of `format`, so that no run is wasted on another parser.
pub fn read_as(format: Format, content: &[u8]) {
    if Format::of(content) == format {
        check::read(content, None);
    }
}

/// `content` with the length and checksum bytes of its records made right, behind which a fuzzer would hardly get:
/// `prefix` characters stand before the digits, and `sum` makes the checksum of the bytes before it.
pub fn with_right_checksums(content: &[u8], prefix: usize, sum: fn(&[u8]) -> u8) -> Vec<u8> {
    let repaired = content.split(|byte| *byte == b'\n').map(|line| {
        let digits = line.get(prefix..).unwrap_or_default();
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        let bytes: Option<Vec<u8>> = digits.chunks(2).map(byte).collect();
        match bytes {
            Some(mut bytes) if bytes.len() > 1 => {
                let last = bytes.len() - 1;
                bytes[0] = if prefix == 1 {
                    last.saturating_sub(4)
                } else {
                    last
                } as u8;
                bytes[last] = sum(&bytes[..last]);
                let digits: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
                [&line[..prefix], digits.as_bytes()].concat()
            }
            _ => line.to_vec(),
        }
    });
    repaired.collect::<Vec<_>>().join(&b'\n')
}
