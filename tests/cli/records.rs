//! `rtflash records`: what the station put on record, told so that people and programs can use it; nothing is changed.

use std::collections::BTreeMap;
use std::fs;

use quick_junit::Report;

use crate::records_line::{Line, uid};
use crate::station::{Session, Station};

fn records(line: &Line, arguments: &[&str]) -> Session {
    let (command, rest) = arguments.split_first().expect("a command");
    let typed = [&["records", command, "--records", line.typed()], rest].concat();
    Station::new().run(&typed)
}

/// Rows of `list`, without its head.
fn listed(line: &Line, filter: &[&str]) -> Vec<Vec<String>> {
    let session = records(line, &[&["list"], filter].concat()).ends_with(0);
    let rows = session.stdout.lines().skip(1);
    rows.map(|row| row.split('\t').map(str::to_owned).collect())
        .collect()
}

fn ids(rows: &[Vec<String>]) -> Vec<&str> {
    rows.iter().map(|row| row[0].as_str()).collect()
}

#[test]
fn the_list_has_a_line_for_each_attempt() {
    let line = Line::new();
    let session = records(&line, &["list"]).ends_with(0);
    let lines: Vec<&str> = session.stdout.lines().collect();
    assert_eq!(lines.len(), 18, "{session}");
    assert_eq!(
        lines[0],
        "attempt\tbegun\tjob\tstation\tsite\tverdict\tcode\tserial\tuid\tseconds"
    );
    let unit = uid(1);
    assert!(
        lines[1].starts_with("1\t2026-11-23T08:00:")
            && lines[1].contains(&format!("Z\twidget\tline-a\t1\tpass\t-\tW0001\t{unit}\t")),
        "{session}"
    );
    assert!(lines[17].contains("\topen\t-\t-\t"), "{session}");
    assert_eq!(session.stderr, "");
}

#[test]
fn the_list_can_be_narrowed_by_everything_that_an_attempt_has() {
    let line = Line::new();
    let all = listed(&line, &[]);
    let begun: BTreeMap<&str, &str> = all.iter().map(|r| (r[0].as_str(), r[1].as_str())).collect();
    for (filter, expected) in [
        (
            &["--station", "line-b", "--verdict", "pass"][..],
            &["12", "15"][..],
        ),
        (&["--code", "boot-not-seen"], &["2", "13"]),
        (&["--uid", &uid(2).to_lowercase()], &["2", "3"]),
        (&["--serial", "W0005"], &["11"]),
        (&["--site", "=1", "--last", "2"], &["15", "16"]),
        (&["--job", "gadget"], &[]),
        (&["--verdict", "interrupted"], &["7", "9"]),
        (
            &[
                "--since",
                begun["3"],
                "--until",
                begun["5"],
                "--station",
                "line-a",
            ],
            &["3", "4", "11"],
        ),
        (&["--until", "2026-11-22"], &[]),
        (&["--since", "2026-11-25"], &[]),
        (
            &["--since", "2026-11-22T00:00:00+01:00", "--last", "1"],
            &["17"],
        ),
    ] {
        let rows = listed(&line, filter);
        // attempts after the clock was set back may lie in a span of time too
        let found = ids(&rows);
        if filter.contains(&begun["3"]) {
            assert!(
                expected[..2].iter().all(|id| found.contains(id)),
                "{filter:?}: {found:?}"
            );
        } else {
            assert_eq!(found, expected, "{filter:?}");
        }
    }
}

#[test]
fn a_time_or_a_verdict_that_cannot_be_understood_is_a_question_of_usage() {
    let line = Line::new();
    for (option, value, word) in [
        ("--since", "yesterday", "2026-11-23"),
        ("--verdict", "good", "interrupted"),
    ] {
        let session = records(&line, &["list", option, value]).ends_with(2);
        assert!(session.stderr.contains(word), "{session}");
    }
}

