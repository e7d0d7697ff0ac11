//! The ledger on either database: each of its actions is one transaction that may be done again without harm.

use super::cells::{document, number, random_id, read_count, read_number, read_time, time};
use super::claim::{DEAD_AFTER_SECONDS, Known, agree, next_number, refusal};
use super::rows::{Conditions, before_newest, mark, page};
use super::store::{Cell, Row, Store, StoreError, damaged};
use super::{
    Attempt, AttemptId, Begin, Claim, ClaimRefused, End, Filter, HookResult, Identity, JournalMark,
    Ledger, Number, NumberState, RecordsError, Reserved, SeriesPolicy, UnitClaim, VerdictKind,
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
    store.begin(alone)?;
    let done = work(store).and_then(|value| store.commit().map(|()| value));
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

fn only<'a>(rows: &'a [Row], what: &str) -> Result<&'a Row, StoreError> {
    match rows {
        [row] => Ok(row),
        _ => Err(damaged(format!("{} rows for {what}", rows.len()))),
    }
}

/// The ledger is asked for something that does not fit what the attempt has behind it.
fn out_of_order(attempt: AttemptId, why: impl Into<String>) -> RecordsError {
    RecordsError::new(
        "records-order",
        format!("attempt {} cannot be recorded so", attempt.0),
        why,
        "report this as a fault of rtflash",
    )
}

fn claim_unit(
    store: &mut dyn Store,
    attempt: AttemptId,
    claim: &UnitClaim,
) -> Result<Claim, StoreError> {
    let begun = store.query(
        "SELECT a.job, a.station, a.barcode, e.verdict FROM attempt a \
         LEFT JOIN ending e ON e.attempt = a.id WHERE a.id = $1",
        &[attempt.0.into()],
    )?;
    let Some(begun) = begun.first() else {
        return Err(out_of_order(attempt, "it has not begun").into());
    };
    if begun.maybe_text(3)?.is_some() {
        return Err(out_of_order(attempt, "it has ended").into());
    }
    if let Some(granted) = granted_before(store, attempt, claim)? {
        return Ok(granted);
    }
    let (job, station) = (begun.text(0)?, begun.text(1)?);
    let asked = Asked {
        attempt,
        claim,
        job: &job,
        station: &station,
        barcode: begun.maybe_text(2)?,
    };
    if let Some(refused) = refusal(&known(store, &asked)?, claim) {
        return Ok(Claim::Refused(refused));
    }
    let reserved = match choose_numbers(store, claim)? {
        Ok(reserved) => reserved,
        Err(refused) => return Ok(Claim::Refused(refused)),
    };
    let before = count(
        store,
        "SELECT count(*) FROM claim WHERE uid = $1 AND job = $2",
        &[claim.uid.as_str().into(), job.as_str().into()],
    )?;
    let attempt_of_unit = read_count(before)?.saturating_add(1);
    insert_claim(store, &asked, attempt_of_unit, &reserved)?;
    Ok(Claim::Granted {
        reserved,
        attempt_of_unit,
    })
}

/// Who asks for which unit.
struct Asked<'a> {
    attempt: AttemptId,
    claim: &'a UnitClaim,
    job: &'a str,
    station: &'a str,
    barcode: Option<String>,
}

/// What was granted to this very attempt already: an answer that was lost on the way.
fn granted_before(
    store: &mut dyn Store,
    attempt: AttemptId,
    claim: &UnitClaim,
) -> Result<Option<Claim>, StoreError> {
    let rows = store.query(
        "SELECT uid, attempt_of_unit FROM claim WHERE attempt = $1",
        &[attempt.0.into()],
    )?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    if row.text(0)? != claim.uid {
        return Err(out_of_order(attempt, "it has claimed another unit").into());
    }
    let reserved = store
        .query(
            "SELECT series, number, reserved_at, kept FROM claimed_number WHERE attempt = $1 \
             ORDER BY place",
            &[attempt.0.into()],
        )?
        .iter()
        .map(|row| {
            Ok(Reserved {
                series: row.text(0)?,
                number: read_number(&row.text(1)?)?,
                reserved_at: read_time(&row.text(2)?)?,
                kept: row.int(3)? != 0,
            })
        })
        .collect::<Result<_, StoreError>>()?;
    Ok(Some(Claim::Granted {
        reserved,
        attempt_of_unit: read_count(row.int(1)?)?,
    }))
}

