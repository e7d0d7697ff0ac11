//! Boards that come in right, wrong, twice, in another site, too often, and with their probe gone.

use rtflash::problem::ExitCode;
use rtflash::records::VerdictKind;
use rtflash::station::{Command, Needs, What};
use virtual_board::nor::{Faults, Part};

use crate::floor::{Floor, Setup, board, config, flash_content, is_untouched, start};
use crate::hand::Step;

#[test]
fn a_sound_board_passes_and_everything_about_it_is_on_record() {
    let mut floor = Floor::open(1, Setup::default());
    let verdict = floor.work("A", &board(1));
    assert_eq!(verdict.verdict, VerdictKind::Pass, "{}", floor.log());
    assert_eq!((verdict.exit, verdict.code.as_deref()), (0, None));
    assert!(verdict.cycle_seconds > 0.1 && verdict.records_seconds > 0.0);
    let (tally, attempts, floor) = floor.quit();
    // the lamp comes after the event: only now is it known to have come
    assert_eq!(floor.hand("A").shown(), std::slice::from_ref(&verdict));
    assert_eq!((tally.passed, tally.not_passed), (1, 0));
    let [attempt] = attempts.as_slice() else {
        panic!("{attempts:?}");
    };
    let begin = &attempt.begin;
    assert_eq!(
        (begin.site.as_str(), begin.operator.as_deref()),
        ("A", Some("anna"))
    );
    assert!(
        begin.rehearsal && begin.probe.contains("VIRTUAL"),
        "{begin:?}"
    );
    let end = attempt.end.as_ref().expect("an end");
    assert_eq!(end.uid.as_deref(), Some("0123456700000001"));
    assert_eq!(end.flash_sha256.as_ref().map(String::len), Some(64));
    assert!(
        end.phases.iter().any(|(name, _)| name == "program"),
        "{:?}",
        end.phases
    );
    assert_eq!(end.record["verdict"]["kind"], "pass");
    let order: Vec<&str> = floor
        .seen
        .iter()
        .filter_map(|event| match &event.what {
            What::StationStarted { .. } => Some("started"),
            What::BoardSeated => Some("seated"),
            What::Begun { .. } => Some("begun"),
            What::UnitKnown { .. } => Some("known"),
            What::Verdict(_) => Some("verdict"),
            What::StationEnded { .. } => Some("ended"),
            What::Phase { .. } | What::Progress { .. } => None,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        order,
        ["started", "seated", "begun", "known", "verdict", "ended"]
    );
}

#[test]
fn a_wrong_board_is_refused_by_its_name_and_not_touched() {
    let mut floor = Floor::open(
        1,
        Setup {
            tables: "[identity]\nunique_ids = [\"0123456700000001\"]\n",
            ..Setup::default()
        },
    );
    let mut winbond = config(1);
    winbond.part = Part::builtin("w25q64jv").expect("part");
    let other_part = start(winbond);
    let verdict = floor.work("A", &other_part);
    assert_eq!(verdict.verdict, VerdictKind::Refused, "{}", floor.log());
    assert_eq!(verdict.code.as_deref(), Some("flash-part"));
    assert_eq!(verdict.exit, ExitCode::WrongDevice.number());
    assert!(verdict.text.contains("W25Q64JV"), "{}", verdict.text);
    assert!(verdict.to_do.contains("wrong board"), "{}", verdict.to_do);
    assert!(is_untouched(&other_part));
    floor.clear("A");
    let other_chip = board(2);
    let verdict = floor.work("A", &other_chip);
    assert_eq!(verdict.verdict, VerdictKind::Refused, "{}", floor.log());
    assert_eq!(verdict.code.as_deref(), Some("wrong-board-uid"));
    assert!(verdict.to_do.contains("wrong board"), "{}", verdict.to_do);
    assert!(is_untouched(&other_chip));
    floor.clear("A");
    assert_eq!(floor.work("A", &board(1)).verdict, VerdictKind::Pass);
}

#[test]
fn a_board_that_comes_in_again_is_done_already_at_every_site() {
    let mut floor = Floor::open(2, Setup::default());
    let (first, second) = (board(1), board(2));
    assert_eq!(floor.work("A", &first).verdict, VerdictKind::Pass);
    assert_eq!(floor.work("B", &second).verdict, VerdictKind::Pass);
    floor.clear("A");
    floor.clear("B");
    // once more, and in the other's place
    for (site, board) in [("A", &first), ("A", &second), ("B", &first)] {
        let verdict = floor.work(site, board);
        assert_eq!(verdict.verdict, VerdictKind::Refused, "{}", floor.log());
        assert_eq!(verdict.code.as_deref(), Some("passed-before"));
        assert!(verdict.text.starts_with("done already"), "{}", verdict.text);
        assert!(
            verdict.to_do.contains("take the board out"),
            "{}",
            verdict.to_do
        );
        floor.clear(site);
    }
    let (tally, attempts, _) = floor.quit();
    assert_eq!((tally.passed, tally.not_passed), (2, 3));
    assert_eq!(attempts.len(), 5);
}

#[test]
fn a_held_board_begins_again_by_its_key_alone_and_a_fail_only_when_acknowledged() {
    let mut floor = Floor::open(1, Setup::default());
    let defect = start(weak(1));
    assert_eq!(floor.work("A", &defect).verdict, VerdictKind::Fail);
    floor.key("A");
    assert!(floor.not_taken().contains("acknowledged"));
    floor.acknowledge("A");
    floor.until_at("A", |what| *what == What::Acknowledged);
    floor.key("A");
    assert_eq!(floor.verdict("A").verdict, VerdictKind::Fail);
    floor.command(Command::Acknowledge { site: None });
    floor.until_at("A", |what| *what == What::Acknowledged);
    let (_, attempts, _) = floor.quit();
    assert_eq!(attempts.len(), 2);
}

/// A board with a bit of its flash that takes no 0.
fn weak(uid: u32) -> virtual_board::board::BoardConfig {
    let mut config = config(uid);
    config.nor_faults = Faults {
        // of the vector table's second word, 0x60002041
        unprogrammable: vec![(0x2005, 0x80)],
        ..Faults::default()
    };
    config
}

#[test]
fn a_unit_that_failed_too_often_goes_to_rework() {
    let mut floor = Floor::open(
        2,
        Setup {
            unit: "attempts = 2",
            ..Setup::default()
        },
    );
    let defect = start(weak(1));
    for site in ["A", "B"] {
        let verdict = floor.work(site, &defect);
        assert_eq!(verdict.verdict, VerdictKind::Fail, "{}", floor.log());
        assert!(verdict.to_do.contains("rework"), "{}", verdict.to_do);
        floor.clear(site);
    }
    let verdict = floor.work("A", &defect);
    assert_eq!(verdict.verdict, VerdictKind::Refused, "{}", floor.log());
    assert_eq!(verdict.code.as_deref(), Some("retry-limit"));
    assert!(verdict.to_do.contains("rework"), "{}", verdict.to_do);
    floor.clear("A");
    assert_eq!(floor.work("A", &board(2)).verdict, VerdictKind::Pass);
}

#[test]
fn beyond_the_quota_no_unit_is_flashed() {
    let mut floor = Floor::open(
        1,
        Setup {
            unit: "quota = 1",
            ..Setup::default()
        },
    );
    assert_eq!(floor.work("A", &board(1)).verdict, VerdictKind::Pass);
    floor.clear("A");
    let second = board(2);
    let verdict = floor.work("A", &second);
    assert_eq!(verdict.verdict, VerdictKind::Refused, "{}", floor.log());
    assert_eq!(verdict.code.as_deref(), Some("quota"));
    assert!(is_untouched(&second));
    floor.until(|event| event.what == What::QuotaReached);
}

#[test]
fn an_image_that_was_changed_after_the_start_is_flashed_on_no_board() {
    let mut floor = Floor::open(1, Setup::default());
    let sound = std::fs::read(floor.image()).expect("image");
    let mut changed = sound.clone();
    changed.push(b'\n');
    std::fs::write(floor.image(), changed).expect("image");
    let board = board(1);
    let verdict = floor.work("A", &board);
    assert_eq!(verdict.verdict, VerdictKind::Fail, "{}", floor.log());
    assert_eq!(verdict.code.as_deref(), Some("image-changed"));
    assert_eq!(verdict.exit, ExitCode::MalformedInput.number());
    assert!(verdict.to_do.contains("started again"), "{}", verdict.to_do);
    assert!(is_untouched(&board));
    let (_, attempts, _) = floor.quit();
    assert_eq!(attempts.len(), 1, "on record all the same");
}

#[test]
fn a_probe_that_was_unplugged_comes_back_and_its_board_waits_for_the_key() {
    let mut floor = Floor::open(1, Setup::default());
    let board = board(1);
    assert_eq!(floor.work("A", &board).verdict, VerdictKind::Pass);
    floor.hand("A").set_plugged(false);
    floor.until_at("A", |what| matches!(what, What::ProbeGone { .. }));
    floor.key("A");
    assert!(floor.not_taken().contains("probe"));
    floor.hand("A").set_plugged(true);
    floor.until_at("A", |what| *what == What::ProbeBack);
    // nobody has seen whether it is the same board
    floor.until_at("A", |what| *what == What::BoardSeated);
    floor.until_at("A", |what| *what == What::Waiting { needs: Needs::Key });
    floor.key("A");
    assert_eq!(floor.verdict("A").code.as_deref(), Some("passed-before"));
}

#[test]
fn a_probe_that_is_pulled_in_the_middle_is_a_fail_that_stays_until_it_was_seen() {
    let mut floor = Floor::open(1, Setup::default());
    let held = floor.hold_where_known("A", &board(1));
    floor.hand("A").set_plugged(false);
    drop(held);
    let verdict = floor.verdict("A");
    assert_eq!(verdict.verdict, VerdictKind::Fail, "{}", floor.log());
    assert_eq!(verdict.exit, ExitCode::LinkLost.number());
    floor.until_at("A", |what| matches!(what, What::ProbeGone { .. }));
    floor.hand("A").set_plugged(true);
    floor.until_at("A", |what| *what == What::ProbeBack);
    floor.key("A");
    assert!(floor.not_taken().contains("acknowledged"));
    floor.acknowledge("A");
    floor.until_at("A", |what| *what == What::Acknowledged);
    floor.key("A");
    assert_eq!(floor.verdict("A").verdict, VerdictKind::Pass);
    let (_, attempts, _) = floor.quit();
    let end = attempts[0].end.as_ref().expect("an end");
    assert_eq!(end.exit, ExitCode::LinkLost.number());
}

#[test]
fn what_was_pressed_before_a_verdict_does_nothing_to_it() {
    let mut floor = Floor::open(
        1,
        Setup {
            unit: "start = \"key\"\npassed_before = \"flash-again\"",
            ..Setup::default()
        },
    );
    floor.hand("A").insert(&board(1));
    floor.until_at("A", |what| *what == What::Waiting { needs: Needs::Key });
    // all between two looks
    let held = floor.hand("A").hold(Step::Look);
    for _ in 0..3 {
        floor.key("A");
    }
    floor.acknowledge("A");
    floor.has_obeyed();
    drop(held);
    for _ in 0..3 {
        assert_eq!(floor.not_taken(), "the board was being worked on");
    }
    assert_eq!(floor.verdict("A").verdict, VerdictKind::Pass);
    let (_, attempts, _) = floor.quit();
    assert_eq!(attempts.len(), 1);
}

#[test]
fn what_was_pressed_before_a_verdict_was_told_does_nothing_to_it() {
    let mut floor = Floor::open(1, Setup::default());
    let defect = start(weak(1));
    // its verdict is decided, and nobody has seen it
    let held = floor.hold_where("A", &defect, |attempt| attempt.end.is_some());
    floor.acknowledge("A");
    floor.key("A");
    floor.has_obeyed();
    drop(held);
    let mut verdicts = 0;
    for _ in 0..3 {
        let told = floor.until_at("A", |what| !matches!(what, What::Phase { .. }));
        match told {
            What::NotTaken { .. } => {}
            What::Verdict(_) => verdicts += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(verdicts, 1);
    floor.key("A");
    assert!(floor.not_taken().contains("acknowledged"));
    let (_, attempts, _) = floor.quit();
    assert_eq!(attempts.len(), 1);
}

#[test]
fn a_board_that_was_in_when_the_station_started_waits_for_its_key() {
    let mut floor = Floor::open(1, Setup::default());
    let board = board(1);
    assert_eq!(floor.work("A", &board).verdict, VerdictKind::Pass);
    let (_, _, floor) = floor.quit();
    let mut floor = Floor::open_in(floor.folder, &[Some(board)], Setup::default());
    floor.until_at("A", |what| *what == What::Waiting { needs: Needs::Key });
    floor.key("A");
    assert_eq!(floor.verdict("A").code.as_deref(), Some("passed-before"));
}

#[test]
fn a_cancelled_board_is_on_record_as_cancelled() {
    let mut floor = Floor::open(1, Setup::default());
    let held = floor.hold_where_known("A", &board(1));
    floor.command(Command::Cancel);
    floor.has_obeyed();
    drop(held);
    let verdict = floor.verdict("A");
    assert_eq!(verdict.verdict, VerdictKind::Cancelled, "{}", floor.log());
    assert_eq!(verdict.exit, ExitCode::Cancelled.number());
    let (_, attempts, _) = floor.quit();
    let end = attempts[0].end.as_ref().expect("an end");
    assert_eq!(end.verdict, VerdictKind::Cancelled);
}

#[test]
fn after_so_many_units_the_station_ends_by_itself() {
    let mut floor = Floor::open(
        2,
        Setup {
            units: Some(2),
            ..Setup::default()
        },
    );
    assert_eq!(floor.work("A", &board(1)).verdict, VerdictKind::Pass);
    assert_eq!(floor.work("B", &board(2)).verdict, VerdictKind::Pass);
    floor.until(|event| {
        matches!(
            event.what,
            What::StationEnded {
                passed: 2,
                not_passed: 0
            }
        )
    });
}

/// Serial numbers S001 to S009 in a sector of their own.
const SERIALS: &str = "[[series]]\nname = 'sn'\nfirst = 1\nlast = 9\n[[data]]\nname = 'sn'\nblock = 0x60010000\noffset = 0\n\
    length = 4\nserial = { series = 'sn', format = 'decimal', width = 3, text = 'S{number}' }\n";

#[test]
fn a_number_stays_with_its_board_when_boards_change_their_sites() {
    let mut floor = Floor::open(
        2,
        Setup {
            tables: SERIALS,
            ..Setup::default()
        },
    );
    let defect = start(weak(1));
    let verdict = floor.work("A", &defect);
    assert_eq!(verdict.verdict, VerdictKind::Fail, "{}", floor.log());
    assert_eq!(verdict.serial.as_deref(), Some("S001"));
    let second = board(2);
    assert_eq!(floor.work("B", &second).serial.as_deref(), Some("S002"));
    floor.clear("A");
    floor.clear("B");
    // its flash was replaced; the chip, and so the unit, is the same
    let mended = board(1);
    let verdict = floor.work("B", &mended);
    assert_eq!(verdict.verdict, VerdictKind::Pass, "{}", floor.log());
    assert_eq!(verdict.serial.as_deref(), Some("S001"));
    let verdict = floor.work("A", &second);
    assert_eq!(verdict.code.as_deref(), Some("passed-before"));
    assert!(verdict.text.contains("S002"), "{}", verdict.text);
    for (board, serial) in [(&mended, b"S001"), (&second, b"S002")] {
        assert_eq!(&flash_content(board)[0x1_0000..0x1_0004], serial);
    }
}
