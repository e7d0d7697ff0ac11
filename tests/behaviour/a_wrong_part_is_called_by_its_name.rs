//! A board with another flash part is refused before anything is changed, and the part is called by its name where its ID
//! has one. Nothing is ever guessed from an ID.

use rtflash::problem::{ExitCode, Problem};
use virtual_board::board::BoardConfig;
use virtual_board::nor::Faults;

use crate::bench;

/// Flashes a board whose part answers 9Fh with `id`.
fn refusal(id: [u8; 3]) -> Problem {
    let board = bench::start(BoardConfig {
        nor_faults: Faults {
            jedec_id: Some(id),
            ..Faults::default()
        },
        ..bench::config()
    });
    let before = bench::flash_content(&board);
    let problem = bench::flash(&board, &bench::image(&[]))
        .problem
        .expect("refused");
    assert_eq!(
        (problem.code, problem.exit),
        ("flash-part", ExitCode::WrongDevice)
    );
    assert!(
        bench::flash_content(&board) == before,
        "the flash was changed"
    );
    problem
}

#[test]
fn a_part_with_data_is_named_with_the_option_that_chooses_it() {
    let problem = refusal([0xEF, 0x40, 0x17]);
    assert_eq!(
        problem.what,
        "found W25Q64JV (EF 40 17); expected IS25WP064 (9D 70 17)"
    );
    assert!(problem.fix.expect("fix").contains("--flash w25q64jv"));
}

#[test]
fn a_part_without_data_is_named_and_refused() {
    let problem = refusal([0x9D, 0x60, 0x18]);
    assert_eq!(
        problem.what,
        "found IS25LP128 (9D 60 18), which rtflash has no data for; expected IS25WP064 (9D 70 17)"
    );
    let fix = problem.fix.expect("fix");
    assert!(
        fix.contains("is25wp064") && fix.contains("w25q64jv"),
        "{fix}"
    );
    assert!(problem.why.expect("why").contains("never guessed"));
}

#[test]
fn a_part_beyond_16_mib_is_told_what_the_rom_can_reach() {
    let problem = refusal([0x9D, 0x70, 0x19]);
    assert!(problem.what.contains("IS25WP256"), "{problem}");
    let why = problem.why.expect("why");
    assert!(why.contains("32 MiB") && why.contains("3-byte"), "{why}");
}

#[test]
fn a_part_that_nobody_knows_is_unknown() {
    let problem = refusal([0x12, 0x34, 0x56]);
    assert_eq!(
        problem.what,
        "found an unknown flash part (12 34 56); expected IS25WP064 (9D 70 17)"
    );
}
