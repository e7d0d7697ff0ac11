//! An application in a slot is flashed alone, under the bootloader that the board holds: that stays as it is and runs at
//! every moment, and PASS means that the application's own first instruction was executed.

use std::time::Duration;

use proptest::prelude::*;
use rtflash::boot::{HeaderPolicy, HeaderWishes};
use rtflash::job::{BootPolicy, Job, Outcome, Request};
use rtflash::link::VirtualBench;
use rtflash::report::Verdict;
use virtual_board::rom::Outcome as RomOutcome;
use virtual_board::time::Time;

use crate::bench;
use crate::slots::{MAGIC, SLOT, application, bootloader, request};

const SECOND_SLOT: u32 = 0x6032_0000;
const FCB_CLOCK: usize = 0x46;

fn flash(board: &VirtualBench, request: &Request) -> Outcome {
    bench::run(board, request, |job| job)
}

/// A board that runs the bootloader with an application.
fn board_with(tail: &[u8]) -> VirtualBench {
    let board = bench::start(bench::config());
    let outcome = flash(&board, &request(&[bootloader(), application(SLOT, tail)]));
    assert!(passed(&outcome), "{:?}", outcome.problem);
    board
}

fn passed(outcome: &Outcome) -> bool {
    matches!(outcome.record.verdict, Verdict::Pass(_))
}

fn code_of(outcome: Outcome) -> (&'static str, u8) {
    let exit = outcome.record.verdict.exit();
    (outcome.problem.expect("a problem").code, exit)
}

#[test]
fn an_application_alone_is_flashed_and_seen_to_start() {
    let board = board_with(&bench::noise(1, 0x1800));
    let before = bench::flash_content(&board);
    let (at, new) = application(SLOT, &bench::noise(2, 0x1400));
    let outcome = flash(&board, &request(&[(at, new.clone())]));
    assert!(passed(&outcome), "{:?}", outcome.problem);
    let mut expected = before;
    expected[0x2_0000..0x2_0000 + new.len()].copy_from_slice(&new);
    assert!(bench::flash_content(&board) == expected);
    let image = outcome.record.image.expect("image");
    assert_eq!(
        image.role,
        "partial image, under the bootloader on the board"
    );
    assert_eq!(image.application.as_deref(), Some("0x60020440"));
    let boot = outcome.record.boot.expect("boot");
    assert!(
        boot.evidence[0].contains("0x60020440"),
        "{:?}",
        boot.evidence
    );
    assert_eq!(bench::violations(&board), Vec::<String>::new());

    let again = flash(&board, &request(&[(at, new)]));
    assert!(passed(&again), "{:?}", again.problem);
    assert_eq!(again.record.plan.expect("plan").erase_commands, 0);
}

#[test]
fn an_application_that_the_bootloader_does_not_start_is_no_pass() {
    let board = board_with(&[]);
    let second = request(&[application(SECOND_SLOT, &[1; 16])]);
    let outcome = bench::run(&board, &second, |job| Job {
        boot_timeout: Some(Duration::from_millis(200)),
        ..job
    });
    assert_eq!(code_of(outcome), ("slot-not-started", 16));
}

#[test]
fn an_image_that_is_to_be_swapped_in_does_not_pass_because_the_old_one_starts() {
    let board = board_with(&bench::noise(1, 0x100));
    // linked for the first slot, as imgtool makes it: its reset handler is where the old one's is
    let (_, upgrade) = application(SLOT, &bench::noise(2, 0x100));
    let outcome = flash(&board, &request(&[(SECOND_SLOT, upgrade)]));
    assert_eq!(code_of(outcome), ("start-unknown", 16));
}

#[test]
fn a_board_that_lost_qe_gets_it_back_with_its_application() {
    let board = board_with(&[]);
    bench::set_status(&board, 0);
    let outcome = flash(&board, &request(&[application(SLOT, &[7; 32])]));
    assert!(passed(&outcome), "{:?}", outcome.problem);
}

#[test]
fn without_a_bootloader_on_the_board_it_is_refused_and_nothing_changes() {
    let board = bench::start(bench::config());
    bench::fill(&board, 0x2_0000, &bench::noise(3, 64));
    let before = bench::flash_content(&board);
    let outcome = flash(&board, &request(&[application(SLOT, &[])]));
    assert_eq!(code_of(outcome), ("partial-image", 20));
    assert!(bench::flash_content(&board) == before);
}

