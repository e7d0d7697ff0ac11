//! What a complete command does when CS# rises.

use super::command::opcode as op;
use super::frame::{Frame, Phase};
use super::operation::{Busy, Operation, Random, Register};
use super::{Nor, part};
use crate::time::Time;
use crate::trace::Trace;

/// Program suspended and erase suspended in the function register (IS25LP128F data sheet, as quoted by crate is25lp128f).
const PROGRAM_SUSPENDED: u8 = 0x04;
const ERASE_SUSPENDED: u8 = 0x08;
/// Information row locks in the function register, one-time.
const INFORMATION_ROW_LOCKS: u8 = 0xF0;
/// Read parameters: burst wrap on, and its length field (8, 16, 32 or 64 bytes).
const WRAP_ENABLE: u8 = 0x04;
const WRAP_LENGTH: u8 = 0x03;
const SHORTEST_WRAP_BYTES: u32 = 8;

impl Nor {
    pub(super) fn execute(&mut self, frame: Frame, now: Time, trace: &mut Trace) {
        let code = frame.opcode;
        let part = &self.part;
        let (down, reset) = (part.deep_power_down, part.software_reset);
        let reset_was_enabled = std::mem::take(&mut self.reset_enabled);
        if !frame.at_byte_boundary()
            && matches!(frame.phase, Phase::Complete | Phase::In | Phase::Address(_))
        {
            let text = format!("command {code:02X}h is ignored: CS# rose inside a byte");
            trace.violation(now, "nor", text);
            return;
        }
        if code == down.exit_opcode && !matches!(frame.phase, Phase::Opcode | Phase::Ignore) {
            // Opcode alone, or with dummies and ID: both release.
            if std::mem::take(&mut self.powered_down) {
                self.quiet_until = now + Time::us(down.exit_us);
            }
            return;
        }
        match frame.phase {
            Phase::Complete | Phase::In => {}
            Phase::Excess => {
                trace.violation(
                    now,
                    "nor",
                    format!("command {code:02X}h is ignored: more bytes than it has"),
                );
                return;
            }
            Phase::Address(_) if self.continuous != Some(code) => {
                trace.violation(
                    now,
                    "nor",
                    format!("command {code:02X}h is ignored: CS# rose inside the address"),
                );
                return;
            }
            _ => return,
        }
        if part.page_program.opcode_1_1_1 == code || part.page_program.opcodes_1_1_4.contains(&code)
        {
            return self.program(frame, now, trace);
        }
        if let Some(erase) = part.erase_by_opcode(code) {
            let (length, duration) = (erase.size_bytes, erase.duration);
            let address = frame.address & (part.size_bytes - 1) & !(length - 1);
            return self.erase(code, address, length, duration, now, trace);
        }
        if part.chip_erase.opcodes.contains(&code) {
            let (length, duration) = (part.size_bytes, part.chip_erase.duration);
            return self.erase(code, 0, length, duration, now, trace);
        }
        if part.suspend.suspend_opcodes.contains(&code) {
            return self.suspend(now, trace);
        }
        if part.suspend.resume_opcodes.contains(&code) {
            return self.resume(now, trace);
        }
        if code == part.qpi.enter_opcode {
            self.qpi = true;
        } else if code == part.qpi.leave_opcode {
            self.qpi = false;
        } else if code == down.enter_opcode {
            self.powered_down = true;
            self.quiet_until = now + Time::us(down.enter_us);
        } else if code == reset.enable_opcode {
            self.reset_enabled = true;
        } else if code == reset.reset_opcode {
            self.software_reset(reset_was_enabled, now, trace);
        } else {
            self.register_command(&frame, now, trace);
        }
    }

