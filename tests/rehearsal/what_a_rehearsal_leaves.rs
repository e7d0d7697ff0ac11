//! A rehearsal leaves what was asked for, and what tells of a disagreement; nothing else, and the line's records never.

use std::path::Path;

use crate::desk::Desk;
use crate::program::{Program, last_line, text};

const ONE_GOOD_BOARD: [&str; 4] = ["--boards", "1", "--defects", "0"];
const AGREE: &str = "all verdicts agree with the truth, and the records with the verdicts";

#[test]
fn a_rehearsal_that_agrees_leaves_nothing_and_says_so_beforehand() {
    let (desk, program) = (Desk::new(""), Program::new());
    let line = program.path("line");
    let output = program
        .rehearsal(&desk, "1", &ONE_GOOD_BOARD)
        .env("RTFLASH_RECORDS", &line)
        .output()
        .expect("rtflash runs");
    assert!(last_line(&output, 0).ends_with(AGREE));
    assert!(!line.exists(), "the line's records");
    assert_eq!(program.stages(), Vec::<std::path::PathBuf>::new());
    let said = text(&output.stderr);
    assert!(
        said.contains(
            "records of this rehearsal, deleted when it ends well (--records DIR keeps them): "
        ),
        "{said}"
    );
}

#[test]
fn a_rehearsal_that_was_asked_to_keep_its_records_keeps_them_and_nothing_else() {
    let (desk, program) = (Desk::new(""), Program::new());
    let records = program.path("records");
    let keep = ["--records", records.to_str().expect("text")];
    let arguments = [&ONE_GOOD_BOARD[..], &keep].concat();
    let output = program.rehearses(&desk, "1", &arguments);
    assert!(last_line(&output, 0).ends_with(AGREE));
    assert!(records.join("ledger.sqlite").exists());
    assert_eq!(program.stages(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn a_rehearsal_that_does_not_agree_leaves_what_tells_of_it_and_says_where() {
    let (desk, program) = (Desk::new(""), Program::new());
    let records = program.path("records");
    let keep = ["--records", records.to_str().expect("text")];
    let arguments = [&ONE_GOOD_BOARD[..], &keep].concat();
    program.rehearses(&desk, "1", &arguments);
    // these records know the board, which the script takes for a new one
    let output = program.rehearses(&desk, "1", &arguments);
    assert!(last_line(&output, 1).ends_with("1 DISAGREES"));
    let said = text(&output.stderr);
    let kept = said
        .lines()
        .find_map(|line| line.strip_prefix("kept of this rehearsal: "));
    let kept = Path::new(kept.expect("it says where"));
    assert!(kept.exists(), "{kept:?}");
    assert_eq!(program.stages(), [kept]);
}

#[test]
fn a_rehearsal_that_cannot_begin_leaves_nothing() {
    let program = Program::new();
    let desk = Desk::new("unit = { start = \"barcode\", barcode = \"PCB-[0-9]{3}\" }");
    let output = program.rehearses(&desk, "1", &ONE_GOOD_BOARD);
    last_line(&output, 2);
    assert!(text(&output.stderr).contains("[script-barcode]"));
    assert_eq!(program.stages(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn a_job_that_asks_for_codes_is_measured_with_codes() {
    let program = Program::new();
    let desk = Desk::new("unit = { start = \"barcode\", barcode = \"PCB-[0-9]{3}\" }");
    let measure = ["--measure", "--boards", "2", "--barcodes", "PCB-###"];
    let output = program.rehearses(&desk, "2", &measure);
    last_line(&output, 0);
    let told = text(&output.stdout);
    assert!(told.contains("2 sites: 4 boards, "), "{told}");
    assert!(
        told.contains("; begun to PASS at the slowest site "),
        "{told}"
    );
    assert_eq!(program.stages(), Vec::<std::path::PathBuf>::new());
}
