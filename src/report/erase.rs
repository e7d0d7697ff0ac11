//! What `erase` did, in the record of one unit.

use serde::Serialize;

use super::RangeRecord;

/// What was to be erased, and what it took.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EraseRecord {
    /// The ranges, widened to whole sectors where that was asked for.
    pub ranges: Vec<RangeRecord>,
    /// Sectors that hold something and are erased.
    pub sectors_erased: u32,
    /// Sectors that needed no erase.
    pub sectors_left: u32,
    /// Erase commands.
    pub erase_commands: u32,
    /// Whether one of them is a chip erase.
    pub chip_erase: bool,
    /// Bytes of others in cut sectors, saved and restored.
    pub kept_bytes: u64,
    /// Whether block protection is taken away.
    pub removes_protection: bool,
    /// Typical time of the erases in seconds, by the data sheet.
    pub typical_seconds: f64,
    /// Their longest time in seconds, by the data sheet.
    pub longest_seconds: f64,
    /// Whether the FCB's tag is erased, so that the boot ROM finds nothing to boot; known once it was read.
    pub fcb_erased: bool,
    /// Whether every erased byte was found blank afterwards.
    pub found_blank: bool,
}

impl EraseRecord {
    /// The same for people, each with its label.
    pub(super) fn lines(&self) -> Vec<(&'static str, String)> {
        let ranges = self.ranges.iter();
        let mut lines: Vec<_> = ranges.map(|range| ("range", range.to_string())).collect();
        let mut text = format!(
            "{} erased by {} commands{}, {} left as they were",
            self.sectors_erased,
            self.erase_commands,
            if self.chip_erase {
                ", one of them a chip erase"
            } else {
                ""
            },
            self.sectors_left
        );
        if self.kept_bytes > 0 {
            text += &format!("; {} bytes of others kept", self.kept_bytes);
        }
        lines.push(("sectors", text));
        if self.removes_protection {
            lines.push(("status", "block protection taken away first".to_owned()));
        }
        lines
    }
}
