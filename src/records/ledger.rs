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
    /// Stable code: `records-locked`, `records-gone`, `records-full`, `records-io`, … After `records-lost` (no connection)
    /// it is not known whether a commit that was under way has happened.
    pub code: &'static str,
    /// What happened.
    pub what: String,
    /// The system's or the database's reason.
    pub why: String,
    /// What to do.
    pub fix: &'static str,
}

impl RecordsError {
    /// All four.
    pub(super) fn new(
        code: &'static str,
        what: impl Into<String>,
        why: impl Into<String>,
        fix: &'static str,
    ) -> Self {
        RecordsError {
            code,
            what: what.into(),
            why: why.into(),
            fix,
        }
    }
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
    /// Its number.
    pub id: Option<AttemptId>,
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

/// What a ledger was created as.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Random, 32 hex digits: journals name the ledger that they belong to by it.
    pub id: String,
    /// Whether its boards are virtual.
    pub rehearsal: bool,
}

/// Where a number stands on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NumberState {
    /// It belongs to a chip that has not passed with it yet.
    Reserved,
    /// Its chip has passed with it. It stays so.
    Committed,
    /// An attempt with it did not pass, and the series wants it never used again. It stays so.
    Void,
}

impl NumberState {
    /// As it is stored and printed.
    pub const fn name(self) -> &'static str {
        match self {
            NumberState::Reserved => "reserved",
            NumberState::Committed => "committed",
            NumberState::Void => "void",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        [
            NumberState::Reserved,
            NumberState::Committed,
            NumberState::Void,
        ]
        .into_iter()
        .find(|state| state.name() == name)
    }
}

/// A number that was handed out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Number {
    /// The series.
    pub series: String,
    /// The number.
    pub number: u64,
    /// The chip that it was reserved for.
    pub uid: String,
    /// Where it stands.
    pub state: NumberState,
    /// When it was reserved, by the station's clock.
    pub reserved_at: Timestamp,
    /// The attempt that reserved it.
    pub attempt: AttemptId,
    /// The attempt whose end committed it or made it void.
    pub settled_by: Option<AttemptId>,
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

    /// Adds a hook's result, which the journal tells at `mark`, to an attempt that has ended.
    ///
    /// # Errors
    /// [`RecordsError`].
    fn hook(
        &mut self,
        attempt: AttemptId,
        result: &HookResult,
        mark: &JournalMark,
    ) -> Result<(), RecordsError>;

    /// Attempts of `station` that have begun and not ended.
    ///
    /// # Errors
    /// [`RecordsError`].
    fn unfinished(&mut self, station: &str) -> Result<Vec<Attempt>, RecordsError>;

    /// Shows `visit` the attempts that `filter` means, oldest first, a page at a time: ledgers grow.
    ///
    /// # Errors
    /// [`RecordsError`].
    fn each(&mut self, filter: &Filter, visit: &mut dyn FnMut(Attempt))
    -> Result<(), RecordsError>;

    /// The attempts that `filter` means, oldest first.
    ///
    /// # Errors
    /// [`RecordsError`].
    fn attempts(&mut self, filter: &Filter) -> Result<Vec<Attempt>, RecordsError> {
        let mut found = Vec::new();
        self.each(filter, &mut |attempt| found.push(attempt))?;
        Ok(found)
    }

    /// What the ledger was created as.
    ///
    /// # Errors
    /// [`RecordsError`].
    fn identity(&mut self) -> Result<Identity, RecordsError>;

    /// Every number that was handed out, by series and size.
    ///
    /// # Errors
    /// [`RecordsError`].
    fn numbers(&mut self) -> Result<Vec<Number>, RecordsError>;

    /// Where the journal of `station` tells what the ledger has of ends and hooks' results, by line.
    ///
    /// # Errors
    /// [`RecordsError`].
    fn marks(&mut self, station: &str) -> Result<Vec<(AttemptId, JournalMark)>, RecordsError>;
}
