//! SWDIO and SWCLK as the target sees them: switch sequences, line reset, requests, acknowledgements, data phases.

use super::debug_port::{Ack, DebugPort, PortIds, Request};
use super::faults::Disturbance;
use super::lies::{Lies, Lying};
use super::{ApTarget, IoItem, WireFaults};

/// A line reset is at least this many clocks high (ADIv5 B4.3.3).
const LINE_RESET_CLOCKS: u32 = 50;
/// and then at least this many clocks low before the first request.
const IDLE_AFTER_RESET_CLOCKS: u32 = 2;

const SWITCH_BITS: u32 = 16;
/// JTAG-to-SWD and SWD-to-JTAG selection, first bit lowest (ADIv5 B5.2.1, B5.2.2).
const JTAG_TO_SWD: u32 = 0xE79E;
const SWD_TO_JTAG: u32 = 0xE73C;

const REQUEST_BITS: u32 = 8;
const ACK_BITS: u32 = 3;
/// 32 data bits and the parity bit.
const DATA_BITS: u32 = 33;
const PARITY: u64 = 1 << 32;

/// What has gone over the wire since the board was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// SWCLK periods.
    pub clocks: u64,
    /// Well-formed requests, answered or not.
    pub transfers: u64,
    /// Transfers answered with WAIT.
    pub waits: u64,
    /// Transfers answered with FAULT.
    pub faults: u64,
    /// Malformed requests, and well-formed ones that got no answer.
    pub unanswered: u64,
    /// Transfers in which a bit arrived inverted.
    pub disturbed: u64,
}

/// Accesses of the access port to the chip's memory since the board was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryCounts {
    /// Reads.
    pub reads: u64,
    /// Writes.
    pub writes: u64,
    /// Those to which a fault made a difference.
    pub strikes: u64,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    /// After power-on or an SWD-to-JTAG switch: waits for the JTAG-to-SWD switch.
    Jtag,
    /// After a protocol error: waits for a line reset.
    Lost,
    /// In a line reset, or in the low clocks after it.
    Reset {
        low: u32,
    },
    /// Between transfers.
    Idle,
    Request {
        bits: u32,
        count: u32,
    },
    Transfer(Transfer),
}

#[derive(Clone, Copy, Debug)]
struct Transfer {
    request: Request,
    ack: Ack,
    /// Clocks since the park bit.
    clock: u32,
    turnaround: u32,
    data_phase: bool,
    /// Data and parity: to be sent (read) or received so far (write).
    data: u64,
    disturbance: Disturbance,
}

/// The SWJ-DP's wire side with everything behind it up to the bus.
#[derive(Debug)]
pub struct SwDp {
    port: DebugPort,
    phase: Phase,
    /// DPIDR has not been read since the last line reset.
    unidentified: bool,
    /// Clocks high in a row.
    high: u32,
    /// The bits after a line reset, for the switch sequences: bits, count.
    switch: Option<(u32, u32)>,
    faults: WireFaults,
    /// What the probe clocks at; 0 before it said so. Only faults depend on it.
    swclk_khz: u32,
    counts: Counts,
    lies: Lies,
}

impl Default for SwDp {
    fn default() -> Self {
        SwDp::new()
    }
}

impl SwDp {
    /// The port as power-on leaves it: in JTAG mode, debug domain not powered up.
    pub fn new() -> Self {
        SwDp {
            port: DebugPort::new(),
            phase: Phase::Jtag,
            unidentified: true,
            high: 0,
            switch: None,
            faults: WireFaults::default(),
            swclk_khz: 0,
            counts: Counts::default(),
            lies: Lies::default(),
        }
    }

    /// Loses all state but the counts, the faults, the clock and what it says of itself, as a power cycle and POR_B do. SYSRESETREQ and watchdogs do not reach the port
    /// (real boards are reported to drop SWD for a while after them; how long is not settled, and not modelled).
    pub fn power_on(&mut self) {
        let ids = self.port.ids;
        *self = SwDp {
            faults: std::mem::take(&mut self.faults),
            swclk_khz: self.swclk_khz,
            counts: self.counts,
            lies: std::mem::take(&mut self.lies),
            ..SwDp::new()
        };
        self.port.ids = ids;
    }

    /// Makes it the debug port of another chip.
    pub fn set_ids(&mut self, ids: PortIds) {
        self.port.ids = ids;
    }

    /// The faults of the wire, to be set by a test.
    pub fn faults_mut(&mut self) -> &mut WireFaults {
        &mut self.faults
    }

    /// The frequency that the probe clocks at from now on.
    pub fn set_swclk_khz(&mut self, khz: u32) {
        self.swclk_khz = khz;
    }

