//! A series of numbers that the ledger hands out, one for each unit.

use serde::{Deserialize, Serialize};

use super::rules::malformed;
use crate::problem::Problem;

/// Numbers go into SQL columns and TOML values, which are signed.
const LARGEST_NUMBER: u64 = i64::MAX as u64;

/// `[[series]]` of a job.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Series {
    /// Its name; the same in every job that draws on it.
    pub name: String,
    /// First number.
    pub first: u64,
    /// No number above this one is handed out.
    pub last: u64,
    /// Distance from one number to the next.
    #[serde(default = "one")]
    pub step: u64,
    /// What becomes of a reserved number whose attempt failed.
    #[serde(default)]
    pub on_failure: OnFailure,
}

/// What becomes of a reserved number whose attempt failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum OnFailure {
    /// It stays the unit's: the next attempt on the same chip gets it again.
    #[default]
    Keep,
    /// Nobody gets it again.
    Void,
}

const fn one() -> u64 {
    1
}

impl Series {
    /// The largest number that can come.
    pub fn largest(&self) -> u64 {
        let span = self.last.saturating_sub(self.first);
        self.first + span / self.step.max(1) * self.step
    }

    /// How many numbers there are.
    pub fn count(&self) -> u64 {
        let span = self.last.saturating_sub(self.first);
        (span / self.step.max(1)).saturating_add(1)
    }

    /// Whether `number` is one of them.
    pub fn holds(&self, number: u64) -> bool {
        let distance = number.checked_sub(self.first);
        number <= self.last && distance.is_some_and(|d| d.is_multiple_of(self.step.max(1)))
    }

    /// # Errors
    /// `series-range` for a series without a number.
    pub(super) fn checked(&self) -> Result<(), Problem> {
        let wrong = |what: String, fix: &str| Err(malformed("series-range", what).fix(fix));
        let name = &self.name;
        if name.is_empty() {
            return wrong("a series has no name".to_owned(), "give it one");
        }
        if self.step == 0 {
            return wrong(
                format!("the series `{name}` has the step 0: every unit would get the same number"),
                "let step be 1 or more",
            );
        }
        if self.first > self.last {
            return wrong(
                format!(
                    "the series `{name}` begins at {} and ends at {}: it has no number",
                    self.first, self.last
                ),
                "let last be first or more",
            );
        }
        if self.last > LARGEST_NUMBER {
            return wrong(
                format!("the series `{name}` goes beyond {LARGEST_NUMBER}"),
                "the ledger holds no larger number; let last be smaller",
            );
        }
        Ok(())
    }
}
