//! A station that says what is not so is found out: verdicts, flash and records are held against each other.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::bill::{Bit, VirtualUnit};
use super::defect::Defect;
use super::findings::{BrokenOff, Evidence, Findings};
use super::kept::Kept;
use super::report::text;
use super::script::Visit;
use super::site::{Shown, Visited};
use super::truth::Rules;
use super::wanted::Wanted;
use crate::records::{Attempt, AttemptId, Begin, Claimed, End, JournalMark, Reserved, VerdictKind};
use crate::station::UnitVerdict;

const IMAGE: [u8; 4] = [0x46, 0x43, 0x46, 0x42];

/// One insertion with its verdict, the board and the records, all of one mind.
struct Scene {
    unit: VirtualUnit,
    visited: Visited,
    attempts: Vec<Attempt>,
    rules: Rules,
    /// Insertions of other boards that were not made any more.
    left: u32,
    was_asked: bool,
}

fn wanted() -> Wanted {
    Wanted {
        runs: vec![(0x10, IMAGE.to_vec())],
        is_exact: true,
    }
}

fn scene(defect: Defect, verdict: VerdictKind, exit: u8, code: Option<&str>) -> Scene {
    let mut held = Kept::default();
    held.write(0x10, &IMAGE);
    let (uid, code) = ("00000000000000AB".to_owned(), code.map(str::to_owned));
    let end = End {
        verdict,
        exit,
        code: code.clone(),
        text: String::new(),
        uid: Some(uid.clone()),
        serial: None,
        flash_sha256: Some(wanted().sha256_of(&held)),
        phases: Vec::new(),
        retries: 0,
        record: Value::Null,
        ended_at: Timestamp::UNIX_EPOCH,
    };
    let begin = Begin {
        station: "rehearsal".to_owned(),
        site: "1".to_owned(),
        operator: None,
        probe: String::new(),
        job: "blinky".to_owned(),
        job_sha256: String::new(),
        images_sha256: Vec::new(),
        tool_version: String::new(),
        barcode: None,
        begun_at: Timestamp::UNIX_EPOCH,
        rehearsal: true,
    };
    let attempt = Attempt {
        id: AttemptId(1),
        begin,
        claimed: Some(Claimed {
            uid: uid.clone(),
            claimed_at: Timestamp::UNIX_EPOCH,
            attempt_of_unit: 1,
        }),
        reserved: vec![Reserved {
            series: "sn".to_owned(),
            number: 7,
            reserved_at: Timestamp::UNIX_EPOCH,
            kept: false,
        }],
        end: Some(end),
        journal: Some(JournalMark {
            line: 1,
            sha256: String::new(),
        }),
        hooks: Vec::new(),
        damage: None,
    };
    let verdict = UnitVerdict {
        attempt: Some(AttemptId(1)),
        verdict,
        exit,
        code,
        text: String::new(),
        to_do: String::new(),
        uid: Some(uid),
        serial: None,
        cycle_seconds: 1.0,
        over_budget: false,
        records_seconds: 0.5,
    };
    Scene {
        unit: VirtualUnit {
            name: "a".to_owned(),
            defect,
            uid: 0xAB,
            barcode: None,
            bit: Bit {
                offset: 0x10,
                mask: 1,
            },
            strikes_at: 0.5,
            seed: 0,
            before: Kept::default(),
            foreign: None,
        },
        visited: Visited {
            visit: Visit {
                unit: 0,
                of_unit: 0,
                not_before_s: 0.0,
            },
            site: 0,
            removed_at: Some(Duration::from_secs(12)),
            shown: vec![Shown {
                verdict,
                struck: false,
                held,
            }],
            boots: true,
        },
        attempts: vec![attempt],
        rules: Rules::default(),
        left: 0,
        was_asked: false,
    }
}

fn passed(defect: Defect) -> Scene {
    scene(defect, VerdictKind::Pass, 0, None)
}

impl Scene {
    fn findings(self) -> Findings {
        let units = [self.unit];
        let others = (1..=self.left).map(|unit| Visit {
            unit: unit as usize,
            ..self.visited.visit
        });
        let evidence = Evidence {
            units: &units,
            planned: [self.visited.visit].into_iter().chain(others).collect(),
            was_asked: self.was_asked,
            visited: vec![self.visited],
            attempts: self.attempts,
            rules: self.rules,
            sites: 1,
        };
        evidence.weigh(&|attempt| Ok(attempt.claimed.is_some().then(wanted)))
    }

