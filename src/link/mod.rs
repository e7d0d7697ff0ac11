//! The link to the board: memory and core through a debug probe. Only this folder knows probe-rs.
//!
//! [`Connection::open`] finds the probe and wakes the debug port, [`Connection::link`] gives the [`Link`] that a whole
//! job uses. Below `probe_rs::Session` on purpose: that halts the core when it attaches and steps it when it is
//! dropped, which spoils every verdict about a running image.

mod boot_watch;
mod connection;
mod contact;
mod core;
mod debug_port;
mod error;
mod fault;
mod joined;
mod ladder;
#[cfg(feature = "virtual-board")]
mod peer;
mod probe_link;
mod probes;
pub mod registers;
mod retry;
mod seat;
mod sequence;
mod under_reset;
mod usb;
#[cfg(feature = "virtual-board")]
mod virtual_probe;

pub use self::core::{CoreRegister, CoreState, Start};
pub use boot_watch::{BootWatch, WatchState};
pub use connection::{Choice, Connection};
pub use contact::{Contact, Trial, check_contact};
pub use debug_port::DebugPort;
pub use error::{Doing, LinkError};
#[cfg(feature = "virtual-board")]
pub use peer::{PeerAlgorithm, PeerError, flash_through_probe_rs};
pub use probe_link::ProbeLink;
pub use probes::{Listed, ProbeSelector, SelectorError, is_there, list};
pub use retry::{Counts, Retry};
pub use seat::{ProbePlace, SeatSign, SeatWatch};
pub use usb::{UsbPort, UsbPortError};
#[cfg(feature = "virtual-board")]
pub use virtual_probe::{VirtualBench, VirtualError, VirtualProbe};

use crate::address::Address;
use crate::clock::Clock;
use crate::target::Registers;

/// What the stages above may do with a board. Everything to do with the core is built on these and is found in the
/// methods of `dyn Link`.
///
/// Addresses are multiples of 4. Errors of the wire are retried inside, by one policy; what arrives here as an error is
/// final for the access.
pub trait Link {
    /// Reads consecutive words. Tried again after an error of the wire, so not for registers whose reading has effects.
    ///
    /// # Errors
    /// [`LinkError`].
    fn read(&mut self, address: Address, words: &mut [u32]) -> Result<(), LinkError>;

    /// Writes consecutive words. Tried again from the first word after an error of the wire, so not where writing twice
    /// differs from writing once.
    ///
    /// # Errors
    /// [`LinkError`].
    fn write(&mut self, address: Address, words: &[u32]) -> Result<(), LinkError>;

    /// Writes several pieces in their order, in as few transactions as the probe allows. Once the debug port has refused a
    /// word it refuses those behind it, so no piece is there before the ones in front of it. Tried again from the first
    /// word of the first piece, as [`Link::write`]: where only an answer was lost on its way back, all of it has been
    /// written already, and is written once more with the same words.
    ///
    /// # Errors
    /// [`LinkError`].
    fn write_in_order(&mut self, pieces: &[(Address, Vec<u32>)]) -> Result<(), LinkError>;

    /// Writes one word and never repeats it. After an error the word has been written or not.
    ///
    /// # Errors
    /// [`LinkError`].
    fn write_once(&mut self, address: Address, word: u32) -> Result<(), LinkError>;

    /// Resets the chip and halts its core in the boot ROM, by probe-rs's sequence for the chip: FlexRAM split back to
    /// the fuses, watchpoint on the ROM's read of SRC_SBMR1, MPU off. See `take_over` for the whole of it.
    ///
    /// # Errors
    /// [`LinkError::NotCaught`] where the ROM did not come by.
    fn caught_reset(&mut self) -> Result<(), LinkError>;

    /// Wakes the debug port again, after a reset or a pause of the wire.
    ///
    /// # Errors
    /// [`LinkError::TargetLost`] after half a second of silence.
    fn reattach(&mut self) -> Result<(), LinkError>;

    /// Sets SWCLK, in kHz, for the accesses that follow.
    ///
    /// # Errors
    /// [`LinkError::Speed`] where the probe does not clock so, or not while it is attached.
    fn set_speed_khz(&mut self, khz: u32) -> Result<(), LinkError>;

    /// Addresses of the chip's registers.
    fn registers(&self) -> &Registers;

    /// The job's clock.
    fn clock(&self) -> &dyn Clock;

    /// What the link did so far.
    fn counts(&self) -> Counts;

    /// Which steps to control of the core were made again, or in another way than usual, so far. A link without probe
    /// keeps no list.
    fn retries(&self) -> &[Retry] {
        &[]
    }

    /// Notes one of them.
    fn note_retry(&mut self, _what: &'static str, _why: &'static str) {}
}
