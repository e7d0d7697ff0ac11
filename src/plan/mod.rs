//! What happens to each sector and in which order, decided before anything is touched.

mod erase;
mod erasure;
mod layout;
mod order;
mod pace;
mod sectors;
mod status;
mod step;

use std::collections::BTreeSet;
use std::time::Duration;

pub use erasure::{CutSectors, Erasure};
pub use layout::{Layout, SectorNeed};
pub use pace::Pace;
pub use sectors::{Foreign, PlannedSector, Saved, SectorAction, SectorMap, SectorState};
pub use step::{Step, VerifyScope};

use crate::address::{Address, FlashOffset};
use crate::boot::{BootImage, Fcb};
use crate::problem::{ExitCode, Place, Problem};
use crate::target::FlashPart;
use order::{Erasing, Mark};
use status::{StatusChange, status_change};

/// Size of the manual's sector.
const SECTOR_BYTES: u32 = FlashPart::SECTOR_BYTES;
/// Size of the FCB.
const FCB_BYTES: u32 = Fcb::SIZE_BYTES as u32;

/// What to do with bytes of others in a sector that must be erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SharedSectors {
    /// Save them on the host and restore them.
    Preserve,
    /// Refuse the job.
    Refuse,
}

/// What besides the image's sectors is compared before and after a job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Guard {
    /// Every block of 64 KiB in which something is changed, and its neighbours.
    #[default]
    Near,
    /// The whole flash.
    Chip,
}

/// Why no plan can be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The survey did not find out enough about a sector.
    #[error("the content of sector {sector} is not known")]
    SectorUnknown {
        /// Number of the sector.
        sector: u32,
    },
    /// A sector that must be erased holds bytes of others, and that was to be refused.
    #[error(
        "sector {sector} must be erased, but holds {bytes} bytes that do not belong to the image"
    )]
    SharedSector {
        /// Number of the sector.
        sector: u32,
        /// How many bytes.
        bytes: usize,
    },
    /// A range to be erased ends inside a sector that holds other bytes, and what becomes of them was not said.
    #[error("the range ends inside sector {sector}, which holds {bytes} bytes outside of it")]
    CutSector {
        /// Number of the sector.
        sector: u32,
        /// Its address on the bus.
        address: Option<Address>,
        /// How many bytes, FFh not counted.
        bytes: usize,
    },
}

impl From<PlanError> for Problem {
    fn from(error: PlanError) -> Problem {
        let what = error.to_string();
        match error {
            PlanError::SectorUnknown { sector } => {
                Problem::new("sector-unknown", ExitCode::Internal, what).at(Place {
                    sector: Some(sector),
                    ..Place::default()
                })
            }
            PlanError::SharedSector { sector, .. } => Problem::new(
                "shared-sector",
                ExitCode::NotBlank,
                what,
            )
            .at(Place {
                sector: Some(sector),
                ..Place::default()
            })
            .because("shared sectors are refused here: an interruption could lose those bytes")
            .fix("give an image that fills the sector, or leave out --no-shared-sectors: then those bytes are saved on this computer and restored"),
            PlanError::CutSector {
                sector, address, ..
            } => Problem::new("cut-sector", ExitCode::NotBlank, what)
                .at(Place {
                    address,
                    sector: Some(sector),
                    ..Place::default()
                })
                .because("a sector of 4096 bytes is the least that can be erased")
                .fix("give a range of whole sectors; or --keep-others, which saves and restores those bytes; or --whole-sectors, which erases them too"),
        }
    }
}

/// Counts for the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Sectors that hold their final content already.
    pub kept: u32,
    /// Sectors programmed without an erase.
    pub programmed: u32,
    /// Sectors erased and programmed.
    pub erased: u32,
    /// Erase commands.
    pub erase_commands: u32,
    /// Bytes programmed.
    pub programmed_bytes: u64,
    /// Bytes of others saved and restored.
    pub foreign_bytes: u64,
    /// Whether the status register is written.
    pub sets_status: bool,
}

