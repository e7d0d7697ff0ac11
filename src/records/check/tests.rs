//! Records that are added while they are read break nothing, and hide nothing that is broken.

use std::cell::Cell;
use std::fs;
use std::time::Duration;

use tempfile::TempDir;

use super::super::sample::{attempt, ended};
use super::super::{
    Attempt, Begin, Claim, End, HookResult, Identity, Number, PassedBefore, Records, SeriesClaim,
    SeriesPolicy, UnitClaim, VerdictKind,
};
use super::*;
use crate::clock::HostCalendar;

const STATION: &str = "line-a";
/// Attempts that are on record before anything is read.
const BEFORE: u64 = 4;
/// A chip whose only attempt before has failed, and that passes at last while the ledger is read.
const FAILED: u64 = 3;
/// A chip that is flashed again and again.
const AGAIN: u64 = 2;
/// Steps between two things that are read: an attempt has four, so it is cut in another place each time.
const STEPS: u64 = 5;

/// A station that goes on by steps: seat, unit, end, hook.
struct AtWork {
    directory: TempDir,
    records: Records,
    attempt: AttemptId,
    chip: u64,
    steps: u64,
}

impl AtWork {
    fn new() -> AtWork {
        let directory = TempDir::new().expect("a directory");
        let place = Place::Directory(directory.path().to_owned());
        let records = Records::open(&place, STATION, false, Box::new(HostCalendar));
        let mut line = AtWork {
            directory,
            records: records.expect("records").0,
            attempt: AttemptId(0),
            chip: 0,
            steps: 0,
        };
        for chip in 1..=BEFORE {
            line.begins(chip);
            line.claims();
            if chip == FAILED {
                line.ends(VerdictKind::Fail);
            } else {
                line.ends(VerdictKind::Pass);
                line.hook();
            }
        }
        line
    }

    fn place(&self) -> Place {
        Place::Directory(self.directory.path().to_owned())
    }

    fn goes_on(&mut self) {
        for _ in 0..STEPS {
            match self.steps % 4 {
                0 => self.begins(match self.steps / 4 {
                    2 => FAILED,
                    attempts if attempts % 2 == 0 => AGAIN,
                    attempts => 100 + attempts,
                }),
                1 => self.claims(),
                2 => self.ends(VerdictKind::Pass),
                _ => self.hook(),
            }
            self.steps += 1;
        }
    }

    fn begins(&mut self, chip: u64) {
        self.chip = chip;
        let begin = attempt(0, "1", 0).begin;
        self.attempt = self.records.begin(&begin).expect("begun");
    }

    fn uid(&self) -> String {
        format!("{:016X}", self.chip)
    }

    fn claims(&mut self) {
        let claim = UnitClaim {
            uid: self.uid(),
            retry_limit: None,
            quota: None,
            passed_before: PassedBefore::FlashAgain,
            series: vec![SeriesClaim {
                series: "serial".to_owned(),
                first: 1,
                last: 9999,
                step: 1,
                on_failure: SeriesPolicy::Keep,
            }],
            claimed_at: super::super::sample::at(1),
        };
        let answer = self.records.claim(self.attempt, &claim).expect("an answer");
        assert!(matches!(answer, Claim::Granted { .. }), "{answer:?}");
    }

    fn ends(&mut self, verdict: VerdictKind) {
        let code = (verdict != VerdictKind::Pass).then_some("boot-not-seen");
        let attempt = ended(attempt(0, "1", 0), verdict, code, Some(&self.uid()), 8);
        let end = attempt.end.expect("an end");
        self.records.end(self.attempt, &end).expect("ended");
    }

    fn hook(&mut self) {
        let result = HookResult {
            command: "label".to_owned(),
            status: Some(0),
            error: None,
            ended_at: super::super::sample::at(9),
        };
        self.records.hook(self.attempt, &result).expect("a hook");
    }

    /// Changes the ledger as somebody who keeps nobody's rules.
    fn forge(&self, statement: &str) {
        let ledger = self.place().ledger_file().expect("a file");
        let database = rusqlite::Connection::open(ledger).expect("the ledger");
        let triggers: Vec<String> = database
            .prepare("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            .and_then(|mut all| all.query_map([], |row| row.get(0))?.collect())
            .expect("triggers");
        for name in triggers {
            let drop = format!("DROP TRIGGER \"{name}\"");
            database.execute_batch(&drop).expect("dropped");
        }
        let forged = format!("PRAGMA foreign_keys = OFF; {statement}");
        database.execute_batch(&forged).expect("forged");
    }

    /// The check, with the station going on between all that is read; and how often it was read.
    fn checked(&mut self) -> (Audit, u32) {
        let place = self.place();
        let waited = Waited::default();
        let mut read = || {
            let mut ledger = Beside {
                ledger: open_to_read(&place)?,
                line: self,
            };
            once(&mut ledger, &place, &Check::default())
        };
        let audit = settled(&mut read, &waited).expect("records");
        (audit, waited.0.get() + 1)
    }
}

/// A clock that counts how often it is waited for.
#[derive(Default)]
struct Waited(Cell<u32>);

impl Clock for Waited {
    fn now(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep(&self, _: Duration) {
        self.0.set(self.0.get() + 1);
    }
}

/// A ledger whose station works while it is read, and after its journal was.
struct Beside<'a> {
    ledger: Box<dyn Ledger>,
    line: &'a mut AtWork,
}

impl Ledger for Beside<'_> {
    fn begin(&mut self, begin: &Begin) -> Result<AttemptId, RecordsError> {
        self.ledger.begin(begin)
    }

