//! Counts and yields of this run, as `rtflash records stats` means them.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::records::VerdictKind;
use crate::station::UnitVerdict;

const SECONDS_PER_HOUR: f64 = 3600.0;
const PERCENT: u64 = 100;

/// Attempts of one site, or of all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// Attempts that ended.
    pub attempts: u32,
    /// Those that ended in PASS.
    pub passed: u32,
    /// Those that ended in PASS or FAIL: the others say something about the operator or the job, not about the board.
    pub judged: u32,
    /// Units whose first attempt ended here, in PASS or FAIL. One that failed before its chip was known counts as a unit of
    /// its own: leaving it out would flatter the yield.
    pub tried: u32,
    /// Units among them that passed at once.
    pub first_passes: u32,
    /// Chips that passed.
    units: BTreeSet<String>,
    /// From the station's start, or the first begin where that was not told, to the last verdict.
    span: Option<(Timestamp, Timestamp)>,
}

impl Figures {
    /// The time before the first board counts: a rate over the first boards alone would promise what no shift keeps.
    pub(super) fn started(&mut self, at: Timestamp) {
        self.widen(at);
    }

    pub(super) fn begun(&mut self, at: Timestamp) {
        self.widen(at);
    }

    pub(super) fn ended(
        &mut self,
        at: Timestamp,
        verdict: &UnitVerdict,
        attempt_of_unit: Option<u32>,
    ) {
        self.widen(at);
        self.attempts += 1;
        let passed = match verdict.verdict {
            VerdictKind::Pass => true,
            VerdictKind::Fail => false,
            VerdictKind::Refused | VerdictKind::Cancelled | VerdictKind::Interrupted => return,
        };
        self.judged += 1;
        self.passed += u32::from(passed);
        if attempt_of_unit.is_none_or(|attempt| attempt <= 1) {
            self.tried += 1;
            self.first_passes += u32::from(passed);
        }
        if passed && let Some(uid) = &verdict.uid {
            self.units.insert(uid.clone());
        }
    }

    /// Share of the attempts judged that passed, in whole percent, rounded down; none before the first.
    pub fn attempt_yield(&self) -> Option<u64> {
        share(self.passed, self.judged)
    }

    /// Share of the units tried that passed at their first attempt, in whole percent, rounded down; none before the first.
    pub fn first_pass_yield(&self) -> Option<u64> {
        share(self.first_passes, self.tried)
    }

    /// Units that passed, by the hours from the station's start to the last verdict; none before there are two.
    pub fn units_per_hour(&self) -> Option<f64> {
        let (from, to) = self.span?;
        let hours = to.duration_since(from).as_secs_f64() / SECONDS_PER_HOUR;
        let units = u32::try_from(self.units.len()).unwrap_or(u32::MAX);
        (units > 1 && hours > 0.0).then(|| f64::from(units) / hours)
    }

    /// Sites of a rehearsal have their own time each, and a clock may be set back: the widest span counts.
    fn widen(&mut self, at: Timestamp) {
        let (from, to) = self.span.unwrap_or((at, at));
        self.span = Some((from.min(at), to.max(at)));
    }
}

fn share(part: u32, whole: u32) -> Option<u64> {
    (u64::from(part) * PERCENT).checked_div(u64::from(whole))
}
