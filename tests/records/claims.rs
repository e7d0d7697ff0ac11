//! What a unit may and which numbers it gets.

use rtflash::records::{
    Claim, ClaimRefused, NumberState, PassedBefore, SeriesClaim, SeriesPolicy, VerdictKind,
};

use crate::bench::{Bench, JOB, code, number, series, uid};
use NumberState::{Committed, Reserved, Void};
use VerdictKind::{Cancelled, Fail, Pass};

pub fn a_number_is_the_chips_until_it_passes_and_ever_after(bench: &impl Bench) {
    let mut station = bench.station("A");
    let first = station.flash(7, Fail);
    assert!(!first[0].kept);
    assert_eq!(number(&station.flash(8, Pass)), 2);
    let again = station.flash(7, Fail);
    // with the date that its serial number showed
    assert_eq!(
        (again[0].number, again[0].reserved_at, again[0].kept),
        (1, first[0].reserved_at, true)
    );
    drop(station);
    let mut station = bench.station("A");
    assert_eq!(number(&station.flash(7, Pass)), 1);
    assert_eq!(number(&station.flash(9, Cancelled)), 3);
    assert_eq!(
        bench.states(),
        [
            ("serial".into(), 1, Committed),
            ("serial".into(), 2, Committed),
            ("serial".into(), 3, Reserved),
        ]
    );
    let of_first = &bench.numbers()[0];
    assert_eq!(of_first.uid, uid(7));
    assert_eq!(of_first.reserved_at, first[0].reserved_at);
    assert_eq!(of_first.attempt.0, 1);
    assert_eq!(of_first.settled_by.map(|attempt| attempt.0), Some(4));
}

pub fn a_void_number_is_nobodys_for_ever(bench: &impl Bench) {
    let mut station = bench.station("A");
    let mut claim = station.claim_of(7);
    claim.series = vec![series("serial", SeriesPolicy::Void)];
    assert_eq!(number(&station.flash_with(&claim, Fail, 7)), 1);
    assert_eq!(number(&station.flash_with(&claim, Cancelled, 7)), 2);
    assert_eq!(number(&station.flash_with(&claim, Pass, 7)), 3);
    assert_eq!(number(&station.flash(8, Pass)), 4);
    assert_eq!(
        bench.states(),
        [
            ("serial".into(), 1, Void),
            ("serial".into(), 2, Void),
            ("serial".into(), 3, Committed),
            ("serial".into(), 4, Committed),
        ]
    );
}

pub fn a_committed_number_stays_the_units_whatever_fails_later(bench: &impl Bench) {
    let mut station = bench.station("A");
    let mut claim = station.claim_of(7);
    claim.series = vec![series("serial", SeriesPolicy::Void)];
    claim.passed_before = PassedBefore::FlashAgain;
    assert_eq!(number(&station.flash_with(&claim, Pass, 7)), 1);
    assert_eq!(number(&station.flash_with(&claim, Fail, 7)), 1);
    assert_eq!(number(&station.flash_with(&claim, Pass, 7)), 1);
    assert_eq!(bench.states(), [("serial".into(), 1, Committed)]);
}

pub fn only_failures_since_the_last_pass_count_against_a_unit(bench: &impl Bench) {
    let mut station = bench.station("A");
    let mut claim = station.claim_of(7);
    claim.retry_limit = Some(2);
    claim.passed_before = PassedBefore::FlashAgain;
    let limit = |attempts| ClaimRefused::RetryLimit { attempts, limit: 2 };
    station.flash_with(&claim, Fail, 7);
    // the operator's, the station's and the line's own ends are not the unit's fault
    station.flash_with(&claim, Cancelled, 7);
    let attempt = station.begin();
    station.granted(attempt, &claim);
    drop(station);
    let (mut station, recovered) = bench.start("A");
    assert_eq!(recovered.interrupted, [attempt]);
    station.flash_with(&claim, Fail, 7);
    for _ in 0..2 {
        let attempt = station.begin();
        assert_eq!(station.refused(attempt, &claim), limit(2));
    }
    // another job and another chip have their own count
    let begin = station.begin_of("another job");
    let attempt = station.records.begin(&begin).expect("begun");
    station.granted(attempt, &claim);
    station.end(attempt, Fail, 7);
    let mut other = claim.clone();
    other.uid = uid(8);
    station.flash_with(&other, Pass, 8);
    // rework: the limit is raised once, the unit passes, and begins anew
    let mut raised = claim.clone();
    raised.retry_limit = Some(3);
    station.flash_with(&raised, Pass, 7);
    station.flash_with(&claim, Fail, 7);
    station.flash_with(&claim, Fail, 7);
    let attempt = station.begin();
    assert_eq!(station.refused(attempt, &claim), limit(2));
}

