//! Control of the core whatever runs on it, one step after the other, and leaving it without a trace of a debugger.
//!
//! The steps: a caught reset, as usual; where the bus answers WAIT or the core was not caught, a halt request that stands
//! until the core wakes up, each try begun by giving up the access that hangs (DAPABORT), and the caught reset again. The
//! reset pin comes before all of this, where [`super::Choice::connect_under_reset`] allows it: firmware may have turned
//! SWD off. What was needed stands in [`Link::retries`].

use std::time::Duration;

use crate::address::Address;
use crate::clock::Deadline;

use super::Link;
use super::error::LinkError;
use super::registers::*;

/// How long a halt request waits for a sleeping core. Firmware that sleeps wakes up for its next timer, and an access
/// that hangs on the bus ends then, however short the core is awake.
const WAKE_LIMIT: Duration = Duration::from_secs(3);

impl dyn Link + '_ {
    /// Resets the chip, halts it in the boot ROM and makes RAM safe to run code from: MPU and both caches off. What
    /// another debugger left in the debug units goes first: its breakpoints would stop boot ROM and algorithm.
    ///
    /// The ROM runs with caches on, and the AHB-AP writes past them: without this the core may fetch what was in the
    /// cache while a read-back by the probe looks right.
    ///
    /// # Errors
    /// [`LinkError`]. Where the board still answers it runs on without a debugger.
    pub fn take_over(&mut self) -> Result<(), LinkError> {
        let taken = match self.clean_caught_reset() {
            Err(error) if may_be_stopped_otherwise(&error) => self
                .halt_when_awake(why(&error))
                .and_then(|()| self.clean_caught_reset()),
            result => result,
        };
        if let Err(error) = taken {
            if !matches!(error, LinkError::Asleep { .. }) {
                // the error that counts is the first one
                let _ = self.let_go();
            }
            return Err(error);
        }
        let ready = self.make_ram_safe();
        if ready.is_err() {
            let _ = self.let_go();
        }
        ready
    }

    fn make_ram_safe(&mut self) -> Result<(), LinkError> {
        self.write_word(MPU_CTRL, 0)?;
        let ccr = self.read_word(CCR)?;
        self.write_word(CCR, ccr & !(CCR_DC | CCR_IC))
    }

    fn clean_caught_reset(&mut self) -> Result<(), LinkError> {
        self.write_in_order(&debug_units_off(0))?;
        self.caught_reset()
    }

    /// Halts a core that sleeps with its bus clock off as soon as it wakes up. `why` stands in the record.
    ///
    /// # Errors
    /// [`LinkError::Asleep`] where it does not wake up; [`LinkError::NotHalted`].
    pub fn halt_when_awake(&mut self, why: &'static str) -> Result<(), LinkError> {
        self.note_retry("the halt request was kept up until the core was awake", why);
        let deadline = Deadline::after(self.clock(), WAKE_LIMIT);
        loop {
            match self.halt() {
                Err(LinkError::Asleep { .. }) if !deadline.is_over(self.clock()) => {}
                result => return result,
            }
        }
    }

    /// Lets the core go on and turns halting debug, watchpoints and breakpoints off, for a board that was only looked at.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn let_go(&mut self) -> Result<(), LinkError> {
        self.write_in_order(&debug_units_off(0))?;
        self.write_word(DHCSR, DHCSR_DBGKEY)
    }
}

/// The writes that turn every breakpoint, watchpoint and catch off, and leave `demcr` in DEMCR. As blocks, which cost few
/// transactions: DCRDR stands before DEMCR, FP_REMAP between FP_CTRL and the comparators.
pub(super) fn debug_units_off(demcr: u32) -> Vec<(Address, Vec<u32>)> {
    let mut breakpoints = vec![FP_CTRL_KEY, 0];
    breakpoints.extend([0; FP_COMPARATORS]);
    // without TRCENA the DWT takes no writes
    let mut pieces = vec![(DCRDR, vec![0, DEMCR_TRCENA]), (FP_CTRL, breakpoints)];
    pieces.extend((0..DWT_COMPARATORS).map(|n| (dwt_comp(n), vec![0; 3])));
    pieces.push((DCRDR, vec![0, demcr]));
    pieces
}

fn may_be_stopped_otherwise(error: &LinkError) -> bool {
    matches!(
        error,
        LinkError::Asleep { .. } | LinkError::NotCaught { .. } | LinkError::NotHalted { .. }
    )
}

fn why(error: &LinkError) -> &'static str {
    match error {
        LinkError::Asleep { .. } => "the bus answered WAIT: the core sleeps with its clock off",
        _ => "the boot ROM was not caught after a reset",
    }
}
