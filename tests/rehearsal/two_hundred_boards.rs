//! The program itself: boards with random defects at virtual sites, every verdict right and on record.

use crate::desk::Desk;
use crate::program::{Program, text};

/// The numbers of the line that begins with `name`: units, insertions, pass, fail, refused, nothing.
fn counts(table: &str, name: &str) -> Vec<u32> {
    let mut lines = table.lines().rev();
    let line = lines.find(|line| line.split_whitespace().next() == Some(name));
    let words = line.unwrap_or_default().split_whitespace().skip(1);
    words.map_while(|word| word.parse().ok()).collect()
}

#[test]
fn the_verdicts_on_two_hundred_boards_are_the_truth_and_complete_on_record() {
    let desk = Desk::new("");
    let program = Program::new();
    let records = program.path("records");
    let records = records.to_str().expect("text");
    let more = ["--boards", "200", "--defects", "33", "--seed", "6"];
    let output = program.rehearses(&desk, "4", &[&more[..], &["--records", records]].concat());
    let told = text(&output.stdout);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{told}\n{}",
        text(&output.stderr)
    );
    let last = told.lines().last().expect("a line");
    assert!(last.starts_with("REHEARSAL: 200 units, "), "{last}");
    assert!(
        last.ends_with("all verdicts agree with the truth, and the records with the verdicts"),
        "{last}"
    );

    let [units, insertions, pass, fail, refused, nothing] = counts(&told, "total")[..] else {
        panic!("no total: {told}");
    };
    assert_eq!(units, 200);
    assert_eq!(pass + fail + refused + nothing, insertions);
    let good = counts(&told, "good");
    assert_eq!(good[..3], [good[0]; 3], "all good boards pass");
    for never in [
        "stuck-bit",
        "weak-erase",
        "wrong-part",
        "wrong-chip",
        "no-contact",
        "port-closed",
        "no-power",
    ] {
        let counts = counts(&told, never);
        assert!(counts[0] > 0 && counts[2] == 0, "{never}: {counts:?}");
    }

    let verified = program.runs(&["records", "verify", "--records", records]);
    let said = text(&verified.stdout);
    assert_eq!(
        verified.status.code(),
        Some(0),
        "{said}\n{}",
        text(&verified.stderr)
    );
    let listed = program.runs(&["records", "list", "--records", records, "--json"]);
    let attempts = text(&listed.stdout).lines().count() as u32;
    assert_eq!(attempts, pass + fail + refused, "attempts on record");
}
