//! `rtflash records verify`: whether chain and ledger agree.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::cli::print;
use crate::cli::records_place::RecordsPlace;
use crate::clock::HostClock;
use crate::problem::{ExitCode, Problem};
use crate::records::audit::Audit;
use crate::records::{Check, JournalMark, Place, check, visible};
use crate::report::ProblemRecord;

/// What the long help says.
pub const ABOUT: &str = "\
Check that the journals are unbroken and that they and the ledger agree

Each line of a journal carries its own hash and that of the line before; each end in the ledger notes the number and the \
hash of the line that tells it. What was changed, taken out, put in or exchanged on either side is found, and the first \
broken link is named. Whoever writes all of it anew, journal and ledger, is found out by a head that was noted elsewhere: \
print it with --head at the end of a shift, and give it to --expect-head later. Stations may work meanwhile: what looks \
broken is read again, and counts until it is found sound.";

/// More breaks than this are counted only.
const TOLD: usize = 20;
/// Hex digits of a SHA-256.
const HASH_DIGITS: usize = 64;

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    #[command(flatten)]
    place: RecordsPlace,
    /// Journal of a station, may be repeated; attempts of other stations are only counted (default: all journals beside
    /// the ledger, which must then be those of all its stations)
    #[arg(long, value_name = "FILE")]
    journal: Vec<PathBuf>,
    /// Print the head of each journal, LINE:HASH, and nothing else where all agrees
    #[arg(long)]
    head: bool,
    /// A head that was printed earlier: one of the journals must have this line with this hash; may be repeated
    #[arg(long, value_name = "LINE:HASH", value_parser = mark)]
    expect_head: Vec<JournalMark>,
    /// One JSON record in place of lines
    #[arg(long, conflicts_with = "head")]
    json: bool,
}

/// The record of `verify`.
#[derive(Serialize)]
struct Verified<'a> {
    verdict: String,
    exit: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    audit: Option<&'a Audit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<ProblemRecord>,
}

impl VerifyArgs {
    /// What is said last where it could not be found out.
    pub fn not_verified(&self, problem: &Problem) -> String {
        let verdict = format!("RECORDS NOT VERIFIED: {} [{}]", problem.what, problem.code);
        if !self.json {
            return verdict;
        }
        let record = Verified {
            verdict,
            exit: problem.exit.number(),
            audit: None,
            problem: Some(problem.into()),
        };
        // a record is plain data: this cannot fail, and the error itself is on stderr
        serde_json::to_string_pretty(&record).unwrap_or_default()
    }
}

fn mark(text: &str) -> Result<JournalMark, String> {
    let mark = text.split_once(':').and_then(|(line, sha256)| {
        let line: u64 = line.parse().ok().filter(|line| *line > 0)?;
        let is_hash =
            sha256.len() == HASH_DIGITS && sha256.chars().all(|digit| digit.is_ascii_hexdigit());
        is_hash.then(|| JournalMark {
            line,
            sha256: sha256.to_ascii_lowercase(),
        })
    });
    mark.ok_or_else(|| "not a line number, a colon and 64 hex digits, as --head prints".to_owned())
}

/// Checks, and prints what came out; the last line is the verdict.
///
/// # Errors
/// They cannot be read.
pub fn run(args: &VerifyArgs) -> Result<u8, Problem> {
    let place = args.place.place_to_read()?;
    if matches!(place, Place::Server { .. }) && args.journal.is_empty() {
        return Err(Problem::new(
            "records-journal",
            ExitCode::Usage,
            "records on a database server have their journals elsewhere",
        )
        .fix("name the station's journal with `--journal FILE`"));
    }
    let journals = (!args.journal.is_empty()).then(|| args.journal.clone());
    let wanted = Check {
        journals,
        heads: args.expect_head.clone(),
    };
    let audit = check(&place, &wanted, &HostClock::start()).map_err(super::unreadable)?;
    let exit = if audit.agrees() {
        ExitCode::Proven
    } else {
        ExitCode::Differs
    };
    if args.json {
        print(&super::json(&Verified {
            verdict: audit.verdict(),
            exit: exit.number(),
            audit: Some(&audit),
            problem: None,
        })?);
        return Ok(exit.number());
    }
    if args.head && audit.agrees() {
        for head in &audit.heads {
            print(&format!("{}:{}", head.mark.line, head.mark.sha256));
        }
        return Ok(exit.number());
    }
    for head in &audit.heads {
        let mark = &head.mark;
        let journal = visible(&head.journal);
        print(&format!(
            "head       {journal} {}:{}",
            mark.line, mark.sha256
        ));
    }
    if !audit.open.is_empty() {
        let ids: Vec<String> = audit.open.iter().map(|id| id.0.to_string()).collect();
        print(&format!(
            "open       attempts {}: under way, or cut off",
            ids.join(", ")
        ));
    }
    if !audit.added_to.is_empty() {
        let ids: Vec<String> = audit.added_to.iter().map(|id| id.0.to_string()).collect();
        print(&format!(
            "added to   attempts {}: by a station at work while they were read; what it added is not compared",
            ids.join(", ")
        ));
    }
    if audit.elsewhere > 0 {
        print(&format!(
            "elsewhere  {} attempts of stations whose journals are not among those named: not compared",
            audit.elsewhere
        ));
    }
    for broken in audit.breaks.iter().take(TOLD) {
        print(&format!("broken     {}", visible(&broken.to_string())));
    }
    if let Some(more) = audit
        .breaks
        .len()
        .checked_sub(TOLD)
        .filter(|more| *more > 0)
    {
        print(&format!("broken     and {more} more"));
    }
    print(&visible(&audit.verdict()));
    Ok(exit.number())
}
