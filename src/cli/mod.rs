//! The command line: what was typed becomes a job, its record becomes lines and an exit code. All printing lives here.

mod args;
#[cfg(feature = "virtual-board")]
mod benchmark;
#[cfg(feature = "virtual-board")]
mod board;
mod header;
mod inspect;
mod interrupt;
mod on_board;
mod pack;
mod packaging;
mod progress;
#[cfg(feature = "virtual-board")]
mod standing;
mod targets;

use std::io::{self, IsTerminal, Write};
use std::process;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use crate::job::{self, BootPolicy, Guard, HeaderChoice, Job, Request, SharedSectors};
use crate::link;
use crate::problem::{ExitCode, Problem};
use crate::target::Target;
use args::{BootProof, Cli, Command, ImageArgs};
use on_board::target;

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
    process::ExitCode::from(code)
}

/// The last line on standard output where a command ended before it had a record of its own.
fn last_words(command: &Command, problem: &Problem) -> Option<String> {
    match command {
        Command::Flash { board, .. } => Some(on_board::refused("flash", board.json, problem)),
        Command::Verify { board, .. } => Some(on_board::refused("verify", board.json, problem)),
        Command::Reset { board, .. } => Some(on_board::refused("reset", board.json, problem)),
        Command::Inspect(args) => args.failed(problem),
        Command::Pack(args) => args.failed(problem),
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

fn print(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
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
            let target = target(board)?;
            let request = request(images, &board_header.choice(header), &target)?;
            let boot_policy = match boot_proof {
                BootProof::Required => BootPolicy::Required,
                BootProof::None => BootPolicy::Accepted,
            };
            let job = Job {
                boot_policy,
                boot_timeout: watch.boot_timeout,
                shared: if *no_shared_sectors {
                    SharedSectors::Refuse
                } else {
                    SharedSectors::Preserve
                },
                guard: if *guard { Guard::Chip } else { Guard::Near },
                ..Job::new(&target)
            };
            on_board::run(board, verbose, |bench, progress| {
                job::flash(&job, &request, bench, progress)
            })
        }
        Command::Verify {
            images,
            board,
            header,
            board_header,
        } => {
            let target = target(board)?;
            let request = request(images, &board_header.choice(header), &target)?;
            let job = Job::new(&target);
            on_board::run(board, verbose, |bench, progress| {
                job::verify(&job, &request, bench, progress)
            })
        }
        Command::Reset { board, watch } => {
            let target = target(board)?;
            let job = Job {
                boot_timeout: watch.boot_timeout,
                ..Job::new(&target)
            };
            on_board::run(board, verbose, |bench, progress| {
                job::reset(&job, bench, progress)
            })
        }
        Command::Inspect(args) => inspect::run(args),
        Command::Pack(args) => pack::run(args),
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

fn request(images: &ImageArgs, header: &HeaderChoice, target: &Target) -> Result<Request, Problem> {
    job::load(&images.inputs()?, target, header.wishes(target)?)
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