#[test]
fn the_story_of_a_unit_is_found_by_attempt_serial_number_and_unique_id() {
    let line = Line::new();
    let by_uid = records(&line, &["show", &uid(2)]).ends_with(0);
    for unit in ["attempt:3", "3", "W0002", "serial:W0002", "2"] {
        let session = records(&line, &["show", unit]).ends_with(0);
        assert_eq!(session.stdout, by_uid.stdout, "{unit}");
    }
    for words in [
        "attempt    2 at 2026-11-23T08:00:",
        "attempt    3 at 2026-11-23T08:00:",
        "number   serial 101, of 2026-11-23",
        ", its own from before",
        "hook     label: exit status 3",
        "[boot-not-seen], exit 16",
        "fail in words␛",
        "number     serial 101: committed, by attempt 3; reserved by attempt 2",
        "number     mac 101: void, by attempt 2; reserved by attempt 2",
    ] {
        assert!(by_uid.stdout.contains(words), "no {words:?}\n{by_uid}");
    }
    records(&line, &["show", "W9999"])
        .ends_with(2)
        .complains("records-unit", &["W9999", "records list"]);
}

#[test]
fn the_exports_can_be_read_by_what_they_are_for() {
    let line = Line::new();
    let table = records(&line, &["export", "--format", "csv"]).ends_with(0);
    let mut reader = csv::Reader::from_reader(table.stdout.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
    assert_eq!(rows.len(), 17);
    assert!(rows.iter().any(|row| &row[3] == "'=1"), "{table}");

    let array = records(&line, &["export", "--format", "json"]).ends_with(0);
    let attempts: serde_json::Value = serde_json::from_str(&array.stdout).expect("JSON");
    let schema = fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/docs/attempt.schema.json"
    ));
    let schema = serde_json::from_str(&schema.expect("a schema")).expect("JSON");
    let schema = jsonschema::validator_for(&schema).expect("a schema");
    let attempts = attempts.as_array().expect("an array");
    assert_eq!(attempts.len(), 17);
    for attempt in attempts {
        let errors: Vec<_> = schema.iter_errors(attempt).collect();
        assert!(errors.is_empty(), "{attempt}: {errors:?}");
    }
    let lines = records(&line, &["export", "--format", "jsonl", "--last", "3"]).ends_with(0);
    assert_eq!(lines.stdout.lines().count(), 3);
    let listed = records(&line, &["list", "--json", "--last", "3"]).ends_with(0);
    assert_eq!(listed.stdout, lines.stdout);

    let junit = records(&line, &["export", "--format", "junit"]).ends_with(0);
    let report = Report::deserialize_from_str(&junit.stdout).expect("JUnit XML");
    assert_eq!(
        (report.tests, report.failures, report.errors),
        (17, 4, 4),
        "{junit}"
    );
}

#[test]
fn an_export_goes_into_a_file_whole_or_not_at_all() {
    let line = Line::new();
    let station = Station::new();
    let file = station.path("units.csv");
    let out = file.to_str().expect("text");
    records(&line, &["export", "--format", "csv", "-o", out]).ends_with(0);
    let printed = records(&line, &["export", "--format", "csv"]).ends_with(0);
    assert_eq!(fs::read_to_string(&file).expect("a file"), printed.stdout);
    records(
        &line,
        &["export", "--format", "csv", "-o", "/nowhere/units.csv"],
    )
    .ends_with(23)
    .complains("output-unwritable", &["/nowhere/units.csv"]);
}

#[cfg(target_os = "linux")]
#[test]
fn figures_that_nobody_gets_are_not_done() {
    let line = Line::new();
    for command in [
        &["list"][..],
        &["stats"],
        &["verify"],
        &["export", "--format", "csv"],
    ] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full");
        let typed = [&["records"], command, &["--records", line.typed()]].concat();
        let status = Station::new()
            .command(&typed)
            .stdout(full.expect("a full disk"))
            .stderr(std::process::Stdio::null())
            .status();
        assert_eq!(
            status.expect("rtflash runs").code(),
            Some(23),
            "{command:?}"
        );
    }
}

#[test]
fn the_figures_are_those_of_the_attempts() {
    let line = Line::new();
    let session = records(&line, &["stats", "--budget", "5"]).ends_with(0);
    for words in [
        "attempts   17: 7 pass, 4 fail, 1 refused, 1 cancelled, 2 interrupted, 2 without an end",
        "units      9 tried, 6 passed at their first attempt, 7 in the end; 1 of them failed before",
        "yield      first pass 66.7 %, final 77.8 %",
        "over the budget of 5 s",
        "boot-not-seen       2  50.0 %   50.0 %",
        "line-b   =1",
    ] {
        assert!(session.stdout.contains(words), "no {words:?}\n{session}");
    }
    let json = records(&line, &["stats", "--json"]).ends_with(0);
    let stats: serde_json::Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!(stats["all"]["attempts"]["pass"], 7, "{json}");
    assert_eq!(stats["sites"].as_array().map(Vec::len), Some(4), "{json}");
}

