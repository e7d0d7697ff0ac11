//! What cannot be put on record is not PASS: a full disk, a locked ledger, a ledger that is gone.

use std::fs;
use std::time::Duration;

use rusqlite::Connection;
use serde_json::Value;

use crate::line::{Line, SERIAL_DIGITS, SERIAL_OFFSET, Station};

/// Another unit than any of the sweep's lines.
const OTHER_LINE: u32 = 100;
/// A shell that limits the size of any file to so many blocks of 1 KiB, and lets a write beyond it fail in place of
/// ending the process.
fn full_at(kib: u32) -> [String; 4] {
    let script = format!("ulimit -f {kib} && trap '' XFSZ && exec \"$@\"");
    [
        "bash".to_owned(),
        "-c".to_owned(),
        script,
        "full".to_owned(),
    ]
}

fn is_not_pass(verdict: &Value) {
    assert_ne!(verdict["verdict"], "pass", "{verdict:#}");
    assert_eq!(verdict["exit"], 23, "{verdict:#}");
}

/// The same board on the same seat, with everything in order again: it passes with the number it had, and the records agree.
fn passes_afterwards(line: &mut Line) -> String {
    let mut station = line.station();
    let verdict = station.verdict();
    assert_eq!(verdict["verdict"], "pass", "{verdict:#}");
    station.kill();
    line.verify(false);
    let flash = line.look();
    let serial = verdict["serial"].as_str().expect("serial").to_owned();
    let end = SERIAL_OFFSET + SERIAL_DIGITS;
    assert_eq!(serial.as_bytes(), &flash[SERIAL_OFFSET..end]);
    serial
}

/// A line with an empty seat, whose records have one unit, and its station.
fn after_one_board(number: u32) -> (Line, Station) {
    let mut line = Line::new(number, "");
    line.seat_next();
    passes_afterwards(&mut line);
    line.take_out();
    let mut station = line.station();
    station
        .wait_for("station-started", Duration::from_secs(20))
        .expect("started");
    (line, station)
}

#[test]
fn a_full_disk_is_no_pass_and_is_made_good_when_there_is_room() {
    let mut line = Line::new(OTHER_LINE, "");
    line.seat_next();
    // the first unit makes the files; then they may not grow
    passes_afterwards(&mut line);
    line.seat_next();
    let size = |path| fs::metadata(path).expect("file").len();
    let largest = size(line.ledger()).max(size(line.journal()));
    let mut outcomes = Vec::new();
    for kib in [1, largest as u32 / 1024 + 1] {
        let shell = full_at(kib);
        let shell: Vec<&str> = shell.iter().map(String::as_str).collect();
        let mut station = line.station_below(&shell);
        // with no room at all the station cannot even open its records
        let verdict = station.wait_for("verdict", Duration::from_secs(20));
        let said = station.kill();
        if let Some(verdict) = verdict {
            is_not_pass(&verdict);
        } else {
            assert!(said.contains("[records-"), "{said}");
        }
        outcomes.push(said);
    }
    assert_eq!(passes_afterwards(&mut line), "00000002", "{outcomes:?}");
}

#[test]
fn a_locked_ledger_is_no_pass_and_the_board_is_not_touched() {
    let (mut line, mut station) = after_one_board(OTHER_LINE + 1);
    let other = Connection::open(line.ledger()).expect("ledger");
    other.execute_batch("BEGIN EXCLUSIVE").expect("lock");
    line.seat_next();
    let verdict = station.verdict();
    is_not_pass(&verdict);
    assert_eq!(verdict["code"], "records-locked", "{verdict:#}");
    station.kill();
    drop(other);
    let flash = line.look();
    assert!(
        flash.iter().all(|byte| *byte == 0xFF),
        "the board was touched"
    );
    assert_eq!(passes_afterwards(&mut line), "00000002");
}

#[test]
fn a_ledger_that_is_gone_is_no_pass_and_is_not_made_anew_under_the_same_journal_unsaid() {
    let (mut line, mut station) = after_one_board(OTHER_LINE + 2);
    let away = line.path("ledger.away");
    fs::rename(line.ledger(), &away).expect("move");
    line.seat_next();
    let verdict = station.verdict();
    is_not_pass(&verdict);
    assert_eq!(verdict["code"], "records-gone", "{verdict:#}");
    station.kill();
    // started again without it, the station does not hand out number 1 a second time
    let mut station = line.station();
    let verdict = station.wait_for("verdict", Duration::from_secs(10));
    let said = station.kill();
    assert!(verdict.is_none_or(|v| v["verdict"] != "pass"), "{said}");
    assert!(said.contains("[records-"), "{said}");
    let _ = fs::remove_file(line.ledger());
    fs::rename(&away, line.ledger()).expect("move back");
    assert_eq!(passes_afterwards(&mut line), "00000002");
}
