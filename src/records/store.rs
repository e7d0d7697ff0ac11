//! What both databases can do: statements with values, in one transaction at a time. The statements are the same text.

use super::RecordsError;

/// A value of a row: both databases know the ledger's columns as 64-bit integers and text only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    /// No value.
    Null,
    /// An integer.
    Int(i64),
    /// Text.
    Text(String),
}

impl From<i64> for Cell {
    fn from(value: i64) -> Self {
        Cell::Int(value)
    }
}

impl From<&str> for Cell {
    fn from(value: &str) -> Self {
        Cell::Text(value.to_owned())
    }
}

impl From<String> for Cell {
    fn from(value: String) -> Self {
        Cell::Text(value)
    }
}

impl From<Option<String>> for Cell {
    fn from(value: Option<String>) -> Self {
        value.map_or(Cell::Null, Cell::Text)
    }
}

/// A row of an answer.
pub(super) struct Row(pub Vec<Cell>);

impl Row {
    /// The integer in column `at`.
    pub fn int(&self, at: usize) -> Result<i64, StoreError> {
        match self.0.get(at) {
            Some(Cell::Int(value)) => Ok(*value),
            other => Err(unexpected(at, other)),
        }
    }

    /// The text in column `at`.
    pub fn text(&self, at: usize) -> Result<String, StoreError> {
        self.maybe_text(at)?.ok_or_else(|| unexpected(at, None))
    }

    /// The text in column `at`, where there is one.
    pub fn maybe_text(&self, at: usize) -> Result<Option<String>, StoreError> {
        match self.0.get(at) {
            Some(Cell::Text(value)) => Ok(Some(value.clone())),
            Some(Cell::Null) => Ok(None),
            other => Err(unexpected(at, other)),
        }
    }
}

fn unexpected(at: usize, found: Option<&Cell>) -> StoreError {
    damaged(format!("column {at} of a row holds {found:?}"))
}

/// A row that cannot be as this program wrote it.
pub(super) fn damaged(why: impl Into<String>) -> StoreError {
    StoreError::Final(RecordsError::new(
        "records-damaged",
        "the ledger holds something that cannot be read",
        why,
        "keep the ledger as it is, and restore a copy of it",
    ))
}

/// Why a statement or a transaction failed.
#[derive(Debug)]
pub(super) enum StoreError {
    /// There is no connection, or no disk, any more; a COMMIT that was under way may or may not have happened.
    Lost(RecordsError),
    /// The database asks to do the transaction again; nothing of it has happened.
    Again(RecordsError),
    /// It will not become better by doing it again; nothing of the transaction has happened.
    Final(RecordsError),
}

impl From<StoreError> for RecordsError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Lost(error) | StoreError::Again(error) | StoreError::Final(error) => error,
        }
    }
}

impl From<RecordsError> for StoreError {
    fn from(error: RecordsError) -> Self {
        StoreError::Final(error)
    }
}

/// A database, or the connection to one.
pub(super) trait Store: Send {
    /// SQL for the database's own clock, in whole seconds.
    fn seconds(&self) -> &'static str;

    /// Begins a transaction; where it is `alone`, waits until no other such one is under way, whoever's it is.
    fn begin(&mut self, alone: bool) -> Result<(), StoreError>;

    /// Ends it. After an error other than [`StoreError::Lost`] nothing of it has happened.
    fn commit(&mut self) -> Result<(), StoreError>;

    /// Undoes it.
    fn rollback(&mut self);

    /// Runs a statement whose values are `$1`, `$2`, … and returns its rows.
    fn query(&mut self, sql: &str, values: &[Cell]) -> Result<Vec<Row>, StoreError>;

    /// Gets ready to do a failed transaction again, `tries` having failed: waits, and connects again where it must.
    /// Says no where that has no use any more.
    fn again(&mut self, tries: u32) -> bool;
}
