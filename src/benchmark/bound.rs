//! What link and flash need for the bytes of a job if nothing else took any time.

use std::time::Duration;

use virtual_board::nor::{Part, PartError, TimingProfile};
use virtual_board::probe::{Interface, Profile};

use super::{Before, Case};
use crate::target::{FlashPart, Target};

/// Clocks of one word written over SWD: 46, and two idle ones (ADIv5 SWD protocol; probe-rs 0.32.0).
const CLOCKS_PER_WORD: u64 = 48;
/// Bytes of a round trip of a J-Link: what fits the 65,535 bits of its transaction, whole KiB.
const BYTES_PER_ROUND_TRIP: u64 = 5 * 1024;
/// Bytes of a CMSIS-DAP packet before its first word: DAP_TransferBlock's command, index, count and request (CMSIS-DAP
/// documentation).
const PACKET_HEADER_BYTES: u64 = 5;
/// Clocks on the flash's wires for one page program: 06h; opcode and address on one line; 256 bytes on four.
const PROGRAM_CLOCKS: u64 = 8 + 8 + 24 + 2 * 256;
/// Clocks for reading a page back on four lines, its share of the command not counted.
const READ_CLOCKS: u64 = 2 * 256;
/// Bytes of the largest erase unit that leaves others alone.
const BLOCK: u32 = 0x1_0000;

/// The times of a flash part under one timing profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FlashTimes {
    block: Duration,
    sector: Duration,
    chip: Duration,
    page: Duration,
}

impl FlashTimes {
    fn new(part: &Part, timing: TimingProfile) -> Self {
        let unit = |size: u32| {
            let unit = part.erases.iter().find(|unit| unit.size_bytes == size);
            unit.map_or(Duration::ZERO, |unit| unit.duration.under(timing).into())
        };
        FlashTimes {
            block: unit(BLOCK),
            sector: unit(FlashPart::SECTOR_BYTES),
            chip: part.chip_erase.duration.under(timing).into(),
            page: part.page_program.duration.under(timing).into(),
        }
    }
}

/// The bound of one case: the longer of link and flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// SWD clocks.
    pub clocks: Duration,
    /// Round trips of the probe.
    pub round_trips: Duration,
    /// Erases, that of the FCB's sector included.
    pub erase: Duration,
    /// Page programs, without their wires.
    pub program: Duration,
    /// Wires of programs and read-back.
    pub wires: Duration,
}

impl Bound {
    /// The bound of flashing `pages` pages that are not blank.
    ///
    /// # Errors
    /// A part that the virtual board does not have.
    pub fn new(case: &Case, pages: u64, target: &Target) -> Result<Self, PartError> {
        let part = Part::builtin(&target.flash().name.to_ascii_lowercase())?;
        let times = FlashTimes::new(&part, case.timing);
        let hz = part.max_hz.min(target.board().max_hz.into());
        let bytes = pages * u64::from(part.page_bytes);
        let count =
            |n: u64, each: Duration| each.saturating_mul(u32::try_from(n).unwrap_or(u32::MAX));
        let by_units = Bound {
            clocks: cycles(
                bytes / 4 * CLOCKS_PER_WORD,
                u64::from(case.speed_khz.min(case.probe.max_khz)) * 1000,
            ),
            round_trips: round_trips(&case.probe, bytes),
            erase: erase_by_units(case, &times),
            program: count(pages, times.page),
            wires: cycles(pages * (PROGRAM_CLOCKS + READ_CLOCKS), hz),
        };
        // A chip erase lets no transfer overlap: it counts only where it makes the whole shorter all the same.
        let at_once = Bound {
            erase: times.sector + times.chip,
            ..by_units
        };
        let in_a_row = at_once.erase + at_once.link().max(at_once.program + at_once.wires);
        let may_erase_all = case.before == Before::Other && case.bytes == part.size_bytes;
        Ok(if may_erase_all && in_a_row < by_units.longest() {
            at_once
        } else {
            by_units
        })
    }

    /// What the link needs.
    pub fn link(&self) -> Duration {
        self.clocks + self.round_trips
    }

    /// What the flash needs.
    pub fn flash(&self) -> Duration {
        self.erase + self.program + self.wires
    }

    /// The longer of the two.
    pub fn longest(&self) -> Duration {
        self.link().max(self.flash())
    }
}

fn cycles(n: u64, hz: u64) -> Duration {
    Duration::from_secs_f64(n as f64 / hz.max(1) as f64)
}

fn round_trips(probe: &Profile, bytes: u64) -> Duration {
    let bytes_per_trip = match probe.interface {
        Interface::RawBits { .. } => BYTES_PER_ROUND_TRIP,
        Interface::CmsisDap(packets) => {
            (packets.bytes as u64).saturating_sub(PACKET_HEADER_BYTES) / 4 * 4
        }
    };
    let trips = bytes.div_ceil(bytes_per_trip.max(1));
    probe
        .round_trip
        .saturating_mul(u32::try_from(trips).unwrap_or(u32::MAX))
}

fn erase_by_units(case: &Case, times: &FlashTimes) -> Duration {
    match case.before {
        Before::Blank | Before::Same => Duration::ZERO,
        // the sector, and the one of the FCB
        Before::OneSector => times.sector * 2,
        Before::Other => times.sector + times.block * case.bytes.div_ceil(BLOCK),
    }
}
