//! A defective flash part never ends in PASS: what it holds is read back, the image and what lies around it.

use std::fs;

use rtflash::job::{self, Guard, Job, Outcome, Request};
use rtflash::link::VirtualBench;
use rtflash::problem::ExitCode;
use rtflash::report::FlashLeft;
use virtual_board::board::BoardConfig;
use virtual_board::nor::Faults;

use crate::bench;
use crate::watched::{self, Watched};

/// A byte of the image's last segment, and its flash offset.
const SEGMENT: u32 = 0x6000_4000;
const BYTE: u32 = 0x4123;

/// Flashes over other content onto a part with `faults`.
fn flash_onto(faults: Faults) -> Outcome {
    flash_and_look(faults).0
}

/// The same, with the board.
fn flash_and_look(faults: Faults) -> (Outcome, VirtualBench) {
    let board = bench::start(BoardConfig {
        nor_faults: faults,
        ..bench::config()
    });
    bench::fill(&board, 0, &[0x00; 0x8000]);
    bench::fill(&board, 0x1_0000, &bench::noise(8, 0x2000));
    let mut content = bench::noise(6, 0x400);
    content[0x123] = 0x00;
    let outcome = bench::flash(&board, &bench::image(&[(SEGMENT, content)]));
    (outcome, board)
}

/// The number of the last program of the job: the commit.
fn last_program(board: &VirtualBench) -> u64 {
    let programs = board
        .board()
        .with(|b| b.chip.system.borrow().nor.counters().programs);
    programs.expect("board") - 1
}

fn refused(outcome: &Outcome, exit: ExitCode) {
    let problem = outcome.problem.as_ref().expect("a problem");
    assert_eq!(problem.exit, exit, "{problem}");
    assert_eq!(outcome.record.verdict.exit(), exit.number());
}

#[test]
fn a_bit_that_will_not_program_is_a_failed_program() {
    let faults = Faults {
        unprogrammable: vec![(BYTE, 0x10)],
        ..Faults::default()
    };
    refused(&flash_onto(faults), ExitCode::ProgramFailed);
}

#[test]
fn a_bit_that_will_not_erase_is_a_failed_erase() {
    let faults = Faults {
        weak_erase: vec![(BYTE, 0x10)],
        ..Faults::default()
    };
    refused(&flash_onto(faults), ExitCode::EraseFailed);
}

#[test]
fn a_page_that_was_not_programmed_is_programmed_once_more_and_the_record_says_so() {
    for dropped in 0..4 {
        let outcome = flash_onto(Faults {
            dropped_programs: vec![dropped],
            ..Faults::default()
        });
        assert_eq!(outcome.record.verdict.exit(), 0, "{:?}", outcome.problem);
        let retries = &outcome.record.retries;
        assert_eq!(retries.len(), 1, "{retries:?}");
        let why = retries[0].why.as_deref().unwrap_or_default();
        assert!(why.contains("program-differs"), "{why}");
    }
}

#[test]
fn pages_that_are_not_programmed_the_second_time_either_are_a_failed_program() {
    let faults = Faults {
        dropped_programs: (2..1000).collect(),
        ..Faults::default()
    };
    let outcome = flash_onto(faults);
    refused(&outcome, ExitCode::ProgramFailed);
    assert_eq!(outcome.record.retries.len(), 1);
    assert_eq!(outcome.record.left, Some(FlashLeft::Incomplete));
}

#[test]
fn an_image_that_reads_back_wrong_after_its_commit_is_dead_again() {
    // the commit itself disturbs a byte of the image, in the first round and in the second
    let disturbed = |programs: &[u64]| Faults {
        disturbing_programs: programs
            .iter()
            .flat_map(|number| (0..0x100).map(|at| (*number, 0x4200 + at, 0xFF)))
            .collect(),
        ..Faults::default()
    };
    let (_, board) = flash_and_look(disturbed(&[]));
    let first = last_program(&board);
    let (outcome, board) = flash_and_look(disturbed(&[first]));
    assert_eq!(outcome.record.verdict.exit(), 0, "{:?}", outcome.problem);
    assert_eq!(outcome.record.retries.len(), 1);
    let second = last_program(&board);

    let (outcome, board) = flash_and_look(disturbed(&[first, second]));
    refused(&outcome, ExitCode::Differs);
    assert_eq!(outcome.problem.expect("a problem").code, "verify-differs");
    assert_eq!(outcome.record.left, Some(FlashLeft::Incomplete));
    assert_eq!(bench::flash_content(&board)[..4], [0; 4], "the FCB's tag");
}

