//! `read` writes a file only of bytes that the target digests as the same, and `read` and `verify` let the board boot
//! again; what could not be read is never told as what the flash holds.

use std::cell::Cell;
use std::fs;
use std::path::Path;

use rtflash::job::{self, Destination, Job, Outcome, OutputFile, PackFormat, ReadRequest, Request};
use rtflash::link::VirtualBench;
use tempfile::TempDir;
use virtual_board::rom;
use virtual_board::time::Time;

use crate::bench;
use crate::watched::{self, Watched};

const FILE: &str = "out.bin";
const FROM: usize = 0x2_0000;
const LENGTH: usize = 0x3000;

fn desk() -> TempDir {
    tempfile::tempdir().expect("folder")
}

fn board() -> VirtualBench {
    let board = bench::start(bench::config());
    bench::fill(&board, FROM, &bench::noise(1, LENGTH));
    board
}

fn read(board: &VirtualBench, desk: &Path, watched: &mut Watched<'_>) -> Outcome {
    let target = bench::target();
    let range = format!("{FROM:#x}+{LENGTH}").parse().expect("range");
    let request = ReadRequest {
        range: Some(range),
        skip_erased: false,
        destination: Destination::File {
            file: OutputFile::begin(&desk.join(FILE)).expect("file"),
            format: PackFormat::Binary,
        },
    };
    job::read(&Job::new(&target), request, &watched::bench(board), watched)
}

fn verify(board: &VirtualBench, watched: &mut Watched<'_>) -> Outcome {
    let target = bench::target();
    let request = Request::new(bench::image(&[]).image().clone());
    job::verify(
        &Job::new(&target),
        &request,
        &watched::bench(board),
        watched,
    )
}

#[track_caller]
fn ended_with(outcome: &Outcome, exit: u8, code: Option<&str>) {
    let problem = outcome.problem.as_ref();
    assert_eq!(outcome.record.verdict.exit(), exit, "{problem:?}");
    assert_eq!(problem.map(|problem| problem.code), code, "{problem:?}");
}

fn files(desk: &TempDir) -> usize {
    fs::read_dir(desk.path()).expect("folder").count()
}

/// Inverts a byte of the range.
fn disturb(board: &VirtualBench) {
    let at = FROM + 0x1234;
    let byte = bench::flash_content(board)[at];
    bench::fill(board, at, &[!byte]);
}

#[test]
fn bytes_that_differ_from_the_digest_are_read_once_more() {
    let (board, desk) = (board(), desk());
    let mut watched = Watched {
        at_phase: Some(Box::new(|phase| {
            if phase == "verify" {
                disturb(&board);
            }
        })),
        ..Watched::default()
    };
    let outcome = read(&board, desk.path(), &mut watched);
    ended_with(&outcome, 0, None);
    assert!(watched.notes.iter().any(|note| note.contains("read again")));
    let record = outcome.record.read.expect("what was read");
    assert_eq!(record.sectors_repeated, 1);
    let held = bench::flash_content(&board);
    assert!(fs::read(desk.path().join(FILE)).expect("file") == held[FROM..FROM + LENGTH]);
}

#[test]
fn a_sector_that_was_erased_when_looked_at_is_read_if_it_is_not_when_proven() {
    let (board, desk) = (board(), desk());
    bench::fill(&board, FROM, &[0xFF; LENGTH]);
    let mut watched = Watched {
        at_phase: Some(Box::new(|phase| {
            if phase == "verify" {
                disturb(&board);
            }
        })),
        ..Watched::default()
    };
    let outcome = read(&board, desk.path(), &mut watched);
    ended_with(&outcome, 0, None);
    let record = outcome.record.read.expect("what was read");
    assert_eq!((record.erased_sectors, record.sectors_repeated), (2, 1));
    let held = bench::flash_content(&board);
    assert!(fs::read(desk.path().join(FILE)).expect("file") == held[FROM..FROM + LENGTH]);
}

#[test]
fn bytes_that_differ_again_and_again_are_no_file() {
    let (board, desk) = (board(), desk());
    let mut watched = Watched {
        at_phase: Some(Box::new(|phase| {
            if phase == "verify" {
                disturb(&board);
            }
        })),
        at_progress: Some(Box::new(|phase, _| {
            if phase == "verify" {
                disturb(&board);
            }
        })),
        ..Watched::default()
    };
    let outcome = read(&board, desk.path(), &mut watched);
    ended_with(&outcome, 12, Some("flash-unstable"));
    assert_eq!(files(&desk), 0);
}

#[test]
fn a_part_that_goes_away_while_it_is_read_or_compared_is_a_failed_reading() {
    let unplug = |board: &VirtualBench| {
        let board = board.clone();
        move |phase: &str| {
            if phase == "verify" {
                board
                    .board()
                    .with(|b| b.chip.system.borrow_mut().nor.faults.absent = true)
                    .expect("board");
            }
        }
    };
    let (board_read, desk) = (board(), desk());
    let mut watched = Watched {
        at_phase: Some(Box::new(unplug(&board_read))),
        ..Watched::default()
    };
    let outcome = read(&board_read, desk.path(), &mut watched);
    // nothing drives the lines, and FFh is what is read again and again: the exit sequence finds out
    ended_with(&outcome, 12, Some("flash-timeout"));
    assert_eq!(files(&desk), 0);

    let board = board();
    bench::flash(&board, &bench::image(&[]));
    let mut watched = Watched {
        at_phase: Some(Box::new(unplug(&board))),
        ..Watched::default()
    };
    let outcome = verify(&board, &mut watched);
    ended_with(&outcome, 12, Some("flash-timeout"));
    assert_eq!(
        outcome.record.mismatch, None,
        "it is not known what it holds"
    );
}

#[test]
fn a_cancelled_read_leaves_no_file() {
    let (board, desk) = (board(), desk());
    let before = bench::flash_content(&board);
    let cancel = Cell::new(true);
    let mut watched = Watched {
        cancel: Some(&cancel),
        ..Watched::default()
    };
    let outcome = read(&board, desk.path(), &mut watched);
    ended_with(&outcome, 130, Some("cancelled"));
    assert_eq!(files(&desk), 0);
    assert!(bench::flash_content(&board) == before);
}

#[test]
fn the_board_boots_again_after_a_read_and_after_a_verify() {
    let board = board();
    let image = bench::image(&[]);
    bench::flash(&board, &image);
    let desk = desk();
    let booted = |board: &VirtualBench| {
        board
            .board()
            .with(|b| {
                b.wait(Time::ms(10));
                let halted = b.chip.cpu.debug.halted();
                let outcome = b.chip.rom_outcome();
                !halted && matches!(outcome, Some(rom::Outcome::Booted { .. }))
            })
            .expect("board")
    };
    let resets = |board: &VirtualBench| board.board().with(|b| b.chip.resets()).expect("board");
    let before = resets(&board);
    ended_with(&read(&board, desk.path(), &mut Watched::default()), 0, None);
    assert!(booted(&board) && resets(&board) > before);
    ended_with(&verify(&board, &mut Watched::default()), 0, None);
    assert!(booted(&board));
    bench::fill(&board, 0x2030, &[0x12]);
    ended_with(
        &verify(&board, &mut Watched::default()),
        11,
        Some("verify-differs"),
    );
    assert!(booted(&board), "differing bytes are no reason to hold it");
}
