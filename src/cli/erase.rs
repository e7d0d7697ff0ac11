//! `rtflash erase`: the whole flash, or ranges of it.

use clap::Args;

use super::args::BoardArgs;
use super::on_board;
use crate::job::{self, CutSectors, EraseRequest, EraseWhat, Job, RangeChoice};
use crate::problem::{ExitCode, Problem};

pub const EXIT_CODES: &str = "\
Exit codes: 0 erased and found blank; 2 neither --chip nor --range; 8 erase failed;
9 not blank afterwards, or a cut sector holds other bytes; 10 or 11 other bytes were
not put back, or have changed; 6 another chip or flash part; 20 a range is not inside
the part, or other bytes cannot be saved; 21 no probe; 22 no answer, or a poor contact.
`rtflash --help` lists them all.";

/// Arguments of `erase`.
#[derive(Debug, Args)]
pub struct EraseArgs {
    /// Erase the whole part
    #[arg(long, conflicts_with_all = ["range", "keep_others", "whole_sectors"])]
    chip: bool,
    /// Erase this range; may be given several times: 0x60002000+0x1000, 0x60002000+4K, or 0x60002000..0x60003000 without
    /// the last address; an address below the part's size is a flash offset: 0x2000+4K
    #[arg(long, value_name = "RANGE")]
    range: Vec<RangeChoice>,
    /// Where a range ends inside a sector of 4 KiB: save the other bytes of the sector on this computer, and restore them
    #[arg(long, conflicts_with = "whole_sectors")]
    keep_others: bool,
    /// Where a range ends inside a sector of 4 KiB: erase the whole sector
    #[arg(long)]
    whole_sectors: bool,
    #[command(flatten)]
    pub board: BoardArgs,
}

impl EraseArgs {
    fn what(&self) -> Result<EraseWhat, Problem> {
        match (self.chip, self.range.is_empty()) {
            (true, _) => Ok(EraseWhat::Chip),
            (false, false) => Ok(EraseWhat::Ranges(self.range.clone())),
            (false, true) => Err(Problem::new(
                "erase-what",
                ExitCode::Usage,
                "nothing was said about what to erase",
            )
            .because("nothing is erased by default")
            .fix("give --chip, or --range 0x60000000+4K")),
        }
    }

    const fn cut(&self) -> CutSectors {
        match (self.keep_others, self.whole_sectors) {
            (true, _) => CutSectors::KeepOthers,
            (_, true) => CutSectors::EraseWhole,
            (false, false) => CutSectors::Refuse,
        }
    }
}

/// Runs it; the exit code is the verdict's.
///
/// # Errors
/// What keeps the job from being begun.
pub fn run(args: &EraseArgs, verbose: bool) -> Result<u8, Problem> {
    let request = EraseRequest {
        what: args.what()?,
        cut: args.cut(),
    };
    on_board::run_with_target(
        "erase",
        &args.board,
        verbose,
        // told before a board is touched, where the part is known
        |target| request.within(target),
        |target, _, bench, progress| job::erase(&Job::new(target), &request, bench, progress),
    )
}