    /// What has gone over the wire.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// What the access port did.
    pub fn memory_counts(&self) -> MemoryCounts {
        MemoryCounts {
            reads: self.lies.reads,
            writes: self.lies.writes,
            strikes: self.lies.strikes,
        }
    }

    /// Clocks `items` and appends one level per item, as a J-Link returns them.
    ///
    /// The target changes SWDIO at the rising edge of SWCLK, and a J-Link samples after that edge. So a sample shows
    /// what a probe that samples *at* the edge, as ADIv5 draws it, sees one clock later: the first ACK bit stands in
    /// the turnaround clock. probe-rs relies on it.
    pub fn io(&mut self, items: &[IoItem], target: &mut dyn ApTarget, out: &mut Vec<bool>) {
        out.reserve(items.len());
        for item in items {
            let level = match *item {
                IoItem::Drive(level) => {
                    self.clock(Some(level), target);
                    level
                }
                IoItem::Sample => self.clock(None, target),
            };
            out.push(level);
        }
    }

    /// One SWCLK period in which the probe drives `driven`. Returns the line's level after the rising edge where the
    /// probe does not drive.
    pub fn clock(&mut self, driven: Option<bool>, target: &mut dyn ApTarget) -> bool {
        let begun = self.counts.transfers.checked_sub(1);
        let cut = self.faults.cut_at_clock(self.counts.clocks)
            || begun.is_some_and(|transfer| self.faults.cut_at_transfer(transfer));
        // The clocks go on while the cable is cut: they say what the probe did.
        self.counts.clocks += 1;
        if cut {
            self.phase = Phase::Lost;
            return true;
        }
        // Undriven, the line is pulled high.
        let level = driven.unwrap_or(true);
        if self.driving() {
            self.high = 0;
            self.switch = None;
        } else {
            self.watch(level);
        }
        let (next, drives) = match self.phase {
            Phase::Jtag => (Phase::Jtag, None),
            Phase::Lost => (Phase::Lost, None),
            Phase::Reset { low } => (self.leave_reset(low, level), None),
            Phase::Idle if level => (Phase::Request { bits: 1, count: 1 }, None),
            Phase::Idle => (Phase::Idle, None),
            Phase::Request { bits, count } => (
                self.request_bit(bits | (u32::from(level) << count), count + 1, target),
                None,
            ),
            Phase::Transfer(transfer) => self.transfer_clock(transfer, level, target),
        };
        self.phase = next;
        drives.unwrap_or(true)
    }

    /// Whether the target drives the line before this clock's edge.
    fn driving(&self) -> bool {
        let Phase::Transfer(t) = self.phase else {
            return false;
        };
        let first = t.turnaround;
        let end = first
            + ACK_BITS
            + if t.request.read && t.data_phase {
                DATA_BITS
            } else {
                0
            };
        (first..end).contains(&t.clock)
    }

    /// Looks for line resets and the switch sequences, whatever the phase.
    fn watch(&mut self, level: bool) {
        if let Some((bits, count)) = self.switch.take() {
            self.switch_bit(bits, count, level);
        } else if !level && self.high >= LINE_RESET_CLOCKS {
            self.switch_bit(0, 0, level);
        }
        self.high = if level {
            self.high.saturating_add(1)
        } else {
            0
        };
        if self.high == LINE_RESET_CLOCKS && !matches!(self.phase, Phase::Jtag) {
            self.phase = Phase::Reset { low: 0 };
            self.unidentified = true;
            self.port.line_reset();
        }
    }

    fn switch_bit(&mut self, bits: u32, count: u32, level: bool) {
        let bits = bits | (u32::from(level) << count);
        if count + 1 < SWITCH_BITS {
            self.switch = Some((bits, count + 1));
            return;
        }
        match bits {
            JTAG_TO_SWD => self.phase = Phase::Lost,
            SWD_TO_JTAG => self.phase = Phase::Jtag,
            _ => {}
        }
    }

    fn leave_reset(&mut self, low: u32, level: bool) -> Phase {
        match (level, low) {
            (false, _) if low + 1 >= IDLE_AFTER_RESET_CLOCKS => Phase::Idle,
            (false, _) => Phase::Reset { low: low + 1 },
            (true, 0) => Phase::Reset { low: 0 },
            // A start bit before the line was idle.
            (true, _) => self.protocol_error(),
        }
    }

    fn protocol_error(&mut self) -> Phase {
        self.counts.unanswered += 1;
        Phase::Lost
    }