    fn register_command(&mut self, frame: &Frame, now: Time, trace: &mut Trace) {
        let code = frame.opcode;
        let status = self.part.status;
        match code {
            op::WREN => return self.write_enabled = true,
            op::WRDI => return self.write_enabled = false,
            _ => {}
        }
        if frame.received != 1 {
            let text = format!(
                "command {code:02X}h is ignored: it takes 1 data byte, not {}",
                frame.received
            );
            return trace.violation(now, "nor", text);
        }
        let value = frame
            .page
            .get((frame.address % self.part.page_bytes) as usize)
            .copied()
            .unwrap_or(0);
        let (register, mask) = match code {
            op::SRPV | op::SRPV_ALIAS => return self.read_parameters = value,
            op::SERPV => return self.extended = value,
            op::SRPNV => (Register::ReadParameters, 0xFF),
            op::SERPNV => (Register::ExtendedReadParameters, 0xFF),
            op::WRFR => {
                trace.note(
                    now,
                    "nor",
                    format!("function register written with {value:02X}h: its bits are one-time"),
                );
                (
                    Register::Function,
                    INFORMATION_ROW_LOCKS | self.part.protection.top_bottom_mask,
                )
            }
            _ if code == self.part.write_status.opcode => {
                (Register::Status, status.non_volatile_mask())
            }
            _ => {
                return trace.violation(
                    now,
                    "nor",
                    format!("command {code:02X}h is not modelled; it is ignored"),
                );
            }
        };
        if !self.may_write(code, now, trace) {
            return;
        }
        if self.suspended.is_some() {
            let text = format!("command {code:02X}h is ignored: an operation is suspended");
            return trace.violation(now, "nor", text);
        }
        let locked = self.registers.status & status.srwd_mask != 0;
        if register == Register::Status
            && locked
            && self.faults.write_protect_low
            && !self.quad_enabled()
        {
            return trace.note(
                now,
                "nor",
                "status register write refused: SRWD = 1 and WP# is low",
            );
        }
        self.counters.register_writes += 1;
        let duration = self.part.write_status.duration;
        self.start(
            Operation::WriteRegister {
                register,
                value,
                mask,
            },
            duration,
            now,
        );
    }

    fn program(&mut self, frame: Frame, now: Time, trace: &mut Trace) {
        if frame.received == 0 {
            let text = format!("command {:02X}h is ignored: no data bytes", frame.opcode);
            return trace.violation(now, "nor", text);
        }
        if !self.may_write(frame.opcode, now, trace) {
            return;
        }
        let address = frame.address & (self.part.size_bytes - 1) & !(self.part.page_bytes - 1);
        // The IS25WP256's SFDP (dword 12) forbids programs anywhere while a program or an erase is suspended.
        if self.suspended.is_some() {
            let text = "program while an operation is suspended is ignored";
            return trace.violation(now, "nor", text);
        }
        if self.is_protected(address, self.part.page_bytes) {
            return trace.note(
                now,
                "nor",
                format!("program at {address:06X}h does nothing: protected by BP"),
            );
        }
        let dropped = self
            .faults
            .dropped_programs
            .contains(&self.counters.programs);
        self.counters.programs += 1;
        let duration = self.part.page_program.duration;
        let operation = if dropped {
            Operation::DroppedProgram { address }
        } else {
            Operation::Program {
                address,
                page: frame.page,
            }
        };
        self.start(operation, duration, now);
    }

    fn erase(
        &mut self,
        code: u8,
        address: u32,
        length: u32,
        time: part::Duration,
        now: Time,
        trace: &mut Trace,
    ) {
        if !self.may_write(code, now, trace) {
            return;
        }
        if self.suspended.is_some() {
            return trace.violation(
                now,
                "nor",
                "erase while an operation is suspended is ignored",
            );
        }
        if self.is_protected(address, length) {
            return trace.note(
                now,
                "nor",
                format!("erase at {address:06X}h does nothing: protected by BP"),
            );
        }
        self.counters.erases += 1;
        self.start(Operation::Erase { address, length }, time, now);
    }

