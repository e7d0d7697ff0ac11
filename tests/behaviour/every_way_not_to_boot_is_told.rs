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

/// What is wrong with how `failure` is told; `None` where nothing is.
fn complaint(failure: &BootFailure) -> Option<String> {
    complaint_about(failure, &failure.start_as_just_flashed())
}

fn complaint_about(failure: &BootFailure, board: &VirtualBench) -> Option<String> {
    let outcome = reset(board);
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

/// `RTFLASH_BOOT_FAILURE` picks rows by a part of their names.
#[test]
fn every_failure_to_boot_ends_in_16_and_names_the_stage() {
    let filter = std::env::var("RTFLASH_BOOT_FAILURE").unwrap_or_default();
    let complaints: Vec<String> = all()
        .filter(|failure| failure.name.contains(&filter))
        .filter_map(complaint)
        .collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n\n"));
}

#[test]
fn after_a_failed_proof_the_board_runs_on_and_its_flash_is_as_the_rom_needs_it() {
    // one board of every stage: boot mode, FCB, IVT, entry, image
    let stages = [
        "boot mode pins say serial downloader",
        "the FCB has no read sequence",
        "the boot data's length is 0",
        "the reset vector is no Thumb address",
        "the image's first instruction is undefined",
    ];
    for name in stages {
        let failure = all().find(|failure| failure.name == name).expect(name);
        let board = failure.start_as_just_flashed();
        reset(&board);
        let (halted, debug_enabled, demcr) = board
            .board()
            .with(|b| {
                let debug = &b.chip.cpu.debug;
                (debug.halted(), debug.enabled(), debug.read_demcr())
            })
            .expect("board");
        assert_eq!((halted, debug_enabled, demcr), (false, false, 0), "{name}");
        let content = (failure.flash)();
        assert!(bench::flash_content(&board).starts_with(&content), "{name}");
        // with what was wrong put right, the next warm reset boots: nothing is left in the flash that hinders the ROM
        let sound = crate::boot_failures::sound(&crate::thumb::SPIN);
        bench::fill(&board, 0, &sound);
        let booted = board.board().with(|b| {
            b.chip.reset(virtual_board::soc::ResetCause::SystemRequest);
            b.wait(virtual_board::time::Time::ms(30));
            b.chip.rom_outcome()
        });
        let booted = format!("{:?}", booted.expect("board"));
        let expected = if name.contains("pins") {
            "SerialDownloader(StrappedToSerialDownloader"
        } else {
            "Booted"
        };
        assert!(booted.contains(expected), "{name}: {booted}");
    }
}

#[test]
fn a_board_that_was_switched_on_like_that_is_told_the_same() {
    for name in [
        "boot mode pins say serial downloader",
        "a fuse asks for the endless loop in the boot ROM",
        "the flash is blank",
        "the IVT is missing",
        "the image faults behind its start-up code, and its fault handler loops",
    ] {
        let failure = all().find(|failure| failure.name == name).expect(name);
        let told = complaint_about(failure, &failure.start());
        assert_eq!(told, None);
    }
}
