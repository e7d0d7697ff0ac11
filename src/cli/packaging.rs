//! `rtflash completions` and `rtflash man`: what a package of rtflash brings beside the program.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::args::Cli;
use crate::problem::{ExitCode, Place, Problem};

const NAME: &str = "rtflash";

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Arguments of `man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Write a page for the program and one for every command into this directory, which must exist; without it the
    /// program's page goes to standard output
    #[arg(long, value_name = "DIRECTORY")]
    out: Option<PathBuf>,
}

/// Prints a completion script.
///
/// # Errors
/// Standard output cannot be written (exit 23).
pub fn completions(args: &CompletionsArgs) -> Result<u8, Problem> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), NAME, &mut script);
    to_stdout(&script)
}

/// Prints the manual page, or writes all of them.
///
/// # Errors
/// A page cannot be written (exit 23).
pub fn man(args: &ManArgs) -> Result<u8, Problem> {
    let Some(directory) = &args.out else {
        let mut page = Vec::new();
        clap_mangen::Man::new(Cli::command())
            .render(&mut page)
            .map_err(|error| not_written("standard output".into(), &error))?;
        return to_stdout(&page);
    };
    clap_mangen::generate_to(Cli::command(), directory)
        .map_err(|error| not_written(directory.clone(), &error))?;
    Ok(ExitCode::Proven.number())
}

fn to_stdout(bytes: &[u8]) -> Result<u8, Problem> {
    io::stdout()
        .write_all(bytes)
        .map_err(|error| not_written("standard output".into(), &error))?;
    Ok(ExitCode::Proven.number())
}

fn not_written(path: PathBuf, error: &io::Error) -> Problem {
    Problem::new(
        "output-unwritable",
        ExitCode::RecordNotWritten,
        "the output cannot be written",
    )
    .at(Place::in_file(path, None))
    .because(error.to_string())
    .fix("name a directory that exists and can be written to")
}
