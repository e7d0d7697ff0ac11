//! Reads journals and ledger for the auditor, again where a station may have been writing to them.
//!
//! A station writes its line and its row one after the other, and while one part is read it goes on in the other: whatever it
//! works on then looks broken. So what broke is read again. An attempt counts as broken, with its numbers, until a reading
//! finds it sound; one that breaks in a later reading only was sound before, or not there, and has been added to since. What
//! is no attempt's (the chain, a head, rows that cannot be read) counts whenever it is found. It ends where nothing counts
//! any more, or where all that counts was the same in the reading before.

use std::collections::{BTreeSet, HashSet};
use std::path::PathBuf;
use std::time::Duration;

use super::audit::{Audit, Auditor, Break};
use super::journal_read::read_journal;
use super::{AttemptId, Filter, JournalMark, Ledger, Place, RecordsError, open_to_read};
use crate::clock::Clock;

#[cfg(test)]
mod tests;

/// How often it is read at most: an attempt is added to a few times in its life, and a station is between the line and the row
/// for a moment only.
const READINGS: u32 = 10;
/// Between two readings: much longer than a commit takes, on a slow disk too.
const PAUSE: Duration = Duration::from_secs(1);

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

/// Whether chain and ledger agree. Stations may be at work meanwhile.
///
/// # Errors
/// [`RecordsError`]: there are none, or they cannot be read.
pub fn check(place: &Place, check: &Check, clock: &dyn Clock) -> Result<Audit, RecordsError> {
    let mut read = || once(open_to_read(place)?.as_mut(), place, check);
    settled(&mut read, clock)
}

/// What came out of reading everything once.
struct Reading {
    audit: Audit,
    /// Whether all attempts of the ledger could be read.
    is_whole: bool,
}

fn settled(
    read: &mut dyn FnMut() -> Result<Reading, RecordsError>,
    clock: &dyn Clock,
) -> Result<Audit, RecordsError> {
    let mut last = read()?;
    for _ in 1..READINGS {
        if last.audit.agrees() {
            break;
        }
        clock.sleep(PAUSE);
        let mut next = read()?;
        // attempts that the last reading did not come to were not found sound by it
        if last.is_whole || !next.is_whole {
            leave_out_added(&mut next.audit, &last.audit);
        }
        let before: HashSet<&Break> = last.audit.breaks.iter().collect();
        let is_settled = next.audit.breaks.iter().all(|it| before.contains(it));
        last = next;
        if is_settled {
            break;
        }
    }
    Ok(last.audit)
}

/// Takes out the breaks of attempts that were not among the broken ones before.
fn leave_out_added(audit: &mut Audit, before: &Audit) {
    let broken: BTreeSet<AttemptId> = before.breaks.iter().filter_map(|it| it.attempt).collect();
    let mut added = BTreeSet::new();
    audit.breaks.retain(|it| match it.attempt {
        Some(id) if !broken.contains(&id) => {
            added.insert(id);
            false
        }
        _ => true,
    });
    audit.added_to = added.into_iter().collect();
}

fn once(ledger: &mut dyn Ledger, place: &Place, check: &Check) -> Result<Reading, RecordsError> {
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
        Ok(numbers) => Ok(Reading {
            audit: auditor.finish(&numbers),
            is_whole: true,
        }),
        Err(error) if error.code == DAMAGED => Ok(Reading {
            audit: auditor.finish_with(damaged(&error)),
            is_whole: false,
        }),
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