pub fn a_quota_counts_units_that_passed_and_units_under_way(bench: &impl Bench) {
    let mut station = bench.station("A");
    let mut other_station = bench.station("B");
    let claim_of = |station: &crate::bench::Station, chip| {
        let mut claim = station.claim_of(chip);
        claim.quota = Some(3);
        claim.passed_before = PassedBefore::FlashAgain;
        claim
    };
    let claim = claim_of(&station, 1);
    station.flash_with(&claim, Pass, 1);
    station.flash_with(&claim, Pass, 1);
    let claim = claim_of(&station, 2);
    station.flash_with(&claim, Fail, 2);
    // two under way, one of them at another station: nothing left for a fourth
    let under_way = station.begin();
    station.granted(under_way, &claim);
    let elsewhere = other_station.begin();
    let claim = claim_of(&other_station, 3);
    other_station.granted(elsewhere, &claim);
    let attempt = station.begin();
    let fourth = claim_of(&station, 4);
    assert_eq!(
        station.refused(attempt, &fourth),
        ClaimRefused::Quota { quota: 3 }
    );
    // a unit that is counted already is no further one
    let claim = claim_of(&station, 1);
    station.flash_with(&claim, Pass, 1);
    // one of them fails: its place is free
    other_station.end(elsewhere, Fail, 3);
    station.end(under_way, Pass, 2);
    station.flash_with(&fourth, Pass, 4);
    let attempt = other_station.begin();
    let claim = claim_of(&other_station, 3);
    assert_eq!(
        other_station.refused(attempt, &claim),
        ClaimRefused::Quota { quota: 3 }
    );
    // of another job it does not speak
    let begin = station.begin_of("another job");
    let attempt = station.records.begin(&begin).expect("begun");
    station.granted(attempt, &claim);
}

pub fn a_unit_that_has_passed_is_refused_with_its_serial_or_flashed_again(bench: &impl Bench) {
    let mut station = bench.station("A");
    station.flash(7, Pass);
    let attempt = station.begin();
    let mut claim = station.claim_of(7);
    match station.refused(attempt, &claim) {
        ClaimRefused::PassedBefore { serial, at } => {
            assert_eq!(serial.as_deref(), Some("SN0007"));
            let end = bench.attempt(rtflash::records::AttemptId(1)).end;
            assert_eq!(Some(at), end.map(|end| end.ended_at));
        }
        refused => panic!("{refused:?}"),
    }
    claim.passed_before = PassedBefore::FlashAgain;
    let attempt = station.begin();
    match station.claim(attempt, &claim) {
        Claim::Granted {
            reserved,
            attempt_of_unit,
        } => {
            assert_eq!((number(&reserved), reserved[0].kept), (1, true));
            // refused ones are no attempts on the unit
            assert_eq!(attempt_of_unit, 2);
        }
        Claim::Refused(refused) => panic!("{refused:?}"),
    }
}

pub fn a_chip_is_in_work_once(bench: &impl Bench) {
    let mut station = bench.station("A");
    let mut other = bench.station("B");
    let attempt = station.begin();
    let claim = station.claim_of(7);
    station.granted(attempt, &claim);
    for (refuses, job) in [(&mut other, JOB), (&mut station, "another job")] {
        let begin = refuses.begin_of(job);
        let second = refuses.records.begin(&begin).expect("begun");
        assert_eq!(
            refuses.refused(second, &claim),
            ClaimRefused::InWork {
                attempt,
                station: "A".into(),
                site: "1".into()
            }
        );
    }
    station.end(attempt, Fail, 7);
    other.flash(7, Pass);
}

