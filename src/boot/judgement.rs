//! What a judgement says: the image accepted or refused, and everything found on the way.

use super::boot_image::BootImage;
use super::finding::{Finding, Refusal};
use super::rules;

/// The findings on an image and, unless one is an error, what the flash is to hold.
#[derive(Clone, Debug)]
pub struct Judgement {
    pub(super) outcome: Result<BootImage, Refusal>,
    pub(super) needs_board: bool,
}

impl Judgement {
    /// What the flash is to hold, if the image was accepted.
    pub const fn boot_image(&self) -> Option<&BootImage> {
        match &self.outcome {
            Ok(boot_image) => Some(boot_image),
            Err(_) => None,
        }
    }

    /// What the flash is to hold.
    ///
    /// # Errors
    /// [`Refusal`] with the findings.
    pub fn into_boot_image(self) -> Result<BootImage, Refusal> {
        self.outcome
    }

    /// Whether it was refused only because what the board holds decides, and that was not known.
    pub const fn needs_board(&self) -> bool {
        self.needs_board
    }

    /// Header parts that the files do not bring, or not so, as findings.
    pub fn missing(&self) -> Vec<Finding> {
        self.boot_image()
            .map(|boot_image| boot_image.inserted().iter().map(rules::inserted).collect())
            .unwrap_or_default()
    }

    /// All findings, the deciding one first.
    pub fn findings(&self) -> Vec<&Finding> {
        match &self.outcome {
            Ok(boot_image) => boot_image.findings().iter().collect(),
            Err(refusal) => std::iter::once(refusal.first())
                .chain(refusal.others())
                .collect(),
        }
    }
}