fn count(store: &mut dyn Store, sql: &str, values: &[Cell]) -> Result<i64, StoreError> {
    let rows = store.query(sql, values)?;
    only(&rows, "a count").and_then(|row| row.int(0))
}

fn known(store: &mut dyn Store, asked: &Asked<'_>) -> Result<Known, StoreError> {
    let uid = Cell::from(asked.claim.uid.as_str());
    let job = Cell::from(asked.job);
    let mut known = Known::default();
    let mut last_pass = 0;
    let passes = store.query(
        "SELECT e.attempt, e.serial, e.ended_at FROM claim c JOIN ending e ON e.attempt = c.attempt \
         WHERE c.uid = $1 AND c.job = $2 AND e.verdict = 'pass' ORDER BY e.attempt DESC LIMIT 1",
        &[uid.clone(), job.clone()],
    )?;
    if let Some(row) = passes.first() {
        last_pass = row.int(0)?;
        known.passed = Some((row.maybe_text(1)?, read_time(&row.text(2)?)?));
    }
    known.failed = read_count(count(
        store,
        "SELECT count(*) FROM claim c JOIN ending e ON e.attempt = c.attempt \
         WHERE c.uid = $1 AND c.job = $2 AND e.verdict = 'fail' AND c.attempt > $3",
        &[uid.clone(), job.clone(), last_pass.into()],
    )?)?;
    known.in_work = in_work(store, asked)?;
    known.barcode_of = barcode_of(store, asked)?;
    if asked.claim.quota.is_some() {
        let others = count(
            store,
            "SELECT count(DISTINCT c.uid) FROM claim c LEFT JOIN ending e ON e.attempt = c.attempt \
             WHERE c.job = $1 AND c.uid <> $2 AND (e.attempt IS NULL OR e.verdict = 'pass')",
            &[job, uid],
        )?;
        known.others = u64::try_from(others).unwrap_or_default();
    }
    Ok(known)
}

/// Whether a claim in the columns from `at`, station and age in seconds, is one of a station that works. Of the own
/// station all are: what an earlier run left was ended when this one began.
fn is_alive(row: &Row, at: usize, station: &str) -> Result<bool, StoreError> {
    Ok(row.text(at)? == station || row.int(at + 1)? < DEAD_AFTER_SECONDS)
}

fn in_work(
    store: &mut dyn Store,
    asked: &Asked<'_>,
) -> Result<Option<(AttemptId, String, String)>, StoreError> {
    let sql = format!(
        "SELECT a.id, a.station, {} - c.database_seconds, a.site FROM claim c \
         JOIN attempt a ON a.id = c.attempt WHERE c.uid = $1 AND c.attempt <> $2 \
         AND NOT EXISTS (SELECT e.attempt FROM ending e WHERE e.attempt = c.attempt) ORDER BY a.id DESC",
        store.seconds()
    );
    for row in store.query(
        &sql,
        &[asked.claim.uid.as_str().into(), asked.attempt.0.into()],
    )? {
        if is_alive(&row, 1, asked.station)? {
            return Ok(Some((AttemptId(row.int(0)?), row.text(1)?, row.text(3)?)));
        }
    }
    Ok(None)
}

