//! The contact is checked on first contact and after errors, not in every job; a poor one slows a job down or ends it, and
//! never spoils a board.

use std::path::Path;
use std::time::Duration;

use rtflash::job::{self, Bench, Job, Outcome};
use rtflash::link::{Choice, Connection, Link, Trial, VirtualBench, check_contact};
use rtflash::report::Verdict;
use rtflash::target::Chip;
use tempfile::TempDir;
use virtual_board::board::BoardConfig;
use virtual_board::probe::{CMSIS_DAP_V2_HS, JLINK, Profile};
use virtual_board::rom;
use virtual_board::swd::{BadContact, FlippedBit, WireFaults};

use crate::bench;

const CHECK: &str = "contact";
/// The ROM has started the image by then.
const BOOT_TIME: Duration = Duration::from_millis(100);
/// What a check of a sound contact may take at 15 MHz.
const CHECK_SECONDS: f64 = 0.015;

/// A board that this host may know from before: its flash is in a file.
fn known_board(directory: &TempDir) -> VirtualBench {
    bench::start(BoardConfig {
        flash_file: Some(directory.path().join("flash.bin")),
        ..bench::config()
    })
}

fn bad_contact(good_khz: u32) -> WireFaults {
    WireFaults {
        bad_contact: Some(BadContact { good_khz, seed: 5 }),
        ..WireFaults::default()
    }
}

fn flash(board: &VirtualBench) -> Outcome {
    bench::flash(board, &bench::image(&[]))
}

fn passed(outcome: &Outcome) {
    let passed = matches!(outcome.record.verdict, Verdict::Pass(_));
    assert!(passed, "{:?}", outcome.problem);
}

fn was_checked(outcome: &Outcome) -> bool {
    let phases = &outcome.record.phases;
    let probe = outcome.record.probe.as_ref().expect("probe");
    let checked = phases.iter().any(|phase| phase.name == CHECK);
    assert_eq!(checked, !probe.contact.is_empty(), "{phases:?}");
    checked
}

/// Damages one bit in the middle of the next job.
fn disturb_once(board: &VirtualBench) {
    let disturb = |b: &mut virtual_board::board::Board| {
        let transfer = b.dp_mut().counts().transfers + 3000;
        b.dp_mut().faults_mut().flipped_bits = vec![FlippedBit { transfer, bit: 3 }];
    };
    board.board().with(disturb).expect("board");
}

#[test]
fn a_sound_contact_is_checked_once_within_15_ms_and_not_again() {
    let directory = tempfile::tempdir().expect("directory");
    let board = known_board(&directory);
    let first = flash(&board);
    passed(&first);
    assert!(was_checked(&first));
    let check = first.record.phases.iter().find(|phase| phase.name == CHECK);
    let check = check.expect("phase");
    assert!(check.seconds <= CHECK_SECONDS, "{check:?}");
    let probe = first.record.probe.expect("probe");
    let clocks: Vec<u32> = probe.contact.iter().map(|trial| trial.speed_khz).collect();
    assert_eq!(clocks, [1000, 2000, 4000, 8000, 15_000]);
    assert!(probe.contact.iter().all(|trial| trial.clean), "{probe:?}");
    assert!(probe.contact.last().is_some_and(|last| last.bytes >= 1024));
    assert_eq!((probe.speed_khz, probe.contact_warning), (15_000, None));
    let second = flash(&board);
    passed(&second);
    assert!(!was_checked(&second));
    assert_eq!(second.record.probe.expect("probe").speed_khz, 15_000);
}

#[test]
fn a_board_that_ends_with_the_process_is_a_first_contact_every_time() {
    let board = bench::start(bench::config());
    for _ in 0..2 {
        let outcome = flash(&board);
        passed(&outcome);
        assert!(was_checked(&outcome));
    }
}