pub fn a_dead_station_blocks_a_chip_for_ten_minutes(bench: &impl Bench) {
    let mut dead = bench.station("A");
    let attempt = dead.begin();
    let mut claim = dead.claim_of(7);
    claim.series = vec![series("serial", SeriesPolicy::Void)];
    dead.granted(attempt, &claim);
    let mut alive = bench.station("B");
    let age = |seconds: i64| {
        bench.force(&format!(
            "UPDATE claim SET database_seconds = database_seconds - {seconds}"
        ));
    };
    age(590);
    let second = alive.begin();
    assert!(matches!(
        alive.refused(second, &claim),
        ClaimRefused::InWork { .. }
    ));
    age(10);
    let third = alive.begin();
    assert_eq!(number(&alive.granted(third, &claim)), 1);
    // the dead one was only asleep: what it ends with takes nothing from the one that has the board
    dead.end(attempt, Fail, 7);
    alive.end(third, Pass, 7);
    assert_eq!(bench.states(), [("serial".into(), 1, Committed)]);
}

pub fn a_code_belongs_to_one_chip(bench: &impl Bench) {
    let mut station = bench.station("A");
    let claims = [0, 1, 2, 3].map(|chip| station.claim_of(chip));
    // scanned at the wrong board, which failed: that binds nothing
    let attempt = station.begin_with("B-17");
    station.granted(attempt, &claims[0]);
    station.end(attempt, Fail, 0);
    let attempt = station.begin_with("B-17");
    station.granted(attempt, &claims[1]);
    // in work with it
    let second = station.begin_with("B-17");
    let used = ClaimRefused::BarcodeUsed { uid: uid(1) };
    assert_eq!(station.refused(second, &claims[2]), used);
    station.end(attempt, Pass, 1);
    // passed with it, in whatever job
    let mut begin = station.begin_of("another job");
    begin.barcode = Some("B-17".into());
    let third = station.records.begin(&begin).expect("begun");
    assert_eq!(station.refused(third, &claims[2]), used);
    let mut again = claims[1].clone();
    again.passed_before = PassedBefore::FlashAgain;
    let attempt = station.begin_with("B-17");
    station.granted(attempt, &again);
    let attempt = station.begin_with("B-18");
    station.granted(attempt, &claims[2]);
}

pub fn a_series_that_is_used_up_takes_nothing_from_the_others(bench: &impl Bench) {
    let mut station = bench.station("A");
    let claim_of = |station: &crate::bench::Station, chip| {
        let mut claim = station.claim_of(chip);
        let mut mac = series("mac", SeriesPolicy::Keep);
        mac.last = 2;
        claim.series.push(mac);
        claim
    };
    for chip in [1, 2] {
        let claim = claim_of(&station, chip);
        station.flash_with(&claim, Pass, chip);
    }
    let claim = claim_of(&station, 3);
    for _ in 0..3 {
        let attempt = station.begin();
        assert_eq!(
            station.refused(attempt, &claim),
            ClaimRefused::SeriesExhausted {
                series: "mac".into(),
                last: 2
            }
        );
    }
    // more addresses were bought
    let mut more = claim.clone();
    more.series[1].last = 9;
    let reserved = station.flash_with(&more, Pass, 3);
    let numbers: Vec<u64> = reserved.iter().map(|reserved| reserved.number).collect();
    assert_eq!(numbers, [3, 3]);
}

