//! The command line: what was typed becomes a job, its record becomes lines and an exit code. All printing lives here.

mod args;
#[cfg(feature = "virtual-board")]
mod benchmark;
#[cfg(feature = "virtual-board")]
mod board;
mod header;
mod inspect;
mod pack;
mod progress;
#[cfg(feature = "virtual-board")]
mod standing;

use std::io::{self, IsTerminal, Write};
use std::process;
use std::sync::Arc;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use crate::clock::{Clock, HostClock};
use crate::job::{self, Bench, BootPolicy, HeaderChoice, Job, Outcome, Request, SharedSectors};
#[cfg(feature = "virtual-board")]
use crate::link::VirtualProbe;
use crate::link::{self, Choice, ProbeSelector};
use crate::problem::{ExitCode, Problem};
use crate::report::{self, Verdict};
use crate::target::Target;
use args::{BoardArgs, BootProof, Cli, Command, ImageArgs};
use progress::Progress;

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
        Command::Flash { .. } | Command::Verify { .. } | Command::Reset { .. } => {
            Some(Verdict::refused(problem).to_string())
        }
        Command::Inspect(args) => args.failed(problem),
        Command::Pack(args) => args.failed(problem),
        #[cfg(feature = "virtual-board")]
        Command::Benchmark(_) => None,
        Command::Probes => None,
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
                ..Job::new(&target)
            };
            with_bench(board, verbose, |bench, progress| {
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
            with_bench(board, verbose, |bench, progress| {
                job::verify(&job, &request, bench, progress)
            })
        }
        Command::Reset { board, watch } => {
            let target = target(board)?;
            let job = Job {
                boot_timeout: watch.boot_timeout,
                ..Job::new(&target)
            };
            with_bench(board, verbose, |bench, progress| {
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
        #[cfg(feature = "virtual-board")]
        Command::Board { command } => board::run(command),
    }
}

fn target(board: &BoardArgs) -> Result<Target, Problem> {
    Ok(Target::builtin(CHIP, &board.flash, &board.board)?)
}

fn request(images: &ImageArgs, header: &HeaderChoice, target: &Target) -> Result<Request, Problem> {
    job::load(&images.inputs()?, target, header.wishes(target)?)
}

/// Opens the way to the board, runs `work` on it and prints its record.
fn with_bench(
    board: &BoardArgs,
    verbose: bool,
    work: impl FnOnce(&Bench, &mut Progress) -> Outcome,
) -> Result<u8, Problem> {
    let bench = bench(board)?;
    let mut progress = Progress::new();
    let outcome = work(&bench, &mut progress);
    progress.finish();
    for line in bench.trace() {
        tracing::debug!("virtual board: {line}");
    }
    // the verdict is the last word, so what led to it comes first
    if let Some(problem) = &outcome.problem {
        let accepted = outcome.record.verdict.exit() == ExitCode::Proven.number();
        complain(problem, if accepted { WARNING } else { ERROR });
    }
    for line in report::lines(&outcome.record, verbose) {
        print(&line);
    }
    Ok(outcome.record.verdict.exit())
}

fn bench(board: &BoardArgs) -> Result<Bench, Problem> {
    let mut choice = Choice {
        probe: None,
        speed_khz: board.speed,
        connect_under_reset: board.connect_under_reset,
        plain: false,
    };
    let Some(text) = board.probe.as_ref().filter(|text| !text.is_empty()) else {
        return Ok(Bench::real(choice, host_clock()));
    };
    #[cfg(feature = "virtual-board")]
    if let Some(virtual_probe) = VirtualProbe::parse(text)? {
        return Ok(Bench::virtual_board(
            choice,
            virtual_probe.start(&board.flash)?,
        ));
    }
    let selector: ProbeSelector = text.parse().map_err(|e: link::SelectorError| {
        Problem::new("probe-selector", ExitCode::Usage, e.to_string())
            .fix("take the selector from `rtflash probes`, or use `virtual`")
    })?;
    choice.probe = Some(selector);
    Ok(Bench::real(choice, host_clock()))
}

fn host_clock() -> Arc<dyn Clock + Send + Sync> {
    Arc::new(HostClock::start())
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
