//! How long attempts and their phases take.

use serde::Serialize;

use super::{counted, is_pass, share};
use crate::records::Attempt;

/// The share of attempts that the second figure of a [`Spread`] covers, in percent.
const MOST_PERCENT: usize = 90;
const PERCENT: usize = 100;

/// How a time is spread, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Spread {
    /// How many attempts were measured.
    pub count: u32,
    /// The median.
    pub median: f64,
    /// The smallest time that at least 90 % of the attempts do not exceed.
    pub p90: f64,
    /// The longest.
    pub max: f64,
}

/// Attempts that took longer than they may.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OverBudget {
    /// The budget in seconds.
    pub budget_seconds: f64,
    /// Attempts that passed and took longer.
    pub attempts: u32,
    /// Their share of the attempts that passed, 0 to 1.
    pub share: Option<f64>,
}

/// The median time of one phase.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PhaseMedian {
    /// Its name.
    pub phase: String,
    /// Median of its seconds by the board's clock.
    pub median: f64,
}

impl Spread {
    pub(super) fn of(mut seconds: Vec<f64>) -> Option<Spread> {
        seconds.sort_by(f64::total_cmp);
        let rank = (seconds.len() * MOST_PERCENT).div_ceil(PERCENT);
        Some(Spread {
            count: counted(seconds.iter()),
            median: median(&seconds)?,
            p90: *seconds.get(rank.checked_sub(1)?)?,
            max: *seconds.last()?,
        })
    }
}

impl OverBudget {
    pub(super) fn of(cycles: &[f64], budget_seconds: f64) -> OverBudget {
        let attempts = counted(cycles.iter().filter(|cycle| **cycle > budget_seconds));
        OverBudget {
            budget_seconds,
            attempts,
            share: share(attempts, counted(cycles.iter())),
        }
    }
}

/// Of sorted values.
fn median(sorted: &[f64]) -> Option<f64> {
    let upper = *sorted.get(sorted.len() / 2)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = *sorted.get((sorted.len() / 2).checked_sub(1)?)?;
    Some(f64::midpoint(lower, upper))
}

/// From the seat to the verdict, in seconds by the station's clock; none without an end, or where the clock was set back.
pub fn cycle_seconds(attempt: &Attempt) -> Option<f64> {
    let end = attempt.end.as_ref()?;
    let span = end.ended_at.duration_since(attempt.begin.begun_at);
    (!span.is_negative()).then(|| span.as_secs_f64())
}

pub fn is_backwards(attempt: &Attempt) -> bool {
    attempt.end.is_some() && cycle_seconds(attempt).is_none()
}

/// Of the attempts that passed.
pub fn cycles(attempts: &[&Attempt]) -> Vec<f64> {
    let passed = attempts.iter().filter(|attempt| is_pass(attempt));
    passed
        .filter_map(|attempt| cycle_seconds(attempt))
        .collect()
}

/// A phase that an attempt goes through twice counts with its sum.
pub fn phase_medians(attempts: &[&Attempt]) -> Vec<PhaseMedian> {
    let mut phases: Vec<(&str, Vec<f64>)> = Vec::new();
    for attempt in attempts.iter().filter(|attempt| is_pass(attempt)) {
        let mut of_attempt: Vec<(&str, f64)> = Vec::new();
        for (name, seconds) in attempt.end.iter().flat_map(|end| &end.phases) {
            match of_attempt.iter_mut().find(|(known, _)| known == name) {
                Some((_, sum)) => *sum += seconds,
                None => of_attempt.push((name, *seconds)),
            }
        }
        for (name, seconds) in of_attempt {
            match phases.iter_mut().find(|(known, _)| *known == name) {
                Some((_, all)) => all.push(seconds),
                None => phases.push((name, vec![seconds])),
            }
        }
    }
    let medians = phases.into_iter().filter_map(|(name, mut all)| {
        all.sort_by(f64::total_cmp);
        Some(PhaseMedian {
            phase: name.to_owned(),
            median: median(&all)?,
        })
    });
    medians.collect()
}
