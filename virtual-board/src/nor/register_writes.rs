//! Which registers a write command changes, and what they show.

use super::Nor;
use super::operation::{Operation, Register, RegisterWrite};
use super::registers::FurtherStatus;

/// Status register 2 and 3, as a write changes them.
fn further(register: Register, description: FurtherStatus, value: u8) -> RegisterWrite {
    RegisterWrite {
        register,
        value,
        mask: description.non_volatile_mask | description.one_time_mask,
        one_time: description.one_time_mask,
    }
}

impl Nor {
    /// What the command changes when it ends; nothing for a volatile register, which it changes at once.
    pub(super) fn register_writes(
        &mut self,
        code: u8,
        received: usize,
        byte: impl Fn(usize) -> u8,
    ) -> Result<Vec<RegisterWrite>, String> {
        let part = &self.part;
        let pair = part.status_pair.filter(|pair| pair.opcode == code);
        if received != 1 && !(received == 2 && pair.is_some()) {
            return Err(format!("it takes 1 data byte, not {received}"));
        }
        let value = byte(0);
        let whole = |register| RegisterWrite {
            register,
            value,
            mask: 0xFF,
            one_time: 0,
        };
        let registers = &part.registers;
        let parameters = registers.read_parameters.as_ref();
        let extended = registers.extended_read_parameters.as_ref();
        if parameters.is_some_and(|r| r.volatile_opcodes.contains(&code)) {
            self.read_parameters = value;
            return Ok(Vec::new());
        }
        if extended.is_some_and(|r| r.volatile_opcodes.contains(&code)) {
            self.extended = value;
            return Ok(Vec::new());
        }
        if parameters.is_some_and(|r| r.non_volatile_opcode == code) {
            return Ok(vec![whole(Register::ReadParameters)]);
        }
        if extended.is_some_and(|r| r.non_volatile_opcode == code) {
            return Ok(vec![whole(Register::ExtendedReadParameters)]);
        }
        if let Some(function) = registers.function.filter(|r| r.write_opcode == code) {
            return Ok(vec![RegisterWrite {
                mask: function.one_time_mask,
                one_time: function.one_time_mask,
                ..whole(Register::Function)
            }]);
        }
        let [second, third] = [registers.status_2, registers.status_3];
        if let Some(second) = second.filter(|r| r.write_opcode == code) {
            return Ok(vec![further(Register::Status2, second, value)]);
        }
        if let Some(third) = third.filter(|r| r.write_opcode == code) {
            return Ok(vec![further(Register::Status3, third, value)]);
        }
        if code != part.write_status.opcode {
            return Err("it is not modelled".to_owned());
        }
        let mut writes = vec![RegisterWrite {
            mask: part.status.non_volatile_mask(),
            ..whole(Register::Status)
        }];
        if let (Some(pair), Some(second)) = (pair, second)
            && (received == 2 || pair.one_byte_clears)
        {
            let value = if received == 2 { byte(1) } else { 0 };
            writes.push(further(Register::Status2, second, value));
        }
        Ok(writes)
    }

    /// Why no status register can be written now.
    pub(super) fn status_lock(&self) -> Option<&'static str> {
        let part = &self.part;
        let locked_down = part
            .registers
            .status_2
            .is_some_and(|r| self.registers.status_2 & r.lock_mask != 0);
        let disabled = self.registers.status & part.status.srwd_mask != 0;
        if locked_down {
            Some("SRL = 1, until the power is off")
        } else if disabled && self.faults.write_protect_low && !self.quad_enabled() {
            Some("SRWD = 1 and WP# is low")
        } else {
            None
        }
    }

    /// The function register as its command shows it.
    pub(super) fn function_register(&self) -> u8 {
        let flag = match (&self.part.registers.function, self.suspended_operation()) {
            (Some(function), Some(Operation::Erase { .. })) => function.erase_suspended_mask,
            (Some(function), Some(_)) => function.program_suspended_mask,
            _ => 0,
        };
        self.registers.function | flag
    }

    /// Status register 2 as its command shows it.
    pub(super) fn status_register_2(&self) -> u8 {
        let mask = self.part.registers.status_2.map_or(0, |r| r.suspended_mask);
        let flag = self.suspended_operation().map_or(0, |_| mask);
        self.registers.status_2 | flag
    }

    fn suspended_operation(&self) -> Option<&Operation> {
        self.suspended.as_ref().map(|busy| &busy.operation)
    }
}
