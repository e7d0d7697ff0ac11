//! What the flash holds afterwards: exactly the image and the inserted header, and every other byte as before.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;

use ihex::{Reader, Record};

use crate::station::{FLASH_BYTES, Station, data, image, noise};

/// First address of the flash on the bus.
const FLASH_BASE: usize = 0x6000_0000;
/// What is inserted before an image at offset 0x2000: the FCB, and IVT with boot data.
const INSERTED: [Range<usize>; 2] = [0x0000..0x0200, 0x1000..0x1030];

/// The file's bytes by flash offset, read by the `ihex` crate alone.
fn bytes_of(name: &str) -> BTreeMap<usize, u8> {
    let text = fs::read_to_string(data(name)).expect("fixture");
    let mut upper = 0;
    let mut bytes = BTreeMap::new();
    for record in Reader::new(&text) {
        match record.expect("record") {
            Record::ExtendedLinearAddress(half) => upper = usize::from(half) << 16,
            Record::Data { offset, value } => {
                let start = upper + usize::from(offset) - FLASH_BASE;
                bytes.extend(
                    value
                        .into_iter()
                        .enumerate()
                        .map(|(i, byte)| (start + i, byte)),
                );
            }
            _ => {}
        }
    }
    bytes
}

/// Every byte is the image's, or the header's, or as `before`.
#[track_caller]
fn assert_exactly(name: &str, inserted: &[Range<usize>], before: &[u8], after: &[u8]) {
    let image = bytes_of(name);
    assert_eq!(before.len(), after.len());
    for (offset, (was, is)) in before.iter().zip(after).enumerate() {
        match image.get(&offset) {
            Some(wanted) => assert_eq!(is, wanted, "{name}: image byte at offset {offset:#x}"),
            None if inserted.iter().any(|range| range.contains(&offset)) => {}
            None => assert_eq!(is, was, "{name}: foreign byte at offset {offset:#x}"),
        }
    }
}

#[test]
fn a_blank_board_then_holds_image_and_header_and_nothing_else() {
    for name in ["blinky-xip.headerless.hex", "blinky-itcm.headerless.hex"] {
        let station = Station::flashed(&data(name));
        let content = station.content();
        assert_exactly(name, &INSERTED, &vec![0xFF; FLASH_BYTES], &content);
        assert_eq!(content.get(..4), Some(b"FCFB".as_slice()), "FCB tag");
        assert_eq!(
            content.get(0x1000..0x1003),
            Some([0xD1, 0x00, 0x20].as_slice()),
            "IVT header"
        );
    }
    for name in ["blinky-xip.complete.hex", "blinky-itcm.complete.hex"] {
        let station = Station::flashed(&data(name));
        assert_exactly(name, &[], &vec![0xFF; FLASH_BYTES], &station.content());
    }
}

#[test]
fn bytes_of_others_in_shared_sectors_survive() {
    for (seed, name) in [
        (1, "blinky-xip.headerless.hex"),
        (2, "blinky-itcm.headerless.hex"),
    ] {
        let before = noise(seed, FLASH_BYTES);
        let station = Station::holding(&before);
        station
            .flash(&data(name), &[])
            .ends_with(0)
            .reports("sectors", &["3 erased", "bytes of others restored"])
            .last_line_is("PASS");
        assert_exactly(name, &INSERTED, &before, &station.content());
        assert_eq!(
            station.saved_files(),
            0,
            "the saved bytes are not forgotten"
        );
    }
}

#[test]
fn a_part_full_of_zeros_is_erased_only_where_the_image_lies() {
    let name = "blinky-xip.complete.hex";
    let before = vec![0; FLASH_BYTES];
    let station = Station::holding(&before);
    station
        .flash(&data(name), &[])
        .ends_with(0)
        .last_line_is("PASS");
    assert_exactly(name, &[], &before, &station.content());
}

#[test]
fn settings_far_from_the_image_survive_any_number_of_flashes() {
    let mut before = vec![0xFF; FLASH_BYTES];
    let settings = noise(3, 0x1000);
    before[0x3000..0x4000].copy_from_slice(&settings);
    before[FLASH_BYTES - 0x1000..].copy_from_slice(&settings);
    let station = Station::holding(&before);
    for _ in 0..2 {
        station.flash(&image(), &[]).ends_with(0);
    }
    assert_exactly(
        "blinky-xip.headerless.hex",
        &INSERTED,
        &before,
        &station.content(),
    );
}

#[test]

fn one_byte_of_others_in_the_image_s_last_page_does_no_harm() {
    let mut before = vec![0xFF; FLASH_BYTES];
    before[0x24FF] = 0x00;
    let station = Station::holding(&before);
    station
        .flash(&image(), &[])
        .ends_with(0)
        .last_line_is("PASS");
    assert_exactly(
        "blinky-xip.headerless.hex",
        &INSERTED,
        &before,
        &station.content(),
    );
}
