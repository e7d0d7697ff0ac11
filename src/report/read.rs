//! What `read` took from the flash, in the record of one unit.

use std::fmt;

use serde::Serialize;

use super::OutputRecord;
use crate::address::FlashOffset;
use crate::target::Target;

/// A range of the flash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RangeRecord {
    /// First bus address.
    pub start: String,
    /// Last bus address.
    pub last: String,
    /// The first byte, counted from the start of the flash part.
    pub flash_offset: u32,
    /// Length in bytes.
    pub length_bytes: u32,
}

impl RangeRecord {
    /// `length_bytes` from `offset`.
    pub fn new(offset: FlashOffset, length_bytes: u32, target: &Target) -> Self {
        let name = |offset: Option<FlashOffset>| {
            let address = offset.and_then(|offset| target.address_of(offset));
            address.map_or_else(
                || "outside the part".to_owned(),
                |address| address.to_string(),
            )
        };
        RangeRecord {
            start: name(Some(offset)),
            last: name(offset.checked_add(length_bytes.saturating_sub(1))),
            flash_offset: offset.get(),
            length_bytes,
        }
    }
}

impl fmt::Display for RangeRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RangeRecord {
            start,
            last,
            flash_offset,
            length_bytes,
        } = self;
        write!(
            f,
            "{start} to {last} (flash offset {}), {length_bytes} bytes",
            FlashOffset::new(*flash_offset)
        )
    }
}

/// What was read, and where it went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReadRecord {
    /// The range.
    pub range: RangeRecord,
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
    /// Sectors of it that are erased, of which only the target's word that they are crossed the link.
    pub erased_sectors: u32,
    /// Whether the file leaves them out.
    pub erased_left_out: bool,
    /// Sectors that had to be read again because their digest was not that of the bytes that arrived.
    pub sectors_repeated: u32,
    /// The file; none before it is whole, and none on standard output.
    pub output: Option<OutputRecord>,
}

impl ReadRecord {
    /// The same for people, each with its label.
    pub(super) fn lines(&self) -> Vec<(&'static str, String)> {
        let mut lines = vec![
            ("range", self.range.to_string()),
            ("sha256", format!("{} of these bytes", self.sha256)),
        ];
        if self.erased_sectors > 0 {
            let fate = if self.erased_left_out {
                ", left out of the file"
            } else {
                ""
            };
            lines.push(("erased", format!("{} sectors{fate}", self.erased_sectors)));
        }
        if let Some(output) = &self.output {
            let text = format!(
                "{} ({}), {} bytes, SHA-256 {}",
                output.path, output.format, output.size_bytes, output.sha256
            );
            lines.push(("output", text));
            if output.filled_bytes > 0 {
                let text = format!(
                    "{} bytes of it are FFh that was not read: the format has whole pages only",
                    output.filled_bytes
                );
                lines.push(("", text));
            }
        }
        lines
    }
}