/// A code belongs to the chip that passed with it or is in work with it, whatever the job; one that failed may have been
/// scanned at the wrong board.
fn barcode_of(store: &mut dyn Store, asked: &Asked<'_>) -> Result<Option<String>, StoreError> {
    let Some(barcode) = &asked.barcode else {
        return Ok(None);
    };
    let sql = format!(
        "SELECT c.uid, a.station, {} - c.database_seconds, e.verdict FROM attempt a \
         JOIN claim c ON c.attempt = a.id LEFT JOIN ending e ON e.attempt = a.id \
         WHERE a.barcode = $1 AND c.uid <> $2 AND (e.attempt IS NULL OR e.verdict = 'pass') ORDER BY a.id DESC",
        store.seconds()
    );
    for row in store.query(
        &sql,
        &[barcode.as_str().into(), asked.claim.uid.as_str().into()],
    )? {
        if row.maybe_text(3)?.is_some() || is_alive(&row, 1, asked.station)? {
            return row.text(0).map(Some);
        }
    }
    Ok(None)
}

/// The unit's numbers, its own again or the next ones; nothing is written yet but what a series is.
fn choose_numbers(
    store: &mut dyn Store,
    claim: &UnitClaim,
) -> Result<Result<Vec<Reserved>, ClaimRefused>, StoreError> {
    let mut chosen = Vec::new();
    for series in &claim.series {
        let name = Cell::from(series.series.as_str());
        store.query(
            "INSERT INTO series (name, first, step) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING",
            &[
                name.clone(),
                number(series.first).into(),
                number(series.step.max(1)).into(),
            ],
        )?;
        let rows = store.query(
            "SELECT first, step FROM series WHERE name = $1",
            std::slice::from_ref(&name),
        )?;
        let row = only(&rows, "a series")?;
        let (first, step) = (read_number(&row.text(0)?)?, read_number(&row.text(1)?)?);
        if !agree(first, step, series) {
            return Err(RecordsError::new(
                "records-series",
                format!("series `{}` is another one in the ledger", series.series),
                format!(
                    "there it goes from {first} in steps of {step}, in this job from {} in steps of {}",
                    series.first, series.step
                ),
                "give the series of this job a name of its own, or the same start and step",
            )
            .into());
        }
        let own = store.query(
            "SELECT number, reserved_at FROM number WHERE series = $1 AND uid = $2 AND state <> 'void'",
            &[name.clone(), claim.uid.as_str().into()],
        )?;
        if let Some(row) = own.first() {
            chosen.push(Reserved {
                series: series.series.clone(),
                number: read_number(&row.text(0)?)?,
                reserved_at: read_time(&row.text(1)?)?,
                kept: true,
            });
            continue;
        }
        let largest = store.query(
            "SELECT max(number) FROM number WHERE series = $1 AND number BETWEEN $2 AND $3",
            &[
                name,
                number(series.first).into(),
                number(series.last).into(),
            ],
        )?;
        let largest = only(&largest, "the largest number")?.maybe_text(0)?;
        let largest = largest.as_deref().map(read_number).transpose()?;
        let Some(next) = next_number(series, largest) else {
            return Ok(Err(ClaimRefused::SeriesExhausted {
                series: series.series.clone(),
                last: series.last,
            }));
        };
        chosen.push(Reserved {
            series: series.series.clone(),
            number: next,
            reserved_at: claim.claimed_at,
            kept: false,
        });
    }
    Ok(Ok(chosen))
}

