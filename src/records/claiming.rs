//! A claim in the ledger's rows: what is known of the unit is read, the decision taken, and what is granted written.

use super::cells::{number, read_count, read_number, read_time, time};
use super::claim::{DEAD_AFTER_SECONDS, Known, agree, next_number, refusal};
use super::database::{only, out_of_order};
use super::ending::{KEEP, VOID};
use super::store::{Cell, Row, Store, StoreError};
use super::{AttemptId, Claim, ClaimRefused, RecordsError, Reserved, SeriesPolicy, UnitClaim};

/// Decides on a claim and writes down what is granted. Alone in the ledger.
pub(super) fn claim_unit(
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
            "SELECT count(*) FROM (SELECT DISTINCT c.uid FROM claim c \
             LEFT JOIN ending e ON e.attempt = c.attempt WHERE c.job = $1 AND c.uid <> $2 \
             AND (e.attempt IS NULL OR e.verdict = 'pass')) AS others",
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
