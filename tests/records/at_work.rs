//! Records are checked while stations work with them.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use rtflash::clock::Clock;
use rtflash::records::audit::Audit;
use rtflash::records::{AttemptId, Check, HookResult, VerdictKind, check};

use crate::bench::{Bench, Station};

/// Checks in a row.
const CHECKS: usize = 3;

/// Waits until every station is two attempts further: what it was in the middle of is done, however slow the disk is.
struct Onward<'a>(&'a [AtomicU64]);

impl Clock for Onward<'_> {
    fn now(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep(&self, _: Duration) {
        for done in self.0 {
            let until = done.load(Ordering::Relaxed) + 2;
            while done.load(Ordering::Relaxed) < until {
                thread::sleep(Duration::from_millis(1));
            }
        }
    }
}

/// One attempt on a new chip, with its hook; every third fails first.
fn one_unit(station: &mut Station, chip: u64) {
    if chip.is_multiple_of(3) {
        station.flash(chip, VerdictKind::Fail);
    }
    let attempt = station.begin();
    let claim = station.claim_of(chip);
    station.granted(attempt, &claim);
    station.end(attempt, VerdictKind::Pass, chip);
    let result = HookResult {
        command: "label".into(),
        status: Some(0),
        error: None,
        ended_at: claim.claimed_at,
    };
    station.records.hook(attempt, &result).expect("a hook");
}

/// The checks, while both stations work.
fn checked(bench: &impl Bench, stations: &mut [Station], chips: u64) -> Vec<Audit> {
    let journals = stations.iter().map(|it| bench.journal(&it.label));
    let wanted = Check {
        journals: Some(journals.collect()),
        heads: Vec::new(),
    };
    let place = bench.place(&stations[0].label);
    let done: Vec<AtomicU64> = stations.iter().map(|_| AtomicU64::new(0)).collect();
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for ((number, station), done) in (0_u64..).zip(stations).zip(&done) {
            let is_over = &is_over;
            scope.spawn(move || {
                let mut chip = chips + number * 1_000_000;
                while !is_over.load(Ordering::Relaxed) {
                    one_unit(station, chip);
                    chip += 1;
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let found = (0..CHECKS).map(|_| check(&place, &wanted, &Onward(&done)));
        let found: Result<Vec<Audit>, _> = found.collect();
        is_over.store(true, Ordering::Relaxed);
        found.expect("records")
    })
}

pub fn records_agree_while_stations_work_and_a_change_is_found(bench: &impl Bench) {
    let mut stations = ["A", "B"].map(|label| bench.station(label));
    for (chip, station) in (1..).zip(&mut stations) {
        one_unit(station, chip);
    }
    for audit in checked(bench, &mut stations, 1000) {
        assert!(audit.agrees(), "{:#?}", audit.breaks);
    }
    bench.force("UPDATE ending SET journal_line = journal_line + 1 WHERE attempt = 2");
    for audit in checked(bench, &mut stations, 2_000_000_000) {
        let mut broken: Vec<_> = audit.breaks.iter().map(|it| it.attempt).collect();
        broken.dedup();
        assert_eq!(broken, [Some(AttemptId(2))], "{:#?}", audit.breaks);
    }
}
