//! What every test here works with: a ledger of its own, stations on it, and short ways of saying attempts.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use rtflash::clock::Calendar;
use rtflash::records::{
    Attempt, AttemptId, Begin, Claim, ClaimRefused, End, Filter, JournalRead, Ledger, Number,
    NumberState, PassedBefore, Place, Records, RecordsError, Recovered, Reserved, SeriesClaim,
    SeriesPolicy, Told, UnitClaim, VerdictKind, open_to_read, read_journal,
};

/// A ledger of its own on one of the databases, removed at the end.
pub trait Bench {
    /// Its place, as `station` gives it.
    fn place(&self, station: &str) -> Place;

    /// Runs a statement on the database as a stranger.
    fn sql(&self, statement: &str) -> Result<(), String>;

    /// Runs a statement with everything off that keeps strangers from it.
    fn force(&self, statement: &str);

    /// Makes the ledger one of a version that does not exist yet.
    fn make_newer(&self);

    /// Removes the ledger.
    fn remove(&self);

    /// A station on it that must open without anything to settle.
    fn station(&self, label: &str) -> Station {
        let (station, recovered) = self.start(label);
        assert_eq!(recovered, Recovered::default());
        station
    }

    /// A station on it.
    fn start(&self, label: &str) -> (Station, Recovered) {
        self.try_start(label, false).expect("records")
    }

    fn try_start(
        &self,
        label: &str,
        rehearsal: bool,
    ) -> Result<(Station, Recovered), RecordsError> {
        let clock = Clock::default();
        let place = self.place(label);
        let (records, recovered) =
            Records::open(&place, label, rehearsal, Box::new(clock.clone()))?;
        let station = Station {
            records,
            label: label.to_owned(),
            clock,
            rehearsal,
        };
        Ok((station, recovered))
    }

    fn reader(&self) -> Box<dyn Ledger> {
        open_to_read(&self.place("reader")).expect("a ledger to read")
    }

    fn attempts(&self, filter: &Filter) -> Vec<Attempt> {
        self.reader().attempts(filter).expect("attempts")
    }

    fn attempt(&self, id: AttemptId) -> Attempt {
        let filter = Filter {
            id: Some(id),
            ..Filter::default()
        };
        self.attempts(&filter).pop().expect("the attempt")
    }

    fn numbers(&self) -> Vec<Number> {
        self.reader().numbers().expect("numbers")
    }

    /// Every number as series, number, chip and state.
    fn states(&self) -> Vec<(String, u64, NumberState)> {
        self.numbers()
            .into_iter()
            .map(|number| (number.series, number.number, number.state))
            .collect()
    }

    fn journal(&self, station: &str) -> PathBuf {
        self.place(station).journal(station)
    }
}

/// A station's records, and its clock, which goes on by a second whenever it is looked at.
pub struct Station {
    pub records: Records,
    pub label: String,
    pub clock: Clock,
    pub rehearsal: bool,
}

#[derive(Clone)]
pub struct Clock(pub Arc<AtomicI64>);

impl Default for Clock {
    /// Some day in 2026, and some hours later for each that is made.
    fn default() -> Self {
        static MADE: AtomicI64 = AtomicI64::new(0);
        let made = MADE.fetch_add(1, Ordering::Relaxed);
        Clock(Arc::new(AtomicI64::new(1_790_000_000 + 10_000 * made)))
    }
}

impl Clock {
    pub fn set(&self, seconds: i64) {
        self.0.store(seconds, Ordering::Relaxed);
    }

    pub fn shows(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Calendar for Clock {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.fetch_add(1, Ordering::Relaxed)).expect("a time")
    }
}

/// What a chip with this number has as unique ID.
pub fn uid(chip: u64) -> String {
    format!("{chip:016X}")
}

pub fn series(name: &str, policy: SeriesPolicy) -> SeriesClaim {
    SeriesClaim {
        series: name.to_owned(),
        first: 1,
        last: 1_000_000,
        step: 1,
        on_failure: policy,
    }
}

pub const JOB: &str = "gateway";

impl Station {
    pub fn begin_of(&self, job: &str) -> Begin {
        Begin {
            station: self.label.clone(),
            site: "1".into(),
            operator: Some("Öz, \"3rd\" shift".into()),
            probe: "1366:0101:000123456789".into(),
            job: job.into(),
            job_sha256: "11".repeat(32),
            images_sha256: vec!["22".repeat(32), "33".repeat(32)],
            tool_version: "0.1.0".into(),
            barcode: None,
            begun_at: self.clock.now(),
            rehearsal: self.rehearsal,
        }
    }

    pub fn begin(&mut self) -> AttemptId {
        let begin = self.begin_of(JOB);
        self.records.begin(&begin).expect("begun")
    }

    pub fn begin_with(&mut self, barcode: &str) -> AttemptId {
        let mut begin = self.begin_of(JOB);
        begin.barcode = Some(barcode.into());
        self.records.begin(&begin).expect("begun")
    }