/// The plan: what happens to each sector, and every step in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    sectors: Vec<PlannedSector>,
    steps: Vec<Step>,
    mark: Mark,
    status: Option<StatusChange>,
    typical: Duration,
}

impl Plan {
    /// Plans the way from what the board holds to the image.
    ///
    /// `map` has the state of every sector of the image's [`Layout`]; `status_register` is what the status
    /// registers hold now, register 1 in bits 7:0, 2 in bits 15:8, 3 in bits 23:16.
    /// Where nothing changes the plan is empty. Otherwise the commit mark of the image is always rewritten, even if equal:
    /// the FCB with its tag, or the first sector of a slot, must be dead while anything else changes.
    ///
    /// # Errors
    /// [`PlanError`].
    pub fn new(
        boot_image: &BootImage,
        part: &FlashPart,
        map: &SectorMap,
        status_register: u32,
        shared: SharedSectors,
    ) -> Result<Self, PlanError> {
        let layout = Layout::new(boot_image);
        let mut sectors = sectors::decide(&layout, map, part)?;
        let mark = Mark::new(boot_image.commit_mark(), &sectors, part);
        let changes = sectors.iter().any(|s| s.action != SectorAction::Keep);
        let status = status_change(
            boot_image.needs_quad_enable(),
            part,
            status_register,
            changes,
        );
        let steps = if changes {
            for (sector, need) in sectors.iter_mut().zip(layout.sectors()) {
                if mark.must_die(sector) {
                    sector.force_erase(need);
                }
            }
            if shared == SharedSectors::Refuse {
                refuse_foreign(&sectors)?;
            }
            order::steps(part, &sectors, &mark, status, Erasing::Units)
        } else {
            // QE alone: the image is complete, and boots or does not boot by QE whatever a cut leaves of this write.
            let set = status.map(|change| Step::SetStatus {
                value: change.value,
                mask: change.mask,
            });
            let verify = set.map(|_| Step::Verify(VerifyScope::Everything));
            set.into_iter().chain(verify).collect()
        };
        let typical = typical_time(part, &steps);
        Ok(Plan {
            sectors,
            steps,
            mark,
            status,
            typical,
        })
    }

    /// Erases the whole chip at once, if the plan changes every sector of the part, and if that is faster at the pace of
    /// the link: one erase is shorter than many, but next to no transfer overlaps with it.
    pub fn paced(self, part: &FlashPart, pace: Pace) -> Self {
        let sectors = self.sectors.len() as u32 * SECTOR_BYTES;
        let erases = self.steps.iter().any(
            |step| matches!(step, Step::Erase { size_bytes, .. } if *size_bytes > SECTOR_BYTES),
        );
        let may_erase_all = sectors == part.size_bytes
            && erases
            && !part.chip_erase.opcodes.is_empty()
            && self
                .sectors
                .iter()
                .all(|sector| sector.action == SectorAction::EraseAndProgram || sector.is_blank());
        if !may_erase_all {
            return self;
        }
        let steps = order::steps(part, &self.sectors, &self.mark, self.status, Erasing::Chip);
        if pace.time(part, &steps) >= pace.time(part, &self.steps) {
            return self;
        }
        let typical = typical_time(part, &steps);
        Plan {
            steps,
            typical,
            ..self
        }
    }

    /// Whether the board holds everything already, so that nothing is touched.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The steps, to be done in this order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The sectors, ascending.
    pub fn sectors(&self) -> &[PlannedSector] {
        &self.sectors
    }

    /// Bytes of others that must be saved on the host before the first erase.
    pub fn foreign(&self) -> impl Iterator<Item = &Foreign> {
        self.sectors.iter().flat_map(|sector| &sector.foreign)
    }

