//! A CMSIS-DAP probe at packet level: the firmware at the board's end, a probe-rs driver at the host's.
//!
//! Commands and responses follow Arm's CMSIS-DAP documentation (version 2.1, "CMSIS-DAP Commands"). Where it leaves the
//! wire open (which transfers a command makes, when a write is checked, how often WAIT is tried again) the firmware does
//! what Arm's own does, which most probes carry: ARM-software/CMSIS-DAP Firmware/Source/DAP.c and SW_DP.c.

mod driver;
mod firmware;
mod host;
mod line;
mod packet;
mod requests;
mod transfers;

pub use firmware::{DebugPins, Firmware};
pub use host::{CmsisDapProbe, DapPacketError};
pub use packet::Refusal;

/// Command IDs (CMSIS-DAP documentation, one page a command).
mod command {
    pub(super) const INFO: u8 = 0x00;
    pub(super) const HOST_STATUS: u8 = 0x01;
    pub(super) const CONNECT: u8 = 0x02;
    pub(super) const DISCONNECT: u8 = 0x03;
    pub(super) const TRANSFER_CONFIGURE: u8 = 0x04;
    pub(super) const TRANSFER: u8 = 0x05;
    pub(super) const TRANSFER_BLOCK: u8 = 0x06;
    pub(super) const WRITE_ABORT: u8 = 0x08;
    pub(super) const DELAY: u8 = 0x09;
    pub(super) const RESET_TARGET: u8 = 0x0A;
    pub(super) const SWJ_PINS: u8 = 0x10;
    pub(super) const SWJ_CLOCK: u8 = 0x11;
    pub(super) const SWJ_SEQUENCE: u8 = 0x12;
    pub(super) const SWD_CONFIGURE: u8 = 0x13;
    pub(super) const SWD_SEQUENCE: u8 = 0x1D;
    /// The answer to a command that is not implemented.
    pub(super) const INVALID: u8 = 0xFF;
}

/// Identifiers of DAP_Info.
mod info {
    pub(super) const VENDOR: u8 = 0x01;
    pub(super) const PRODUCT: u8 = 0x02;
    pub(super) const PROTOCOL_VERSION: u8 = 0x04;
    pub(super) const CAPABILITIES: u8 = 0xF0;
    pub(super) const PACKET_COUNT: u8 = 0xFE;
    pub(super) const PACKET_SIZE: u8 = 0xFF;
}

/// Status of a response: done.
const DAP_OK: u8 = 0x00;
/// Status of a response: not done.
const DAP_ERROR: u8 = 0xFF;

/// Ports of DAP_Connect.
mod port {
    pub(super) const DEFAULT: u8 = 0;
    pub(super) const SWD: u8 = 1;
    /// In the response: the mode asked for is not there.
    pub(super) const FAILED: u8 = 0;
}

/// Bits of a transfer request.
mod request {
    pub(super) const AP: u8 = 1 << 0;
    pub(super) const READ: u8 = 1 << 1;
    pub(super) const A2: u8 = 1 << 2;
    pub(super) const A3: u8 = 1 << 3;
    pub(super) const VALUE_MATCH: u8 = 1 << 4;
    pub(super) const MATCH_MASK: u8 = 1 << 5;
}

/// Bits 0 to 2 of a transfer response are the acknowledgement as it stood on the wire.
mod ack {
    pub(super) const MASK: u8 = 0b111;
    pub(super) const OK: u8 = 0b001;
    pub(super) const WAIT: u8 = 0b010;
    pub(super) const FAULT: u8 = 0b100;
    /// Wrong parity in a read.
    pub(super) const PROTOCOL_ERROR: u8 = 1 << 3;
    /// The register never had the value asked for.
    pub(super) const MISMATCH: u8 = 1 << 4;
}

/// Pins of DAP_SWJ_Pins.
mod pin {
    pub(super) const SWCLK: u8 = 1 << 0;
    pub(super) const SWDIO: u8 = 1 << 1;
    pub(super) const NRESET: u8 = 1 << 7;
}
