//! `--target auto` finds the flash part by its ID and by the size in its own tables, and nothing is guessed: what is
//! unknown, absent or contradicts itself ends with exit 6, and nothing has changed.

use rtflash::job::{Bench, find_target};
use rtflash::link::{Choice, VirtualBench};
use rtflash::problem::Problem;
use virtual_board::board::BoardConfig;
use virtual_board::nor::{Faults, Part};

use crate::bench;

fn find(board: &VirtualBench) -> Result<String, Problem> {
    let choice = Choice {
        speed_khz: Some(15_000),
        ..Choice::default()
    };
    let bench = Bench::virtual_board(choice, board.clone());
    match find_target("flash", &bench::target(), &bench, &mut ()) {
        Ok(found) => Ok(found.target().flash().name.clone()),
        Err(outcome) => {
            assert_eq!(outcome.record.target, None, "no target was named");
            Err(outcome.problem.expect("a problem"))
        }
    }
}

fn refused(faults: Faults) -> Problem {
    let board = bench::start(BoardConfig {
        nor_faults: faults,
        ..bench::config()
    });
    bench::fill(&board, 0x2000, &bench::noise(4, 0x1000));
    bench::set_status(&board, 0x3C);
    let before = bench::flash_content(&board);
    let problem = find(&board).expect_err("refused");
    assert_eq!(problem.exit.number(), 6, "{problem}");
    assert!(bench::flash_content(&board) == before);
    let left = board.board().with(|b| {
        let halted = b.chip.cpu.debug.halted();
        let nor = &b.chip.system.borrow().nor;
        (
            halted,
            nor.status_register() & 0xFC,
            nor.counters().register_writes,
        )
    });
    assert_eq!(left.expect("board"), (false, 0x3C, 0));
    problem
}

#[test]
fn every_part_with_data_is_found_whatever_state_it_is_in() {
    for name in Part::builtin_names() {
        let part = Part::builtin(name).expect("part");
        let has_qpi = part.qpi.is_some();
        for (qpi, continuous, powered_down) in [
            (false, None, false),
            (has_qpi, None, false),
            (false, Some(0xEB), false),
            (false, None, true),
        ] {
            let board = bench::start(BoardConfig::new(part.clone()));
            board
                .board()
                .with(move |b| {
                    let mut system = b.chip.system.borrow_mut();
                    system.nor.set_mode(qpi, continuous, powered_down);
                })
                .expect("board");
            let found = find(&board).unwrap_or_else(|problem| panic!("{name}: {problem}"));
            assert_eq!(found.to_lowercase(), name);
        }
    }
}

#[test]
fn an_id_that_nobody_knows_is_told_with_what_is_known() {
    let problem = refused(Faults {
        jedec_id: Some([0x12, 0x34, 0x56]),
        ..Faults::default()
    });
    assert_eq!(problem.code, "flash-unknown");
    assert_eq!(problem.what, "found an unknown flash part (12 34 56)");
    let fix = problem.fix.expect("fix");
    for name in Part::builtin_names() {
        assert!(fix.contains(name), "{fix}");
    }
}

#[test]
fn a_part_that_has_a_name_and_no_data_is_named() {
    let problem = refused(Faults {
        jedec_id: Some([0x9D, 0x60, 0x18]),
        ..Faults::default()
    });
    assert_eq!(
        problem.what,
        "found IS25LP128 (9D 60 18), which rtflash has no data for"
    );
}

#[test]
fn an_id_that_contradicts_the_size_is_no_part() {
    // says 9D 70 18, 16 MiB, and its tables say 8 MiB
    let problem = refused(Faults {
        jedec_id: Some([0x9D, 0x70, 0x18]),
        ..Faults::default()
    });
    assert_eq!(problem.code, "flash-size");
    assert_eq!(
        problem.what,
        "the flash part says it has 8388608 bytes, and IS25WP128 has 16777216"
    );
}

#[test]
fn silence_is_no_part() {
    let problem = refused(Faults {
        absent: true,
        ..Faults::default()
    });
    assert_eq!(problem.code, "flash-none");
}
