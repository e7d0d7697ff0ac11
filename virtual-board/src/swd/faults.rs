//! What can go wrong on the wire, as data: a test sets it, the line obeys.

/// WAIT answers that no access caused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitStorm {
    /// The first transfer that is answered with WAIT.
    pub from: u64,
    /// How many transfers are.
    pub transfers: u64,
}

/// One bit that arrives inverted, at the probe (read) or at the target (write).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlippedBit {
    /// The transfer.
    pub transfer: u64,
    /// The data bit, 0 to 31; 32 is the parity bit.
    pub bit: u32,
}

/// Faults of the wire. Transfers are numbered as [`super::Counts::transfers`] counts them, from 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WireFaults {
    /// The cable is cut before the answer of this transfer: from then on the target sees no clock, the probe no answer.
    pub cable_cut_at: Option<u64>,
    /// The cable is cut at this SWCLK period (as [`super::Counts::clocks`] counts them).
    pub cable_cut_at_clock: Option<u64>,
    /// Answers WAIT without cause. The three accesses that never wait (DPIDR and CTRL/STAT reads, ABORT writes) do not.
    pub wait_storm: Option<WaitStorm>,
    /// Bits inverted between target and probe.
    pub flipped_bits: Vec<FlippedBit>,
    /// The port gives no answer to any request.
    pub closed_port: bool,
}

impl WireFaults {
    /// Whether the cable is cut at this transfer or was before.
    pub(super) fn cut_at_transfer(&self, transfer: u64) -> bool {
        self.cable_cut_at.is_some_and(|at| transfer >= at)
    }

    /// Whether the cable is cut at this clock or was before.
    pub(super) fn cut_at_clock(&self, clock: u64) -> bool {
        self.cable_cut_at_clock.is_some_and(|at| clock >= at)
    }

    /// Whether this transfer is answered with WAIT.
    pub(super) fn waits(&self, transfer: u64) -> bool {
        self.wait_storm
            .is_some_and(|storm| transfer >= storm.from && transfer - storm.from < storm.transfers)
    }

    /// The bits to invert in the data phase of this transfer, bit 32 being the parity.
    pub(super) fn flips(&self, transfer: u64) -> u64 {
        self.flipped_bits
            .iter()
            .filter(|flip| flip.transfer == transfer && flip.bit <= 32)
            .fold(0, |mask, flip| mask ^ (1 << flip.bit))
    }
}
