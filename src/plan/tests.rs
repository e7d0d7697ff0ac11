//! Plans, executed on a tiny NOR: AND-program and erase, nothing else.

use proptest::prelude::*;

use super::*;
use crate::boot::mcuboot::{self, sample};
use crate::boot::{Present, judge};
use crate::image::sample::{application, image_of};
use crate::target::Target;

const NOR_BYTES: usize = 0x4_0000;
const QE: u32 = 0x40;

fn target() -> Target {
    Target::builtin("mimxrt1062", "is25wp064", "qspi").expect("target")
}

/// An image with a vector table at 0x2000 and further pieces, given as flash offset and bytes.
fn boot_image(pieces: &[(u32, Vec<u8>)]) -> BootImage {
    let mut all = vec![(0x6000_2000, application(0x2002_0000, 0x6000_2101, 0x400))];
    all.extend(
        pieces
            .iter()
            .map(|(offset, bytes)| (0x6000_0000 + offset, bytes.clone())),
    );
    judge(&image_of(&all), None, &target())
        .into_boot_image()
        .expect("bootable")
}

/// The smallest NOR: bits are only cleared by programming, and only set by erasing.
#[derive(Clone)]
struct Nor {
    bytes: Vec<u8>,
    status: u32,
}

impl Nor {
    fn blank() -> Self {
        Nor {
            bytes: vec![0xFF; NOR_BYTES],
            status: 0,
        }
    }

    /// Does a step; `torn` leaves its bits half done, as a power cut would.
    fn run(&mut self, plan: &Plan, step: &Step, torn: Option<u64>) {
        let payload = plan.payload(step);
        let mut random = torn.unwrap_or_default() | 1;
        let mut done = || {
            if torn.is_none() {
                return 0xFF;
            }
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random as u8
        };
        if let Some((offset, _)) = step.programs() {
            assert!(
                offset.is_aligned_to(4),
                "{step}: the algorithm takes whole words"
            );
            for (at, byte) in payload.iter().enumerate() {
                let old = self.bytes[offset.index() + at];
                let killing = matches!(step, Step::KillTag { .. });
                let harmless = old == 0xFF || old == *byte;
                assert!(killing || harmless, "{step}: byte {at} is not erased");
                let cleared = old & !byte & done();
                self.bytes[offset.index() + at] = old & !cleared;
            }
        } else if let Step::Erase { offset, size_bytes } = step {
            assert!(offset.is_aligned_to(*size_bytes), "{step}");
            // Any subset of bits: also none of the first page's.
            let untouched = torn.map_or(0, |seed| (seed as usize & 1) * 256);
            for byte in &mut self.bytes[offset.index()..][untouched..*size_bytes as usize] {
                *byte |= done();
            }
        } else if let Step::SetStatus { value, mask } = step {
            self.status = self.status & !mask | value & mask;
        }
    }

    fn tag(&self) -> u32 {
        u32::from_le_bytes(self.bytes[..4].try_into().expect("a word"))
    }

    /// What a survey would report.
    fn map(&self, boot_image: &BootImage) -> SectorMap {
        Layout::new(boot_image)
            .sectors()
            .iter()
            .map(|need| {
                let now = &self.bytes[need.offset().index()..][..4096];
                let state = if now.iter().all(|byte| *byte == 0xFF) {
                    SectorState::Blank
                } else {
                    match need.whole_content() {
                        None => SectorState::Content(now.to_vec()),
                        Some(content) if content == now => SectorState::Equal,
                        Some(_) => SectorState::Different,
                    }
                };
                (need.number(), state)
            })
            .collect()
    }

    fn plan(&self, boot_image: &BootImage) -> Plan {
        Plan::new(
            boot_image,
            target().flash(),
            &self.map(boot_image),
            self.status,
            SharedSectors::Preserve,
        )
        .expect("plan")
    }

    fn flash(&mut self, boot_image: &BootImage) -> Plan {
        let plan = self.plan(boot_image);
        for step in plan.steps() {
            self.run(&plan, step, None);
        }
        plan
    }

    /// What the flash must hold after `boot_image` was flashed over it.
    fn expected(&self, boot_image: &BootImage) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        for run in boot_image.runs() {
            bytes[run.offset.index()..][..run.bytes.len()].copy_from_slice(&run.bytes);
        }
        bytes
    }
}

