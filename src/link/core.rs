//! The Cortex-M7 through any link: halt, run, core registers, letting the board go by a reset.

use std::time::Duration;

use crate::address::Address;
use crate::clock::Deadline;

use super::Link;
use super::boot_watch::BootWatch;
use super::error::LinkError;
use super::ladder::debug_units_off;
use super::registers::*;

/// How long a halt request or a register transfer may take. The core needs some clocks, and it has at least the 32 kHz
/// of a sleeping chip.
const CORE_TIMEOUT: Duration = Duration::from_millis(100);

/// A core register, as DCRSR.REGSEL numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoreRegister {
    /// R0 to R12.
    R(u8),
    /// Link register.
    Lr,
    /// Where the core goes on when it runs.
    Pc,
    /// Program status.
    Xpsr,
    /// Main stack pointer.
    Msp,
    /// CONTROL, FAULTMASK, BASEPRI, PRIMASK, from the highest byte to the lowest.
    Special,
}

impl CoreRegister {
    const fn selector(self) -> u32 {
        match self {
            CoreRegister::R(n) => n as u32,
            CoreRegister::Lr => 14,
            CoreRegister::Pc => 15,
            CoreRegister::Xpsr => 16,
            CoreRegister::Msp => 17,
            CoreRegister::Special => 20,
        }
    }
}

/// What the core does, from DHCSR.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoreState {
    /// Halted by the debugger.
    Halted,
    /// Stopped by a fault in a fault.
    LockedUp,
    /// In WFI or WFE.
    Asleep,
    /// Executing.
    Running,
}

impl CoreState {
    /// By a value of DHCSR.
    pub const fn of(dhcsr: u32) -> Self {
        match dhcsr {
            _ if dhcsr & DHCSR_S_HALT != 0 => CoreState::Halted,
            _ if dhcsr & DHCSR_S_LOCKUP != 0 => CoreState::LockedUp,
            _ if dhcsr & DHCSR_S_SLEEP != 0 => CoreState::Asleep,
            _ => CoreState::Running,
        }
    }
}

/// How code in RAM is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// First instruction (bit 0 is ignored).
    pub entry: Address,
    /// Main stack pointer.
    pub stack: Address,
    /// Vector table for the code's own faults.
    pub vector_table: Address,
    /// R0, the code's argument.
    pub argument: u32,
}

