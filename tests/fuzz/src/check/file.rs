//! What must hold for every content of a file: it is read whole, or refused with its place.

use std::path::Path;

use crate::address::{Address, AddressRange, FlashOffset};
use crate::image::{Format, Image, ImageError, Placement, RomPlaces};
use crate::problem::{ExitCode, Problem};

/// Files that begin as Intel HEX, as they are and with right checksums.
pub fn intel_hex(content: &[u8]) {
    read_as(Format::IntelHex, content);
    let sum = |bytes: &[u8]| added(bytes).wrapping_neg();
    read_as(Format::IntelHex, &with_right_checksums(content, 1, sum));
}

/// Files that begin as S-records, as they are and with right checksums.
pub fn s_record(content: &[u8]) {
    read_as(Format::SRecord, content);
    let sum = |bytes: &[u8]| !added(bytes);
    read_as(Format::SRecord, &with_right_checksums(content, 2, sum));
}

/// Files that begin as ELF.
pub fn elf(content: &[u8]) {
    read_as(Format::Elf, content);
}

/// Files that begin as UF2, as they are and with right magic words.
pub fn uf2(content: &[u8]) {
    read_as(Format::Uf2, content);
    let mut repaired = content.to_vec();
    for block in repaired.chunks_exact_mut(512) {
        block[..8].copy_from_slice(b"UF2\nWQ]\x9E");
        block[508..].copy_from_slice(&0x0AB1_6F30_u32.to_le_bytes());
    }
    read_as(Format::Uf2, &repaired);
}

/// Raw binaries, recognised or with an address: the first four bytes of the input.
pub fn raw(content: &[u8]) {
    read(content, None);
    if let Some((start, content)) = content.split_first_chunk() {
        read(content, Some(u32::from_le_bytes(*start)));
    }
}

/// The i.MX RT1062's, as far as these checks need them.
pub fn places() -> RomPlaces {
    let range = |start, length| AddressRange::new(Address::new(start), length).expect("range");
    RomPlaces {
        window: range(0x6000_0000, 0x1000_0000),
        fcb: FlashOffset::new(0),
        ivt: FlashOffset::new(0x1000),
        vector_table: FlashOffset::new(0x2000),
        vector_table_alignment_bytes: 0x400,
        ram: vec![
            range(0, 0x8_0000),
            range(0x2000_0000, 0x8_0000),
            range(0x2020_0000, 0x10_0000),
        ],
    }
}

/// Reads `content`, which must neither panic nor give an image or a message that contradicts itself.
pub fn read(content: &[u8], start: Option<u32>) {
    let path = Path::new("input");
    let start = start.map(Address::new);
    match Image::read(path, content, start, &places()) {
        Ok(image) => sound(&image, content),
        Err(error) => well_told(error, content),
    }
}

fn sound(image: &Image, content: &[u8]) {
    let segments = image.segments();
    assert!(!segments.is_empty());
    let gaps = |a: u64, b: Address| a < u64::from(b.get());
    assert!(
        segments
            .windows(2)
            .all(|two| gaps(two[0].end(), two[1].start()))
    );
    assert!(image.len_bytes() <= content.len() as u64);
    for segment in segments {
        assert!(segment.end() <= 1 << 32);
        for (index, byte) in segment.bytes().iter().enumerate().step_by(7) {
            let address = segment
                .start()
                .checked_add(index as u32)
                .expect("on the bus");
            let place = image.place_of(address).expect("place");
            match (place.line, place.offset) {
                (None, Some(offset)) => assert_eq!(content.get(offset as usize), Some(byte)),
                (Some(line), None) => assert!(line >= 1),
                other => panic!("a byte has a line or an offset: {other:?}"),
            }
        }
    }
    // reading the same file twice changes nothing
    let twice = Image::merge(vec![image.clone(), image.clone()]).expect("equal");
    assert_eq!(twice.segments(), image.segments());
    // a picture of the flash stays at 0 only where the user put it there
    if image
        .inputs()
        .iter()
        .all(|input| !matches!(input.placement, Placement::Given { .. }))
    {
        let again = image.clone().rebased(&places());
        assert_eq!(again.segments(), image.segments());
    }
}

fn well_told(error: ImageError, content: &[u8]) {
    let problem = Problem::from(error);
    assert_eq!(problem.exit, ExitCode::MalformedInput);
    assert!(problem.fix.is_some() && !problem.what.is_empty() && !problem.code.is_empty());
    let lines = content.split(|byte| *byte == b'\n').count();
    assert!(
        problem
            .place
            .line
            .is_none_or(|line| (1..=lines).contains(&(line as usize)))
    );
}

/// Reads `content` only where it begins as a file of `format`, so that no run is wasted on another parser.
fn read_as(format: Format, content: &[u8]) {
    if Format::of(content) == format {
        read(content, None);
    }
}

/// `content` with the length and checksum bytes of its records made right, behind which a fuzzer would hardly get:
/// `prefix` characters stand before the digits, and `sum` makes the checksum of the bytes before it.
fn with_right_checksums(content: &[u8], prefix: usize, sum: fn(&[u8]) -> u8) -> Vec<u8> {
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

fn added(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}
