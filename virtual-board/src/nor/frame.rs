//! One CS#-low period of a NOR chip: what arrives on the lines, clock by clock, and what the chip drives back.

use super::answer::{Refusal, garble};
use super::command::{self, Data, Source, opcode};
use super::{Lines, Margin, Nor};
use crate::time::Time;
use crate::trace::Trace;

/// All four lines high: nobody drives, or the controller parks them.
const LINES_HIGH: u8 = 0xF;
const BYTE_BITS: u32 = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Takes the opcode.
    Opcode,
    /// Takes this many more address bytes.
    Address(u8),
    /// Takes the mode byte.
    Mode,
    /// Lets this many clocks pass.
    Dummy(u32),
    /// Drives data.
    Out(Source),
    /// Takes data.
    In,
    /// The command is complete; a further byte spoils it.
    Complete,
    /// More bytes than the command has.
    Excess,
    /// Not understood, or refused: waits for CS# to rise.
    Ignore,
}

/// The state of one CS#-low period.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub start: Time,
    pub sck_hz: u64,
    pub clocks: u64,
    pub phase: Phase,
    /// Lines the chip uses in this phase.
    lines: Lines,
    /// Bits of the byte in hand, and how many; for [`Phase::Out`] those still to drive.
    shift: u8,
    bits: u32,
    pub opcode: u8,
    pub address: u32,
    /// Data bytes received.
    pub received: usize,
    /// The last page's worth of them, at their places in the page.
    pub page: Vec<u8>,
    /// The clock is too fast: data come wrong.
    pub corrupt: bool,
    /// A violation of this period has been told already.
    pub complained: bool,
    /// Number of the array read, where faults may disturb it, and its first address.
    pub disturbed: Option<(u64, u32)>,
}

impl Frame {
    pub fn new(start: Time, sck_hz: u64, qpi: bool) -> Self {
        Frame {
            start,
            sck_hz,
            clocks: 0,
            phase: Phase::Opcode,
            lines: if qpi { Lines::Four } else { Lines::One },
            shift: 0,
            bits: 0,
            opcode: opcode::IDLE_HIGH,
            address: 0,
            received: 0,
            page: Vec::new(),
            corrupt: false,
            complained: false,
            disturbed: None,
        }
    }

    /// Virtual time at the last clock.
    pub fn now(&self) -> Time {
        self.start + Time::cycles(self.clocks, self.sck_hz)
    }

    /// Whether the last byte is complete.
    pub fn at_byte_boundary(&self) -> bool {
        self.bits == 0
    }
}

impl Nor {
    /// The controller drives one byte on `lines`.
    pub fn shift_out(&mut self, byte: u8, lines: Lines, ddr: bool, trace: &mut Trace) {
        if !self.may_shift(ddr, trace) {
            return;
        }
        let width = lines.count();
        let Some(frame) = self.frame.as_mut() else {
            return;
        };
        let clocks = BYTE_BITS / width;
        match frame.phase {
            Phase::Ignore => frame.clocks += u64::from(clocks),
            Phase::Dummy(left) if left > clocks => {
                frame.clocks += u64::from(clocks);
                frame.phase = Phase::Dummy(left - clocks);
            }
            Phase::Out(_) | Phase::Dummy(_) => self.clock_out(byte, BYTE_BITS, width, trace),
            _ if frame.lines == lines && frame.bits == 0 => {
                frame.clocks += u64::from(clocks);
                self.take_byte(byte, trace);
            }
            _ => self.clock_out(byte, BYTE_BITS, width, trace),
        }
    }

    /// The controller drives the top `bits` of `byte` on `lines` (a mode instruction shorter than a byte).
    pub fn shift_out_bits(
        &mut self,
        byte: u8,
        bits: u32,
        lines: Lines,
        ddr: bool,
        trace: &mut Trace,
    ) {
        if self.may_shift(ddr, trace) {
            self.clock_out(byte, bits, lines.count(), trace);
        }
    }

    /// The chip drives one byte on `lines`; FFh where it drives nothing.
    pub fn shift_in(&mut self, lines: Lines, ddr: bool, trace: &mut Trace) -> u8 {
        if !self.may_shift(ddr, trace) {
            return 0xFF;
        }
        let width = lines.count();
        let clocks = BYTE_BITS / width;
        let Some(frame) = self.frame.as_mut() else {
            return 0xFF;
        };
        match frame.phase {
            Phase::Ignore => {
                frame.clocks += u64::from(clocks);
                0xFF
            }
            Phase::Out(source) if frame.lines == lines && frame.bits == 0 => {
                frame.clocks += u64::from(clocks);
                self.give_byte(source, trace)
            }
            _ => (0..clocks).fold(0, |byte, _| {
                let levels = self.clock(LINES_HIGH, trace);
                let bits = match lines {
                    Lines::One => (levels >> 1) & 1,
                    Lines::Two => levels & 0x3,
                    Lines::Four => levels & 0xF,
                };
                (u32::from(byte) << width) as u8 | bits
            }),
        }
    }