#[test]
fn a_unit_that_failed_at_another_site_is_no_first_pass_of_this_one() {
    let line = Line::new();
    let session = records(&line, &["stats", "--uid", &uid(2), "--verdict", "pass"]).ends_with(0);
    assert!(session.stdout.contains("units      0 tried"), "{session}");
}

#[test]
fn verify_says_that_the_records_agree_and_keeps_to_a_head_that_was_noted() {
    let line = Line::new();
    let session = records(&line, &["verify"]).ends_with(0);
    let verdict = session.stdout.lines().last().unwrap_or_default();
    assert!(
        verdict.starts_with("RECORDS AGREE: 17 attempts, "),
        "{session}"
    );
    session.reports("open", &["attempts 16, 17"]);
    let heads = records(&line, &["verify", "--head"]).ends_with(0);
    let heads: Vec<&str> = heads.stdout.lines().collect();
    assert_eq!(heads.len(), 2);
    records(
        &line,
        &[
            "verify",
            "--expect-head",
            heads[0],
            "--expect-head",
            heads[1],
        ],
    )
    .ends_with(0);
    let session = records(&Line::new(), &["verify", "--expect-head", heads[0]]).ends_with(11);
    let verdict = session.stdout.lines().last().unwrap_or_default();
    assert!(verdict.contains("was made anew"), "{session}");
}

#[test]
fn verify_names_the_first_broken_link() {
    let line = Line::new();
    let journal = line.journal("line-a");
    let mut lines = line.lines("line-a");
    lines.remove(4);
    fs::write(&journal, lines.concat()).expect("a journal");
    records(&line, &["verify"]).ends_with(11).last_line_is(
        "RECORDS DO NOT AGREE: line 5 of journal-line-a.jsonl: its number is 6: lines are missing, doubled or in another order",
    );
    let json = records(&line, &["verify", "--json"]).ends_with(11);
    let record: serde_json::Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!(record["audit"]["breaks"][0]["line"], 5, "{json}");
}

#[test]
fn one_journal_can_be_verified_without_those_of_the_other_stations() {
    let line = Line::new();
    let journal = line.journal("line-a");
    let journal = journal.to_str().expect("text");
    let session = records(&line, &["verify", "--journal", journal]).ends_with(0);
    session.reports("elsewhere", &["6 attempts"]);
}

#[test]
fn records_that_are_not_there_are_not_made() {
    let station = Station::new();
    let place = station.path("records");
    let place = place.to_str().expect("text");
    for command in [&["list"][..], &["show", "1"], &["stats"], &["verify"]] {
        let typed = [&["records"], command, &["--records", place]].concat();
        station
            .run(&typed)
            .ends_with(12)
            .complains("records-none", &[place, "--records"]);
    }
    station
        .run(&["records", "verify", "--records", place])
        .last_line_is(&format!(
            "RECORDS NOT VERIFIED: there is no ledger at {place}/ledger.sqlite [records-none]"
        ));
    assert!(!station.path("records").exists());
}

#[test]
fn reading_records_changes_none() {
    let line = Line::new();
    let content = || -> BTreeMap<String, Vec<u8>> {
        let files = fs::read_dir(line.path()).expect("a directory");
        let files = files.map(|file| file.expect("a file").path());
        files
            .filter(|path| {
                let name = path.display().to_string();
                !name.ends_with("-shm") && !name.ends_with("-wal")
            })
            .map(|path| (path.display().to_string(), fs::read(&path).expect("a file")))
            .collect()
    };
    let before = content();
    for command in [
        &["list"][..],
        &["show", "3"],
        &["stats"],
        &["verify"],
        &["export", "--format", "csv"],
    ] {
        records(&line, command).ends_with(0);
        assert!(content() == before, "{command:?}");
    }
}

#[test]
fn nothing_on_record_acts_on_a_terminal() {
    let line = Line::new();
    for command in [&["list"][..], &["show", "3"], &["stats"], &["verify"]] {
        let session = records(&line, command).ends_with(0);
        assert!(!session.stdout.contains('\u{1b}'), "{session}");
    }
}