    /// The bytes that a step programs; empty for a step that programs nothing.
    pub fn payload(&self, step: &Step) -> Vec<u8> {
        match (step, step.programs()) {
            (Step::KillTag { .. }, Some((_, length))) => vec![0; length as usize],
            (_, Some((offset, length))) => self.content(offset, length).unwrap_or_default(),
            (_, None) => Vec::new(),
        }
    }

    /// What the flash will hold in the end, foreign bytes included; `None` outside the plan's sectors.
    pub fn content(&self, offset: FlashOffset, length_bytes: u32) -> Option<Vec<u8>> {
        let mut content = Vec::with_capacity(length_bytes as usize);
        let mut at = offset;
        let end = offset.checked_add(length_bytes)?;
        while at < end {
            let number = at.get() / SECTOR_BYTES;
            let index = self
                .sectors
                .binary_search_by_key(&number, |sector| sector.number)
                .ok()?;
            let from = (at.get() % SECTOR_BYTES) as usize;
            let room = SECTOR_BYTES - at.get() % SECTOR_BYTES;
            let length = room.min(end.checked_from(at)?);
            let sector = self.sectors.get(index)?;
            content.extend(sector.content.get(from..from + length as usize)?);
            at = at.checked_add(length)?;
        }
        Some(content)
    }

    /// The ranges that a verify step compares with [`Plan::content`], as offset and length in bytes.
    pub fn verify_ranges(&self, scope: VerifyScope) -> Vec<(FlashOffset, u32)> {
        if scope == VerifyScope::MarkWithoutTag {
            let headers = self.mark.headers().iter();
            return headers.map(|header| header.rest()).collect();
        }
        let skipped = |sector: &PlannedSector| match scope {
            // the mark stands at the start of its sector
            VerifyScope::AllButMark => self
                .mark
                .header_in(sector)
                .map_or(0, |header| header.length_bytes),
            _ => 0,
        };
        let mut ranges: Vec<(FlashOffset, u32)> = Vec::new();
        for sector in &self.sectors {
            let skipped = skipped(sector);
            if skipped == SECTOR_BYTES {
                continue;
            }
            let from = FlashOffset::new(sector.offset().get() + skipped);
            let length = SECTOR_BYTES - skipped;
            match ranges.last_mut() {
                Some((first, so_far)) if first.get() + *so_far == from.get() => *so_far += length,
                _ => ranges.push((from, length)),
            }
        }
        ranges
    }

    /// The longest that the erases may take by the data sheet.
    pub fn longest_erase_time(&self, part: &FlashPart) -> Duration {
        let us = self.steps.iter().map(|step| match step {
            Step::Erase { size_bytes, .. } => u64::from(part.erase_max_us(*size_bytes)),
            _ => 0,
        });
        Duration::from_micros(us.sum())
    }

    /// Typical time of all erases, programs and status writes by the data sheet, without any transfer.
    pub const fn typical_time(&self) -> Duration {
        self.typical
    }

    /// Sectors that the steps erase, that others may use too, and of which nothing is known but that they looked blank:
    /// whoever is mistaken there loses bytes of others and never hears of it.
    pub fn believed_blank(&self) -> impl Iterator<Item = FlashOffset> {
        let sectors = self.sectors.iter();
        let believed = sectors.filter(|sector| sector.shared && sector.is_blank());
        believed
            .map(PlannedSector::offset)
            .filter(|offset| self.erases(*offset))
    }

    /// Sectors with room for bytes of others, by number, with the content they will have. Those of which it is not proven,
    /// because they looked blank once and nothing erases them, are not among them.
    pub fn shared_content(&self) -> impl Iterator<Item = (u32, Vec<u8>)> {
        let shared = self.sectors.iter().filter(|sector| sector.shared);
        shared
            .filter(|sector| !sector.is_blank() || self.erases(sector.offset()))
            .map(|sector| (sector.number, sector.content.clone()))
    }

    /// Sectors with room for bytes of others that looked blank once, and that nothing erases.
    pub fn glanced_at(&self) -> impl Iterator<Item = u32> {
        let shared = self.sectors.iter().filter(|sector| sector.shared);
        shared
            .filter(|sector| sector.is_blank() && !self.erases(sector.offset()))
            .map(|sector| sector.number)
    }

