//! A command that has a board: opens the way to it, runs the job, prints the record.

use std::sync::Arc;

use super::args::BoardArgs;
use super::interrupt;
use super::progress::Progress;
use super::{CHIP, ERROR, WARNING, complain, print};
use crate::clock::{Clock, HostClock};
use crate::job::{Bench, Outcome};
#[cfg(feature = "virtual-board")]
use crate::link::VirtualProbe;
use crate::link::{self, Choice, ProbeSelector};
use crate::problem::{ExitCode, Problem};
use crate::report::{self, Record, Verdict};
use crate::target::Target;

/// The target that the arguments name.
///
/// # Errors
/// Exit 2 for a name that is not known.
pub fn target(board: &BoardArgs) -> Result<Target, Problem> {
    Ok(Target::builtin(CHIP, &board.flash, &board.board)?)
}

/// The last word where a command ended before it had a record of its own.
pub fn refused(command: &'static str, json: bool, problem: &Problem) -> String {
    if json {
        let record = Record::refused(command, problem);
        // a record is plain data: this cannot fail, and the error itself is on stderr
        return serde_json::to_string_pretty(&record).unwrap_or_default();
    }
    Verdict::refused(problem).to_string()
}

/// Opens the way to the board, runs `work` on it and prints its record.
///
/// # Errors
/// Whatever keeps the job from being begun.
pub fn run(
    board: &BoardArgs,
    verbose: bool,
    work: impl FnOnce(&Bench, &mut Progress) -> Outcome,
) -> Result<u8, Problem> {
    run_saying(print, board, verbose, work)
}

/// The same with another place for the record's lines than standard output.
///
/// # Errors
/// As [`run`].
pub fn run_saying(
    say: fn(&str),
    board: &BoardArgs,
    verbose: bool,
    work: impl FnOnce(&Bench, &mut Progress) -> Outcome,
) -> Result<u8, Problem> {
    let bench = bench(board)?;
    interrupt::watch()?;
    let mut progress = Progress::new();
    let outcome = work(&bench, &mut progress);
    progress.finish();
    for line in bench.trace() {
        tracing::debug!("virtual board: {line}");
    }
    // the verdict is the last word, so what led to it comes first
    if let Some(problem) = &outcome.problem {
        let accepted = outcome.record.verdict.exit() == ExitCode::Proven.number();
        complain(problem, if accepted { WARNING } else { ERROR });
    }
    if board.json {
        let text = serde_json::to_string_pretty(&outcome.record)
            .map_err(|e| Problem::new("json", ExitCode::Internal, e.to_string()))?;
        say(&text);
    } else {
        for line in report::lines(&outcome.record, verbose) {
            say(&line);
        }
    }
    Ok(outcome.record.verdict.exit())
}

fn bench(board: &BoardArgs) -> Result<Bench, Problem> {
    let mut choice = Choice {
        probe: None,
        speed_khz: board.speed,
        connect_under_reset: board.connect_under_reset,
        plain: false,
    };
    let Some(text) = board.probe.as_ref().filter(|text| !text.is_empty()) else {
        return Ok(Bench::real(choice, host_clock()));
    };
    #[cfg(feature = "virtual-board")]
    if let Some(virtual_probe) = VirtualProbe::parse(text)? {
        return Ok(Bench::virtual_board(
            choice,
            virtual_probe.start(&board.flash)?,
        ));
    }
    let selector: ProbeSelector = text.parse().map_err(|e: link::SelectorError| {
        Problem::new("probe-selector", ExitCode::Usage, e.to_string())
            .fix("take the selector from `rtflash probes`, or use `virtual`")
    })?;
    choice.probe = Some(selector);
    Ok(Bench::real(choice, host_clock()))
}

fn host_clock() -> Arc<dyn Clock + Send + Sync> {
    Arc::new(HostClock::start())
}
