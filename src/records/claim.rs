//! Whether a unit may be flashed, and which numbers it gets: decided from what the ledger knows, the same for every database.

use jiff::Timestamp;

use super::{AttemptId, ClaimRefused, PassedBefore, SeriesClaim, UnitClaim};

/// Age after which a claim of another station that never ended keeps nobody from flashing the chip, by the database's
/// clock: that station is dead, and the board is here. No attempt takes a tenth of it.
pub(super) const DEAD_AFTER_SECONDS: i64 = 600;

/// What the ledger knows of a unit and its job, read in the transaction that decides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// Its last PASS of this job: serial number and time.
    pub passed: Option<(Option<String>, Timestamp)>,
    /// Its attempts of this job since then that failed.
    pub failed: u32,
    /// Another attempt on the chip that is under way, of whatever job: its number, station and site.
    pub in_work: Option<(AttemptId, String, String)>,
    /// Another chip that the scanned code belongs to.
    pub barcode_of: Option<String>,
    /// Other chips that have passed this job, or are under way in it.
    pub others: u64,
}

/// Why the unit must not be flashed now, if so: first what is wrong on the bench, then what the unit has behind it, then
/// what the job still wants.
pub(super) fn refusal(known: &Known, claim: &UnitClaim) -> Option<ClaimRefused> {
    if let Some((attempt, station, site)) = known.in_work.clone() {
        return Some(ClaimRefused::InWork {
            attempt,
            station,
            site,
        });
    }
    if let Some(uid) = known.barcode_of.clone() {
        return Some(ClaimRefused::BarcodeUsed { uid });
    }
    if let (Some((serial, at)), PassedBefore::Refuse) = (&known.passed, claim.passed_before) {
        return Some(ClaimRefused::PassedBefore {
            serial: serial.clone(),
            at: *at,
        });
    }
    if let Some(limit) = claim.retry_limit.filter(|limit| known.failed >= *limit) {
        return Some(ClaimRefused::RetryLimit {
            attempts: known.failed,
            limit,
        });
    }
    // a unit that has passed is counted already
    if let Some(quota) = claim.quota.filter(|_| known.passed.is_none())
        && known.others >= quota
    {
        return Some(ClaimRefused::Quota { quota });
    }
    None
}

/// The number that comes after the `largest` of the series' range that was ever handed out, void ones included; none where
/// the range is used up. What lies below `largest` is never filled up: a gap is a number that somebody has seen.
pub(super) fn next_number(series: &SeriesClaim, largest: Option<u64>) -> Option<u64> {
    let step = series.step.max(1);
    let next = match largest.and_then(|largest| largest.checked_sub(series.first)) {
        None => series.first,
        Some(distance) => {
            let steps = (distance / step).checked_add(1)?;
            series.first.checked_add(steps.checked_mul(step)?)?
        }
    };
    (next <= series.last).then_some(next)
}

/// Whether two descriptions of a series would hand out the same places: same distance, and the firsts a whole number of
/// distances apart. Otherwise what one hands out may lie inside what belongs to a number of the other.
pub(super) fn agree(first: u64, step: u64, series: &SeriesClaim) -> bool {
    step == series.step.max(1) && first.abs_diff(series.first).is_multiple_of(step.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::SeriesPolicy;

    fn series(first: u64, last: u64, step: u64) -> SeriesClaim {
        SeriesClaim {
            series: "serial".into(),
            first,
            last,
            step,
            on_failure: SeriesPolicy::Keep,
        }
    }

    #[test]
    fn numbers_go_up_by_their_step_and_end_with_the_range() {
        let mac = series(0x10, 0x15, 2);
        assert_eq!(next_number(&mac, None), Some(0x10));
        assert_eq!(next_number(&mac, Some(0x10)), Some(0x12));
        assert_eq!(next_number(&mac, Some(0x12)), Some(0x14));
        assert_eq!(next_number(&mac, Some(0x14)), None);
        let top = series(u64::MAX - 1, u64::MAX, 1);
        assert_eq!(next_number(&top, Some(u64::MAX - 1)), Some(u64::MAX));
        assert_eq!(next_number(&top, Some(u64::MAX)), None);
        assert_eq!(next_number(&series(5, 4, 1), None), None);
    }

    #[test]
    fn a_series_is_one_only_where_its_steps_fall_together() {
        assert!(agree(10, 2, &series(4, 99, 2)));
        assert!(!agree(10, 2, &series(5, 99, 2)));
        assert!(!agree(10, 2, &series(10, 99, 1)));
    }

    #[test]
    fn what_is_on_the_bench_comes_before_what_was() {
        let claim = UnitClaim {
            uid: "00".into(),
            retry_limit: Some(3),
            quota: Some(5),
            passed_before: PassedBefore::Refuse,
            series: Vec::new(),
            claimed_at: Timestamp::UNIX_EPOCH,
        };
        let mut known = Known {
            passed: Some((None, Timestamp::UNIX_EPOCH)),
            failed: 3,
            in_work: Some((AttemptId(1), "a".into(), "1".into())),
            barcode_of: Some("11".into()),
            others: 5,
        };
        let mut order = Vec::new();
        while let Some(refused) = refusal(&known, &claim) {
            match refused {
                ClaimRefused::InWork { .. } => known.in_work = None,
                ClaimRefused::BarcodeUsed { .. } => known.barcode_of = None,
                ClaimRefused::PassedBefore { .. } => known.passed = None,
                ClaimRefused::RetryLimit { .. } => known.failed = 2,
                ClaimRefused::Quota { .. } => known.others = 4,
                ClaimRefused::SeriesExhausted { .. } => unreachable!(),
            }
            order.push(refused);
        }
        assert_eq!(order.len(), 5, "{order:?}");
    }
}
