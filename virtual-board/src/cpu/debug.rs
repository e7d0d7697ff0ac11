//! Core debug registers: DHCSR, DCRSR, DCRDR, DEMCR, DFSR (ARMv7-M Architecture Reference Manual, part C).

/// Register transfers that DCRSR asks for; the core carries them out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegisterTransfer {
    /// REGSEL.
    pub selector: u8,
    /// Write DCRDR into the register; else the register into DCRDR.
    pub write: bool,
}

/// DHCSR bits.
pub mod dhcsr {
    /// Debug enabled.
    pub const C_DEBUGEN: u32 = 1 << 0;
    /// Halt request.
    pub const C_HALT: u32 = 1 << 1;
    /// Single step.
    pub const C_STEP: u32 = 1 << 2;
    /// Mask interrupts while stepping.
    pub const C_MASKINTS: u32 = 1 << 3;
    /// Register transfer done.
    pub const S_REGRDY: u32 = 1 << 16;
    /// Halted.
    pub const S_HALT: u32 = 1 << 17;
    /// Sleeping.
    pub const S_SLEEP: u32 = 1 << 18;
    /// Locked up.
    pub const S_LOCKUP: u32 = 1 << 19;
    /// An instruction was retired since the last read.
    pub const S_RETIRE_ST: u32 = 1 << 24;
    /// The core was reset since the last read.
    pub const S_RESET_ST: u32 = 1 << 25;
    /// Writable control bits.
    pub const CONTROL: u32 = 0x2F;
}

/// DEMCR bits.
pub mod demcr {
    /// Halt on reset.
    pub const VC_CORERESET: u32 = 1 << 0;
    /// Halt on HardFault.
    pub const VC_HARDERR: u32 = 1 << 10;
    /// DWT and ITM on.
    pub const TRCENA: u32 = 1 << 24;
    /// Implemented bits.
    pub const MASK: u32 = 0x010F_07F1;
}

/// DFSR bits.
pub mod dfsr {
    /// C_HALT or step.
    pub const HALTED: u32 = 1 << 0;
    /// BKPT or FPB.
    pub const BKPT: u32 = 1 << 1;
    /// DWT.
    pub const DWTTRAP: u32 = 1 << 2;
    /// Vector catch.
    pub const VCATCH: u32 = 1 << 3;
}

/// The debug registers of the core.
#[derive(Clone, Debug, Default)]
pub struct Debug {
    control: u32,
    halted: bool,
    reset_sticky: bool,
    retired_sticky: bool,
    register_ready: bool,
    demcr: u32,
    dfsr: u32,
    dcrdr: u32,
    transfer: Option<RegisterTransfer>,
}

impl Debug {
    const KEY: u32 = 0xA05F;

    /// Power-on reset of the debug domain.
    pub fn power_on(&mut self) {
        *self = Debug::default();
    }

    /// A system reset: C_DEBUGEN, DEMCR and DFSR survive; the core leaves Debug state unless the vector catch is set.
    pub fn system_reset(&mut self) {
        self.control &= !(dhcsr::C_HALT | dhcsr::C_STEP | dhcsr::C_MASKINTS);
        self.halted = false;
        self.reset_sticky = true;
        self.transfer = None;
        if self.enabled() && self.demcr & demcr::VC_CORERESET != 0 {
            self.halt(dfsr::VCATCH);
        }
    }

    /// C_DEBUGEN.
    pub fn enabled(&self) -> bool {
        self.control & dhcsr::C_DEBUGEN != 0
    }
    /// The core is in Debug state.
    pub fn halted(&self) -> bool {
        self.halted
    }
    /// C_STEP.
    pub fn stepping(&self) -> bool {
        self.control & dhcsr::C_STEP != 0
    }
    /// C_MASKINTS.
    pub fn interrupts_masked(&self) -> bool {
        self.enabled() && self.control & dhcsr::C_MASKINTS != 0
    }
    /// DEMCR.TRCENA.
    pub fn trace_enabled(&self) -> bool {
        self.demcr & demcr::TRCENA != 0
    }
    /// DEMCR.VC_HARDERR with debug enabled.
    pub fn catches_hard_fault(&self) -> bool {
        self.enabled() && self.demcr & demcr::VC_HARDERR != 0
    }

    /// Enters Debug state for the reason(s) `why` of DFSR. Does nothing while debug is disabled.
    pub fn halt(&mut self, why: u32) -> bool {
        if !self.enabled() {
            return false;
        }
        self.halted = true;
        self.control |= dhcsr::C_HALT;
        self.dfsr |= why;
        true
    }

    /// The core has retired an instruction.
    pub fn retired(&mut self) {
        self.retired_sticky = true;
    }

    /// DHCSR as the debugger reads it. Clears the sticky bits.
    pub fn read_dhcsr(&mut self, sleeping: bool, locked_up: bool) -> u32 {
        let mut value = self.control;
        if self.register_ready {
            value |= dhcsr::S_REGRDY;
        }
        if self.halted {
            value |= dhcsr::S_HALT;
        }
        if sleeping {
            value |= dhcsr::S_SLEEP;
        }
        if locked_up {
            value |= dhcsr::S_LOCKUP;
        }
        if std::mem::take(&mut self.retired_sticky) {
            value |= dhcsr::S_RETIRE_ST;
        }
        if std::mem::take(&mut self.reset_sticky) {
            value |= dhcsr::S_RESET_ST;
        }
        value
    }

    /// A debugger's write of DHCSR. Without the key it is ignored.
    pub fn write_dhcsr(&mut self, value: u32) {
        if value >> 16 != Self::KEY {
            return;
        }
        self.control = value & dhcsr::CONTROL;
        if !self.enabled() {
            self.control &= dhcsr::C_DEBUGEN;
            self.halted = false;
        } else if value & dhcsr::C_HALT != 0 {
            if !self.halted {
                self.halt(dfsr::HALTED);
            }
        } else {
            self.halted = false;
        }
    }

    /// DEMCR.
    pub fn read_demcr(&self) -> u32 {
        self.demcr
    }
    /// Writes DEMCR.
    pub fn write_demcr(&mut self, value: u32) {
        self.demcr = value & demcr::MASK;
    }
    /// DFSR.
    pub fn read_dfsr(&self) -> u32 {
        self.dfsr
    }
    /// DFSR: write 1 to clear.
    pub fn write_dfsr(&mut self, value: u32) {
        self.dfsr &= !value;
    }
    /// DCRDR.
    pub fn read_dcrdr(&self) -> u32 {
        self.dcrdr
    }
    /// Writes DCRDR.
    pub fn write_dcrdr(&mut self, value: u32) {
        self.dcrdr = value;
    }
    /// DCRSR: asks for a register transfer.
    pub fn write_dcrsr(&mut self, value: u32) {
        self.register_ready = false;
        self.transfer = Some(RegisterTransfer {
            selector: (value & 0x7F) as u8,
            write: value & (1 << 16) != 0,
        });
    }
    /// The transfer asked for, once; only a halted core carries it out.
    pub fn take_transfer(&mut self) -> Option<RegisterTransfer> {
        if self.halted {
            self.transfer.take()
        } else {
            None
        }
    }
    /// The transfer is done; a read left `value`.
    pub fn transfer_done(&mut self, value: Option<u32>) {
        if let Some(value) = value {
            self.dcrdr = value;
        }
        self.register_ready = true;
    }
}