#[test]
fn after_a_job_that_had_to_repeat_accesses_the_contact_is_checked_again() {
    let directory = tempfile::tempdir().expect("directory");
    let board = known_board(&directory);
    passed(&flash(&board));
    disturb_once(&board);
    let disturbed = flash(&board);
    passed(&disturbed);
    assert!(!was_checked(&disturbed));
    let next = flash(&board);
    passed(&next);
    assert!(was_checked(&next), "the repetition was forgotten");
    assert!(!was_checked(&flash(&board)));
}

#[test]
fn after_a_job_that_failed_the_contact_is_checked_again() {
    let directory = tempfile::tempdir().expect("directory");
    // a blank flash: the reset is seen not to boot, which says nothing against the contact
    let board = known_board(&directory);
    assert!(was_checked(&reset_at(&board, 15_000)));
    assert!(!was_checked(&reset_at(&board, 15_000)));
    let close = |closed| {
        let set = move |b: &mut virtual_board::board::Board| {
            b.dp_mut().faults_mut().closed_port = closed;
        };
        board.board().with(set).expect("board");
    };
    close(true);
    let problem = reset_at(&board, 15_000).problem.expect("problem");
    assert_eq!(problem.code, "target-no-answer");
    close(false);
    assert!(was_checked(&reset_at(&board, 15_000)));
    assert!(!was_checked(&reset_at(&board, 15_000)));
}

#[test]
fn a_job_at_a_faster_clock_than_was_checked_checks_again() {
    let directory = tempfile::tempdir().expect("directory");
    let board = known_board(&directory);
    for (khz, is_new) in [(4000, true), (1000, false), (8000, true), (8000, false)] {
        assert_eq!(was_checked(&reset_at(&board, khz)), is_new, "{khz} kHz");
    }
}

fn reset_at(board: &VirtualBench, khz: u32) -> Outcome {
    let choice = Choice {
        speed_khz: Some(khz),
        ..Choice::default()
    };
    let bench = Bench::virtual_board(choice, board.clone());
    job::reset(&Job::new(&bench::target()), &bench, &mut ())
}

fn flash_at(board: &VirtualBench, speed_khz: Option<u32>) -> Outcome {
    let choice = Choice {
        speed_khz,
        ..Choice::default()
    };
    let bench = Bench::virtual_board(choice, board.clone());
    let request = job::Request::new(bench::image(&[]).image().clone());
    job::flash(&Job::new(&bench::target()), &request, &bench, &mut ())
}

fn poor_board(probe: Profile, good_khz: u32) -> VirtualBench {
    bench::start(BoardConfig {
        probe,
        wire_faults: bad_contact(good_khz),
        ..bench::config()
    })
}

#[test]
fn without_a_wish_a_poor_contact_is_used_at_the_fastest_clean_clock_and_said_to_be_poor() {
    for probe in [JLINK, CMSIS_DAP_V2_HS] {
        for (good_khz, used_khz) in [(3999, 2000), (1500, 1000)] {
            let board = poor_board(probe, good_khz);
            let outcome = flash_at(&board, None);
            passed(&outcome);
            let probe = outcome.record.probe.expect("probe");
            assert_eq!(probe.speed_khz, used_khz, "{probe:?}");
            let warning = probe.contact_warning.expect("a warning");
            assert_eq!((warning.asked_khz, warning.used_khz), (4000, used_khz));
            assert_eq!(bench::violations(&board), [] as [&str; 0]);
        }
    }
}

#[test]
fn a_clock_that_was_asked_for_and_is_not_clean_ends_the_job_and_the_board_runs_on_as_it_was() {
    for probe in [JLINK, CMSIS_DAP_V2_HS] {
        let board = poor_board(probe, 2000);
        passed(&flash_at(&board, Some(2000)));
        let before = bench::flash_content(&board);
        let outcome = flash_at(&board, Some(15_000));
        let problem = outcome.problem.expect("problem");
        assert_eq!((problem.code, problem.exit.number()), ("contact-poor", 22));
        assert!(problem.what.contains("2000 kHz is clean"), "{problem}");
        assert!(problem.fix.expect("fix").contains("--speed 2000"));
        assert!(before == bench::flash_content(&board), "the flash changed");
        board.clock().sleep(BOOT_TIME);
        let boot = board.board().with(|b| b.chip.rom_outcome()).expect("board");
        assert!(
            matches!(boot, Some(rom::Outcome::Booted { .. })),
            "{boot:?}"
        );
    }
}

