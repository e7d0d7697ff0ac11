//! What was done again, and in what state the flash was left.

use std::fmt;

use serde::Serialize;

use crate::problem::Problem;

/// Something that a job did more than once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RetryRecord {
    /// What was done again.
    pub what: &'static str,
    /// How often.
    pub times: u64,
    /// Why.
    pub why: Option<String>,
}

impl RetryRecord {
    /// Done again because of `problem`.
    pub fn of(what: &'static str, times: u64, problem: &Problem) -> Self {
        let place = Some(problem.place.to_string()).filter(|place| !place.is_empty());
        let parts = [Some(problem.what.clone()), place, problem.why.clone()];
        let why: Vec<String> = parts.into_iter().flatten().collect();
        RetryRecord {
            what,
            times,
            why: Some(format!("{} [{}]", why.join(", "), problem.code)),
        }
    }
}

impl fmt::Display for RetryRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)?;
        if self.times != 1 {
            write!(f, ", {} times", self.times)?;
        }
        match &self.why {
            Some(why) => write!(f, ": {why}"),
            None => Ok(()),
        }
    }
}

/// What the job left in the flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum FlashLeft {
    /// What was there before.
    Unchanged,
    /// Part of what was there and part of what was to be there. The commit mark is off, but for `--data`, which has none.
    Incomplete,
    /// What was to be there, its commit mark as well, and not verified to the end.
    Unproven,
    /// What was to be there, verified.
    Complete,
    /// Part of what was to be erased is erased, and the FCB's sector first.
    PartlyErased,
    /// Part of what was to be erased is erased; the FCB's sector is not concerned.
    PartlyErasedFcbKept,
    /// Nothing where it was to be erased, verified.
    Erased,
}

impl fmt::Display for FlashLeft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FlashLeft::Unchanged => "the flash was not changed",
            FlashLeft::Incomplete => {
                "the flash holds part of what was there and part of what was to be there; what it holds is not started (but \
                 for --data) until the next `rtflash flash` has finished it"
            }
            FlashLeft::Unproven => {
                "the flash was written to the end and not verified: what it holds may be started; run `rtflash flash` again"
            }
            FlashLeft::Complete => "the flash holds the image, verified",
            FlashLeft::PartlyErased => {
                "part of what was to be erased is erased; the FCB is what goes first, so the boot ROM does not start the rest"
            }
            FlashLeft::PartlyErasedFcbKept => {
                "part of what was to be erased is erased; the FCB is as it was"
            }
            FlashLeft::Erased => "what was to be erased is, verified",
        })
    }
}
