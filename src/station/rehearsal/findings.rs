//! Truth against verdict, board by board, and against what the records say.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::bill::VirtualUnit;
use super::defect::Defect;
use super::script::Visit;
use super::site::{Shown, Visited};
use super::truth::{History, Rules, Truth, bears_out};
use super::wanted::Wanted;
use crate::records::{Attempt, AttemptId, VerdictKind};

/// Verdicts counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Boards.
    pub units: u32,
    /// Insertions.
    pub insertions: u32,
    /// PASS.
    pub passed: u32,
    /// FAIL, and all that is neither of the others.
    pub failed: u32,
    /// Refused.
    pub refused: u32,
    /// Insertions without an attempt.
    pub nothing: u32,
}

impl Counts {
    /// Attempts.
    pub const fn attempts(&self) -> u32 {
        self.passed + self.failed + self.refused
    }

    fn count(&mut self, verdict: VerdictKind) {
        match verdict {
            VerdictKind::Pass => self.passed += 1,
            VerdictKind::Refused => self.refused += 1,
            VerdictKind::Fail | VerdictKind::Cancelled | VerdictKind::Interrupted => {
                self.failed += 1;
            }
        }
    }

    /// Both together.
    #[must_use]
    pub const fn and(self, other: Counts) -> Counts {
        Counts {
            units: self.units + other.units,
            insertions: self.insertions + other.insertions,
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            refused: self.refused + other.refused,
            nothing: self.nothing + other.nothing,
        }
    }
}

/// One site's figures, by its own clock.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SiteTimes {
    /// Boards that were taken out.
    pub boards: u32,
    /// When the last of them was.
    pub until: Duration,
    /// From the attempt's begin to its verdict, of boards that passed: sum in seconds, and how many.
    pub cycles: (f64, u32),
    /// The same with the host's time in the records.
    pub cycles_with_records: f64,
}

impl SiteTimes {
    /// Mean seconds from the attempt's begin to PASS; none where no board passed.
    pub fn cycle_seconds(&self) -> Option<f64> {
        (self.cycles.1 > 0).then(|| self.cycles.0 / f64::from(self.cycles.1))
    }

    /// The same with the host's time in the records.
    pub fn cycle_with_records_seconds(&self) -> Option<f64> {
        (self.cycles.1 > 0).then(|| self.cycles_with_records / f64::from(self.cycles.1))
    }

    /// Boards in an hour of the site's time.
    pub fn boards_per_hour(&self) -> f64 {
        const HOUR: f64 = 3600.0;
        match self.until.as_secs_f64() {
            0.0 => 0.0,
            seconds => f64::from(self.boards) * HOUR / seconds,
        }
    }
}

/// A rehearsal that ended before all boards were done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BrokenOff {
    /// Boards that were not done: not all of their insertions were made, or their attempt was cancelled.
    pub boards: usize,
    /// Attempts that were cancelled.
    pub cancelled: usize,
}

/// What a rehearsal comes to.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// Whether it ended before all boards were done.
    pub broken_off: Option<BrokenOff>,
    /// By what was wrong with the boards.
    pub counts: BTreeMap<Defect, Counts>,
    /// What the truth was, where it is the same for all boards with a defect.
    pub truths: BTreeMap<Defect, Vec<String>>,
    /// Verdicts that do not agree with the truth, and records that do not agree with the verdicts.
    pub disagreements: Vec<String>,
    /// By site.
    pub sites: Vec<SiteTimes>,
    /// Host seconds that the attempts spent in the records, waiting for other sites included: sum and longest.
    pub records_seconds: (f64, f64),
    /// Verdicts by board, in the order of the script.
    pub verdicts: Vec<Vec<(VerdictKind, Option<String>)>>,
}

/// What is compared.
pub struct Evidence<'e> {
    /// The boards.
    pub units: &'e [VirtualUnit],
    /// The insertions that were to be made.
    pub planned: Vec<Visit>,
    /// Whether anybody asked for an end before that.
    pub was_asked: bool,
    /// Those that were begun.
    pub visited: Vec<Visited>,
    /// What the ledger has of them.
    pub attempts: Vec<Attempt>,
    /// What of the job decides what is right.
    pub rules: Rules,
    /// Number of sites.
    pub sites: usize,
}

