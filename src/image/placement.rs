//! How a file came to its addresses, where it does not say them itself.

use std::fmt;

use super::Landmark;
use crate::address::{Address, FlashOffset};

/// How a file came to its addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Placement {
    /// The file says them.
    #[default]
    OwnAddresses,
    /// A raw binary, put where the user said.
    Given {
        /// Where its first byte went.
        start: Address,
    },
    /// A raw binary, put where its content belongs.
    Recognised {
        /// Where its first byte went.
        start: Address,
        /// What showed it.
        landmark: Landmark,
    },
    /// No file: bytes of one unit.
    PerUnit {
        /// Where the first one went.
        start: Address,
    },
    /// A file with addresses from 0 on that is a picture of the flash.
    Rebased {
        /// Where its byte 0 went.
        start: Address,
        /// What showed it.
        landmark: Landmark,
        /// Where that was.
        found_at: FlashOffset,
    },
}

impl Placement {
    /// How far the file's own addresses were moved, in bytes.
    pub(super) const fn moved_up_by(&self) -> u32 {
        match self {
            Placement::Rebased { start, .. } => start.get(),
            _ => 0,
        }
    }

    /// What the user must know, if anything.
    pub fn note(&self) -> Option<String> {
        match self {
            Placement::OwnAddresses => None,
            placement => Some(placement.to_string()),
        }
    }
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Placement::OwnAddresses => write!(f, "at the file's own addresses"),
            Placement::Given { start } => write!(f, "placed at {start}, as asked for"),
            Placement::PerUnit { start } => write!(f, "at {start}, on this unit only"),
            Placement::Recognised { start, landmark } => {
                write!(f, "placed at {start}, where {landmark} as this one belongs")
            }
            Placement::Rebased {
                start,
                landmark,
                found_at,
            } => write!(
                f,
                "moved from {} to {start}: it is linked for 0 and holds {landmark} at {}, so it is a picture of the flash",
                Address::new(0),
                Address::new(found_at.get())
            ),
        }
    }
}