fn steps(plan: &Plan) -> Vec<String> {
    plan.steps().iter().map(ToString::to_string).collect()
}

#[test]
fn a_blank_board_is_programmed_without_any_erase_and_the_tag_comes_last() {
    let boot_image = boot_image(&[]);
    let plan = Nor::blank().plan(&boot_image);
    assert_eq!(
        steps(&plan),
        [
            "set the status register to 0x40",
            "program 256 bytes at 0x001000",
            "program 1024 bytes at 0x002000",
            "verify all but the mark",
            "program what follows the tag, 508 bytes at 0x000004",
            "verify the mark without tag",
            "program the tag at 0x000000",
            "verify everything",
        ]
    );
    let summary = plan.summary();
    assert_eq!(
        (summary.kept, summary.programmed, summary.erased),
        (0, 3, 0)
    );
    assert_eq!(summary.programmed_bytes, 256 + 1024 + 512);
    // Two FCB pages (the first one twice), one page of IVT, four of code, and the status write.
    assert_eq!(plan.typical_time(), Duration::from_micros(8 * 200 + 2_000));
}

#[test]
fn nothing_to_change_is_an_empty_plan() {
    let boot_image = boot_image(&[]);
    let mut nor = Nor::blank();
    nor.flash(&boot_image);
    let plan = nor.plan(&boot_image);
    assert!(plan.is_empty());
    assert_eq!(plan.summary().kept, 3);
    assert_eq!(
        plan.verify_ranges(VerifyScope::Everything),
        [(FlashOffset::ZERO, 3 * 4096)]
    );
}

#[test]
fn one_changed_byte_kills_the_tag_first_and_leaves_equal_sectors_alone() {
    let boot_image = boot_image(&[(0x1_0000, vec![0x11; 4096])]);
    let mut nor = Nor::blank();
    nor.flash(&boot_image);
    nor.bytes[0x1_0123] = 0x10;
    let plan = nor.plan(&boot_image);
    assert_eq!(
        steps(&plan),
        [
            "program the tag at 0x000000 to 0",
            "erase 4096 bytes at 0x000000",
            "erase 4096 bytes at 0x010000",
            "program 4096 bytes at 0x010000",
            "verify all but the mark",
            "program what follows the tag, 508 bytes at 0x000004",
            "verify the mark without tag",
            "program the tag at 0x000000",
            "verify everything",
        ]
    );
    let summary = plan.summary();
    assert_eq!(
        (summary.kept, summary.programmed, summary.erased),
        (2, 0, 2)
    );
}

#[test]
fn a_protected_board_is_unprotected_before_the_tag_is_killed() {
    let boot_image = boot_image(&[]);
    let mut nor = Nor::blank();
    nor.flash(&boot_image);
    nor.status = QE | 0x0C;
    nor.bytes[0x2000] ^= 0xFF;
    let plan = nor.plan(&boot_image);
    assert_eq!(
        plan.steps()[..2],
        [
            Step::SetStatus {
                value: QE,
                mask: 0xFC
            },
            Step::KillTag {
                offset: FlashOffset::ZERO
            }
        ]
    );
}

#[test]
fn qe_alone_is_set_without_touching_the_array() {
    let boot_image = boot_image(&[]);
    let mut nor = Nor::blank();
    nor.flash(&boot_image);
    nor.status = 0;
    let plan = nor.plan(&boot_image);
    assert_eq!(plan.steps().len(), 2);
    assert!(matches!(plan.steps()[0], Step::SetStatus { value: QE, .. }));
}

#[test]
fn whole_blocks_are_erased_by_the_fastest_unit() {
    let pieces = [(0x1_0000, vec![0x11; 0x1_9000])];
    let boot_image = boot_image(&pieces);
    let mut nor = Nor::blank();
    nor.bytes[0x1_0000..0x2_9000].fill(0);
    let plan = nor.plan(&boot_image);
    let erases: Vec<_> = plan
        .steps()
        .iter()
        .filter_map(|step| match step {
            Step::Erase { offset, size_bytes } => Some((offset.get(), *size_bytes)),
            _ => None,
        })
        .collect();
    // 64 KiB in 150 ms; then 32 KiB in 100 ms and one sector in 70 ms.
    assert_eq!(
        erases,
        [(0x1_0000, 0x1_0000), (0x2_0000, 0x8000), (0x2_8000, 0x1000)]
    );
}

