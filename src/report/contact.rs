//! The contact check in the record of one unit.

use std::fmt;

use serde::Serialize;

use crate::link::{Contact, Trial};

/// The contact at one clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ContactRecord {
    /// SWD clock in kHz.
    pub speed_khz: u32,
    /// Bytes of the pattern, written and read.
    pub bytes: u32,
    /// Words that came back wrong.
    pub wrong_words: u32,
    /// Accesses that had to be repeated.
    pub retries: u64,
    /// Whether repetition did not help.
    pub gave_up: bool,
    /// Not one error.
    pub clean: bool,
    /// The same for people.
    #[serde(skip)]
    pub(super) text: String,
}

impl ContactRecord {
    /// All trials of a check.
    pub fn new(contact: &Contact) -> Vec<Self> {
        let of = |trial: &Trial| ContactRecord {
            speed_khz: trial.khz,
            bytes: trial.words * 4,
            wrong_words: trial.wrong_words,
            retries: trial.retries,
            gave_up: trial.gave_up,
            clean: trial.is_clean(),
            text: trial.to_string(),
        };
        contact.trials().iter().map(of).collect()
    }
}

/// The contact does not stand the default clock, and a slower one is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ContactWarning {
    /// The default in kHz.
    pub asked_khz: u32,
    /// What is used instead, in kHz.
    pub used_khz: u32,
}

impl fmt::Display for ContactWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ContactWarning {
            asked_khz,
            used_khz,
        } = self;
        write!(
            f,
            "the contact to the board is not clean at {asked_khz} kHz, so {used_khz} kHz is used; a shorter cable with a \
             ground wire beside SWCLK helps [contact-slow]"
        )
    }
}
