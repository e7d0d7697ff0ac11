//! What is to be erased, and the plan for it: sector-exact, what the ROM boots by first, the fastest units.

use super::layout::Layout;
use super::order::{self, Erasing, Mark};
use super::sectors::{self, PlannedSector, SectorAction, SectorMap};
use super::status::status_change;
use super::{FCB_BYTES, Plan, PlanError, SECTOR_BYTES, typical_time};
use crate::address::FlashOffset;
use crate::target::Target;

/// What becomes of other bytes in a sector that a range ends inside of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CutSectors {
    /// Nothing is erased, unless those bytes are FFh.
    #[default]
    Refuse,
    /// They are saved on the host and restored.
    KeepOthers,
    /// They are erased too.
    EraseWhole,
}

/// What is to be erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    ranges: Vec<(FlashOffset, u32)>,
    cut: CutSectors,
    layout: Layout,
}

impl Erasure {
    /// Erases `ranges`, given as offset and length in bytes, all inside the part; they may overlap and come in any order.
    pub fn new(ranges: &[(FlashOffset, u32)], cut: CutSectors) -> Self {
        let widened = ranges.iter().map(|&(start, length)| match cut {
            CutSectors::EraseWhole => to_sectors(start, length),
            CutSectors::Refuse | CutSectors::KeepOthers => (start, length),
        });
        let ranges = merged(widened.collect());
        Erasure {
            layout: Layout::erased(&ranges),
            ranges,
            cut,
        }
    }

    /// The ranges, ascending and apart; widened to whole sectors where other bytes in them are to be erased too.
    pub fn ranges(&self) -> &[(FlashOffset, u32)] {
        &self.ranges
    }

    /// The sectors that the ranges lie in: what the survey must find out about.
    pub const fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Bytes of all ranges.
    pub fn len_bytes(&self) -> u64 {
        self.ranges
            .iter()
            .map(|(_, length)| u64::from(*length))
            .sum()
    }

    /// Whether the byte at `offset` is to be erased.
    pub fn covers(&self, offset: FlashOffset) -> bool {
        self.meets(offset, 1)
    }

    /// Whether any of the `length_bytes` from `start` is to be erased.
    pub fn meets(&self, start: FlashOffset, length_bytes: u32) -> bool {
        let end = |start: FlashOffset, length: u32| u64::from(start.get()) + u64::from(length);
        self.ranges.iter().any(|(from, length)| {
            u64::from(from.get()) < end(start, length_bytes)
                && u64::from(start.get()) < end(*from, *length)
        })
    }

