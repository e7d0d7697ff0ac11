//! The pins between the controller and the flash for one sequence: what is connected, and how well reads are sampled.

use super::instruction::{Instruction, Kind};
use super::registers::mcr0;
use super::{Faults, Pads, Ports};
use crate::nor::Lines;

/// Highest serial clock with the internal read strobe, RXCLKSRC = 0 (i.MX RT1060 data sheet, FlexSPI SDR timing).
const INTERNAL_STROBE_MAX_HZ: u64 = 60_000_000;
/// Highest serial clock with the strobe looped back from the DQS pad, RXCLKSRC = 1 (same table).
const LOOPBACK_STROBE_MAX_HZ: u64 = 133_000_000;
/// What badly sampled bytes differ by: any fixed pattern serves, as long as the data are wrong.
const MISSAMPLED: u8 = 0xA5;

/// The chip select an address belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chip {
    /// The flash of this board.
    A1,
    /// A2, B1 or B2: nothing is soldered there.
    Elsewhere,
}

/// The pins during one sequence.
#[derive(Clone, Copy, Debug)]
pub struct Wires {
    live: bool,
    missing: u8,
    missampled: bool,
    /// Lines that do not move, by level.
    stuck_high: u8,
    stuck_low: u8,
}

impl Wires {
    /// Pins nobody looks at.
    pub const NONE: Wires = Wires {
        live: false,
        missing: 0,
        missampled: false,
        stuck_high: 0,
        stuck_low: 0,
    };

    /// Looks at pads, clock and sampling for a sequence, and complains once about each problem.
    pub fn connect(
        instructions: &[Instruction],
        mcr0: u32,
        chip: Chip,
        ports: &mut Ports<'_>,
    ) -> Wires {
        let Pads {
            ss0,
            sclk,
            data,
            dqs,
        } = ports.pads;
        let missing = data
            .iter()
            .enumerate()
            .fold(0, |mask, (line, muxed)| mask | u8::from(!muxed) << line);
        let mut complaints: Vec<String> = Vec::new();
        if chip == Chip::Elsewhere {
            complaints.push("the address belongs to a chip select with no flash".into());
        }
        if !ss0 || !sclk {
            complaints.push("SS0 or SCLK is not muxed to FlexSPI A: the flash sees nothing".into());
        }
        let needed = instructions
            .iter()
            .fold(0, |mask, instruction| mask | lines_needed(instruction));
        if missing & needed != 0 {
            complaints.push(format!(
                "data lines with mask {:#x} are needed and not muxed",
                missing & needed
            ));
        }
        if instructions
            .iter()
            .any(|instruction| instruction.lines.is_none())
        {
            complaints.push("eight lines are not modelled".into());
        }
        let sampling = sampling_problem(mcr0, dqs, ports.serial_root_hz);
        let reads = instructions
            .iter()
            .any(|instruction| instruction.kind == Kind::Read);
        let missampled = sampling.is_some();
        if reads {
            complaints.extend(sampling);
        }
        for text in complaints {
            ports.trace.violation(ports.now, "flexspi", text);
        }
        Wires {
            live: chip == Chip::A1 && ss0 && sclk,
            missing,
            missampled,
            ..Wires::NONE
        }
    }

    /// The same wires with these faults.
    pub fn bent(self, faults: &Faults) -> Wires {
        let (stuck_high, stuck_low) = match faults.stuck_lines {
            Some((mask, true)) => (mask, 0),
            Some((mask, false)) => (0, mask),
            None => (0, 0),
        };
        Wires {
            stuck_high,
            stuck_low,
            ..self
        }
    }

    /// Whether a line does not move.
    pub fn are_bent(&self) -> bool {
        self.stuck_high | self.stuck_low != 0
    }

    /// CS# falls.
    pub fn select(&self, ports: &mut Ports<'_>, at: crate::time::Time, sck_hz: u64) {
        if self.live {
            ports.nor.select(at, sck_hz, ports.trace);
        }
    }

