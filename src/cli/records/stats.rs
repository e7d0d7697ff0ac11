//! `rtflash records stats`: the figures.

use std::collections::BTreeSet;

use clap::Args;

use super::filter::FilterArgs;
use crate::cli::print;
use crate::cli::records_place::RecordsPlace;
use crate::problem::{ExitCode, Problem};
use crate::records::Filter;
use crate::records::stats::Stats;

/// What the long help says; the definitions with their reasons are in the module `records::stats`.
pub const ABOUT: &str = "\
Count: first-pass yield, failures by code, units an hour, cycle times, per site and in all

A unit is a chip under a job. Its first attempt is the first of all on record that ended with PASS or FAIL, whatever the \
options choose: a unit that failed yesterday is no first pass of today. Refused, cancelled and interrupted attempts say \
nothing about the board and are nobody's first; boards shown as FAIL 23 are on record as interrupted. A failure before the chip was known counts as a unit of its own, unless \
its barcode tells the chip. First-pass yield is the share of the units tried that passed at their first attempt, final \
yield the share that passed. Units an hour are counted from the first seat to the last verdict; gaps of more than five \
minutes are told. Cycle times run from the seat to a PASS. A site is named where it fails at least twice as often as the \
others and chance is no good explanation, or where its median cycle is 1.1 times theirs or more.";

/// Arguments of `stats`.
#[derive(Debug, Args)]
pub struct StatsArgs {
    #[command(flatten)]
    place: RecordsPlace,
    #[command(flatten)]
    filter: FilterArgs,
    /// Cycle time in seconds that a unit may take: those that passed and took longer are counted
    #[arg(long, value_name = "SECONDS", value_parser = budget)]
    budget: Option<f64>,
    /// One JSON record in place of lines, as docs/records-stats.schema.json describes it
    #[arg(long)]
    json: bool,
}

fn budget(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|seconds: &f64| *seconds > 0.0);
    seconds
        .filter(|seconds| seconds.is_finite())
        .ok_or_else(|| "not a number of seconds above 0".to_owned())
}

/// Prints the figures.
///
/// # Errors
/// They cannot be read.
pub fn run(args: &StatsArgs) -> Result<u8, Problem> {
    let mut ledger = super::open(&args.place)?;
    let filter = args.filter.filter();
    let mut chosen = BTreeSet::new();
    ledger
        .each(&filter, &mut |attempt| {
            chosen.insert(attempt.id);
        })
        .map_err(super::unreadable)?;
    // what else is on record tells which attempt was a unit's first
    let of_job = Filter {
        job: filter.job,
        ..Filter::default()
    };
    let mut history = Vec::new();
    ledger
        .each(&of_job, &mut |mut attempt| {
            // no figure needs these, and there may be very many
            if let Some(end) = &mut attempt.end {
                end.record = serde_json::Value::Null;
                end.text.clear();
            }
            (attempt.reserved, attempt.hooks) = (Vec::new(), Vec::new());
            history.push(attempt);
        })
        .map_err(super::unreadable)?;
    let stats = Stats::of(&history, &chosen, args.budget);
    if args.json {
        print(&super::json(&stats)?);
    } else {
        stats.lines().iter().for_each(|line| print(line));
    }
    Ok(ExitCode::Proven.number())
}
