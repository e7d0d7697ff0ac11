//! The format of a file makes no difference to what the flash holds.

use proptest::prelude::*;
use rtflash::image::Format;

use crate::board::{content, data, flash, read};
use crate::write;

const HEX: &str = "blinky-xip.headerless.hex";

#[test]
fn every_format_of_one_program_gives_the_same_flash_content() {
    let (record, expected) = flash(&[data(HEX)]);
    assert_eq!(record.inputs[0].placement, None);
    for (name, format, placed) in [
        ("blinky-xip.headerless.srec", "Motorola S-record", None),
        ("blinky-xip.headerless.elf", "ELF", None),
        ("blinky-xip.headerless.uf2", "UF2", None),
        (
            "blinky-xip.headerless.bin",
            "raw binary",
            Some("placed at 0x60002000, where a vector table as this one belongs"),
        ),
        (
            "blinky-xip.headerless.bin@0x60002000",
            "raw binary",
            Some("placed at 0x60002000, as asked for"),
        ),
    ] {
        let (record, found) = flash(&[data("formats").join(name)]);
        assert!(found == expected, "{name}: the flash differs");
        assert_eq!(record.inputs[0].format, format);
        assert_eq!(record.inputs[0].placement.as_deref(), placed, "{name}");
    }
}

#[test]
fn a_complete_binary_is_flashed_as_its_hex_file() {
    let (_, expected) = flash(&[data("blinky-xip.complete.hex")]);
    let (record, found) = flash(&[data("formats/blinky-xip.complete.bin")]);
    assert!(found == expected, "the flash differs");
    assert_eq!(
        record.inputs[0].placement.as_deref(),
        Some("placed at 0x60000000, where an FCB as this one belongs")
    );
}

#[test]
fn elf_brings_what_objcopy_would_and_nothing_of_its_headers() {
    let image = read(&content("formats/blinky-xip.headerless.elf")).expect("image");
    let hex = read(&content(HEX)).expect("image");
    assert_eq!(image.len_bytes(), hex.len_bytes());
    assert_eq!(image.segments().len(), 1);
    assert_eq!(image.segments()[0].bytes(), hex.segments()[0].bytes());
    let place = |address| {
        let place = image.place_of(rtflash::address::Address::new(address));
        place.expect("place").to_string()
    };
    assert_eq!(
        place(0x6000_2004),
        "app, section .text, offset 0x2004, address 0x60002004"
    );
    // linked for DTCM, loaded from the flash
    assert_eq!(
        place(0x6000_24B1),
        "app, section .data, offset 0x2801, address 0x600024B1"
    );
}

/// Up to six pieces that do not touch, below `limit`.
fn pieces(limit: u32) -> impl Strategy<Value = Vec<(u32, Vec<u8>)>> {
    let piece = (0..limit, prop::collection::vec(any::<u8>(), 1..700));
    prop::collection::vec(piece, 1..6).prop_map(move |mut pieces| {
        pieces.sort_by_key(|(start, _)| *start);
        let mut free = 0;
        pieces.retain(|(start, bytes)| {
            let end = start + bytes.len() as u32;
            let kept = *start >= free && end < limit;
            if kept {
                free = end + 1;
            }
            kept
        });
        if pieces.is_empty() {
            pieces.push((0, vec![1]));
        }
        pieces
    })
}

fn brings(file: &[u8], format: Format, pieces: &write::Pieces) -> Result<(), TestCaseError> {
    let image = read(file).expect("image");
    prop_assert_eq!(image.inputs()[0].format, format);
    let found = image.segments().iter();
    let found: Vec<_> = found.map(|s| (s.start().get(), s.bytes())).collect();
    let expected = pieces.iter();
    let expected: Vec<_> = expected
        .map(|(start, bytes)| (*start, &bytes[..]))
        .collect();
    prop_assert_eq!(found, expected);
    Ok(())
}

proptest! {
    #[test]
    fn whatever_the_segments(pieces in pieces(0xFFFF_0000)) {
        brings(&write::intel_hex(&pieces), Format::IntelHex, &pieces)?;
        brings(&write::s_records(3, &pieces), Format::SRecord, &pieces)?;
        brings(&write::elf(&pieces), Format::Elf, &pieces)?;
        brings(&write::uf2(&pieces), Format::Uf2, &pieces)?;
    }

    #[test]
    fn with_the_short_addresses_of_s1_and_s2(short in pieces(0x1_0000), middle in pieces(0x100_0000)) {
        brings(&write::s_records(1, &short), Format::SRecord, &short)?;
        brings(&write::s_records(2, &middle), Format::SRecord, &middle)?;
    }
}
