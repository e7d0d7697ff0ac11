//! What is refused, with which exit code, and that the board is left alone.

use std::fs;
use std::path::Path;

use crate::station::{FLASH_BYTES, FLASH_BYTES_128, Station, data, image, noise, probe};

/// Files that are malformed: stable code, and line where one is at fault.
const MALFORMED: [(&str, &str, Option<u32>); 11] = [
    ("bad-checksum.hex", "hex-checksum", Some(3)),
    ("bad-record.hex", "hex-record", Some(4)),
    // the line's sum is wrong as well, and that is seen first
    ("bad-length.hex", "hex-record", Some(3)),
    ("unknown-record-type.hex", "hex-record-type", Some(3)),
    ("no-colon.hex", "hex-record", Some(3)),
    ("overlap.hex", "hex-overlap", Some(7)),
    ("no-eof.hex", "hex-no-end", Some(6)),
    ("data-after-eof.hex", "hex-after-end", Some(8)),
    ("empty.hex", "input-empty", None),
    ("only-eof.hex", "input-no-data", None),
    ("not-hex.hex", "input-format", Some(1)),
];

/// Files that are well-formed and would not boot or do not fit: stable code, and what the message names.
const UNBOOTABLE: [(&str, &str, &str); 6] = [
    ("outside-window.hex", "outside-flash", "0x20000000"),
    (
        "beyond-flash.hex",
        "beyond-part",
        "beyond-flash.hex:8, address 0x60800000",
    ),
    (
        "vectors-at-start.hex",
        "vector-table-at-start",
        "CONFIG_ROM_START_OFFSET=0x2000",
    ),
    ("entry-outside.hex", "reset-outside", "0x70000000"),
    ("entry-even.hex", "reset-not-thumb", "0x60002040"),
    ("stack-not-in-ram.hex", "stack-pointer", "0x60004000"),
];

/// A flash file of a size no part has: a board that is powered up with it complains, so one that does not complain was
/// never powered up.
const UNUSABLE_FLASH_FILE: &[u8] = b"not a flash";

/// Runs `command` with `file` and asserts that no board was touched: on a desk without flash file none appears, a flash
/// file is unchanged, and the board is not even powered up.
fn refused_offline(command: &str, file: &Path, code: i32, stable: &str, words: &[&str]) {
    let empty_desk = Station::new();
    let session = empty_desk
        .on_image(command, file, &[])
        .ends_with(code)
        .complains(stable, words)
        .advises();
    assert!(
        session.stdout.starts_with("REFUSED, board not touched: "),
        "{session}"
    );
    assert_eq!(empty_desk.files(), Vec::<String>::new(), "{session}");

    let station = Station::holding(UNUSABLE_FLASH_FILE);
    station
        .on_image(command, file, &[])
        .ends_with(code)
        .complains(stable, words);
    assert_eq!(station.content(), UNUSABLE_FLASH_FILE);
}

#[test]
fn a_malformed_file_is_refused_with_its_line_and_no_board_is_touched() {
    for (name, stable, line) in MALFORMED {
        let place = line.map_or(name.to_owned(), |line| format!("{name}:{line}"));
        for command in ["flash", "verify"] {
            refused_offline(
                command,
                &data("odd").join(name),
                13,
                stable,
                &["where:", &place],
            );
        }
    }
}

#[test]
fn an_image_that_cannot_boot_is_refused_with_reason_and_fix_and_no_board_is_touched() {
    for (name, stable, word) in UNBOOTABLE {
        for command in ["flash", "verify"] {
            let words = ["where:", "why:", name, word];
            refused_offline(command, &data("odd").join(name), 20, stable, &words);
        }
    }
}

#[test]
fn every_odd_file_is_in_one_of_the_lists() {
    let listed = |name: &str| {
        // a partial image: refused by a blank board only
        ["good.hex", "slot-only.hex"].contains(&name)
            || MALFORMED.iter().any(|(known, _, _)| *known == name)
            || UNBOOTABLE.iter().any(|(known, _, _)| *known == name)
    };
    for entry in fs::read_dir(data("odd")).expect("folder") {
        let name = entry
            .expect("entry")
            .file_name()
            .to_string_lossy()
            .into_owned();
        assert!(
            !name.ends_with(".hex") || listed(&name),
            "{name} is tested nowhere"
        );
    }
}

#[test]
fn a_refused_file_leaves_a_full_flash_as_it_was() {
    let before = noise(7, FLASH_BYTES);
    let station = Station::holding(&before);
    for name in [
        "bad-checksum.hex",
        "vectors-at-start.hex",
        "beyond-flash.hex",
    ] {
        let code = if name == "bad-checksum.hex" { 13 } else { 20 };
        station.flash(&data("odd").join(name), &[]).ends_with(code);
    }
    assert_eq!(station.files(), ["flash.bin"]);
    assert!(station.content() == before, "the flash was changed");
}

#[test]
fn the_sound_twin_of_the_odd_files_is_accepted() {
    Station::new()
        .flash(&data("odd/good.hex"), &[])
        .ends_with(0)
        .last_line_is("PASS");
}

