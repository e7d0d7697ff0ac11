//! The ledger on either database: each of its actions is one transaction that may be done again without harm.

use super::cells::{document, random_id, read_number, read_time, time};
use super::claiming::claim_unit;
use super::ending::{insert_end, settle_numbers};
use super::rows::{Conditions, before_newest, mark, page};
use super::store::{Cell, Row, Store, StoreError, damaged};
use super::{
    Attempt, AttemptId, Begin, Claim, End, Filter, HookResult, Identity, JournalMark, Ledger,
    Number, NumberState, RecordsError, UnitClaim,
};

/// Code of an error after which it is not known whether a commit has happened.
pub(super) const LOST: &str = "records-lost";

/// A ledger in a database.
pub(super) struct Database<S> {
    store: S,
}

impl<S: Store> Database<S> {
    /// With the tables in place.
    pub fn new(store: S) -> Self {
        Database { store }
    }

    /// Runs `work` as a transaction, again where the connection was lost or the database asks for it. `work` must see
    /// for itself whether an earlier try of it was committed after all: alone, it begins only when that is settled.
    fn transaction<T>(
        &mut self,
        alone: bool,
        mut work: impl FnMut(&mut S) -> Result<T, StoreError>,
    ) -> Result<T, RecordsError> {
        let mut tries = 0;
        let mut was_lost = false;
        loop {
            let error = match once(&mut self.store, alone, &mut work) {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            tries += 1;
            was_lost |= matches!(error, StoreError::Lost(_));
            let is_final = matches!(error, StoreError::Final(_));
            if is_final || !self.store.again(tries) {
                let mut error = RecordsError::from(error);
                if was_lost {
                    error.code = LOST;
                }
                return Err(error);
            }
        }
    }
}

fn once<S: Store, T>(
    store: &mut S,
    alone: bool,
    work: &mut impl FnMut(&mut S) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    // one that waits for its turn in vain has begun as well
    let begun = store.begin(alone);
    let done = begun.and_then(|()| work(store));
    let done = done.and_then(|value| store.commit().map(|()| value));
    if done.is_err() {
        store.rollback();
    }
    done
}

impl<S: Store> Ledger for Database<S> {
    fn begin(&mut self, begin: &Begin) -> Result<AttemptId, RecordsError> {
        let token = random_id();
        let row = [
            Cell::from(token.as_str()),
            Cell::from(begin.station.as_str()),
            Cell::from(begin.site.as_str()),
            Cell::from(begin.job.as_str()),
            Cell::from(begin.barcode.clone()),
            Cell::from(time(begin.begun_at)),
            document(begin)?,
        ];
        self.transaction(false, |store| {
            store.query(
                "INSERT INTO attempt (token, station, site, job, barcode, begun_at, document) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (token) DO NOTHING",
                &row,
            )?;
            let found = store.query(
                "SELECT id FROM attempt WHERE token = $1",
                &[token.as_str().into()],
            )?;
            only(&found, "the attempt just begun").and_then(|row| Ok(AttemptId(row.int(0)?)))
        })
    }

    fn claim(&mut self, attempt: AttemptId, claim: &UnitClaim) -> Result<Claim, RecordsError> {
        self.transaction(true, |store| claim_unit(store, attempt, claim))
    }

    fn end(
        &mut self,
        attempt: AttemptId,
        end: &End,
        journal: &mut dyn FnMut() -> Result<JournalMark, RecordsError>,
    ) -> Result<(), RecordsError> {
        let token = random_id();
        // a second try finds the line of the first in the journal
        let mut told = None;
        self.transaction(true, |store| {
            if let Some(row) = store
                .query(
                    "SELECT token FROM ending WHERE attempt = $1",
                    &[attempt.0.into()],
                )?
                .first()
            {
                return if row.text(0)? == token {
                    Ok(())
                } else {
                    Err(out_of_order(attempt, "it has ended already").into())
                };
            }
            settle_numbers(store, attempt, end)?;
            let mark = match &told {
                Some(mark) => mark,
                None => told.insert(journal()?),
            };
            insert_end(store, attempt, end, &token, mark)
        })
    }

    fn hook(
        &mut self,
        attempt: AttemptId,
        result: &HookResult,
        mark: &JournalMark,
    ) -> Result<(), RecordsError> {
        let row = [
            Cell::from(random_id()),
            Cell::from(attempt.0),
            line_number(mark),
            Cell::from(mark.sha256.as_str()),
            document(result)?,
        ];
        self.transaction(false, |store| {
            store.query(
                "INSERT INTO hook (token, attempt, journal_line, journal_sha256, document) \
                 VALUES ($1, $2, $3, $4, $5) ON CONFLICT (token) DO NOTHING",
                &row,
            )?;
            Ok(())
        })
    }

    fn unfinished(&mut self, station: &str) -> Result<Vec<Attempt>, RecordsError> {
        let mut found = Vec::new();
        self.pages(&Conditions::unfinished(station), 0, &mut |attempt| {
            found.push(attempt);
        })?;
        Ok(found)
    }