    /// Plans it. `map` has the state of every sector of the [`layout`](Self::layout), `status_register` is what the status
    /// registers hold, as for [`Plan::new`].
    ///
    /// Sectors that are blank are left alone. Where the FCB's sector changes, its tag dies before anything else; where
    /// the IVT goes and the FCB's sector stays as it is, the IVT's header. So an erase that was cut never leaves half an image that
    /// the ROM would start by them. Protection is taken away where anything changes; QE stays as it is.
    ///
    /// # Errors
    /// [`PlanError::SectorUnknown`], [`PlanError::CutSector`].
    pub fn plan(
        &self,
        target: &Target,
        map: &SectorMap,
        status_register: u32,
    ) -> Result<Plan, PlanError> {
        let part = target.flash();
        let mut sectors = sectors::decide(&self.layout, map, part)?;
        let boot = &target.chip().boot;
        // an FCB that stays is put back last; an IVT that stays is like any byte of others
        let ivt = Some((boot.ivt_offset, part.page_bytes)).filter(|(at, _)| self.covers(*at));
        let places: Vec<_> = [Some((boot.fcb_offset, FCB_BYTES)), ivt]
            .into_iter()
            .flatten()
            .collect();
        let mark = Mark::of_erasure(&places, &sectors, part);
        for (sector, need) in sectors.iter_mut().zip(self.layout.sectors()) {
            if mark.must_die(sector) {
                sector.force_erase(need);
            }
        }
        if self.cut == CutSectors::Refuse {
            refuse_cut(&sectors, target)?;
        }
        let changes = sectors.iter().any(|s| s.action != SectorAction::Keep);
        let status = status_change(false, part, status_register, changes);
        let steps = if changes {
            order::steps(part, &sectors, &mark, status, Erasing::Units)
        } else {
            Vec::new()
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
}

fn refuse_cut(sectors: &[PlannedSector], target: &Target) -> Result<(), PlanError> {
    let cut = sectors.iter().find(|sector| !sector.foreign.is_empty());
    cut.map_or(Ok(()), |sector| {
        let foreign = sector.foreign.iter().flat_map(|foreign| &foreign.bytes);
        Err(PlanError::CutSector {
            sector: sector.number,
            address: target.address_of(sector.offset()),
            bytes: foreign.filter(|byte| **byte != crate::boot::ERASED).count(),
        })
    })
}

/// The whole sectors that a range lies in.
const fn to_sectors(start: FlashOffset, length: u32) -> (FlashOffset, u32) {
    let from = start.floor_to(SECTOR_BYTES);
    let end = (start.get() + length).next_multiple_of(SECTOR_BYTES);
    (from, end - from.get())
}

fn merged(mut ranges: Vec<(FlashOffset, u32)>) -> Vec<(FlashOffset, u32)> {
    ranges.retain(|(_, length)| *length > 0);
    ranges.sort();
    let mut merged: Vec<(FlashOffset, u32)> = Vec::new();
    for (start, length) in ranges {
        let end = start.get() + length;
        match merged.last_mut() {
            Some((first, so_far)) if first.get() + *so_far >= start.get() => {
                *so_far = (*so_far).max(end - first.get());
            }
            _ => merged.push((start, length)),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boot::ERASED;
    use crate::plan::{SectorState, Step, VerifyScope};

    const S: u32 = SECTOR_BYTES;
    const BLOCK: u32 = 0x1_0000;
    const KILL_FCB: Step = Step::KillTag {
        offset: FlashOffset::ZERO,
    };

    fn target() -> Target {
        Target::builtin("mimxrt1062", "is25wp064", "qspi").expect("target")
    }

    fn at(offset: u32) -> FlashOffset {
        FlashOffset::new(offset)
    }

    fn erasure(ranges: &[(u32, u32)], cut: CutSectors) -> Erasure {
        let ranges: Vec<_> = ranges.iter().map(|(o, l)| (at(*o), *l)).collect();
        Erasure::new(&ranges, cut)
    }

    /// Plans on a board of which each sector holds one value.
    fn plan_on(
        erasure: &Erasure,
        value: &dyn Fn(u32) -> u8,
        status: u32,
    ) -> Result<Plan, PlanError> {
        let states = erasure.layout().sectors().iter().map(|need| {
            let state = match value(need.number()) {
                ERASED => SectorState::Blank,
                value if need.is_shared() => SectorState::Content(vec![value; S as usize]),
                _ => SectorState::Different,
            };
            (need.number(), state)
        });
        erasure.plan(&target(), &states.collect(), status)
    }

    fn full(erasure: &Erasure) -> Plan {
        plan_on(erasure, &|_| 0x11, 0x40).expect("plan")
    }

    fn erases(plan: &Plan) -> Vec<(u32, u32)> {
        let erase = |step: &Step| match step {
            Step::Erase { offset, size_bytes } => Some((offset.get(), *size_bytes)),
            _ => None,
        };
        plan.steps().iter().filter_map(erase).collect()
    }

    #[test]
    fn ranges_that_touch_or_overlap_are_one() {
        let ranges = [(0x3000, S), (0x1000, 0x1800), (0x2800, 0x800), (0x9000, 0)];
        let erasure = erasure(&ranges, CutSectors::Refuse);
        assert_eq!(erasure.ranges(), [(at(0x1000), 0x3000)]);
        assert_eq!(erasure.len_bytes(), 0x3000);
        assert!(erasure.covers(at(0x1000)) && !erasure.covers(at(0x4000)));
        assert!(erasure.meets(at(0), 0x1001) && !erasure.meets(at(0), 0x1000));
    }

    #[test]
    fn the_fcb_dies_first_and_the_rest_goes_by_the_fastest_units() {
        let plan = full(&erasure(&[(0, 2 * BLOCK)], CutSectors::Refuse));
        assert_eq!(plan.steps().first(), Some(&KILL_FCB));
        assert_eq!(erases(&plan), [(0, S), (0, BLOCK), (BLOCK, BLOCK)]);
        let verifies = plan.steps().iter();
        let verifies = verifies.filter(|step| matches!(step, Step::Verify(_)));
        assert_eq!(
            verifies.collect::<Vec<_>>(),
            [&Step::Verify(VerifyScope::Everything)]
        );
        let programs = plan.steps().iter().filter_map(Step::programs).count();
        assert_eq!(programs, 1, "nothing but the tag: {:?}", plan.steps());
    }

    #[test]
    fn without_the_fcb_the_ivt_dies_first() {
        let plan = full(&erasure(&[(0x1000, BLOCK)], CutSectors::Refuse));
        let kill = Step::KillTag { offset: at(0x1000) };
        assert_eq!(plan.steps().first(), Some(&kill));
        assert_eq!(erases(&plan).first(), Some(&(0x1000, S)));
    }

    #[test]
    fn behind_the_boot_header_nothing_is_killed() {
        let plan = full(&erasure(&[(0x2000, S)], CutSectors::Refuse));
        assert_eq!(erases(&plan), [(0x2000, S)]);
        assert!(plan.steps().iter().all(|step| step.programs().is_none()));
    }

    #[test]
    fn blank_sectors_are_left_alone_and_a_blank_range_needs_no_step() {
        let range = erasure(&[(0x2_0000, BLOCK)], CutSectors::Refuse);
        let only = |wanted: u32| move |sector| if sector == wanted { 0x11 } else { ERASED };
        let plan = plan_on(&range, &only(0x23), 0x7C).expect("plan");
        assert_eq!(erases(&plan), [(0x2_3000, S)]);
        let plan = plan_on(&range, &|_| ERASED, 0x7C).expect("plan");
        assert!(plan.is_empty(), "not even the protection is touched");
    }

    #[test]
    fn protection_is_taken_away_before_the_first_change_and_qe_stays() {
        let range = erasure(&[(0, S)], CutSectors::Refuse);
        let plan = plan_on(&range, &|_| 0x11, 0x3C).expect("plan");
        assert!(
            matches!(plan.steps().first(), Some(Step::SetStatus { value: 0, .. })),
            "{:?}",
            plan.steps()
        );
        let plan = plan_on(&range, &|_| 0x11, 0x00).expect("plan");
        assert!(!plan.summary().sets_status, "QE = 0 is no reason");
    }

    #[test]
    fn a_cut_sector_with_other_bytes_is_refused_kept_or_erased_as_told() {
        let range = [(0x2_0800, S)];
        let refused = plan_on(&erasure(&range, CutSectors::Refuse), &|_| 0x11, 0);
        assert_eq!(
            refused.expect_err("refused"),
            PlanError::CutSector {
                sector: 0x20,
                address: target().address_of(at(0x2_0000)),
                bytes: 0x800
            }
        );
        let kept = full(&erasure(&range, CutSectors::KeepOthers));
        let foreign: Vec<(u32, usize)> = kept
            .foreign()
            .map(|foreign| (foreign.offset.get(), foreign.bytes.len()))
            .collect();
        assert_eq!(foreign, [(0x2_0000, 0x800), (0x2_1800, 0x800)]);
        let whole = erasure(&range, CutSectors::EraseWhole);
        assert_eq!(whole.ranges(), [(at(0x2_0000), 2 * S)]);
        assert_eq!(full(&whole).foreign().count(), 0);
    }

    #[test]
    fn a_cut_sector_whose_other_bytes_are_erased_is_no_reason_to_refuse() {
        let range = erasure(&[(0x2_0800, 0x100)], CutSectors::Refuse);
        let mut content = vec![ERASED; S as usize];
        content[0x810] = 0;
        let map = [(0x20, SectorState::Content(content))]
            .into_iter()
            .collect();
        let plan = range.plan(&target(), &map, 0).expect("plan");
        assert_eq!(erases(&plan), [(0x2_0000, S)]);
    }

    #[test]
    fn an_ivt_that_is_kept_is_a_byte_of_others_and_is_never_programmed_to_zero() {
        let plan = full(&erasure(&[(0x1800, 0x100)], CutSectors::KeepOthers));
        let kills = |step: &Step| matches!(step, Step::KillTag { .. });
        assert!(!plan.steps().iter().any(kills), "{:?}", plan.steps());
        let foreign: Vec<u32> = plan.foreign().map(|f| f.offset.get()).collect();
        assert_eq!(foreign, [0x1000, 0x1900]);
    }

    #[test]
    fn an_fcb_that_is_kept_dies_first_and_comes_back_last() {
        let plan = full(&erasure(&[(0x800, 0x100)], CutSectors::KeepOthers));
        assert_eq!(plan.steps().first(), Some(&KILL_FCB));
        let [.., tag, last] = plan.steps() else {
            panic!("{:?}", plan.steps());
        };
        assert!(matches!(tag, Step::ProgramTag { offset, .. } if *offset == FlashOffset::ZERO));
        assert_eq!(last, &Step::Verify(VerifyScope::Everything));
    }

    #[test]
    fn a_whole_part_is_erased_at_once_where_that_is_faster_and_every_command_counts() {
        let target = target();
        let part = target.flash();
        let chip = erasure(&[(0, part.size_bytes)], CutSectors::Refuse);
        let pace = crate::plan::Pace {
            bytes_per_second: 1_000_000,
            window_bytes: BLOCK,
        };
        let plan = full(&chip).paced(part, pace);
        assert_eq!(erases(&plan), [(0, S), (0, part.size_bytes)]);
        assert_eq!(plan.steps().first(), Some(&KILL_FCB));
        let longest_us = part.chip_erase.max_us + part.erase_max_us(S);
        assert_eq!(
            plan.longest_erase_time(part).as_micros(),
            u128::from(longest_us)
        );
        let few = |sector| if sector % 64 == 0 { 0x11 } else { ERASED };
        let plan = plan_on(&chip, &few, 0x40).expect("plan").paced(part, pace);
        assert_eq!(erases(&plan).len(), 32, "single sectors are faster");
    }
}
