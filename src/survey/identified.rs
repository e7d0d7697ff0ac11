//! The proof that chip and flash part are the target's: without it nothing non-volatile may be changed.

use super::chip::ChipFound;
use super::error::{SurveyError, hex};
use super::flash::{FlashFound, Sfdp};
use crate::target::{FlashPart, Target};

/// A board whose chip and flash part were read and are those of the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identified {
    chip: ChipFound,
    flash: FlashFound,
}

impl Identified {
    /// Checks the flash part against the target; [`ChipFound`] was checked when it was read.
    ///
    /// A part whose data promises SFDP must show sound tables of the right size. The JEDEC ID alone is three bytes that
    /// several dies and relabelled parts share, and a part that answers it and then garbles its tables cannot be trusted
    /// with what is programmed either.
    ///
    /// # Errors
    /// [`SurveyError::NoFlash`], [`SurveyError::OtherFlash`], [`SurveyError::Sfdp`], [`SurveyError::OtherSize`].
    pub fn new(chip: ChipFound, flash: FlashFound, target: &Target) -> Result<Self, SurveyError> {
        let part = target.flash();
        require_flash(&flash, || {
            format!("{} ({})", part.name, part.jedec_id_text())
        })?;
        if flash.jedec_id != part.jedec_id {
            let (found, expected) = (flash.jedec_id, part.jedec_id);
            return Err(SurveyError::OtherFlash {
                part: part.name.clone(),
                found,
                expected,
            });
        }
        require_tables(&flash, part)?;
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

/// The part that `flash` is, by its ID and by the size in its own tables, among those that there is data for.
///
/// # Errors
/// [`SurveyError::NoFlash`], [`SurveyError::UnknownFlash`], [`SurveyError::AmbiguousFlash`], [`SurveyError::Sfdp`],
/// [`SurveyError::OtherSize`].
pub fn part_found(flash: &FlashFound) -> Result<FlashPart, SurveyError> {
    part_among(flash, FlashPart::all_with(flash.jedec_id))
}

fn part_among(flash: &FlashFound, same_id: Vec<FlashPart>) -> Result<FlashPart, SurveyError> {
    require_flash(flash, || "one of a known part".to_owned())?;
    let found = flash.jedec_id;
    let mut refused = SurveyError::UnknownFlash { found };
    let mut parts = Vec::new();
    for part in same_id {
        match require_tables(flash, &part) {
            Ok(()) => parts.push(part),
            Err(error) => refused = error,
        }
    }
    let names = parts.iter().map(|part| part.name.clone()).collect();
    match (parts.pop(), parts.is_empty()) {
        (None, _) => Err(refused),
        (Some(part), true) => Ok(part),
        (Some(_), false) => Err(SurveyError::AmbiguousFlash { found, names }),
    }
}

fn require_flash(flash: &FlashFound, expected: impl FnOnce() -> String) -> Result<(), SurveyError> {
    if flash.is_absent() {
        return Err(SurveyError::NoFlash {
            found: flash.jedec_id,
            expected: expected(),
        });
    }
    Ok(())
}

fn require_tables(flash: &FlashFound, part: &FlashPart) -> Result<(), SurveyError> {
    let name = part.name.clone();
    match flash.sfdp() {
        Sfdp::Tables { size_bytes, .. } if size_bytes == u64::from(part.size_bytes) => Ok(()),
        Sfdp::Tables { size_bytes, .. } => Err(SurveyError::OtherSize {
            part: name,
            found: size_bytes,
            expected: part.size_bytes,
        }),
        Sfdp::Absent | Sfdp::Damaged if !part.has_sfdp() => Ok(()),
        Sfdp::Absent | Sfdp::Damaged => {
            let first = flash.sfdp.get(..Sfdp::SIGNATURE.len()).unwrap_or_default();
            let (found, expected) = if first == Sfdp::SIGNATURE {
                let bytes = part.size_bytes;
                ("it has no size".to_owned(), format!("{bytes} bytes"))
            } else {
                let begins = format!("it begins with {}", hex(first));
                (begins, hex(Sfdp::SIGNATURE))
            };
            Err(SurveyError::Sfdp {
                part: name,
                found,
                expected,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parts that share an ID are told apart by size, or not at all.
    #[test]
    fn parts_that_share_an_id_are_told_apart_by_their_size_or_refused() {
        let part = FlashPart::builtin("is25wp064").expect("part");
        let smaller = FlashPart {
            name: "SMALLER".to_owned(),
            size_bytes: part.size_bytes / 2,
            ..part.clone()
        };
        let twin = FlashPart {
            name: "TWIN".to_owned(),
            ..part.clone()
        };
        let flash = super::super::tests::flash_of(&part);
        let found = part_among(&flash, vec![smaller.clone(), part.clone()]).expect("a part");
        assert_eq!(found.name, "IS25WP064");
        let error = part_among(&flash, vec![part, twin]).expect_err("ambiguous");
        assert_eq!(
            error.to_string(),
            "the flash part's ID 9D 70 17 and its size fit IS25WP064 and TWIN"
        );
        let error = part_among(&flash, vec![smaller]).expect_err("another size");
        assert!(matches!(error, SurveyError::OtherSize { .. }), "{error}");
    }
}
