//! `rtflash doctor`: why does the board not boot.

use std::path::PathBuf;

use clap::Args;

use super::args::{BoardArgs, WatchArgs};
use super::{on_board, print};
use crate::job::{self, InputFile, Job, Question, Request, UDEV_RULE};
use crate::problem::{ExitCode, Problem};
use crate::target::Target;

/// Exit codes of `doctor`.
pub const EXIT_CODES: &str = "\
Exit codes: 0 nothing keeps the board from working; 16 it would not boot, or does not go on
running; 11 it holds something else than IMAGE; 13 or 20 IMAGE cannot be used; 6 another
chip or flash part; 21 no probe; 22 no answer, or a poor contact. `rtflash --help` lists them all.";

/// Arguments of `doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Files of the image that the board should hold, as for `flash`; without them only the board is looked at
    #[arg(value_name = "IMAGE")]
    images: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) board: BoardArgs,
    #[command(flatten)]
    watch: WatchArgs,
    /// Only look: no reset, no halt. Then the flash is not read, and a boot not proven
    #[arg(long, conflicts_with = "connect_under_reset")]
    no_reset: bool,
    /// Print the udev rule that gives users access to debug probes on Linux, and do nothing else
    #[arg(long)]
    print_udev_rule: bool,
}

/// Runs it; the exit code is that of the diagnosis.
///
/// # Errors
/// Files that cannot be read, and what keeps the job from being begun.
pub fn run(args: &DoctorArgs, verbose: bool) -> Result<u8, Problem> {
    if args.print_udev_rule {
        print(UDEV_RULE.trim_end());
        return Ok(ExitCode::Proven.number());
    }
    let target = on_board::assumed_target(&args.board)?;
    let question = Question {
        image: image(&args.images, &target)?,
        no_reset: args.no_reset,
        flash_command: flash_command(args),
    };
    on_board::run(&args.board, verbose, |bench, progress| {
        let mut examine = |target: &Target| {
            let job = Job {
                boot_timeout: args.watch.boot_timeout,
                boot_watch: args.watch.boot_watch,
                ..Job::new(target)
            };
            job::doctor(&job, &question, bench, progress)
        };
        let outcome = examine(&target);
        match on_board::other_target(&args.board, &outcome.record) {
            Some(found) => examine(&found),
            None => outcome,
        }
    })
}

/// The image that the board should hold. Whether it would boot is the doctor's matter.
fn image(files: &[PathBuf], target: &Target) -> Result<Option<Request>, Problem> {
    if files.is_empty() {
        return Ok(None);
    }
    let inputs = InputFile::all(files, &[])?;
    Ok(Some(Request::new(job::read_files(&inputs, target)?)))
}

/// The command line that flashes this board.
fn flash_command(args: &DoctorArgs) -> String {
    let mut words = vec!["rtflash".to_owned(), "flash".to_owned()];
    words.extend(args.images.iter().map(|file| file.display().to_string()));
    if args.images.is_empty() {
        words.push("IMAGE".to_owned());
    }
    let board = &args.board;
    let mut option = |name: &str, value: &str| words.extend([name.to_owned(), value.to_owned()]);
    if let Some(probe) = &board.probe {
        option("--probe", probe);
    }
    if board.flash != DEFAULT_FLASH {
        option("--flash", &board.flash);
    }
    words
        .iter()
        .map(|word| quoted(word))
        .collect::<Vec<_>>()
        .join(" ")
}

/// The part that `flash` takes without --flash.
const DEFAULT_FLASH: &str = "is25wp064";

/// As a shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@%".contains(c);
    if word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}