    /// The same for as many bytes as there is room for.
    pub fn shift_in_all(&mut self, lines: Lines, ddr: bool, trace: &mut Trace, out: &mut [u8]) {
        if self.take_plain(lines, ddr, out).is_none() {
            for byte in out {
                *byte = self.shift_in(lines, ddr, trace);
            }
        }
    }

    /// Bytes of the array that nothing is special about, all at once.
    fn take_plain(&mut self, lines: Lines, ddr: bool, out: &mut [u8]) -> Option<()> {
        let special = self.suspended.is_some() || self.burst_wrap().is_some() || self.faults.absent;
        let size = self.part.size_bytes;
        let frame = self.frame.as_mut()?;
        let plain = frame.phase == Phase::Out(Source::Array)
            && frame.lines == lines
            && frame.bits == 0
            && !frame.corrupt
            && frame.disturbed.is_none();
        if special || ddr || !plain {
            return None;
        }
        let from = (frame.address & (size - 1)) as usize;
        let bytes = self.array.get(from..from + out.len())?;
        out.copy_from_slice(bytes);
        frame.address = (from + out.len()) as u32;
        frame.clocks += out.len() as u64 * u64::from(BYTE_BITS / lines.count());
        Some(())
    }

    /// Clocks without anybody driving (the lines are pulled up).
    pub fn dummy(&mut self, clocks: u32, ddr: bool, trace: &mut Trace) {
        if clocks == 0 || !self.may_shift(ddr, trace) {
            return;
        }
        let Some(frame) = self.frame.as_mut() else {
            return;
        };
        match frame.phase {
            Phase::Ignore => frame.clocks += u64::from(clocks),
            Phase::Dummy(left) if left > clocks => {
                frame.clocks += u64::from(clocks);
                frame.phase = Phase::Dummy(left - clocks);
            }
            _ => {
                for _ in 0..clocks {
                    self.clock(LINES_HIGH, trace);
                }
            }
        }
    }

    fn may_shift(&mut self, ddr: bool, trace: &mut Trace) -> bool {
        if self.faults.absent {
            return false;
        }
        let Some(frame) = self.frame.as_mut() else {
            return false;
        };
        if ddr && frame.phase != Phase::Ignore {
            frame.phase = Phase::Ignore;
            trace.violation(
                frame.now(),
                "nor",
                "double transfer rate is not modelled; the command is ignored",
            );
        }
        true
    }

    fn clock_out(&mut self, byte: u8, bits: u32, width: u32, trace: &mut Trace) {
        let parked = (u32::from(LINES_HIGH) << width) as u8 & LINES_HIGH;
        let mask = !parked & LINES_HIGH;
        for step in 1..=bits / width {
            let levels = (byte >> (BYTE_BITS - step * width)) & mask;
            self.clock(parked | levels, trace);
        }
    }

    /// One clock with these levels from the controller; the levels on the lines.
    fn clock(&mut self, driven: u8, trace: &mut Trace) -> u8 {
        let Some(frame) = self.frame.as_mut() else {
            return driven;
        };
        frame.clocks += 1;
        let width = frame.lines.count();
        match frame.phase {
            Phase::Ignore | Phase::Excess => driven,
            Phase::Dummy(left) => {
                frame.phase = Phase::Dummy(left.saturating_sub(1));
                if left <= 1 {
                    self.after_dummies();
                }
                driven
            }
            Phase::Out(source) => {
                if frame.bits == 0 {
                    let byte = self.give_byte(source, trace);
                    let Some(frame) = self.frame.as_mut() else {
                        return driven;
                    };
                    frame.shift = byte;
                    frame.bits = BYTE_BITS;
                }
                let Some(frame) = self.frame.as_mut() else {
                    return driven;
                };
                frame.bits = frame.bits.saturating_sub(width);
                let bits = frame.shift >> frame.bits;
                match frame.lines {
                    Lines::One => (driven & 0b1101) | (bits & 1) << 1,
                    Lines::Two => (driven & 0b1100) | (bits & 0b11),
                    Lines::Four => bits & LINES_HIGH,
                }
            }
            Phase::Opcode | Phase::Address(_) | Phase::Mode | Phase::In | Phase::Complete => {
                let mask = (1u8 << width) - 1;
                frame.shift = (u32::from(frame.shift) << width) as u8 | (driven & mask);
                frame.bits += width;
                if frame.bits >= BYTE_BITS {
                    frame.bits = 0;
                    let byte = frame.shift;
                    self.take_byte(byte, trace);
                }
                driven
            }
        }
    }

