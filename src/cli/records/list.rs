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
    let mut ledger = super::open(&args.place)?;
    let filter = args.filter.filter();
    let mut each = |visit: &mut export::Visit<'_>| super::each(ledger.as_mut(), &filter, visit);
    if args.json {
        each(&mut |attempt| {
            print(&export::json_line(&attempt)?);
            Ok(())
        })?;
    } else if io::stdout().is_terminal() {
        table(&mut each)?;
    } else {
        print(&HEAD.join("\t"));
        each(&mut |attempt| {
            print(&row(&attempt).join("\t"));
            Ok(())
        })?;
    }
    Ok(ExitCode::Proven.number())
}

/// Keeps the rows, and no more of the attempts: a column is as wide as its widest cell.
fn table(each: &mut export::Each<'_>) -> Result<(), Problem> {
    let mut table = Table::new();
    table.load_preset(NOTHING);
    table.set_header(HEAD);
    each(&mut |attempt| {
        table.add_row(row(&attempt));
        Ok(())
    })?;
    for at in [0, HEAD.len() - 1] {
        if let Some(column) = table.column_mut(at) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    print(&table.to_string());
    Ok(())
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
