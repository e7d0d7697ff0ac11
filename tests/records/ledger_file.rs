//! The SQLite ledger when its file is locked, gone, replaced, or its disk is full.

use std::fs;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::{Duration, Instant};

use rtflash::records::{NumberState, VerdictKind};

use crate::bench::{Bench, Station, code, kinds};
use crate::processes;
use crate::sqlite_bench::Sqlite;
use VerdictKind::{Fail, Interrupted, Pass};

/// A station with an attempt that has claimed chip 1.
fn at_work(bench: &Sqlite) -> (Station, rtflash::records::AttemptId) {
    let mut station = bench.station("A");
    let attempt = station.begin();
    let claim = station.claim_of(1);
    station.granted(attempt, &claim);
    (station, attempt)
}

#[test]
fn a_ledger_that_another_program_locks_is_no_pass_and_no_hang() {
    let bench = Sqlite::fresh();
    let (mut station, attempt) = at_work(&bench);
    let stranger = bench.connection();
    stranger.execute_batch("BEGIN IMMEDIATE").expect("locked");
    let began = Instant::now();
    let end = station.end_of(Pass, Some(1));
    assert_eq!(code(station.records.end(attempt, &end)), "records-locked");
    assert!(began.elapsed() < Duration::from_secs(4));
    stranger.execute_batch("ROLLBACK").expect("free");
    // the next attempt settles it: the chip keeps its number, and is not blocked
    assert_eq!(station.flash(1, Pass)[0].number, 1);
    assert_eq!(
        kinds(&bench.journal("A")),
        [
            "opened",
            "begun",
            "claimed",
            "interrupted",
            "begun",
            "claimed",
            "ended"
        ]
    );
    let end = bench.attempt(attempt).end.expect("an end");
    assert_eq!(end.verdict, Interrupted);
}

#[test]
fn a_lost_ledger_begins_again_under_no_other_label() {
    let bench = Sqlite::fresh();
    bench.station("A").flash(1, Pass);
    bench.remove();
    for label in ["A", "B"] {
        assert_eq!(code(bench.try_start(label, false)), "records-gone");
    }
    assert!(!bench.journal("B").exists());
}

#[test]
fn a_ledger_that_is_gone_or_replaced_takes_no_commit() {
    for (name, replaced) in [
        ("ledger.sqlite", false),
        ("ledger.sqlite", true),
        ("ledger.sqlite-wal", false),
        ("ledger.sqlite-shm", false),
    ] {
        let bench = Sqlite::fresh();
        let (mut station, attempt) = at_work(&bench);
        let aside = bench.path().join("aside");
        let file = bench.path().join(name);
        fs::rename(&file, &aside).expect("moved");
        if replaced {
            fs::copy(&aside, &file).expect("copied");
        }
        let end = station.end_of(Pass, Some(1));
        let ended = station.records.end(attempt, &end);
        assert_eq!(code(ended), "records-gone", "{name}");
        let begin = station.begin_of("gateway");
        assert_eq!(code(station.records.begin(&begin)), "records-gone");
        assert_eq!(kinds(&bench.journal("A")), ["opened", "begun", "claimed"]);
        fs::rename(&aside, &file).expect("moved back");
        station.flash(1, Pass);
        drop(station);
        bench.station("A");
    }
}

#[test]
fn reading_leaves_the_directory_as_it_was() {
    let bench = Sqlite::fresh();
    let names = || {
        let mut names: Vec<_> = fs::read_dir(bench.path())
            .expect("readable")
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        names.sort();
        names
    };
    let mut station = bench.station("A");
    station.flash(1, Pass);
    let at_work = names();
    assert_eq!(bench.attempts(&Default::default()).len(), 1);
    assert_eq!(names(), at_work);
    drop(station);
    let at_rest = names();
    assert_eq!(at_rest, ["journal-A.jsonl", "ledger.sqlite"]);
    let mut reader = bench.reader();
    assert_eq!(reader.attempts(&Default::default()).expect("read").len(), 1);
    assert_eq!(names(), at_rest);
    // a station that starts while somebody reads is seen
    let mut station = bench.station("A");
    station.flash(2, Pass);
    assert_eq!(reader.attempts(&Default::default()).expect("read").len(), 2);
    drop(station);
    assert_eq!(reader.attempts(&Default::default()).expect("read").len(), 2);
}

#[test]
fn a_directory_that_is_gone_is_said() {
    let bench = Sqlite::fresh();
    let (mut station, attempt) = at_work(&bench);
    fs::remove_dir_all(bench.path()).expect("removed");
    let end = station.end_of(Fail, Some(1));
    assert_eq!(code(station.records.end(attempt, &end)), "records-gone");
}

#[test]
fn what_is_no_ledger_is_left_alone() {
    let bench = Sqlite::fresh();
    fs::write(
        bench.ledger(),
        "somebody's notes, not a database, and long enough to look at",
    )
    .expect("written");
    assert_eq!(code(bench.try_start("A", false)), "records-damaged");
    let kept = fs::read_to_string(bench.ledger()).expect("read");
    assert!(kept.starts_with("somebody's notes"));
}

/// The disk runs full in the middle of everything: the limit on the size of files strikes ledger and journal at some write.
#[test]
fn a_disk_that_runs_full_anywhere_loses_nothing_that_was_promised() {
    let mut struck = 0;
    for kibibytes in (84..=200).step_by(6) {
        let bench = Sqlite::fresh();
        // a disk that is large enough to begin with
        drop(bench.station("child-0"));
        let limited = format!("trap '' XFSZ; ulimit -f {kibibytes}; exec \"$0\" \"$@\"");
        let mut command = Command::new("bash");
        command.arg0("bash").args(["-c", &limited]);
        let place = bench.path().display().to_string();
        let told = processes::child_by(command, "full", &place, 0, 30);
        let output = told.wait_with_output().expect("a child");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{text}");
        struck += usize::from(text.contains("full-at"));
        // what the child was told to be a PASS is one, and nothing else is
        let (_, recovered) = bench.start("child-0");
        assert_eq!(recovered.missing, []);
        let passed: Vec<String> = bench
            .attempts(&Default::default())
            .iter()
            .filter(|attempt| attempt.end.as_ref().is_some_and(|end| end.verdict == Pass))
            .map(|attempt| format!("passed {}", attempt.id.0))
            .collect();
        let told: Vec<&str> = text
            .lines()
            .filter(|line| line.starts_with("passed "))
            .collect();
        assert_eq!(told, passed, "{kibibytes} KiB");
        let committed = bench
            .states()
            .iter()
            .filter(|(_, _, state)| *state == NumberState::Committed)
            .count();
        assert_eq!(committed, passed.len());
        crate::bench::told(&bench.journal("child-0"));
    }
    assert!(struck > 10, "the disk was full {struck} times only");
}
