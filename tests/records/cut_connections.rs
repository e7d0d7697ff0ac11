//! The connection to the database server is cut in the middle of transactions: no number twice, no lost commit.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rtflash::records::{NumberState, Records, VerdictKind};

use crate::bench::{Bench, Clock, Station, code, kinds, number, told};
use crate::postgres_bench::Postgres;
use crate::proxy::{Next, Proxy};
use VerdictKind::{Interrupted, Pass};

fn station_by(bench: &Postgres, proxy: &Proxy, label: &str) -> Station {
    let place = bench.place_by(proxy.address(), label);
    let clock = Clock::default();
    let (records, _) =
        Records::open(&place, label, false, Box::new(clock.clone())).expect("records");
    Station {
        records,
        label: label.to_owned(),
        clock,
        rehearsal: false,
    }
}

#[test]
#[ignore = "needs a server: tests/postgresql.sh"]
fn a_cut_at_any_commit_is_survived_and_nothing_is_done_twice() {
    let bench = Postgres::fresh();
    let proxy = Proxy::before(bench.address());
    let mut station = station_by(&bench, &proxy, "A");
    let mut chip = 0;
    for next in [Next::CutBeforeCommit, Next::CutAfterCommit] {
        // the commits of begin, claim, end, hook
        for commits in 0..4 {
            chip += 1;
            proxy.then(commits, next);
            let attempt = station.begin();
            let claim = station.claim_of(chip);
            assert_eq!(number(&station.granted(attempt, &claim)), chip);
            station.end(attempt, Pass, chip);
            let hook = rtflash::records::HookResult {
                command: "true".into(),
                status: Some(0),
                error: None,
                ended_at: claim.claimed_at,
            };
            station.records.hook(attempt, &hook).expect("added");
            assert!(proxy.has_cut(), "{next:?} after {commits}");
        }
    }
    drop(station);
    bench.station("A");
    let attempts = bench.attempts(&Default::default());
    assert_eq!(attempts.len(), 8);
    for attempt in &attempts {
        assert_eq!(attempt.end.as_ref().expect("ended").verdict, Pass);
        assert_eq!(attempt.hooks.len(), 1);
        assert_eq!(attempt.reserved.len(), 1);
    }
    assert_eq!(bench.states().len(), 8);
    let each = ["begun", "claimed", "ended", "hook"];
    let mut wanted = vec!["opened"];
    (0..8).for_each(|_| wanted.extend(each));
    assert_eq!(kinds(&bench.journal("A")), wanted);
}

#[test]
#[ignore = "needs a server: tests/postgresql.sh"]
fn a_commit_that_stays_unknown_is_no_pass_and_is_found_out_later() {
    for (next, happened) in [(Next::CutBeforeCommit, false), (Next::CutAfterCommit, true)] {
        let bench = Postgres::fresh();
        let proxy = Proxy::before(bench.address());
        let mut station = station_by(&bench, &proxy, "A");
        let attempt = station.begin();
        let claim = station.claim_of(7);
        station.granted(attempt, &claim);
        proxy.then(0, next);
        proxy.set_up(false);
        let began = Instant::now();
        let end = station.end_of(Pass, Some(7));
        assert_eq!(code(station.records.end(attempt, &end)), "records-lost");
        assert!(began.elapsed() < Duration::from_secs(45));
        let mut wanted = vec!["opened", "begun", "claimed", "ended", "unsettled"];
        assert_eq!(kinds(&bench.journal("A")), wanted);
        proxy.set_up(true);
        // the next attempt is on another board
        assert_eq!(number(&station.flash(8, Pass)), 2);
        let verdict = bench.attempt(attempt).end.expect("ended").verdict;
        if happened {
            assert_eq!(verdict, Pass);
            assert_eq!(bench.states()[0].2, NumberState::Committed);
        } else {
            assert_eq!(verdict, Interrupted);
            assert_eq!(bench.states()[0].2, NumberState::Reserved);
            wanted.extend(["withdrawn", "interrupted"]);
        }
        wanted.extend(["begun", "claimed", "ended"]);
        assert_eq!(kinds(&bench.journal("A")), wanted);
    }
}

