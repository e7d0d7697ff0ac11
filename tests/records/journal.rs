//! The journal through crashes, full disks and strangers' hands.

use std::fs;
use std::path::{Path, PathBuf};

use rtflash::records::{
    HookResult, Line, Place, Records, Told, VerdictKind, Wrong, read_journal, sha256_hex,
};
use tempfile::TempDir;

use crate::bench::{Bench, Clock, Station, code, kinds, lines, told};
use crate::sqlite_bench::Sqlite;
use VerdictKind::{Fail, Pass};

/// An end with no more in it than there must be, so that every byte of its line can be tried.
fn short_end(station: &Station, verdict: VerdictKind, chip: u64) -> rtflash::records::End {
    let mut end = station.end_of(verdict, Some(chip));
    end.record = serde_json::Value::Null;
    end.phases.clear();
    end
}

/// Copies the files of a directory.
fn copy_of(directory: &Path) -> TempDir {
    let copy = TempDir::new().expect("a directory");
    for entry in fs::read_dir(directory).expect("readable") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name");
        if !name.to_string_lossy().ends_with("-shm") {
            fs::copy(&path, copy.path().join(name)).expect("copied");
        }
    }
    copy
}

fn start(directory: &Path) -> (Records, rtflash::records::Recovered) {
    let place = Place::Directory(directory.to_owned());
    Records::open(&place, "A", false, Box::new(Clock::default())).expect("records")
}

fn journal_in(directory: &Path) -> PathBuf {
    directory.join("journal-A.jsonl")
}

#[test]
fn a_line_cut_off_at_any_byte_is_kept_and_said() {
    let bench = Sqlite::fresh();
    let mut station = bench.station("A");
    station.flash(1, Pass);
    let attempt = station.begin();
    let claim = station.claim_of(2);
    station.granted(attempt, &claim);
    // the ledger as it is before the end is committed, the journal as it is after
    let before = copy_of(bench.path());
    let end = short_end(&station, Pass, 2);
    station.records.end(attempt, &end).expect("ended");
    let whole = fs::read(bench.journal("A")).expect("the journal");
    let start_of_last = fs::metadata(journal_in(before.path()))
        .expect("there")
        .len() as usize;
    for length in start_of_last..=whole.len() {
        let directory = copy_of(before.path());
        let journal = journal_in(directory.path());
        fs::write(&journal, &whole[..length]).expect("written");
        let torn = length - start_of_last;
        // but for its line feed it is whole: the end was told, and the ledger does not have it
        let is_told = torn + 1 >= whole.len() - start_of_last;
        let (records, recovered) = start(directory.path());
        drop(records);
        assert_eq!(recovered.interrupted, [attempt], "at {length}");
        assert_eq!(
            recovered.withdrawn.len(),
            usize::from(is_told),
            "at {length}"
        );
        let is_torn = torn > 0 && !is_told;
        assert_eq!(
            recovered.torn,
            is_torn.then_some(torn as u64),
            "at {length}"
        );
        // every byte is still there, the chain goes on, and a line says what was cut off
        let after = fs::read(&journal).expect("the journal");
        assert!(after.starts_with(&whole[..length]));
        let said: Vec<_> = told(&journal)
            .into_iter()
            .filter_map(|told| match told {
                Told::Torn {
                    torn,
                    bytes,
                    sha256,
                } => Some((torn, bytes, sha256)),
                _ => None,
            })
            .collect();
        let fragment = &whole[start_of_last..length];
        let wanted = is_torn.then(|| (7, torn as u64, sha256_hex(fragment)));
        assert_eq!(said, wanted.into_iter().collect::<Vec<_>>(), "at {length}");
        let (_, recovered) = start(directory.path());
        assert_eq!(recovered, Default::default());
    }
}

#[test]
fn the_line_that_says_so_may_be_cut_off_too() {
    let bench = Sqlite::fresh();
    let mut station = bench.station("A");
    station.flash(1, Pass);
    drop(station);
    let journal = bench.journal("A");
    let good = fs::read(&journal).expect("the journal");
    let fragment = b"{\"line\":5,\"prev\":\"";
    fs::write(&journal, [&good[..], fragment].concat()).expect("written");
    drop(bench.start("A"));
    let mended = fs::read(&journal).expect("the journal");
    for length in good.len() + fragment.len()..mended.len() {
        let copy = copy_of(bench.path());
        let journal = journal_in(copy.path());
        fs::write(&journal, &mended[..length]).expect("written");
        let (records, _) = start(copy.path());
        drop(records);
        let torn = told(&journal)
            .into_iter()
            .filter(|told| matches!(told, Told::Torn { .. }))
            .count();
        assert!(matches!(torn, 1 | 2), "{torn} at {length}");
        assert!(
            fs::read(&journal)
                .expect("read")
                .starts_with(&mended[..length])
        );
    }
}

