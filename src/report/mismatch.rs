//! Where and how board and image differ, in the record of one unit.

use serde::Serialize;

use super::RangeRecord;
use crate::target::Target;
use crate::verify::Difference;

/// The first differing byte, and how much differs in all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MismatchRecord {
    /// Bus address.
    pub address: String,
    /// 4 KiB sector, counted from 0.
    pub sector: u32,
    /// What the image has there.
    pub expected: u8,
    /// What the board holds.
    pub found: u8,
    /// File and line of that byte, or what inserted it.
    pub origin: String,
    /// How many sectors differ.
    pub sectors: u32,
    /// How many sectors were compared.
    pub sectors_compared: u32,
    /// The first differing ranges.
    pub ranges: Vec<RangeRecord>,
    /// How many further ranges there are.
    pub more_ranges: u32,
    /// What the differing bytes have in common, in words.
    pub looks: String,
}

impl MismatchRecord {
    /// The record of a difference whose first byte came from `origin`.
    pub fn new(difference: &Difference, origin: String, target: &Target) -> Self {
        let first = &difference.first;
        let address = target.address_of(first.offset);
        let ranges = difference.ranges.iter();
        MismatchRecord {
            address: address.map_or_else(|| first.offset.to_string(), |at| at.to_string()),
            sector: first.sector(),
            expected: first.expected,
            found: first.found,
            origin,
            sectors: difference.sectors,
            sectors_compared: difference.sectors_compared,
            ranges: ranges
                .map(|(offset, length)| RangeRecord::new(*offset, *length, target))
                .collect(),
            more_ranges: difference.more_ranges,
            looks: difference.look.to_string(),
        }
    }

    /// How much differs, and how it looks.
    pub fn summary(&self) -> String {
        format!(
            "{} of {} sectors differ; {}",
            self.sectors, self.sectors_compared, self.looks
        )
    }

    /// The same for people.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "at {} (sector {}): expected 0x{:02X} ({}), found 0x{:02X}",
            self.address, self.sector, self.expected, self.origin, self.found
        )];
        lines.push(self.summary());
        let of = |range: &RangeRecord| format!("{} bytes from {}", range.length_bytes, range.start);
        lines.extend(self.ranges.iter().map(of));
        if self.more_ranges > 0 {
            lines.push(format!("and {} further ranges", self.more_ranges));
        }
        lines
    }
}
