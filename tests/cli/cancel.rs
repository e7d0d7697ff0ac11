//! Ctrl-C: a job ends where the board can be left, says what it leaves, and the next one finishes it.

use std::fs;
use std::process::Command;

use crate::station::{FLASH_BYTES, Session, Station, image, noise, probe};

/// Where the noise lies that makes the job long enough to be ended in the middle.
const PAYLOAD: &str = "payload.bin";
const PAYLOAD_AT: &str = "payload.bin@0x60010000";
const PAYLOAD_BYTES: usize = 128 << 10;

/// Runs `arguments` and sends SIGINT when a line of standard error begins with `mark`.
fn interrupted(station: &Station, arguments: &[&str], mark: &str) -> Session {
    station.run_until(arguments, mark, |process| {
        let pid = process.id().to_string();
        let kill = Command::new("kill").args(["-INT", &pid]).status();
        assert!(kill.expect("kill").success());
    })
}

fn desk() -> Station {
    let station = Station::holding(&noise(5, FLASH_BYTES));
    fs::write(station.path(PAYLOAD), noise(9, PAYLOAD_BYTES)).expect("payload");
    station
}

#[test]
fn a_job_cancelled_while_it_programs_says_that_the_flash_is_incomplete_and_the_next_finishes_it() {
    let station = desk();
    let image = image();
    let image = image.to_str().expect("text");
    let at = probe("");
    let arguments = ["flash", image, PAYLOAD_AT, "--probe", &at];
    let session = interrupted(&station, &arguments, "program ")
        .ends_with(130)
        .complains(
            "cancelled",
            &["the user asked for it", "run `rtflash flash` again"],
        );
    let last = session.stdout.lines().last().unwrap_or_default();
    assert!(
        last.starts_with("CANCELLED: the flash holds part of"),
        "{session}"
    );

    let left = station.content();
    assert!(left[..4] != *b"FCFB", "the commit mark is off");
    assert!(left != noise(5, FLASH_BYTES), "something was changed");
    station.run(&["reset", "--probe", &at]).ends_with(16);
    station.run(&arguments).ends_with(0).last_line_is("PASS");
    assert!(station.content()[0x1_0000..0x1_0000 + PAYLOAD_BYTES] == noise(9, PAYLOAD_BYTES));
}

#[test]
fn a_job_cancelled_before_it_changes_anything_says_so() {
    let station = desk();
    let image = image();
    let image = image.to_str().expect("text");
    let at = probe("");
    let session = interrupted(
        &station,
        &["flash", image, PAYLOAD_AT, "--probe", &at, "--json"],
        "attach",
    )
    .ends_with(130);
    let record = crate::json::record(&session);
    assert_eq!(record["verdict"]["kind"], "cancelled", "{session}");
    assert_eq!(record["verdict"]["left"], "unchanged", "{session}");
    assert!(station.content() == noise(5, FLASH_BYTES));
}