impl dyn Link + '_ {
    /// Reads one word.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn read_word(&mut self, address: Address) -> Result<u32, LinkError> {
        let mut word = [0];
        self.read(address, &mut word)?;
        Ok(word[0])
    }

    /// Writes one word.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn write_word(&mut self, address: Address, word: u32) -> Result<(), LinkError> {
        self.write(address, &[word])
    }

    /// What the core does now.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn core_state(&mut self) -> Result<CoreState, LinkError> {
        self.read_word(DHCSR).map(CoreState::of)
    }

    /// Stops the core.
    ///
    /// # Errors
    /// [`LinkError::NotHalted`] where it does not stop.
    pub fn halt(&mut self) -> Result<(), LinkError> {
        self.write_word(DHCSR, DHCSR_DBGKEY | DHCSR_C_DEBUGEN | DHCSR_C_HALT)?;
        let (dhcsr, done) = self.poll_dhcsr(DHCSR_S_HALT)?;
        let milliseconds = CORE_TIMEOUT.as_millis();
        if done {
            Ok(())
        } else {
            Err(LinkError::NotHalted {
                milliseconds,
                dhcsr,
            })
        }
    }

    /// Lets the core go on; halting debug stays on.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn run(&mut self) -> Result<(), LinkError> {
        self.write_word(DHCSR, DHCSR_DBGKEY | DHCSR_C_DEBUGEN)
    }

    /// Reads a core register. The core must be halted.
    ///
    /// # Errors
    /// [`LinkError::RegisterNotReady`] where the core does not give it.
    pub fn core_register(&mut self, register: CoreRegister) -> Result<u32, LinkError> {
        let selector = register.selector();
        self.write_word(DCRSR, selector)?;
        self.register_ready(selector)?;
        self.read_word(DCRDR)
    }

    /// Writes a core register. The core must be halted.
    ///
    /// # Errors
    /// [`LinkError::RegisterNotReady`] where the core does not take it.
    pub fn set_core_register(
        &mut self,
        register: CoreRegister,
        value: u32,
    ) -> Result<(), LinkError> {
        let selector = register.selector();
        self.write_word(DCRDR, value)?;
        self.write_word(DCRSR, DCRSR_REG_WNR | selector)?;
        self.register_ready(selector)
    }

    /// Starts code in RAM on a halted core: thread mode, privileged, main stack, interrupts masked.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn start(&mut self, start: Start) -> Result<(), LinkError> {
        self.write_word(VTOR, start.vector_table.get())?;
        for (register, value) in [
            (CoreRegister::Special, SPECIAL_PRIMASK),
            (CoreRegister::Msp, start.stack.get()),
            (CoreRegister::Xpsr, XPSR_T),
            (CoreRegister::Pc, start.entry.get() & !1),
            (CoreRegister::R(0), start.argument),
        ] {
            self.set_core_register(register, value)?;
        }
        self.run()
    }

    /// Resets the chip into its boot ROM with the debugger's hands off, so that it starts as it would from power-on:
    /// reset causes cleared, FlexRAM split back to the fuses, no breakpoint, no catch, halting debug off. After it only
    /// reads are allowed, or the proof is spoilt.
    ///
    /// The flash must be in the state the ROM expects: nothing here resets it.
    ///
    /// # Errors
    /// [`LinkError`]; [`LinkError::TargetLost`] where the debug port does not come back.
    pub fn final_reset(&mut self, watch: Option<BootWatch>) -> Result<(), LinkError> {
        let (srsr, gpr16) = (self.registers().src_srsr, self.registers().iomuxc_gpr16);
        let causes = self.read_word(srsr)?;
        self.write_word(srsr, causes)?;
        let split = self.read_word(gpr16)?;
        self.write_word(gpr16, split & !GPR16_FLEXRAM_BANK_CFG_SEL)?;
        let demcr = watch.map_or(0, |_| DEMCR_TRCENA);
        self.write_in_order(&debug_units_off(demcr))?;
        if let Some(watch) = watch {
            self.arm(watch)?;
        }
        let aircr = self.read_word(AIRCR)?;
        self.write_word(DHCSR, DHCSR_DBGKEY)?;
        let reset = AIRCR_VECTKEY | (aircr & AIRCR_PRIGROUP) | AIRCR_SYSRESETREQ;
        // The chip may drop its debug port, or its bus, before it acknowledges: whatever comes back says nothing. What
        // the core does afterwards tells whether it was reset.
        if let Err(error @ LinkError::ProbeLost { .. }) = self.write_once(AIRCR, reset) {
            return Err(error);
        }
        self.reattach()
    }

    fn register_ready(&mut self, selector: u32) -> Result<(), LinkError> {
        let (_, ready) = self.poll_dhcsr(DHCSR_S_REGRDY)?;
        if ready {
            Ok(())
        } else {
            Err(LinkError::RegisterNotReady { selector })
        }
    }

    /// Reads DHCSR until one of `bits` is set or time is over; gives the last value and whether it was.
    fn poll_dhcsr(&mut self, bits: u32) -> Result<(u32, bool), LinkError> {
        let deadline = Deadline::after(self.clock(), CORE_TIMEOUT);
        loop {
            let dhcsr = self.read_word(DHCSR)?;
            if dhcsr & bits != 0 {
                return Ok((dhcsr, true));
            }
            if deadline.is_over(self.clock()) {
                return Ok((dhcsr, false));
            }
        }
    }
}
