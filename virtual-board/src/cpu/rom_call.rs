//! Calls into the boot ROM: the core branches to a function there, the board's ROM model carries it out, the core returns.

use super::exception::Fault;
use super::{Cpu, State};
use crate::rom::api::{Arguments, Function};

/// What a call leaves in the registers that AAPCS lets it destroy.
const DESTROYED: u32 = 0xDEAD_0205;

impl Cpu {
    /// The core stands at the first instruction of `function`: from now on the ROM model runs.
    pub(super) fn branch_to_rom(&mut self, function: Function) {
        self.enter_rom(function.address());
        self.rom_call = Some(function);
    }

    /// The function that the core has branched to, once.
    pub fn take_rom_call(&mut self) -> Option<(Function, Arguments)> {
        let function = self.rom_call.take()?;
        let r = &self.proc.registers;
        let arguments = Arguments {
            registers: [r.r0, r.r1, r.r2, r.r3],
            sp: r.sp(),
        };
        Some((function, arguments))
    }

    /// An interrupt would be taken if the core ran code of its own.
    pub fn interrupt_waits(&self) -> bool {
        self.scs.nvic.any_pending() && self.scs.nvic.next(self.masks()).is_some()
    }

    /// The function returns to its caller with `r0`.
    pub fn return_from_rom(&mut self, r0: u32) {
        self.leave_rom();
        let r = &mut self.proc.registers;
        (r.r0, r.r1, r.r2, r.r3, r.r12) = (r0, DESTROYED, DESTROYED, DESTROYED, DESTROYED);
        let lr = r.lr;
        self.proc.blx_write_pc(lr);
    }

    /// The bus refused an access of the function's code.
    pub fn fault_in_rom(&mut self, address: u32) {
        self.proc.registers.pc = self.debugger_pc();
        self.leave_rom();
        self.fault(Fault::Data { address });
    }

    /// The ROM model lacks what the function was asked for.
    pub fn model_limit_in_rom(&mut self, what: &str) {
        let pc = self.debugger_pc();
        self.leave_rom();
        self.state = State::ModelLimit(format!("{what} at 0x{pc:08X}"));
    }
}
