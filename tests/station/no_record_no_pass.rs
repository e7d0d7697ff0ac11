//! What cannot be put on record has not passed.

use rtflash::problem::ExitCode;
use rtflash::records::VerdictKind;

use crate::floor::{Floor, Setup, board, is_untouched};

fn lose_ledger(floor: &Floor) {
    let records = floor.folder.path().join("records");
    for file in std::fs::read_dir(records).expect("records") {
        let path = file.expect("file").path();
        if path.to_string_lossy().contains("ledger") {
            std::fs::remove_file(path).expect("removed");
        }
    }
}

#[test]
fn without_a_record_of_its_begin_a_board_is_not_touched() {
    let mut floor = Floor::open(1, Setup::default());
    lose_ledger(&floor);
    let board = board(1);
    let verdict = floor.work("A", &board);
    assert_eq!(verdict.verdict, VerdictKind::Fail, "{}", floor.log());
    assert_eq!(verdict.exit, ExitCode::RecordNotWritten.number());
    assert_eq!(verdict.attempt, None);
    assert!(verdict.text.contains("not on record"), "{}", verdict.text);
    assert!(verdict.to_do.contains("do not ship"), "{}", verdict.to_do);
    assert!(is_untouched(&board));
}

#[test]
fn without_a_record_of_its_end_a_board_has_not_passed_whatever_it_holds() {
    let mut floor = Floor::open(1, Setup::default());
    let board = board(1);
    let held = floor.hold_where_known("A", &board);
    lose_ledger(&floor);
    drop(held);
    let verdict = floor.verdict("A");
    assert_eq!(verdict.verdict, VerdictKind::Fail, "{}", floor.log());
    assert_eq!(verdict.exit, ExitCode::RecordNotWritten.number());
    assert!(verdict.attempt.is_some());
    assert!(
        verdict.text.contains("all else went well"),
        "{}",
        verdict.text
    );
    assert!(!is_untouched(&board));
}