impl Evidence<'_> {
    /// Compares. `wanted` says what a unit's flash must hold after this attempt.
    pub fn weigh(
        mut self,
        wanted: &dyn Fn(&Attempt) -> Result<Option<Wanted>, String>,
    ) -> Findings {
        let mut findings = Findings {
            sites: vec![SiteTimes::default(); self.sites],
            verdicts: vec![Vec::new(); self.units.len()],
            ..Findings::default()
        };
        findings.broken_off = self.broken_off();
        if let Some(BrokenOff { boards, .. }) = findings.broken_off
            && !self.was_asked
        {
            findings.disagree(format!(
                "the station ended with {boards} board(s) not done, and nobody had asked it to"
            ));
        }
        // nothing can be said of a board that was put in and not begun any more
        self.visited
            .retain(|visited| visited.is_over() || !visited.shown.is_empty());
        self.visited
            .sort_by_key(|visited| (visited.visit.unit, visited.visit.of_unit));
        let passed = self.passed_units();
        let quota_used = self.rules.quota.is_some_and(|quota| passed >= quota);
        if self.rules.quota.is_some_and(|quota| passed > quota) {
            findings.disagree(format!(
                "{passed} units have passed, more than the job's quota"
            ));
        }
        let fresh = History {
            quota_used,
            ..History::default()
        };
        let mut histories = vec![fresh; self.units.len()];
        for visited in &self.visited {
            let number = visited.visit.unit;
            if let (Some(unit), Some(history)) = (self.units.get(number), histories.get_mut(number))
            {
                self.insertion(visited, unit, history, wanted, &mut findings);
            }
        }
        for unit in self.units {
            findings.counts.entry(unit.defect).or_default().units += 1;
        }
        self.unseen(&mut findings);
        self.numbers(&mut findings);
        findings
    }

    fn broken_off(&self) -> Option<BrokenOff> {
        let is_done = |visit: &&Visit| {
            let mut visited = self.visited.iter();
            visited.any(|visited| visited.visit == **visit && visited.is_done())
        };
        let left = self.planned.iter().filter(|visit| !is_done(visit));
        let boards: BTreeSet<usize> = left.map(|visit| visit.unit).collect();
        let cancelled = self.visited.iter().filter(|v| v.is_cancelled()).count();
        (!boards.is_empty()).then_some(BrokenOff {
            boards: boards.len(),
            cancelled,
        })
    }

    fn insertion(
        &self,
        visited: &Visited,
        unit: &VirtualUnit,
        history: &mut History,
        wanted: &dyn Fn(&Attempt) -> Result<Option<Wanted>, String>,
        findings: &mut Findings,
    ) {
        let name = format!(
            "board {} ({}), insertion {} at site {}",
            unit.name,
            unit.defect,
            visited.visit.of_unit + 1,
            visited.site + 1
        );
        let counts = findings.counts.entry(unit.defect).or_default();
        counts.insertions += 1;
        if visited.shown.is_empty() {
            counts.nothing += 1;
            let truth = Truth::of(unit, false, None, *history, &self.rules);
            findings.truth(unit.defect, &truth);
            if truth != Truth::Nothing {
                findings.disagree(format!("{name}: no verdict, right is: {truth}"));
            }
        }
        for (number, shown) in (1..).zip(&visited.shown) {
            // it says nothing of the board: right wherever the station ended with it
            let is_cancelled = visited.is_cancelled() && number == visited.shown.len();
            let attempt = self.attempt(shown.verdict.attempt);
            let own = match attempt.map(wanted) {
                Some(Ok(own)) => own,
                None => None,
                Some(Err(why)) => {
                    findings.disagree(format!("{name}: {why}"));
                    None
                }
            };
            let bit = own
                .as_ref()
                .and_then(|own| own.bit(unit.bit.offset, unit.bit.mask));
            let truth = Truth::of(unit, shown.struck, bit, *history, &self.rules);
            if !is_cancelled {
                findings.truth(unit.defect, &truth);
            }
            findings.verdict(unit.defect, visited, shown);
            let checks = [
                if is_cancelled {
                    Ok(())
                } else {
                    truth.allows(shown)
                },
                bears_out(unit, shown, own.as_ref(), visited.boots, &self.rules),
                on_record(shown, attempt, own.as_ref(), visited.site),
            ];
            for why in checks.into_iter().filter_map(Result::err) {
                findings.disagree(format!("{name}: {why}"));
            }
            let is_known = attempt.is_some_and(|attempt| attempt.claimed.is_some());
            match shown.verdict.verdict {
                VerdictKind::Pass => {
                    *history = History {
                        passed: true,
                        failed: 0,
                        // a unit that has passed is counted already
                        quota_used: false,
                    };
                }
                VerdictKind::Fail if is_known => history.failed += 1,
                _ => {}
            }
        }
        if let (Some(site), Some(removed_at)) =
            (findings.sites.get_mut(visited.site), visited.removed_at)
        {
            site.boards += 1;
            site.until = site.until.max(removed_at);
        }
    }

    fn passed_units(&self) -> u64 {
        let passed = |visited: &&Visited| {
            let mut shown = visited.shown.iter();
            shown.any(|shown| shown.verdict.verdict == VerdictKind::Pass)
        };
        let units: BTreeSet<usize> = self
            .visited
            .iter()
            .filter(passed)
            .map(|v| v.visit.unit)
            .collect();
        units.len() as u64
    }

    fn attempt(&self, id: Option<AttemptId>) -> Option<&Attempt> {
        let id = id?;
        self.attempts.iter().find(|attempt| attempt.id == id)
    }

    /// Attempts of the ledger whose verdict nobody saw.
    fn unseen(&self, findings: &mut Findings) {
        for attempt in &self.attempts {
            let mut shown = self.visited.iter().flat_map(|visited| &visited.shown);
            if !shown.any(|shown| shown.verdict.attempt == Some(attempt.id)) {
                let id = attempt.id.0;
                findings.disagree(format!("attempt {id} is on record, and no operator saw it"));
            }
        }
    }

    /// A number belongs to one chip.
    fn numbers(&self, findings: &mut Findings) {
        let mut owners: BTreeMap<(&str, u64), &str> = BTreeMap::new();
        for attempt in &self.attempts {
            let Some(claimed) = &attempt.claimed else {
                continue;
            };
            for reserved in &attempt.reserved {
                let key = (reserved.series.as_str(), reserved.number);
                let owner = *owners.entry(key).or_insert(&claimed.uid);
                if owner != claimed.uid {
                    let (series, number) = key;
                    let other = &claimed.uid;
                    findings.disagree(format!(
                        "number {number} of {series} belongs to the chips {owner} and {other}"
                    ));
                }
            }
        }
    }
}

