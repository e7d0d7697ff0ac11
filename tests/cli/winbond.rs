//! A part of another maker, with QE in status register 2: nothing in the command line is ISSI's alone.

use std::fs;

use crate::station::{Station, image, probe};

const PART: [&str; 2] = ["--flash", "w25q64jv"];

/// The desk's board, whose status register 2 was written to `status_2` before.
fn with_register_2(status_2: u8) -> Station {
    let station = Station::new();
    let text = format!(
        "status_register = 0\nstatus_register_2 = {status_2}\nread_parameters = 0\nfunction_register = 0\n\
         extended_read_register = 0\n"
    );
    let mut path = station.flash_file().into_os_string();
    path.push(".nv");
    fs::write(path, text).expect("register file");
    station
}

#[test]
fn a_clean_w25q64jv_is_flashed_verified_and_booted_under_both_readings_of_the_rom() {
    for options in ["rom=strict", "rom=lenient&timing=max"] {
        let board = probe(options);
        let more = [&PART[..], &["--probe", &board]].concat();
        let station = Station::new();
        station
            .flash(&image(), &more)
            .ends_with(0)
            .reports("flash", &["W25Q64JV", "EF 40 17", "8192 KiB"])
            .last_line_is("PASS");
        station
            .on_image("verify", &image(), &more)
            .ends_with(0)
            .last_line_is("EQUAL");
        let reset = [&["reset"][..], &more].concat();
        station.run(&reset).ends_with(0).last_line_is("PASS");
    }
}

#[test]
fn qe_that_is_clear_is_set_and_reported_and_qe_that_is_set_is_left_alone() {
    with_register_2(0)
        .flash(&image(), &PART)
        .ends_with(0)
        .reports("status", &["0x600000 -> 0x600200"])
        .last_line_is("PASS");
    let session = with_register_2(2)
        .flash(&image(), &PART)
        .ends_with(0)
        .last_line_is("PASS");
    assert_eq!(session.labelled("status"), "", "{session}");
}

#[test]
fn a_board_that_lost_qe_does_not_boot_and_reset_says_why() {
    let station = Station::new();
    station.flash(&image(), &PART).ends_with(0);
    let mut path = station.flash_file().into_os_string();
    path.push(".nv");
    let text = "status_register = 0\nstatus_register_2 = 0\nread_parameters = 0\nfunction_register = 0\n\
                extended_read_register = 0\n";
    fs::write(path, text).expect("register file");
    let board = probe("");
    let arguments = [&["reset", "--probe", &board][..], &PART].concat();
    station
        .run(&arguments)
        .ends_with(16)
        .complains("qe-clear", &["quad enable bit is off", "0x600000"])
        .advises();
}

#[test]
fn the_commands_without_a_board_know_the_part_too() {
    let station = Station::new();
    let file = image();
    let file = file.to_str().expect("path is text");
    station
        .run(&["inspect", file, "--flash", "w25q64jv"])
        .ends_with(0);
    station
        .run(&["pack", file, "-o", "all.bin", "--flash", "W25Q64JV"])
        .ends_with(0);
}

#[test]
fn the_part_named_and_the_part_fitted_are_told_by_name() {
    Station::new()
        .flash(&image(), &["--probe", &probe("part=w25q64jv")])
        .ends_with(6)
        .complains("flash-part", &["W25Q64JV (EF 40 17)", "--flash w25q64jv"]);
    let board = probe("part=is25wp064");
    let more = [&PART[..], &["--probe", &board]].concat();
    Station::new()
        .flash(&image(), &more)
        .ends_with(6)
        .complains(
            "flash-part",
            &["IS25WP064 (9D 70 17)", "W25Q64JV (EF 40 17)"],
        );
}
