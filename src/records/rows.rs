//! Attempts read back from the ledger's rows.

use super::cells::{read_count, read_document, read_number, read_time, time};
use super::store::{Cell, Row, Store, StoreError};
use super::{
    Attempt, AttemptId, Begin, Claimed, End, Filter, HookResult, JournalMark, Reserved, VerdictKind,
};

/// Attempts that are held in memory at a time.
const PAGE: i64 = 256;

/// What an attempt is read from.
const FROM: &str =
    "attempt a LEFT JOIN claim c ON c.attempt = a.id LEFT JOIN ending e ON e.attempt = a.id";

/// The same for attempts behind the number that is the value `place`: a server that merges the tables need not walk all of
/// them from the first row on for every page.
fn from_behind(place: usize) -> String {
    format!(
        "attempt a LEFT JOIN claim c ON c.attempt = a.id AND c.attempt > ${place} \
         LEFT JOIN ending e ON e.attempt = a.id AND e.attempt > ${place}"
    )
}

/// Its columns, in the order in which [`attempt`] reads them.
const COLUMNS: &str = "a.id, a.station, a.site, a.job, a.barcode, a.begun_at, a.document, \
     c.uid, c.attempt_of_unit, c.claimed_at, \
     e.verdict, e.code, e.uid, e.serial, e.ended_at, e.journal_line, e.journal_sha256, e.document, c.job";

/// Conditions on attempts, with their values.
#[derive(Default)]
pub(super) struct Conditions {
    sql: Vec<String>,
    values: Vec<Cell>,
}

impl Conditions {
    /// Adds one; `?` in it stands for the value.
    fn add(&mut self, sql: &str, value: impl Into<Cell>) {
        self.values.push(value.into());
        self.sql
            .push(sql.replace('?', &format!("${}", self.values.len())));
    }

    /// Attempts of `station` that have no end.
    pub fn unfinished(station: &str) -> Self {
        let mut conditions = Conditions::default();
        conditions.add("a.station = ? AND e.attempt IS NULL", station);
        conditions
    }

    /// What `filter` means, but for `newest`.
    pub fn of(filter: &Filter) -> Self {
        let mut conditions = Conditions::default();
        if let Some(id) = filter.id {
            conditions.add("a.id = ?", id.0);
        }
        let texts = [
            ("a.job = ?", &filter.job),
            ("a.station = ?", &filter.station),
            ("a.site = ?", &filter.site),
            ("(c.uid = ? OR e.uid = ?)", &filter.uid),
            ("e.serial = ?", &filter.serial),
            ("e.code = ?", &filter.code),
        ];
        for (sql, value) in texts {
            if let Some(value) = value {
                conditions.add(sql, value.as_str());
            }
        }
        if let Some(verdict) = filter.verdict {
            conditions.add("e.verdict = ?", verdict.name());
        }
        if let Some(since) = filter.since {
            conditions.add("a.begun_at >= ?", time(since));
        }
        if let Some(until) = filter.until {
            conditions.add("a.begun_at < ?", time(until));
        }
        conditions
    }

    /// As a WHERE clause, with another condition behind.
    fn clause(&self, and: &str) -> String {
        let mut all: Vec<&str> = self.sql.iter().map(String::as_str).collect();
        all.push(and);
        all.join(" AND ")
    }
}

/// The number before that of the oldest of the `newest` attempts; none where there is no attempt.
pub(super) fn before_newest(
    store: &mut dyn Store,
    conditions: &Conditions,
    newest: u32,
) -> Result<Option<i64>, StoreError> {
    let sql = format!(
        "SELECT a.id FROM {FROM} WHERE {} ORDER BY a.id DESC LIMIT ${}",
        conditions.clause("a.id > 0"),
        conditions.values.len() + 1
    );
    let mut values = conditions.values.clone();
    values.push(Cell::Int(i64::from(newest)));
    let rows = store.query(&sql, &values)?;
    match rows.last() {
        Some(row) => Ok(Some(row.int(0)? - 1)),
        None => Ok(None),
    }
}

