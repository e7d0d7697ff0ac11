//! `rtflash records export`: attempts for other programs.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::filter::FilterArgs;
use crate::cli::print;
use crate::cli::records_place::RecordsPlace;
use crate::job::OutputFile;
use crate::problem::{ExitCode, Problem};
use crate::records::export;

/// What the long help says.
pub const ABOUT: &str = "\
Write attempts as CSV, JSON or JUnit XML

CSV has one row an attempt, always with the same columns, and behind them one for the seconds of each phase; a cell that a \
spreadsheet would take for a formula has a ' in front, and control characters are shown as pictures. JSON is an array, \
jsonl a line an attempt, each as docs/attempt.schema.json describes it. JUnit XML has a suite for each job and station, \
and a case for each attempt: FAIL is a failure, refused and cancelled attempts are skipped, interrupted ones are errors.";

/// Arguments of `export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    #[command(flatten)]
    place: RecordsPlace,
    #[command(flatten)]
    filter: FilterArgs,
    /// The format
    #[arg(long, value_name = "FORMAT")]
    format: Format,
    /// Write it into this file, whole or not at all; without it, to standard output
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// A format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table for spreadsheets
    Csv,
    /// One array
    Json,
    /// One object a line
    Jsonl,
    /// For CI servers and test databases
    Junit,
}

/// Writes it.
///
/// # Errors
/// They cannot be read, or it cannot be written.
pub fn run(args: &ExportArgs) -> Result<u8, Problem> {
    let file = args.out.as_deref().map(OutputFile::begin).transpose()?;
    let attempts = super::attempts(&args.place, &args.filter.filter())?;
    let text = match args.format {
        Format::Csv => export::csv(&attempts)?,
        Format::Json => export::json(&attempts)?,
        Format::Jsonl => export::json_lines(&attempts)?,
        Format::Junit => export::junit(&attempts)?,
    };
    match file {
        Some(file) => file.finish(text.as_bytes())?,
        None if text.is_empty() => {}
        None => print(text.strip_suffix('\n').unwrap_or(&text)),
    }
    Ok(ExitCode::Proven.number())
}
