//! What is measured: the job, the way it is done, and the board it is done on.

use std::fmt;

use virtual_board::nor::TimingProfile;
use virtual_board::probe::{JLINK, Profile};
use virtual_board::rom::api::RomErase;

/// What the flash holds before the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// Nothing.
    Blank,
    /// Other data everywhere.
    Other,
    /// The image already.
    Same,
    /// The image, but for one sector in its middle.
    OneSector,
}

impl fmt::Display for Before {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Before::Blank => "blank",
            Before::Other => "other data",
            Before::Same => "the same",
            Before::OneSector => "one sector differs",
        })
    }
}

/// The job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Flash, verify, reset, see it boot.
    Flash,
    /// Compare.
    Verify,
    /// Take over, load, identify, leave, reset, see it boot: what every session costs.
    Session,
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Work::Flash => "flash",
            Work::Verify => "verify",
            Work::Session => "session",
        })
    }
}

/// Who does the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The streaming loader, memory accesses joined where the probe takes raw SWD.
    Ours,
    /// The streaming loader over probe-rs's own accesses.
    Plain,
    /// Our algorithm by its CMSIS entry points, through probe-rs's flash loader.
    EntryPoints,
    /// The algorithm that probe-rs ships, through probe-rs's flash loader; it calls the boot ROM's flash driver.
    Stock(RomErase),
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Way::Ours => "rtflash",
            Way::Plain => "rtflash, accesses not joined",
            Way::EntryPoints => "our algorithm, probe-rs's loader",
            Way::Stock(RomErase::AsPublished) => "stock algorithm, probe-rs's loader",
            Way::Stock(RomErase::Sound) => "the same, were the ROM's erase sound",
        })
    }
}

/// What a figure must reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Must {
    /// Data phase at most so many times the bound.
    OfBound(f64),
    /// The whole command in at most so many seconds.
    Seconds(f64),
}

impl fmt::Display for Must {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Must::OfBound(ratio) => write!(f, "data <= {ratio:.2} x bound"),
            Must::Seconds(seconds) => write!(f, "whole <= {seconds:.1} s"),
        }
    }
}

/// One row of the table.
#[derive(Clone, Debug)]
pub struct Case {
    /// The job.
    pub work: Work,
    /// Who does it.
    pub way: Way,
    /// Bytes of the flash from its start that the image takes, boot header included.
    pub bytes: u32,
    /// What the flash holds before.
    pub before: Before,
    /// SWCLK in kHz.
    pub speed_khz: u32,
    /// The probe.
    pub probe: Profile,
    /// How fast the flash is within its data sheet.
    pub timing: TimingProfile,
    /// Divides the core clock.
    pub core_divider: u64,
    /// What it must reach, if anything.
    pub must: Option<Must>,
}

impl Case {
    /// Whether the other case does the same job on the same board, perhaps another way.
    pub fn is_same_job(&self, other: &Case) -> bool {
        let board = |case: &Case| (case.speed_khz, case.timing, case.core_divider);
        (self.work, self.bytes, self.before) == (other.work, other.bytes, other.before)
            && board(self) == board(other)
            && self.probe == other.probe
    }

    /// Who does it, and what differs from a J-Link, a typical flash and the usual core clock.
    pub fn conditions(&self) -> String {
        let mut text = self.way.to_string();
        if self.probe != JLINK {
            text += &format!(
                ", {} {} us",
                self.probe.name,
                self.probe.round_trip.as_micros()
            );
        }
        match self.timing {
            TimingProfile::Typ => {}
            TimingProfile::Slow => text += ", slow flash",
            TimingProfile::Max => text += ", slowest flash",
        }
        if self.core_divider != 1 {
            text += &format!(", core clock / {}", self.core_divider);
        }
        text
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} KiB, flash before: {}, {:.1} MHz, {}",
            self.work,
            self.bytes / 1024,
            self.before,
            f64::from(self.speed_khz) / 1000.0,
            self.conditions()
        )
    }
}