#[test]
fn at_every_cut_the_bootloader_runs_and_the_slot_is_old_or_new_or_dead() {
    const CUTS: u64 = 4;
    let (_, old) = application(SLOT, &bench::noise(1, 0x1400));
    let (_, new) = application(SLOT, &bench::noise(2, 0x1400));
    let update = request(&[(SLOT, new.clone())]);
    let boards: Vec<VirtualBench> = (0..=CUTS)
        .map(|_| board_with(&bench::noise(1, 0x1400)))
        .collect();
    let whole = flash(&boards[0], &update);
    assert!(passed(&whole), "{:?}", whole.problem);
    let until = |name: &str| -> f64 {
        let phases = whole.record.phases.iter();
        phases
            .take_while(|p| p.name != name)
            .map(|p| p.seconds)
            .sum()
    };
    let (first, last) = (until("program"), until("verify"));
    let mut dead = 0;
    for (cut, board) in (0..).zip(&boards[1..]) {
        let before = bench::flash_content(board);
        let now = Time::from(board.board().now().expect("now"));
        let at = now + Time::us(((first + (last - first) * cut as f64 / CUTS as f64) * 1e6) as u64);
        board
            .board()
            .with(move |b| b.chip.power_cut_at = Some((at, cut)))
            .expect("board");
        let cut_off = flash(board, &update);
        assert_eq!(
            cut_off.record.verdict.exit(),
            22,
            "cut {cut}: {:?}",
            cut_off.problem
        );
        let boots = board.board().with(|b| {
            b.chip.power_on();
            b.wait(Time::ms(30));
            matches!(b.chip.rom_outcome(), Some(RomOutcome::Booted { .. }))
        });
        assert!(
            boots.expect("board"),
            "cut {cut}: the bootloader does not run"
        );
        let flash_now = bench::flash_content(board);
        let slot = &flash_now[0x2_0000..];
        let is_dead = slot[..4] != MAGIC.to_le_bytes();
        dead += u32::from(is_dead);
        assert!(
            is_dead || slot.starts_with(&old) || slot.starts_with(&new),
            "cut {cut}: half an image in the slot"
        );
        assert!(flash_now[..0x2_0000] == before[..0x2_0000], "cut {cut}");
        let finished = flash(board, &update);
        assert!(passed(&finished), "cut {cut}: {:?}", finished.problem);
    }
    assert!(dead > 0, "some cut must fall between old and new");
}

#[test]
fn the_board_s_own_header_is_kept_on_demand() {
    let board = bench::start(bench::config());
    let (at, code) = bootloader();
    assert!(passed(&flash(&board, &request(&[(at, code.clone())]))));
    // the same FCB at 60 MHz, so that it is told from ours
    bench::fill(&board, FCB_CLOCK, &[3]);
    let before = bench::flash_content(&board);
    let mut changed = code;
    changed.extend([0x5A; 64]);
    let keep = Request {
        wishes: HeaderWishes::only(HeaderPolicy::KeepOfBoard),
        ..request(&[(at, changed)])
    };
    let outcome = flash(&board, &keep);
    assert!(passed(&outcome), "{:?}", outcome.problem);
    let after = bench::flash_content(&board);
    assert!(after[..0x1030] == before[..0x1030]);
    let inserted = outcome.record.image.expect("image").inserted;
    assert!(
        inserted[0].starts_with("FCB kept as the board holds it: IS25WP064, 60 MHz"),
        "{inserted:?}"
    );
}

#[test]
fn data_ends_without_pass_and_the_record_says_what_it_is() {
    let data = Request {
        wishes: HeaderWishes::only(HeaderPolicy::DataOnly),
        ..request(&[(0x6040_0010, bench::noise(4, 0x123))])
    };
    let board = board_with(&[]);
    let mut expected = bench::flash_content(&board);
    expected[0x40_0010..0x40_0133].copy_from_slice(&bench::noise(4, 0x123));
    let outcome = flash(&board, &data);
    assert_eq!(outcome.record.verdict.exit(), 16);
    assert_eq!(
        outcome.record.image.as_ref().expect("image").role,
        "bytes by themselves, not judged as something that boots"
    );
    assert_eq!(
        outcome.record.verdict.to_string(),
        "PROGRAMMED AND VERIFIED, BOOT NOT PROVEN (the bytes are not meant to boot)"
    );
    assert!(bench::flash_content(&board) == expected);
    let accepted = bench::run(&board, &data, |job| Job {
        boot_policy: BootPolicy::Accepted,
        ..job
    });
    assert_eq!(accepted.record.verdict.exit(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn the_rest_of_the_flash_is_as_before(tail in 0..0x3000_usize, seed in any::<u32>()) {
        let board = board_with(&bench::noise(seed, 0x800));
        bench::fill(&board, 0x2_6000, &bench::noise(seed ^ 1, 0x2000));
        let before = bench::flash_content(&board);
        let (at, new) = application(SLOT, &bench::noise(seed ^ 2, tail & !3));
        let outcome = flash(&board, &request(&[(at, new.clone())]));
        prop_assert!(passed(&outcome), "{:?}", outcome.problem);
        let mut expected = before;
        expected[0x2_0000..0x2_0000 + new.len()].copy_from_slice(&new);
        prop_assert!(bench::flash_content(&board) == expected);
    }
}
