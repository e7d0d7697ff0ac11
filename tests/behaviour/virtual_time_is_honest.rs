//! Figures in virtual time mean something: the same job takes the same time, and skipping busy waits changes nothing.

use rtflash::report::{Phase, Verdict};
use virtual_board::board::BoardConfig;

use crate::bench;

/// How far skipped and executed waits may lie apart: a wait that is executed ends between two looks. Here two waits do,
/// and a look is the host's pause of 2 ms and a round trip, in a job of a quarter of a second.
const TOLERANCE: f64 = 0.025;

fn run(config: BoardConfig) -> (Vec<Phase>, Vec<u8>) {
    let board = bench::start(config);
    bench::fill(&board, 0x2000, &bench::noise(9, 0x800));
    let outcome = bench::flash(
        &board,
        &bench::image(&[(0x6000_2800, bench::noise(4, 600))]),
    );
    assert!(
        matches!(outcome.record.verdict, Verdict::Pass(_)),
        "{:?}",
        outcome.problem
    );
    (outcome.record.phases, bench::flash_content(&board))
}

fn total(phases: &[Phase]) -> f64 {
    phases.iter().map(|phase| phase.seconds).sum()
}

#[test]
fn the_same_job_takes_the_same_virtual_time() {
    let (first, _) = run(bench::config());
    let (second, _) = run(bench::config());
    assert_eq!(first, second);
}

#[test]
fn skipped_busy_waits_change_neither_flash_nor_verdict_nor_time() {
    let (skipped, flash) = run(bench::config());
    let (executed, same_flash) = run(BoardConfig {
        skips: false,
        ..bench::config()
    });
    assert!(flash == same_flash, "the flash holds the same");
    let (skipped, executed) = (total(&skipped), total(&executed));
    let apart = (skipped - executed).abs() / executed;
    assert!(
        apart < TOLERANCE,
        "{skipped} s with skips, {executed} s without"
    );
}
