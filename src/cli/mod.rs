//! The command line: what was typed becomes a job, its record becomes lines and an exit code. All printing lives here.

mod args;
#[cfg(feature = "virtual-board")]
mod benchmark;
#[cfg(feature = "virtual-board")]
mod board;
mod doctor;
mod erase;
mod header;
mod info;
mod inspect;
mod interrupt;
mod job_file;
mod on_board;
mod pack;
mod packaging;
mod progress;
mod read;
mod records;
mod records_place;
#[cfg(feature = "virtual-board")]
mod rehearsal;
#[cfg(feature = "virtual-board")]
mod standing;
mod station;
mod targets;

use std::io::{self, IsTerminal, Write};
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Parser;
use tracing_subscriber::EnvFilter;

use crate::job::{self, BootPolicy, Guard, HeaderChoice, Image, Job, Request, SharedSectors};
use crate::link;
use crate::problem::{ExitCode, Problem};
use crate::target::Target;
use args::{BoardArgs, BootProof, Cli, Command, ImageArgs};

/// The chip; other chips of the family come with their own data.
const CHIP: &str = "mimxrt1062";

const ERROR: &str = "error";
const WARNING: &str = "warning";

/// Runs the program on its command line.
pub fn run() -> process::ExitCode {
    let cli = Cli::parse();
    log_to_stderr(cli.verbose);
    let code = match execute(&cli) {
        Ok(code) => code,
        Err(problem) => {
            complain(&problem, ERROR);
            if let Some(last_words) = last_words(&cli.command, &problem) {
                print(&last_words);
            }
            problem.exit.number()
        }
    };
    process::ExitCode::from(with_output(code))
}

/// The last line on standard output where a command ended before it had a record of its own.
fn last_words(command: &Command, problem: &Problem) -> Option<String> {
    match command {
        Command::Flash { board, .. } => Some(on_board::refused("flash", board.json, problem)),
        Command::Verify { board, .. } => Some(on_board::refused("verify", board.json, problem)),
        Command::Reset { board, .. } => Some(on_board::refused("reset", board.json, problem)),
        Command::Doctor(args) => Some(on_board::refused("doctor", args.board.json, problem)),
        Command::Read(args) => args.refused(problem),
        Command::Erase(args) => Some(on_board::refused("erase", args.board.json, problem)),
        Command::Info(args) => Some(on_board::refused("info", args.board.json, problem)),
        Command::Inspect(args) => Some(args.failed(problem)),
        Command::Pack(args) => Some(args.failed(problem)),
        Command::Job { .. } => None,
        Command::Records(args) => args.last_words(problem),
        Command::Station(_) => None,
        #[cfg(feature = "virtual-board")]
        Command::Benchmark(_) => None,
        Command::Probes | Command::Targets | Command::Completions(_) | Command::Man(_) => None,
        #[cfg(feature = "virtual-board")]
        Command::Board { .. } => None,
    }
}

fn log_to_stderr(verbose: u8) {
    let level = match verbose {
        0 => "off",
        1 => "rtflash=warn,error",
        2 => "rtflash=debug,info",
        _ => "trace",
    };
    // a second subscriber (in a test) is no reason to fail
    let _ = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(level))
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .without_time()
        .try_init();
}

fn complain(problem: &Problem, severity: &str) {
    let _ = writeln!(io::stderr(), "{severity}: {problem}");
}

