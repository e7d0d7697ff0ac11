//! What every attempt leaves: a row in the ledger, which also hands out numbers, and lines in a hash-chained journal.
//!
//! The ledger is a database, SQLite for one station or PostgreSQL for several; the journal is a file of the station. An
//! attempt passes only where both have it.

mod attempt;
pub mod audit;
mod cells;
mod check;
mod claim;
mod claiming;
mod database;
mod ending;
pub mod export;
mod journal;
mod journal_read;
mod ledger;
mod line;
mod network;
mod place;
mod plain;
mod postgres;
mod postgres_session;
mod recorder;
mod refusals;
mod rows;
mod same_file;
mod schema;
mod sqlite;
pub mod stats;
mod store;

pub use attempt::{
    Attempt, AttemptId, Begin, Claim, ClaimRefused, Claimed, End, HookResult, PassedBefore,
    Reserved, SeriesClaim, SeriesPolicy, UnitClaim, VerdictKind,
};
pub use check::{Check, check};
pub use journal_read::{JournalRead, JournalReader, Wrong, read_journal};
pub use ledger::{Filter, Identity, JournalMark, Ledger, Number, NumberState, RecordsError};
pub use line::{JOURNAL_VERSION, Line, NO_LINE_BEFORE, Told, sha256_hex};
pub use place::Place;
pub use plain::visible;
pub use recorder::{Records, Recovered, open_to_read};

#[cfg(test)]
mod sample;
#[cfg(test)]
mod schema_tests;