    /// A whole byte has arrived.
    fn take_byte(&mut self, byte: u8, trace: &mut Trace) {
        let page_bytes = self.part.page_bytes;
        let Some(frame) = self.frame.as_mut() else {
            return;
        };
        match frame.phase {
            Phase::Opcode => self.begin(byte, trace),
            Phase::Address(left) => {
                frame.address = frame.address << 8 | u32::from(byte);
                frame.phase = Phase::Address(left - 1);
                if left == 1 {
                    self.after_address(trace);
                }
            }
            Phase::Mode => {
                let keeps = self.part.continuous_read.is_kept_by(byte);
                self.continuous = keeps.then_some(frame.opcode);
                self.after_mode(trace);
            }
            Phase::In => {
                let byte = if frame.corrupt {
                    byte ^ garble(frame.address, frame.received)
                } else {
                    byte
                };
                if frame.page.is_empty() {
                    frame.page = vec![0xFF; page_bytes as usize];
                }
                // More than a page: the counter wraps inside the page, so the last page's worth counts.
                let at = (frame.address.wrapping_add(frame.received as u32) % page_bytes) as usize;
                if let Some(slot) = frame.page.get_mut(at) {
                    *slot = byte;
                }
                frame.received += 1;
            }
            Phase::Complete => frame.phase = Phase::Excess,
            Phase::Dummy(_) | Phase::Out(_) | Phase::Excess | Phase::Ignore => {}
        }
    }

    /// Decodes an opcode; also where a continuous read starts without one.
    pub(super) fn begin(&mut self, code: u8, trace: &mut Trace) {
        let setting = self.dummy_setting();
        let refusal = self.refusal(code);
        let shape = command::shape(&self.part, setting, self.qpi, code);
        let Some(frame) = self.frame.as_mut() else {
            return;
        };
        frame.opcode = code;
        let now = frame.now();
        let shape = match (refusal, shape) {
            (Some(Refusal::Silent), _) => None,
            (Some(Refusal::Because(why)), _) => {
                trace.violation(now, "nor", format!("command {code:02X}h is ignored: {why}"));
                None
            }
            (None, None) => {
                trace.violation(
                    now,
                    "nor",
                    format!("command {code:02X}h is not modelled; it is ignored"),
                );
                None
            }
            (None, Some(shape)) => Some(shape),
        };
        let Some(shape) = shape else {
            frame.phase = Phase::Ignore;
            return;
        };
        if frame.sck_hz > shape.max_hz {
            let text = format!(
                "command {code:02X}h at {} Hz, the part allows {} Hz",
                frame.sck_hz, shape.max_hz
            );
            // What NXP's boards show holds for this one read and its default clocks; every other limit stands.
            let shown = !self.qpi
                && code == self.part.quad_io_dummies.opcode
                && setting == command::DummySetting::Default;
            if self.margin == Margin::AsShipped
                && shown
                && frame.sck_hz <= self.part.fastest_read_hz()
            {
                trace.note(
                    now,
                    "nor",
                    text + ": beyond the data sheet, and known to work",
                );
            } else {
                frame.corrupt = true;
                trace.violation(now, "nor", text);
            }
        }
        frame.lines = shape.address_lines;
        if shape.address_bytes > 0 {
            frame.phase = Phase::Address(shape.address_bytes);
        } else {
            self.after_address(trace);
        }
    }

    fn after_address(&mut self, trace: &mut Trace) {
        let setting = self.dummy_setting();
        let Some(frame) = self.frame.as_mut() else {
            return;
        };
        let Some(shape) = command::shape(&self.part, setting, self.qpi, frame.opcode) else {
            return;
        };
        if shape.mode {
            frame.phase = Phase::Mode;
        } else {
            self.after_mode(trace);
        }
    }

    fn after_mode(&mut self, trace: &mut Trace) {
        let setting = self.dummy_setting();
        let Some(frame) = self.frame.as_mut() else {
            return;
        };
        let Some(shape) = command::shape(&self.part, setting, self.qpi, frame.opcode) else {
            return;
        };
        if let command::DummySetting::Undefined { value } = setting
            && matches!(shape.data, Data::Out(Source::Array))
        {
            let text = format!(
                "read parameters ask for dummy setting {value}, which the part does not define"
            );
            trace.violation(frame.now(), "nor", text);
        }
        if shape.dummy_clocks > 0 {
            frame.phase = Phase::Dummy(shape.dummy_clocks);
        } else {
            self.after_dummies();
        }
    }

    fn after_dummies(&mut self) {
        let setting = self.dummy_setting();
        let Some(frame) = self.frame.as_mut() else {
            return;
        };
        let Some(shape) = command::shape(&self.part, setting, self.qpi, frame.opcode) else {
            return;
        };
        frame.lines = shape.data_lines;
        frame.phase = match shape.data {
            Data::None => Phase::Complete,
            Data::Out(source) => Phase::Out(source),
            Data::In => Phase::In,
        };
        if shape.data == Data::Out(Source::Array) {
            let number = self.counters.reads;
            self.counters.reads += 1;
            if self.faults.disturb_reads() {
                let elsewhere = self.faults.read_elsewhere(number);
                self.strikes += u64::from(elsewhere != 0);
                frame.address ^= elsewhere;
                frame.disturbed = Some((number, frame.address));
            }
        }
    }
}
