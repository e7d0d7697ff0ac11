//! The last step: the chip is reset into its boot ROM, and the ROM is watched until it starts the image, or the reason
//! is found why it does not.

mod cause;
mod content;
mod evidence;
mod look;
mod prove;

pub use cause::{Cause, NotBooted};
pub use evidence::{Booted, Evidence};
pub use look::{Doing, Look, look};
pub use prove::{BootResult, Expectation, FlashContent, cause_of, prove_boot};

#[cfg(test)]
mod tests;
