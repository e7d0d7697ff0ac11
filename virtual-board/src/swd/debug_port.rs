//! The registers of the SW-DP (ADIv5 chapter B2, debug port architecture version 1, MINDP).

use super::ApTarget;
use super::mem_ap::{MemAp, Outcome, REG_IDR};

/// What the two ports say of themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortIds {
    /// DPIDR.
    pub dpidr: u32,
    /// IDR of the AHB-AP.
    pub ap_idr: u32,
}

impl Default for PortIds {
    /// SW-DP version 1, MINDP, and AHB-AP, as J-Link and LinkServer logs of this chip show them.
    fn default() -> Self {
        PortIds {
            dpidr: 0x0BD1_1477,
            ap_idr: 0x0477_0041,
        }
    }
}

const DP_DPIDR_ABORT: u8 = 0x0;
const DP_CTRL_STAT: u8 = 0x4;
const DP_SELECT_RESEND: u8 = 0x8;
const DP_RDBUFF: u8 = 0xC;

const ABORT_DAPABORT: u32 = 1 << 0;
const ABORT_STKERRCLR: u32 = 1 << 2;
const ABORT_WDERRCLR: u32 = 1 << 3;
const ABORT_ORUNERRCLR: u32 = 1 << 4;

const CTRL_ORUNDETECT: u32 = 1 << 0;
const CTRL_STICKYORUN: u32 = 1 << 1;
const CTRL_STICKYERR: u32 = 1 << 5;
const CTRL_READOK: u32 = 1 << 6;
const CTRL_WDATAERR: u32 = 1 << 7;
const CTRL_CDBGPWRUPREQ: u32 = 1 << 28;
const CTRL_CDBGPWRUPACK: u32 = 1 << 29;
const CTRL_CSYSPWRUPREQ: u32 = 1 << 30;
const CTRL_CSYSPWRUPACK: u32 = 1 << 31;
/// A MINDP has no transaction counter, no lane mask and no pushed transfers: those fields are RES0.
const CTRL_WRITABLE: u32 = CTRL_ORUNDETECT | CTRL_CDBGPWRUPREQ | CTRL_CSYSPWRUPREQ;

const SELECT_CTRLSEL: u32 = 1 << 0;
const SELECT_APSEL_SHIFT: u32 = 24;

const DLCR_RESET: u32 = 1 << 6;
const DLCR_TURNROUND_SHIFT: u32 = 8;
const DLCR_TURNROUND: u32 = 0b11 << DLCR_TURNROUND_SHIFT;

/// The eight bits that open a transfer, decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) ap: bool,
    pub(super) read: bool,
    /// A[3:2], as a byte address 0, 4, 8 or 0xC.
    pub(super) address: u8,
}

impl Request {
    /// Reads DPIDR: the only request allowed after a line reset.
    pub(super) fn is_dpidr_read(self) -> bool {
        !self.ap && self.read && self.address == DP_DPIDR_ABORT
    }
}

/// The acknowledgement, as its three bits on the wire (first bit lowest).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ack {
    Ok = 0b001,
    Wait = 0b010,
    Fault = 0b100,
}

/// The debug port and the access port behind it.
#[derive(Debug)]
pub(super) struct DebugPort {
    pub(super) ids: PortIds,
    ap: MemAp,
    select: u32,
    /// The writable bits of CTRL/STAT.
    control: u32,
    /// STICKYORUN, STICKYERR, WDATAERR at their places in CTRL/STAT.
    sticky: u32,
    read_ok: bool,
    dlcr: u32,
    /// The result of the last AP read.
    read_buffer: u32,
    /// What RESEND sends again.
    last_read: u32,
    /// The access in progress is a read, so its value goes to the read buffer.
    reading: bool,
}

impl DebugPort {
    pub(super) fn new() -> Self {
        DebugPort {
            ids: PortIds::default(),
            ap: MemAp::new(),
            select: 0,
            control: 0,
            sticky: 0,
            read_ok: false,
            dlcr: DLCR_RESET,
            read_buffer: 0,
            last_read: 0,
            reading: false,
        }
    }

    /// A line reset returns the turnaround to one clock.
    pub(super) fn line_reset(&mut self) {
        self.dlcr = DLCR_RESET;
    }

    /// Clocks of one turnaround.
    pub(super) fn turnaround_clocks(&self) -> u32 {
        ((self.dlcr & DLCR_TURNROUND) >> DLCR_TURNROUND_SHIFT) + 1
    }

    /// Whether a data phase follows every acknowledgement.
    pub(super) fn overrun_detection(&self) -> bool {
        self.control & CTRL_ORUNDETECT != 0
    }

    /// Whether the request exists in this version of the debug port.
    pub(super) fn defined(request: Request) -> bool {
        // Writes at 0xC select a target from version 2 on; before, they are reserved.
        request.ap || request.read || request.address != DP_RDBUFF
    }

