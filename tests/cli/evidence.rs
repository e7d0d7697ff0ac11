//! What a session says: everything the user needs to believe it, or to know why not.

use crate::station::{Station, data, image, probe};

#[test]
fn flash_names_probe_chip_part_image_header_sectors_digest_evidence_and_times() {
    let session = Station::new().flash(&image(), &[]).ends_with(0);
    let session = session
        .reports("probe", &["virtual jlink", "1209:0001", "4000 kHz"])
        .reports("chip", &["MIMXRT1062", "UID 1B2609D75A3C4D61"])
        .reports("flash", &["IS25WP064", "JEDEC ID 9D 70 17", "8192 KiB"])
        .reports(
            "input",
            &[
                "blinky-xip.headerless.hex",
                "Intel HEX",
                "SHA-256 4b3fb312e0f6bcfe",
            ],
        )
        .reports("image", &["1240 bytes", "0x60002000"])
        .reports(
            "header",
            &[
                "FCB missing, added",
                "IS25WP064",
                "MHz",
                "pads",
                "IVT",
                "boot data",
                "entry 0x60002000",
            ],
        )
        .reports("entry", &["0x60002000", "reset handler 0x600022B8"])
        .reports(
            "sectors",
            &["0 erased", "3 programmed", "2048 bytes programmed"],
        )
        .reports("status", &["0x40", "0x00"])
        .reports("digest", &["computed by the target"])
        .reports(
            "boot",
            &[
                "reset handler at 0x600022B8 was executed",
                "DWT comparator",
                "SRC_SRSR",
            ],
        )
        .reports(
            "time",
            &[
                "attach", "survey", "compare", "program", "verify", "reset", "total", " s",
            ],
        )
        .last_line_is("PASS");
    assert_eq!(session.stderr.find("error"), None, "{session}");
}

#[test]
fn a_complete_image_gets_no_header_and_doubts_about_its_own_are_said() {
    Station::new()
        .flash(&data("blinky-xip.complete.hex"), &[])
        .ends_with(0)
        .reports(
            "header",
            &["FCB and IVT are in the image", "nothing inserted"],
        )
        .reports("warning", &["[boot-data-length]", "[fcb-clock]"])
        .last_line_is("PASS");
}

#[test]
fn v_adds_the_probe_transactions_of_each_phase_and_their_sum() {
    let station = Station::flashed(&image());
    let session = station.flash(&image(), &["-v"]).ends_with(0);
    let counts: Vec<u32> = session.labelled("time").lines().map(transactions).collect();
    let (total, phases) = counts.split_last().expect("phases");
    assert_eq!(phases.len(), 6, "{session}");
    assert_eq!(phases.iter().sum::<u32>(), *total, "{session}");
    let quiet = station.reset().ends_with(0);
    assert!(!quiet.stdout.contains("transactions"), "{quiet}");
}

/// The number in "reset 0.055 s 124 transactions".
fn transactions(line: &str) -> u32 {
    let before = line.strip_suffix("transactions").expect("transactions");
    before
        .split_whitespace()
        .last()
        .and_then(|number| number.parse().ok())
        .expect("number")
}

#[test]
fn one_changed_byte_is_named_by_address_sector_values_file_and_line() {
    let station = Station::flashed(&image());
    let offset = 0x2345;
    let expected = station.content()[offset];
    let found = expected ^ 0x54;
    station.damage(offset, &[found]);
    // 0x60002345 is byte 5 of the record :10 2340 00, the 54th line of the file
    let (expected, found) = (
        format!("expected 0x{expected:02X}"),
        format!("found 0x{found:02X}"),
    );
    let facts = [
        "0x60002345",
        "sector 2",
        &expected,
        &found,
        "blinky-xip.headerless.hex:54",
    ];
    station
        .verify(&image())
        .ends_with(11)
        .reports("differs", &facts)
        .complains("verify-differs", &facts)
        .advises()
        .last_line_is("DIFFERS");
}

