//! The bus together with what every wait must do: keep time, serve watchdogs, beat.

use crate::bus::Bus;
use crate::registers::{ccm, gpt2};
use crate::watchdog::Watchdogs;

/// Ticks of the time base in a microsecond: GPT2 counts the 24 MHz crystal, whatever the core's clock is.
pub const TICKS_PER_US: u32 = 24;

/// What a wait loop must also do, besides the watchdogs.
pub trait Duty {
    /// Called in every round of every wait with the present time in ticks.
    fn beat(&mut self, now: u32);
    /// True once the work should end at the next safe point.
    fn wants_end(&self) -> bool;
}

/// Bus, watchdogs and duty.
pub struct Machine<B, D> {
    /// The system bus.
    pub bus: B,
    /// What every wait must also do.
    pub duty: D,
    /// The watchdogs that stayed on.
    pub watchdogs: Watchdogs,
}

/// A limit that runs from its making.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    start: u32,
    ticks: u32,
}

impl<B: Bus, D: Duty> Machine<B, D> {
    /// Starts the time base and turns the watchdogs off where they let themselves be.
    pub fn start(mut bus: B, duty: D) -> Self {
        // The gate first: a register of a gated block does not answer.
        bus.modify32(ccm::CCGR0, 0, ccm::CCGR0_GPT2);
        bus.write32(gpt2::CR, 0);
        bus.write32(gpt2::IR, 0);
        bus.write32(gpt2::PR, 0);
        let configuration =
            gpt2::CR_CLKSRC_CRYSTAL | gpt2::CR_EN_24M | gpt2::CR_FRR | gpt2::CR_ENMOD;
        bus.write32(gpt2::CR, configuration);
        bus.write32(gpt2::CR, configuration | gpt2::CR_EN);
        let watchdogs = Watchdogs::stop(&mut bus);
        Machine {
            bus,
            duty,
            watchdogs,
        }
    }

    /// The time in ticks; wraps after 179 s.
    pub fn now(&mut self) -> u32 {
        self.bus.read32(gpt2::CNT)
    }

    /// A limit of `us` microseconds from now, 170 s at most.
    pub fn deadline(&mut self, us: u32) -> Deadline {
        const MOST: u32 = 170_000_000 * TICKS_PER_US;
        let ticks = match us.checked_mul(TICKS_PER_US) {
            Some(ticks) if ticks < MOST => ticks,
            _ => MOST,
        };
        Deadline {
            start: self.now(),
            ticks,
        }
    }

    /// True once the limit is over.
    pub fn is_over(&mut self, deadline: Deadline) -> bool {
        self.now().wrapping_sub(deadline.start) > deadline.ticks
    }

    /// One round of a wait: watchdogs, duty, then the hint that only time is missing.
    pub fn idle(&mut self) {
        self.attend();
        self.bus.yield_hint();
    }

    /// Watchdogs and duty, without the hint: between pieces of work.
    pub fn attend(&mut self) {
        self.watchdogs.service(&mut self.bus);
        let now = self.now();
        self.duty.beat(now);
    }

    /// Lets `us` microseconds pass.
    pub fn pause(&mut self, us: u32) {
        let deadline = self.deadline(us);
        while !self.is_over(deadline) {
            self.idle();
        }
    }
}
