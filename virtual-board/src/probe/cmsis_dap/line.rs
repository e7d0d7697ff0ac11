//! The SWD line as the probe's firmware drives it: sequences, and transfers bit by bit.

use super::firmware::DebugPins;
use super::{ack, request};

/// 32 data bits and the parity bit.
const DATA_CLOCKS: u32 = 33;

/// How transfers are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Clocks of a turnaround, 1 to 4.
    pub(super) turnaround: u32,
    /// A data phase follows WAIT and FAULT too.
    pub(super) data_phase: bool,
    /// Clocks low after each transfer.
    pub(super) idle_cycles: u32,
    /// What the firmware drives on SWDIO.
    pub(super) driven: bool,
    /// SWDIO after the last clock's rising edge, where the firmware does not drive.
    level: bool,
}

impl Line {
    /// As after power-on.
    pub(super) fn new() -> Self {
        Line {
            turnaround: 1,
            data_phase: false,
            idle_cycles: 0,
            driven: true,
            level: true,
        }
    }

    pub(super) fn write(&mut self, bit: bool, pins: &mut dyn DebugPins) {
        self.driven = bit;
        self.level = pins.clock(Some(bit));
    }

    /// The firmware samples before the rising edge, so it sees what the target drives since the edge before.
    pub(super) fn read(&mut self, pins: &mut dyn DebugPins) -> bool {
        let level = self.level;
        self.level = pins.clock(None);
        level
    }

    fn release(&mut self, clocks: u32, pins: &mut dyn DebugPins) {
        for _ in 0..clocks {
            self.read(pins);
        }
    }

    /// One transfer of the register that the low four bits of `request` name, without a retry. Gives the
    /// acknowledgement and, of a read, the data.
    pub(super) fn transfer(
        &mut self,
        request: u8,
        data: u32,
        pins: &mut dyn DebugPins,
    ) -> (u8, u32) {
        let result = self.clock_transfer(request, data, pins);
        self.driven = true;
        result
    }

    fn clock_transfer(&mut self, request: u8, data: u32, pins: &mut dyn DebugPins) -> (u8, u32) {
        let fields = request & (request::AP | request::READ | request::A2 | request::A3);
        let parity = fields.count_ones() % 2 == 1;
        self.write(true, pins);
        for n in 0..4 {
            self.write(fields >> n & 1 == 1, pins);
        }
        for bit in [parity, false, true] {
            self.write(bit, pins);
        }
        self.release(self.turnaround, pins);
        let answer = (0..3).fold(0, |ack, n| ack | u8::from(self.read(pins)) << n);
        let read = fields & request::READ != 0;
        let result = match answer {
            ack::OK if read => self.read_data(pins),
            ack::OK => {
                self.release(self.turnaround, pins);
                self.write_data(data, pins);
                (ack::OK, 0)
            }
            ack::WAIT | ack::FAULT => {
                self.skip_data(read, pins);
                return (answer, 0);
            }
            _ => {
                // nobody answers: the clocks of a data phase, so that a target that counts on has an end
                self.release(self.turnaround + DATA_CLOCKS, pins);
                return (answer, 0);
            }
        };
        for _ in 0..self.idle_cycles {
            self.write(false, pins);
        }
        result
    }

    fn read_data(&mut self, pins: &mut dyn DebugPins) -> (u8, u32) {
        let value = (0..u32::BITS).fold(0, |value, n| value | u32::from(self.read(pins)) << n);
        let parity = self.read(pins);
        self.release(self.turnaround, pins);
        if parity == (value.count_ones() % 2 == 1) {
            (ack::OK, value)
        } else {
            (ack::PROTOCOL_ERROR, value)
        }
    }

    fn write_data(&mut self, data: u32, pins: &mut dyn DebugPins) {
        for n in 0..u32::BITS {
            self.write(data >> n & 1 == 1, pins);
        }
        self.write(data.count_ones() % 2 == 1, pins);
    }

    fn skip_data(&mut self, read: bool, pins: &mut dyn DebugPins) {
        if self.data_phase && read {
            self.release(DATA_CLOCKS, pins);
        }
        self.release(self.turnaround, pins);
        if self.data_phase && !read {
            for _ in 0..DATA_CLOCKS {
                self.write(false, pins);
            }
        }
    }
}