#[test]
fn a_contact_that_stands_no_clock_ends_every_job_and_changes_nothing() {
    let mut said = Vec::new();
    for seed in 0..8 {
        let board = bench::start(BoardConfig {
            wire_faults: WireFaults {
                bad_contact: Some(BadContact {
                    good_khz: 500,
                    seed,
                }),
                ..WireFaults::default()
            },
            ..bench::config()
        });
        let outcome = flash_at(&board, None);
        let problem = outcome.problem.expect("problem");
        assert_eq!(problem.exit.number(), 22, "{problem}");
        // where not even the debug port could be woken, that is what is said
        let codes = ["contact-poor", "target-no-answer"];
        assert!(codes.contains(&problem.code), "seed {seed}: {problem}");
        said.push(problem.code);
        let flash = bench::flash_content(&board);
        assert!(flash.iter().all(|byte| *byte == 0xFF), "seed {seed}");
    }
    assert!(said.contains(&"contact-poor"), "{said:?}");
}

/// What a check at 1 MHz finds where these bits of its transfer number `later` are inverted.
fn trial_with(later: u64, bits: &'static [u32]) -> Trial {
    let board = bench::start(bench::config());
    let chip = Chip::builtin("MIMXRT1062").expect("chip");
    let choice = Choice {
        probe: Some(board.selector()),
        speed_khz: Some(1000),
        ..Choice::default()
    };
    let mut connection = Connection::open(&choice, &chip, board.clock()).expect("connection");
    let mut link = connection.link(&chip).expect("link");
    let link: &mut dyn Link = &mut link;
    link.take_over().expect("taken over");
    let disturb = move |b: &mut virtual_board::board::Board| {
        let transfer = b.dp_mut().counts().transfers + later;
        let flips = bits.iter().map(|bit| FlippedBit {
            transfer,
            bit: *bit,
        });
        b.dp_mut().faults_mut().flipped_bits = flips.collect();
    };
    board.board().with(disturb).expect("board");
    let contact = check_contact(link, chip.algorithm_ram.address, 1000).expect("check");
    let [trial] = contact.trials() else {
        panic!("{contact:?}");
    };
    assert_eq!(contact.clean_khz(), trial.is_clean().then_some(1000));
    *trial
}

#[test]
fn an_error_that_the_link_mended_makes_a_clock_dirty_though_every_word_came_back_right() {
    assert!(trial_with(0, &[]).is_clean());
    // on the way to the board, and on the way back
    for later in [100, 400] {
        let trial = trial_with(later, &[3]);
        assert!(!trial.is_clean(), "{trial:?}");
        let found = (trial.retries, trial.wrong_words, trial.gave_up);
        assert_eq!(found, (1, 0, false), "{trial:?}");
    }
}

#[test]
fn a_wrong_word_that_no_parity_shows_makes_a_clock_dirty() {
    for later in [100, 400] {
        let trial = trial_with(later, &[3, 4]);
        assert!(!trial.is_clean(), "{trial:?}");
        let found = (trial.retries, trial.wrong_words, trial.gave_up);
        assert_eq!(found, (0, 1, false), "{trial:?}");
    }
}

#[test]
fn the_note_lies_beside_the_flash_file_and_names_probe_and_clock() {
    let directory = tempfile::tempdir().expect("directory");
    let note = directory.path().join("flash.bin.contact");
    let board = known_board(&directory);
    assert!(!Path::new(&note).exists());
    passed(&flash(&board));
    let text = std::fs::read_to_string(&note).expect("note");
    assert!(
        text.contains("15000") && text.contains(board.board().serial()),
        "{text}"
    );
    disturb_once(&board);
    passed(&flash(&board));
    assert!(!note.exists(), "a note that the job did not bear out");
}
