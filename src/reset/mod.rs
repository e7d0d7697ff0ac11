//! The last step: the chip is reset into its boot ROM, and the ROM is watched until it starts the image, or the reason
//! is found why it does not.

mod cause;
mod cause_text;
mod conclude;
mod content;
mod evidence;
mod latched;
mod look;
mod prove;
mod watch;

pub use cause::{Cause, FaultStatus, NotBooted};
pub use evidence::{Booted, Evidence, Proof};
pub use latched::boot_source;
pub use look::{Doing, Look, look};
pub use prove::{BootResult, Expectation, FlashContent, SETTLE, prove_boot};

#[cfg(test)]
mod tests;
