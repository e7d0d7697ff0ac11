//! The ledger: every attempt, every number handed out, in a database.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Attempt, AttemptId, Begin, Claim, End, HookResult, UnitClaim, VerdictKind};
use crate::problem::{ExitCode, Problem};

/// Where the journal tells something: line number from 1 and the SHA-256 of that line, in hex.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct JournalMark {
    /// Line number, from 1.
    pub line: u64,
    /// SHA-256 of the line without its end, in hex.
    pub sha256: String,
}

/// Why something could not be put on record, or read from it. Always exit 23 where a unit is concerned.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct RecordsError {
    /// Stable code: `records-locked`, `records-gone`, `records-full`, `records-lost` (no connection), `records-io`, …
    pub code: &'static str,
    /// What happened.
    pub what: String,
    /// The system's or the database's reason.
    pub why: String,
    /// What to do.
    pub fix: &'static str,
}

impl From<RecordsError> for Problem {
    fn from(error: RecordsError) -> Problem {
        Problem::new(error.code, ExitCode::RecordNotWritten, error.what)
            .because(error.why)
            .fix(error.fix)
    }
}

/// Which attempts are meant; every field that is set must agree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// The job's name.
    pub job: Option<String>,
    /// The station.
    pub station: Option<String>,
    /// The site.
    pub site: Option<String>,
    /// The chip's unique ID.
    pub uid: Option<String>,
    /// The serial number.
    pub serial: Option<String>,
    /// The verdict.
    pub verdict: Option<VerdictKind>,
    /// The problem's stable code.
    pub code: Option<String>,
    /// Begun at this time or later.
    pub since: Option<Timestamp>,
    /// Begun before this time.
    pub until: Option<Timestamp>,
    /// The newest so many only.
    pub newest: Option<u32>,
}

/// A database of attempts and numbers. Rows are added and never changed, but for the state of a number.
pub trait Ledger: Send {
    /// Puts the begin of an attempt on record.
    ///
    /// # Errors
    /// [`RecordsError`]; then nothing is on record.
    fn begin(&mut self, begin: &Begin) -> Result<AttemptId, RecordsError>;

    /// Claims the unit of an attempt: refuses it, or reserves its numbers, in one transaction. A number that the chip has,
    /// reserved or committed, is its number again.
    ///
    /// # Errors
    /// [`RecordsError`]; then nothing is reserved.
    fn claim(&mut self, attempt: AttemptId, claim: &UnitClaim) -> Result<Claim, RecordsError>;

    /// Puts the end on record; in the same transaction the attempt's numbers are committed for a PASS, else kept or void by
    /// their series' policy. `journal` is called inside the transaction, just before it is committed: where it fails,
    /// nothing is on record.
    ///
    /// # Errors
    /// [`RecordsError`]. After a lost connection it is made sure that the transaction has or has not happened.
    fn end(
        &mut self,
        attempt: AttemptId,
        end: &End,
        journal: &mut dyn FnMut() -> Result<JournalMark, RecordsError>,
    ) -> Result<(), RecordsError>;

    /// Adds a hook's result to an attempt that has ended.
    ///
    /// # Errors
    /// [`RecordsError`].
    fn hook(&mut self, attempt: AttemptId, result: &HookResult) -> Result<(), RecordsError>;

    /// Attempts of `station` that have begun and not ended.
    ///
    /// # Errors
    /// [`RecordsError`].
    fn unfinished(&mut self, station: &str) -> Result<Vec<Attempt>, RecordsError>;

    /// The attempts that `filter` means, oldest first.
    ///
    /// # Errors
    /// [`RecordsError`].
    fn attempts(&mut self, filter: &Filter) -> Result<Vec<Attempt>, RecordsError>;
}
