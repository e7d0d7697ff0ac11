//! The target's side of Serial Wire Debug: the wire clock by clock, the debug port, the AHB access port, the ROM tables.
//!
//! The behaviour follows the ARM Debug Interface Architecture Specification ADIv5.0 to ADIv5.2 (IHI 0031): SW-DP
//! version 1 (chapters B2 and B4) with one AHB-AP (chapter C2). Where the specification says UNPREDICTABLE, the model
//! answers with a fault or not at all.

mod debug_port;
mod faults;
mod lies;
mod line;
mod mem_ap;
mod rom_table;

pub use debug_port::PortIds;
pub use faults::{BadContact, FlippedBit, WaitStorm, WireFaults};
pub use line::{Counts, MemoryCounts, SwDp};
pub use rom_table::rom_table_word;

use crate::bus::Width;

/// What the probe does with SWDIO during one SWCLK period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IoItem {
    /// Drives the line to this level.
    Drive(bool),
    /// Leaves the line alone and samples it. Undriven, it is pulled high.
    Sample,
}

/// Why an access of the AHB-AP had no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApError {
    /// The bus answered with an error: the debug port sets STICKYERR.
    Fault,
    /// The bus does not answer now (core asleep with its clock gated): the debug port answers WAIT.
    Wait,
}

/// What stands behind AHB-AP 0, and what the debug port needs to know of the chip.
pub trait ApTarget {
    /// One bus read of `width` at `address` (aligned); the value stands in the low bits. `csw` is the AP's control
    /// word, its bits 24 to 27 are HPROT.
    ///
    /// # Errors
    /// [`ApError`]; after [`ApError::Wait`] the same access is asked again later.
    fn ap_read(&mut self, address: u32, width: Width, csw: u32) -> Result<u32, ApError>;

    /// One bus write of the low `width` of `value`.
    ///
    /// # Errors
    /// As [`ApTarget::ap_read`].
    fn ap_write(&mut self, address: u32, width: Width, value: u32, csw: u32)
    -> Result<(), ApError>;

    /// Whether a power-up request of the debug port is acknowledged.
    fn debug_powered(&self) -> bool;

    /// Whether the debug port answers at all (false: chip without power, or port closed by a fuse).
    fn port_open(&self) -> bool;

    /// The probe moved the reset pin POR_B; `false` holds the chip in reset.
    fn set_nreset(&mut self, level: bool);
}
