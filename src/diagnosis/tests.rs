//! Which of several things seen is the diagnosis.

use super::*;
use crate::problem::ExitCode;

fn problem(code: &'static str) -> Problem {
    Problem::new(code, ExitCode::BootNotProven, code)
}

fn cause(code: &'static str) -> Observation {
    Observation::of(problem(code))
}

fn suspicion(code: &'static str) -> Observation {
    Observation::new(Weight::Suspicion, problem(code))
}

/// The codes in the order told, the diagnosis first; `-` where there is none.
fn order(seen: Vec<Observation>, boot: Boot) -> Vec<&'static str> {
    let diagnosis = diagnose(seen, boot);
    let first = diagnosis.first.map_or("-", |problem| problem.code);
    let others = diagnosis.others.iter().map(|other| other.problem.code);
    std::iter::once(first).chain(others).collect()
}

#[test]
fn what_comes_first_on_the_way_from_the_probe_to_the_application_is_the_diagnosis() {
    let chain = [
        "probe-none",
        "target-unpowered",
        "contact-poor",
        "chip-core",
        "strapped-serial-downloader",
        "flash-part",
        "vector-table-at-start",
        "fcb-missing",
        "ivt-missing",
        "qe-clear",
        "fcb-no-read",
        "ivt-self",
        "part-closed",
        "stack-pointer",
        "bootloader-without-application",
        "mcuboot-hash",
        "reset-loop",
        "core-halted",
        "image-differs",
    ];
    let backwards = chain.iter().rev().map(|code| cause(code)).collect();
    assert_eq!(order(backwards, Boot::NotSeen), chain);
}

#[test]
fn a_cause_comes_before_its_symptom_which_is_not_told_again() {
    for (code, symptom) in [
        ("fcb-missing", "rom-refused"),
        ("boot-data-length", "boot-header"),
        ("stack-pointer", "image-crashed"),
        ("mcuboot-linked-elsewhere", "image-crashed"),
        ("mcuboot-hash", "slot-not-started"),
    ] {
        let seen = vec![cause(symptom), cause(code)];
        assert_eq!(order(seen, Boot::NotSeen), [code], "{symptom}");
    }
}

#[test]
fn a_suspicion_is_the_diagnosis_where_it_explains_what_was_seen_and_only_there() {
    let seen = |symptom| vec![cause(symptom), suspicion("mcuboot-vectors")];
    assert_eq!(
        order(seen("slot-not-started"), Boot::NotSeen),
        ["mcuboot-vectors"]
    );
    assert_eq!(
        order(seen("rom-refused"), Boot::NotSeen),
        ["rom-refused", "mcuboot-vectors"]
    );
    assert_eq!(
        order(vec![suspicion("mcuboot-vectors")], Boot::NotSeen),
        ["-", "mcuboot-vectors"]
    );
}

#[test]
fn a_suspicion_about_the_header_is_left_to_the_boot_proof_which_knows_how_far_the_rom_came() {
    let seen = vec![cause("rom-refused"), suspicion("fcb-clock")];
    assert_eq!(order(seen, Boot::NotSeen), ["rom-refused", "fcb-clock"]);
    let mut named = cause("fcb-version");
    named.problem.what = "the ROM has not taken the version".to_owned();
    let seen = vec![suspicion("fcb-clock"), suspicion("fcb-version"), named];
    assert_eq!(order(seen, Boot::NotSeen), ["fcb-version", "fcb-clock"]);
}

#[test]
fn a_symptom_without_a_reason_is_the_diagnosis() {
    assert_eq!(
        order(vec![cause("rom-refused")], Boot::NotSeen),
        ["rom-refused"]
    );
}

#[test]
fn a_boot_that_was_seen_disproves_what_should_prevent_it() {
    let seen = || vec![cause("ivt-self"), cause("mcuboot-hash")];
    assert_eq!(order(seen(), Boot::NotSeen), ["ivt-self", "mcuboot-hash"]);
    assert_eq!(order(seen(), Boot::ByRom), ["mcuboot-hash", "ivt-self"]);
    assert_eq!(
        order(seen(), Boot::ToTheEnd),
        ["-", "ivt-self", "mcuboot-hash"]
    );
}

#[test]
fn a_boot_that_was_seen_disproves_neither_a_poor_contact_nor_what_comes_later() {
    for code in [
        "contact-poor",
        "image-differs",
        "reset-loop",
        "core-halted",
        "not-reset",
        "image-crashed",
    ] {
        assert_eq!(order(vec![cause(code)], Boot::ToTheEnd), [code]);
    }
}

#[test]
fn one_thing_seen_twice_is_told_once_in_the_first_words_and_with_the_greater_weight() {
    let mut second = cause("fcb-missing");
    second.problem.what = "the flash has no FCB".to_owned();
    let first = suspicion("fcb-missing");
    let diagnosis = diagnose(vec![first, second], Boot::NotSeen);
    assert_eq!(diagnosis.first.expect("one").what, "fcb-missing");
    assert!(diagnosis.others.is_empty());
}

#[test]
fn a_note_is_never_the_diagnosis() {
    let note = Observation::new(Weight::Note, problem("protected"));
    assert_eq!(order(vec![note.clone()], Boot::NotSeen), ["-", "protected"]);
    assert_eq!(
        order(vec![note, cause("rom-refused")], Boot::NotSeen),
        ["rom-refused", "protected"]
    );
}

#[test]
fn a_rule_that_the_table_does_not_name_is_one_about_the_image() {
    assert_eq!(stage_of("a-new-rule"), Stage::Image);
    let seen = vec![
        cause("mcuboot-hash"),
        cause("a-new-rule"),
        cause("fcb-missing"),
    ];
    assert_eq!(
        order(seen, Boot::NotSeen),
        ["fcb-missing", "a-new-rule", "mcuboot-hash"]
    );
}

#[test]
fn what_the_diagnosis_says_already_is_not_told_again() {
    let seen = || {
        vec![
            cause("fcb-missing"),
            cause("ivt-missing"),
            cause("flash-blank"),
        ]
    };
    assert_eq!(order(seen(), Boot::NotSeen), ["flash-blank"]);
    let seen = vec![
        cause("flash-interrupted"),
        cause("fcb-missing"),
        cause("ivt-missing"),
    ];
    assert_eq!(
        order(seen, Boot::NotSeen),
        ["flash-interrupted", "ivt-missing"]
    );
}
