//! Units an hour, and the gaps in which nothing was under way.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;

use super::units::Histories;
use super::{counted, is_pass, ratio, verdict};
use crate::records::{Attempt, VerdictKind};

/// A longer time without any attempt under way is an idle gap: five minutes, well above the change of a board and well
/// below a break.
pub const IDLE_GAP_SECONDS: f64 = 300.0;
const SECONDS_PER_HOUR: f64 = 3600.0;

/// Units that passed, over time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Output {
    /// Distinct units that passed.
    pub units: u32,
    /// When the first board was seated.
    #[cfg_attr(test, schemars(with = "String"))]
    pub first_seat: Timestamp,
    /// When the last verdict was given.
    #[cfg_attr(test, schemars(with = "String"))]
    pub last_verdict: Timestamp,
    /// Seconds from one to the other.
    pub seconds: f64,
    /// Units an hour over that time; none where it is no time.
    pub units_per_hour: Option<f64>,
    /// Gaps of more than [`IDLE_GAP_SECONDS`] in which no attempt was under way.
    pub idle_gaps: u32,
    /// Seconds of these gaps together.
    pub idle_seconds: f64,
    /// Seconds of the longest.
    pub longest_gap_seconds: f64,
    /// Units an hour over the time without these gaps.
    pub units_per_hour_without_gaps: Option<f64>,
}

/// None where no verdict was given.
pub fn output(attempts: &[&Attempt], histories: &Histories<'_>) -> Option<Output> {
    let mut spans: Vec<(Timestamp, Option<Timestamp>)> =
        attempts.iter().map(|attempt| span(attempt)).collect();
    spans.sort();
    let first_seat = spans.first()?.0;
    let last_verdict = spans.iter().filter_map(|(_, end)| *end).max()?;
    let (mut gaps, mut idle, mut longest) = (0, 0.0, 0.0);
    let mut busy_until = first_seat;
    for (begin, end) in spans {
        let gap = seconds(busy_until, begin.min(last_verdict));
        if gap > IDLE_GAP_SECONDS {
            gaps += 1;
            idle += gap;
            longest = f64::max(longest, gap);
        }
        busy_until = busy_until.max(end.unwrap_or(begin));
    }
    let passed: BTreeSet<_> = attempts
        .iter()
        .filter(|attempt| is_pass(attempt))
        .map(|attempt| histories.key(attempt))
        .collect();
    let units = counted(passed.iter());
    let whole = seconds(first_seat, last_verdict);
    let an_hour = |span: f64| ratio(f64::from(units) * SECONDS_PER_HOUR, span);
    Some(Output {
        units,
        first_seat,
        last_verdict,
        seconds: whole,
        units_per_hour: an_hour(whole),
        idle_gaps: gaps,
        idle_seconds: idle,
        longest_gap_seconds: longest,
        units_per_hour_without_gaps: an_hour(whole - idle),
    })
}

/// From the seat to the verdict. An interruption is put on record when the station starts again, so its time is no verdict's;
/// nor is one before the seat.
fn span(attempt: &Attempt) -> (Timestamp, Option<Timestamp>) {
    let begin = attempt.begin.begun_at;
    let is_verdict = verdict(attempt).is_some_and(|kind| kind != VerdictKind::Interrupted);
    let end = attempt.end.as_ref().map(|end| end.ended_at);
    (begin, end.filter(|end| is_verdict && *end >= begin))
}

fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64()
}
