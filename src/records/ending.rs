//! The end of an attempt in the ledger's rows.

use super::cells::{document, time};
use super::database::{line_number, out_of_order};
use super::store::{Store, StoreError, damaged};
use super::{AttemptId, End, JournalMark, NumberState, VerdictKind};

/// What becomes of a number after a failure, as it is stored.
pub(super) const KEEP: &str = "keep";
pub(super) const VOID: &str = "void";

/// Commits the numbers of an attempt that passed; makes void those of another, where their series wants it, they were not
/// committed before, and no later attempt has them.
pub(super) fn settle_numbers(
    store: &mut dyn Store,
    attempt: AttemptId,
    end: &End,
) -> Result<(), StoreError> {
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

/// Writes the end down.
pub(super) fn insert_end(
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