    #[track_caller]
    fn finds_out(self, words: &str) {
        let found = self.findings().disagreements;
        assert!(found.iter().any(|line| line.contains(words)), "{found:?}");
    }

    fn shown(&mut self) -> &mut Shown {
        &mut self.visited.shown[0]
    }

    fn end(&mut self) -> &mut End {
        self.attempts[0].end.as_mut().expect("an end")
    }
}

#[test]
fn where_all_are_of_one_mind_nothing_is_found() {
    let findings = passed(Defect::Good).findings();
    assert!(findings.agrees(), "{:?}", findings.disagreements);
    assert_eq!((findings.total().units, findings.total().passed), (1, 1));
    let site = findings.sites[0];
    assert_eq!(site.boards_per_hour(), 300.0);
    assert_eq!(site.cycle_seconds(), Some(1.0));
    assert_eq!(site.cycle_with_records_seconds(), Some(1.5));
}

#[test]
fn a_pass_of_a_board_that_must_not_pass_is_found() {
    for defect in Defect::ALL {
        let mut scene = passed(defect);
        scene.shown().struck = defect.strikes_once();
        scene.unit.foreign = (defect == Defect::ForeignContent).then(|| (0x40, vec![0xFF]));
        // a bit that is to be 0 and stays 1, or to be 1 and stays 0
        scene.unit.bit.mask = if defect == Defect::StuckBit { 1 } else { 2 };
        let may = matches!(
            defect,
            Defect::Good
                | Defect::OlderContent
                | Defect::InsertedAgain
                | Defect::FlakyBit
                | Defect::PoorContact
        );
        assert_eq!(scene.findings().agrees(), may, "{defect}");
    }
}

#[test]
fn a_pass_that_the_board_does_not_bear_out_is_found() {
    let mut other_bytes = passed(Defect::Good);
    other_bytes.shown().held.write(0x12, &[0]);
    other_bytes.finds_out("false PASS: the flash differs at offset 0x000012");
    let mut dead = passed(Defect::Good);
    dead.visited.boots = false;
    dead.finds_out("false PASS: the boot ROM does not start it");
    let mut other_chip = passed(Defect::Good);
    other_chip.unit.uid = 0xAC;
    other_chip.finds_out("names another chip");
    let mut taken = passed(Defect::ForeignContent);
    taken.rules.preserves = true;
    taken.unit.foreign = Some((0x40, vec![0x55]));
    taken.finds_out("bytes of others are lost");
}

#[test]
fn a_good_board_that_fails_and_a_failure_of_another_kind_are_found() {
    let fail = |defect, exit, code| scene(defect, VerdictKind::Fail, exit, Some(code));
    fail(Defect::Good, 10, "program-differs").finds_out("right is: PASS");
    fail(Defect::WrongPart, 10, "program-differs").finds_out("right is: not PASS (exit 6)");
    fail(Defect::WrongPart, 6, "chip-rom").finds_out("right is: not PASS (exit 6)");
    assert!(fail(Defect::WrongPart, 6, "flash-part").findings().agrees());
}

#[test]
fn no_verdict_and_a_verdict_on_nothing_are_found() {
    let mut silent = passed(Defect::Good);
    silent.visited.shown.clear();
    silent.attempts.clear();
    silent.finds_out("no verdict, right is: PASS");
    passed(Defect::NoPower).finds_out("right is: no attempt");
}

#[test]
fn records_that_lack_something_or_say_something_else_are_found() {
    let mut none = passed(Defect::Good);
    none.attempts.clear();
    none.finds_out("not on record");
    let mut endless = passed(Defect::Good);
    endless.attempts[0].end = None;
    endless.finds_out("has no end on record");
    let mut unmarked = passed(Defect::Good);
    unmarked.attempts[0].journal = None;
    unmarked.finds_out("the journal does not tell");
    let mut other = passed(Defect::Good);
    other.end().exit = 16;
    other.finds_out("otherwise than it was shown");
    let mut image = passed(Defect::Good);
    image.end().flash_sha256 = Some("00".to_owned());
    image.finds_out("another image than the flash holds");
    let mut unseen = passed(Defect::Good);
    let mut more = unseen.attempts[0].clone();
    more.id = AttemptId(2);
    unseen.attempts.push(more);
    unseen.finds_out("attempt 2 is on record, and no operator saw it");
}

