//! `read`: the flash into a file, and nothing changed.

use std::fs;

use crate::station::{FLASH_BYTES, Session, Station, image, noise, probe};

/// Bytes of an IS25WP032.
const FLASH_BYTES_032: usize = 4 << 20;

/// A board that holds noise in two places, one of them across two sectors; the rest is erased.
fn filled() -> Station {
    let mut content = vec![0xFF; FLASH_BYTES];
    content[0x1F80..0x2080].copy_from_slice(&noise(1, 0x100));
    content[0x9000..0xA000].copy_from_slice(&noise(2, 0x1000));
    Station::holding(&content)
}

fn read(station: &Station, more: &[&str]) -> Session {
    let board = probe("");
    station.run(&[&["read", "--probe", &board], more].concat())
}

fn file(station: &Station, name: &str) -> Vec<u8> {
    fs::read(station.flash_file().with_file_name(name)).expect("output file")
}

#[test]
fn neither_flash_nor_registers_change_whatever_qe_is() {
    for station in [filled(), Station::flashed(&image())] {
        read(&station, &["-o", "out.bin", "--range", "0x60000000+12K"]).ends_with(0);
        let before = station.board();
        read(&station, &["-o", "out.bin", "--range", "0x60000000+12K"]).ends_with(0);
        assert!(station.board() == before, "flash or registers were changed");
        assert!(file(&station, "out.bin") == station.content()[..0x3000]);
    }
}

#[test]
fn every_format_brings_the_same_bytes_to_the_same_addresses() {
    let station = filled();
    for name in ["a.hex", "a.srec", "a.uf2"] {
        for more in [
            &["--range", "0x60001000+48K"][..],
            &["--range", "0x1000+48K", "--skip-erased"],
        ] {
            read(&station, &[&["-o", name], more].concat()).ends_with(0);
            let output = station.flash_file().with_file_name(name);
            station
                .on_image("verify", &output, &["--data"])
                .ends_with(0)
                .last_line_is("EQUAL");
        }
    }
}

#[test]
fn a_range_is_exact_to_the_byte_and_may_be_a_flash_offset() {
    let station = filled();
    let expected = station.content()[0x1FF9..0x2004].to_vec();
    for range in ["0x60001FF9+11", "0x1FF9..0x2004", "0x6000_1FF9+0xB"] {
        read(&station, &["-o", "out.bin", "--range", range])
            .ends_with(0)
            .reports(
                "range",
                &[
                    "0x60001FF9",
                    "0x60002003",
                    "flash offset 0x001FF9",
                    "11 bytes",
                ],
            );
        assert_eq!(file(&station, "out.bin"), expected, "{range}");
    }
}

#[test]
fn erased_sectors_are_left_out_where_that_is_asked_for() {
    let station = filled();
    let range = ["-o", "out.hex", "--range", "0x60000000+64K"];
    read(&station, &range)
        .ends_with(0)
        .reports("erased", &["13 sectors"]);
    let whole = file(&station, "out.hex").len();
    read(&station, &[&range[..], &["--skip-erased"]].concat())
        .ends_with(0)
        .reports("erased", &["13 sectors", "left out"]);
    assert!(file(&station, "out.hex").len() < whole / 4);
}

#[test]
fn raw_bytes_go_to_standard_output_and_the_report_beside() {
    let station = filled();
    let text = "read me, one byte after the other";
    station.damage(0x3000, text.as_bytes());
    let range = format!("0x60003000+{}", text.len());
    let session = read(&station, &["-o", "-", "--range", &range]).ends_with(0);
    assert_eq!(session.stdout, text, "{session}");
    assert!(
        session.stderr.trim_end().ends_with("to standard output"),
        "{session}"
    );
    let files = station.files();
    read(&station, &["-o", "-", "--json"])
        .ends_with(2)
        .complains("stdout-twice", &[])
        .advises();
    let session = read(&station, &["-o", "-", "--range", "0x60800000+1"]).ends_with(20);
    assert_eq!(session.stdout, "", "{session}");
    assert!(session.stderr.contains("REFUSED, board not touched"));
    assert_eq!(station.files().len(), files.len());
}

#[test]
fn the_record_has_range_hash_and_output() {
    let station = filled();
    let session = read(
        &station,
        &["-o", "out.hex", "--range", "0x9000+4K", "--json"],
    )
    .ends_with(0);
    let record = crate::json::record(&session);
    assert_eq!(record["command"], "read");
    assert_eq!(record["read"]["range"]["start"], "0x60009000");
    assert_eq!(record["read"]["range"]["length_bytes"], 0x1000);
    assert_eq!(record["read"]["sectors_repeated"], 0);
    assert_eq!(record["read"]["output"]["format"], "Intel HEX");
    assert_eq!(record["verdict"]["kind"], "done");
    assert_eq!(record["mismatch"], serde_json::Value::Null);
}

