//! Who is there: chip and flash part read and compared with the target. Nothing is changed.

mod chip;
mod error;
mod flash;
mod flexram;
mod fuses;
mod identified;
mod reset_causes;
mod rom_api;
mod standing;

pub use chip::{ChipFound, UniqueId, require_chip, require_debug_port};
pub use error::SurveyError;
pub use flash::{FlashFound, Sfdp};
pub use flexram::{FlexRam, FlexRamSizes};
pub use fuses::{DebugAccess, Fuses};
pub use identified::{Identified, part_found};
pub use reset_causes::ResetCauses;
pub use rom_api::RomApi;
pub use standing::Standing;

#[cfg(test)]
mod tests;