    /// Whether a step erases the byte at `at`.
    fn erases(&self, at: FlashOffset) -> bool {
        self.steps.iter().any(|step| match step {
            Step::Erase { offset, size_bytes } => at
                .checked_from(*offset)
                .is_some_and(|distance| distance < *size_bytes),
            _ => false,
        })
    }

    /// Sectors outside the plan whose content is to be compared before and after, as first sector and count. Where nothing
    /// is touched there are none.
    pub fn guarded(&self, part: &FlashPart, guard: Guard) -> Vec<(u32, u32)> {
        const PER_BLOCK: u32 = 0x1_0000 / SECTOR_BYTES;
        let last = part.size_bytes / PER_BLOCK / SECTOR_BYTES - 1;
        let touched = self
            .sectors
            .iter()
            .filter(|sector| sector.action != SectorAction::Keep);
        let blocks: BTreeSet<u32> = touched.map(|sector| sector.number / PER_BLOCK).collect();
        let blocks: BTreeSet<u32> = match guard {
            Guard::Chip if !blocks.is_empty() => (0..=last).collect(),
            Guard::Chip | Guard::Near => blocks
                .iter()
                .flat_map(|block| block.saturating_sub(1)..=(block + 1).min(last))
                .collect(),
        };
        let planned: BTreeSet<u32> = self.sectors.iter().map(|sector| sector.number).collect();
        let guarded = blocks
            .iter()
            .flat_map(|block| block * PER_BLOCK..(block + 1) * PER_BLOCK)
            .filter(|sector| !planned.contains(sector));
        let mut runs: Vec<(u32, u32)> = Vec::new();
        for sector in guarded {
            match runs.last_mut() {
                Some((first, count)) if *first + *count == sector => *count += 1,
                _ => runs.push((sector, 1)),
            }
        }
        runs
    }

    /// Counts for the report.
    pub fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        for sector in &self.sectors {
            match sector.action {
                SectorAction::Keep => summary.kept += 1,
                SectorAction::Program => summary.programmed += 1,
                SectorAction::EraseAndProgram => summary.erased += 1,
            }
        }
        for step in &self.steps {
            match step {
                Step::Erase { .. } => summary.erase_commands += 1,
                Step::SetStatus { .. } => summary.sets_status = true,
                Step::KillTag { .. } | Step::Verify(_) => {}
                programs => {
                    let length = programs.programs().map_or(0, |(_, length)| length);
                    summary.programmed_bytes += u64::from(length);
                }
            }
        }
        summary.foreign_bytes = self.foreign().map(|f| f.bytes.len() as u64).sum();
        summary
    }
}

fn refuse_foreign(sectors: &[PlannedSector]) -> Result<(), PlanError> {
    match sectors.iter().find(|sector| !sector.foreign.is_empty()) {
        Some(sector) => Err(PlanError::SharedSector {
            sector: sector.number,
            bytes: sector.foreign.iter().map(|f| f.bytes.len()).sum(),
        }),
        None => Ok(()),
    }
}

fn typical_time(part: &FlashPart, steps: &[Step]) -> Duration {
    let us: u64 = steps
        .iter()
        .map(|step| match step {
            Step::Erase { size_bytes, .. } => part.erase_typ_us(*size_bytes).into(),
            Step::SetStatus { .. } => part.write_status.typ_us.into(),
            Step::Verify(_) => 0,
            programs => {
                let (offset, length) = programs.programs().unwrap_or((FlashOffset::ZERO, 0));
                let first = offset.get() / part.page_bytes;
                let behind = (offset.get() + length).div_ceil(part.page_bytes);
                u64::from(behind - first) * u64::from(part.page_program.typ_us)
            }
        })
        .sum();
    Duration::from_micros(us)
}

#[cfg(test)]
mod tests;
