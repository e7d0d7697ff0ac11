//! The desk itself: a job over it ends like one on the whole virtual board.

use mailbox::layout::AREA_ADDRESS;
use rtflash::job::Request;
use virtual_board::rom::{Outcome, Reading};

use crate::desk::{Desk, Disturbance};
use crate::images::{image, noise};
use crate::wire::Access;

#[test]
fn a_job_over_the_desk_leaves_a_flash_that_the_rom_boots() {
    let desk = Desk::new("is25wp064");
    let image = image(&[(0x6000_3000, noise(3, 0x9000))]);
    let request = Request::new(image.image().clone());
    for _ in 0..2 {
        let done = desk.flash(&request);
        assert!(done.passed(), "{:?}", done.written.verified);
        desk.board.assert_clean();
        for run in image.runs() {
            let at = run.offset.get() as usize;
            desk.nor(|nor| assert_eq!(nor.content()[at..at + run.bytes.len()], run.bytes));
        }
        for reading in [Reading::Strict, Reading::Lenient] {
            let outcome = desk.boots(reading);
            assert!(matches!(outcome, Outcome::Booted { .. }), "{outcome:?}");
        }
        desk.power_cycle();
    }
}

#[test]
fn a_word_that_is_changed_on_its_way_is_not_a_pass_with_other_content() {
    let image = image(&[(0x6000_3000, noise(3, 0x1000))]);
    let request = Request::new(image.image().clone());
    let whole = Desk::new("is25wp064").flash(&request);
    let mut failed = 0;
    for (number, is_write) in (0..whole.accesses).zip([true, false].into_iter().cycle()) {
        let desk = Desk::new("is25wp064");
        let mut accesses = 0;
        let disturbance = Disturbance {
            tap: Some(Box::new(move |access: Access<'_>| {
                let hit = accesses == number && access.is_write == is_write;
                accesses += 1;
                if hit && access.address >= AREA_ADDRESS {
                    access.words[access.words.len() / 2] ^= 1 << 7;
                }
            })),
            ..Disturbance::default()
        };
        let done = desk.flash_disturbed(&request, disturbance);
        failed += usize::from(!done.passed());
        for run in image.runs() {
            let at = run.offset.get() as usize;
            let held = desk.nor(|nor| nor.content()[at..at + run.bytes.len()] == run.bytes);
            assert!(held || !done.passed(), "access {number}");
        }
    }
    assert!(failed > 0, "some change must be one that matters");
}

#[test]
fn a_cut_cable_is_no_pass_and_the_target_ends_what_it_has_got() {
    let image = image(&[(0x6000_3000, noise(3, 0x1000))]);
    let request = Request::new(image.image().clone());
    let desk = Desk::new("is25wp064");
    let all = Desk::new("is25wp064").flash(&request).accesses;
    for part in 0..4 {
        let disturbance = Disturbance {
            cut_at: Some(all * part / 4),
            ..Disturbance::default()
        };
        assert_eq!(
            desk.flash_disturbed(&request, disturbance).code(),
            "target-lost"
        );
        assert_eq!(desk.nor(|nor| nor.status_register() & 1), 0, "idle");
    }
    assert!(desk.flash(&request).passed());
}
