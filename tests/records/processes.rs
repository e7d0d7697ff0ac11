//! Many stations as processes of their own on one ledger: no number twice, none lost.
//!
//! The children are this very test program, started with the one test [`child`] and told by the environment what to do.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rtflash::clock::HostCalendar;
use rtflash::records::{
    Claim, NumberState, Place, Records, SeriesClaim, SeriesPolicy, VerdictKind,
};

use crate::bench::{Bench, Clock, Station, lines, series};
use crate::postgres_bench::Postgres;
use crate::sqlite_bench::Sqlite;
use VerdictKind::{Fail, Pass};

const TASK: &str = "RTFLASH_TEST_CHILD";
const PLACE: &str = "RTFLASH_TEST_CHILD_PLACE";
const NUMBER: &str = "RTFLASH_TEST_CHILD_NUMBER";
const ATTEMPTS: &str = "RTFLASH_TEST_CHILD_ATTEMPTS";

/// Chips of one child are this far from those of the next.
const CHIPS: u64 = 1_000_000;

/// What a child does; without a task in the environment this is nobody's child, and there is nothing to do.
#[test]
fn child() {
    let Ok(task) = env::var(TASK) else { return };
    let variable = |name| env::var(name).expect("a child is told everything");
    let number: u64 = variable(NUMBER).parse().expect("a number");
    let attempts: u64 = variable(ATTEMPTS).parse().expect("a number");
    let label = format!("child-{number}");
    let (address, journal) = match variable(PLACE).split_once('|') {
        Some((url, journals)) => (
            url.to_owned(),
            Some(PathBuf::from(journals).join(format!("{label}.jsonl"))),
        ),
        None => (variable(PLACE), None),
    };
    let place = Place::parse(&address, journal.as_deref()).expect("a place");
    let opened = Records::open(&place, &label, false, Box::new(HostCalendar));
    let records = match opened {
        Ok((records, _)) => records,
        Err(error) if task == "full" => {
            println!("full-at open {}", error.code);
            return;
        }
        Err(error) => panic!("{error:?}"),
    };
    let mut station = Station {
        records,
        label,
        clock: Clock::default(),
        rehearsal: false,
    };
    match task.as_str() {
        "flash" => flash(&mut station, number, attempts),
        "full" => until_full(&mut station, attempts),
        other => panic!("task {other}"),
    }
}

/// Two numbers for every chip; every tenth attempt fails, whereupon one of its numbers is void, and the chip comes again.
fn flash(station: &mut Station, number: u64, attempts: u64) {
    for attempt in 0..attempts {
        let fails = attempt % 10 == 3;
        let chip = CHIPS * number + attempt - u64::from(attempt % 10 == 4);
        let mut claim = station.claim_of(chip);
        claim.quota = Some(CHIPS);
        claim.series.push(SeriesClaim {
            first: 0x00A0_0000,
            last: 0x00FF_FFFF,
            step: 2,
            ..series("mac", SeriesPolicy::Void)
        });
        station.flash_with(&claim, if fails { Fail } else { Pass }, chip);
    }
}

/// Says what passed, as a station would show it, and goes on after errors.
fn until_full(station: &mut Station, attempts: u64) {
    for chip in 0..attempts {
        let begin = station.begin_of("gateway");
        let attempt = match station.records.begin(&begin) {
            Ok(attempt) => attempt,
            Err(error) => {
                println!("\nfull-at begin {}", error.code);
                continue;
            }
        };
        let claim = station.claim_of(chip);
        let verdict = match station.records.claim(attempt, &claim) {
            Ok(Claim::Granted { .. }) => Pass,
            Ok(Claim::Refused(refused)) => panic!("{refused:?}"),
            Err(error) => {
                println!("\nfull-at claim {}", error.code);
                Fail
            }
        };
        let end = station.end_of(verdict, Some(chip));
        match station.records.end(attempt, &end) {
            Ok(()) if verdict == Pass => println!("\npassed {}", attempt.0),
            Ok(()) => {}
            Err(error) => println!("\nfull-at end {}", error.code),
        }
    }
}

/// Starts a child.
fn child_of(task: &str, place: &str, number: u64, attempts: u64) -> Child {
    let program = env::current_exe().expect("this program");
    run(Command::new(program), task, place, number, attempts)
}

/// Starts a child by way of another program, which takes the child's command line as its last arguments.
pub fn child_by(mut by: Command, task: &str, place: &str, number: u64, attempts: u64) -> Child {
    by.arg(env::current_exe().expect("this program"));
    run(by, task, place, number, attempts)
}

fn run(mut command: Command, task: &str, place: &str, number: u64, attempts: u64) -> Child {
    command
        .args(["--exact", "processes::child", "--nocapture"])
        .env(TASK, task)
        .env(PLACE, place)
        .env(NUMBER, number.to_string())
        .env(ATTEMPTS, attempts.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a child")
}

fn all_end_well(children: Vec<Child>) {
    for child in children {
        let output = child.wait_with_output().expect("an end");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
    }
}

/// That `children` children with `attempts` attempts each have lost nothing and got nothing twice.
fn nothing_twice_and_nothing_lost(bench: &impl Bench, children: u64, attempts: u64) {
    let all = bench.attempts(&Default::default());
    assert_eq!(all.len() as u64, children * attempts);
    let failed = all
        .iter()
        .filter(|attempt| attempt.end.as_ref().expect("ended").verdict == Fail)
        .count() as u64;
    let chips = children * attempts - failed;
    let mut of_series: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let mut owners = BTreeSet::new();
    for number in bench.numbers() {
        if number.state != NumberState::Void {
            assert!(
                owners.insert((number.series.clone(), number.uid)),
                "a chip has two"
            );
            assert_eq!(number.state, NumberState::Committed);
        }
        of_series
            .entry(number.series)
            .or_default()
            .push(number.number);
    }
    // without a gap: what was not handed out to one was to another
    let serials: Vec<u64> = (1..=chips).collect();
    let macs: Vec<u64> = (0..chips + failed).map(|at| 0x00A0_0000 + 2 * at).collect();
    assert_eq!(of_series["serial"], serials);
    assert_eq!(of_series["mac"], macs);
    // what the stations were told is what the ledger has
    let mut told = 0;
    for child in 0..children {
        for read in lines(&bench.journal(&format!("child-{child}"))) {
            assert_eq!(read.wrong, None);
            if let Some(rtflash::records::Told::Claimed { reserved, .. }) =
                read.line.map(|line| line.told)
            {
                told += reserved.len() as u64;
            }
        }
    }
    assert_eq!(told, 2 * children * attempts);
}

#[test]
fn four_processes_on_one_sqlite_ledger() {
    let bench = Sqlite::fresh();
    let place = bench.path().display().to_string();
    // they all begin at once, on a ledger that is not there yet
    all_end_well(
        (0..4)
            .map(|child| child_of("flash", &place, child, 50))
            .collect(),
    );
    nothing_twice_and_nothing_lost(&bench, 4, 50);
}

#[test]
#[ignore = "needs a server: tests/postgresql.sh"]
fn ten_thousand_allocations_from_eight_processes_on_postgresql() {
    let bench = Postgres::fresh();
    let journals = bench.journal("x");
    let journals = journals.parent().expect("a directory").display();
    let place = format!("{}|{journals}", bench.url());
    let began = std::time::Instant::now();
    all_end_well(
        (0..8)
            .map(|child| child_of("flash", &place, child, 1250))
            .collect(),
    );
    println!("10,000 attempts, 20,000 numbers: {:.1?}", began.elapsed());
    nothing_twice_and_nothing_lost(&bench, 8, 1250);
}