#[test]
fn a_changed_byte_of_the_inserted_header_is_said_to_be_ours() {
    let station = Station::flashed(&image());
    station.damage(0x1C0, &[0x77]);
    station
        .verify(&image())
        .ends_with(11)
        .reports(
            "differs",
            &[
                "0x600001C0",
                "sector 0",
                "found 0x77",
                "that rtflash puts there",
            ],
        )
        .last_line_is("DIFFERS");
}

#[test]
fn flash_repairs_a_changed_byte_and_nothing_else() {
    let station = Station::flashed(&image());
    let good = station.content();
    station.damage(0x2345, &[0x55]);
    station
        .flash(&image(), &[])
        .ends_with(0)
        .reports("sectors", &["2 erased", "1 already equal"])
        .last_line_is("PASS");
    assert!(
        station.content() == good,
        "the flash is not as before the damage"
    );
}

#[test]
fn reset_says_that_the_fcb_tag_is_damaged() {
    let station = Station::flashed(&image());
    station.damage(0, &[0x00]);
    let session = station
        .reset()
        .ends_with(16)
        .complains("fcb-missing", &["00 43 46 42", "46 43 46 42"]);
    let session = session
        .gives_a_reason()
        .advises()
        .reports("seen", &["in the boot ROM"]);
    assert!(
        session
            .stdout
            .lines()
            .last()
            .is_some_and(|line| line.starts_with("NOT BOOTED (")),
        "{session}"
    );
}

#[test]
fn reset_says_that_the_ivt_is_damaged() {
    let station = Station::flashed(&image());
    station.damage(0x1000, &[0x00]);
    station
        .reset()
        .ends_with(16)
        .complains("ivt-missing", &["0x1000"])
        .gives_a_reason()
        .advises();
}

#[test]
fn a_board_strapped_to_the_serial_downloader_is_programmed_and_not_passed() {
    let station = Station::new();
    let strapped = probe("boot-mode=serial-downloader");
    station
        .flash(&image(), &["--probe", &strapped])
        .ends_with(16)
        .complains("strapped-serial-downloader", &["BOOT_MODE is 01"])
        .gives_a_reason()
        .advises()
        .last_line_is(
            "PROGRAMMED AND VERIFIED, BOOT NOT PROVEN (the board is strapped to the serial downloader)",
        );
    // it was indeed programmed: strapped as it should be, the board boots
    station.verify(&image()).ends_with(0);
    station.reset().ends_with(0).last_line_is("PASS");
}

#[test]
fn boot_proof_none_accepts_a_strapped_board_and_still_does_not_say_pass() {
    let strapped = probe("boot-mode=serial-downloader");
    Station::new().flash(&image(), &["--probe", &strapped, "--boot-proof=none"]).ends_with(0).last_line_is(
        "PROGRAMMED AND VERIFIED, BOOT NOT PROVEN (the board is strapped to the serial downloader)",
    );
}

#[test]
fn boot_proof_none_passes_a_board_that_boots() {
    Station::new()
        .flash(&image(), &["--boot-proof=none"])
        .ends_with(0)
        .last_line_is("PASS");
}

#[test]
fn reset_of_a_strapped_board_says_so() {
    let station = Station::flashed(&image());
    let strapped = probe("boot-mode=serial-downloader");
    station
        .run(&["reset", "--probe", &strapped])
        .ends_with(16)
        .complains("strapped-serial-downloader", &[])
        .last_line_is("NOT BOOTED (the board is strapped to the serial downloader)");
}

#[test]
fn a_board_strapped_to_unset_fuses_says_so() {
    let strapped = probe("boot-mode=fuses");
    Station::new()
        .flash(&image(), &["--probe", &strapped])
        .ends_with(16)
        .complains("boot-fuses-not-set", &["BOOT_MODE is 00"])
        .advises();
}

#[test]

fn the_debug_log_has_no_escape_codes_without_a_terminal() {
    // every session is checked for escape codes
    Station::flashed(&image())
        .run(&["reset", "--probe", &probe(""), "-vv"])
        .ends_with(0);
}
