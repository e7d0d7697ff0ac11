//! What other programs read is what is on record.

use std::io::Write;

use proptest::prelude::*;
use quick_junit::{NonSuccessKind, Report, TestCaseStatus};

use super::{COLUMNS, Each};
use crate::problem::Problem;
use crate::records::sample::{attempt, ended, failed, passed, with_serial};
use crate::records::{Attempt, HookResult, VerdictKind};

type Format = fn(&mut Each<'_>, &mut dyn Write) -> Result<(), Problem>;

/// The attempts in a format.
fn written(format: Format, attempts: &[Attempt]) -> Result<String, Problem> {
    let mut bytes = Vec::new();
    let mut each = |visit: &mut super::Visit<'_>| attempts.iter().cloned().try_for_each(visit);
    format(&mut each, &mut bytes)?;
    Ok(String::from_utf8(bytes).expect("text"))
}

fn csv(attempts: &[Attempt]) -> Result<String, Problem> {
    written(super::csv, attempts)
}

fn json(attempts: &[Attempt]) -> Result<String, Problem> {
    written(super::json, attempts)
}

fn json_lines(attempts: &[Attempt]) -> Result<String, Problem> {
    written(super::json_lines, attempts)
}

fn junit(attempts: &[Attempt]) -> Result<String, Problem> {
    written(super::junit, attempts)
}

fn some() -> Vec<Attempt> {
    let mut failing = failed(2, "2", 3, Some("00000000000000B2"), "boot-not-seen");
    failing.begin.barcode = Some("=HYPERLINK(\"x\")".to_owned());
    let end = failing.end.as_mut().expect("an end");
    end.phases.push(("boot".to_owned(), 1.25));
    end.text = "not seen to boot\nwatched for 2 s, \"long\"".to_owned();
    end.record = serde_json::json!({
        "problem": {"code": "boot-not-seen", "why": "no \u{1b}[31m answer", "fix": "look at BOOT_CFG & <power>"}
    });
    failing.hooks.push(HookResult {
        command: "label".to_owned(),
        status: Some(3),
        error: Some("exit status 3".to_owned()),
        ended_at: failing.begin.begun_at,
    });
    vec![
        with_serial(passed(1, "1", 0, "00000000000000A1"), 17),
        failing,
        attempt(3, "1", 60),
        ended(
            attempt(4, "1", 70),
            VerdictKind::Refused,
            Some("passed-before"),
            Some("00000000000000A1"),
            1,
        ),
        ended(
            attempt(5, "1", 80),
            VerdictKind::Interrupted,
            Some("interrupted"),
            None,
            600,
        ),
    ]
}

/// The rows of a table, read back.
fn rows(table: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(table.as_bytes());
    reader
        .records()
        .map(|row| row.expect("a row").iter().map(str::to_owned).collect())
        .collect()
}

fn cell<'a>(rows: &'a [Vec<String>], row: usize, column: &str) -> &'a str {
    let at = rows[0].iter().position(|name| name == column);
    &rows[row][at.unwrap_or_else(|| panic!("no column {column}"))]
}

#[test]
fn a_table_has_the_documented_columns_and_then_the_phases() {
    let table = csv(&some()).expect("a table");
    let head = table.lines().next().expect("a head");
    assert_eq!(
        head,
        "attempt,job,station,site,operator,probe,barcode,uid,serial,numbers,verdict,exit,code,text,begun_at,ended_at,\
         cycle_seconds,retries,hooks_failed,job_sha256,images_sha256,flash_sha256,tool_version,rehearsal,journal_line,\
         journal_sha256,phase_connect_seconds,phase_program_seconds,phase_boot_seconds"
    );
    assert_eq!(rows(&csv(&[]).expect("a table")), [COLUMNS]);
}

#[test]
fn a_row_of_the_table_is_one_attempt_on_one_line() {
    let table = csv(&some()).expect("a table");
    assert_eq!(table.matches("\r\n").count(), 6);
    assert_eq!(table.matches('\n').count(), 6);
    let rows = rows(&table);
    for (row, column, expected) in [
        (1, "attempt", "1"),
        (1, "uid", "00000000000000A1"),
        (1, "serial", "W00017"),
        (1, "numbers", "serial=17"),
        (1, "verdict", "pass"),
        (1, "code", ""),
        (1, "begun_at", "2026-11-23T08:00:00Z"),
        (1, "ended_at", "2026-11-23T08:00:08Z"),
        (1, "cycle_seconds", "8"),
        (1, "phase_program_seconds", "2"),
        (1, "phase_boot_seconds", ""),
        (2, "phase_boot_seconds", "1.25"),
        (2, "text", "not seen to boot␊watched for 2 s, \"long\""),
        (2, "hooks_failed", "1"),
        (3, "verdict", ""),
        (3, "ended_at", ""),
    ] {
        assert_eq!(cell(&rows, row, column), expected, "{column} of {row}");
    }
}

