//! The image that the board should hold, compared with what it holds.

use super::Question;
use super::examination::{Examination, check};
use crate::address::AddressRange;
use crate::algorithm::Algorithm;
use crate::boot::BootImage;
use crate::boot::mcuboot::{self, Slot};
use crate::diagnosis::{Observation, Weight};
use crate::image::Image;
use crate::job::run::Run;
use crate::problem::{ExitCode, Problem};
use crate::target::Target;
use crate::verify::{Difference, Look, Verification};

impl Run<'_> {
    /// Compares the flash with the image, if one was given.
    pub(super) fn examine_image(
        &mut self,
        question: &Question,
        held: &Image,
        algorithm: &mut Algorithm<'_, '_>,
        examination: &mut Examination,
    ) -> Result<(), Problem> {
        let Some(request) = &question.image else {
            return Ok(());
        };
        let target = self.job.target;
        examination.at(check::IMAGE);
        self.record.note_inputs(&request.image);
        let offline = match request.judged_offline(target) {
            Ok(offline) => offline,
            Err(problem) => {
                let what = format!("the image given would not boot: {}", problem.what);
                let problem = Problem { what, ..problem };
                examination.found(check::IMAGE, Observation::new(Weight::Suspicion, problem));
                Some(request.as_data(target)?)
            }
        };
        let (image, verification) = self.compare(request, offline, algorithm)?;
        match verification {
            Verification::Equal(verified) => {
                self.record.digest = verified.digest_lines();
                examination.ok(check::IMAGE, "the flash holds every byte of it");
            }
            Verification::Differs(difference) => {
                let (code, what) = named(&difference, &image, target);
                let differs = self.differs(&difference, &image);
                let versions = versions(&request.image, held, target);
                let told = Problem::new(code, ExitCode::Differs, what)
                    .at(*differs.place)
                    .because(
                        [differs.why, versions]
                            .into_iter()
                            .flatten()
                            .collect::<Vec<_>>()
                            .join("; "),
                    )
                    .fix(format!("run: {}", question.flash_command));
                examination.found(check::IMAGE, Observation::of(told));
            }
        }
        Ok(())
    }
}

/// What a difference says about how it came.
fn named(
    difference: &Difference,
    image: &BootImage,
    target: &Target,
) -> (&'static str, &'static str) {
    match difference.look {
        Look::Erased if lies_outside_of_files(difference, image, target) => (
            "image-without-header",
            "the flash holds every byte of the files, and not the boot header that belongs to them",
        ),
        Look::Erased if difference.sectors == difference.sectors_compared => (
            "image-absent",
            "the flash is erased where the image should be",
        ),
        Look::Erased => (
            "image-half",
            "the flash holds only a part of the image: programming it was not finished",
        ),
        Look::OtherContent => (
            "image-other",
            "the flash holds another image, or another version of this one",
        ),
        Look::Zeros | Look::BitsStillSet | Look::BitsCleared | Look::SingleBytes => (
            "image-differs",
            "the flash does not hold the image as it is",
        ),
    }
}

/// Whether only bytes differ that no file brings: those of the boot header that is inserted.
fn lies_outside_of_files(difference: &Difference, image: &BootImage, target: &Target) -> bool {
    let is_of_files = |(offset, length_bytes): &(_, u32)| {
        target
            .address_of(*offset)
            .and_then(|start| AddressRange::new(start, *length_bytes))
            .is_none_or(|range| image.image().pieces_in(range).next().is_some())
    };
    difference.more_ranges == 0 && !difference.ranges.iter().any(is_of_files)
}

/// The versions of both, where both have an MCUboot image at the same place.
fn versions(wanted: &Image, held: &Image, target: &Target) -> Option<String> {
    let on_board = mcuboot::slots(held, target);
    mcuboot::slots(wanted, target).iter().find_map(|slot| {
        let same = |other: &&Slot| other.address == slot.address;
        let other = on_board.iter().find(same)?;
        Some(format!(
            "the board has version {} at {}, the image {}",
            other.header.version, slot.address, slot.header.version
        ))
    })
}
