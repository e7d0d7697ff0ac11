//! The image of the unit on the bench: whether it may be flashed now, the numbers it gets, and what they make of the image.

use jiff::Timestamp;

use super::event::What;
use super::unit_data::UnitData;
use super::unit_run::{Now, RecordsTime, Unit};
use crate::job::{Request, UnitImage};
use crate::problem::{ExitCode, Problem};
use crate::records::{AttemptId, Claim, ClaimRefused, Reserved, UnitClaim};
use crate::survey::ChipFound;

/// The job has flashed as many units as it may.
pub const QUOTA: &str = "quota";

/// What became known of the unit.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The chip's unique ID.
    pub uid: Option<String>,
    /// The unit's serial number.
    pub serial: Option<String>,
    /// It must not be flashed now.
    pub refused: bool,
}

/// Claims the unit once its chip is known, and makes its image.
pub struct StationUnit<'u> {
    unit: &'u Unit<'u>,
    attempt: AttemptId,
    now: Now<'u>,
    time: &'u mut RecordsTime,
    known: Known,
}

impl<'u> StationUnit<'u> {
    /// Nothing is known of the unit yet.
    pub fn new(
        unit: &'u Unit<'u>,
        attempt: AttemptId,
        now: Now<'u>,
        time: &'u mut RecordsTime,
    ) -> Self {
        StationUnit {
            unit,
            attempt,
            now,
            time,
            known: Known::default(),
        }
    }

    /// What became known of the unit.
    pub fn known(self) -> Known {
        self.known
    }

    /// Asks the ledger for the unit and its numbers.
    fn claim(&mut self, uid: &str, claimed_at: Timestamp) -> Result<(Vec<Reserved>, u32), Problem> {
        let shared = self.unit.shared;
        let rules = &shared.job.file.unit;
        let claim = UnitClaim {
            uid: uid.to_owned(),
            retry_limit: rules.attempts,
            quota: rules.quota,
            passed_before: rules.passed_before,
            series: UnitData::claims(shared.job.rules.rules()),
            claimed_at,
        };
        let attempt = self.attempt;
        match self
            .time
            .measure(|| shared.records().claim(attempt, &claim))?
        {
            Claim::Granted {
                reserved,
                attempt_of_unit,
            } => Ok((reserved, attempt_of_unit)),
            Claim::Refused(why) => {
                self.known.refused = true;
                if let ClaimRefused::PassedBefore { serial, .. } = &why {
                    self.known.serial.clone_from(serial);
                }
                Err(refused(why))
            }
        }
    }
}

impl UnitImage for StationUnit<'_> {
    fn for_unit(&mut self, chip: &ChipFound) -> Result<Request, Problem> {
        let uid = chip.unique_id.to_string();
        self.known.uid = Some(uid.clone());
        let job = self.unit.shared.job;
        if let Err(problem) = job.require_board(chip) {
            self.known.refused = true;
            return Err(problem);
        }
        let now = (self.now)();
        let (reserved, attempt_of_unit) = self.claim(&uid, now)?;
        let barcode = self.unit.barcode.as_deref();
        let facts = UnitData::facts(chip.unique_id.get(), &reserved, barcode, now);
        let rehearsal = self.unit.shared.options.rehearsal;
        let made = UnitData::of(facts, &job.request, &job.rules, &job.outside, rehearsal);
        match &made {
            Ok(made) => self.known.serial.clone_from(&made.serial),
            // what gives the values is at fault, not the board: it counts neither as its failure nor against its attempts
            Err(_) => self.known.refused = true,
        }
        let known = What::UnitKnown {
            uid,
            serial: self.known.serial.clone(),
            attempt_of_unit,
        };
        self.unit.tell.at((self.now)(), known);
        made.map(|made| made.request)
    }
}

/// What the operator is told of a unit that the ledger refuses.
fn refused(why: ClaimRefused) -> Problem {
    let refused = |code, what: String| Problem::new(code, ExitCode::Refused, what);
    match why {
        ClaimRefused::PassedBefore { serial, at } => {
            let name = serial.map_or_else(String::new, |serial| format!(" as {serial}"));
            refused("passed-before", format!("done already{name}, at {at}"))
                .fix("take the board out: it is done")
        }
        ClaimRefused::RetryLimit { attempts, limit } => refused(
            "retry-limit",
            format!("{attempts} attempts did not pass, and the job allows {limit}"),
        )
        .fix("send the board to rework"),
        ClaimRefused::Quota { quota } => refused(
            QUOTA,
            format!("the job's quota of {quota} is used up"),
        )
        .because("so many units have passed, or are in work at a station")
        .fix("take the board out; ask for another job"),
        ClaimRefused::InWork {
            attempt,
            station,
            site,
        } => refused(
            "unit-in-work",
            format!(
                "a chip with this unique ID is in work at station {station}, site {site} (attempt {})",
                attempt.0
            ),
        )
        .because("one board cannot be in two places: two probes are wired to one board, or two chips say the same")
        .fix("check the cables of both sites"),
        ClaimRefused::BarcodeUsed { uid } => refused(
            "barcode-used",
            format!("the scanned code belongs to the board with the chip {uid}"),
        )
        .fix("take the board out, check its label, and scan its own code"),
        ClaimRefused::SeriesExhausted { series, last } => refused(
            "series-exhausted",
            format!("the series {series} has no number left; its last one is {last}"),
        )
        .fix("stop: ask for a job with more numbers"),
    }
}
