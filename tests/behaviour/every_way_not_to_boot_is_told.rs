//! A board that does not boot is never a PASS, and the user is told which stage failed: one row for every way in which the
//! virtual board can fail to boot.

use std::time::Duration;

use rtflash::job::{self, Bench, Job, Outcome};
use rtflash::link::{Choice, VirtualBench};
use rtflash::problem::ExitCode;

use crate::bench;
use crate::boot_failures::{BootFailure, all};

/// Ten times what the boot ROM takes.
const TIMEOUT: Duration = Duration::from_millis(200);

fn reset(board: &VirtualBench) -> Outcome {
    let target = bench::target();
    let job = Job {
        boot_timeout: Some(TIMEOUT),
        ..Job::new(&target)
    };
    let choice = Choice {
        speed_khz: Some(15_000),
        ..Choice::default()
    };
    job::reset(&job, &Bench::virtual_board(choice, board.clone()), &mut ())
}

/// What is wrong with how `failure` is told; empty where nothing is.
fn complaint(failure: &BootFailure) -> Option<String> {
    let outcome = reset(&failure.start_as_just_flashed());
    let exit = outcome.record.verdict.exit();
    let Some(problem) = outcome.problem else {
        return Some(format!("{}: no problem, exit {exit}", failure.name));
    };
    let boot = outcome.record.boot;
    let right = problem.code == failure.code
        && problem.to_string().contains(failure.says)
        && exit == ExitCode::BootNotProven.number()
        && problem.fix.is_some()
        && boot.is_some_and(|boot| !boot.proven);
    (!right).then(|| {
        format!(
            "{}: expected {} ({:?}), exit {exit}: {problem}",
            failure.name, failure.code, failure.says
        )
    })
}

#[test]
fn every_failure_to_boot_ends_in_16_and_names_the_stage() {
    let filter = std::env::var("RTFLASH_BOOT_FAILURE").unwrap_or_default();
    let complaints: Vec<String> = all()
        .filter(|failure| failure.name.contains(&filter))
        .filter_map(complaint)
        .collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n\n"));
}
