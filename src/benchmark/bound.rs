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

#[cfg(test)]
mod tests {
    use virtual_board::probe::{CMSIS_DAP_V1, JLINK};

    use super::*;
    use crate::benchmark::{Way, Work};

    fn case(before: Before, bytes: u32, speed_khz: u32) -> Case {
        Case {
            work: Work::Flash,
            way: Way::Ours,
            bytes,
            before,
            speed_khz,
            probe: JLINK,
            timing: TimingProfile::Typ,
            core_divider: 1,
            must: None,
        }
    }

    fn bound(case: &Case) -> Bound {
        let target = Target::builtin("mimxrt1062", "is25wp064", "qspi").expect("target");
        Bound::new(case, u64::from(case.bytes / 256), &target).expect("bound")
    }

    fn milliseconds(span: Duration) -> u128 {
        span.as_millis()
    }

    #[test]
    fn the_parts_are_those_of_the_data_sheet_and_the_wire() {
        let bound = bound(&case(Before::Other, 1 << 20, 4_000));
        // 12 clocks a byte at 4 MHz; 205 round trips of 250 us
        assert_eq!(milliseconds(bound.clocks), 3145);
        assert_eq!(milliseconds(bound.round_trips), 51);
        // 16 blocks of 150 ms and the FCB's sector of 70 ms; 4096 pages of 0.2 ms; 1064 clocks of 80 MHz a page
        assert_eq!(milliseconds(bound.erase), 2470);
        assert_eq!(milliseconds(bound.program), 819);
        assert_eq!(milliseconds(bound.wires), 54);
        assert_eq!(bound.longest(), bound.flash());
    }

    #[test]
    fn a_chip_erase_counts_only_where_it_makes_the_whole_shorter() {
        let seconds = |speed| bound(&case(Before::Other, 8 << 20, speed)).erase.as_secs();
        assert_eq!(seconds(15_000), 16, "one chip erase");
        assert_eq!(seconds(4_000), 19, "128 blocks, beside which data flow");
    }

    #[test]
    fn a_blank_flash_is_bound_by_the_link_and_a_small_packet_makes_it_longer() {
        let jlink = case(Before::Blank, 1 << 20, 4_000);
        let hid = Case {
            probe: CMSIS_DAP_V1,
            ..jlink.clone()
        };
        assert_eq!(bound(&jlink).longest(), bound(&jlink).link());
        // 56 bytes in every 2 ms
        assert_eq!(bound(&hid).round_trips.as_secs(), 37);
    }
}
