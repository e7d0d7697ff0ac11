//! What can go wrong on the wire, as data: a test sets it, the line obeys.

use std::ops::Range;

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

/// A contact that is good for slow clocks only: a long cable, a missing ground, a worn spring pin.
///
/// Below its limit nothing happens. Above it one transfer in 32 is disturbed, which ones and how is drawn from `seed`: one bit
/// of the acknowledge, or one bit of the data or its parity, or two neighbours of them, which parity does not show. That
/// real contacts fail at one clock and at such a rate is an assumption; a test needs no more than that they fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadContact {
    /// The fastest SWCLK that does no harm, in kHz.
    pub good_khz: u32,
    /// Draws the transfers and bits; the same seed, the same disturbance.
    pub seed: u64,
}

impl BadContact {
    const ONE_TRANSFER_IN: u64 = 32;
    const ONE_IN_ACK_OF: u64 = 4;
    const ONE_TWICE_OF: u64 = 8;
    const ACK_BITS: u64 = 3;
    const DATA_BITS: u64 = 33;

    fn disturbance(self, transfer: u64) -> Disturbance {
        let mut state = self.seed ^ transfer.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut below = |limit: u64| {
            state = split_mix(state);
            // the upper half, of which all bits are good; a draw of few values out of 2^32 is even enough
            (state >> 32) % limit
        };
        let mut disturbance = Disturbance::default();
        if below(Self::ONE_TRANSFER_IN) != 0 {
            return disturbance;
        }
        if below(Self::ONE_IN_ACK_OF) == 0 {
            disturbance.acknowledge = 1 << below(Self::ACK_BITS);
        } else if below(Self::ONE_TWICE_OF) == 0 {
            disturbance.data = 0b11 << below(Self::DATA_BITS - 1);
        } else {
            disturbance.data = 1 << below(Self::DATA_BITS);
        }
        disturbance
    }
}

/// The step and mix of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
const fn split_mix(state: u64) -> u64 {
    let z = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Bits that the wire inverts in one transfer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Disturbance {
    /// Of the acknowledge, first bit lowest.
    pub(super) acknowledge: u32,
    /// Of the data phase, bit 32 being the parity.
    pub(super) data: u64,
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
    /// Bits inverted at random while SWCLK is too fast for the contact.
    pub bad_contact: Option<BadContact>,
    /// Memory reads, numbered from 0 as the access port makes them, that give what the last read of the same address gave:
    /// a probe, a hub or a driver that delivers an old answer again. An address that was not read before is read truly.
    pub replayed_reads: Vec<Range<u64>>,
    /// Memory writes, numbered likewise, that are acknowledged and never done: a packet lost behind its acknowledgement.
    pub lost_writes: Vec<Range<u64>>,
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

    /// The bits to invert in this transfer at this SWCLK.
    pub(super) fn disturbance(&self, transfer: u64, swclk_khz: u32) -> Disturbance {
        let contact = self
            .bad_contact
            .filter(|contact| swclk_khz > contact.good_khz);
        let mut disturbance = contact.map_or_else(Disturbance::default, |contact| {
            contact.disturbance(transfer)
        });
        for flip in &self.flipped_bits {
            if flip.transfer == transfer && flip.bit <= 32 {
                disturbance.data ^= 1 << flip.bit;
            }
        }
        disturbance
    }
}