    fn each(
        &mut self,
        filter: &Filter,
        visit: &mut dyn FnMut(Attempt),
    ) -> Result<(), RecordsError> {
        let conditions = Conditions::of(filter);
        let after = match filter.newest {
            None => Some(0),
            Some(newest) => {
                self.transaction(false, |store| before_newest(store, &conditions, newest))?
            }
        };
        match after {
            None => Ok(()),
            Some(after) => self.pages(&conditions, after, visit),
        }
    }

    fn identity(&mut self) -> Result<Identity, RecordsError> {
        self.transaction(false, |store| identity(store))
    }

    fn numbers(&mut self) -> Result<Vec<Number>, RecordsError> {
        self.transaction(false, |store| {
            store
                .query(
                    "SELECT series, number, uid, state, reserved_at, attempt, \
                     CASE WHEN settled_by IS NULL THEN 0 ELSE settled_by END \
                     FROM number ORDER BY series, number",
                    &[],
                )?
                .iter()
                .map(read_number_row)
                .collect()
        })
    }

    fn marks(&mut self, station: &str) -> Result<Vec<(AttemptId, JournalMark)>, RecordsError> {
        self.transaction(false, |store| {
            store
                .query(
                    "SELECT e.attempt, e.journal_line AS line, e.journal_sha256 FROM ending e \
                     JOIN attempt a ON a.id = e.attempt WHERE a.station = $1 \
                     UNION ALL SELECT h.attempt, h.journal_line AS line, h.journal_sha256 FROM hook h \
                     JOIN attempt a ON a.id = h.attempt WHERE a.station = $1 ORDER BY line",
                    &[station.into()],
                )?
                .iter()
                .map(|row| Ok((AttemptId(row.int(0)?), mark(row, 1)?)))
                .collect()
        })
    }
}

impl<S: Store> Database<S> {
    fn pages(
        &mut self,
        conditions: &Conditions,
        mut after: i64,
        visit: &mut dyn FnMut(Attempt),
    ) -> Result<(), RecordsError> {
        loop {
            let attempts = self.transaction(false, |store| page(store, conditions, after))?;
            let Some(last) = attempts.last() else {
                return Ok(());
            };
            after = last.id.0;
            attempts.into_iter().for_each(&mut *visit);
        }
    }
}

/// What the ledger was created as.
pub(super) fn identity(store: &mut dyn Store) -> Result<Identity, StoreError> {
    let mut value = |key: &str| {
        let rows = store.query("SELECT value FROM meta WHERE key = $1", &[key.into()])?;
        only(&rows, "the ledger's identity").and_then(|row| row.text(0))
    };
    Ok(Identity {
        id: value("id")?,
        rehearsal: value("kind")? == REHEARSAL,
    })
}

/// Kinds of ledgers as they are stored.
const REHEARSAL: &str = "rehearsal";
const REAL: &str = "real";

/// The rows of a new ledger's `meta`.
pub(super) fn found(store: &mut dyn Store, rehearsal: bool) -> Result<(), StoreError> {
    let rows = [
        ("id", random_id()),
        ("kind", if rehearsal { REHEARSAL } else { REAL }.to_owned()),
        ("tool", env!("CARGO_PKG_VERSION").to_owned()),
    ];
    for (key, value) in rows {
        store.query(
            "INSERT INTO meta (key, value) VALUES ($1, $2)",
            &[key.into(), value.into()],
        )?;
    }
    Ok(())
}

/// The one row of an answer.
pub(super) fn only<'a>(rows: &'a [Row], what: &str) -> Result<&'a Row, StoreError> {
    match rows {
        [row] => Ok(row),
        _ => Err(damaged(format!("{} rows for {what}", rows.len()))),
    }
}

/// The ledger is asked for something that does not fit what the attempt has behind it.
pub(super) fn out_of_order(attempt: AttemptId, why: impl Into<String>) -> RecordsError {
    RecordsError::new(
        "records-order",
        format!("attempt {} cannot be recorded so", attempt.0),
        why,
        "report this as a fault of rtflash",
    )
}

/// A line of the journal as a column holds it.
pub(super) fn line_number(mark: &JournalMark) -> Cell {
    Cell::Int(i64::try_from(mark.line).unwrap_or(i64::MAX))
}

fn read_number_row(row: &Row) -> Result<Number, StoreError> {
    let state = row.text(3)?;
    Ok(Number {
        series: row.text(0)?,
        number: read_number(&row.text(1)?)?,
        uid: row.text(2)?,
        state: NumberState::from_name(&state).ok_or_else(|| damaged(format!("state `{state}`")))?,
        reserved_at: read_time(&row.text(4)?)?,
        attempt: AttemptId(row.int(5)?),
        settled_by: Some(row.int(6)?).filter(|id| *id != 0).map(AttemptId),
    })
}
