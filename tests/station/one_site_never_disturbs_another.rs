//! Sites side by side: a failing, a dying, and a slow one, and the others.

use std::time::Duration;

use jiff::Timestamp;
use rtflash::clock::{Calendar, HostCalendar};
use rtflash::records::VerdictKind;
use rtflash::station::What;

use crate::floor::{Floor, Setup, board, config, is_untouched, start};

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

/// A time that a site has seen; nothing was told since.
fn seen_by_station(floor: &Floor) -> Timestamp {
    let now = HostCalendar.now();
    let looks = floor.hand("B").looks();
    while floor.hand("B").looks() < looks + 2 {
        std::thread::sleep(Duration::from_millis(1));
    }
    now
}

#[test]
fn what_the_station_itself_says_is_told_as_of_now() {
    let mut floor = Floor::open(2, Setup::default());
    let before = seen_by_station(&floor);
    floor.key("nowhere");
    let told = floor.until(|event| matches!(event.what, What::NotTaken { .. }));
    assert!(told.at >= before, "told as of an earlier time: {told:?}");
}

#[test]
fn a_site_that_dies_is_out_of_service_and_the_others_go_on() {
    let mut floor = Floor::open(2, Setup::default());
    let before = seen_by_station(&floor);
    floor.hand("A").panic_at_next_look();
    let died = floor.until(|event| matches!(event.what, What::OutOfService { .. }));
    assert_eq!(died.site.as_deref(), Some("A"));
    assert!(format!("{died:?}").contains("asked for it"), "{died:?}");
    assert!(died.at >= before, "told as of an earlier time: {died:?}");
    assert_eq!(floor.work("B", &board(1)).verdict, VerdictKind::Pass);
    floor.key("A");
    assert!(floor.not_taken().contains("not in service"));
    let (tally, ..) = floor.quit();
    assert_eq!((tally.passed, tally.out_of_service), (1, 1));
}

#[test]
fn two_boards_with_one_chip_are_never_in_work_at_once() {
    let mut floor = Floor::open(2, Setup::default());
    let held = floor.hold_where_known("A", &board(1));
    let twin = board(1);
    let verdict = floor.work("B", &twin);
    assert_eq!(verdict.verdict, VerdictKind::Refused, "{}", floor.log());
    assert_eq!(verdict.code.as_deref(), Some("unit-in-work"));
    assert!(is_untouched(&twin));
    drop(held);
    assert_eq!(floor.verdict("A").verdict, VerdictKind::Pass);
}

#[test]
fn a_hook_gets_the_record_and_its_failure_is_part_of_it() {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("got");
    let script = format!("cat > {}; echo no labels left >&2; exit 7", file.display());
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
    let failed = floor.until(|event| matches!(event.what, What::HookFailed { .. }));
    let words = failed.what.words().expect("words");
    assert!(words.starts_with("hook of attempt 1: "), "{words}");
    assert!(words.contains("no labels left"), "{words}");
    let got: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&file).expect("record")).expect("json");
    assert_eq!(got["end"]["verdict"], "pass");
    assert_eq!(got["begin"]["site"], "A");
    let (_, attempts, floor) = floor.quit();
    let [hook] = attempts[0].hooks.as_slice() else {
        panic!("{attempts:?}");
    };
    assert_eq!(hook.status, Some(7));
    assert!(
        hook.error
            .as_ref()
            .is_some_and(|error| error.contains("no labels left"))
    );
    // told as of when it ended, not as of the verdict
    assert_eq!(failed.at, hook.ended_at);
    let shown = floor
        .seen
        .iter()
        .find(|event| matches!(event.what, What::Verdict(_)));
    assert!(shown.is_some_and(|shown| shown.at < failed.at));
}

#[test]
fn while_a_hook_runs_its_own_seat_is_watched() {
    let folder = tempfile::tempdir().expect("folder");
    let go_on = folder.path().join("go-on");
    let script = format!("while [ ! -e {} ]; do sleep 0.05; done", go_on.display());
    let hook = serde_json::to_string(&["sh", "-c", script.as_str()]).expect("json");
    let mut floor = Floor::open(
        1,
        Setup {
            hook: Some(hook),
            ..Setup::default()
        },
    );
    assert_eq!(floor.work("A", &board(1)).verdict, VerdictKind::Pass);
    // the next board never finds the verdict of the one before
    floor.clear("A");
    assert_eq!(floor.work("A", &board(2)).verdict, VerdictKind::Pass);
    std::fs::write(&go_on, "").expect("file");
    let (tally, attempts, floor) = floor.quit();
    assert_eq!(tally.passed, 2);
    let hooks = attempts.iter().map(|attempt| attempt.hooks.as_slice());
    for hook in hooks {
        assert!(matches!(hook, [hook] if hook.status == Some(0)), "{hook:?}");
    }
    assert!(!floor.log().contains("HookFailed"), "{}", floor.log());
}