#[test]
fn bytes_of_others_that_cannot_be_saved_for_the_second_round_are_no_refusal_of_an_untouched_board()
{
    // the second program disturbs a byte of the image, in a sector that only the second round must erase
    let board = bench::start(BoardConfig {
        nor_faults: Faults {
            disturbing_programs: vec![(1, BYTE, 0xFF)],
            ..Faults::default()
        },
        ..bench::config()
    });
    let others = bench::noise(8, 0x100);
    bench::fill(&board, 0x4800, &others);
    let directory = board.state_directory();
    let mut watched = Watched {
        at_phase: Some(Box::new(|phase| {
            if phase == "program" {
                fs::write(&directory, "a file, not a folder").expect("file");
            }
        })),
        ..Watched::default()
    };
    let image = bench::image(&[(SEGMENT, vec![0x55; 0x400])]);
    let request = Request::new(image.image().clone());
    let target = bench::target();
    let bench_of_board = watched::bench(&board);
    let outcome = job::flash(&Job::new(&target), &request, &bench_of_board, &mut watched);
    drop(watched);
    fs::remove_file(&directory).expect("the file");
    refused(&outcome, ExitCode::ProgramFailed);
    assert_eq!(outcome.problem.expect("a problem").code, "saved-io");
    assert_eq!(outcome.record.left, Some(FlashLeft::Incomplete));
    let content = bench::flash_content(&board);
    assert!(content[0x4800..0x4900] == others);
}

#[test]
fn what_the_first_round_damaged_elsewhere_is_found_after_the_second() {
    // the second program of the job also reaches another block, the third is dropped and makes a second round
    let outcome = flash_onto(Faults {
        program_echo: Some(0x1_0000),
        dropped_programs: vec![2],
        ..Faults::default()
    });
    refused(&outcome, ExitCode::Differs);
    assert_eq!(outcome.record.retries.len(), 1);
    assert_eq!(outcome.problem.expect("a problem").code, "guard-differs");
}

#[test]
fn a_program_that_also_reaches_another_block_is_found_by_the_guard() {
    let faults = Faults {
        program_echo: Some(0x1_0000),
        ..Faults::default()
    };
    let outcome = flash_onto(faults);
    refused(&outcome, ExitCode::Differs);
    assert_eq!(outcome.problem.expect("a problem").code, "guard-differs");
}

#[test]
fn a_program_that_also_reaches_the_other_end_of_the_flash_is_found_where_all_of_it_is_guarded() {
    let board = bench::start(BoardConfig {
        nor_faults: Faults {
            program_echo: Some(0x40_0000),
            ..Faults::default()
        },
        ..bench::config()
    });
    let request = Request::new(bench::image(&[]).image().clone());
    let outcome = bench::run(&board, &request, |job| Job {
        guard: Guard::Chip,
        ..job
    });
    refused(&outcome, ExitCode::Differs);
    assert_eq!(outcome.problem.expect("a problem").code, "guard-differs");
    let guarded = outcome.record.plan.expect("plan").guarded_sectors;
    assert_eq!(guarded, 2048 - 3, "all but those of FCB, IVT and image");
}

#[test]
fn a_busy_bit_that_never_falls_ends_in_a_time_out_and_not_in_a_hang() {
    let outcome = flash_onto(Faults {
        stuck_wip: true,
        ..Faults::default()
    });
    refused(&outcome, ExitCode::EraseFailed);
    assert_eq!(outcome.problem.expect("a problem").code, "flash-timeout");
}

#[test]
fn another_part_is_refused_before_anything_changes() {
    let faults = Faults {
        jedec_id: Some([0xEF, 0x40, 0x17]),
        ..Faults::default()
    };
    let board = bench::start(BoardConfig {
        nor_faults: faults,
        ..bench::config()
    });
    bench::fill(&board, 0, &bench::noise(8, 0x8000));
    let before = bench::flash_content(&board);
    refused(
        &bench::flash(&board, &bench::image(&[])),
        ExitCode::WrongDevice,
    );
    assert!(
        bench::flash_content(&board) == before,
        "nothing has changed"
    );
    let status = board
        .board()
        .with(|b| b.chip.system.borrow().nor.status_register());
    assert_eq!(status.expect("board"), 0, "nor the status register");
}
