//! The boot watch: two comparators of the DWT that notice whether the core executes one address, without halting it.

use super::Link;
use super::error::LinkError;
use super::registers::*;
use crate::address::Address;

const COMPARATORS: [u32; 2] = [BOOT_WATCH_COMPARATOR, BOOT_WATCH_SPARE];

/// Notices whether the core executes one address after the reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BootWatch {
    /// The instruction, such as the image's reset handler (bit 0 is ignored).
    pub address: Address,
}

/// What the comparator says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatchState {
    /// The address was executed since the watch was armed or last asked.
    Matched,
    /// It was not.
    Waiting,
    /// Software has turned the comparator, or the whole unit, off: it says nothing any more.
    Taken,
}

impl dyn Link + '_ {
    pub(super) fn arm(&mut self, watch: BootWatch) -> Result<(), LinkError> {
        for n in COMPARATORS {
            self.write_word(dwt_comp(n), watch.address.get() & !1)?;
            self.write_word(dwt_mask(n), 0)?;
            self.write_word(dwt_function(n), DWT_FUNCTION_PC_CMPMATCH)?;
            // Clears a match that is left over.
            self.read_word(dwt_function(n))?;
        }
        Ok(())
    }

    /// Whether the watched address was executed. Asking clears it.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn boot_watch(&mut self) -> Result<WatchState, LinkError> {
        self.comparator(BOOT_WATCH_COMPARATOR)
    }

    /// The same by the second comparator, which nobody has asked yet: reading the first one clears its match, and a
    /// read whose answer was damaged on the wire has cleared it as well.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn spare_boot_watch(&mut self) -> Result<WatchState, LinkError> {
        // some cores give the last value even without TRCENA
        if !self.is_tracing()? {
            return Ok(WatchState::Taken);
        }
        self.comparator(BOOT_WATCH_SPARE)
    }

    fn is_tracing(&mut self) -> Result<bool, LinkError> {
        Ok(self.read_word(DEMCR)? & DEMCR_TRCENA != 0)
    }

    fn comparator(&mut self, n: u32) -> Result<WatchState, LinkError> {
        let function = self.read_word(dwt_function(n))?;
        let armed = function & DWT_FUNCTION_MASK == DWT_FUNCTION_PC_CMPMATCH;
        let matched = function & DWT_FUNCTION_MATCHED != 0;
        if armed && !matched {
            return Ok(WatchState::Waiting);
        }
        // Without TRCENA what was read means nothing (ARMv7-M ARM, DEMCR).
        Ok(if armed && self.is_tracing()? {
            WatchState::Matched
        } else {
            WatchState::Taken
        })
    }

    /// Takes the watch away from a running image: its comparators, unless software has taken them for itself, and
    /// TRCENA, unless something of DWT or ITM is in use. Programs wait by the cycle counter, and would wait for ever.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn disarm(&mut self, watch: BootWatch) -> Result<(), LinkError> {
        let demcr = self.read_word(DEMCR)?;
        if demcr & DEMCR_TRCENA == 0 {
            return Ok(());
        }
        let mut in_use = self.read_word(DWT_CTRL)? & DWT_CTRL_ENABLES != 0
            || self.read_word(ITM_TCR)? & ITM_TCR_ITMENA != 0;
        for n in 0..DWT_COMPARATORS {
            let function = self.read_word(dwt_function(n))? & DWT_FUNCTION_MASK;
            let is_ours = COMPARATORS.contains(&n)
                && function == DWT_FUNCTION_PC_CMPMATCH
                && self.read_word(dwt_comp(n))? == watch.address.get() & !1;
            if is_ours {
                self.write_word(dwt_function(n), 0)?;
            } else {
                in_use |= function != 0;
            }
        }
        if in_use {
            return Ok(());
        }
        self.write_word(DEMCR, demcr & !DEMCR_TRCENA)
    }
}
