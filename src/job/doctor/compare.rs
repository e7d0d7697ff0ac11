//! The image that the board should hold, compared with what it holds.

use super::Question;
use super::examination::{Examination, check};
use crate::address::{AddressRange, FlashOffset};
use crate::algorithm::Algorithm;
use crate::boot::BootImage;
use crate::boot::mcuboot::{self, Slot};
use crate::diagnosis::{Observation, Weight};
use crate::image::Image;
use crate::job::run::Run;
use crate::plan::Layout;
use crate::problem::{ExitCode, Problem};
use crate::target::{FlashPart, Target};
use crate::verify::{Mismatch, Verification};

/// How many sectors of the image the board holds, as far as the image fills them.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    equal: u32,
    blank: u32,
    other: u32,
    /// Sectors that are not as they should be, and of which the files bring nothing: the boot header's.
    header: u32,
}

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
        examination.at(check::IMAGE);
        self.record.note_inputs(&request.image);
        let offline = match request.judged_offline(self.job.target) {
            Ok(offline) => offline,
            Err(problem) => {
                examination.found(
                    check::IMAGE,
                    Observation::new(
                        Weight::Suspicion,
                        Problem {
                            what: format!("the image given would not boot: {}", problem.what),
                            ..problem
                        },
                    ),
                );
                Some(request.as_data(self.job.target)?)
            }
        };
        let (image, verification) = self.compare(request, offline, algorithm)?;
        match verification {
            Verification::Equal(verified) => {
                self.record.digest = verified.digest_lines();
                examination.ok(check::IMAGE, "the flash holds every byte of it");
            }
            Verification::Differs(mismatch) => {
                let tally = tally(&image, self.job.target, algorithm)?;
                let problem = self.differs(&mismatch, &image);
                let versions = versions(&request.image, held, self);
                let told = told(&mismatch, tally, versions, problem, &question.flash_command);
                examination.found(check::IMAGE, Observation::of(told));
            }
        }
        Ok(())
    }
}

fn tally(
    image: &BootImage,
    target: &Target,
    algorithm: &mut Algorithm<'_, '_>,
) -> Result<Tally, Problem> {
    let layout = Layout::new(image);
    let mut tally = Tally::default();
    for (offset, length) in layout.ranges() {
        let first = offset.get() / FlashPart::SECTOR_BYTES;
        let digests = algorithm.map(first, length.div_ceil(FlashPart::SECTOR_BYTES))?;
        for need in layout.sectors() {
            let number = need.number();
            let Some(blank) = digests.is_blank(number) else {
                continue;
            };
            let holds = match need.whole_content() {
                _ if blank => false,
                Some(content) => digests.holds(number, content) == Some(true),
                None => holds_its_part(image, number, algorithm)?,
            };
            let is_of_files = target
                .address_of(need.offset())
                .and_then(|start| AddressRange::new(start, FlashPart::SECTOR_BYTES))
                .is_some_and(|range| image.image().pieces_in(range).next().is_some());
            match (holds, blank) {
                (false, _) if !is_of_files => tally.header += 1,
                (true, _) => tally.equal += 1,
                (false, true) => tally.blank += 1,
                (false, false) => tally.other += 1,
            }
        }
    }
    Ok(tally)
}

/// Whether the board holds what the image brings of a sector that it does not fill.
fn holds_its_part(
    image: &BootImage,
    sector: u32,
    algorithm: &mut Algorithm<'_, '_>,
) -> Result<bool, Problem> {
    let start = FlashOffset::new(sector * FlashPart::SECTOR_BYTES);
    let held = algorithm.read(start, FlashPart::SECTOR_BYTES)?;
    Ok(image.runs().iter().all(|run| {
        let bytes = run.bytes.iter().enumerate().filter_map(|(index, byte)| {
            let offset = run.offset.checked_add(u32::try_from(index).ok()?)?;
            let at = usize::try_from(offset.checked_from(start)?).ok()?;
            Some((*held.get(at)?, *byte))
        });
        bytes.into_iter().all(|(held, wanted)| held == wanted)
    }))
}

/// The versions of both, where both have an MCUboot image at the same place.
fn versions(wanted: &Image, held: &Image, run: &Run<'_>) -> Option<String> {
    let target = run.job.target;
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

fn told(
    mismatch: &Mismatch,
    tally: Tally,
    versions: Option<String>,
    problem: Problem,
    flash_command: &str,
) -> Problem {
    let Tally {
        equal,
        blank,
        other,
        header,
    } = tally;
    let (code, what) = match tally {
        Tally {
            equal: 1..,
            blank: 0,
            other: 0,
            header: 1..,
        } => (
            "image-without-header",
            "the flash holds every byte of the files, and not the boot header that belongs to them",
        ),
        // the last sector that was written may be written in part
        Tally {
            equal: 1..,
            blank: 1..,
            other: 0..=1,
            ..
        } => (
            "image-half",
            "the flash holds only a part of the image: programming it was not finished",
        ),
        _ if other > equal => ("image-other", "the flash holds another image"),
        _ => (
            "image-differs",
            "the flash does not hold the image as it is",
        ),
    };
    let why = format!(
        "{equal} of its sectors are there, {blank} are erased, {other} hold something else, {header} lack what rtflash inserts; {mismatch}{}",
        versions.map_or(String::new(), |text| format!("; {text}"))
    );
    Problem::new(code, ExitCode::Differs, what)
        .at(*problem.place)
        .because(why)
        .fix(format!("run: {flash_command}"))
}
