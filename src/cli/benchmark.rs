//! `rtflash benchmark`: the table of figures in virtual time, and a picture of one run.

use std::path::PathBuf;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use virtual_board::probe::Profile;

use super::{CHIP, print};
use crate::benchmark::{Bound, Case, Row, Set, Timeline, Work, cases, measure, table};
use crate::problem::{ExitCode, Problem};
use crate::target::Target;

/// What to measure.
#[derive(Debug, Args)]
pub struct BenchmarkArgs {
    /// All cases: images up to 8 MiB, other probes, slower flash parts, half the core clock (about a quarter of an hour)
    #[arg(long)]
    all: bool,
    /// Only the cases whose line below the table contains this text
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Draw the first case: when link, erase and program were busy
    #[arg(long, value_name = "FILE.svg")]
    timeline: Option<PathBuf>,
}

/// Measures and prints.
///
/// # Errors
/// Where a case has no figures, or a file cannot be written.
pub fn run(args: &BenchmarkArgs) -> Result<u8, Problem> {
    let target = Target::builtin(CHIP, "is25wp064", "qspi")?;
    let set = if args.all { Set::Full } else { Set::Quick };
    let mut chosen = cases(set);
    if let Some(only) = &args.only {
        chosen.retain(|case| case.to_string().contains(only.as_str()));
    }
    if chosen.is_empty() {
        let what = "no case of the benchmark contains that text";
        return Err(Problem::new("benchmark-case", ExitCode::Usage, what)
            .fix("run `rtflash benchmark` without --only to see the cases; --all has more"));
    }
    let bar = bar(chosen.len());
    let mut rows = Vec::new();
    for case in chosen {
        bar.set_message(case.to_string());
        rows.push(row(case, &target)?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    print(&table(&rows));
    explain(&rows);
    if let (Some(path), Some(row)) = (&args.timeline, rows.first()) {
        let title = row.case.to_string();
        let picture = Timeline {
            title: &title,
            measured: &row.measured,
        };
        std::fs::write(path, picture.svg()).map_err(|error| {
            let what = format!("the timeline cannot be written to {}", path.display());
            Problem::new("timeline-file", ExitCode::RecordNotWritten, what)
                .because(error.to_string())
        })?;
    }
    let missed = rows.iter().any(|row| row.reaches() == Some(false));
    Ok(if missed {
        ExitCode::Internal.number()
    } else {
        ExitCode::Proven.number()
    })
}

fn row(case: Case, target: &Target) -> Result<Row, Problem> {
    let failed = |what: String| {
        Problem::new(
            "benchmark",
            ExitCode::Internal,
            format!("\"{case}\" has no figures"),
        )
        .because(what)
    };
    let measured = measure(&case, target).map_err(|error| failed(error.to_string()))?;
    let bound = match case.work {
        Work::Flash => Some(
            Bound::new(&case, measured.pages, target).map_err(|error| failed(error.to_string()))?,
        ),
        Work::Verify | Work::Session => None,
    };
    Ok(Row {
        case,
        measured,
        bound,
    })
}

fn explain(rows: &[Row]) {
    print("");
    for row in rows {
        print(&row.to_string());
    }
    print("\nprobes:");
    let used = |profile: &&Profile| rows.iter().any(|row| row.case.probe.name == profile.name);
    for profile in Profile::ALL.iter().filter(used) {
        let (name, us) = (profile.name, profile.round_trip.as_micros());
        print(&format!("{name}, {us} us a round trip: {}", profile.source));
    }
}

fn bar(cases: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{pos}/{len} {wide_msg}");
    let bar = ProgressBar::new(cases as u64);
    style.map_or_else(|_| bar.clone(), |style| bar.clone().with_style(style))
}
