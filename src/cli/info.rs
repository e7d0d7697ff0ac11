//! `rtflash info`: what is on the board.

use clap::Args;

use super::args::BoardArgs;
use super::on_board;
use crate::job::{self, Job};
use crate::problem::Problem;

/// Exit codes of `info`.
pub const EXIT_CODES: &str = "\
Exit codes: 0 chip and flash part were read and are known; 6 wrong or unknown chip or
flash part, what could be read is printed; 12 the flash part cannot be talked to;
21 no probe; 22 no answer, or a poor contact.
`rtflash --help` lists them all.";

/// Arguments of `info`.
#[derive(Debug, Args)]
pub struct InfoArgs {
    #[command(flatten)]
    pub board: BoardArgs,
}

/// Runs it.
///
/// # Errors
/// Whatever keeps the job from being begun.
pub fn run(args: &InfoArgs, verbose: bool) -> Result<u8, Problem> {
    let target = on_board::assumed_target(&args.board)?;
    on_board::run(&args.board, verbose, |bench, progress| {
        job::info(&Job::new(&target), bench, progress)
    })
}