    /// CS# rises.
    pub fn deselect(&self, ports: &mut Ports<'_>, at: crate::time::Time) {
        if self.live {
            ports.nor.deselect(at, ports.trace);
        }
    }

    /// Drives the top `bits` of `byte`.
    pub fn drive(&self, ports: &mut Ports<'_>, byte: u8, bits: u32, lines: Lines, ddr: bool) {
        if !self.live {
            return;
        }
        let byte = byte | spread(self.missing | self.stuck_high, lines);
        let byte = byte & !spread(self.stuck_low, lines);
        if bits == 8 {
            ports.nor.shift_out(byte, lines, ddr, ports.trace);
        } else {
            ports
                .nor
                .shift_out_bits(byte, bits, lines, ddr, ports.trace);
        }
    }

    /// Takes one byte.
    pub fn take(&self, ports: &mut Ports<'_>, lines: Lines, ddr: bool) -> u8 {
        let byte = if self.live {
            ports.nor.shift_in(lines, ddr, ports.trace)
        } else {
            0xFF
        };
        // the flash answers on IO1 where it has one line
        let seen = |mask: u8| mask >> u8::from(lines == Lines::One);
        let byte = byte | spread(seen(self.missing | self.stuck_high), lines);
        let byte = byte & !spread(seen(self.stuck_low), lines);
        if self.missampled {
            byte ^ MISSAMPLED
        } else {
            byte
        }
    }

    /// Takes as many bytes as there is room for.
    pub fn take_all(&self, ports: &mut Ports<'_>, lines: Lines, ddr: bool, out: &mut [u8]) {
        let plain = self.live && !self.missampled;
        if plain && (self.missing | self.stuck_high | self.stuck_low) == 0 {
            return ports.nor.shift_in_all(lines, ddr, ports.trace, out);
        }
        for byte in out {
            *byte = self.take(ports, lines, ddr);
        }
    }

    /// Clocks without anybody driving.
    pub fn idle(&self, ports: &mut Ports<'_>, clocks: u32, ddr: bool) {
        if self.live {
            ports.nor.dummy(clocks, ddr, ports.trace);
        }
    }
}

fn lines_needed(instruction: &Instruction) -> u8 {
    match (instruction.kind, instruction.lines) {
        (Kind::Dummy | Kind::DummyRwds, _) => 0,
        (Kind::Read, Some(Lines::One)) => 0b0010,
        (_, Some(Lines::One)) => 0b0001,
        (_, Some(Lines::Two)) => 0b0011,
        (_, Some(Lines::Four) | None) => 0b1111,
    }
}

fn sampling_problem(mcr0: u32, dqs_muxed: bool, hz: u64) -> Option<String> {
    match (mcr0 & mcr0::RXCLKSRC_MASK) >> mcr0::RXCLKSRC_SHIFT {
        0 if hz > INTERNAL_STROBE_MAX_HZ => Some(format!(
            "RXCLKSRC = 0 at {hz} Hz: reads are only sampled well up to 60 MHz"
        )),
        0 => None,
        1 if !dqs_muxed => Some("RXCLKSRC = 1 needs the DQS pad, which is not muxed".into()),
        1 if hz > LOOPBACK_STROBE_MAX_HZ => {
            Some(format!("RXCLKSRC = 1 at {hz} Hz: the limit is 133 MHz"))
        }
        1 => None,
        // Loopback from the SCK pad, which the RT1060's manual does not list: NuttX's boards read with it at 60 MHz.
        2 if hz <= INTERNAL_STROBE_MAX_HZ => None,
        2 => Some(format!(
            "RXCLKSRC = 2 at {hz} Hz: not settled, known to work at 60 MHz only"
        )),
        other => Some(format!(
            "RXCLKSRC = {other}: this flash gives no read strobe"
        )),
    }
}

/// The bits of a byte that travel on the lines of `mask`.
fn spread(mask: u8, lines: Lines) -> u8 {
    match lines {
        Lines::One => 0xFF * (mask & 1),
        Lines::Two => 0x55 * (mask & 0b11),
        Lines::Four => 0x11 * (mask & 0xF),
    }
}
