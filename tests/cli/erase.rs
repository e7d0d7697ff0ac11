//! `erase`: what it is told and nothing else, read back, and never a board that boots half an image by accident.

use crate::station::{FLASH_BYTES, Session, Station, image, noise, probe};

/// Bytes of an IS25WP032, the smallest part: all of it is digested twice.
const FLASH_BYTES_032: usize = 4 << 20;

fn erase(station: &Station, more: &[&str]) -> Session {
    let board = probe("");
    station.run(&[&["erase", "--probe", &board], more].concat())
}

/// The content with a range erased.
fn without(content: &[u8], from: usize, to: usize) -> Vec<u8> {
    let mut content = content.to_vec();
    content[from..to].fill(0xFF);
    content
}

#[test]
fn the_whole_chip_is_erased_and_the_last_line_says_what_the_board_is_now() {
    let mut before = vec![0xFF; FLASH_BYTES_032];
    for at in [0, 0x1_2345, FLASH_BYTES_032 - 0x1000] {
        before[at..at + 0x1000].copy_from_slice(&noise(3, 0x1000));
    }
    let station = Station::holding(&before);
    erase(&station, &["--chip", "--flash", "is25wp032"])
        .ends_with(0)
        .reports("range", &["0x60000000 to 0x603FFFFF"])
        .reports("sectors", &["4 erased by 3 commands", "1020 left as they were"])
        .reports("digest", &["4194304 bytes", "computed by the target"])
        .last_line_is(
            "DONE: 4194304 bytes erased and found blank; the board was reset, and its boot ROM finds no FCB to boot by",
        );
    assert!(station.content().iter().all(|byte| *byte == 0xFF));
}

#[test]
fn what_is_blank_is_not_erased_again() {
    let station = Station::new();
    erase(&station, &["--range", "0x60000000+128K"])
        .ends_with(0)
        .reports("sectors", &["0 erased by 0 commands", "32 left"])
        .last_line_is(
            "DONE: 131072 bytes found blank, there was nothing to erase; the board was reset, and its boot ROM finds no FCB to boot by",
        );
}

#[test]
fn nothing_is_erased_by_default() {
    let station = Station::new();
    erase(&station, &[])
        .ends_with(2)
        .complains("erase-what", &["--chip", "--range"])
        .gives_a_reason()
        .advises();
    for both in [
        &["--chip", "--range", "0x0+4K"][..],
        &["--chip", "--keep-others"],
        &["--range", "0x0+4K", "--keep-others", "--whole-sectors"],
        &["--range", "0x0+0"],
        &["--range", "everything"],
    ] {
        erase(&station, both).ends_with(2);
    }
    for range in ["0x60800000+4K", "0x7FF000+8K", "0x30000000+1"] {
        erase(&station, &["--range", "0x0+4K", "--range", range])
            .ends_with(20)
            .complains("range-outside", &[range])
            .advises();
    }
    assert_eq!(station.files(), Vec::<String>::new(), "a board was touched");
}

#[test]
fn ranges_are_erased_and_every_other_byte_stays() {
    let before = noise(4, FLASH_BYTES);
    let station = Station::holding(&before);
    erase(
        &station,
        &["--range", "0x60020000+64K", "--range", "0x105000..0x107000"],
    )
    .ends_with(0)
    .reports(
        "range",
        &["0x60020000", "0x60105000", "flash offset 0x105000"],
    )
    .reports("sectors", &["18 erased", "3 commands"]);
    let expected = without(&without(&before, 0x2_0000, 0x3_0000), 0x10_5000, 0x10_7000);
    assert!(station.content() == expected);
}

#[test]
fn a_sector_with_other_bytes_is_cut_only_as_told() {
    let before = noise(5, FLASH_BYTES);
    let station = Station::holding(&before);
    let range = ["--range", "0x60030800+4K"];
    erase(&station, &range)
        .ends_with(9)
        .complains(
            "cut-sector",
            &[
                "0x60030000",
                "sector 48",
                "--keep-others",
                "--whole-sectors",
            ],
        )
        .gives_a_reason()
        .advises();
    assert!(station.content() == before, "something was erased");
    erase(&station, &[&range[..], &["--keep-others"]].concat())
        .ends_with(0)
        .reports("sectors", &["2 erased", "4096 bytes of others kept"]);
    assert!(station.content() == without(&before, 0x3_0800, 0x3_1800));
    assert_eq!(
        station.saved_files(),
        0,
        "the saved bytes are not forgotten"
    );
    erase(&station, &[&range[..], &["--whole-sectors"]].concat())
        .ends_with(0)
        .reports("range", &["0x60030000 to 0x60031FFF"]);
    assert!(station.content() == without(&before, 0x3_0000, 0x3_2000));
    // now the other bytes of those sectors are FFh, and there is nothing to refuse
    erase(&station, &range).ends_with(0);
}

#[test]
fn an_erase_inside_the_image_that_boots_is_warned_of() {
    let station = Station::flashed(&image());
    erase(&station, &["--range", "0x60002000+4K"])
        .ends_with(0)
        .reports("warning", &["erase-in-image", "FCB and IVT stay"])
        .last_line_is(
            "DONE: 4096 bytes erased and found blank; the board was reset; its FCB is there, and whether it boots was not watched",
        );
    for range in ["0x60400000+4K", "0x60000000+12K"] {
        let session = erase(&station, &["--range", range]).ends_with(0);
        assert_eq!(session.labelled("warning"), "", "{session}");
    }
}

#[test]
fn the_record_has_ranges_commands_and_times() {
    let station = Station::holding(&noise(6, FLASH_BYTES));
    let session = erase(&station, &["--range", "0x40000+64K", "--json"]).ends_with(0);
    let record = crate::json::record(&session);
    let erase = &record["erase"];
    assert_eq!(erase["ranges"][0]["start"], "0x60040000");
    assert_eq!(erase["sectors_erased"], 16);
    assert_eq!(erase["erase_commands"], 1);
    assert_eq!(erase["chip_erase"], false);
    assert_eq!(erase["found_blank"], true);
    assert_eq!(erase["typical_seconds"], 0.15);
    assert_eq!(record["verdict"]["kind"], "done");
}

#[test]
fn another_part_is_not_erased() {
    let before = noise(7, FLASH_BYTES);
    let station = Station::holding(&before);
    let other = probe("part=is25wp064");
    station
        .run(&["erase", "--probe", &other, "--flash", "w25q64jv", "--chip"])
        .ends_with(6)
        .complains("flash-part", &[]);
    assert!(station.content() == before);
}