    fn request_bit(&mut self, bits: u32, count: u32, target: &mut dyn ApTarget) -> Phase {
        if count < REQUEST_BITS {
            return Phase::Request { bits, count };
        }
        let Some(request) = decode(bits) else {
            return self.protocol_error();
        };
        let number = self.counts.transfers;
        self.counts.transfers += 1;
        if self.faults.cut_at_transfer(number)
            || self.faults.closed_port
            || !target.port_open()
            || !DebugPort::defined(request)
            || (self.unidentified && !request.is_dpidr_read())
        {
            return self.protocol_error();
        }
        self.unidentified = false;
        let turnaround = self.port.turnaround_clocks();
        let waits = self.faults.waits(number);
        let disturbance = self.faults.disturbance(number, self.swclk_khz);
        self.counts.disturbed += u64::from(disturbance != Disturbance::default());
        let mut target = Lying {
            target,
            faults: &self.faults,
            lies: &mut self.lies,
        };
        let ack = self.port.acknowledge(request, waits, &mut target);
        match ack {
            Ack::Ok => {}
            Ack::Wait => self.counts.waits += 1,
            Ack::Fault => self.counts.faults += 1,
        }
        let data = if request.read && ack == Ack::Ok {
            with_parity(self.port.read(request, &mut target))
        } else {
            0
        };
        Phase::Transfer(Transfer {
            request,
            ack,
            clock: 0,
            turnaround,
            data_phase: ack == Ack::Ok || self.port.overrun_detection(),
            data,
            disturbance,
        })
    }

    /// One clock after the park bit. Gives the next phase and what the target drives after the edge.
    fn transfer_clock(
        &mut self,
        mut t: Transfer,
        level: bool,
        target: &mut dyn ApTarget,
    ) -> (Phase, Option<bool>) {
        let clock = t.clock;
        t.clock += 1;
        // The target starts to drive at the last edge of the turnaround.
        let ack_start = t.turnaround - 1;
        let ack_end = ack_start + ACK_BITS;
        if clock < ack_start {
            return (Phase::Transfer(t), None);
        }
        if clock < ack_end {
            let bits = t.ack as u32 ^ t.disturbance.acknowledge;
            let bit = (bits >> (clock - ack_start)) & 1 == 1;
            return (Phase::Transfer(t), Some(bit));
        }
        if t.request.read || !t.data_phase {
            let data_bits = if t.data_phase { DATA_BITS } else { 0 };
            let data_end = ack_end + data_bits;
            if clock < data_end {
                // With overrun detection a WAIT or FAULT has a data phase, in which nobody need drive.
                let bit = t.ack == Ack::Ok;
                let bit =
                    bit.then_some(((t.data ^ t.disturbance.data) >> (clock - ack_end)) & 1 == 1);
                return (Phase::Transfer(t), bit);
            }
            // One clock in which the probe samples the last bit, then the turnaround.
            let last = data_end + t.turnaround;
            return (
                if clock < last {
                    Phase::Transfer(t)
                } else {
                    Phase::Idle
                },
                None,
            );
        }
        let data_start = ack_end + 1 + t.turnaround;
        if clock >= data_start {
            t.data |= u64::from(level) << (clock - data_start);
            if clock + 1 == data_start + DATA_BITS {
                self.written(t, target);
                return (Phase::Idle, None);
            }
        }
        (Phase::Transfer(t), None)
    }

    fn written(&mut self, t: Transfer, target: &mut dyn ApTarget) {
        if t.ack != Ack::Ok {
            return;
        }
        let data = t.data ^ t.disturbance.data;
        let value = (data & u64::from(u32::MAX)) as u32;
        if with_parity(value) == data {
            let mut target = Lying {
                target,
                faults: &self.faults,
                lies: &mut self.lies,
            };
            self.port.write(t.request, value, &mut target);
        } else {
            self.port.write_data_error();
        }
    }
}

/// `value` with its even-parity bit at bit 32.
fn with_parity(value: u32) -> u64 {
    let parity = if value.count_ones() % 2 == 1 {
        PARITY
    } else {
        0
    };
    u64::from(value) | parity
}

/// Decodes start, APnDP, RnW, A[2:3], parity, stop, park; `None` where parity, stop or park is wrong.
fn decode(bits: u32) -> Option<Request> {
    let bit = |n: u32| (bits >> n) & 1 == 1;
    let parity = ((bits >> 1) & 0xF).count_ones() % 2 == 1;
    let well_formed = bit(0) && bit(5) == parity && !bit(6) && bit(7);
    well_formed.then_some(Request {
        ap: bit(1),
        read: bit(2),
        address: (u8::from(bit(3)) << 2) | (u8::from(bit(4)) << 3),
    })
}