impl Visited {
    /// The board was taken out again.
    const fn is_over(&self) -> bool {
        self.removed_at.is_some()
    }

    /// The station ended in mid-attempt because somebody wanted it to: the board is seated still.
    fn is_cancelled(&self) -> bool {
        let last = self.shown.last();
        !self.is_over() && last.is_some_and(|shown| shown.verdict.verdict == VerdictKind::Cancelled)
    }

    /// What was to be said of the board was said.
    fn is_done(&self) -> bool {
        self.is_over() || (!self.shown.is_empty() && !self.is_cancelled())
    }
}

/// The records say what was shown.
fn on_record(
    shown: &Shown,
    attempt: Option<&Attempt>,
    wanted: Option<&Wanted>,
    site: usize,
) -> Result<(), String> {
    let verdict = &shown.verdict;
    let Some(attempt) = attempt else {
        return Err("its attempt is not on record".to_owned());
    };
    let id = attempt.id.0;
    let Some(end) = &attempt.end else {
        return Err(format!("attempt {id} has no end on record"));
    };
    if attempt.journal.is_none() {
        return Err(format!("the journal does not tell the end of attempt {id}"));
    }
    let is_said = end.verdict == verdict.verdict
        && end.exit == verdict.exit
        && end.code == verdict.code
        && end.uid == verdict.uid
        && end.serial == verdict.serial;
    let is_here = attempt.begin.site == (site + 1).to_string() && attempt.begin.rehearsal;
    if !is_said || !is_here {
        return Err(format!(
            "attempt {id} is on record otherwise than it was shown"
        ));
    }
    if verdict.verdict == VerdictKind::Pass {
        let held = wanted.map(|wanted| wanted.sha256_of(&shown.held));
        if end.flash_sha256 != held {
            return Err(format!(
                "attempt {id} is on record with another image than the flash holds"
            ));
        }
    }
    Ok(())
}

impl Findings {
    fn disagree(&mut self, what: String) {
        self.disagreements.push(what);
    }

    fn truth(&mut self, defect: Defect, truth: &Truth) {
        let text = truth.to_string();
        let truths = self.truths.entry(defect).or_default();
        if !truths.contains(&text) {
            truths.push(text);
        }
    }

    fn verdict(&mut self, defect: Defect, visited: &Visited, shown: &Shown) {
        let verdict = &shown.verdict;
        self.counts
            .entry(defect)
            .or_default()
            .count(verdict.verdict);
        if let Some(verdicts) = self.verdicts.get_mut(visited.visit.unit) {
            verdicts.push((verdict.verdict, verdict.code.clone()));
        }
        let (sum, longest) = self.records_seconds;
        let seconds = verdict.records_seconds;
        self.records_seconds = (sum + seconds, longest.max(seconds));
        if let Some(site) = self.sites.get_mut(visited.site)
            && verdict.verdict == VerdictKind::Pass
        {
            site.cycles.0 += verdict.cycle_seconds;
            site.cycles.1 += 1;
            site.cycles_with_records += verdict.cycle_seconds + seconds;
        }
    }

    /// All boards together.
    pub fn total(&self) -> Counts {
        let mut counts = self.counts.values();
        let first = counts.next().copied().unwrap_or_default();
        counts.fold(first, |sum, counts| sum.and(*counts))
    }

    /// Whether every verdict agrees with the truth, and the records with the verdicts.
    pub fn agrees(&self) -> bool {
        self.disagreements.is_empty()
    }
}
