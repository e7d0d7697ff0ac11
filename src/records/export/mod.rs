//! Attempts in the formats that other programs read: CSV, JSON, JSON lines and JUnit XML; pure.

mod csv_table;
mod junit;

#[cfg(test)]
mod tests;

pub use csv_table::{COLUMNS, csv};
pub use junit::junit;

use super::Attempt;
use crate::problem::{ExitCode, Problem};

/// All attempts as one JSON array, as docs/attempt.schema.json describes each.
///
/// # Errors
/// A fault of this program.
pub fn json(attempts: &[Attempt]) -> Result<String, Problem> {
    serde_json::to_string_pretty(attempts)
        .map(|text| text + "\n")
        .map_err(|error| fault(&error))
}

/// One attempt a line, as docs/attempt.schema.json describes it.
///
/// # Errors
/// A fault of this program.
pub fn json_lines(attempts: &[Attempt]) -> Result<String, Problem> {
    let mut text = String::new();
    for attempt in attempts {
        text += &serde_json::to_string(attempt).map_err(|error| fault(&error))?;
        text.push('\n');
    }
    Ok(text)
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