#[test]
fn a_number_on_two_chips_is_found() {
    let mut twice = passed(Defect::Good);
    let mut other = twice.attempts[0].clone();
    other.claimed.as_mut().expect("claim").uid = "00000000000000AC".to_owned();
    twice.attempts.push(other);
    twice.finds_out("number 7 of sn belongs to the chips");
}

#[test]
fn a_quota_refuses_when_it_is_used_up_and_not_before() {
    let refused = || scene(Defect::Good, VerdictKind::Refused, 20, Some("quota"));
    refused().finds_out("right is: PASS");
    let mut early = refused();
    early.rules.quota = Some(1);
    early.finds_out("right is: PASS");
    let mut used = refused();
    used.rules.quota = Some(0);
    assert!(used.findings().agrees());
    let mut over = passed(Defect::Good);
    over.rules.quota = Some(0);
    over.finds_out("more than the job's quota");
}

/// The board is seated still, and two others are left.
fn broken_off(mut scene: Scene) -> Scene {
    scene.visited.removed_at = None;
    (scene.left, scene.was_asked) = (2, true);
    scene
}

fn cancelled() -> Scene {
    let code = Some("cancelled");
    scene(Defect::Good, VerdictKind::Cancelled, 130, code)
}

#[test]
fn a_rehearsal_that_was_broken_off_says_so_and_accuses_nobody() {
    let findings = broken_off(passed(Defect::Good)).findings();
    assert!(findings.agrees(), "{:?}", findings.disagreements);
    let (boards, cancelled) = (2, 0);
    assert_eq!(findings.broken_off, Some(BrokenOff { boards, cancelled }));
    assert_eq!(findings.total().passed, 1);
    let said = text(&findings);
    let last = said.lines().last().expect("a line");
    assert!(
        last.contains("BROKEN OFF, 2 board(s) not done; all verdicts agree"),
        "{last}"
    );
    let mut unbegun = broken_off(passed(Defect::Good));
    unbegun.visited.shown.clear();
    unbegun.attempts.clear();
    let findings = unbegun.findings();
    assert!(findings.agrees(), "{:?}", findings.disagreements);
    let boards = 3;
    assert_eq!(findings.broken_off, Some(BrokenOff { boards, cancelled }));
    assert_eq!(passed(Defect::Good).findings().broken_off, None);
}

#[test]
fn what_was_said_before_it_was_broken_off_is_held_against_the_truth() {
    broken_off(passed(Defect::WrongPart)).finds_out("right is: not PASS (exit 6)");
    let mut dead = broken_off(passed(Defect::Good));
    dead.visited.boots = false;
    dead.finds_out("false PASS: the boot ROM does not start it");
    let mut unseen = broken_off(passed(Defect::Good));
    unseen.visited.shown.clear();
    unseen.finds_out("attempt 1 is on record, and no operator saw it");
}

#[test]
fn a_station_that_ends_before_all_boards_are_done_and_was_not_asked_to_is_found() {
    let mut scene = broken_off(passed(Defect::Good));
    scene.was_asked = false;
    scene.finds_out("ended with 2 board(s) not done, and nobody had asked it to");
}

#[test]
fn an_attempt_is_cancelled_where_the_station_ends_with_it_and_nowhere_else() {
    let findings = broken_off(cancelled()).findings();
    assert!(findings.agrees(), "{:?}", findings.disagreements);
    let (boards, cancelled_attempts) = (3, 1);
    let expected = BrokenOff {
        boards,
        cancelled: cancelled_attempts,
    };
    assert_eq!(findings.broken_off, Some(expected));
    cancelled().finds_out("right is: PASS");
    let mut unrecorded = broken_off(cancelled());
    unrecorded.attempts.clear();
    unrecorded.finds_out("not on record");
}
