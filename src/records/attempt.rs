//! One attempt on one unit, as it is begun, as it claims its unit, and as it ends.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Number of an attempt, unique in its ledger; later attempts have larger ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct AttemptId(pub i64);

/// What is known when a board is seated and the attempt begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Begin {
    /// Label of the station, unique among those that share a ledger.
    pub station: String,
    /// Label of the site.
    pub site: String,
    /// Who operates the station, where stated.
    pub operator: Option<String>,
    /// The probe as `VID:PID:serial`.
    pub probe: String,
    /// Name of the job: attempts, quota and retry limit count by it.
    pub job: String,
    /// SHA-256 of the job file, in hex.
    pub job_sha256: String,
    /// SHA-256 of each image file of the job, in hex.
    pub images_sha256: Vec<String>,
    /// Version of rtflash.
    pub tool_version: String,
    /// The scanned code, where the job asks for one.
    pub barcode: Option<String>,
    /// When the board was seated, by the station's clock.
    #[cfg_attr(test, schemars(with = "String"))]
    pub begun_at: Timestamp,
    /// Whether the board is a virtual one: a rehearsal.
    pub rehearsal: bool,
}

/// What happens to a unit that has already passed the job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum PassedBefore {
    /// It is refused, and the verdict names its serial number.
    #[default]
    Refuse,
    /// It is flashed again, with the numbers that it has.
    FlashAgain,
}

/// What happens to a reserved number whose attempt failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum SeriesPolicy {
    /// It stays the unit's: the next attempt on the same chip gets it again.
    #[default]
    Keep,
    /// It is never used again, by no unit; the next attempt on the same chip gets a new one.
    Void,
}

/// A claim on a number of a series: serial numbers, MAC addresses, rows of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesClaim {
    /// Name of the series; the same in every job that draws on it.
    pub series: String,
    /// First number.
    pub first: u64,
    /// Last number that may be handed out.
    pub last: u64,
    /// Distance from one number to the next, at least 1.
    pub step: u64,
    /// What becomes of the number after a failure.
    pub on_failure: SeriesPolicy,
}

/// What an attempt claims once its unit is known, in one transaction and before anything on the board is changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitClaim {
    /// The chip's unique ID, 16 hex digits.
    pub uid: String,
    /// Attempts that failed, since the unit last passed, after which it must go to rework; none where it is not limited.
    /// Interrupted, refused and cancelled ones are not the unit's fault and do not count.
    pub retry_limit: Option<u32>,
    /// Units that may pass the job, all stations of the ledger together.
    pub quota: Option<u64>,
    /// What happens to a unit that has passed.
    pub passed_before: PassedBefore,
    /// Numbers that the unit needs.
    pub series: Vec<SeriesClaim>,
    /// When, by the station's clock: the date that a serial number shows.
    pub claimed_at: Timestamp,
}

/// A number that belongs to the unit until the attempt ends, and afterwards if it passes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Reserved {
    /// The series.
    pub series: String,
    /// The number.
    pub number: u64,
    /// When it was first reserved for this unit: a unit in rework keeps the date of its serial number.
    #[cfg_attr(test, schemars(with = "String"))]
    pub reserved_at: Timestamp,
    /// Whether the unit had it from an earlier attempt.
    pub kept: bool,
}

/// The ledger's answer to a [`UnitClaim`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The unit may be flashed.
    Granted {
        /// One for each series that was claimed, in that order.
        reserved: Vec<Reserved>,
        /// The how-manieth attempt of this job on this unit it is, from 1.
        attempt_of_unit: u32,
    },
    /// It may not.
    Refused(ClaimRefused),
}

