//! Who is there: chip and flash part read and compared with the target. Nothing is changed.

mod chip;
mod error;
mod flash;
mod identified;

pub use chip::{BootMode, ChipFound, UniqueId, require_chip};
pub use error::SurveyError;
pub use flash::FlashFound;
pub use identified::Identified;

#[cfg(test)]
mod tests;