    /// Decides the acknowledgement of `request`; `storm` answers WAIT where WAIT may be answered.
    pub(super) fn acknowledge(
        &mut self,
        request: Request,
        storm: bool,
        target: &mut dyn ApTarget,
    ) -> Ack {
        let ack = self.decide(request, storm, target);
        if ack != Ack::Ok && self.overrun_detection() {
            self.sticky |= CTRL_STICKYORUN;
        }
        if request.read && (request.ap || request.address == DP_RDBUFF) {
            self.read_ok = ack == Ack::Ok;
        }
        ack
    }

    fn decide(&mut self, request: Request, storm: bool, target: &mut dyn ApTarget) -> Ack {
        if self.always_answered(request) {
            return Ack::Ok;
        }
        if self.ap.busy() {
            let outcome = self.ap.resume(target);
            self.settle(outcome);
        }
        if self.sticky != 0 {
            return Ack::Fault;
        }
        if storm || self.ap.busy() {
            return Ack::Wait;
        }
        if request.ap && !self.powered(target) {
            self.sticky |= CTRL_STICKYERR;
            return Ack::Fault;
        }
        Ack::Ok
    }

    /// DPIDR and CTRL/STAT reads and ABORT writes get neither WAIT nor FAULT (ADIv5 B4.2).
    fn always_answered(&self, request: Request) -> bool {
        let control = request.address == DP_CTRL_STAT && self.select & SELECT_CTRLSEL == 0;
        !request.ap && (request.address == DP_DPIDR_ABORT || (request.read && control))
    }

    fn powered(&self, target: &dyn ApTarget) -> bool {
        let requested = CTRL_CDBGPWRUPREQ | CTRL_CSYSPWRUPREQ;
        self.control & requested == requested && target.debug_powered()
    }

    /// The data of an acknowledged read. An AP read gives the result of the AP read before it (posted reads).
    pub(super) fn read(&mut self, request: Request, target: &mut dyn ApTarget) -> u32 {
        if request.ap {
            self.last_read = self.read_buffer;
            self.reading = true;
            let outcome = match self.selected_ap() {
                0 if self.ap_register(request) == REG_IDR => Outcome::Done(self.ids.ap_idr),
                0 => self.ap.read(self.ap_register(request), target),
                _ => Outcome::Done(0),
            };
            self.settle(outcome);
            return self.last_read;
        }
        match request.address {
            DP_DPIDR_ABORT => self.ids.dpidr,
            DP_CTRL_STAT if self.select & SELECT_CTRLSEL == 0 => self.ctrl_stat(target),
            DP_CTRL_STAT => self.dlcr,
            DP_SELECT_RESEND => self.last_read,
            _ => {
                self.last_read = self.read_buffer;
                self.last_read
            }
        }
    }

    /// Takes the data of an acknowledged write.
    pub(super) fn write(&mut self, request: Request, value: u32, target: &mut dyn ApTarget) {
        if request.ap {
            self.reading = false;
            let outcome = match self.selected_ap() {
                0 => self.ap.write(self.ap_register(request), value, target),
                _ => Outcome::Done(0),
            };
            self.settle(outcome);
            return;
        }
        match request.address {
            DP_DPIDR_ABORT => self.abort(value),
            DP_CTRL_STAT if self.select & SELECT_CTRLSEL == 0 => {
                self.control = value & CTRL_WRITABLE
            }
            DP_CTRL_STAT => self.dlcr = DLCR_RESET | (value & DLCR_TURNROUND),
            DP_SELECT_RESEND => self.select = value,
            _ => {}
        }
    }

    /// The data of an acknowledged write came with wrong parity: it is dropped.
    pub(super) fn write_data_error(&mut self) {
        self.sticky |= CTRL_WDATAERR;
    }

    fn abort(&mut self, value: u32) {
        if value & ABORT_DAPABORT != 0 {
            self.ap.abort();
        }
        for (clear, flag) in [
            (ABORT_STKERRCLR, CTRL_STICKYERR),
            (ABORT_WDERRCLR, CTRL_WDATAERR),
            (ABORT_ORUNERRCLR, CTRL_STICKYORUN),
        ] {
            if value & clear != 0 {
                self.sticky &= !flag;
            }
        }
    }

    fn ctrl_stat(&self, target: &dyn ApTarget) -> u32 {
        let mut value = self.control | self.sticky;
        if self.read_ok {
            value |= CTRL_READOK;
        }
        for (request, acknowledge) in [
            (CTRL_CDBGPWRUPREQ, CTRL_CDBGPWRUPACK),
            (CTRL_CSYSPWRUPREQ, CTRL_CSYSPWRUPACK),
        ] {
            if self.control & request != 0 && target.debug_powered() {
                value |= acknowledge;
            }
        }
        value
    }

    fn settle(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Done(value) if self.reading => self.read_buffer = value,
            Outcome::Done(_) | Outcome::Pending => {}
            Outcome::Fault => self.sticky |= CTRL_STICKYERR,
        }
    }

    fn selected_ap(&self) -> u32 {
        self.select >> SELECT_APSEL_SHIFT
    }

    fn ap_register(&self, request: Request) -> u8 {
        (self.select & 0xF0) as u8 | request.address
    }
}
