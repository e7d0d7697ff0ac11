//! The host's lease and the sign of life: what the server's waits must also do.

use crate::machine::{Duty, TICKS_PER_US};
use mailbox::fault::Fault;
use mailbox::layout;
use mailbox::status::{self, ServerState};
use mailbox::words::Words;

/// The target's side of the mailbox's live words.
pub struct Lease<W> {
    /// The mailbox area.
    pub words: W,
    alive: u32,
    seen: u32,
    renewed: u32,
    ticks: u32,
    lost: bool,
    faults: u32,
}

impl<W: Words> Lease<W> {
    /// The lease runs from the first beat on; one of [`u32::MAX`] ms, or of more than 178 s, never runs out.
    pub fn new(words: W, lease_ms: u32) -> Self {
        let seen = words.load(layout::HOST_LEASE);
        let ticks = lease_ms.saturating_mul(1000).saturating_mul(TICKS_PER_US);
        Lease {
            words,
            alive: 0,
            seen,
            renewed: 0,
            ticks,
            lost: false,
            faults: 0,
        }
    }

    /// Says what the server is doing.
    pub fn set_state(&mut self, state: ServerState) {
        self.words.store(status::AT_STATE, state.word());
    }

    /// Puts the first fault into the fault line; later ones stand in their results only.
    pub fn set_fault(&mut self, sequence: u32, fault: &Fault) {
        if self.faults == 0 {
            let Fault {
                code,
                stage,
                address,
                expected,
                found,
            } = *fault;
            let line = [
                sequence,
                code.word(),
                stage.word(),
                address,
                expected,
                found,
            ];
            self.words.store_all(status::AT_FAULT_LINE, &line);
            self.words.order();
        }
        self.faults = self.faults.wrapping_add(1);
        self.words.store(status::AT_FAULTS, self.faults);
    }

    /// Empties the fault line.
    pub fn clear_fault(&mut self) {
        self.faults = 0;
        self.words.store(status::AT_FAULTS, 0);
    }

    /// True if a fault stands.
    pub fn has_fault(&self) -> bool {
        self.faults != 0
    }

    /// True once the lease has run out.
    pub fn is_lost(&self) -> bool {
        self.lost
    }
}

impl<W: Words> Duty for Lease<W> {
    fn beat(&mut self, now: u32) {
        if self.alive == 0 {
            self.renewed = now;
        }
        // Never back to zero: that would look like the first beat.
        self.alive = self.alive.wrapping_add(1).max(1);
        self.words.store(status::AT_ALIVE, self.alive);
        let lease = self.words.load(layout::HOST_LEASE);
        if lease != self.seen {
            self.seen = lease;
            self.renewed = now;
        } else if self.ticks != u32::MAX && now.wrapping_sub(self.renewed) > self.ticks {
            self.lost = true;
        }
    }

    fn wants_end(&self) -> bool {
        self.lost
    }
}