#[test]
fn no_cell_is_a_formula_of_a_spreadsheet() {
    let rows = rows(&csv(&some()).expect("a table"));
    assert_eq!(cell(&rows, 2, "barcode"), "'=HYPERLINK(\"x\")");
}

proptest! {
    #[test]
    fn any_text_comes_back_from_the_table_without_its_guard(text in "[-=+@'\t\r\n ,\"a\u{1b}ü]{0,8}") {
        let mut one = attempt(1, "1", 0);
        one.begin.operator = Some(text.clone());
        let rows = rows(&csv(&[one]).expect("a table"));
        let written = cell(&rows, 1, "operator");
        prop_assert!(!written.starts_with(['=', '+', '-', '@', '\t', '\r']));
        let back = written.strip_prefix('\'').unwrap_or(written);
        prop_assert_eq!(back, crate::records::plain::visible(&text));
    }

    #[test]
    fn any_text_makes_a_junit_report_that_can_be_read(text in any::<String>()) {
        let mut one = failed(1, &text, 0, Some(&text), &text);
        one.begin.job = text.clone();
        one.end.as_mut().expect("an end").text = text;
        let report = junit(&[one]).expect("a report");
        let read = Report::deserialize_from_str(&report);
        prop_assert!(read.is_ok(), "{:?}\n{}", read, report);
        let control = |c: char| c.is_control() && c != '\n';
        prop_assert!(!report.contains(control), "{report:?}");
    }
}

#[test]
fn json_is_read_back_as_the_same_attempts() {
    let attempts = some();
    let text = json(&attempts).expect("JSON");
    let read: Vec<Attempt> = serde_json::from_str(&text).expect("attempts");
    assert_eq!(read, attempts);
    let lines = json_lines(&attempts).expect("JSON");
    let read: Vec<Attempt> = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("an attempt"))
        .collect();
    assert_eq!(read, attempts);
}

#[test]
fn json_that_is_written_piece_by_piece_is_that_of_all_together() {
    for attempts in [some(), some()[..1].to_vec(), Vec::new()] {
        let together = serde_json::to_string_pretty(&attempts).expect("JSON") + "\n";
        assert_eq!(json(&attempts).expect("JSON"), together);
    }
}

#[test]
fn a_phase_that_comes_up_while_the_table_is_written_is_not_left_out_unsaid() {
    let mut attempts = some();
    let mut bytes = Vec::new();
    let mut each = |visit: &mut super::Visit<'_>| {
        let shown = attempts.clone();
        // between the first time and the second
        let end = attempts[1].end.as_mut().expect("an end");
        end.phases.push(("label".to_owned(), 1.0));
        shown.into_iter().try_for_each(visit)
    };
    let problem = super::csv(&mut each, &mut bytes).expect_err("a phase without a column");
    assert_eq!(problem.code, "records-changed");
    assert!(problem.to_string().contains("label"), "{problem}");
}

#[test]
fn a_junit_report_has_a_suite_for_each_job_and_station_and_a_case_for_each_attempt() {
    let mut attempts = some();
    attempts.push(passed(6, "1", 100, "00000000000000A6"));
    attempts[5].begin.job = "gadget".to_owned();
    let text = junit(&attempts).expect("a report");
    let report = Report::deserialize_from_str(&text).expect("JUnit XML");
    let suites: Vec<(&str, usize, usize, usize, usize)> = report
        .test_suites
        .iter()
        .map(|s| (s.name.as_str(), s.tests, s.failures, s.errors, s.skipped))
        .collect();
    assert_eq!(
        suites,
        [
            ("gadget at line-a", 1, 0, 0, 0),
            ("widget at line-a", 5, 1, 2, 1)
        ]
    );
    assert_eq!((report.tests, report.failures, report.errors), (6, 1, 2));
    let cases = &report.test_suites[1].test_cases;
    assert_eq!(&*cases[0].name, "W00017, attempt 1");
    assert_eq!(cases[0].classname.as_deref(), Some("widget.line-a.1"));
    assert_eq!(cases[0].time.map(|time| time.as_secs()), Some(8));
    assert!(matches!(cases[0].status, TestCaseStatus::Success { .. }));
    let TestCaseStatus::NonSuccess {
        kind,
        message,
        ty,
        description,
        ..
    } = &cases[1].status
    else {
        panic!("{:?}", cases[1]);
    };
    assert_eq!(*kind, NonSuccessKind::Failure);
    assert_eq!(ty.as_deref(), Some("boot-not-seen"));
    assert_eq!(
        message.as_deref(),
        Some("not seen to boot␊watched for 2 s, \"long\"")
    );
    assert_eq!(
        description.as_deref(),
        Some("why: no ␛[31m answer\ndo: look at BOOT_CFG & <power>")
    );
    assert!(matches!(cases[3].status, TestCaseStatus::Skipped { .. }));
}
