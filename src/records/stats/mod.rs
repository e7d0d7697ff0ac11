//! Figures over attempts: yields, failures, output and cycle times, per site and in all; pure.
//!
//! What the figures mean, and why so:
//!
//! - A **unit** is a chip under a job: the pair of job name and unique ID. An attempt that did not get as far as the unique
//!   ID belongs to the chip that its scanned code belongs to, else to a unit of that code. Where there is no code either,
//!   it is a unit of its own: nobody can say which board it was, and leaving it out would flatter the yield. How many of
//!   these there are is stated.
//! - An attempt is **judged** where it ended with PASS or FAIL. Refused, cancelled and interrupted attempts say something
//!   about the operator, the job or the station and nothing about the board, so they are nobody's first attempt. Every FAIL
//!   on record is judged, be its cause the board or the contact: the line has to touch the unit again in any case, and the
//!   Pareto of the codes tells the causes apart.
//! - A board that was shown FAIL because its end could not be put on record (exit 23) has **no FAIL on record**: it stands
//!   there as interrupted, or as what it had come to, PASS too, where the connection was lost and the end was found on
//!   record after all. An attempt whose begin could not be put on record is not there at all. None of these can be told from
//!   the others of their kind by the ledger alone, so the yields are those of the ends on record.
//! - **Tried** are the units whose first judged attempt *of all that are on record* is among those chosen: a unit that
//!   failed yesterday and passes today is no first pass of today, and one that failed at site 1 is none of site 2.
//! - **First-pass yield** is the share of the units tried whose first judged attempt passed; **final yield** the share that
//!   passed at all among the attempts chosen. The first is never above the second.
//! - A **retest** is a judged attempt on a unit that has an earlier one.
//! - **Units an hour** are the distinct units that passed, over the time from the first seat to the last verdict. Gaps of
//!   more than [`IDLE_GAP_SECONDS`] in which no attempt was under way are counted, and the rate without them is given too.
//! - **Cycle time** runs from the seat to the verdict by the station's clock, over attempts that passed: a failure ends
//!   early or late for reasons of its own. An attempt that ends before it begins (the clock was set back) has none.
//! - The **median** of an even number is the mean of the middle two; the **90 % value** is the smallest that at least 90 %
//!   do not exceed (nearest rank).
//! - A site **fails more often** by its units' first judged attempts (a bad board that is tried three times is no news about
//!   the site), where it does so at least [`NOTABLY_OFTEN`] times as often as the others and chance alone (Fisher's exact
//!   test, one-sided, divided by the number of sites) would do it less than once in a hundred lines. It is **slower** where
//!   its median is [`NOTABLY_SLOW`] times that of the others or more, with at least [`FEWEST_CYCLES`] passes on both sides.

mod cycle;
mod notable;
mod output;
mod text;
mod units;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

pub use cycle::{OverBudget, PhaseMedian, Spread, cycle_seconds};
pub use notable::{FEWEST_CYCLES, NOTABLY_OFTEN, NOTABLY_SLOW, Notable};
pub use output::{IDLE_GAP_SECONDS, Output};
pub use units::{Retests, Units};

use super::{Attempt, AttemptId, VerdictKind};
use units::Histories;

/// Version of the figures; raised when a field changes its meaning or goes away.
pub const STATS_VERSION: u32 = 1;

/// Stands in the Pareto for a failure without a code.
const NO_CODE: &str = "(no code)";

/// The figures.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Stats {
    /// [`STATS_VERSION`].
    pub stats_version: u32,
    /// All chosen attempts together.
    pub all: Figures,
    /// Each site, by station and site.
    pub sites: Vec<SiteFigures>,
    /// What a line engineer should look at.
    pub notable: Vec<Notable>,
}

/// The figures of one site.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SiteFigures {
    /// Label of the station.
    pub station: String,
    /// Label of the site.
    pub site: String,
    /// Its median cycle time in multiples of that of all sites.
    pub cycle_to_all: Option<f64>,
    /// The figures.
    #[serde(flatten)]
    pub figures: Figures,
}

/// The figures of some attempts.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Figures {
    /// How the attempts ended.
    pub attempts: Endings,
    /// Units and yields.
    pub units: Units,
    /// Units that were tried more than once.
    pub retests: Retests,
    /// FAIL verdicts by their code, the most frequent first.
    pub failures: Vec<Failure>,
    /// Units an hour.
    pub output: Option<Output>,
    /// Cycle time of the attempts that passed, in seconds.
    pub cycle: Option<Spread>,
    /// Attempts that passed and took longer than the budget; none where no budget was stated.
    pub over_budget: Option<OverBudget>,
    /// Median seconds of each phase of the attempts that passed, in the order of the phases.
    pub phases: Vec<PhaseMedian>,
    /// Attempts whose end is earlier than their begin: the station's clock was set back.
    pub backwards: u32,
}

/// How many attempts ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Endings {
    /// All of them.
    pub total: u32,
    /// Passed.
    pub pass: u32,
    /// Failed.
    pub fail: u32,
    /// Refused.
    pub refused: u32,
    /// Ended by the operator.
    pub cancelled: u32,
    /// Cut off with their station, or shown as FAIL with exit 23 because their end could not be put on record.
    pub interrupted: u32,
    /// Without an end on record: under way, or cut off and not settled yet.
    pub open: u32,
}

