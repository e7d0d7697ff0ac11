//! What a station finds of its last run, and what it does about it.

use std::fs;

use rtflash::records::{
    AttemptId, Filter, HookResult, NumberState, SeriesPolicy, VerdictKind, open_to_read,
};

use crate::bench::{Bench, code, kinds, number, series, story};
use VerdictKind::{Fail, Interrupted, Pass};

/// The verdicts of all attempts.
fn verdicts(bench: &impl Bench) -> Vec<Option<VerdictKind>> {
    bench
        .attempts(&Filter::default())
        .into_iter()
        .map(|attempt| attempt.end.map(|end| end.verdict))
        .collect()
}

pub fn what_a_killed_station_left_is_interrupted(bench: &impl Bench) {
    let mut station = bench.station("A");
    let mut other = bench.station("B");
    let elsewhere = other.begin();
    let first = station.begin();
    let second = station.begin();
    let claim = station.claim_of(7);
    station.granted(second, &claim);
    drop(station);
    let (mut station, recovered) = bench.start("A");
    assert_eq!(recovered.interrupted, [first, second]);
    assert_eq!(recovered.withdrawn, []);
    assert_eq!(recovered.missing, []);
    assert_eq!(recovered.torn, None);
    let end = bench.attempt(second).end.expect("ended");
    assert_eq!(end.verdict, Interrupted);
    assert_eq!(end.code.as_deref(), Some("station-interrupted"));
    assert_eq!(end.uid, Some(claim.uid));
    assert_eq!(
        kinds(&bench.journal("A")),
        [
            "opened",
            "begun",
            "begun",
            "claimed",
            "interrupted",
            "interrupted"
        ]
    );
    station.flash(7, Pass);
    drop(station);
    bench.station("A");
    // what is under way at another station is none of its business
    assert_eq!(bench.attempt(elsewhere).end, None);
}

pub fn numbers_of_an_interrupted_attempt_go_by_their_series(bench: &impl Bench) {
    let mut station = bench.station("A");
    let attempt = station.begin();
    let mut claim = station.claim_of(7);
    claim.series = vec![
        series("kept", SeriesPolicy::Keep),
        series("void", SeriesPolicy::Void),
    ];
    station.granted(attempt, &claim);
    drop(station);
    let (mut station, _) = bench.start("A");
    assert_eq!(
        bench.states(),
        [
            ("kept".into(), 1, NumberState::Reserved),
            ("void".into(), 1, NumberState::Void)
        ]
    );
    let reserved = station.flash_with(&claim, Pass, 7);
    assert_eq!((reserved[0].number, reserved[1].number), (1, 2));
}

pub fn an_end_that_the_ledger_does_not_have_is_withdrawn(bench: &impl Bench) {
    let mut station = bench.station("A");
    let attempt = station.begin();
    let claim = station.claim_of(7);
    station.granted(attempt, &claim);
    station.end(attempt, Pass, 7);
    drop(station);
    // killed after the journal's line and before the commit
    bench.force("DELETE FROM ending");
    bench.force("UPDATE number SET state = 'reserved', settled_by = NULL");
    let (mut station, recovered) = bench.start("A");
    assert_eq!(recovered.withdrawn, [attempt]);
    assert_eq!(recovered.interrupted, [attempt]);
    assert_eq!(
        kinds(&bench.journal("A")),
        [
            "opened",
            "begun",
            "claimed",
            "ended",
            "withdrawn",
            "interrupted"
        ]
    );
    assert_eq!(verdicts(bench), [Some(Interrupted)]);
    assert_eq!(number(&station.flash(7, Pass)), 1);
    drop(station);
    bench.station("A");
}

pub fn a_hooks_result_that_the_ledger_does_not_have_is_withdrawn(bench: &impl Bench) {
    let mut station = bench.station("A");
    let attempt = station.begin();
    let hook = HookResult {
        command: "true".into(),
        status: Some(0),
        error: None,
        ended_at: station.claim_of(1).claimed_at,
    };
    // an attempt that has not ended has no hooks: the ledger refuses, and the line is taken back at once
    assert_eq!(
        code(station.records.hook(attempt, &hook)),
        "records-refused"
    );
    station.end(attempt, Fail, 1);
    station.records.hook(attempt, &hook).expect("added");
    drop(station);
    bench.station("A");
    bench.force("DELETE FROM hook");
    let (_, recovered) = bench.start("A");
    assert_eq!(recovered.withdrawn, [attempt]);
    assert_eq!(
        kinds(&bench.journal("A")),
        [
            "opened",
            "begun",
            "hook",
            "withdrawn",
            "ended",
            "hook",
            "withdrawn"
        ]
    );
}

pub fn rows_that_the_journal_does_not_tell_are_named(bench: &impl Bench) {
    let mut station = bench.station("A");
    station.flash(1, Fail);
    station.flash(2, Pass);
    drop(station);
    fs::remove_file(bench.journal("A")).expect("removed");
    let (mut station, recovered) = bench.start("A");
    assert_eq!(recovered.missing, [AttemptId(1), AttemptId(2)]);
    assert_eq!(
        (recovered.withdrawn, recovered.interrupted),
        (vec![], vec![])
    );
    assert_eq!(number(&station.flash(3, Pass)), 3);
    drop(station);
    // and named every time: nothing was repaired
    let (_, recovered) = bench.start("A");
    assert_eq!(recovered.missing, [AttemptId(1), AttemptId(2)]);
    assert_eq!(
        story(&bench.journal("A")),
        [("opened", 0), ("begun", 3), ("claimed", 3), ("ended", 3)]
            .map(|(kind, attempt)| (kind.to_owned(), attempt))
    );
}

