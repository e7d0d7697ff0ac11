//! What a unit's flash must hold, made once more from the job and from what the ledger says of the unit.

use sha2::{Digest, Sha256};

use super::kept::Kept;
use crate::boot::ERASED;
use crate::image::Image;
use crate::job::Request;
use crate::problem::Problem;
use crate::records::Attempt;
use crate::station::LoadedJob;
use crate::station::unit_data::UnitData;
use crate::target::Target;

/// What a unit's flash must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Flash offset and bytes, ascending.
    pub runs: Vec<(u32, Vec<u8>)>,
    /// Whether the bytes are the unit's own. A program that gives a value is not asked twice: then only places and lengths
    /// are, and the bytes are those of a sample.
    pub is_exact: bool,
}

impl Wanted {
    /// What the job writes on every unit, data of a sample unit included.
    ///
    /// # Errors
    /// What is wrong with the job's image.
    pub fn of_sample(job: &LoadedJob) -> Result<Self, Problem> {
        Ok(Wanted {
            runs: runs(
                &Request {
                    image: job.rules.sample()?.image,
                    wishes: job.request.wishes.clone(),
                },
                &job.target,
            )?,
            is_exact: false,
        })
    }

    /// What the unit of `attempt` must hold if it passed; none where the attempt never came to know its unit.
    ///
    /// # Errors
    /// What keeps the unit's data from being made.
    pub fn of(job: &LoadedJob, attempt: &Attempt) -> Result<Option<Self>, Problem> {
        let Some(claimed) = &attempt.claimed else {
            return Ok(None);
        };
        let rules = job.rules.rules();
        if rules.programs().next().is_some() {
            return Wanted::of_sample(job).map(Some);
        }
        let uid = u64::from_str_radix(&claimed.uid, 16).unwrap_or_default();
        let barcode = attempt.begin.barcode.as_deref();
        let facts = UnitData::facts(uid, &attempt.reserved, barcode, claimed.claimed_at);
        let made = UnitData::of(facts, &job.request, &job.rules, &job.outside, true)?;
        Ok(Some(Wanted {
            runs: runs(&made.request, &job.target)?,
            is_exact: true,
        }))
    }

    /// Whether the bit of this mask at `offset` is to be 1, where that is known.
    pub fn bit(&self, offset: u32, mask: u8) -> Option<bool> {
        let mut runs = self.runs.iter().filter(|_| self.is_exact);
        runs.find_map(|(start, bytes)| {
            let byte = bytes.get(offset.checked_sub(*start)? as usize)?;
            Some(byte & mask != 0)
        })
    }

    /// The first offset at which `held` is something else.
    pub fn differs(&self, held: &Kept) -> Option<usize> {
        let mut runs = self.runs.iter().filter(|_| self.is_exact);
        runs.find_map(|(offset, bytes)| held.differs(*offset as usize, bytes))
    }

    /// SHA-256 of what `held` has from the flash's first byte to the end of the image, what is not the image's taken for
    /// erased: as records name a unit's image.
    pub fn sha256_of(&self, held: &Kept) -> String {
        let mut digest = Sha256::new();
        let mut at = 0;
        for (start, bytes) in &self.runs {
            let start = *start as usize;
            digest.update(vec![ERASED; start.saturating_sub(at)]);
            at = start + bytes.len();
            digest.update((start..at).map(|at| held.byte(at)).collect::<Vec<u8>>());
        }
        digest
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

/// What is asked for as it will be in the flash; where the board's own content decides that, what the files bring.
fn runs(request: &Request, target: &Target) -> Result<Vec<(u32, Vec<u8>)>, Problem> {
    match request.judged_offline(target)? {
        Some(image) => {
            let runs = image.runs().iter();
            Ok(runs
                .map(|run| (run.offset.get(), run.bytes.clone()))
                .collect())
        }
        None => Ok(as_brought(&request.image, target)),
    }
}

fn as_brought(image: &Image, target: &Target) -> Vec<(u32, Vec<u8>)> {
    let window = target.flash_window().start().get();
    let segments = image.segments().iter();
    let runs = segments.filter_map(|segment| {
        let offset = segment.start().get().checked_sub(window)?;
        Some((offset, segment.bytes().to_vec()))
    });
    runs.collect()
}