#[test]
#[ignore = "needs a server: tests/postgresql.sh"]
fn sessions_that_the_server_ends_at_any_time_lose_nothing() {
    const CHIPS: u64 = 150;
    let bench = Postgres::fresh();
    let mut stations = vec![bench.station("A"), bench.station("B")];
    let done = AtomicBool::new(false);
    let ended = thread::scope(|scope| {
        let executioner = scope.spawn(|| {
            let mut stranger = bench.stranger();
            let mut ended = 0;
            while !done.load(Ordering::Relaxed) {
                let rows = stranger
                    .query(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                         WHERE datname = current_database() AND application_name LIKE 'rtflash-%' \
                         AND random() < 0.5",
                        &[],
                    )
                    .expect("an answer");
                ended += rows.len();
                thread::sleep(Duration::from_millis(700));
            }
            ended
        });
        let workers: Vec<_> = stations
            .iter_mut()
            .zip(0..)
            .map(|(station, at): (_, u64)| {
                scope.spawn(move || {
                    for chip in 0..CHIPS {
                        station.flash(1000 * at + chip, Pass);
                        thread::sleep(Duration::from_millis(20));
                    }
                })
            })
            .collect();
        let finished: Vec<_> = workers
            .into_iter()
            .map(thread::ScopedJoinHandle::join)
            .collect();
        done.store(true, Ordering::Relaxed);
        let ended = executioner.join().expect("the executioner");
        for worker in finished {
            worker.expect("a station");
        }
        ended
    });
    println!("{ended} sessions were ended");
    assert!(ended >= 4, "only {ended} sessions were ended");
    drop(stations);
    for label in ["A", "B"] {
        bench.station(label);
        assert_eq!(told(&bench.journal(label)).len() as u64, 1 + 3 * CHIPS);
    }
    let numbers: Vec<u64> = bench.numbers().iter().map(|number| number.number).collect();
    assert_eq!(numbers, (1..=2 * CHIPS).collect::<Vec<_>>());
    assert_eq!(bench.attempts(&Default::default()).len() as u64, 2 * CHIPS);
}

#[test]
#[ignore = "needs a server: tests/postgresql.sh"]
fn a_ledger_that_was_locked_too_long_is_worked_with_as_soon_as_it_is_free() {
    let bench = Postgres::fresh();
    let mut station = bench.station("A");
    let mut other = bench.stranger();
    let mut held = other.transaction().expect("a transaction");
    held.batch_execute("SELECT one FROM rtflash.gate FOR UPDATE")
        .expect("held");
    let attempt = station.begin();
    let claim = station.claim_of(1);
    let refused = station.records.claim(attempt, &claim);
    assert!(refused.is_err(), "{refused:?}");
    held.rollback().expect("free");
    let again = station.granted(attempt, &claim);
    assert_eq!(number(&again), 1);
    station.end(attempt, Pass, 1);
}

/// A server that takes connections and says nothing: a station must not hang with it.
#[test]
fn a_server_that_is_silent_is_an_error() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let directory = tempfile::TempDir::new().expect("a directory");
    let place = rtflash::records::Place::parse(
        &format!("postgres://somebody:secret@{address}/x"),
        Some(&directory.path().join("journal")),
    )
    .expect("a place");
    let began = Instant::now();
    let opened = Records::open(&place, "A", false, Box::new(Clock::default()));
    assert_eq!(code(opened), "records-lost");
    assert!(began.elapsed() < Duration::from_secs(8));
    assert!(!directory.path().join("journal").exists());
    drop(listener);
    let refused = Records::open(&place, "A", false, Box::new(Clock::default()));
    assert_eq!(code(refused), "records-lost");
    let tls = rtflash::records::Place::Server {
        url: format!("postgres://somebody@{address}/x?sslmode=require"),
        journal: directory.path().join("journal"),
    };
    let opened = Records::open(&tls, "A", false, Box::new(Clock::default()));
    assert_eq!(code(opened), "records-address");
}
