//! How long steps take while their payload is transferred beside them.

use std::collections::VecDeque;
use std::time::Duration;

use super::SECTOR_BYTES;
use super::step::Step;
use crate::target::FlashPart;

/// How payload reaches the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Bytes that the link carries in a second.
    pub bytes_per_second: u64,
    /// Bytes that may lie on the target before they are programmed.
    pub window_bytes: u32,
}

impl Pace {
    /// Time of `steps` by the part's typical times: each payload is programmed when it has arrived and what stands before
    /// it is done, and sent when the one before it is sent and there is room. Status writes and verifies do not count.
    pub fn time(&self, part: &FlashPart, steps: &[Step]) -> Duration {
        let mut flash = Duration::ZERO;
        let mut link = Duration::ZERO;
        // payload on the target: when it is programmed, and how much it is
        let mut waiting: VecDeque<(Duration, u32)> = VecDeque::new();
        let mut waiting_bytes = 0;
        for step in steps {
            if let Step::Erase { size_bytes, .. } = step {
                flash += Duration::from_micros(part.erase_typ_us(*size_bytes).into());
            }
            let Some((offset, length)) = step.programs() else {
                continue;
            };
            let mut left = length;
            let mut at = offset.get();
            while left > 0 {
                let bytes = left.min(SECTOR_BYTES - at % SECTOR_BYTES);
                while waiting_bytes + bytes > self.window_bytes
                    && let Some((done, freed)) = waiting.pop_front()
                {
                    link = link.max(done);
                    waiting_bytes -= freed;
                }
                link += self.transfer(bytes);
                let pages = bytes.div_ceil(part.page_bytes);
                let program = part.page_program.typ_us.saturating_mul(pages);
                flash = flash.max(link) + Duration::from_micros(program.into());
                waiting.push_back((flash, bytes));
                waiting_bytes += bytes;
                at += bytes;
                left -= bytes;
            }
        }
        flash
    }

    fn transfer(&self, bytes: u32) -> Duration {
        const NANOSECONDS: u64 = 1_000_000_000;
        Duration::from_nanos(u64::from(bytes) * NANOSECONDS / self.bytes_per_second.max(1))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::address::Address;
    use crate::boot::{BootImage, ERASED, judge};
    use crate::image::Image;
    use crate::plan::{Layout, Plan, SectorMap, SectorState, SharedSectors, VerifyScope};
    use crate::target::Target;

    const SIZE: u32 = 4 * 0x1_0000;
    const FAST: Pace = Pace {
        bytes_per_second: 1_000_000,
        window_bytes: 0x4_0000,
    };

    /// A part of four blocks, whose chip erase is shorter than four block erases.
    fn target() -> Target {
        let usual = Target::builtin("mimxrt1062", "is25wp064", "qspi").expect("target");
        let mut part = usual.flash().clone();
        part.size_bytes = SIZE;
        part.chip_erase.typ_us = 400_000;
        Target::new(usual.chip().clone(), part, usual.board().clone()).expect("target")
    }

    /// An application from 0x2000 to `end`.
    fn image(end: u32, target: &Target) -> BootImage {
        let start = Address::new(0x6000_2000);
        let mut content: Vec<u8> = vec![0x5A; (end - 0x2000) as usize];
        let vectors = [0x2001_0000_u32, 0x6000_2041].into_iter();
        let vectors = vectors.flat_map(u32::to_le_bytes);
        content
            .iter_mut()
            .zip(vectors)
            .for_each(|(to, from)| *to = from);
        let image = Image::raw(Path::new("app.bin"), &content, start).expect("image");
        judge(&image, None, target)
            .into_boot_image()
            .expect("boots")
    }

    fn plan(end: u32, before: &dyn Fn(u32) -> u8, pace: Pace) -> Plan {
        let target = target();
        let image = image(end, &target);
        let map: SectorMap = Layout::new(&image)
            .sectors()
            .iter()
            .map(|need| {
                let content = vec![before(need.number()); SECTOR_BYTES as usize];
                (need.number(), SectorState::Content(content))
            })
            .collect();
        let plan = Plan::new(&image, target.flash(), &map, 0x40, SharedSectors::Preserve);
        plan.expect("plan").paced(target.flash(), pace)
    }

    fn largest_erase(plan: &Plan) -> u32 {
        let sizes = plan.steps().iter().filter_map(|step| match step {
            Step::Erase { size_bytes, .. } => Some(*size_bytes),
            _ => None,
        });
        sizes.max().unwrap_or(0)
    }

    #[test]
    fn a_chip_that_changes_altogether_is_erased_at_once_where_that_is_faster() {
        let plan = plan(SIZE, &|_| 0x11, FAST);
        assert_eq!(largest_erase(&plan), SIZE);
        // the mark dies first and lives last all the same
        assert!(matches!(plan.steps().first(), Some(Step::KillTag { .. })));
        let last = plan.steps().last();
        assert_eq!(last, Some(&Step::Verify(VerifyScope::Everything)));
        let position = |wanted: &dyn Fn(&Step) -> bool| plan.steps().iter().position(wanted);
        let erase = position(&|step| {
            matches!(
                step,
                Step::Erase {
                    size_bytes: SIZE,
                    ..
                }
            )
        });
        let program = position(&|step| matches!(step, Step::Program { .. }));
        assert!(erase < program, "nothing is programmed before it");
    }

    #[test]
    fn a_slow_link_takes_blocks_because_its_transfer_overlaps_with_them() {
        let slow = Pace {
            bytes_per_second: 100_000,
            window_bytes: 0x1_0000,
        };
        assert_eq!(largest_erase(&plan(SIZE, &|_| 0x11, slow)), 0x1_0000);
    }

    #[test]
    fn a_chip_of_which_a_sector_is_not_planned_or_stays_is_never_erased_at_once() {
        assert_eq!(
            largest_erase(&plan(SIZE - SECTOR_BYTES, &|_| 0x11, FAST)),
            0x1_0000,
            "the last sector belongs to nobody"
        );
        let stays = |sector| if sector == 20 { 0x5A } else { 0x11 };
        assert_eq!(largest_erase(&plan(SIZE, &stays, FAST)), 0x1_0000);
        assert_eq!(largest_erase(&plan(SIZE, &|_| ERASED, FAST)), 0, "blank");
    }

    #[test]
    fn the_time_is_that_of_the_slower_side() {
        let target = target();
        let part = target.flash();
        let steps = [
            Step::Erase {
                offset: crate::address::FlashOffset::ZERO,
                size_bytes: 0x1_0000,
            },
            Step::Program {
                offset: crate::address::FlashOffset::ZERO,
                length_bytes: 0x1_0000,
            },
        ];
        let flash = Duration::from_micros(150_000 + 256 * 200);
        let instant = Pace {
            bytes_per_second: u64::MAX,
            window_bytes: 0x4_0000,
        };
        assert_eq!(instant.time(part, &steps), flash);
        let slow = Pace {
            bytes_per_second: 0x1_0000,
            window_bytes: 0x4_0000,
        };
        // one second for the transfer, and the last sector is programmed after it
        let last = Duration::from_micros(16 * 200);
        assert_eq!(slow.time(part, &steps), Duration::from_secs(1) + last);
        let narrow = Pace {
            bytes_per_second: 0x1_0000,
            window_bytes: SECTOR_BYTES,
        };
        assert!(narrow.time(part, &steps) > slow.time(part, &steps));
    }
}