/// The next attempts after number `after`, oldest first; empty at the end.
pub(super) fn page(
    store: &mut dyn Store,
    conditions: &Conditions,
    after: i64,
) -> Result<Vec<Attempt>, StoreError> {
    let values = conditions.values.len();
    let sql = format!(
        "SELECT {COLUMNS} FROM {} WHERE {} ORDER BY a.id LIMIT ${}",
        from_behind(values + 1),
        conditions.clause(&format!("a.id > ${}", values + 1)),
        values + 2
    );
    let mut cells = conditions.values.clone();
    cells.extend([Cell::Int(after), Cell::Int(PAGE)]);
    let mut attempts = store
        .query(&sql, &cells)?
        .iter()
        .map(attempt)
        .collect::<Result<Vec<_>, _>>()?;
    let (Some(first), Some(last)) = (attempts.first(), attempts.last()) else {
        return Ok(attempts);
    };
    let range = [Cell::Int(first.id.0), Cell::Int(last.id.0)];
    let numbers = store.query(
        "SELECT attempt, series, number, reserved_at, kept FROM claimed_number \
         WHERE attempt BETWEEN $1 AND $2 ORDER BY attempt, place",
        &range,
    )?;
    for row in &numbers {
        let id = AttemptId(row.int(0)?);
        if let Some(attempt) = attempts.iter_mut().find(|attempt| attempt.id == id) {
            attempt.reserved.push(Reserved {
                series: row.text(1)?,
                number: read_number(&row.text(2)?)?,
                reserved_at: read_time(&row.text(3)?)?,
                kept: row.int(4)? != 0,
            });
        }
    }
    let hooks = store.query(
        "SELECT attempt, document FROM hook WHERE attempt BETWEEN $1 AND $2 ORDER BY id",
        &range,
    )?;
    for row in &hooks {
        let id = AttemptId(row.int(0)?);
        if let Some(attempt) = attempts.iter_mut().find(|attempt| attempt.id == id) {
            attempt
                .hooks
                .push(read_document::<HookResult>(&row.text(1)?)?);
        }
    }
    Ok(attempts)
}

/// An attempt without its numbers and hooks.
fn attempt(row: &Row) -> Result<Attempt, StoreError> {
    let begin: Begin = read_document(&row.text(6)?)?;
    let mut damage = None;
    let mut compare = |column: &str, holds: Option<String>, says: Option<&str>| {
        if holds.as_deref() != says {
            damage.get_or_insert(format!(
                "column `{column}` holds {holds:?}, the document says {says:?}"
            ));
        }
    };
    compare("station", row.maybe_text(1)?, Some(&begin.station));
    compare("site", row.maybe_text(2)?, Some(&begin.site));
    compare("job", row.maybe_text(3)?, Some(&begin.job));
    compare("barcode", row.maybe_text(4)?, begin.barcode.as_deref());
    compare("begun_at", row.maybe_text(5)?, Some(&time(begin.begun_at)));
    let claimed = match row.maybe_text(7)? {
        None => None,
        Some(uid) => {
            compare("claim.job", row.maybe_text(18)?, Some(&begin.job));
            Some(Claimed {
                uid,
                attempt_of_unit: read_count(row.int(8)?)?,
                claimed_at: read_time(&row.text(9)?)?,
            })
        }
    };
    let mut ended = None;
    if let Some(verdict) = row.maybe_text(10)? {
        let end: End = read_document(&row.text(17)?)?;
        compare("verdict", Some(verdict), Some(end.verdict.name()));
        compare("code", row.maybe_text(11)?, end.code.as_deref());
        compare("uid", row.maybe_text(12)?, end.uid.as_deref());
        compare("serial", row.maybe_text(13)?, end.serial.as_deref());
        compare("ended_at", row.maybe_text(14)?, Some(&time(end.ended_at)));
        if end.verdict == VerdictKind::Pass {
            let unit = claimed.as_ref().map(|claimed| claimed.uid.clone());
            compare("claim.uid", unit, end.uid.as_deref());
        }
        ended = Some((end, mark(row, 15)?));
    }
    let (end, journal) = ended.unzip();
    Ok(Attempt {
        id: AttemptId(row.int(0)?),
        begin,
        claimed,
        reserved: Vec::new(),
        end,
        journal,
        hooks: Vec::new(),
        damage,
    })
}

/// The journal's line in the columns from `at`.
pub(super) fn mark(row: &Row, at: usize) -> Result<JournalMark, StoreError> {
    Ok(JournalMark {
        line: u64::try_from(row.int(at)?).unwrap_or_default(),
        sha256: row.text(at + 1)?,
    })
}
