//! What a NOR chip answers: whether it takes a command now, and the bytes it drives.

use super::command::{self, Source, opcode};
use super::frame::Frame;
use super::{Nor, part};
use crate::time::Time;
use crate::trace::Trace;

impl Nor {
    /// Why the chip does not take this command now.
    pub(super) fn refusal(&self, code: u8) -> Option<Refusal> {
        let down = &self.part.deep_power_down;
        let now = self.frame.as_ref().map_or(Time::ZERO, Frame::now);
        if self.continuous == Some(code) {
            return None;
        }
        if code == opcode::IDLE_HIGH && !self.part.commands.opcodes.contains(&code) {
            return Some(Refusal::Silent);
        }
        if !self.part.commands.opcodes.contains(&code) {
            return Some(Refusal::Because("the part does not have it"));
        }
        if now < self.quiet_until {
            return Some(Refusal::Because(
                "the chip is still recovering from a reset or a power-down change",
            ));
        }
        if self.powered_down && code != down.exit_opcode {
            return Some(Refusal::Because("the chip is in deep power-down"));
        }
        if self.qpi && opcode::SPI_ONLY.contains(&code) {
            return Some(Refusal::Because("the chip is in QPI"));
        }
        let qpi_only = |qpi: part::Qpi| [qpi.leave_opcode, qpi.read_id_opcode].contains(&code);
        if !self.qpi && self.part.qpi.is_some_and(qpi_only) {
            return Some(Refusal::Because("the chip is not in QPI"));
        }
        if opcode::DTR_READS.contains(&code) {
            return Some(Refusal::Because("double transfer rate is not modelled"));
        }
        let enters_qpi = self.part.qpi.is_some_and(|qpi| qpi.enter_opcode == code);
        let quad = self.part.commands.quad_opcodes.contains(&code) || enters_qpi;
        if quad && !self.qpi && !self.quad_enabled() {
            return Some(Refusal::Because("QE = 0, so IO2 and IO3 are WP# and HOLD#"));
        }
        if self.busy.is_some() && !self.taken_while_busy(code) {
            return Some(Refusal::Because("WIP = 1"));
        }
        None
    }

    fn taken_while_busy(&self, code: u8) -> bool {
        let reset = &self.part.software_reset;
        let reads_status = matches!(
            command::register_read(&self.part, code),
            Some(Source::Status | Source::Status2 | Source::Status3 | Source::Function)
        );
        reads_status
            || [reset.enable_opcode, reset.reset_opcode].contains(&code)
            || self.part.suspend.suspend_opcodes.contains(&code)
    }

    /// The next byte the chip drives.
    pub(super) fn give_byte(&mut self, source: Source, trace: &mut Trace) -> u8 {
        if source == Source::Array
            && self.suspended.is_none()
            && self.burst_wrap().is_none()
            && let Some(frame) = self.frame.as_mut()
            && !frame.corrupt
            && frame.disturbed.is_none()
        {
            let at = frame.address & (self.part.size_bytes - 1);
            frame.address = at.wrapping_add(1);
            return self.array.get(at as usize).copied().unwrap_or(0xFF);
        }
        self.give_unusual_byte(source, trace)
    }

    /// Registers, identity, and array reads with something special about them.
    fn give_unusual_byte(&mut self, source: Source, trace: &mut Trace) -> u8 {
        let Some(now) = self.frame.as_ref().map(Frame::now) else {
            return 0xFF;
        };
        if source == Source::Status {
            self.settle(now);
            if self.busy.is_some() {
                self.busy_polled = true;
            }
        }
        let id = self.faults.jedec_id.unwrap_or(self.part.jedec_id);
        let (maker, kind) = (id[0], id[2].wrapping_sub(1));
        let status = self.status_register();
        let function = self.function_register();
        let (status_2, status_3) = (self.status_register_2(), self.registers.status_3);
        let wrap = self.burst_wrap();
        let size = self.part.size_bytes;
        let suspended = self
            .suspended
            .as_ref()
            .and_then(|busy| busy.operation.area());
        let Some(frame) = self.frame.as_mut() else {
            return 0xFF;
        };
        let at = frame.address;
        frame.address = match (source, wrap) {
            (Source::Array, Some(length)) => {
                (at & !(length - 1)) | (at.wrapping_add(1) & (length - 1))
            }
            _ => at.wrapping_add(1),
        };
        let byte = match source {
            Source::Array => {
                let at = at & (size - 1);
                if suspended.is_some_and(|(start, length)| (start..start + length).contains(&at)) {
                    if !std::mem::replace(&mut frame.complained, true) {
                        trace.violation(
                            now,
                            "nor",
                            format!("read of {at:06X}h inside a suspended operation"),
                        );
                    }
                    garble(at, 1)
                } else if let Some((number, first)) = frame.disturbed {
                    let asked = self.array.get(at as usize).copied().unwrap_or(0xFF);
                    let decoded = self.faults.decoded(at);
                    let stored = self.array.get(decoded as usize).copied().unwrap_or(0xFF);
                    let distance = at.wrapping_sub(first);
                    let byte = self.faults.read(decoded, stored, number, distance);
                    self.strikes += u64::from(byte != asked);
                    byte
                } else {
                    self.array.get(at as usize).copied().unwrap_or(0xFF)
                }
            }
            Source::Status => status,
            Source::Status2 => status_2,
            Source::Status3 => status_3,
            Source::Function => function,
            Source::ReadParameters => self.read_parameters,
            Source::ExtendedReadParameters => self.extended,
            Source::JedecId => id.get(at as usize % id.len()).copied().unwrap_or(0xFF),
            Source::ManufacturerDevice => {
                if at & 1 == 0 {
                    maker
                } else {
                    kind
                }
            }
            Source::DeviceId => kind,
            Source::Sfdp => {
                let stored = self.sfdp.get(at as usize).copied().unwrap_or(0xFF);
                self.faults.sfdp(at, stored)
            }
            Source::UniqueId => self
                .unique_id
                .get((at % self.part.identity.unique_id_bytes) as usize)
                .copied()
                .unwrap_or(0xFF),
            Source::InformationRow => 0xFF,
        };
        if self.frame.as_ref().is_some_and(|frame| frame.corrupt) {
            byte ^ garble(at, 0)
        } else {
            byte
        }
    }
}

pub(super) enum Refusal {
    /// Normal: the lines were parked high.
    Silent,
    /// Worth a violation.
    Because(&'static str),
}

/// Wrong data for a wrong clock: the same wrong data every time, never equal to the right data.
pub(super) fn garble(address: u32, salt: usize) -> u8 {
    (address.wrapping_mul(0x9E37_79B1).rotate_right(11) as u8 ^ salt as u8) | 0x01
}
