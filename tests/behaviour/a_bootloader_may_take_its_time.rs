//! A slot under a bootloader may take seconds, or never start: the boot proof waits as long as it was told to, and no
//! longer; and a bootloader that runs is no proof of what it was to start.

use std::time::Duration;

use rtflash::job::{Job, Outcome};
use rtflash::report::Verdict;

use crate::bench;
use crate::boot_failures::{AIRCR, FLASH, SYSRESETREQ};
use crate::images::APPLICATION;
use crate::slots::{MAGIC, SLOT, application_of, request};
use crate::thumb::{
    SLEEP, SPIN, UNDEFINED, program, start_vector_table, store, unless_word, wait_ms,
};

const COMPARATORS: [u32; 2] = [0xE000_1038, 0xE000_1048];
const VTOR: u32 = 0xE000_ED08;
/// SRC_GPR5: survives a reset of the chip.
const KEPT: u32 = 0x400F_8030;

/// A bootloader whose reset handler is `code`.
fn bootloader(code: &[u16]) -> (u32, Vec<u8>) {
    let handler = APPLICATION + 64;
    let mut words = vec![0x2001_0000, handler | 1];
    words.resize(16, handler | 1);
    let mut bytes: Vec<u8> = words.iter().flat_map(|w: &u32| w.to_le_bytes()).collect();
    bytes.extend(code.iter().flat_map(|half| half.to_le_bytes()));
    (APPLICATION, bytes)
}

/// Starts the slot if it has the magic.
fn start_slot() -> Vec<u16> {
    program(&[
        &unless_word(SLOT, MAGIC, &[]),
        &start_vector_table(SLOT + 0x400),
    ])
}

fn comparators_off() -> Vec<u16> {
    COMPARATORS.iter().flat_map(|at| store(*at, 0)).collect()
}

/// Flashes an application that runs `code` into the slot of a board whose bootloader will run `boot` from the next reset on.
fn flash(boot: &[u16], code: &[u16], timeout: Option<Duration>) -> Outcome {
    let board = bench::start(bench::config());
    passed(&bench::run(&board, &request(&[bootloader(&SPIN)]), |job| {
        job
    }));
    let (_, resident) = bootloader(boot);
    bench::fill(&board, (APPLICATION - FLASH) as usize, &resident);
    bench::run(
        &board,
        &request(&[application_of(SLOT, code, &[])]),
        |job| Job {
            boot_timeout: timeout,
            ..job
        },
    )
}

/// Seconds from the reset to the verdict.
fn reset_seconds(outcome: &Outcome) -> f64 {
    let phases = outcome.record.phases.iter();
    phases
        .filter(|phase| phase.name == "reset")
        .map(|phase| phase.seconds)
        .sum()
}

#[track_caller]
fn not_started(outcome: &Outcome, code: &str) {
    let problem = outcome.problem.as_ref().expect("a problem");
    assert_eq!(
        (problem.code, outcome.record.verdict.exit()),
        (code, 16),
        "{problem}"
    );
}

#[track_caller]
fn passed(outcome: &Outcome) {
    assert!(
        matches!(outcome.record.verdict, Verdict::Pass(_)),
        "{:?}",
        outcome.problem
    );
}

fn seconds(seconds: u64) -> Option<Duration> {
    Some(Duration::from_secs(seconds))
}

#[test]
fn a_slow_bootloader_is_waited_for() {
    let slow = program(&[&wait_ms(5_000), &start_slot()]);
    let outcome = flash(&slow, &SPIN, None);
    passed(&outcome);
    let took = reset_seconds(&outcome);
    assert!((5.0..5.5).contains(&took), "{took} s");
    let boot = outcome.record.boot.expect("boot");
    assert!(
        boot.evidence[0].contains("was executed within 50"),
        "{:?}",
        boot.evidence
    );
}

#[test]
fn the_boot_timeout_is_kept_in_both_directions() {
    let slow = program(&[&wait_ms(8_000), &wait_ms(8_000), &start_slot()]);
    let short = flash(&slow, &SPIN, seconds(1));
    not_started(&short, "slot-not-started");
    let took = reset_seconds(&short);
    assert!((1.0..1.3).contains(&took), "{took} s");
    let usual = flash(&slow, &SPIN, None);
    not_started(&usual, "slot-not-started");
    let took = reset_seconds(&usual);
    assert!((15.0..15.3).contains(&took), "{took} s");
    passed(&flash(&slow, &SPIN, seconds(20)));
}

#[test]
fn a_bootloader_that_refuses_the_slot_is_told() {
    const VERSION: u32 = SLOT + 20;
    let picky = program(&[&unless_word(VERSION, 0x0002_0000, &[]), &start_slot()]);
    let outcome = flash(&picky, &SPIN, seconds(1));
    not_started(&outcome, "slot-not-started");
    let problem = outcome.problem.expect("a problem");
    assert!(problem.to_string().contains("--boot-timeout"), "{problem}");
    assert_eq!(
        outcome.record.verdict.to_string(),
        "PROGRAMMED AND VERIFIED, BOOT NOT PROVEN (the bootloader on the board did not start the image in time)"
    );
}

#[test]
fn a_bootloader_that_takes_the_debug_unit_is_no_proof_of_the_slot() {
    let vectors = store(VTOR, APPLICATION);
    let greedy = program(&[&vectors, &comparators_off(), &SPIN]);
    not_started(&flash(&greedy, &SPIN, seconds(1)), "slot-not-started");
}

#[test]
fn an_application_in_a_slot_may_take_the_debug_unit() {
    let code = program(&[&comparators_off(), &SPIN]);
    let outcome = flash(&start_slot(), &code, None);
    passed(&outcome);
    assert_eq!(outcome.record.boot.expect("boot").proof, Some("samples"));
}

#[test]
fn a_bootloader_may_reset_the_chip_once_before_it_starts_the_slot() {
    const SWAPPED: u32 = 0x600D_600D;
    let swap = program(&[
        &wait_ms(12),
        &store(KEPT, SWAPPED),
        &store(AIRCR, SYSRESETREQ),
    ]);
    let boot = program(&[&unless_word(KEPT, SWAPPED, &swap), &start_slot()]);
    let outcome = flash(&boot, &SPIN, None);
    passed(&outcome);
    let evidence = outcome.record.boot.expect("boot").evidence.join("\n");
    assert!(evidence.contains("by itself, once"), "{evidence}");
}

#[test]
fn a_bootloader_that_resets_again_and_again_is_told() {
    let boot = store(AIRCR, SYSRESETREQ);
    let outcome = flash(&boot, &SPIN, None);
    not_started(&outcome, "image-resets");
    let problem = outcome.problem.expect("a problem").to_string();
    assert!(problem.contains("was not executed in between"), "{problem}");
}

#[test]
fn a_bootloader_that_sleeps_without_bus_clock_is_no_proof_of_the_slot() {
    not_started(&flash(&SLEEP, &SPIN, seconds(1)), "asleep-without-bus");
}

#[test]
fn a_bootloader_that_crashes_is_told() {
    let crash = program(&[&store(VTOR, APPLICATION), &[UNDEFINED]]);
    let outcome = flash(&crash, &SPIN, None);
    let problem = outcome.problem.as_ref().expect("a problem");
    assert!(
        ["entry-fault", "core-locked-up"].contains(&problem.code),
        "{problem}"
    );
    assert_eq!(outcome.record.verdict.exit(), 16);
}
