//! From the numbers that the ledger gives a unit to the image that the unit gets.

use jiff::Timestamp;

use super::outside::Outside;
use crate::job::Request;
use crate::problem::Problem;
use crate::records::{Reserved, SeriesClaim, SeriesPolicy};
use crate::unit::{Field, FittedRules, Number, OnFailure, UnitFacts, UnitRules};

/// What one unit gets.
#[derive(Clone, Debug)]
pub struct UnitData {
    /// Its image, with what is wished of the boot header.
    pub request: Request,
    /// What each rule wrote.
    pub fields: Vec<Field>,
    /// Its serial number as text, where the job gives one.
    pub serial: Option<String>,
}

impl UnitData {
    /// What a unit must claim: one number of each of the job's series.
    pub fn claims(rules: &UnitRules) -> Vec<SeriesClaim> {
        let claim = |series: &crate::unit::Series| SeriesClaim {
            series: series.name.clone(),
            first: series.first,
            last: series.last,
            step: series.step,
            on_failure: match series.on_failure {
                OnFailure::Keep => SeriesPolicy::Keep,
                OnFailure::Void => SeriesPolicy::Void,
            },
        };
        rules.series().iter().map(claim).collect()
    }

    /// What is known of a unit: the chip's unique ID, its numbers, the scanned code, and the station's clock when it claimed
    /// them.
    pub fn facts(
        uid: u64,
        reserved: &[Reserved],
        barcode: Option<&str>,
        claimed_at: Timestamp,
    ) -> UnitFacts {
        let number = |reserved: &Reserved| Number {
            number: reserved.number,
            reserved_at: reserved.reserved_at,
        };
        UnitFacts {
            uid,
            numbers: reserved
                .iter()
                .map(|reserved| (reserved.series.clone(), number(reserved)))
                .collect(),
            now: claimed_at,
            barcode: barcode.map(str::to_owned),
            outside: std::collections::BTreeMap::new(),
        }
    }

    /// The unit's image, made of what all units share. Files and programs are asked for its values; programs are told
    /// whether it is a `rehearsal`.
    ///
    /// # Errors
    /// Exit 20 where the unit lacks something, or a program refuses it.
    pub fn of(
        facts: UnitFacts,
        common: &Request,
        rules: &FittedRules,
        outside: &Outside,
        rehearsal: bool,
    ) -> Result<Self, Problem> {
        let facts = UnitFacts {
            outside: outside.values(&facts, rehearsal)?,
            ..facts
        };
        let patched = rules.apply(&facts)?;
        Ok(UnitData {
            serial: rules.rules().serial(&patched.fields),
            fields: patched.fields,
            request: Request {
                image: patched.image,
                wishes: common.wishes.clone(),
            },
        })
    }
}
