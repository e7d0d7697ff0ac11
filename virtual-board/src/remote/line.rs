//! SWDIO as the firmware drives it: bits out, bits in, with the turnaround that belongs to each change of direction.

use super::Pins;

/// The most bits of one sequence.
pub const MAX_BITS: u32 = 32;

/// Which way SWDIO was used last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    /// The probe drives.
    Out,
    /// The probe listens.
    In,
}

/// The probe's end of the wire.
#[derive(Debug)]
pub struct Line {
    direction: Direction,
    /// SWDIO since the last rising edge: what the next sample, taken before its own edge as ADIv5 draws it, shows.
    level: bool,
}

impl Line {
    /// A line that is not driven.
    pub fn new() -> Self {
        Line {
            direction: Direction::In,
            level: true,
        }
    }

    fn turn(&mut self, direction: Direction, pins: &mut dyn Pins) {
        if self.direction != direction {
            self.direction = direction;
            self.level = pins.clock(None);
        }
    }

    /// Drives `bits`, lowest first.
    pub fn write(&mut self, bits: u64, count: u32, pins: &mut dyn Pins) {
        self.turn(Direction::Out, pins);
        for bit in 0..count {
            self.level = pins.clock(Some((bits >> bit) & 1 == 1));
        }
    }

    /// Drives `count` bits and their even parity.
    pub fn write_with_parity(&mut self, bits: u32, count: u32, pins: &mut dyn Pins) {
        let bits = bits & mask(count);
        let parity = u64::from(bits.count_ones() % 2);
        self.write(u64::from(bits) | (parity << count), count + 1, pins);
    }

    /// Samples `count` bits, first one lowest.
    pub fn read(&mut self, count: u32, pins: &mut dyn Pins) -> u32 {
        self.turn(Direction::In, pins);
        (0..count).fold(0, |bits, bit| {
            let sample = u32::from(self.level);
            self.level = pins.clock(None);
            bits | (sample << bit)
        })
    }

    /// Samples `count` bits and their parity, and takes the line back. Whether the parity is right comes second.
    pub fn read_with_parity(&mut self, count: u32, pins: &mut dyn Pins) -> (u32, bool) {
        let bits = self.read(count, pins);
        let parity = self.read(1, pins);
        self.turn(Direction::Out, pins);
        (bits, parity == bits.count_ones() % 2)
    }
}

fn mask(count: u32) -> u32 {
    u32::MAX
        .checked_shr(u32::BITS.saturating_sub(count))
        .unwrap_or(0)
}
