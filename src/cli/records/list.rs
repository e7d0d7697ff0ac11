//! `rtflash records list`: attempts, a line each.

use std::io::{self, IsTerminal};

use clap::Args;
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};

use super::filter::FilterArgs;
use crate::cli::print;
use crate::cli::records_place::RecordsPlace;
use crate::problem::{ExitCode, Problem};
use crate::records::stats::cycle_seconds;
use crate::records::{Attempt, export, visible};

const HEAD: [&str; 10] = [
    "attempt", "begun", "job", "station", "site", "verdict", "code", "serial", "uid", "seconds",
];
/// Stands for what there is none of.
const NONE: &str = "-";
/// An attempt without an end.
const OPEN: &str = "open";

/// Arguments of `list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    #[command(flatten)]
    place: RecordsPlace,
    #[command(flatten)]
    filter: FilterArgs,
    /// One JSON object a line, as docs/attempt.schema.json describes it
    #[arg(long)]
    json: bool,
}

/// Prints the attempts.
///
/// # Errors
/// They cannot be read.
pub fn run(args: &ListArgs) -> Result<u8, Problem> {
    let attempts = super::attempts(&args.place, &args.filter.filter())?;
    if args.json {
        for line in export::json_lines(&attempts)?.lines() {
            print(line);
        }
    } else if io::stdout().is_terminal() {
        table(&attempts);
    } else {
        print(&HEAD.join("\t"));
        for attempt in &attempts {
            print(&row(attempt).join("\t"));
        }
    }
    Ok(ExitCode::Proven.number())
}

fn table(attempts: &[Attempt]) {
    let mut table = Table::new();
    table.load_preset(NOTHING);
    table.set_header(HEAD);
    for attempt in attempts {
        table.add_row(row(attempt));
    }
    for at in [0, HEAD.len() - 1] {
        if let Some(column) = table.column_mut(at) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    print(&table.to_string());
}

fn row(attempt: &Attempt) -> [String; HEAD.len()] {
    let begin = &attempt.begin;
    let end = attempt.end.as_ref();
    let text = |text: Option<&String>| text.map_or_else(|| NONE.to_owned(), |text| visible(text));
    let uid = end.and_then(|end| end.uid.as_ref());
    let claimed = attempt.claimed.as_ref().map(|claimed| &claimed.uid);
    [
        attempt.id.0.to_string(),
        format!("{:.0}", begin.begun_at),
        visible(&begin.job),
        visible(&begin.station),
        visible(&begin.site),
        end.map_or(OPEN, |end| end.verdict.name()).to_owned(),
        text(end.and_then(|end| end.code.as_ref())),
        text(end.and_then(|end| end.serial.as_ref())),
        text(uid.or(claimed)),
        cycle_seconds(attempt).map_or_else(|| NONE.to_owned(), |seconds| format!("{seconds:.1}")),
    ]
}
