//! A line of two stations whose records are made as stations make them, through the library, with everything in it that
//! can happen to an attempt.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};
use rtflash::clock::Calendar;
use rtflash::records::{
    AttemptId, Begin, Claim, End, HookResult, PassedBefore, Place, Records, Reserved, SeriesClaim,
    SeriesPolicy, UnitClaim, VerdictKind,
};
use tempfile::TempDir;

const START: &str = "2026-11-23T08:00:00Z";
/// Seconds from one look at the clock to the next.
const TICK: i64 = 2;

/// A clock that goes on with every look.
#[derive(Clone, Default)]
pub struct Ticking(Arc<AtomicI64>);

impl Ticking {
    fn set_back(&self, seconds: i64) {
        self.0.fetch_sub(seconds, Ordering::Relaxed);
    }

    fn look(&self) -> Timestamp {
        let second = self.0.fetch_add(TICK, Ordering::Relaxed);
        let start: Timestamp = START.parse().expect("a time");
        start + SignedDuration::from_secs(second)
    }
}

impl Calendar for Ticking {
    fn now(&self) -> Timestamp {
        self.look()
    }
}

/// One station at work.
struct AtWork<'a> {
    label: &'a str,
    records: Records,
    clock: Ticking,
}

/// The records of the line.
pub struct Line {
    directory: TempDir,
}

impl Line {
    /// Some twenty attempts at two stations: passes, failures and retests, numbers kept and void, a refused and a cancelled
    /// attempt, one that was interrupted, one whose end was withdrawn, a torn line, a clock set back, hooks, and one that
    /// is under way.
    pub fn new() -> Line {
        let line = Line {
            directory: tempfile::tempdir().expect("temporary directory"),
        };
        let clock = Ticking::default();
        let mut a = line.starts("line-a", &clock);
        a.passes("1", 1);
        let failed = a.fails("2", 2, "boot-not-seen");
        a.hook(failed, Some("exit status 3"));
        a.passes("2", 2);
        a.ends_early("2", VerdictKind::Fail, "no-answer");
        a.refused("1", 1);
        a.ends_early("2", VerdictKind::Cancelled, "cancelled");
        a.begins("1");
        a.killed_in_a_line(&line);
        let mut a = line.starts("line-a", &clock);
        a.passes("1", 3);
        let killed = a.begins("2");
        a.claims(killed, 4);
        let ledger = fs::read(line.ledger()).expect("the ledger");
        let wal = fs::read(line.file("ledger.sqlite-wal")).expect("its log");
        a.ends(killed, VerdictKind::Pass, None, Some(4));
        drop(a);
        fs::write(line.ledger(), ledger).expect("the ledger");
        fs::write(line.file("ledger.sqlite-wal"), wal).expect("its log");
        let mut a = line.starts("line-a", &clock);
        a.passes("2", 4);
        clock.set_back(100);
        a.passes("1", 5);

        let mut b = line.starts("line-b", &clock);
        b.passes("=1", 6);
        b.fails("=1", 7, "boot-not-seen");
        b.fails("=1", 7, "verify-differs");
        b.passes("=1", 8);
        b.begins("=1");
        let claimed = b.begins("2");
        b.claims(claimed, 9);
        drop((a, b));
        line
    }