    /// A claim without limits on a number of the series `serial`.
    pub fn claim_of(&self, chip: u64) -> UnitClaim {
        UnitClaim {
            uid: uid(chip),
            retry_limit: None,
            quota: None,
            passed_before: PassedBefore::Refuse,
            series: vec![series("serial", SeriesPolicy::Keep)],
            claimed_at: self.clock.now(),
        }
    }

    pub fn claim(&mut self, attempt: AttemptId, claim: &UnitClaim) -> Claim {
        self.records.claim(attempt, claim).expect("an answer")
    }

    pub fn granted(&mut self, attempt: AttemptId, claim: &UnitClaim) -> Vec<Reserved> {
        match self.claim(attempt, claim) {
            Claim::Granted { reserved, .. } => reserved,
            Claim::Refused(refused) => panic!("{refused:?}"),
        }
    }

    /// Claims, is refused, and ends the attempt.
    pub fn refused(&mut self, attempt: AttemptId, claim: &UnitClaim) -> ClaimRefused {
        match self.claim(attempt, claim) {
            Claim::Granted { .. } => panic!("granted"),
            Claim::Refused(refused) => {
                let mut end = self.end_of(VerdictKind::Refused, None);
                end.uid = Some(claim.uid.clone());
                self.records.end(attempt, &end).expect("ended");
                refused
            }
        }
    }

    pub fn end_of(&self, verdict: VerdictKind, chip: Option<u64>) -> End {
        let passed = verdict == VerdictKind::Pass;
        End {
            verdict,
            exit: if passed { 0 } else { 10 },
            code: (!passed).then(|| "program-failed".into()),
            text: verdict.name().to_uppercase(),
            uid: chip.map(uid),
            serial: chip.map(|chip| format!("SN{chip:04}")),
            flash_sha256: passed.then(|| "44".repeat(32)),
            phases: vec![("erase".into(), 0.1 + 0.2), ("program".into(), 1.0 / 3.0)],
            retries: 2,
            record: serde_json::json!({"verdict": verdict.name(), "x": 0.1, "n": u64::MAX}),
            ended_at: self.clock.now(),
        }
    }

    pub fn end(&mut self, attempt: AttemptId, verdict: VerdictKind, chip: u64) {
        let end = self.end_of(verdict, Some(chip));
        self.records.end(attempt, &end).expect("ended");
    }

    /// One whole attempt on a chip, granted; returns its numbers.
    pub fn flash(&mut self, chip: u64, verdict: VerdictKind) -> Vec<Reserved> {
        let claim = self.claim_of(chip);
        self.flash_with(&claim, verdict, chip)
    }

    pub fn flash_with(
        &mut self,
        claim: &UnitClaim,
        verdict: VerdictKind,
        chip: u64,
    ) -> Vec<Reserved> {
        let attempt = self.begin();
        let reserved = self.granted(attempt, claim);
        self.end(attempt, verdict, chip);
        reserved
    }
}

/// The one number of a unit that has one.
pub fn number(reserved: &[Reserved]) -> u64 {
    let [only] = reserved else {
        panic!("{reserved:?}")
    };
    only.number
}

/// The journal's lines, with what is wrong with them.
pub fn lines(path: &Path) -> Vec<JournalRead> {
    read_journal(path)
        .expect("a journal")
        .collect::<Result<_, _>>()
        .expect("lines")
}

/// What a journal without any break tells.
pub fn told(path: &Path) -> Vec<Told> {
    lines(path)
        .into_iter()
        .filter_map(|read| {
            let is_break = read
                .wrong
                .as_ref()
                .is_some_and(rtflash::records::Wrong::is_break);
            assert!(!is_break, "line {}: {:?}", read.number, read.wrong);
            read.line.map(|line| line.told)
        })
        .collect()
}

/// What a journal tells, by kind and attempt.
pub fn story(path: &Path) -> Vec<(String, i64)> {
    told(path)
        .iter()
        .map(|told| {
            let kind = serde_json::to_value(told).expect("JSON")["event"]
                .as_str()
                .expect("a kind")
                .to_owned();
            (kind, told.attempt().map_or(0, |attempt| attempt.0))
        })
        .collect()
}

/// The same in short: kinds only.
pub fn kinds(path: &Path) -> Vec<String> {
    story(path).into_iter().map(|(kind, _)| kind).collect()
}

/// The error's code; panics where there is none.
pub fn code<T>(result: Result<T, RecordsError>) -> &'static str {
    match result {
        Ok(_) => panic!("no error"),
        Err(error) => {
            // every one says what to do, and comes with the exit code for records
            let problem = rtflash::problem::Problem::from(error);
            assert_eq!(problem.exit.number(), 23);
            assert!(problem.why.is_some() && problem.fix.is_some(), "{problem}");
            problem.code
        }
    }
}
