//! `rtflash benchmark`: the table, the lines below it, the timeline.

use std::fs;

use crate::station::Station;

#[test]
fn the_table_says_what_must_be_reached_and_the_timeline_is_a_picture() {
    let station = Station::new();
    let picture = station.saved().with_file_name("timeline.svg");
    let session = station.run(&[
        "benchmark",
        "--only",
        "session",
        "--timeline",
        picture.to_str().expect("path"),
    ]);
    let session = session.ends_with(0);
    for text in ["whole <= 0.3 s", "reached", "attach", "survey", "reset"] {
        assert!(session.stdout.contains(text), "{text}: {session}");
    }
    let arithmetic = session
        .stdout
        .lines()
        .filter(|line| line.contains("ARITHMETIC"));
    assert_eq!(
        arithmetic.count(),
        1,
        "the UART's time is marked: {session}"
    );
    let svg = fs::read_to_string(picture).expect("timeline");
    assert!(svg.starts_with("<svg") && svg.contains("link"), "{svg}");
}

#[test]
fn a_text_that_no_case_contains_is_a_usage_error() {
    let session = Station::new().run(&["benchmark", "--only", "floppy disk"]);
    let session = session.ends_with(2);
    assert!(session.stderr.contains("benchmark-case"), "{session}");
}

#[test]
fn a_timeline_that_cannot_be_written_is_told() {
    let station = Station::new();
    let nowhere = station.saved().join("no/such/directory/t.svg");
    let arguments = ["benchmark", "--only", "session", "--timeline"];
    let arguments = [&arguments[..], &[nowhere.to_str().expect("path")]].concat();
    let session = station.run(&arguments).ends_with(23);
    assert!(session.stderr.contains("timeline-file"), "{session}");
}
