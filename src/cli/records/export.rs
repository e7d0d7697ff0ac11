//! `rtflash records export`: attempts for other programs.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use clap::{Args, ValueEnum};

use super::filter::FilterArgs;
use crate::cli::OUTPUT_LOST;
use crate::cli::records_place::RecordsPlace;
use crate::job::{OutputFile, unwritable};
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
    let mut out = Out::begin(args.out.as_deref())?;
    let mut ledger = super::open(&args.place)?;
    let filter = args.filter.filter();
    let mut each = |visit: &mut export::Visit<'_>| super::each(ledger.as_mut(), &filter, visit);
    let mut buffered = BufWriter::new(&mut out);
    match args.format {
        Format::Csv => export::csv(&mut each, &mut buffered)?,
        Format::Json => export::json(&mut each, &mut buffered)?,
        Format::Jsonl => export::json_lines(&mut each, &mut buffered)?,
        Format::Junit => export::junit(&mut each, &mut buffered)?,
    }
    // drops the rest into `out`, which takes everything and tells at the end whether it could
    drop(buffered);
    out.finish()?;
    Ok(ExitCode::Proven.number())
}

/// Where the export goes: a file, or standard output. It takes everything; what could not be written is told at the end.
struct Out {
    file: Option<OutputFile>,
    failed: Option<io::Error>,
}

impl Out {
    fn begin(path: Option<&Path>) -> Result<Out, Problem> {
        Ok(Out {
            file: path.map(OutputFile::begin).transpose()?,
            failed: None,
        })
    }

    fn finish(self) -> Result<(), Problem> {
        match (self.file, self.failed) {
            (Some(file), None) => file.finish(&[]),
            (Some(file), Some(error)) => Err(unwritable(file.path(), &error)),
            (None, failed) => {
                if failed.is_some() || io::stdout().flush().is_err() {
                    OUTPUT_LOST.store(true, Ordering::Relaxed);
                }
                Ok(())
            }
        }
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.failed.is_none() {
            let written = match &mut self.file {
                Some(file) => file.write_all(bytes),
                None => io::stdout().write_all(bytes),
            };
            self.failed = written.err();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
