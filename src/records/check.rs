//! Reads journals and ledger for the auditor, again where a station is writing to them.

use std::path::PathBuf;
use std::time::Duration;

use super::audit::{Audit, Auditor, Break};
use super::journal_read::read_journal;
use super::{Filter, JournalMark, Place, RecordsError, open_to_read};
use crate::clock::Clock;

/// How often it is read at most until two readings agree on what is wrong: a station that works is between the line and the
/// row for a moment only.
const READINGS: u32 = 10;
/// Between two readings: much longer than a commit takes.
const PAUSE: Duration = Duration::from_millis(300);

/// What the ledger answers where its rows cannot be read: somebody else has written there.
const DAMAGED: &str = "records-damaged";

/// What to check.
#[derive(Debug, Default)]
pub struct Check {
    /// The journals; none for those beside the ledger, which must then be all.
    pub journals: Option<Vec<PathBuf>>,
    /// Heads that were noted earlier.
    pub heads: Vec<JournalMark>,
}

/// Whether chain and ledger agree.
///
/// # Errors
/// [`RecordsError`]: there are none, or they cannot be read.
pub fn check(place: &Place, check: &Check, clock: &dyn Clock) -> Result<Audit, RecordsError> {
    let mut audit = once(place, check)?;
    for _ in 1..READINGS {
        let Some(first) = audit.breaks.first().cloned() else {
            break;
        };
        clock.sleep(PAUSE);
        audit = once(place, check)?;
        if audit.breaks.first() == Some(&first) {
            break;
        }
    }
    Ok(audit)
}

fn once(place: &Place, check: &Check) -> Result<Audit, RecordsError> {
    let mut ledger = open_to_read(place)?;
    let is_whole = check.journals.is_none();
    let journals = check.journals.clone().unwrap_or_else(|| place.journals());
    let mut auditor = Auditor::new(ledger.identity()?, is_whole);
    for head in &check.heads {
        auditor.expect_head(head.clone());
    }
    for path in journals {
        let name = path.file_name().unwrap_or(path.as_os_str());
        let mut chain = auditor.journal(&name.to_string_lossy());
        for read in read_journal(&path)? {
            chain.line(read?);
        }
        chain.end();
    }
    for station in auditor.stations() {
        auditor.marks(ledger.marks(&station)?);
    }
    let read = ledger.each(&Filter::default(), &mut |attempt| auditor.attempt(&attempt));
    let numbers = read.and_then(|()| ledger.numbers());
    match numbers {
        Ok(numbers) => Ok(auditor.finish(&numbers)),
        Err(error) if error.code == DAMAGED => Ok(auditor.finish_with(damaged(&error))),
        Err(error) => Err(error),
    }
}

fn damaged(error: &RecordsError) -> Break {
    Break {
        journal: None,
        line: None,
        attempt: None,
        field: None,
        what: format!("{}: {}", error.what, error.why),
    }
}
