//! The proof that chip and flash part are the target's: without it nothing non-volatile may be changed.

use super::chip::ChipFound;
use super::error::SurveyError;
use super::flash::FlashFound;
use crate::target::Target;

/// A board whose chip and flash part were read and are those of the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identified {
    chip: ChipFound,
    flash: FlashFound,
}

impl Identified {
    /// Checks the flash part against the target; [`ChipFound`] was checked when it was read.
    ///
    /// # Errors
    /// [`SurveyError::NoFlash`], [`SurveyError::OtherFlash`], [`SurveyError::OtherSize`].
    pub fn new(chip: ChipFound, flash: FlashFound, target: &Target) -> Result<Self, SurveyError> {
        let part = target.flash();
        if flash.is_absent() {
            return Err(SurveyError::NoFlash {
                found: flash.jedec_id,
            });
        }
        if flash.jedec_id != part.jedec_id {
            let (found, expected) = (flash.jedec_id, part.jedec_id);
            return Err(SurveyError::OtherFlash {
                part: part.name.clone(),
                found,
                expected,
            });
        }
        if let Some(found) = flash.sfdp_size_bytes()
            && found != u64::from(part.size_bytes)
        {
            let expected = part.size_bytes;
            return Err(SurveyError::OtherSize {
                part: part.name.clone(),
                found,
                expected,
            });
        }
        Ok(Identified { chip, flash })
    }

    /// The chip.
    pub const fn chip(&self) -> &ChipFound {
        &self.chip
    }

    /// The flash part.
    pub const fn flash(&self) -> &FlashFound {
        &self.flash
    }
}
