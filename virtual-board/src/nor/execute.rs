//! What a complete command does when CS# rises.

use super::command::opcode as op;
use super::frame::{Frame, Phase};
use super::operation::{Busy, Operation, Random, Register};
use super::{Nor, faults, part};
use crate::time::Time;
use crate::trace::Trace;

/// Read parameters: burst wrap on, and its length field (8, 16, 32 or 64 bytes).
const WRAP_ENABLE: u8 = 0x04;
const WRAP_LENGTH: u8 = 0x03;
const SHORTEST_WRAP_BYTES: u32 = 8;
/// The erases that are counted by themselves.
const SECTOR_BYTES: u32 = 4 << 10;
const BLOCK_BYTES: u32 = 64 << 10;

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
        if part.qpi.is_some_and(|qpi| qpi.enter_opcode == code) {
            self.qpi = true;
        } else if part.qpi.is_some_and(|qpi| qpi.leave_opcode == code) {
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
        match code {
            op::WREN => return self.enable_write(),
            op::WRDI => return self.write_enabled = false,
            _ => {}
        }
        let byte = |index: usize| frame.page.get(index).copied().unwrap_or(0);
        let writes = match self.register_writes(code, frame.received, byte) {
            Ok(writes) => writes,
            Err(why) => {
                let text = format!("command {code:02X}h is ignored: {why}");
                return trace.violation(now, "nor", text);
            }
        };
        let writes_status = writes.iter().any(|write| write.register.is_status());
        let Some(first) = writes.first() else {
            // A volatile register: it is written already.
            return;
        };
        if first.register == Register::Function {
            let text = format!(
                "function register written with {:02X}h: its bits are one-time",
                first.value
            );
            trace.note(now, "nor", text);
        }
        if !self.may_write(code, now, trace) {
            return;
        }
        if self.suspended.is_some() {
            let text = format!("command {code:02X}h is ignored: an operation is suspended");
            return trace.violation(now, "nor", text);
        }
        if writes_status && let Some(why) = self.status_lock() {
            return trace.note(now, "nor", format!("status register write refused: {why}"));
        }
        self.counters.register_writes += 1;
        let duration = self.part.write_status.duration;
        self.start(Operation::WriteRegisters(writes), duration, now);
    }

    fn program(&mut self, frame: Frame, now: Time, trace: &mut Trace) {
        if frame.received == 0 {
            let text = format!("command {:02X}h is ignored: no data bytes", frame.opcode);
            return trace.violation(now, "nor", text);
        }
        if !self.may_write(frame.opcode, now, trace) {
            return;
        }
        let number = self.counters.programs;
        let asked = frame.address & (self.part.size_bytes - 1) & !(self.part.page_bytes - 1);
        let inverted = faults::misdirection(&self.faults.misdirected_programs, number);
        let address = self.astray(asked, inverted, self.part.page_bytes);
        if self.suspension_forbids_program(address, self.part.page_bytes) {
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
        let dropped = self.faults.dropped_programs.contains(&number);
        self.counters.programs += 1;
        self.disturb_others(number);
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
        let number = self.counters.erases;
        let inverted = faults::misdirection(&self.faults.misdirected_erases, number);
        let address = self.astray(address, inverted, length);
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
        self.counters.sector_erases += u64::from(length == SECTOR_BYTES);
        self.counters.block_erases += u64::from(length == BLOCK_BYTES);
        let operation = if self.faults.dropped_erases.contains(&number) {
            Operation::DroppedErase { address, length }
        } else if self.faults.short_erases.contains(&number) {
            let seed = number ^ u64::from(address);
            Operation::ShortErase {
                address,
                length,
                seed,
            }
        } else {
            Operation::Erase { address, length }
        };
        self.start(operation, time, now);
    }

    fn enable_write(&mut self) {
        let number = self.counters.write_enables;
        self.counters.write_enables += 1;
        if self.faults.dropped_write_enables.contains(&number) {
            self.strikes += 1;
        } else {
            self.write_enabled = true;
        }
    }

    /// Where a program or an erase of `length` bytes goes that was sent to `address`.
    fn astray(&mut self, address: u32, inverted: u32, length: u32) -> u32 {
        let taken = self.faults.decoded(address ^ inverted) & (self.part.size_bytes - 1);
        let taken = taken & !(length - 1);
        self.strikes += u64::from(taken != address);
        taken
    }

    /// What a program does to cells that are none of its business.
    fn disturb_others(&mut self, number: u64) {
        let disturbs = self.faults.disturbing_programs.iter();
        for (_, at, mask) in disturbs.filter(|(program, _, _)| *program == number) {
            if let Some(cell) = self.array.get_mut(*at as usize) {
                self.strikes += u64::from(*cell & mask != 0);
                *cell &= !mask;
            }
        }
        if let Some((_, status)) = self.faults.protection_returns.filter(|(n, _)| *n == number) {
            self.strikes += 1;
            self.set_status_register(status);
        }
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
        if let Some(what) = operation.activity() {
            self.activity.add(now, until, what);
        }
        self.recorder.add(&operation);
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
            Operation::Erase { length, .. }
            | Operation::DroppedErase { length, .. }
            | Operation::ShortErase { length, .. } => *length < whole,
            Operation::WriteRegisters(_) | Operation::Suspending => false,
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

    pub(super) fn burst_wrap(&self) -> Option<u32> {
        let length = SHORTEST_WRAP_BYTES << (self.read_parameters & WRAP_LENGTH);
        (self.read_parameters & WRAP_ENABLE != 0).then_some(length)
    }

    /// Whether the part refuses a program of this area because of what is suspended.
    fn suspension_forbids_program(&self, address: u32, length: u32) -> bool {
        match self.suspended.as_ref().map(|busy| &busy.operation) {
            None => false,
            Some(Operation::Erase {
                address: start,
                length: size,
                ..
            }) if self.part.suspend.program_while_erase_suspended => {
                address < start + size && *start < address + length
            }
            Some(_) => true,
        }
    }
}