    fn starts<'a>(&self, label: &'a str, clock: &Ticking) -> AtWork<'a> {
        let (records, _) =
            Records::open(&self.place(), label, true, Box::new(clock.clone())).expect("records");
        AtWork {
            label,
            records,
            clock: clock.clone(),
        }
    }

    /// Where the records are.
    pub fn place(&self) -> Place {
        Place::Directory(self.path().to_owned())
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The directory, to be typed.
    pub fn typed(&self) -> &str {
        self.path().to_str().expect("a path that is text")
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// The ledger.
    pub fn ledger(&self) -> PathBuf {
        self.file("ledger.sqlite")
    }

    /// A station's journal.
    pub fn journal(&self, station: &str) -> PathBuf {
        self.place().journal(station)
    }

    /// Its lines, each with its line feed.
    pub fn lines(&self, station: &str) -> Vec<Vec<u8>> {
        let bytes = fs::read(self.journal(station)).expect("a journal");
        bytes
            .split_inclusive(|byte| *byte == b'\n')
            .map(<[u8]>::to_vec)
            .collect()
    }
}

/// Unique ID of the line's chip `unit`.
pub fn uid(unit: u64) -> String {
    format!("{:016X}", 0x00A1_0000 + unit)
}

impl AtWork<'_> {
    fn begins(&mut self, site: &str) -> AttemptId {
        let begun_at = self.clock.look();
        let begin = Begin {
            station: self.label.to_owned(),
            site: site.to_owned(),
            operator: Some("Ada".to_owned()),
            probe: "virtual".to_owned(),
            job: "widget".to_owned(),
            job_sha256: "ab".repeat(32),
            images_sha256: vec!["cd".repeat(32)],
            tool_version: "0.1.0".to_owned(),
            barcode: (site == "1").then(|| format!("W-{}", begun_at.as_second())),
            begun_at,
            rehearsal: true,
        };
        self.records.begin(&begin).expect("begun")
    }

    fn claims(&mut self, attempt: AttemptId, unit: u64) -> Claim {
        let series = |series: &str, on_failure| SeriesClaim {
            series: series.to_owned(),
            first: 100,
            last: 999,
            step: 1,
            on_failure,
        };
        let claim = UnitClaim {
            uid: uid(unit),
            retry_limit: None,
            quota: None,
            passed_before: PassedBefore::Refuse,
            series: vec![
                series("serial", SeriesPolicy::Keep),
                series("mac", SeriesPolicy::Void),
            ],
            claimed_at: self.clock.look(),
        };
        self.records.claim(attempt, &claim).expect("an answer")
    }

    fn granted(&mut self, attempt: AttemptId, unit: u64) -> Vec<Reserved> {
        match self.claims(attempt, unit) {
            Claim::Granted { reserved, .. } => reserved,
            Claim::Refused(why) => panic!("{why:?}"),
        }
    }

    fn ends(
        &mut self,
        attempt: AttemptId,
        verdict: VerdictKind,
        code: Option<&str>,
        unit: Option<u64>,
    ) {
        let is_pass = verdict == VerdictKind::Pass;
        let end = End {
            verdict,
            exit: if is_pass { 0 } else { 16 },
            code: code.map(str::to_owned),
            text: format!("{} in words\u{1b}", verdict.name()),
            uid: unit.map(uid),
            serial: unit.filter(|_| is_pass).map(|unit| format!("W{unit:04}")),
            flash_sha256: is_pass.then(|| "ef".repeat(32)),
            phases: vec![("connect".to_owned(), 0.1), ("program".to_owned(), 1.7)],
            retries: 1,
            record: serde_json::json!({"problem": {"fix": "look at it"}, "plan": {"us": 0.3}}),
            ended_at: self.clock.look(),
        };
        self.records.end(attempt, &end).expect("ended");
    }

    fn passes(&mut self, site: &str, unit: u64) {
        let attempt = self.begins(site);
        self.granted(attempt, unit);
        self.ends(attempt, VerdictKind::Pass, None, Some(unit));
        self.hook(attempt, None);
    }

    fn fails(&mut self, site: &str, unit: u64, code: &str) -> AttemptId {
        let attempt = self.begins(site);
        self.granted(attempt, unit);
        self.ends(attempt, VerdictKind::Fail, Some(code), Some(unit));
        attempt
    }

    fn ends_early(&mut self, site: &str, verdict: VerdictKind, code: &str) {
        let attempt = self.begins(site);
        self.ends(attempt, verdict, Some(code), None);
    }

    fn refused(&mut self, site: &str, unit: u64) {
        let attempt = self.begins(site);
        let Claim::Refused(_) = self.claims(attempt, unit) else {
            panic!("not refused");
        };
        let code = Some("passed-before");
        self.ends(attempt, VerdictKind::Refused, code, Some(unit));
    }

    fn hook(&mut self, attempt: AttemptId, error: Option<&str>) {
        let result = HookResult {
            command: "label".to_owned(),
            status: Some(if error.is_some() { 3 } else { 0 }),
            error: error.map(str::to_owned),
            ended_at: self.clock.look(),
        };
        self.records
            .hook(attempt, &result)
            .expect("a hook's result");
    }

    /// The process ends in the middle of a line.
    fn killed_in_a_line(self, line: &Line) {
        let journal = line.journal(self.label);
        drop(self);
        let mut bytes = fs::read(&journal).expect("a journal");
        bytes.extend(b"{\"line\":999,\"prev\":\"01");
        fs::write(journal, bytes).expect("a journal");
    }
}
