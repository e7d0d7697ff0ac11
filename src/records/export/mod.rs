//! Attempts in the formats that other programs read: CSV, JSON, JSON lines and JUnit XML; pure.
//!
//! Ledgers grow, so attempts come one after the other and are written as they come; only JUnit's suites need them all.

mod csv_table;
mod junit;

#[cfg(test)]
mod tests;

use std::io::Write;

use serde::Serializer;
use serde::ser::SerializeSeq;

pub use csv_table::{COLUMNS, csv};
pub use junit::junit;

use super::Attempt;
use crate::problem::{ExitCode, Problem};

/// Takes an attempt. After an error it is given no more.
pub type Visit<'a> = dyn FnMut(Attempt) -> Result<(), Problem> + 'a;

/// Shows every attempt that is to be written, oldest first.
pub type Each<'a> = dyn FnMut(&mut Visit<'_>) -> Result<(), Problem> + 'a;

/// All attempts as one JSON array, as docs/attempt.schema.json describes each.
///
/// # Errors
/// Of `each`; a fault of this program.
pub fn json(each: &mut Each<'_>, out: &mut dyn Write) -> Result<(), Problem> {
    let mut json = serde_json::Serializer::pretty(&mut *out);
    let mut array = json.serialize_seq(None).map_err(|error| fault(&error))?;
    each(&mut |attempt| {
        array
            .serialize_element(&attempt)
            .map_err(|error| fault(&error))
    })?;
    array.end().map_err(|error| fault(&error))?;
    out.write_all(b"\n").map_err(|error| fault(&error))
}

/// One attempt a line, as docs/attempt.schema.json describes it.
///
/// # Errors
/// Of `each`; a fault of this program.
pub fn json_lines(each: &mut Each<'_>, out: &mut dyn Write) -> Result<(), Problem> {
    each(&mut |attempt| {
        let line = json_line(&attempt)?;
        writeln!(out, "{line}").map_err(|error| fault(&error))
    })
}

/// One attempt, without a line end.
///
/// # Errors
/// A fault of this program.
pub fn json_line(attempt: &Attempt) -> Result<String, Problem> {
    serde_json::to_string(attempt).map_err(|error| fault(&error))
}

fn fault(error: &dyn std::fmt::Display) -> Problem {
    Problem::new(
        "export",
        ExitCode::Internal,
        "the attempts cannot be put into the format",
    )
    .because(error.to_string())
    .fix("this is a fault of rtflash: please report it with this line")
}
