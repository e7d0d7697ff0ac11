//! A command that has a board: opens the way to it, runs the job, prints the record.

use std::sync::Arc;

use super::args::BoardArgs;
use super::interrupt;
use super::progress::Progress;
use super::{CHIP, ERROR, WARNING, complain, print};
use crate::clock::{Clock, HostClock};
use crate::job::{Bench, Outcome, find_target};
#[cfg(feature = "virtual-board")]
use crate::link::VirtualProbe;
use crate::link::{self, Choice, ProbeSelector};
use crate::problem::{ExitCode, Problem};
use crate::report::{self, Record, Verdict};
use crate::target::{FlashPart, Target};

/// In place of a part's name: to be found by its ID.
const AUTO: &str = "auto";
/// Stands for the part in a target whose flash part is yet to be found.
const ANY_PART: &str = "is25wp064";

/// The target that the arguments name.
///
/// # Errors
/// Exit 2 for a name that is not known.
pub fn target(board: &BoardArgs) -> Result<Target, Problem> {
    Ok(Target::builtin(CHIP, &board.flash, &board.board)?)
}

/// As [`target`]; where the flash part is to be found, with any part: good for finding out and for what depends on the
/// chip alone.
///
/// # Errors
/// Exit 2 for a name that is not known.
pub fn assumed_target(board: &BoardArgs) -> Result<Target, Problem> {
    Ok(Target::builtin(CHIP, named_part(board), &board.board)?)
}

/// The target with the part that a job has found, where it is to be found and is another one than [`assumed_target`]'s.
pub fn other_target(board: &BoardArgs, record: &Record) -> Option<Target> {
    let found = &record.flash.as_ref().filter(|_| is_auto(board))?.part;
    let is_known =
        FlashPart::names().any(|name| name == found && !name.eq_ignore_ascii_case(ANY_PART));
    is_known.then(|| Target::builtin(CHIP, found, &board.board).ok())?
}

/// Refuses what suits none of the parts that may be found, for the reason that the largest of them gives.
fn require_suits_a_part<P>(
    board: &BoardArgs,
    prepare: impl Fn(&Target) -> Result<P, Problem>,
) -> Result<(), Problem> {
    let mut refusal: Option<(u32, Problem)> = None;
    for part in FlashPart::names() {
        let target = Target::builtin(CHIP, part, &board.board)?;
        let Err(problem) = prepare(&target) else {
            return Ok(());
        };
        let size_bytes = target.flash().size_bytes;
        if refusal.as_ref().is_none_or(|(size, _)| *size < size_bytes) {
            refusal = Some((size_bytes, problem));
        }
    }
    refusal.map_or(Ok(()), |(_, problem)| Err(problem))
}

fn named_part(board: &BoardArgs) -> &str {
    if is_auto(board) {
        ANY_PART
    } else {
        &board.flash
    }
}

fn is_auto(board: &BoardArgs) -> bool {
    board.flash.eq_ignore_ascii_case(AUTO)
}

/// Runs `work` on the board with its target: the one that is named, or the one that is found. What the job needs besides
/// comes from `prepare`, which touches no board; an image that suits no part at all is refused before the board is touched.
///
/// # Errors
/// Whatever keeps the job from being begun.
pub fn run_with_target<P>(
    command: &'static str,
    board: &BoardArgs,
    verbose: bool,
    prepare: impl Fn(&Target) -> Result<P, Problem>,
    work: impl FnOnce(&Target, P, &Bench, &mut Progress) -> Outcome,
) -> Result<u8, Problem> {
    run_with_target_saying(print, command, board, verbose, prepare, work)
}

/// The same with another place for the record's lines than standard output.
///
/// # Errors
/// As [`run_with_target`].
pub fn run_with_target_saying<P>(
    say: fn(&str),
    command: &'static str,
    board: &BoardArgs,
    verbose: bool,
    prepare: impl Fn(&Target) -> Result<P, Problem>,
    work: impl FnOnce(&Target, P, &Bench, &mut Progress) -> Outcome,
) -> Result<u8, Problem> {
    if !is_auto(board) {
        let target = target(board)?;
        let prepared = prepare(&target)?;
        return run_saying(say, board, verbose, |bench, progress| {
            work(&target, prepared, bench, progress)
        });
    }
    let assumed = assumed_target(board)?;
    require_suits_a_part(board, &prepare)?;
    run_saying(say, board, verbose, |bench, progress| {
        let found = match find_target(command, &assumed, bench, progress) {
            Ok(found) => found,
            Err(outcome) => return *outcome,
        };
        match prepare(found.target()) {
            Ok(prepared) => {
                let outcome = work(found.target(), prepared, bench, progress);
                found.note_in(outcome)
            }
            Err(problem) => found.refused(command, bench, progress, problem),
        }
    })
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
fn run_saying(
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
            virtual_probe.start(named_part(board))?,
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
