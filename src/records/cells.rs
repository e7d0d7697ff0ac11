//! Values as the ledger's columns hold them, and back.

use std::hash::{BuildHasher, Hasher, RandomState};

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::store::{Cell, StoreError, damaged};

/// A time as text of fixed length, so that the database may compare.
pub(super) fn time(at: Timestamp) -> String {
    format!("{at:.9}")
}

/// And back.
pub(super) fn read_time(text: &str) -> Result<Timestamp, StoreError> {
    text.parse()
        .map_err(|error| damaged(format!("`{text}` is no time: {error}")))
}

/// A number as text of fixed length: the databases' integers have a sign, and MAC addresses of 64 bits have none.
pub(super) fn number(number: u64) -> String {
    format!("{number:020}")
}

/// And back.
pub(super) fn read_number(text: &str) -> Result<u64, StoreError> {
    text.parse()
        .map_err(|error| damaged(format!("`{text}` is no number: {error}")))
}

/// A small count.
pub(super) fn read_count(value: i64) -> Result<u32, StoreError> {
    u32::try_from(value).map_err(|_| damaged(format!("{value} is no count")))
}

/// A document as it is stored.
pub(super) fn document(value: &impl Serialize) -> Result<Cell, StoreError> {
    serde_json::to_string(value)
        .map(Cell::Text)
        .map_err(|error| damaged(format!("a document cannot be written: {error}")))
}

/// And back.
pub(super) fn read_document<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text)
        .map_err(|error| damaged(format!("a document cannot be read: {error}")))
}

/// 32 random hex digits: a ledger's identity, or the key by which a row is found again whose commit was lost sight of.
pub(super) fn random_id() -> String {
    // each `RandomState` has a seed of the operating system's
    let half = || {
        let mut hasher = RandomState::new().build_hasher();
        hasher.write_u32(std::process::id());
        hasher.finish()
    };
    format!("{:016x}{:016x}", half(), half())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_sorts_as_text() {
        let times = ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.5Z"]
            .map(|text| time(text.parse().unwrap()));
        assert!(times[0] < times[1]);
        assert_eq!(time(read_time(&times[1]).unwrap()), times[1]);
        assert!(number(9) < number(10));
        assert_eq!(read_number(&number(u64::MAX)).unwrap(), u64::MAX);
    }

    #[test]
    fn ids_differ() {
        let mut ids: Vec<_> = (0..1000).map(|_| random_id()).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 1000);
    }
}
