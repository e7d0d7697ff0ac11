//! `rtflash pack`: the complete image as a file for any programmer.

use std::path::PathBuf;

use clap::Args;

use super::args::ImageArgs;
use super::header::{HeaderArgs, TargetArgs};
use super::inspect::{self, print_inspection};
use crate::job;
use crate::problem::Problem;

/// Arguments of `pack`.
#[derive(Debug, Args)]
pub struct PackArgs {
    #[command(flatten)]
    images: ImageArgs,
    /// File to write; its ending says the format: .hex, .bin, .srec or .uf2
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    header: HeaderArgs,
    /// One JSON record in place of lines
    #[arg(long)]
    json: bool,
}

impl PackArgs {
    /// The last word where there is nothing to tell of an image.
    pub fn failed(&self, problem: &Problem) -> String {
        inspect::failed("pack", self.json, problem)
    }
}

/// Runs it; the exit code is the verdict's.
///
/// # Errors
/// What keeps the image from being read or the file from being written.
pub fn run(args: &PackArgs) -> Result<u8, Problem> {
    let target = args.target.target()?;
    let wishes = args.header.choice().wishes(&target)?;
    let inspection = job::pack(&args.images.inputs()?, &target, &wishes, &args.output)?;
    print_inspection(&inspection, args.json, false)
}
