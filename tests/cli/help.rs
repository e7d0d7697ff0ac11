//! The help texts: there, readable, and complete.

use crate::station::Station;

const COMMANDS: [&[&str]; 10] = [
    &[],
    &["flash"],
    &["verify"],
    &["inspect"],
    &["pack"],
    &["reset"],
    &["probes"],
    &["benchmark"],
    &["board"],
    &["board", "serve"],
];
/// Longest line that fits half a screen.
const COLUMNS: usize = 110;
/// Exit codes that a user of today's commands can meet.
const EXIT_CODES: [&str; 16] = [
    "0", "1", "2", "6", "8", "9", "10", "11", "12", "13", "16", "20", "21", "22", "23", "130",
];

#[test]
fn every_command_has_a_help_text_that_fits_and_speaks_of_exit_codes() {
    for command in COMMANDS {
        for option in ["-h", "--help"] {
            let arguments = [command, &[option]].concat();
            let session = Station::new().run(&arguments).ends_with(0);
            assert!(session.stdout.contains("Usage: rtflash"), "{session}");
            let longest = session
                .stdout
                .lines()
                .map(|line| line.chars().count())
                .max();
            assert!(
                longest <= Some(COLUMNS),
                "a line of {longest:?} columns\n{session}"
            );
            assert!(
                session.stdout.to_lowercase().contains("exit code"),
                "no exit codes\n{session}"
            );
            assert_eq!(session.stderr, "", "{session}");
        }
    }
}

#[test]
fn the_help_lists_every_exit_code_once_and_no_other() {
    let session = Station::new().run(&["--help"]).ends_with(0);
    let (_, list) = session.stdout.split_once("Exit codes:").expect("a list");
    let listed: Vec<&str> = list
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(listed, EXIT_CODES, "{session}");
}

#[test]
fn the_options_that_choose_a_board_are_the_same_everywhere() {
    for command in ["flash", "verify", "reset"] {
        let session = Station::new().run(&[command, "--help"]).ends_with(0);
        for option in [
            "--probe",
            "--speed",
            "--connect-under-reset",
            "--flash",
            "--board",
            "--verbose",
            "RTFLASH_PROBE",
        ] {
            assert!(session.stdout.contains(option), "no {option}\n{session}");
        }
    }
}

#[test]
fn the_version_is_the_package_s() {
    let session = Station::new().run(&["--version"]).ends_with(0);
    assert_eq!(
        session.stdout.trim(),
        concat!("rtflash ", env!("CARGO_PKG_VERSION"))
    );
}
