//! CSV after RFC 4180: one row an attempt, the columns always the same, the phases' times behind them.
//!
//! The first columns are [`COLUMNS`], in that order; new ones come behind them and before the phases. A phase that any of
//! the attempts went through has the column `phase_NAME_seconds`. A time is RFC 3339 in UTC; an empty cell says that there
//! is no such thing.
//!
//! Spreadsheets take a cell that begins with `=`, `+`, `-`, `@`, a tab or a line end for a formula, and what operators type
//! or scanners read must not be run. Such a cell gets a `'` in front, and so does one that begins with `'`, so that taking
//! one leading `'` away always gives the text back. Control characters are shown as their pictures (`␊`), so one row is one
//! line. JSON has every text as it is.

use std::io::Write;

use super::{Each, fault};
use crate::problem::{ExitCode, Problem};
use crate::records::Attempt;
use crate::records::plain::visible;
use crate::records::stats::cycle_seconds;

/// The columns that are always there.
pub const COLUMNS: [&str; 26] = [
    "attempt",
    "job",
    "station",
    "site",
    "operator",
    "probe",
    "barcode",
    "uid",
    "serial",
    "numbers",
    "verdict",
    "exit",
    "code",
    "text",
    "begun_at",
    "ended_at",
    "cycle_seconds",
    "retries",
    "hooks_failed",
    "job_sha256",
    "images_sha256",
    "flash_sha256",
    "tool_version",
    "rehearsal",
    "journal_line",
    "journal_sha256",
];

/// What makes a spreadsheet take a cell for a formula, and the mark itself.
const GUARDED: [char; 7] = ['=', '+', '-', '@', '\t', '\r', GUARD];
const GUARD: char = '\'';

/// The table. The attempts are asked for twice: what phases there are stands in the first row.
///
/// # Errors
/// Of `each`; `records-changed`; a fault of this program.
pub fn csv(each: &mut Each<'_>, out: &mut dyn Write) -> Result<(), Problem> {
    let phases = phases(each)?;
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(out);
    let head = COLUMNS.iter().map(|name| (*name).to_owned());
    let of_phases = phases
        .iter()
        .map(|phase| guarded(&format!("phase_{phase}_seconds")));
    writer
        .write_record(head.chain(of_phases))
        .map_err(|error| fault(&error))?;
    each(&mut |attempt| {
        if let Some(new) = phases_of(&attempt).find(|phase| !phases.contains(phase)) {
            return Err(changed(&attempt, new));
        }
        let times = phases.iter().map(|phase| seconds(&attempt, phase));
        let cells = cells(&attempt).into_iter();
        writer
            .write_record(cells.chain(times))
            .map_err(|error| fault(&error))
    })?;
    writer.flush().map_err(|error| fault(&error))
}

/// Names of all phases, in the order in which they first come up.
fn phases(each: &mut Each<'_>) -> Result<Vec<String>, Problem> {
    let mut phases: Vec<String> = Vec::new();
    each(&mut |attempt| {
        for name in phases_of(&attempt) {
            if !phases.contains(name) {
                phases.push(name.clone());
            }
        }
        Ok(())
    })?;
    Ok(phases)
}

fn phases_of(attempt: &Attempt) -> impl Iterator<Item = &String> {
    let phases = attempt.end.iter().flat_map(|end| &end.phases);
    phases.map(|(name, _)| name)
}

/// An attempt ended while the table was written, and went through a phase that none had gone through before.
fn changed(attempt: &Attempt, phase: &str) -> Problem {
    Problem::new(
        "records-changed",
        ExitCode::ReadFailed,
        "the table has no column for what a station has recorded meanwhile",
    )
    .because(format!(
        "attempt {} went through `{}`, the first of all to do so",
        attempt.id.0,
        visible(phase)
    ))
    .fix("export once more")
}

/// A phase that an attempt goes through twice counts with its sum.
fn seconds(attempt: &Attempt, phase: &str) -> String {
    let phases = attempt.end.iter().flat_map(|end| &end.phases);
    let of_phase = phases.filter(|(name, _)| name == phase);
    of_phase
        .map(|(_, seconds)| *seconds)
        .reduce(|a, b| a + b)
        .map(|seconds| seconds.to_string())
        .unwrap_or_default()
}

fn cells(attempt: &Attempt) -> [String; COLUMNS.len()] {
    let (begin, end) = (&attempt.begin, attempt.end.as_ref());
    let text = |text: Option<&String>| text.map(|text| guarded(text)).unwrap_or_default();
    let numbers: Vec<String> = attempt
        .reserved
        .iter()
        .map(|number| format!("{}={}", number.series, number.number))
        .collect();
    let hooks_failed = attempt.hooks.iter().filter(|hook| hook.error.is_some());
    [
        attempt.id.0.to_string(),
        guarded(&begin.job),
        guarded(&begin.station),
        guarded(&begin.site),
        text(begin.operator.as_ref()),
        guarded(&begin.probe),
        text(begin.barcode.as_ref()),
        text(end.and_then(|end| end.uid.as_ref())),
        text(end.and_then(|end| end.serial.as_ref())),
        guarded(&numbers.join(" ")),
        end.map(|end| end.verdict.name().to_owned())
            .unwrap_or_default(),
        end.map(|end| end.exit.to_string()).unwrap_or_default(),
        text(end.and_then(|end| end.code.as_ref())),
        text(end.map(|end| &end.text)),
        begin.begun_at.to_string(),
        end.map(|end| end.ended_at.to_string()).unwrap_or_default(),
        cycle_seconds(attempt)
            .map(|s| s.to_string())
            .unwrap_or_default(),
        end.map(|end| end.retries.to_string()).unwrap_or_default(),
        hooks_failed.count().to_string(),
        guarded(&begin.job_sha256),
        guarded(&begin.images_sha256.join(" ")),
        text(end.and_then(|end| end.flash_sha256.as_ref())),
        guarded(&begin.tool_version),
        begin.rehearsal.to_string(),
        attempt
            .journal
            .as_ref()
            .map(|mark| mark.line.to_string())
            .unwrap_or_default(),
        text(attempt.journal.as_ref().map(|mark| &mark.sha256)),
    ]
}

/// Text that no spreadsheet takes for a formula, on one line.
fn guarded(text: &str) -> String {
    let visible = visible(text);
    if text.starts_with(GUARDED) || visible.starts_with(GUARDED) {
        format!("{GUARD}{visible}")
    } else {
        visible
    }
}
