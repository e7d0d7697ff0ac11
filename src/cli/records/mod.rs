//! `rtflash records`: what the station put on record, listed, told, exported, counted and checked.

mod export;
mod filter;
mod list;
mod show;
mod stats;
mod verify;

use clap::{Args, Subcommand};

use super::records_place::RecordsPlace;
use crate::problem::{ExitCode, Problem};
use crate::records::export::Visit;
use crate::records::{Filter, Ledger, RecordsError, open_to_read};

/// Exit codes of `records`.
pub const EXIT_CODES: &str = "\
Exit codes: 0 done; verify: journal and ledger agree; 2 nothing fits what show was
asked for, or an option cannot be understood; 11 verify: they do not agree, the last
line names the first broken link; 12 there are no records, or they cannot be read;
23 the output cannot be written. `rtflash --help` lists them all.";

/// Which records, and what to do with them.
#[derive(Debug, Args)]
pub struct RecordsArgs {
    #[command(subcommand)]
    command: RecordsCommand,
}

/// What can be done with records. None of it creates or changes any.
#[derive(Debug, Subcommand)]
enum RecordsCommand {
    /// List attempts, oldest first: a table on a terminal, else a line each with tabs between the columns
    #[command(after_help = EXIT_CODES)]
    List(list::ListArgs),
    /// Tell the whole story of a unit: every attempt on its chip, numbers and hooks
    #[command(after_help = EXIT_CODES)]
    Show(show::ShowArgs),
    /// Write attempts as CSV, JSON or JUnit XML
    #[command(after_help = EXIT_CODES, long_about = export::ABOUT)]
    Export(export::ExportArgs),
    /// Count: first-pass yield, failures by code, units an hour, cycle times, per site and in all
    #[command(after_help = EXIT_CODES, long_about = stats::ABOUT)]
    Stats(stats::StatsArgs),
    /// Check that the journals are unbroken and that they and the ledger agree
    #[command(after_help = EXIT_CODES, long_about = verify::ABOUT)]
    Verify(verify::VerifyArgs),
}

impl RecordsArgs {
    /// The last line on standard output where the command ended early; only `verify` gives a verdict.
    pub fn last_words(&self, problem: &Problem) -> Option<String> {
        let RecordsCommand::Verify(args) = &self.command else {
            return None;
        };
        Some(args.not_verified(problem))
    }
}

/// Runs it.
///
/// # Errors
/// No records, or they cannot be read; output that cannot be written.
pub fn run(args: &RecordsArgs) -> Result<u8, Problem> {
    match &args.command {
        RecordsCommand::List(args) => list::run(args),
        RecordsCommand::Show(args) => show::run(args),
        RecordsCommand::Export(args) => export::run(args),
        RecordsCommand::Stats(args) => stats::run(args),
        RecordsCommand::Verify(args) => verify::run(args),
    }
}

fn open(place: &RecordsPlace) -> Result<Box<dyn Ledger>, Problem> {
    open_to_read(&place.place_to_read()?).map_err(unreadable)
}

/// Shows `visit` the attempts that `filter` means, oldest first and one after the other; after an error no more of them.
fn each(ledger: &mut dyn Ledger, filter: &Filter, visit: &mut Visit<'_>) -> Result<(), Problem> {
    let mut done = Ok(());
    ledger
        .each(filter, &mut |attempt| {
            if done.is_ok() {
                done = visit(attempt);
            }
        })
        .map_err(unreadable)?;
    done
}

/// Nothing was to be written: what failed is reading.
fn unreadable(error: RecordsError) -> Problem {
    Problem {
        exit: ExitCode::ReadFailed,
        ..Problem::from(error)
    }
}

fn json(value: &impl serde::Serialize) -> Result<String, Problem> {
    serde_json::to_string_pretty(value)
        .map_err(|error| Problem::new("json", ExitCode::Internal, error.to_string()))
}
