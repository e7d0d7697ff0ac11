//! What every attempt leaves: a row in the ledger, which also hands out numbers, and lines in a hash-chained journal.
//!
//! The ledger is a database, SQLite for one station or PostgreSQL for several; the journal is a file of the station. An
//! attempt passes only where both have it.

mod attempt;
pub mod export;
mod ledger;
mod plain;
pub mod stats;

pub use attempt::{
    Attempt, AttemptId, Begin, Claim, ClaimRefused, End, HookResult, PassedBefore, Reserved,
    SeriesClaim, SeriesPolicy, UnitClaim, VerdictKind,
};
pub use ledger::{Filter, JournalMark, Ledger, RecordsError};

#[cfg(test)]
mod sample;