#[test]
fn a_place_that_cannot_be_written_is_told_before_the_board_is_touched() {
    let station = Station::new();
    fs::create_dir(station.flash_file().with_file_name("folder.hex")).expect("folder");
    for output in [
        "nowhere/out.hex",
        "folder.hex",
        "folder.hex/../file.bin/out.hex",
    ] {
        read(&station, &["-o", output])
            .ends_with(23)
            .complains("output-unwritable", &["where:"])
            .gives_a_reason()
            .advises();
    }
    assert_eq!(station.files(), ["folder.hex"], "a board was powered up");
}

#[test]
fn what_cannot_be_meant_is_told_before_the_board_is_touched() {
    let station = Station::new();
    read(&station, &["-o", "out.txt"])
        .ends_with(2)
        .complains("output-format", &[])
        .advises();
    read(&station, &["-o", "out.bin", "--skip-erased"])
        .ends_with(2)
        .complains("skip-erased", &[])
        .advises();
    for range in [
        "0x60000000+0",
        "0x1000..0x1000",
        "0x2000..0x1000",
        "4096+1",
        "0x60000000+99999M",
        "all",
    ] {
        let session = read(&station, &["-o", "out.bin", "--range", range]).ends_with(2);
        assert!(session.stderr.contains(range), "{session}");
    }
    for range in [
        "0x60800000+1",
        "0x607FFFFF+2",
        "0x0..0x60001000",
        "0x20000000+4",
    ] {
        read(&station, &["-o", "out.bin", "--range", range])
            .ends_with(20)
            .complains("range-outside", &[range, "0x607FFFFF"])
            .advises();
    }
    read(&station, &[]).ends_with(2);
    assert_eq!(station.files(), Vec::<String>::new());
}

#[test]
fn a_job_that_fails_leaves_the_file_that_was_there() {
    let station = filled();
    let output = station.flash_file().with_file_name("out.bin");
    fs::write(&output, "what was there").expect("file");
    let other = probe("part=is25wp064");
    station
        .run(&[
            "read", "--probe", &other, "--flash", "w25q64jv", "-o", "out.bin",
        ])
        .ends_with(6)
        .complains("flash-part", &["IS25WP064"]);
    assert_eq!(file(&station, "out.bin"), b"what was there");
    assert!(
        station
            .files()
            .iter()
            .all(|name| !name.contains("unfinished")),
        "{:?}",
        station.files()
    );
    read(&station, &["-o", "out.bin", "--range", "0x0+4"]).ends_with(0);
    assert_eq!(file(&station, "out.bin"), [0xFF; 4], "it is replaced");
}

#[test]
fn the_whole_part_is_the_default_and_what_was_read_is_flashed_onto_another_board() {
    let part = ["--flash", "is25wp032"];
    let station = Station::new();
    station.flash(&image(), &part).ends_with(0);
    read(
        &station,
        &[&part[..], &["-o", "copy.hex", "--skip-erased"]].concat(),
    )
    .ends_with(0)
    .reports("range", &["0x60000000 to 0x603FFFFF", "4194304 bytes"])
    .reports("erased", &["1021 sectors", "left out"])
    .reports("output", &["copy.hex", "Intel HEX"])
    .reports("digest", &["4194304 bytes", "computed by the target"])
    .last_line_is(
        "DONE: 4194304 bytes from 0x60000000 read and proven by the target's digest, to copy.hex",
    );
    let copy = station.flash_file().with_file_name("copy.hex");
    let other = Station::new();
    other.flash(&copy, &part).ends_with(0).last_line_is("PASS");
    assert!(other.content() == station.content());
}

#[test]
fn a_part_that_is_found_by_its_id_is_read_and_erased_as_if_it_had_been_named() {
    let station = Station::holding(&noise(3, FLASH_BYTES_032));
    let at = probe("part=is25wp032");
    let auto = ["--probe", &at, "--target", "auto", "--range"];
    let typed = [&["read", "-o", "out.bin"], &auto[..], &["0x603FF000+4K"]].concat();
    station.run(&typed).ends_with(0);
    assert!(file(&station, "out.bin") == station.content()[0x3F_F000..]);
    // inside the largest part, so that it is found out with the board
    let typed = [&["erase"], &auto[..], &["0x60400000+4K"]].concat();
    station
        .run(&typed)
        .ends_with(20)
        .complains("range-outside", &["IS25WP032", "0x603FFFFF"]);
    // inside none
    let typed = [&["read", "-o", "out.bin"], &auto[..], &["0x61000000+4K"]].concat();
    station
        .run(&typed)
        .ends_with(20)
        .complains("range-outside", &[]);
    let typed = [&["erase"], &auto[..], &["0x603FF000+4K"]].concat();
    station.run(&typed).ends_with(0);
    assert!(
        station.content()[0x3F_F000..]
            .iter()
            .all(|byte| *byte == 0xFF)
    );
}
