//! The whole program on a server: a station's boards go on record there, and every command that reads records reads them.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::postgres_bench::Postgres;

/// Boards of the rehearsal; some of them are defective.
const BOARDS: usize = 6;

fn rtflash(desk: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rtflash"));
    command
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("RTFLASH_STATE", desk.join("state"))
        .env_remove("RTFLASH_RECORDS");
    command.output().expect("rtflash runs")
}

#[test]
#[ignore = "needs a server: tests/postgresql.sh"]
fn a_station_works_on_a_server_and_its_records_are_read_there() {
    let bench = Postgres::fresh();
    let desk = tempfile::tempdir().expect("desk");
    let journal = desk.path().join("line.jsonl");
    let journal = journal.to_str().expect("a name");
    let url = bench.url();
    let run = |arguments: &[&str]| {
        let all: Vec<&str> = arguments
            .iter()
            .copied()
            .chain(["--records", &url])
            .collect();
        let output = rtflash(desk.path(), &all);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}\n{text}\n{why}");
        text
    };
    let boards = BOARDS.to_string();
    let station = [
        "station",
        "examples/line/job.toml",
        "--virtual",
        "2",
        "--boards",
        &boards,
        "--plain",
        "--journal",
        journal,
    ];
    run(&station);
    let attempts: Value =
        serde_json::from_str(&run(&["records", "export", "--format", "json"])).expect("attempts");
    let attempts = attempts.as_array().expect("attempts");
    assert!(attempts.len() >= BOARDS, "{} attempts", attempts.len());
    let listed = run(&["records", "list"]);
    let passed = attempts.iter().filter(|a| a["end"]["verdict"] == "pass");
    for attempt in passed {
        let serial = attempt["end"]["serial"].as_str().expect("a serial number");
        assert!(listed.contains(serial), "{serial} in\n{listed}");
    }
    assert!(run(&["records", "show", "1"]).contains("attempt"));
    assert!(run(&["records", "stats"]).contains("first pass"));
    let verify = ["records", "verify", "--journal", journal];
    assert!(run(&verify).contains("RECORDS AGREE"));
    // a verdict that was changed on the server is found
    let mut stranger = bench.stranger();
    stranger
        .batch_execute(
            "SET session_replication_role = replica; \
             UPDATE ending SET code = 'another' WHERE attempt = 1",
        )
        .expect("a superuser");
    let broken = rtflash(desk.path(), &[&verify[..], &["--records", &url]].concat());
    assert_eq!(broken.status.code(), Some(11));
    let text = String::from_utf8_lossy(&broken.stdout);
    assert!(text.contains("attempt 1"), "{text}");
}
