//! `rtflash inspect`: what is in an image, and will the boot ROM start it.

use clap::Args;

use super::args::ImageArgs;
use super::header::{HeaderArgs, TargetArgs};
use crate::job;
use crate::problem::{ExitCode, Problem};
use crate::report::{self, FailedInspection, Inspection};

/// Arguments of `inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    #[command(flatten)]
    images: ImageArgs,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    header: HeaderArgs,
    /// One JSON record in place of lines
    #[arg(long)]
    json: bool,
}

impl InspectArgs {
    /// The last word where there is nothing to tell of an image.
    pub fn failed(&self, problem: &Problem) -> String {
        failed("inspect", self.json, problem)
    }
}

/// The last word of a command that has nothing to tell of an image: the record, or its verdict.
pub fn failed(command: &'static str, json: bool, problem: &Problem) -> String {
    let record = FailedInspection::new(command, problem);
    if json {
        // a record is plain data: this cannot fail, and the error itself is on stderr
        return serde_json::to_string_pretty(&record).unwrap_or_default();
    }
    record.verdict.to_string()
}

/// Runs it; the exit code is the verdict's.
///
/// # Errors
/// What keeps the image from being read.
pub fn run(args: &InspectArgs) -> Result<u8, Problem> {
    let target = args.target.target()?;
    let wishes = args.header.choice().wishes(&target)?;
    let inspection = job::inspect(&args.images.inputs()?, &target, &wishes)?;
    print_inspection(&inspection, args.json, true)
}

/// Prints an inspection as lines or as JSON; the exit code is its verdict's.
///
/// # Errors
/// A fault of this program: the record is not JSON.
pub fn print_inspection(
    inspection: &Inspection,
    json: bool,
    with_fields: bool,
) -> Result<u8, Problem> {
    if json {
        let text = serde_json::to_string_pretty(inspection)
            .map_err(|e| Problem::new("json", ExitCode::Internal, e.to_string()))?;
        super::print(&text);
    } else {
        for line in report::inspection_lines(inspection, with_fields) {
            super::print(&line);
        }
    }
    Ok(inspection.verdict.exit())
}