pub fn a_series_has_one_step(bench: &impl Bench) {
    let mut station = bench.station("A");
    let mut claim = station.claim_of(1);
    let pairs = SeriesClaim {
        first: 0x10,
        step: 2,
        ..series("mac", SeriesPolicy::Keep)
    };
    claim.series = vec![pairs.clone()];
    assert_eq!(number(&station.flash_with(&claim, Pass, 1)), 0x10);
    for (first, step) in [(0x10, 1), (0x11, 2), (0x10, 4)] {
        let mut other = station.claim_of(2);
        other.series = vec![SeriesClaim {
            first,
            step,
            ..pairs.clone()
        }];
        let attempt = station.begin();
        assert_eq!(
            code(station.records.claim(attempt, &other)),
            "records-series"
        );
        station.end(attempt, Fail, 2);
    }
    // a range of its own further up is no other series
    let mut other = station.claim_of(2);
    other.series = vec![SeriesClaim {
        first: 0x100,
        ..pairs.clone()
    }];
    assert_eq!(number(&station.flash_with(&other, Pass, 2)), 0x100);
    claim.uid = uid(3);
    claim.series[0].last = 0xFF;
    assert_eq!(number(&station.flash_with(&claim, Pass, 3)), 0x12);
}

pub fn numbers_have_sixty_four_bits(bench: &impl Bench) {
    let mut station = bench.station("A");
    let mut claim = station.claim_of(1);
    claim.series = vec![SeriesClaim {
        first: u64::MAX - 1,
        last: u64::MAX,
        ..series("eui-64", SeriesPolicy::Keep)
    }];
    assert_eq!(number(&station.flash_with(&claim, Pass, 1)), u64::MAX - 1);
    claim.uid = uid(2);
    assert_eq!(number(&station.flash_with(&claim, Pass, 2)), u64::MAX);
    claim.uid = uid(3);
    let attempt = station.begin();
    assert!(matches!(
        station.refused(attempt, &claim),
        ClaimRefused::SeriesExhausted { last: u64::MAX, .. }
    ));
}

pub fn numbers_are_never_filled_up(bench: &impl Bench) {
    let mut station = bench.station("A");
    let mut claim = station.claim_of(1);
    claim.series[0].first = 9;
    assert_eq!(number(&station.flash_with(&claim, Pass, 1)), 9);
    // the range begins lower now: what lies below the largest may have been handed out by somebody else
    assert_eq!(number(&station.flash(2, Pass)), 10);
}

pub fn only_the_unit_that_was_claimed_passes(bench: &impl Bench) {
    let mut station = bench.station("A");
    let attempt = station.begin();
    let pass = station.end_of(Pass, Some(7));
    assert_eq!(code(station.records.end(attempt, &pass)), "records-order");
    let attempt = station.begin();
    let claim = station.claim_of(7);
    station.granted(attempt, &claim);
    let pass = station.end_of(Pass, Some(8));
    assert_eq!(code(station.records.end(attempt, &pass)), "records-order");
    // and ends once
    let attempt = station.begin();
    assert_eq!(number(&station.granted(attempt, &claim)), 1);
    station.end(attempt, Fail, 7);
    let pass = station.end_of(Pass, Some(7));
    assert_eq!(code(station.records.end(attempt, &pass)), "records-order");
    assert_eq!(
        code(station.records.claim(attempt, &claim)),
        "records-order"
    );
    assert_eq!(bench.states(), [("serial".into(), 1, Reserved)]);
    let verdicts: Vec<_> = bench
        .attempts(&Default::default())
        .into_iter()
        .map(|attempt| attempt.end.map(|end| end.verdict))
        .collect();
    assert_eq!(
        verdicts,
        [
            Some(VerdictKind::Interrupted),
            Some(VerdictKind::Interrupted),
            Some(Fail)
        ]
    );
}

pub fn a_claim_that_is_asked_again_is_answered_the_same(bench: &impl Bench) {
    let mut station = bench.station("A");
    let attempt = station.begin();
    let claim = station.claim_of(7);
    let first = station.claim(attempt, &claim);
    assert_eq!(station.claim(attempt, &claim), first);
    let other = station.claim_of(8);
    assert_eq!(
        code(station.records.claim(attempt, &other)),
        "records-order"
    );
    assert_eq!(bench.states().len(), 1);
}