#[test]
fn foreign_bytes_are_listed_restored_or_refused() {
    let boot_image = boot_image(&[]);
    let mut nor = Nor::blank();
    nor.bytes[0x0800] = 0x42;
    nor.bytes[0x2500..0x2504].fill(0x43);
    nor.bytes[0x2003] = 0;
    nor.bytes[0] = 0;
    let before = nor.clone();
    let refused = Plan::new(
        &boot_image,
        target().flash(),
        &nor.map(&boot_image),
        QE,
        SharedSectors::Refuse,
    );
    assert_eq!(
        refused,
        Err(PlanError::SharedSector {
            sector: 0,
            bytes: 4096 - 512
        })
    );
    let plan = nor.flash(&boot_image);
    let foreign: Vec<_> = plan
        .foreign()
        .map(|f| (f.offset.get(), f.bytes.len()))
        .collect();
    assert_eq!(foreign, [(0x200, 4096 - 512), (0x2400, 4096 - 0x400)]);
    assert_eq!(nor.bytes, before.expected(&boot_image));
    assert_eq!(nor.bytes[0x2500], 0x43);
}

#[test]
fn a_sector_without_state_is_no_plan() {
    let boot_image = boot_image(&[]);
    let plan = Plan::new(
        &boot_image,
        target().flash(),
        &SectorMap::new(),
        QE,
        SharedSectors::Preserve,
    );
    assert_eq!(plan, Err(PlanError::SectorUnknown { sector: 0 }));
}

#[test]
fn a_part_that_takes_one_program_a_page_gets_the_tag_with_its_page() {
    let boot_image = boot_image(&[]);
    let mut part = target().flash().clone();
    part.partial_page_program = false;
    let mut nor = Nor::blank();
    nor.flash(&boot_image);
    nor.bytes[0x2000] ^= 0x01;
    let plan = Plan::new(
        &boot_image,
        &part,
        &nor.map(&boot_image),
        QE,
        SharedSectors::Preserve,
    )
    .expect("plan");
    assert!(
        !plan
            .steps()
            .iter()
            .any(|step| matches!(step, Step::KillTag { .. }))
    );
    assert_eq!(
        plan.steps()[0],
        Step::Erase {
            offset: FlashOffset::ZERO,
            size_bytes: 4096
        }
    );
    let programs: Vec<_> = plan.steps().iter().filter_map(Step::programs).collect();
    for (offset, length) in &programs {
        assert!(offset.is_aligned_to(256) && length % 256 == 0);
    }
    assert_eq!(programs.last(), Some(&(FlashOffset::ZERO, 256)));
}

/// What a sector holds before the job.
#[derive(Clone, Debug)]
enum Before {
    Blank,
    Final,
    FinalButOneByte(u16),
    Noise(u8),
    Zero,
    BegunProgram(u16),
}

fn before() -> impl Strategy<Value = Before> {
    prop_oneof![
        3 => Just(Before::Blank),
        3 => Just(Before::Final),
        1 => any::<u16>().prop_map(Before::FinalButOneByte),
        2 => any::<u8>().prop_map(Before::Noise),
        1 => Just(Before::Zero),
        1 => any::<u16>().prop_map(Before::BegunProgram),
    ]
}

/// Pieces that do not overlap one another, the header or the code.
fn pieces() -> impl Strategy<Value = Vec<(u32, Vec<u8>)>> {
    let piece = (
        0_u32..60,
        0_u32..4096,
        prop::collection::vec(any::<u8>(), 1..6000),
    );
    prop::collection::vec(piece, 0..6).prop_map(|pieces| {
        let mut end = 0x2400;
        let mut sorted: Vec<_> = pieces
            .into_iter()
            .map(|(sector, skew, bytes)| (sector * 4096 + skew, bytes))
            .collect();
        sorted.sort();
        sorted.retain(|(offset, bytes)| {
            let fits = *offset >= end && *offset as usize + bytes.len() <= NOR_BYTES;
            if fits {
                end = *offset + bytes.len() as u32;
            }
            fits
        });
        sorted
    })
}

