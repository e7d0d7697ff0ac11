//! Which attempts are on the same unit, which one is its first, and the yields that follow.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{counted, is_judged, is_pass, share};
use crate::records::{Attempt, AttemptId};

/// Units and yields.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Units {
    /// Units whose first judged attempt is among those chosen.
    pub tried: u32,
    /// Of these, units that are no more than one failing attempt whose chip is not known.
    pub unidentified: u32,
    /// Units tried whose first judged attempt passed.
    pub passed_first: u32,
    /// Units tried that passed.
    pub passed: u32,
    /// Share of the units tried that passed at the first attempt, 0 to 1; none where none was tried.
    pub first_pass_yield: Option<f64>,
    /// Share of the units tried that passed, 0 to 1.
    pub final_yield: Option<f64>,
}

/// Units that were tried more than once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Retests {
    /// Judged attempts on units that have an earlier one.
    pub attempts: u32,
    /// The units that these are on.
    pub units: u32,
    /// The most judged attempts on one unit, up to its last one that is chosen.
    pub most: u32,
    /// Units that passed among the attempts chosen and had failed before that.
    pub passed_after_failure: u32,
}

/// What tells one unit from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UnitKey<'a> {
    /// A chip under a job.
    Chip { job: &'a str, uid: &'a str },
    /// A scanned code that no chip is known for.
    Code { job: &'a str, barcode: &'a str },
    /// Nobody can say.
    Unknown(AttemptId),
}

/// The judged attempts of every unit, oldest first.
pub struct Histories<'a> {
    chip_of_code: BTreeMap<(&'a str, &'a str), &'a str>,
    judged: BTreeMap<UnitKey<'a>, Vec<(AttemptId, bool)>>,
}

impl<'a> Histories<'a> {
    /// Of all that is on record.
    pub fn of(history: &'a [Attempt]) -> Self {
        let mut history: Vec<&Attempt> = history.iter().collect();
        history.sort_by_key(|attempt| attempt.id);
        history.dedup_by_key(|attempt| attempt.id);
        let mut histories = Histories {
            chip_of_code: BTreeMap::new(),
            judged: BTreeMap::new(),
        };
        for attempt in &history {
            if let (Some(code), Some(uid)) = (&attempt.begin.barcode, uid(attempt)) {
                histories
                    .chip_of_code
                    .entry((&attempt.begin.job, code))
                    .or_insert(uid);
            }
        }
        for attempt in history.into_iter().filter(|attempt| is_judged(attempt)) {
            let key = histories.key(attempt);
            let judged = histories.judged.entry(key).or_default();
            judged.push((attempt.id, is_pass(attempt)));
        }
        histories
    }

    /// The unit that an attempt is on.
    pub fn key(&self, attempt: &'a Attempt) -> UnitKey<'a> {
        let job = attempt.begin.job.as_str();
        if let Some(uid) = uid(attempt) {
            return UnitKey::Chip { job, uid };
        }
        let Some(barcode) = attempt.begin.barcode.as_deref() else {
            return UnitKey::Unknown(attempt.id);
        };
        match self.chip_of_code.get(&(job, barcode)) {
            Some(uid) => UnitKey::Chip { job, uid },
            None => UnitKey::Code { job, barcode },
        }
    }

    /// Whether it is the first judged attempt on its unit.
    pub fn is_first(&self, attempt: &'a Attempt) -> bool {
        let judged = self.judged.get(&self.key(attempt));
        judged.and_then(|judged| judged.first()).map(|(id, _)| *id) == Some(attempt.id)
    }

    pub fn units(&self, attempts: &[&'a Attempt]) -> Units {
        let first: Vec<&Attempt> = attempts
            .iter()
            .copied()
            .filter(|attempt| self.is_first(attempt))
            .collect();
        let tried: BTreeSet<UnitKey> = first.iter().map(|attempt| self.key(attempt)).collect();
        let passed: BTreeSet<UnitKey> = attempts
            .iter()
            .filter(|attempt| is_pass(attempt))
            .map(|attempt| self.key(attempt))
            .filter(|key| tried.contains(key))
            .collect();
        let passed_first = counted(first.iter().filter(|attempt| is_pass(attempt)));
        let (all, passed) = (counted(tried.iter()), counted(passed.iter()));
        Units {
            tried: all,
            unidentified: counted(
                tried
                    .iter()
                    .filter(|key| matches!(key, UnitKey::Unknown(_))),
            ),
            passed_first,
            passed,
            first_pass_yield: share(passed_first, all),
            final_yield: share(passed, all),
        }
    }

    pub fn retests(&self, attempts: &[&'a Attempt]) -> Retests {
        let judged = || {
            attempts
                .iter()
                .copied()
                .filter(|attempt| is_judged(attempt))
        };
        let again: Vec<UnitKey> = judged()
            .filter(|attempt| !self.is_first(attempt))
            .map(|attempt| self.key(attempt))
            .collect();
        let repaired: BTreeSet<UnitKey> = judged()
            .filter(|attempt| is_pass(attempt) && self.before(attempt).any(|passed| !passed))
            .map(|attempt| self.key(attempt))
            .collect();
        Retests {
            attempts: counted(again.iter()),
            units: counted(again.iter().collect::<BTreeSet<_>>().iter()),
            most: judged()
                .map(|attempt| counted(self.before(attempt)) + 1)
                .max()
                .unwrap_or_default(),
            passed_after_failure: counted(repaired.iter()),
        }
    }

    /// Whether each earlier judged attempt on the same unit passed.
    fn before(&self, attempt: &'a Attempt) -> impl Iterator<Item = bool> {
        let judged = self.judged.get(&self.key(attempt)).into_iter().flatten();
        let id = attempt.id;
        judged
            .take_while(move |(other, _)| *other < id)
            .map(|(_, passed)| *passed)
    }
}

fn uid(attempt: &Attempt) -> Option<&str> {
    let of_end = attempt.end.as_ref().and_then(|end| end.uid.as_deref());
    of_end.or_else(|| attempt.claimed.as_ref().map(|claimed| claimed.uid.as_str()))
}
