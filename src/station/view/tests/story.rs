//! What the model makes of events.

use super::scenes::{SECONDS_APART, Scene, fail, refused, rows, verdict};
use crate::records::{AttemptId, VerdictKind};
use crate::station::What;
use crate::station::view::{Site, State};

fn site(scene: &Scene) -> Site {
    scene.model().sites.first().cloned().expect("a site")
}

fn shows_fail(scene: &Scene) -> Option<bool> {
    match site(scene).state {
        State::Ended {
            verdict,
            acknowledged,
        } if verdict.verdict == VerdictKind::Fail => Some(acknowledged),
        _ => None,
    }
}

#[test]
fn a_fail_stays_until_it_is_acknowledged_or_the_board_removed() {
    let failed = Scene::of(&["A1"]).fails("A1");
    assert_eq!(shows_fail(&failed), Some(false));
    // a key that does nothing, a probe that goes, another site: it stays
    let mut scene = failed.clone().probe_gone("A1").passes("A2");
    scene.tell(Some("A1"), What::ProbeBack);
    scene.tell(
        Some("A1"),
        What::NotTaken {
            why: "the verdict must be acknowledged first".to_owned(),
        },
    );
    assert_eq!(shows_fail(&scene), Some(false));
    assert_eq!(shows_fail(&failed.clone().acknowledged("A1")), Some(true));
    assert_eq!(site(&failed.clone().removed("A1")).state, State::Empty);
    assert!(failed.model().unacknowledged() == [0]);
    assert!(
        failed
            .acknowledged("A1")
            .model()
            .unacknowledged()
            .is_empty()
    );
}

#[test]
fn a_site_that_died_says_so_and_hides_no_fail() {
    let died = |mut scene: Scene| {
        let why = "index out of bounds".to_owned();
        scene.tell(Some("A1"), What::OutOfService { why });
        rows(&scene.drawn(80, 24)).join("\n")
    };
    let text = died(Scene::of(&["A1"]).seated("A1").known("A1", 1));
    assert!(text.contains("! OUT OF USE"), "{text}");
    assert!(text.contains("→ start the station again"), "{text}");
    let text = died(Scene::of(&["A1"]).fails("A1"));
    assert!(text.contains("× FAIL"), "{text}");
    assert!(text.contains("! index out of bounds"), "{text}");
}

#[test]
fn nothing_of_a_board_is_left_for_the_next() {
    let mut scene = Scene::of(&["A1"]);
    scene.tell(
        Some("A1"),
        What::Scanned {
            barcode: "SN-1".to_owned(),
        },
    );
    scene = scene.seated("A1");
    assert_eq!(
        site(&scene).barcode.as_deref(),
        Some("SN-1"),
        "scanned before it was seated"
    );
    let scene = scene.known("A1", 1).ends("A1", fail()).removed("A1");
    let after = site(&scene);
    assert_eq!((after.unit, after.barcode, after.note), (None, None, None));
    let again = site(&scene.seated("A1").begun("A1"));
    assert_eq!(
        again.unit, None,
        "a unit is not known before its chip was asked"
    );
}

#[test]
fn a_hook_that_fails_late_is_not_told_as_the_next_boards() {
    let fails = |mut scene: Scene| {
        let attempt = Some(AttemptId(1));
        let why = "no labels left".to_owned();
        scene.tell(Some("A1"), What::HookFailed { attempt, why });
        let recent = scene.model().recent.back().map(|said| said.words.clone());
        assert_eq!(recent.as_deref(), Some("hook of attempt 1: no labels left"));
        site(&scene).note.expect("a note")
    };
    let judged = Scene::of(&["A1"]).passes("A1");
    assert_eq!(fails(judged.clone()), "hook: no labels left");
    let mut next = judged.removed("A1");
    let earlier = "hook of the earlier attempt 1: no labels left";
    assert_eq!(fails(next.clone()), earlier);
    next = next.seated("A1");
    assert_eq!(fails(next.clone()), earlier);
    let attempt = AttemptId(2);
    next.tell(Some("A1"), What::Begun { attempt });
    assert_eq!(fails(next.clone()), earlier);
    let mut pass = verdict(VerdictKind::Pass);
    pass.attempt = Some(attempt);
    assert_eq!(fails(next.ends("A1", pass)), earlier);
}

#[test]
fn the_first_pass_yield_counts_first_attempts_on_boards() {
    let lost = || {
        let mut lost = fail();
        lost.uid = None;
        lost
    };
    let pass = || verdict(VerdictKind::Pass);
    let scene = Scene::of(&["A1"])
        .known("A1", 1)
        .ends("A1", pass())
        .known("A1", 1)
        .ends("A1", fail())
        .known("A1", 2)
        .ends("A1", pass())
        .known("A1", 1)
        .ends("A1", refused())
        .begun("A1")
        .ends("A1", lost());
    let figures = scene.model().figures;
    assert_eq!(
        (figures.attempts, figures.judged, figures.passed),
        (5, 4, 2)
    );
    assert_eq!((figures.tried, figures.first_passes), (3, 1));
    assert_eq!(figures.first_pass_yield(), Some(33), "never rounded up");
    assert_eq!(figures.attempt_yield(), Some(50));
    assert_eq!(scene.model().fails, 2, "a refusal rings no bell");
}

#[test]
fn units_an_hour_are_chips_that_passed() {
    let pass = |uid: &str| {
        let mut pass = verdict(VerdictKind::Pass);
        pass.uid = Some(uid.to_owned());
        pass
    };
    // begun, known and ended three times: the ninth event after the start is the last
    let scene = Scene::of(&["A1"])
        .known("A1", 1)
        .ends("A1", pass("1"))
        .known("A1", 1)
        .ends("A1", pass("2"))
        .known("A1", 2)
        .ends("A1", pass("2"));
    assert_eq!(
        scene.model().figures.units_per_hour(),
        Some(2.0 * 3600.0 / (9 * SECONDS_APART) as f64)
    );
    assert_eq!(
        Scene::of(&["A1"])
            .passes("A1")
            .model()
            .figures
            .units_per_hour(),
        None
    );
}