/// Why a unit must not be flashed now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimRefused {
    /// It has passed this job.
    PassedBefore {
        /// Its serial number, where it has one.
        serial: Option<String>,
        /// When.
        at: Timestamp,
    },
    /// Too many attempts did not pass.
    RetryLimit {
        /// Attempts that did not pass.
        attempts: u32,
        /// The job's limit.
        limit: u32,
    },
    /// The job's quota is used up, or would be if the attempts under way pass.
    Quota {
        /// The job's quota.
        quota: u64,
    },
    /// Another attempt on the same chip is under way.
    InWork {
        /// The other attempt.
        attempt: AttemptId,
        /// Its station.
        station: String,
        /// Its site.
        site: String,
    },
    /// The scanned code belongs to another chip.
    BarcodeUsed {
        /// The chip that it belongs to.
        uid: String,
    },
    /// A series has no number left.
    SeriesExhausted {
        /// The series.
        series: String,
        /// Its last number.
        last: u64,
    },
}

/// How an attempt ended, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum VerdictKind {
    /// Verified, and booted unless the job does without; on record.
    Pass,
    /// The board, the contact or the boot failed.
    Fail,
    /// The unit must not be flashed now: passed before, retry limit, quota, wrong board.
    Refused,
    /// The operator ended it.
    Cancelled,
    /// The station ended before the attempt did; found when it was started again.
    Interrupted,
}

impl VerdictKind {
    /// Every one.
    pub const ALL: [VerdictKind; 5] = [
        VerdictKind::Pass,
        VerdictKind::Fail,
        VerdictKind::Refused,
        VerdictKind::Cancelled,
        VerdictKind::Interrupted,
    ];

    /// As it is stored and printed.
    pub const fn name(self) -> &'static str {
        match self {
            VerdictKind::Pass => "pass",
            VerdictKind::Fail => "fail",
            VerdictKind::Refused => "refused",
            VerdictKind::Cancelled => "cancelled",
            VerdictKind::Interrupted => "interrupted",
        }
    }
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct End {
    /// In one word.
    pub verdict: VerdictKind,
    /// Exit code that `rtflash flash` would have ended with.
    pub exit: u8,
    /// Stable code of what went wrong; none for PASS.
    pub code: Option<String>,
    /// The verdict in words.
    pub text: String,
    /// The chip's unique ID, where it was read.
    pub uid: Option<String>,
    /// The unit's serial number as text, where the job gives one.
    pub serial: Option<String>,
    /// SHA-256 of the flash from its first byte to the end of the image as written, per-unit data included, in hex.
    pub flash_sha256: Option<String>,
    /// Seconds of each phase, in their order, by the board's clock.
    pub phases: Vec<(String, f64)>,
    /// What was done again during the attempt.
    pub retries: u32,
    /// The whole record of the job, as `rtflash flash --json` prints it.
    pub record: serde_json::Value,
    /// When, by the station's clock.
    #[cfg_attr(test, schemars(with = "String"))]
    pub ended_at: Timestamp,
}

/// How the hook that got the record ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HookResult {
    /// The command.
    pub command: String,
    /// Its exit status; none where it was not started, or killed.
    pub status: Option<i32>,
    /// What went wrong; none for status 0.
    pub error: Option<String>,
    /// When it ended, by the station's clock.
    #[cfg_attr(test, schemars(with = "String"))]
    pub ended_at: Timestamp,
}

/// The unit of an attempt, from when it was known and granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Claimed {
    /// The chip's unique ID, 16 hex digits.
    pub uid: String,
    /// The how-manieth attempt of the job on this unit, from 1.
    pub attempt_of_unit: u32,
    /// When, by the station's clock.
    #[cfg_attr(test, schemars(with = "String"))]
    pub claimed_at: Timestamp,
}

/// One attempt as the ledger has it: the row of its begin and, where it has ended, that of its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Attempt {
    /// Its number.
    pub id: AttemptId,
    /// How it began.
    pub begin: Begin,
    /// Its unit; none where the attempt ended before, or the unit was refused.
    pub claimed: Option<Claimed>,
    /// The numbers it claimed.
    pub reserved: Vec<Reserved>,
    /// How it ended; none while it is under way, or where its station was killed and not started again.
    pub end: Option<End>,
    /// The journal's line that tells the end.
    pub journal: Option<super::JournalMark>,
    /// The hook's results.
    pub hooks: Vec<HookResult>,
    /// What in its rows does not agree with itself: somebody else has written there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub damage: Option<String>,
}