/// Failures with one code.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Failure {
    /// The stable code.
    pub code: String,
    /// FAIL verdicts with it.
    pub count: u32,
    /// Its share of all FAIL verdicts, 0 to 1.
    pub share: f64,
    /// The share of it and all more frequent ones.
    pub cumulative: f64,
}

impl Stats {
    /// The figures of the attempts `chosen` of `history`, which is all that is on record of their units. Neither's order
    /// matters: attempts are in the order of their numbers. `budget_seconds` is the cycle time that the line allows.
    pub fn of(
        history: &[Attempt],
        chosen: &BTreeSet<AttemptId>,
        budget_seconds: Option<f64>,
    ) -> Stats {
        let histories = Histories::of(history);
        let mut attempts: Vec<&Attempt> = history
            .iter()
            .filter(|attempt| chosen.contains(&attempt.id))
            .collect();
        attempts.sort_by_key(|attempt| attempt.id);
        attempts.dedup_by_key(|attempt| attempt.id);
        let mut by_site: BTreeMap<(&str, &str), Vec<&Attempt>> = BTreeMap::new();
        for attempt in &attempts {
            let place = (attempt.begin.station.as_str(), attempt.begin.site.as_str());
            by_site.entry(place).or_default().push(attempt);
        }
        let all = Figures::of(&attempts, &histories, budget_seconds);
        let median_of_all = all.cycle.as_ref().map(|cycle| cycle.median);
        let sites = by_site.iter().map(|((station, site), attempts)| {
            let figures = Figures::of(attempts, &histories, budget_seconds);
            let median = figures.cycle.as_ref().map(|cycle| cycle.median);
            SiteFigures {
                station: (*station).to_owned(),
                site: (*site).to_owned(),
                cycle_to_all: median.zip(median_of_all).and_then(|(a, b)| ratio(a, b)),
                figures,
            }
        });
        let sites: Vec<SiteFigures> = sites.collect();
        let notable = notable::notable(&sites, &by_site);
        Stats {
            stats_version: STATS_VERSION,
            all,
            sites,
            notable,
        }
    }

    /// The figures as lines for people.
    pub fn lines(&self) -> Vec<String> {
        text::lines(self)
    }
}

impl Figures {
    /// `attempts` are in the order of their numbers.
    fn of(attempts: &[&Attempt], histories: &Histories<'_>, budget: Option<f64>) -> Figures {
        let cycles = cycle::cycles(attempts);
        Figures {
            attempts: endings(attempts),
            units: histories.units(attempts),
            retests: histories.retests(attempts),
            failures: failures(attempts),
            output: output::output(attempts, histories),
            over_budget: budget.map(|budget| OverBudget::of(&cycles, budget)),
            cycle: Spread::of(cycles),
            phases: cycle::phase_medians(attempts),
            backwards: counted(
                attempts
                    .iter()
                    .filter(|attempt| cycle::is_backwards(attempt)),
            ),
        }
    }
}

fn endings(attempts: &[&Attempt]) -> Endings {
    let mut endings = Endings::default();
    for attempt in attempts {
        endings.total += 1;
        let counter = match verdict(attempt) {
            Some(VerdictKind::Pass) => &mut endings.pass,
            Some(VerdictKind::Fail) => &mut endings.fail,
            Some(VerdictKind::Refused) => &mut endings.refused,
            Some(VerdictKind::Cancelled) => &mut endings.cancelled,
            Some(VerdictKind::Interrupted) => &mut endings.interrupted,
            None => &mut endings.open,
        };
        *counter += 1;
    }
    endings
}

fn failures(attempts: &[&Attempt]) -> Vec<Failure> {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for attempt in attempts {
        if let Some(end) = attempt.end.as_ref()
            && end.verdict == VerdictKind::Fail
        {
            *counts
                .entry(end.code.as_deref().unwrap_or(NO_CODE))
                .or_default() += 1;
        }
    }
    let total: u32 = counts.values().sum();
    let mut counts: Vec<(&str, u32)> = counts.into_iter().collect();
    // equal counts stay in the order of their codes
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let mut so_far = 0;
    counts
        .into_iter()
        .map(|(code, count)| {
            so_far += count;
            Failure {
                code: code.to_owned(),
                count,
                share: share(count, total).unwrap_or_default(),
                cumulative: share(so_far, total).unwrap_or_default(),
            }
        })
        .collect()
}

fn verdict(attempt: &Attempt) -> Option<VerdictKind> {
    attempt.end.as_ref().map(|end| end.verdict)
}

fn is_pass(attempt: &Attempt) -> bool {
    verdict(attempt) == Some(VerdictKind::Pass)
}

/// Whether it reached a verdict about the board.
fn is_judged(attempt: &Attempt) -> bool {
    matches!(
        verdict(attempt),
        Some(VerdictKind::Pass | VerdictKind::Fail)
    )
}

fn counted<T>(items: impl Iterator<Item = T>) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}

fn share(part: u32, whole: u32) -> Option<f64> {
    ratio(f64::from(part), f64::from(whole))
}

fn ratio(a: f64, b: f64) -> Option<f64> {
    (b > 0.0).then(|| a / b)
}
