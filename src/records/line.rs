//! One line of the journal: what it tells, where it stands, and the hash of the line before it.

use jiff::Timestamp;
use serde::de::Error;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{AttemptId, Begin, End, HookResult, JournalMark, Reserved};
use crate::report::hex;

/// Version of the lines; raised when a field changes its meaning or goes away.
pub const JOURNAL_VERSION: u32 = 1;

/// What stands for the hash of the line before the first one.
pub const NO_LINE_BEFORE: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Begins the last member of every line: the SHA-256 of the line's bytes before it, so that a change is found in the last
/// line too, which no other line follows.
const OWN_HASH: &str = ",\"own_sha256\":\"";

/// Ends every line.
const END: &str = "\"}";

/// A line of the journal. In the file it is one JSON object, followed by a line feed that no hash covers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Which line of the file it is, from 1. Torn lines count, so that every editor shows the same number.
    pub line: u64,
    /// SHA-256 of the last whole line before it, without its line feed, in hex; [`NO_LINE_BEFORE`] for the first.
    pub prev: String,
    /// When, by the station's clock.
    pub at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub told: Told,
}

/// What a line of the journal tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Told {
    /// The journal was created; always its first line, and only that.
    Opened {
        /// [`JOURNAL_VERSION`].
        journal_version: u32,
        /// Label of the station.
        station: String,
        /// Identity of the ledger that it belongs to.
        ledger: String,
        /// Whether its boards are virtual.
        rehearsal: bool,
    },
    /// A board was seated, and an attempt begins.
    Begun {
        /// Its number in the ledger.
        attempt: AttemptId,
        /// How.
        begin: Box<Begin>,
    },
    /// The unit is known, and its numbers are reserved; nothing on the board has been changed yet.
    Claimed {
        /// The attempt.
        attempt: AttemptId,
        /// The chip's unique ID, 16 hex digits.
        uid: String,
        /// The how-manieth attempt of the job on this unit, from 1.
        attempt_of_unit: u32,
        /// When, as the ledger has it.
        claimed_at: Timestamp,
        /// The numbers.
        reserved: Vec<Reserved>,
    },
    /// The attempt has ended. Written just before the ledger commits the same, so it holds unless it is withdrawn.
    Ended {
        /// The attempt.
        attempt: AttemptId,
        /// How.
        end: Box<End>,
    },
    /// The attempt was found without an end when the station started again.
    Interrupted {
        /// The attempt.
        attempt: AttemptId,
        /// How it is ended now.
        end: Box<End>,
    },
    /// A line that tells an end does not hold: the ledger did not commit it.
    Withdrawn {
        /// The attempt.
        attempt: AttemptId,
        /// Where the end was told.
        #[serde(rename = "of")]
        mark: JournalMark,
    },
    /// The connection was lost while the ledger was to commit an end, so the unit was called FAIL; whether the ledger has
    /// the end is found out later. Where it has not, `withdrawn` follows.
    Unsettled {
        /// The attempt.
        attempt: AttemptId,
        /// Where the end was told.
        #[serde(rename = "of")]
        mark: JournalMark,
    },
    /// The clock shows less than it did at the line before. The order of lines is that of the file, whatever the clock.
    ClockSteppedBack {
        /// What it had shown.
        was: Timestamp,
    },
    /// The hook has ended.
    Hook {
        /// The attempt.
        attempt: AttemptId,
        /// How.
        result: HookResult,
    },
    /// A line before this one is not whole: its writing was cut off. Its bytes stay where they are.
    Torn {
        /// Which line of the file.
        #[serde(rename = "torn_line")]
        torn: u64,
        /// Its length without the line feed that was put behind it.
        bytes: u64,
        /// SHA-256 of these bytes, in hex.
        sha256: String,
    },
}

impl Told {
    /// The attempt that it is about, where it is about one.
    pub fn attempt(&self) -> Option<AttemptId> {
        match self {
            Told::Begun { attempt, .. }
            | Told::Claimed { attempt, .. }
            | Told::Ended { attempt, .. }
            | Told::Interrupted { attempt, .. }
            | Told::Withdrawn { attempt, .. }
            | Told::Unsettled { attempt, .. }
            | Told::Hook { attempt, .. } => Some(*attempt),
            Told::Opened { .. } | Told::Torn { .. } | Told::ClockSteppedBack { .. } => None,
        }
    }
}

impl Line {
    /// The line as it stands in the file, without the line feed.
    ///
    /// # Errors
    /// A value that JSON has no words for.
    pub fn text(&self) -> serde_json::Result<String> {
        let object = serde_json::to_string(self)?;
        let body = object.strip_suffix('}').unwrap_or(&object);
        Ok(format!(
            "{body}{OWN_HASH}{}{END}",
            sha256_hex(body.as_bytes())
        ))
    }

    /// Reads a line of the file, without its line feed.
    ///
    /// # Errors
    /// Bytes that are no line of a journal.
    pub fn read(bytes: &[u8]) -> serde_json::Result<Line> {
        let line: Line = serde_json::from_slice(bytes)?;
        let text = std::str::from_utf8(bytes).map_err(Error::custom)?;
        let (body, own) = text
            .rsplit_once(OWN_HASH)
            .ok_or_else(|| Error::custom("it does not end with its own hash"))?;
        if own.strip_suffix(END) != Some(sha256_hex(body.as_bytes()).as_str()) {
            return Err(Error::custom("its own hash is not that of its bytes"));
        }
        Ok(line)
    }
}

/// SHA-256 of `bytes`, in hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}