pub fn a_ledger_older_than_its_journal_is_refused(bench: &impl Bench) {
    let mut station = bench.station("A");
    station.flash(1, Pass);
    station.flash(2, Pass);
    drop(station);
    let journal = fs::read(bench.journal("A")).expect("journal");
    // a copy from between the claim and the begin, and one from before both
    let claim = "DELETE FROM ending WHERE attempt = 2; DELETE FROM claimed_number WHERE attempt = 2; \
                 DELETE FROM number WHERE attempt = 2; DELETE FROM claim WHERE attempt = 2";
    for lost in [claim, "DELETE FROM attempt WHERE id = 2"] {
        bench.force(lost);
        let Err(error) = bench.try_start("A", false) else {
            panic!("number 2 would be given to another chip");
        };
        assert_eq!(error.code, "records-gone");
        assert!(error.why.contains("older"), "{}", error.why);
        // nothing that was shown as PASS is withdrawn
        assert_eq!(fs::read(bench.journal("A")).expect("journal"), journal);
    }
}

pub fn a_start_that_fails_leaves_no_journal(bench: &impl Bench) {
    let (station, _) = bench.try_start("A", true).expect("rehearsals");
    drop(station);
    assert_eq!(code(bench.try_start("B", false)), "records-kind");
    assert!(!bench.journal("B").exists());
    // one that tells something stays
    assert_eq!(code(bench.try_start("A", false)), "records-kind");
    assert!(bench.journal("A").exists());
}

pub fn a_rehearsal_never_mixes_with_real_boards(bench: &impl Bench) {
    let (station, _) = bench.try_start("A", true).expect("rehearsals");
    drop(station);
    assert_eq!(code(bench.try_start("A", false)), "records-kind");
    assert_eq!(code(bench.try_start("B", false)), "records-kind");
    let (mut station, _) = bench.try_start("A", true).expect("rehearsals");
    let mut real = station.begin_of("gateway");
    real.rehearsal = false;
    assert_eq!(code(station.records.begin(&real)), "records-kind");
    assert!(bench.reader().identity().expect("identity").rehearsal);
}

pub fn a_label_works_once(bench: &impl Bench) {
    let station = bench.station("A");
    assert_eq!(code(bench.try_start("A", false)), "records-in-use");
    drop(station);
    bench.station("A");
}

pub fn two_labels_work_at_the_same_time(bench: &impl Bench) {
    let mut a = bench.station("A");
    let mut b = bench.station("B");
    for chip in 0..10 {
        a.flash(2 * chip, Pass);
        b.flash(2 * chip + 1, Fail);
    }
    drop((a, b));
    bench.station("A");
    bench.station("B");
    let numbers: Vec<u64> = bench
        .states()
        .iter()
        .map(|(_, number, _)| *number)
        .collect();
    assert_eq!(numbers, (1..=20).collect::<Vec<_>>());
}

pub fn a_newer_ledger_is_refused(bench: &impl Bench) {
    drop(bench.station("A"));
    bench.make_newer();
    assert_eq!(code(bench.try_start("A", false)), "records-version");
    let read = open_to_read(&bench.place("A"));
    assert_eq!(code(read), "records-version");
}

pub fn a_journal_without_its_ledger_begins_nothing(bench: &impl Bench) {
    let mut station = bench.station("A");
    station.flash(1, Pass);
    drop(station);
    bench.remove();
    // numbers would begin at 1 again
    assert_eq!(code(bench.try_start("A", false)), "records-gone");
    assert_eq!(code(open_to_read(&bench.place("A"))), "records-none");
}

pub fn a_journal_of_another_ledger_is_refused(bench: &impl Bench) {
    drop(bench.station("A"));
    bench.remove();
    let kept = fs::read(bench.journal("A")).expect("read");
    fs::remove_file(bench.journal("A")).expect("removed");
    drop(bench.station("A"));
    fs::write(bench.journal("A"), kept).expect("written");
    assert_eq!(code(bench.try_start("A", false)), "records-gone");
}

pub fn reading_creates_nothing(bench: &impl Bench) {
    assert_eq!(code(open_to_read(&bench.place("A"))), "records-none");
    assert!(!bench.journal("A").exists());
    let mut station = bench.station("A");
    station.flash(1, Pass);
    // while it works, and after
    assert_eq!(bench.attempts(&Filter::default()).len(), 1);
    drop(station);
    assert_eq!(bench.attempts(&Filter::default()).len(), 1);
    let numbers = bench.numbers();
    assert_eq!(numbers.len(), 1);
}

pub fn a_clock_that_steps_back_is_noted_and_nothing_more(bench: &impl Bench) {
    let mut station = bench.station("A");
    station.flash(1, Fail);
    let now = station.clock.shows();
    station.clock.set(now - 86_400);
    let reserved = station.flash(1, Fail);
    assert_eq!(number(&reserved), 1);
    assert_eq!(
        kinds(&bench.journal("A")),
        [
            "opened",
            "begun",
            "claimed",
            "ended",
            "clock-stepped-back",
            "begun",
            "claimed",
            "ended"
        ]
    );
    // the order is that of the numbers
    let ids: Vec<i64> = bench
        .attempts(&Filter::default())
        .iter()
        .map(|attempt| attempt.id.0)
        .collect();
    assert_eq!(ids, [1, 2]);
    // set back while the station was off
    station.clock.set(now + 1_000_000_000);
    station.flash(1, Fail);
    drop(station);
    let (_, recovered) = bench.start("A");
    assert!(recovered.clock_stepped_back);
}
