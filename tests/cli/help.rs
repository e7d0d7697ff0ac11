//! The help texts: there, readable, and complete.

use crate::station::Station;

const COMMANDS: [&[&str]; 24] = [
    &[],
    &["flash"],
    &["verify"],
    &["read"],
    &["erase"],
    &["info"],
    &["doctor"],
    &["inspect"],
    &["pack"],
    &["station"],
    &["records"],
    &["records", "list"],
    &["records", "show"],
    &["records", "export"],
    &["records", "stats"],
    &["records", "verify"],
    &["reset"],
    &["probes"],
    &["benchmark"],
    &["targets"],
    &["completions"],
    &["man"],
    &["board"],
    &["board", "serve"],
    &["job"],
    &["job", "init"],
    &["job", "lock"],
    &["job", "check"],
    &["job", "keygen"],
    &["job", "sign"],
];
/// Longest line that fits half a screen.
const COLUMNS: usize = 110;
/// Exit codes that a user of today's commands can meet.
pub const EXIT_CODES: [&str; 16] = [
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
    for command in ["flash", "verify", "reset", "read", "erase", "doctor"] {
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

#[test]
fn targets_lists_every_part_that_can_be_named() {
    let session = Station::new().run(&["targets"]).ends_with(0);
    let parts = session.labelled("flash");
    for (part, id) in [("is25wp064", "9D 70 17"), ("w25q64jv", "EF 40 17")] {
        let line = parts.lines().find(|line| line.starts_with(part));
        assert!(line.is_some_and(|line| line.contains(id)), "{session}");
    }
    for word in ["mimxrt1062", "qspi"] {
        assert!(session.stdout.contains(word), "{session}");
    }
}

#[test]
fn a_package_gets_completions_for_every_shell_and_a_page_for_every_command() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let session = Station::new().run(&["completions", shell]).ends_with(0);
        assert!(session.stdout.contains("boot-timeout"), "{shell}");
    }
    let station = Station::new();
    let page = station.run(&["man"]).ends_with(0);
    assert!(
        page.stdout.starts_with(".ie") && page.stdout.contains(".TH rtflash"),
        "{page}"
    );
    station.run(&["man", "--out", "."]).ends_with(0);
    let files = station.files();
    for name in ["rtflash.1", "rtflash-flash.1", "rtflash-board-serve.1"] {
        assert!(files.contains(&name.to_owned()), "{name} in {files:?}");
    }
    station
        .run(&["man", "--out", "nowhere"])
        .ends_with(23)
        .complains("output-unwritable", &["nowhere"])
        .advises();
}
