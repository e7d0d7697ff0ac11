//! JUnit XML: a suite for each job and station, a case for each attempt.
//!
//! PASS is a success and FAIL a `failure`, with the stable code as its type, the verdict as its message, and why and what to
//! do as its text. A refused or cancelled attempt says nothing about the board: it is `skipped`. An interrupted one, or one
//! without an end, is an `error`: what has become of the board is not known.

use std::collections::BTreeMap;
use std::io::Write;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{Each, fault};
use crate::problem::Problem;
use crate::records::plain::visible;
use crate::records::stats::cycle_seconds;
use crate::records::{Attempt, End, VerdictKind};

const OPEN: &str = "the attempt has no end on record";

/// Of a record, what a case tells.
const PROBLEM: &str = "problem";

/// The report.
///
/// # Errors
/// Of `each`; a fault of this program.
pub fn junit(each: &mut Each<'_>, out: &mut dyn Write) -> Result<(), Problem> {
    let mut attempts = Vec::new();
    each(&mut |mut attempt| {
        if let Some(end) = &mut attempt.end {
            let problem = end.record.get_mut(PROBLEM).map(serde_json::Value::take);
            end.record = serde_json::json!({ PROBLEM: problem });
        }
        attempts.push(attempt);
        Ok(())
    })?;
    let mut suites: BTreeMap<(&str, &str), Vec<&Attempt>> = BTreeMap::new();
    for attempt in &attempts {
        let of = (attempt.begin.job.as_str(), attempt.begin.station.as_str());
        suites.entry(of).or_default().push(attempt);
    }
    let mut report = Report::new("rtflash");
    for ((job, station), attempts) in suites {
        report.add_test_suite(suite(job, station, &attempts));
    }
    let report = report.to_string().map_err(|error| fault(&error))?;
    out.write_all(report.as_bytes())
        .map_err(|error| fault(&error))
}

fn suite(job: &str, station: &str, attempts: &[&Attempt]) -> TestSuite {
    let mut suite = TestSuite::new(visible(&format!("{job} at {station}")));
    if let Some(first) = attempts.iter().map(|attempt| attempt.begin.begun_at).min() {
        suite.timestamp = first.to_string().parse().ok();
    }
    let times: Vec<_> = attempts.iter().filter_map(|a| time(a)).collect();
    suite.set_time(times.into_iter().sum());
    suite.add_test_cases(attempts.iter().map(|attempt| case(attempt)));
    suite
}

fn case(attempt: &Attempt) -> TestCase {
    let begin = &attempt.begin;
    let end = attempt.end.as_ref();
    let unit = end
        .and_then(|end| end.serial.as_ref().or(end.uid.as_ref()))
        .or(begin.barcode.as_ref());
    let unit = unit.map_or_else(|| "unit unknown".to_owned(), |unit| visible(unit));
    let name = format!("{unit}, attempt {}", attempt.id.0);
    let mut case = TestCase::new(name, status(end));
    let class = format!("{}.{}.{}", begin.job, begin.station, begin.site);
    case.set_classname(visible(&class));
    case.timestamp = begin.begun_at.to_string().parse().ok();
    if let Some(time) = time(attempt) {
        case.set_time(time);
    }
    let known = [
        ("uid", end.and_then(|end| end.uid.as_deref())),
        ("serial", end.and_then(|end| end.serial.as_deref())),
        ("barcode", begin.barcode.as_deref()),
        ("operator", begin.operator.as_deref()),
        ("probe", Some(begin.probe.as_str())),
        ("job_sha256", Some(begin.job_sha256.as_str())),
        (
            "flash_sha256",
            end.and_then(|end| end.flash_sha256.as_deref()),
        ),
        ("tool_version", Some(begin.tool_version.as_str())),
    ];
    for (name, value) in known {
        if let Some(value) = value {
            case.add_property((name.to_owned(), visible(value)));
        }
    }
    for number in &attempt.reserved {
        let name = format!("number.{}", visible(&number.series));
        case.add_property((name, number.number.to_string()));
    }
    case
}

fn status(end: Option<&End>) -> TestCaseStatus {
    let Some(end) = end else {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_type("open").set_message(OPEN);
        return status;
    };
    let mut status = match end.verdict {
        VerdictKind::Pass => TestCaseStatus::success(),
        VerdictKind::Fail => TestCaseStatus::non_success(NonSuccessKind::Failure),
        VerdictKind::Interrupted => TestCaseStatus::non_success(NonSuccessKind::Error),
        VerdictKind::Refused | VerdictKind::Cancelled => TestCaseStatus::skipped(),
    };
    let code = end.code.as_deref().unwrap_or(end.verdict.name());
    status
        .set_type(visible(code))
        .set_message(visible(&end.text));
    let reasons = [("where", "place"), ("why", "why"), ("do", "fix")];
    let reasons: Vec<String> = reasons
        .iter()
        .filter_map(|(label, field)| {
            let text = end.record.get(PROBLEM)?.get(field)?.as_str()?;
            Some(format!("{label}: {}", visible(text)))
        })
        .collect();
    if !reasons.is_empty() {
        status.set_description(reasons.join("\n"));
    }
    status
}

fn time(attempt: &Attempt) -> Option<std::time::Duration> {
    cycle_seconds(attempt).and_then(|s| std::time::Duration::try_from_secs_f64(s).ok())
}
