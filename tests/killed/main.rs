//! The station is killed at hundreds of points, its disk fills, its ledger is locked or goes away: no serial number is used
//! twice, none is committed without a verified flash, nothing is shown that is not on record, and the journal verifies.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is how a test fails"
)]

mod line;
mod points;
mod record_trouble;

use std::collections::{BTreeMap, BTreeSet};

use line::{Line, SERIAL_DIGITS, SERIAL_OFFSET, Station};
use points::Point;
use serde_json::Value;

/// How often the station is killed, over all lines; `RTFLASH_KILLS` sets another number.
const KILLS: u32 = 400;
/// Lines at once; boards over TCP wait more than they work.
const LINES: u32 = 8;

fn kills() -> u32 {
    let asked = std::env::var("RTFLASH_KILLS").ok();
    asked.and_then(|n| n.parse().ok()).unwrap_or(KILLS)
}

/// What all kills of one line came to.
#[derive(Debug, Default)]
struct Tally {
    /// Kills by the last thing that the station had said.
    killed_after: BTreeMap<String, u32>,
    /// Serial numbers that were shown with PASS, by chip.
    shown: BTreeMap<String, String>,
    passed_before: u32,
    interrupted: u64,
    boards: usize,
    attempts: usize,
}

#[test]
fn a_station_killed_at_any_point_uses_no_serial_twice_and_commits_none_without_a_verified_flash() {
    let each = kills().div_ceil(LINES);
    let tallies: Vec<Tally> = std::thread::scope(|scope| {
        let lines: Vec<_> = (0..LINES)
            .map(|number| scope.spawn(move || killed_again_and_again(number, each)))
            .collect();
        lines
            .into_iter()
            .map(|line| line.join().expect("line"))
            .collect()
    });
    let mut after: BTreeMap<&str, u32> = BTreeMap::new();
    for tally in &tallies {
        for (what, count) in &tally.killed_after {
            *after.entry(what.as_str()).or_default() += count;
        }
    }
    let sum = |of: fn(&Tally) -> usize| tallies.iter().map(of).sum::<usize>();
    println!(
        "{} kills on {LINES} lines, {} boards, {} attempts, {} interrupted, {} passed before they were shown\nkilled after: {after:?}",
        each * LINES,
        sum(|t| t.boards),
        sum(|t| t.attempts),
        sum(|t| t.interrupted as usize),
        sum(|t| t.passed_before as usize),
    );
    let met = [
        &["station-started", "waiting"][..],
        &["begun", "phase attach", "phase survey"],
        &["unit-known", "phase compare"],
        &["phase program", "phase verify"],
        &["phase reset"],
        &["verdict"],
    ];
    for what in met {
        let is_met = what.iter().any(|what| after.contains_key(*what));
        assert!(is_met, "no kill after {what:?}: {after:?}");
    }
    assert!(sum(|t| t.interrupted as usize) > 0, "no attempt was cut");
}

fn killed_again_and_again(number: u32, kills: u32) -> Tally {
    let mut line = Line::new(number, "");
    line.seat_next();
    let mut tally = Tally::default();
    for kill in 0..kills {
        let mut station = line.station();
        Point::of(number, kill).wait(&mut station, &line.journal());
        station.kill();
        tally.note(&station, &line);
        if station.verdicts().iter().any(|verdict| is_done(verdict)) {
            line.seat_next();
        }
        if kill % 8 == 0 {
            line.verify(true);
        }
    }
    // what is on the seat is finished by a station that nobody kills
    let mut station = line.station();
    let verdict = station.verdict();
    assert!(is_done(&verdict), "{verdict}");
    station.kill();
    tally.note(&station, &line);
    line.take_out();
    check(&line, &mut tally);
    tally
}

/// Whether the board on the seat needs no further attempt.
fn is_done(verdict: &Value) -> bool {
    verdict["verdict"] == "pass" || verdict["code"] == "passed-before"
}

impl Tally {
    fn note(&mut self, station: &Station, line: &Line) {
        let what = station.steps().last().unwrap_or_else(|| "start".to_owned());
        *self.killed_after.entry(what).or_default() += 1;
        let uid = &line.boards.last().expect("board").uid;
        for verdict in station.verdicts() {
            let serial = || verdict["serial"].as_str().expect("serial").to_owned();
            match (verdict["verdict"].as_str(), verdict["code"].as_str()) {
                (Some("pass"), _) => {
                    let before = self.shown.insert(uid.clone(), serial());
                    assert_eq!(before, None, "{uid} passed twice");
                }
                (_, Some("passed-before")) => self.passed_before += 1,
                _ => panic!("a good board is refused\n{verdict:#}"),
            }
        }
    }
}

/// What must hold whatever was killed when.
fn check(line: &Line, tally: &mut Tally) {
    line.verify(false);
    let text = line.rtflash(&[
        "records",
        "export",
        "--records",
        "records",
        "--format",
        "json",
    ]);
    let attempts: Vec<Value> = serde_json::from_str(&text).expect("attempts");
    tally.attempts = attempts.len();
    tally.boards = line.boards.len();
    let mut passed: BTreeMap<String, String> = BTreeMap::new();
    let mut owner: BTreeMap<u64, String> = BTreeMap::new();
    for attempt in &attempts {
        let end = &attempt["end"];
        assert!(end.is_object(), "an attempt has no end\n{attempt:#}");
        match end["verdict"].as_str() {
            Some("interrupted") => tally.interrupted += 1,
            Some("pass") => {
                let text = |field: &str| end[field].as_str().expect(field).to_owned();
                let before = passed.insert(text("uid"), text("serial"));
                assert_eq!(before, None, "a unit passed twice\n{attempt:#}");
            }
            Some("refused") => assert_eq!(end["code"], "passed-before", "{attempt:#}"),
            _ => panic!("a good board did not pass\n{attempt:#}"),
        }
        // a number belongs to one chip, whatever became of the attempt
        for reserved in attempt["reserved"].as_array().expect("numbers") {
            let number = reserved["number"].as_u64().expect("number");
            let Some(uid) = end["uid"].as_str() else {
                continue;
            };
            let first = owner.entry(number).or_insert_with(|| uid.to_owned());
            assert_eq!(first, uid, "number {number} was given to two chips");
        }
    }
    for (uid, serial) in &tally.shown {
        assert_eq!(
            passed.get(uid),
            Some(serial),
            "{uid}: shown and not on record"
        );
    }
    let serials: BTreeSet<&String> = passed.values().collect();
    assert_eq!(
        serials.len(),
        passed.len(),
        "two units have one serial: {passed:?}"
    );
    let common = std::fs::read(line.path("board-0.bin")).expect("flash");
    for board in &line.boards {
        let serial = passed.get(&board.uid);
        let serial = serial.unwrap_or_else(|| panic!("{} never passed", board.uid));
        let flash = std::fs::read(&board.file).expect("flash");
        let end = SERIAL_OFFSET + SERIAL_DIGITS;
        let found = String::from_utf8_lossy(&flash[SERIAL_OFFSET..end]).into_owned();
        assert_eq!(
            &found, serial,
            "{}: the flash holds another serial",
            board.uid
        );
        let is_common =
            flash[..SERIAL_OFFSET] == common[..SERIAL_OFFSET] && flash[end..] == common[end..];
        assert!(
            is_common,
            "{}: the flash holds more than image and serial",
            board.uid
        );
    }
}