fn board_before(boot_image: &BootImage, sectors: &[Before], status: u32) -> Nor {
    let mut nor = Nor::blank();
    nor.status = status;
    let blank = nor.expected(boot_image);
    for (index, before) in sectors.iter().enumerate() {
        let range = index * 4096..(index + 1) * 4096;
        let finished = &blank[range.clone()];
        let now = &mut nor.bytes[range];
        match before {
            Before::Blank => {}
            Before::Final => now.copy_from_slice(finished),
            Before::FinalButOneByte(at) => {
                now.copy_from_slice(finished);
                now[usize::from(*at) % 4096] ^= 0x10;
            }
            Before::Noise(seed) => {
                for (at, byte) in now.iter_mut().enumerate() {
                    *byte = (at as u8).wrapping_mul(*seed | 1).wrapping_add(*seed);
                }
            }
            Before::Zero => now.fill(0),
            Before::BegunProgram(to) => {
                let to = usize::from(*to) % 4096;
                now[..to].copy_from_slice(&finished[..to]);
            }
        }
    }
    nor
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_flash_holds_exactly_the_image_and_every_byte_outside_is_as_before(
        pieces in pieces(),
        sectors in prop::collection::vec(before(), NOR_BYTES / 4096),
        status in prop_oneof![Just(0), Just(QE), Just(QE | 0x1C)],
    ) {
        let boot_image = boot_image(&pieces);
        let before = board_before(&boot_image, &sectors, status);
        let mut nor = before.clone();
        let plan = nor.flash(&boot_image);
        prop_assert!(nor.bytes == before.expected(&boot_image), "the content differs");
        if plan.is_empty() {
            prop_assert_eq!(nor.status, before.status);
        } else {
            prop_assert_eq!(nor.status & QE, QE);
        }
        // Foreign bytes are known to the host before they are erased.
        for foreign in plan.foreign() {
            prop_assert_eq!(&before.bytes[foreign.offset.index()..][..foreign.bytes.len()], &foreign.bytes[..]);
        }
        prop_assert!(nor.plan(&boot_image).is_empty(), "a second run would change something");
    }

    #[test]
    fn an_interrupted_flash_never_boots_half_an_image(
        pieces in pieces(),
        sectors in prop::collection::vec(before(), NOR_BYTES / 4096),
        torn in any::<u64>(),
    ) {
        let boot_image = boot_image(&pieces);
        let before = board_before(&boot_image, &sectors, QE);
        let finished = before.expected(&boot_image);
        let mut nor = before.clone();
        let plan = nor.plan(&boot_image);
        let allowed = |nor: &Nor| {
            nor.tag() != Fcb::TAG || nor.bytes == before.bytes || nor.bytes == finished
        };
        for (index, step) in plan.steps().iter().enumerate() {
            let mut cut = nor.clone();
            cut.run(&plan, step, Some(torn.wrapping_add(index as u64)));
            prop_assert!(allowed(&cut), "cut inside: {step}");
            nor.run(&plan, step, None);
            prop_assert!(allowed(&nor), "cut after: {step}");
        }
    }

    #[test]
    fn after_a_cut_anywhere_the_next_run_finishes_the_image(
        pieces in pieces(),
        sectors in prop::collection::vec(before(), NOR_BYTES / 4096),
        cut_at in any::<prop::sample::Index>(),
        torn in any::<u64>(),
    ) {
        let boot_image = boot_image(&pieces);
        let mut nor = board_before(&boot_image, &sectors, QE);
        let plan = nor.plan(&boot_image);
        prop_assume!(!plan.is_empty());
        let cut_at = cut_at.index(plan.steps().len());
        for step in &plan.steps()[..cut_at] {
            nor.run(&plan, step, None);
        }
        nor.run(&plan, &plan.steps()[cut_at], Some(torn));
        nor.flash(&boot_image);
        for run in boot_image.runs() {
            prop_assert!(nor.bytes[run.offset.index()..][..run.bytes.len()] == run.bytes[..]);
        }
    }
}