fn insert_claim(
    store: &mut dyn Store,
    asked: &Asked<'_>,
    attempt_of_unit: u32,
    reserved: &[Reserved],
) -> Result<(), StoreError> {
    let attempt = Cell::from(asked.attempt.0);
    let uid = Cell::from(asked.claim.uid.as_str());
    let sql = format!(
        "INSERT INTO claim (attempt, uid, job, attempt_of_unit, claimed_at, database_seconds) \
         VALUES ($1, $2, $3, $4, $5, {})",
        store.seconds()
    );
    store.query(
        &sql,
        &[
            attempt.clone(),
            uid.clone(),
            asked.job.into(),
            i64::from(attempt_of_unit).into(),
            time(asked.claim.claimed_at).into(),
        ],
    )?;
    for ((place, reserved), series) in (0_i64..).zip(reserved).zip(&asked.claim.series) {
        let name = Cell::from(reserved.series.as_str());
        let digits = Cell::from(number(reserved.number));
        let reserved_at = Cell::from(time(reserved.reserved_at));
        if !reserved.kept {
            store.query(
                "INSERT INTO number (series, number, uid, state, reserved_at, attempt) \
                 VALUES ($1, $2, $3, 'reserved', $4, $5)",
                &[
                    name.clone(),
                    digits.clone(),
                    uid.clone(),
                    reserved_at.clone(),
                    attempt.clone(),
                ],
            )?;
        }
        let on_failure = match series.on_failure {
            SeriesPolicy::Keep => KEEP,
            SeriesPolicy::Void => VOID,
        };
        store.query(
            "INSERT INTO claimed_number (attempt, place, series, number, reserved_at, kept, on_failure) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            &[
                attempt.clone(),
                place.into(),
                name,
                digits,
                reserved_at,
                i64::from(reserved.kept).into(),
                on_failure.into(),
            ],
        )?;
    }
    Ok(())
}

/// What becomes of a number after a failure, as it is stored.
const KEEP: &str = "keep";
const VOID: &str = "void";

/// Commits the numbers of an attempt that passed; makes void those of another, where their series wants it, they were not
/// committed before, and no later attempt has them.
fn settle_numbers(store: &mut dyn Store, attempt: AttemptId, end: &End) -> Result<(), StoreError> {
    let passed = end.verdict == VerdictKind::Pass;
    let claimed = store.query(
        "SELECT uid FROM claim WHERE attempt = $1",
        &[attempt.0.into()],
    )?;
    let unit = claimed.first().map(|row| row.text(0)).transpose()?;
    if passed && (unit.is_none() || unit != end.uid) {
        return Err(out_of_order(
            attempt,
            format!("it passes for unit {:?} and has claimed {unit:?}", end.uid),
        )
        .into());
    }
    let numbers = store.query(
        "SELECT c.series, c.number, c.on_failure, n.state, (SELECT count(*) FROM claimed_number l \
         WHERE l.series = c.series AND l.number = c.number AND l.attempt > c.attempt) \
         FROM claimed_number c JOIN number n ON n.series = c.series AND n.number = c.number \
         WHERE c.attempt = $1 ORDER BY c.place",
        &[attempt.0.into()],
    )?;
    for row in &numbers {
        let state = row.text(3)?;
        let state =
            NumberState::from_name(&state).ok_or_else(|| damaged(format!("state `{state}`")))?;
        let becomes = match (passed, state) {
            (true, NumberState::Reserved) => NumberState::Committed,
            (true, NumberState::Void) => {
                return Err(out_of_order(
                    attempt,
                    format!("its number of series `{}` was made void", row.text(0)?),
                )
                .into());
            }
            (false, NumberState::Reserved) if row.text(2)? == VOID && row.int(4)? == 0 => {
                NumberState::Void
            }
            _ => continue,
        };
        store.query(
            "UPDATE number SET state = $1, settled_by = $2 WHERE series = $3 AND number = $4",
            &[
                becomes.name().into(),
                attempt.0.into(),
                row.text(0)?.into(),
                row.text(1)?.into(),
            ],
        )?;
    }
    Ok(())
}

fn insert_end(
    store: &mut dyn Store,
    attempt: AttemptId,
    end: &End,
    token: &str,
    mark: &JournalMark,
) -> Result<(), StoreError> {
    store.query(
        "INSERT INTO ending (attempt, token, verdict, code, uid, serial, ended_at, journal_line, \
         journal_sha256, document) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        &[
            attempt.0.into(),
            token.into(),
            end.verdict.name().into(),
            end.code.clone().into(),
            end.uid.clone().into(),
            end.serial.clone().into(),
            time(end.ended_at).into(),
            line_number(mark),
            mark.sha256.as_str().into(),
            document(end)?,
        ],
    )?;
    Ok(())
}

fn line_number(mark: &JournalMark) -> Cell {
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
