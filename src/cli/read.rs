//! `rtflash read`: the flash, or a range of it, into a file or onto standard output.

use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use super::args::BoardArgs;
use super::{on_board, print, print_aside};
use crate::job::{self, Destination, Job, OutputFile, PackFormat, RangeChoice, ReadRequest};
use crate::problem::{ExitCode, Problem};
use crate::target::Target;

pub const EXIT_CODES: &str = "\
Exit codes: 0 read and proven; 12 could not be read; 6 another chip or flash part;
20 the range is not inside the part; 2 the output's ending says no format; 21 no
probe; 22 no answer, or a poor contact; 23 the output cannot be written.
`rtflash --help` lists them all.";

/// The name that means standard output.
const STDOUT: &str = "-";

/// Arguments of `read`.
#[derive(Debug, Args)]
pub struct ReadArgs {
    /// File to write; its ending says the format: .hex, .bin, .srec (.s19, .mot) or .uf2. With addresses, they are those
    /// of the bus; a .bin holds the range's bytes alone. - for raw bytes on standard output, the report then on stderr
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// What to read (default: the whole part): 0x60002000+0x1000, 0x60002000+4K, or 0x60002000..0x60003000 without the
    /// last address; an address below the part's size is a flash offset: 0x2000+4K
    #[arg(long, value_name = "RANGE")]
    range: Option<RangeChoice>,
    /// Leave sectors that are erased out of the file; not for .bin, which has no addresses
    #[arg(long)]
    skip_erased: bool,
    #[command(flatten)]
    board: BoardArgs,
}

impl ReadArgs {
    fn is_to_stdout(&self) -> bool {
        self.output == Path::new(STDOUT)
    }

    /// Where the report goes: not between the bytes.
    fn say(&self) -> fn(&str) {
        if self.is_to_stdout() {
            print_aside
        } else {
            print
        }
    }

    /// The last word where no job was begun; none on standard output where bytes were to be.
    pub fn refused(&self, problem: &Problem) -> Option<String> {
        let last_word = on_board::refused("read", self.board.json, problem);
        if self.is_to_stdout() && !self.board.json {
            print_aside(&last_word);
            return None;
        }
        Some(last_word)
    }
}

/// Runs it; the exit code is the verdict's.
///
/// # Errors
/// What keeps the job from being begun.
pub fn run(args: &ReadArgs, verbose: bool) -> Result<u8, Problem> {
    let usage = |code, what, fix| Err(Problem::new(code, ExitCode::Usage, what).fix(fix));
    if args.is_to_stdout() && args.board.json {
        return usage(
            "stdout-twice",
            "both the bytes and the record were to go to standard output",
            "give -o FILE for the bytes, or leave out --json",
        );
    }
    let format = if args.is_to_stdout() {
        PackFormat::Binary
    } else {
        PackFormat::of_name(&args.output)?
    };
    if args.skip_erased && format == PackFormat::Binary {
        return usage(
            "skip-erased",
            "raw bytes have no addresses, so none of them can be left out",
            "leave out --skip-erased, or let the output end in .hex, .srec or .uf2",
        );
    }
    let range = args.range.as_ref();
    let within = |target: &Target| range.map(|range| range.within(target)).transpose();
    let mut stdout = io::stdout();
    let destination = if args.is_to_stdout() {
        Destination::Stream(&mut stdout)
    } else {
        Destination::File {
            file: OutputFile::begin(&args.output)?,
            format,
        }
    };
    let request = ReadRequest {
        range: range.cloned(),
        skip_erased: args.skip_erased,
        destination,
    };
    on_board::run_with_target_saying(
        args.say(),
        "read",
        &args.board,
        verbose,
        // told before a board is touched, where the part is known
        within,
        |target, _, bench, progress| job::read(&Job::new(target), request, bench, progress),
    )
}