#[test]
fn another_flash_part_on_the_board_is_refused_and_nothing_changes() {
    let before = noise(8, FLASH_BYTES_128);
    for command in ["flash", "verify"] {
        let station = Station::holding(&before);
        let session = station
            .on_image(command, &image(), &["--probe", &probe("part=is25wp128")])
            .ends_with(6)
            .complains("flash-part", &["IS25WP064", "9D 70 18", "9D 70 17"])
            .advises()
            .last_line_is(
                "FAIL: found IS25WP128 (9D 70 18); expected IS25WP064 (9D 70 17) [flash-part]",
            );
        assert_eq!(session.labelled("sectors"), "", "{session}");
        let (content, registers) = station.board();
        assert!(content.as_deref() == Some(&before), "the flash was changed");
        assert_eq!(registers, None, "the registers were changed");
    }
}

#[test]
fn reset_refuses_another_flash_part_as_well() {
    Station::new()
        .run(&["reset", "--probe", "virtual?part=is25wp032"])
        .ends_with(6)
        .complains("flash-part", &[]);
}

#[test]
fn a_flash_part_that_nobody_knows_is_a_usage_error_with_the_list() {
    for command in ["flash", "verify"] {
        let names = ["is25wp999", "IS25WP032", "IS25WP064", "IS25WP128"];
        Station::new()
            .on_image(command, &image(), &["--flash", "is25wp999"])
            .ends_with(2)
            .complains("target-unknown", &names);
    }
    Station::new()
        .flash(&image(), &["--board", "hyperflash"])
        .ends_with(2)
        .complains("target-unknown", &["qspi"]);
}

#[test]
fn a_selector_that_means_nothing_is_a_usage_error() {
    for nonsense in ["J-Link", "1366", "zzzz:0101", "virtually", "virtual:"] {
        Station::new()
            .flash(&image(), &["--probe", nonsense])
            .ends_with(2)
            .complains("probe-selector", &[&format!("\"{nonsense}\""), "VID:PID"])
            .advises();
    }
}

#[test]
fn an_option_that_the_virtual_board_lacks_is_a_usage_error_with_the_list() {
    for option in [
        "boot-mode=dfu",
        "colour=red",
        "part=w25q64",
        "timing",
        "probe=st-link",
        "round-trip-us=9",
        "round-trip-us=1ms",
        "core-divider=3",
        "contact-khz=99",
    ] {
        Station::new()
            .flash(&image(), &["--probe", &probe(option)])
            .ends_with(2)
            .complains(
                "virtual-option",
                &[
                    option,
                    "boot-mode=",
                    "serial-downloader",
                    "timing=",
                    "rom=",
                    "probe=jlink|cmsis-dap-v2-hs|cmsis-dap-v1",
                    "round-trip-us=10 to 100000",
                    "core-divider=1|2",
                    "contact-khz=100 to 50000",
                ],
            )
            .advises();
    }
}

#[test]
fn a_probe_that_is_not_there_is_said_to_be_missing() {
    for command in ["flash", "verify"] {
        Station::new()
            .on_image(command, &image(), &["--probe", "dead:beef:42"])
            .ends_with(21)
            .complains("probe-not-found", &["dead:beef:42"])
            .advises();
    }
    Station::new()
        .run(&["reset", "--probe", "dead:beef"])
        .ends_with(21)
        .complains("probe-not-found", &[]);
}

#[test]
fn probes_lists_what_is_connected_or_says_that_nothing_is() {
    // the machine that runs the tests may have a probe
    let session = Station::new().run(&["probes"]);
    if session.stdout.is_empty() {
        session.ends_with(21).complains("probe-none", &[]).advises();
    } else {
        session.ends_with(0);
    }
}

#[test]
fn an_input_that_cannot_be_read_is_named_with_the_system_s_reason() {
    let station = Station::new();
    for input in ["nowhere.hex", "."] {
        station
            .flash(Path::new(input), &[])
            .ends_with(13)
            .complains("input-unreadable", &[input, "os error"])
            .advises();
    }
    assert_eq!(station.files(), Vec::<String>::new());
}

#[test]
fn a_flash_file_that_fits_no_part_is_refused_and_not_touched() {
    let station = Station::holding(UNUSABLE_FLASH_FILE);
    station
        .flash(&image(), &[])
        .ends_with(21)
        .complains("virtual-file", &["flash.bin", "11 bytes", "8388608"])
        .advises();
    assert_eq!(station.content(), UNUSABLE_FLASH_FILE);
    Station::new()
        .flash(&image(), &["--probe", "virtual:no/such/folder"])
        .ends_with(21)
        .complains("virtual-file", &[]);
}

#[test]
fn a_speed_that_is_none_is_a_usage_error() {
    for speed in ["0", "99999999", "fast", "-4000", "4e3"] {
        Station::new()
            .flash(&image(), &[&format!("--speed={speed}")])
            .ends_with(2);
    }
}

#[test]
fn an_incomplete_or_unknown_command_line_is_a_usage_error() {
    for arguments in [
        vec![],
        vec!["flash"],
        vec!["verify", "--probe", "virtual"],
        vec!["frobnicate"],
        vec!["flash", "a.hex", "--boot-proof=maybe"],
        vec!["reset", "a.hex"],
        vec!["verify", "a.hex", "--boot-proof=none"],
    ] {
        let session = Station::new().run(&arguments).ends_with(2);
        assert_eq!(session.stdout, "", "{session}");
        assert!(!session.stderr.is_empty(), "{session}");
    }
}
