//! The everyday work: flash, verify, reset.

use crate::station::{Station, data, image, noise, probe};

const FIXTURES: [&str; 4] = [
    "blinky-xip.headerless.hex",
    "blinky-xip.complete.hex",
    "blinky-itcm.headerless.hex",
    "blinky-itcm.complete.hex",
];

#[test]
fn flash_then_verify_then_reset_pass_on_one_board() {
    let station = Station::new();
    station
        .flash(&image(), &[])
        .ends_with(0)
        .last_line_is("PASS");
    station.verify(&image()).ends_with(0).last_line_is("EQUAL");
    station.reset().ends_with(0).last_line_is("PASS");
}

#[test]
fn every_fixture_flashes_boots_and_is_verified_as_equal() {
    for name in FIXTURES {
        let station = Station::new();
        station
            .flash(&data(name), &[])
            .ends_with(0)
            .last_line_is("PASS");
        station
            .verify(&data(name))
            .ends_with(0)
            .last_line_is("EQUAL");
    }
}

#[test]
fn one_fixture_after_the_other_on_one_board_passes() {
    let station = Station::new();
    for name in FIXTURES {
        station
            .flash(&data(name), &[])
            .ends_with(0)
            .last_line_is("PASS");
    }
}

#[test]
fn flash_passes_at_the_part_s_slowest_and_with_the_rom_s_lenient_reading() {
    let station = Station::new();
    let slow = probe("timing=max&rom=lenient");
    station
        .flash(&image(), &["--probe", &slow])
        .ends_with(0)
        .last_line_is("PASS");
    station
        .flash(&image(), &["--probe", &slow, "--connect-under-reset"])
        .ends_with(0)
        .last_line_is("PASS");
}

#[test]
fn flash_passes_through_every_kind_of_probe_and_with_the_core_at_half_rate() {
    for options in [
        "probe=jlink&round-trip-us=500",
        "probe=cmsis-dap-v2-hs",
        "probe=cmsis-dap-v1",
        "core-divider=2",
    ] {
        Station::new()
            .flash(&image(), &["--probe", &probe(options)])
            .ends_with(0)
            .last_line_is("PASS");
    }
}

#[test]
fn flashing_the_same_image_again_erases_and_programs_nothing() {
    let station = Station::flashed(&image());
    let before = station.board();
    station
        .flash(&image(), &[])
        .ends_with(0)
        .reports(
            "sectors",
            &["0 erased", "0 programmed", "0 bytes programmed"],
        )
        .last_line_is("PASS");
    assert!(station.board() == before, "the flash was changed");
}

#[test]
fn verify_and_reset_write_nothing() {
    let station = Station::flashed(&image());
    let before = station.board();
    station.verify(&image()).ends_with(0);
    station.reset().ends_with(0);
    station
        .verify(&data("blinky-itcm.complete.hex"))
        .ends_with(11);
    assert!(station.board() == before, "the flash was changed");
}

#[test]
fn verify_and_reset_leave_a_blank_board_blank() {
    let station = Station::new();
    station
        .verify(&image())
        .ends_with(11)
        .last_line_is("DIFFERS")
        .complains("verify-differs", &["0x60000000"]);
    station
        .reset()
        .ends_with(16)
        .complains("fcb-missing", &["FF FF FF FF"])
        .advises();
    assert!(
        station.content().iter().all(|byte| *byte == 0xFF),
        "something was programmed"
    );
}

#[test]
fn a_fresh_virtual_board_needs_no_file() {
    let station = Station::new();
    station
        .flash(&image(), &["--probe", "virtual"])
        .ends_with(0)
        .last_line_is("PASS");
    assert_eq!(station.files(), Vec::<String>::new());
}

#[test]
fn the_probe_may_come_from_the_environment() {
    let station = Station::new();
    let image = image();
    let arguments = ["flash", image.to_str().expect("path is text")];
    station
        .run_where(&[("RTFLASH_PROBE", &probe(""))], &arguments)
        .ends_with(0)
        .last_line_is("PASS");
    assert!(station.flash_file().exists(), "another board was flashed");
}

#[test]
fn every_other_part_is_flashed_when_it_is_named() {
    for (name, id, size) in [
        ("IS25WP032", "9D 70 16", "4096 KiB"),
        ("IS25WP128", "9D 70 18", "16384 KiB"),
        ("IS25LP064", "9D 60 17", "8192 KiB"),
        ("W25Q64JV", "EF 40 17", "8192 KiB"),
    ] {
        Station::new()
            .flash(&image(), &["--flash", &name.to_lowercase()])
            .ends_with(0)
            .reports("flash", &[name, id, size])
            .last_line_is("PASS");
    }
}

#[test]
fn a_slow_clock_has_a_lease_that_outlasts_its_bursts() {
    let station = Station::new();
    let filler = station.saved().with_file_name("filler.bin");
    std::fs::write(&filler, noise(5, 0x8000)).expect("file");
    let filler = format!("{}@0x60010000", filler.display());
    // five chunks of payload take 2.5 s at 100 kHz, and the lease at usual clocks is 2 s
    station
        .flash(&image(), &[&filler, "--speed", "100"])
        .ends_with(0)
        .last_line_is("PASS");
}