    fn claim(&mut self, attempt: AttemptId, claim: &UnitClaim) -> Result<Claim, RecordsError> {
        self.ledger.claim(attempt, claim)
    }

    fn end(
        &mut self,
        attempt: AttemptId,
        end: &End,
        journal: &mut dyn FnMut() -> Result<JournalMark, RecordsError>,
    ) -> Result<(), RecordsError> {
        self.ledger.end(attempt, end, journal)
    }

    fn hook(
        &mut self,
        attempt: AttemptId,
        result: &HookResult,
        mark: &JournalMark,
    ) -> Result<(), RecordsError> {
        self.ledger.hook(attempt, result, mark)
    }

    fn unfinished(&mut self, station: &str) -> Result<Vec<Attempt>, RecordsError> {
        self.ledger.unfinished(station)
    }

    fn each(
        &mut self,
        filter: &Filter,
        visit: &mut dyn FnMut(Attempt),
    ) -> Result<(), RecordsError> {
        self.line.goes_on();
        self.ledger.each(filter, visit)
    }

    fn identity(&mut self) -> Result<Identity, RecordsError> {
        self.ledger.identity()
    }

    fn numbers(&mut self) -> Result<Vec<Number>, RecordsError> {
        self.line.goes_on();
        self.ledger.numbers()
    }

    fn marks(&mut self, station: &str) -> Result<Vec<(AttemptId, JournalMark)>, RecordsError> {
        self.line.goes_on();
        self.ledger.marks(station)
    }
}

#[test]
fn a_sound_ledger_is_sound_while_its_station_works() {
    let mut line = AtWork::new();
    // every reading breaks, each elsewhere: none of them alone, nor the first break of two in a row, tells anything
    let firsts: Vec<Break> = (0..READINGS)
        .map(|_| {
            let place = line.place();
            let mut ledger = Beside {
                ledger: open_to_read(&place).expect("a ledger"),
                line: &mut line,
            };
            let read = once(&mut ledger, &place, &Check::default()).expect("records");
            read.audit.breaks.into_iter().next().expect("a break")
        })
        .collect();
    assert!(firsts.windows(2).all(|two| two[0] != two[1]), "{firsts:#?}");
    let mut line = AtWork::new();
    let (audit, readings) = line.checked();
    assert!(audit.agrees(), "{:#?}", audit.breaks);
    assert!((2..READINGS).contains(&readings), "{readings} readings");
    let known = audit.added_to.iter().all(|id| id.0 > BEFORE as i64);
    assert!(known && !audit.added_to.is_empty(), "{:?}", audit.added_to);
    let (audit, _) = line.checked();
    assert!(audit.agrees(), "{:#?}", audit.breaks);
}

#[test]
fn a_ledger_that_was_changed_is_found_while_its_station_works() {
    for (attempt, change) in [
        (1, "UPDATE ending SET journal_line = 9999 WHERE attempt = 1"),
        (1, "DELETE FROM hook WHERE attempt = 1"),
        (1, "DELETE FROM ending WHERE attempt = 1"),
        (1, "DELETE FROM attempt WHERE id = 1"),
        // what is wrong with these is put in other words with every attempt on the chip, and there are such all the time
        (
            2,
            "UPDATE number SET state = 'reserved', settled_by = NULL WHERE attempt = 2",
        ),
        (
            2,
            "UPDATE number SET uid = '00000000000000FF' WHERE attempt = 2",
        ),
    ] {
        let mut line = AtWork::new();
        line.forge(change);
        let (audit, readings) = line.checked();
        let first = audit.breaks.first();
        let first = first.unwrap_or_else(|| panic!("{change}: {}", audit.verdict()));
        assert_eq!(first.attempt, Some(AttemptId(attempt)), "{change}: {first}");
        assert!(readings < READINGS, "{change}: {readings} readings");
    }
}

#[test]
fn a_line_that_was_changed_is_found_while_its_station_works() {
    let mut line = AtWork::new();
    let journal = line.place().journal(STATION);
    let text = fs::read_to_string(&journal).expect("a journal");
    let at = text.find("\"attempt_of_unit\":1").expect("a unit");
    let number = text[..at].matches('\n').count() as u64 + 1;
    let text = text.replacen("\"attempt_of_unit\":1", "\"attempt_of_unit\":2", 1);
    fs::write(&journal, text).expect("a journal");
    let (audit, _) = line.checked();
    let first = audit.breaks.first().expect("a break");
    assert_eq!((first.line, first.attempt), (Some(number), None), "{first}");
    let others = audit.breaks.iter().filter_map(|it| it.attempt);
    assert_eq!(others.collect::<Vec<_>>(), [AttemptId(1)]);
}

#[test]
fn what_could_not_be_read_is_not_taken_for_sound() {
    let mut line = AtWork::new();
    let (sound, _) = line.checked();
    let with = |breaks: &[Break], is_whole| Reading {
        audit: Audit {
            breaks: breaks.to_vec(),
            ..sound.clone()
        },
        is_whole,
    };
    let unreadable = Break {
        journal: None,
        line: None,
        attempt: None,
        field: None,
        what: "rows".to_owned(),
    };
    let behind = Break {
        attempt: Some(AttemptId(2)),
        ..unreadable.clone()
    };
    let mut readings = vec![
        with(std::slice::from_ref(&behind), true),
        with(std::slice::from_ref(&behind), true),
        with(&[unreadable], false),
    ];
    let mut read = || Ok(readings.pop().expect("a reading"));
    let audit = settled(&mut read, &Waited::default()).expect("records");
    assert_eq!(audit.breaks, [behind]);
}