#[test]
fn saved_bytes_return_where_a_cut_took_them_and_not_where_somebody_wrote_since() {
    let piece = Foreign {
        offset: FlashOffset::new(0x1002),
        bytes: vec![0x0F, 0xF0],
    };
    let mut saved = Saved {
        pieces: vec![piece],
        image_is_dead: false,
    };
    let at = FlashOffset::new(0x1000);
    for (now, kept) in [
        ([0xFF, 0xFF, 0xFF, 0xFF], [0xFF, 0xFF, 0x0F, 0xF0]),
        ([0x00, 0x00, 0x1F, 0xF0], [0x00, 0x00, 0x0F, 0xF0]),
        ([0x00, 0x00, 0x0E, 0xF0], [0x00, 0x00, 0x0E, 0xF0]),
    ] {
        assert_eq!(saved.restore(at, now.to_vec()), kept);
    }
    // half of a piece, as a header is read
    assert_eq!(saved.restore(FlashOffset::new(0x1003), vec![0xF1]), [0xF0]);
    // nothing has run since
    saved.image_is_dead = true;
    assert_eq!(saved.restore(at, vec![0; 4]), [0, 0, 0x0F, 0xF0]);
}

/// Where the slot of a partial image begins.
const SLOT: usize = 0x2_0000;

/// A signed application for a slot, with a boot header and a bootloader on the board.
fn slot_image(length: usize) -> BootImage {
    let resident = boot_image(&[]);
    let held = resident.runs().iter();
    let present = Present::new(held.map(|run| (run.offset, run.bytes.clone())).collect());
    let slot = 0x6000_0000 + SLOT as u32;
    let application = sample::signed(slot, 0x2002_0000, length);
    judge(&image_of(&[(slot, application)]), Some(&present), &target())
        .into_boot_image()
        .expect("a partial image")
}

#[test]
fn a_slot_dies_with_its_first_word_and_lives_with_it() {
    let mut nor = Nor::blank();
    nor.flash(&boot_image(&[]));
    let old = slot_image(0x2400);
    nor.flash(&old);
    assert!(nor.plan(&old).is_empty());
    let plan = nor.plan(&slot_image(0x2000));
    assert_eq!(
        steps(&plan),
        [
            "program the tag at 0x020000 to 0",
            "erase 4096 bytes at 0x020000",
            "erase 4096 bytes at 0x022000",
            // what the longer one left in its last sector belongs to others
            "program 2304 bytes at 0x022000",
            "verify all but the mark",
            "program what follows the tag, 4092 bytes at 0x020004",
            "verify the mark without tag",
            "program the tag at 0x020000",
            "verify everything",
        ]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn an_interrupted_slot_is_old_or_new_or_lacks_its_tag_and_the_bootloader_is_untouched(
        old in 0x100..0x5000_usize,
        new in 0x100..0x5000_usize,
        sectors in prop::collection::vec(before(), NOR_BYTES / 4096),
        torn in any::<u64>(),
    ) {
        let boot_image = slot_image(new & !3);
        let mut before = board_before(&boot_image, &sectors, QE);
        before.flash(&slot_image(old & !3));
        let finished = before.expected(&boot_image);
        let mut nor = before.clone();
        let plan = nor.plan(&boot_image);
        let outside_is_kept = |nor: &Nor| {
            let end = SLOT + plan.sectors().len() * 4096;
            nor.bytes[..SLOT] == before.bytes[..SLOT] && nor.bytes[end..] == before.bytes[end..]
        };
        let tag = |nor: &Nor| nor.bytes[SLOT..SLOT + 4] == mcuboot::MAGIC.to_le_bytes();
        let allowed =
            |nor: &Nor| !tag(nor) || nor.bytes == before.bytes || nor.bytes == finished;
        for (index, step) in plan.steps().iter().enumerate() {
            let mut cut = nor.clone();
            cut.run(&plan, step, Some(torn.wrapping_add(index as u64)));
            prop_assert!(outside_is_kept(&cut), "cut inside: {step}");
            prop_assert!(allowed(&cut), "cut inside: {step}");
            nor.run(&plan, step, None);
            prop_assert!(allowed(&nor), "cut after: {step}");
        }
        prop_assert!(nor.bytes == finished, "the content differs");
        prop_assert_eq!(nor.status, before.status);
        prop_assert!(nor.plan(&boot_image).is_empty(), "a second run would change something");
    }
}