#[test]
fn one_flipped_byte_anywhere_is_found() {
    let bench = Sqlite::fresh();
    let mut station = bench.station("A");
    let attempt = station.begin();
    let claim = station.claim_of(1);
    station.granted(attempt, &claim);
    let end = short_end(&station, Fail, 1);
    station.records.end(attempt, &end).expect("ended");
    drop(station);
    let journal = bench.journal("A");
    let mut bytes = fs::read(&journal).expect("the journal");
    bytes.extend(b"{\"line\":5,\"pr");
    fs::write(&journal, &bytes).expect("written");
    let (mut station, _) = bench.start("A");
    let hook = HookResult {
        command: "true".into(),
        status: Some(0),
        error: None,
        ended_at: end.ended_at,
    };
    station.records.hook(attempt, &hook).expect("added");
    drop(station);
    assert_eq!(
        kinds(&journal),
        ["opened", "begun", "claimed", "ended", "torn", "hook"]
    );
    let bytes = fs::read(&journal).expect("the journal");
    let altered = bench.path().join("altered");
    let found = |bytes: &[u8]| {
        fs::write(&altered, bytes).expect("written");
        let read = read_journal(&altered).expect("opened");
        read.map(|read| read.expect("read").wrong)
            .any(|wrong| wrong.is_some_and(|wrong| wrong.is_break() || wrong == Wrong::Unfinished))
    };
    assert!(!found(&bytes));
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << (at % 7);
        assert!(found(&flipped), "byte {at}");
    }
    // a line that was taken out, put twice, or moved
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    for at in 0..lines.len() - 1 {
        let mut without = lines.clone();
        without.remove(at);
        assert!(found(&without.concat()), "without line {at}");
        let mut moved = lines.clone();
        moved.swap(at, at + 1);
        assert!(found(&moved.concat()), "line {at} moved");
        let mut twice = lines.clone();
        twice.insert(at, lines[at]);
        assert!(found(&twice.concat()), "line {at} twice");
    }
}

#[test]
fn a_station_does_not_go_on_in_a_journal_that_was_changed() {
    let bench = Sqlite::fresh();
    let mut station = bench.station("A");
    station.flash(1, Pass);
    drop(station);
    let journal = bench.journal("A");
    let text = fs::read_to_string(&journal).expect("the journal");
    fs::write(&journal, text.replace("SN0001", "SN0002")).expect("written");
    assert_eq!(code(bench.try_start("A", false)), "journal-broken");
    let broken = lines(&journal)
        .into_iter()
        .find(|read| read.wrong.is_some())
        .expect("a broken line");
    assert_eq!(broken.number, 4);
}

#[test]
fn a_journal_that_is_gone_or_replaced_takes_no_line() {
    for replaced in [false, true] {
        let bench = Sqlite::fresh();
        let mut station = bench.station("A");
        let attempt = station.begin();
        let claim = station.claim_of(1);
        station.granted(attempt, &claim);
        let journal = bench.journal("A");
        let aside = bench.path().join("aside");
        fs::rename(&journal, &aside).expect("moved");
        if replaced {
            fs::copy(&aside, &journal).expect("copied");
        }
        let end = station.end_of(Pass, Some(1));
        assert_eq!(code(station.records.end(attempt, &end)), "records-gone");
        assert_eq!(bench.attempt(attempt).end, None);
        let begin = station.begin_of("gateway");
        assert_eq!(code(station.records.begin(&begin)), "records-gone");
        // brought back, the station goes on without a new start
        fs::rename(&aside, &journal).expect("moved back");
        station.flash(1, Pass);
        assert_eq!(
            kinds(&journal),
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
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said() {
    let bench = Sqlite::fresh();
    std::os::unix::fs::symlink("/dev/full", bench.journal("A")).expect("a link");
    assert_eq!(code(bench.try_start("A", false)), "records-full");
}

#[test]
fn a_line_is_what_its_own_hash_says() {
    let line = Line {
        line: 3,
        prev: "ab".repeat(32),
        at: "2026-11-23T01:02:03Z".parse().expect("a time"),
        told: Told::Torn {
            torn: 2,
            bytes: 17,
            sha256: "cd".repeat(32),
        },
    };
    let text = line.text().expect("text");
    assert_eq!(Line::read(text.as_bytes()).expect("read"), line);
    assert!(Line::read(text.replace("17", "18").as_bytes()).is_err());
    let bare = serde_json::to_string(&line).expect("JSON");
    assert!(Line::read(bare.as_bytes()).is_err());
}
