//! A job takes few probe transactions: every one costs a round trip over USB.

use rtflash::report::{Record, Verdict};

use crate::bench;

/// From attach to PASS where nothing is to be changed.
const EMPTY_JOB: u64 = 300;

fn transactions(record: &Record) -> u64 {
    record.phases.iter().map(|phase| phase.transactions).sum()
}

#[test]
fn an_empty_job_stays_within_300_transactions_from_attach_to_pass() {
    let board = bench::start(bench::config());
    let image = bench::image(&[(0x6000_3000, bench::noise(5, 0x3000))]);
    let first = bench::flash(&board, &image);
    assert!(
        matches!(first.record.verdict, Verdict::Pass(_)),
        "{:?}",
        first.problem
    );
    let again = bench::flash(&board, &image);
    assert!(
        matches!(again.record.verdict, Verdict::Pass(_)),
        "{:?}",
        again.problem
    );
    let plan = again.record.plan.as_ref().expect("plan");
    assert_eq!(
        (plan.erase_commands, plan.programmed_bytes),
        (0, 0),
        "nothing was to be done"
    );
    let made = transactions(&again.record);
    assert!(
        made <= EMPTY_JOB,
        "{made} transactions: {:?}",
        again.record.phases
    );
}

#[test]
fn the_phases_add_up_to_what_the_board_counted() {
    let board = bench::start(bench::config());
    let outcome = bench::flash(&board, &bench::image(&[]));
    let names: Vec<&str> = outcome
        .record
        .phases
        .iter()
        .map(|phase| phase.name)
        .collect();
    assert_eq!(
        names,
        [
            "attach", "contact", "survey", "compare", "program", "verify", "reset"
        ]
    );
    let counted = board.transactions();
    // what follows the last phase is the goodbye to the debug port
    assert!(
        counted - transactions(&outcome.record) <= 4,
        "{counted} counted: {:?}",
        outcome.record.phases
    );
}
