//! What happens at a station, as it happens: one value, one line of output, one change of the operator's view.

use jiff::Timestamp;
use serde::Serialize;

use crate::records::{AttemptId, VerdictKind};

/// Version of the events; grows when a field changes its meaning or goes away, not when one is added.
pub const EVENT_VERSION: u32 = 1;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Event {
    /// [`EVENT_VERSION`].
    pub event_version: u32,
    /// When, by the station's clock; a virtual board's in a rehearsal.
    #[cfg_attr(test, schemars(with = "String"))]
    pub at: Timestamp,
    /// Label of the site; none for the station as a whole.
    pub site: Option<String>,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum What {
    /// The station is ready.
    StationStarted {
        /// Its label.
        station: String,
        /// The job's name.
        job: String,
        /// SHA-256 of the job file.
        job_sha256: String,
        /// Labels of the sites.
        sites: Vec<String>,
        /// Whether the boards are virtual.
        rehearsal: bool,
        /// Attempts of an earlier run that were found without an end and are interrupted now.
        interrupted: u32,
    },
    /// A site's probe does not answer, or is not connected.
    ProbeGone {
        /// Why.
        why: String,
    },
    /// It is there again.
    ProbeBack,
    /// A board was seated.
    BoardSeated,
    /// The board waits for the operator.
    Waiting {
        /// For what.
        needs: Needs,
    },
    /// A code was scanned for the next board of this site, or for the one that waits.
    Scanned {
        /// The code.
        barcode: String,
    },
    /// What was scanned or pressed has no use; nothing is done.
    NotTaken {
        /// Why.
        why: String,
    },
    /// An attempt begins.
    Begun {
        /// Its number in the ledger.
        attempt: AttemptId,
    },
    /// The unit is known, and its numbers are reserved.
    UnitKnown {
        /// The chip's unique ID.
        uid: String,
        /// The unit's serial number, where the job gives one.
        serial: Option<String>,
        /// The how-manieth attempt on it.
        attempt_of_unit: u32,
    },
    /// A stage of the job begins.
    Phase {
        /// Its name.
        phase: &'static str,
    },
    /// A stage is this far. For the operator's view only: not among the lines.
    Progress {
        /// Bytes done.
        done_bytes: u64,
        /// Bytes in all.
        total_bytes: u64,
    },
    /// The attempt has ended and is on record, or `code` says that it is not.
    Verdict(Box<UnitVerdict>),
    /// The hook did not end well.
    HookFailed {
        /// The attempt.
        attempt: Option<AttemptId>,
        /// Why.
        why: String,
    },
    /// The operator has seen the verdict.
    Acknowledged,
    /// The board was taken out.
    BoardRemoved,
    /// The site does nothing more until the station is started again: a fault of this program.
    OutOfService {
        /// What it died of.
        why: String,
    },
    /// The job's quota is used up: no further unit will be flashed.
    QuotaReached,
    /// The station has ended.
    StationEnded {
        /// Attempts that passed.
        passed: u32,
        /// Attempts that did not.
        not_passed: u32,
    },
}

impl What {
    /// Whether it ends an era of its site: what was asked for before it was told is not meant for what comes after it.
    pub fn ends_era(&self) -> bool {
        matches!(
            self,
            What::Verdict(_) | What::BoardRemoved | What::ProbeGone { .. }
        )
    }
}

/// What a seated board waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Needs {
    /// The site's key.
    Key,
    /// A scanned code.
    Barcode,
}

/// How an attempt ended, as operators and scripts see it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct UnitVerdict {
    /// Its number in the ledger; none where not even its begin could be put on record.
    pub attempt: Option<AttemptId>,
    /// In one word.
    pub verdict: VerdictKind,
    /// Exit code that `rtflash flash` would have ended with.
    pub exit: u8,
    /// Stable code of what went wrong.
    pub code: Option<String>,
    /// The verdict in words.
    pub text: String,
    /// What the operator shall do with the board.
    pub to_do: String,
    /// The chip's unique ID.
    pub uid: Option<String>,
    /// The unit's serial number.
    pub serial: Option<String>,
    /// From the begin of the attempt to its verdict, seconds by the site's clock.
    pub cycle_seconds: f64,
    /// Whether that is more than the job's budget.
    pub over_budget: bool,
    /// Of it, what the records took on this computer, waiting for other sites included: seconds of the wall clock, also in a
    /// rehearsal.
    pub records_seconds: f64,
}
