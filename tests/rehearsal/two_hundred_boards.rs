//! The program itself: boards with random defects at virtual sites, every verdict right and on record.

use std::path::Path;
use std::process::Output;

use assert_cmd::Command;

use crate::desk::Desk;

fn rtflash(arguments: &[&str], state: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rtflash"));
    command.args(arguments).env("RTFLASH_STATE", state);
    for variable in ["RTFLASH_RECORDS", "RTFLASH_PROBE", "COLUMNS"] {
        command.env_remove(variable);
    }
    command.env("TMPDIR", state).output().expect("rtflash runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

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
    let place = tempfile::tempdir().expect("directory");
    let records = place.path().join("records");
    let (job, records) = (desk.path(), records.to_str().expect("text"));
    let rehearse = [
        "station",
        job.to_str().expect("text"),
        "--virtual",
        "4",
        "--boards",
        "200",
        "--defects",
        "33",
        "--seed",
        "6",
        "--plain",
        "--records",
        records,
    ];
    let output = rtflash(&rehearse, place.path());
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

    let verified = rtflash(&["records", "verify", "--records", records], place.path());
    let said = text(&verified.stdout);
    assert_eq!(
        verified.status.code(),
        Some(0),
        "{said}\n{}",
        text(&verified.stderr)
    );
    let listed = rtflash(
        &["records", "list", "--records", records, "--json"],
        place.path(),
    );
    let attempts = text(&listed.stdout).lines().count() as u32;
    assert_eq!(attempts, pass + fail + refused, "attempts on record");
}

#[test]
fn a_rehearsal_never_touches_the_records_of_the_line() {
    let desk = Desk::new("");
    let place = tempfile::tempdir().expect("directory");
    let line = place.path().join("line");
    let output = Command::new(env!("CARGO_BIN_EXE_rtflash"))
        .args([
            "station",
            desk.path().to_str().expect("text"),
            "--virtual",
            "1",
            "--boards",
            "1",
            "--defects",
            "0",
        ])
        .env("RTFLASH_STATE", place.path().join("state"))
        .env("RTFLASH_RECORDS", &line)
        .env("TMPDIR", place.path())
        .output()
        .expect("rtflash runs");
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(!line.exists(), "the line's records");
    let own = said
        .lines()
        .find_map(|line| line.strip_prefix("records of this rehearsal: "));
    let own = Path::new(own.expect("it says where"));
    assert!(
        own.starts_with(place.path()) && own.join("ledger.sqlite").exists(),
        "{own:?}"
    );
}