    fn may_write(&mut self, code: u8, now: Time, trace: &mut Trace) -> bool {
        if !self.write_enabled {
            trace.violation(
                now,
                "nor",
                format!("command {code:02X}h is ignored: WEL = 0"),
            );
        }
        self.write_enabled
    }

    fn start(&mut self, operation: Operation, duration: part::Duration, now: Time) {
        let until = now + duration.under(self.profile);
        self.busy = Some(Busy {
            operation,
            since: now,
            until,
        });
    }

    fn suspend(&mut self, now: Time, trace: &mut Trace) {
        let whole = self.part.size_bytes;
        let Some(busy) = self.busy.take() else {
            return trace.violation(now, "nor", "suspend is ignored: nothing is under way");
        };
        let fits = match &busy.operation {
            Operation::Program { .. } | Operation::DroppedProgram { .. } => true,
            Operation::Erase { length, .. } => *length < whole,
            Operation::WriteRegister { .. } | Operation::Suspending => false,
        };
        if !fits || self.suspended.is_some() {
            self.busy = Some(busy);
            return trace.violation(
                now,
                "nor",
                "suspend is ignored: this operation cannot be suspended",
            );
        }
        let until = now + Time::us(self.part.suspend.latency_us);
        if busy.until <= until {
            self.busy = Some(busy);
            return;
        }
        self.suspended = Some(busy);
        self.busy = Some(Busy {
            operation: Operation::Suspending,
            since: now,
            until,
        });
    }

    fn resume(&mut self, now: Time, trace: &mut Trace) {
        let Some(mut busy) = self.suspended.take() else {
            return trace.violation(now, "nor", "resume is ignored: nothing is suspended");
        };
        // The whole time again: how much of it a suspended operation keeps is not documented.
        let length = busy.until.saturating_sub(busy.since);
        busy.since = now;
        busy.until = now + length;
        self.write_enabled = true;
        self.busy = Some(busy);
    }

    fn software_reset(&mut self, enabled: bool, now: Time, trace: &mut Trace) {
        if !enabled {
            return trace.violation(
                now,
                "nor",
                "software reset is ignored: 66h did not come right before it",
            );
        }
        let times = self.part.software_reset;
        let broke_off = self.busy.is_some() || self.suspended.is_some();
        if broke_off {
            trace.violation(
                now,
                "nor",
                "software reset broke off a program, erase or register write",
            );
        }
        self.break_off(&mut Random::new(now.as_ps()));
        self.forget_volatile();
        let recovery = if broke_off {
            times.recovery_while_busy_us
        } else {
            times.recovery_us
        };
        self.quiet_until = now + Time::us(recovery);
    }

    pub(super) fn function_register(&self) -> u8 {
        let flag = match self.suspended.as_ref().map(|busy| &busy.operation) {
            Some(Operation::Erase { .. }) => ERASE_SUSPENDED,
            Some(_) => PROGRAM_SUSPENDED,
            None => 0,
        };
        self.registers.function | flag
    }

    pub(super) fn burst_wrap(&self) -> Option<u32> {
        let length = SHORTEST_WRAP_BYTES << (self.read_parameters & WRAP_LENGTH);
        (self.read_parameters & WRAP_ENABLE != 0).then_some(length)
    }

    /// Whether BP and TBS cover any byte of the range.
    fn is_protected(&self, address: u32, length: u32) -> bool {
        let (protection, size) = (&self.part.protection, self.part.size_bytes);
        let mask = self.part.status.bp_mask;
        let level = (self.registers.status & mask) >> mask.trailing_zeros();
        if level == 0 {
            return false;
        }
        let covered = if level >= protection.all_from {
            size
        } else {
            protection
                .unit_bytes
                .saturating_mul(1 << (level - 1))
                .min(size)
        };
        if self.registers.function & protection.top_bottom_mask == 0 {
            address.saturating_add(length) > size - covered
        } else {
            address < covered
        }
    }
}