fn print_aside(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Standard output could not be written: a full disk, a closed pipe.
static OUTPUT_LOST: AtomicBool = AtomicBool::new(false);

fn print(line: &str) {
    let mut stdout = io::stdout();
    if writeln!(stdout, "{line}")
        .and_then(|()| stdout.flush())
        .is_err()
    {
        OUTPUT_LOST.store(true, Ordering::Relaxed);
    }
}

/// The exit code, unless it would say yes to a record that nobody got.
fn with_output(code: u8) -> u8 {
    if code == ExitCode::Proven.number() && OUTPUT_LOST.load(Ordering::Relaxed) {
        let problem = Problem::new(
            "output-lost",
            ExitCode::RecordNotWritten,
            "the results cannot be written to standard output",
        )
        .because("the disk is full, or the reader has gone")
        .fix("what was done on the board is done; run the command again for its record");
        complain(&problem, ERROR);
        return problem.exit.number();
    }
    code
}

fn execute(cli: &Cli) -> Result<u8, Problem> {
    let verbose = cli.verbose > 0;
    match &cli.command {
        Command::Flash {
            images,
            board,
            header,
            board_header,
            boot_proof,
            watch,
            no_shared_sectors,
            guard,
        } => {
            let (image, choice) = (image(images, board)?, board_header.choice(header));
            let boot_policy = match boot_proof {
                BootProof::Required => BootPolicy::Required,
                BootProof::None => BootPolicy::Accepted,
            };
            let shared = if *no_shared_sectors {
                SharedSectors::Refuse
            } else {
                SharedSectors::Preserve
            };
            let prepare = |target: &Target| request(&image, &choice, target);
            on_board::run_with_target(
                "flash",
                board,
                verbose,
                prepare,
                |target, request, bench, progress| {
                    let job = Job {
                        boot_policy,
                        boot_timeout: watch.boot_timeout,
                        boot_watch: watch.boot_watch,
                        shared,
                        guard: if *guard { Guard::Chip } else { Guard::Near },
                        ..Job::new(target)
                    };
                    job::flash(&job, &request, bench, progress)
                },
            )
        }
        Command::Verify {
            images,
            board,
            header,
            board_header,
        } => {
            let (image, choice) = (image(images, board)?, board_header.choice(header));
            let prepare = |target: &Target| request(&image, &choice, target);
            on_board::run_with_target(
                "verify",
                board,
                verbose,
                prepare,
                |target, request, bench, progress| {
                    job::verify(&Job::new(target), &request, bench, progress)
                },
            )
        }
        Command::Reset { board, watch } => {
            let prepare = |_: &Target| Ok(());
            on_board::run_with_target(
                "reset",
                board,
                verbose,
                prepare,
                |target, (), bench, progress| {
                    let job = Job {
                        boot_timeout: watch.boot_timeout,
                        boot_watch: watch.boot_watch,
                        ..Job::new(target)
                    };
                    job::reset(&job, bench, progress)
                },
            )
        }
        Command::Doctor(args) => doctor::run(args, verbose),
        Command::Read(args) => read::run(args, verbose),
        Command::Erase(args) => erase::run(args, verbose),
        Command::Info(args) => info::run(args, verbose),
        Command::Inspect(args) => inspect::run(args),
        Command::Pack(args) => pack::run(args),
        Command::Job { command } => job_file::run(command),
        Command::Records(args) => records::run(args),
        Command::Station(args) => station::run(args),
        #[cfg(feature = "virtual-board")]
        Command::Benchmark(args) => benchmark::run(args),
        Command::Probes => {
            let probes = link::list();
            for probe in &probes {
                print(&probe.to_string());
            }
            if probes.is_empty() {
                return Err(Problem::from(link::LinkError::NoProbe));
            }
            Ok(ExitCode::Proven.number())
        }
        Command::Targets => targets::run(),
        Command::Completions(args) => packaging::completions(args),
        Command::Man(args) => packaging::man(args),
        #[cfg(feature = "virtual-board")]
        Command::Board { command } => board::run(command),
    }
}

/// The files' bytes. Where they belong depends on the chip alone, not on its flash part.
fn image(images: &ImageArgs, board: &BoardArgs) -> Result<Image, Problem> {
    job::read_files(&images.inputs()?, &on_board::assumed_target(board)?)
}

fn request(image: &Image, header: &HeaderChoice, target: &Target) -> Result<Request, Problem> {
    let request = Request {
        image: image.clone(),
        wishes: header.wishes(target)?,
    };
    request.judged_offline(target)?;
    Ok(request)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
