//! Sites side by side: a failing, a dying, and a slow one, and the others.

use rtflash::records::VerdictKind;
use rtflash::station::{Command, What};

use crate::floor::{Floor, Setup, board, config, start};

#[test]
fn one_fails_while_the_other_passes() {
    let mut floor = Floor::open(2, Setup::default());
    let mut silent = config(1);
    silent.wire_faults.cable_cut_at = Some(9_000);
    floor.hand("A").insert(&start(silent));
    floor.hand("B").insert(&board(2));
    let mut verdicts = Vec::new();
    while verdicts.len() < 2 {
        let event = floor.until(|event| matches!(event.what, What::Verdict(_)));
        if let What::Verdict(verdict) = event.what {
            verdicts.push((event.site.unwrap_or_default(), verdict.verdict));
        }
    }
    verdicts.sort();
    let expected = [
        ("A".to_owned(), VerdictKind::Fail),
        ("B".to_owned(), VerdictKind::Pass),
    ];
    assert_eq!(verdicts, expected, "{}", floor.log());
}

#[test]
fn a_site_that_dies_is_out_of_service_and_the_others_go_on() {
    let mut floor = Floor::open(2, Setup::default());
    floor.hand("A").panic_at_next_look();
    let what = floor.until_at("A", |what| matches!(what, What::OutOfService { .. }));
    assert!(format!("{what:?}").contains("asked for it"), "{what:?}");
    assert_eq!(floor.work("B", &board(1)).verdict, VerdictKind::Pass);
    floor.key("A");
    assert!(floor.not_taken().contains("not in service"));
    let (tally, ..) = floor.quit();
    assert_eq!((tally.passed, tally.out_of_service), (1, 1));
}

#[test]
fn two_boards_with_one_chip_are_never_in_work_at_once() {
    let mut floor = Floor::open(2, Setup::default());
    floor.hand("A").insert(&board(1));
    floor.hand("B").insert(&board(1));
    let mut verdicts = Vec::new();
    while verdicts.len() < 2 {
        let event = floor.until(|event| matches!(event.what, What::Verdict(_)));
        if let What::Verdict(verdict) = event.what {
            verdicts.push((verdict.verdict, verdict.code));
        }
    }
    verdicts.sort();
    let in_work = Some("unit-in-work".to_owned());
    let expected = [(VerdictKind::Pass, None), (VerdictKind::Refused, in_work)];
    assert_eq!(verdicts, expected, "{}", floor.log());
}

#[test]
fn a_hook_gets_the_record_and_its_failure_is_part_of_it() {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("got");
    let script = format!(
        "cat > {}; echo no labels left >&2; sleep 0.1; exit 7",
        file.display()
    );
    let hook = serde_json::to_string(&["sh", "-c", script.as_str()]).expect("json");
    let mut floor = Floor::open(
        1,
        Setup {
            hook: Some(hook),
            ..Setup::default()
        },
    );
    let board = board(1);
    let verdict = floor.work("A", &board);
    assert_eq!(
        verdict.verdict,
        VerdictKind::Pass,
        "a hook comes after the verdict"
    );
    let what = floor.until_at("A", |what| matches!(what, What::HookFailed { .. }));
    assert!(format!("{what:?}").contains("no labels left"), "{what:?}");
    let got: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&file).expect("record")).expect("json");
    assert_eq!(got["end"]["verdict"], "pass");
    assert_eq!(got["begin"]["site"], "A");
    let (_, attempts, _) = floor.quit();
    let [hook] = attempts[0].hooks.as_slice() else {
        panic!("{attempts:?}");
    };
    assert_eq!(hook.status, Some(7));
    assert!(
        hook.error
            .as_ref()
            .is_some_and(|error| error.contains("no labels left"))
    );
}

#[test]
fn while_a_hook_runs_its_own_seat_is_watched() {
    let mut floor = Floor::open(
        1,
        Setup {
            hook: Some("sleep 1".to_owned()),
            ..Setup::default()
        },
    );
    assert_eq!(floor.work("A", &board(1)).verdict, VerdictKind::Pass);
    // within the second: the next board never finds the verdict of the one before
    floor.clear("A");
    assert_eq!(floor.work("A", &board(2)).verdict, VerdictKind::Pass);
    floor.command(Command::Quit);
    floor.until(|event| matches!(event.what, What::StationEnded { passed: 2, .. }));
}
