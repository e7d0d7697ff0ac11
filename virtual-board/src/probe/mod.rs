//! The virtual probe: a probe-rs driver, listed beside the real ones, whose wire ends in a virtual board.

pub mod cmsis_dap;
mod driver;
mod profile;
mod shelf;

pub use cmsis_dap::CmsisDapProbe;
pub use driver::VirtualProbe;
pub use profile::{CMSIS_DAP_V1, CMSIS_DAP_V2_HS, Interface, JLINK, Packets, Profile};
pub use shelf::{Factory, PRODUCT_ID, VENDOR_ID, deny, offer, register, withdraw};

use std::time::Duration;

use crate::swd::IoItem;

/// The board at the other end of the wire is gone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The USB cable was pulled, or the probe lost power.
    #[error("the virtual probe was unplugged")]
    Unplugged,
    /// The board's thread has ended.
    #[error("the virtual board has stopped: {0}")]
    Stopped(String),
    /// A command packet breaks the rules of packets.
    #[error("the virtual probe was sent {0}")]
    Refused(#[from] cmsis_dap::Refusal),
}

/// The cable between the virtual probe and the board. Every call takes virtual time at the board.
pub trait Wire: Send {
    /// Tells the board which probe it is connected to. Called when the probe is offered.
    fn set_profile(&mut self, profile: &Profile);

    /// One USB transaction: clocks `items`, gives one level per item. The board charges [`Profile::round_trip`], the
    /// bits at the set speed, and runs meanwhile.
    ///
    /// # Errors
    /// [`WireError`] where probe or board are gone.
    fn swd_io(&mut self, items: Vec<IoItem>) -> Result<Vec<bool>, WireError>;

    /// One USB transaction: a CMSIS-DAP command packet to the probe's firmware, and its response. The board charges
    /// [`Profile::round_trip`] and the SWD clocks that the firmware makes of it.
    ///
    /// # Errors
    /// As [`Wire::swd_io`]; [`WireError::Refused`] for a malformed packet, and for any packet where the probe has no
    /// such firmware.
    fn dap_packet(&mut self, _packet: Vec<u8>) -> Result<Vec<u8>, WireError> {
        Err(cmsis_dap::Refusal::NoFirmware.into())
    }

    /// One USB transaction: drives the reset pin low (`false`) or lets it go.
    ///
    /// # Errors
    /// As [`Wire::swd_io`].
    fn set_nreset(&mut self, level: bool) -> Result<(), WireError>;

    /// One USB transaction: sets the SWCLK frequency.
    ///
    /// # Errors
    /// As [`Wire::swd_io`].
    fn set_speed_khz(&mut self, khz: u32) -> Result<(), WireError>;

    /// One USB transaction: measures VTref, in millivolts.
    ///
    /// # Errors
    /// As [`Wire::swd_io`].
    fn target_millivolts(&mut self) -> Result<u32, WireError>;

    /// The driver waits on the host while the board runs on.
    ///
    /// # Errors
    /// As [`Wire::swd_io`].
    fn wait(&mut self, span: Duration) -> Result<(), WireError>;

    /// Whether the probe is plugged in, so that it shows in a list and can be opened.
    fn plugged(&self) -> bool;
}
