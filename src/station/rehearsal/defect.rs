//! What may be wrong with a virtual board, or with how it is handled.

use std::fmt;

use serde::Deserialize;

/// One thing that is wrong, or nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Defect {
    /// A sound board with a blank flash.
    Good,
    /// A sound board that holds other bytes where the image belongs: rework.
    OlderContent,
    /// The same, and bytes of others beside the image, in a sector that must be erased.
    ForeignContent,
    /// A sound board that is put in again after its verdict.
    InsertedAgain,
    /// The flash has a bit in the image's place that stays 1.
    StuckBit,
    /// The flash has a bit in the image's place that stays 0 when it is erased.
    WeakErase,
    /// The flash has a bit in the image's place that reads wrong every other time.
    FlakyBit,
    /// Another flash part than the job's is fitted.
    WrongPart,
    /// Another chip of the family is fitted.
    WrongChip,
    /// BOOT_MODE is strapped to the serial downloader.
    SerialDownloader,
    /// The chip's debug port is closed by a fuse.
    PortClosed,
    /// The board gets no power.
    NoPower,
    /// SWDIO or SWCLK has no contact.
    NoContact,
    /// The contact is good for slow SWD clocks only.
    PoorContact,
    /// The contact of the SWD pins is lost in mid-job; put in again, it is good.
    ContactLost,
    /// The probe's cable is pulled in mid-job and plugged in again; then the board is put in again.
    ProbePulled,
    /// The board's power fails in mid-write; put in again, it has power.
    PowerLost,
}

impl Defect {
    /// All of them.
    pub const ALL: [Defect; 17] = [
        Defect::Good,
        Defect::OlderContent,
        Defect::ForeignContent,
        Defect::InsertedAgain,
        Defect::StuckBit,
        Defect::WeakErase,
        Defect::FlakyBit,
        Defect::WrongPart,
        Defect::WrongChip,
        Defect::SerialDownloader,
        Defect::PortClosed,
        Defect::NoPower,
        Defect::NoContact,
        Defect::PoorContact,
        Defect::ContactLost,
        Defect::ProbePulled,
        Defect::PowerLost,
    ];

    /// As scripts and tables name it.
    pub const fn name(self) -> &'static str {
        match self {
            Defect::Good => "good",
            Defect::OlderContent => "older-content",
            Defect::ForeignContent => "foreign-content",
            Defect::InsertedAgain => "inserted-again",
            Defect::StuckBit => "stuck-bit",
            Defect::WeakErase => "weak-erase",
            Defect::FlakyBit => "flaky-bit",
            Defect::WrongPart => "wrong-part",
            Defect::WrongChip => "wrong-chip",
            Defect::SerialDownloader => "serial-downloader",
            Defect::PortClosed => "port-closed",
            Defect::NoPower => "no-power",
            Defect::NoContact => "no-contact",
            Defect::PoorContact => "poor-contact",
            Defect::ContactLost => "contact-lost",
            Defect::ProbePulled => "probe-pulled",
            Defect::PowerLost => "power-lost",
        }
    }

    /// How often the operator of a random rehearsal puts such a board in: what befalls it once is tried again.
    pub const fn insertions(self) -> u32 {
        match self {
            Defect::InsertedAgain
            | Defect::PoorContact
            | Defect::ContactLost
            | Defect::ProbePulled
            | Defect::PowerLost => 2,
            _ => 1,
        }
    }

    /// Whether it strikes in the first attempt only.
    pub const fn strikes_once(self) -> bool {
        matches!(
            self,
            Defect::ContactLost | Defect::ProbePulled | Defect::PowerLost
        )
    }

    /// Whether the flash holds other bytes in the image's place before.
    pub const fn has_older_content(self) -> bool {
        matches!(
            self,
            Defect::OlderContent | Defect::ForeignContent | Defect::WeakErase
        )
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_name_defects_as_tables_do() {
        #[derive(Deserialize)]
        struct Line {
            defect: Defect,
        }
        for defect in Defect::ALL {
            let line: Line = toml::from_str(&format!("defect = \"{defect}\"")).expect("known");
            assert_eq!(line.defect, defect);
        }
    }
}
