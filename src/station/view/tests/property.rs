//! No sequence of events, keys and terminal sizes is too much.

use std::time::Duration;

use proptest::prelude::*;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::scenes::{draw, settings, verdict};
use crate::records::{AttemptId, VerdictKind};
use crate::station::view::keyboard::Between;
use crate::station::view::{Keyboard, Model, Settings};
use crate::station::{EVENT_VERSION, Event, Needs, UnitVerdict, What};

const CASES: u32 = 400;

fn what() -> impl Strategy<Value = What> {
    let words = || "\\PC{0,40}|[a-z ]{0,300}|\u{1b}\\[31m|板{0,60}";
    let verdicts = (0_u8..5, words(), words(), any::<f64>(), any::<bool>());
    let verdicts = verdicts.prop_map(|(kind, text, to_do, cycle_seconds, over_budget)| {
        let kinds = [
            VerdictKind::Pass,
            VerdictKind::Fail,
            VerdictKind::Refused,
            VerdictKind::Cancelled,
            VerdictKind::Interrupted,
        ];
        What::Verdict(Box::new(UnitVerdict {
            text,
            to_do,
            cycle_seconds,
            over_budget,
            ..verdict(kinds[usize::from(kind)])
        }))
    });
    prop_oneof![
        verdicts,
        words().prop_map(|why| What::ProbeGone { why }),
        Just(What::ProbeBack),
        Just(What::BoardSeated),
        Just(What::Waiting { needs: Needs::Key }),
        Just(What::Waiting {
            needs: Needs::Barcode
        }),
        words().prop_map(|barcode| What::Scanned { barcode }),
        words().prop_map(|why| What::NotTaken { why }),
        any::<i64>().prop_map(|id| What::Begun {
            attempt: AttemptId(id)
        }),
        (words(), words(), any::<u32>()).prop_map(|(uid, serial, attempt_of_unit)| {
            What::UnitKnown {
                uid,
                serial: Some(serial),
                attempt_of_unit,
            }
        }),
        Just(What::Phase { phase: "program" }),
        (any::<u64>(), any::<u64>()).prop_map(|(done_bytes, total_bytes)| What::Progress {
            done_bytes,
            total_bytes
        }),
        words().prop_map(|why| What::OutOfService { why }),
        words().prop_map(|why| What::HookFailed { attempt: None, why }),
        Just(What::Acknowledged),
        Just(What::BoardRemoved),
        Just(What::QuotaReached),
        Just(What::StationEnded {
            passed: 1,
            not_passed: 1
        }),
        (proptest::collection::vec(words(), 0..30), any::<bool>()).prop_map(
            |(sites, rehearsal)| What::StationStarted {
                station: "LINE".to_owned(),
                job: "job".to_owned(),
                job_sha256: String::new(),
                sites,
                rehearsal,
                interrupted: 2,
            }
        ),
    ]
}

fn key() -> impl Strategy<Value = KeyEvent> {
    let codes = prop_oneof![
        any::<char>().prop_map(KeyCode::Char),
        "[0-9aq ]".prop_map(|c| KeyCode::Char(c.chars().next().unwrap_or('a'))),
        any::<u8>().prop_map(KeyCode::F),
        prop::sample::select(vec![
            KeyCode::Enter,
            KeyCode::Esc,
            KeyCode::Backspace,
            KeyCode::Left,
            KeyCode::Right,
            KeyCode::Up,
            KeyCode::Down,
        ]),
    ];
    (codes, any::<bool>()).prop_map(|(code, control)| {
        let modifiers = if control {
            KeyModifiers::CONTROL
        } else {
            KeyModifiers::NONE
        };
        KeyEvent::new(code, modifiers)
    })
}

#[derive(Clone, Debug)]
enum Step {
    Told(Option<u8>, i64, What),
    Pressed(KeyEvent, u16),
}

fn step() -> impl Strategy<Value = Step> {
    // the first seconds of 1970 and the last that the calendar has, and what lies between
    let seconds = -377_705_000_000_i64..253_402_200_000;
    prop_oneof![
        4 => (any::<Option<u8>>(), seconds, what()).prop_map(|(site, at, what)| Step::Told(site, at, what)),
        1 => (key(), any::<u16>()).prop_map(|(key, after)| Step::Pressed(key, after)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_happens_breaks_the_view(
        steps in proptest::collection::vec(step(), 1..40),
        barcodes: bool,
        color: bool,
        size in (0_u16..220, 0_u16..70),
    ) {
        let settings = Settings { barcodes, color, ..settings() };
        let mut model = Model::new();
        let mut keyboard = Keyboard::new(barcodes);
        let mut now = Duration::ZERO;
        for step in steps {
            match step {
                Step::Told(site, at, what) => model.apply(&Event {
                    event_version: EVENT_VERSION,
                    at: jiff::Timestamp::from_second(at).expect("a time"),
                    site: site.map(|site| format!("S{}", site % 26)),
                    what,
                }),
                Step::Pressed(key, after) => {
                    now += Duration::from_millis(after.into());
                    keyboard.press(key, Between(now, now), &model);
                }
            }
        }
        let buffer = draw(&model, &keyboard, &settings, size.0, size.1);
        for cell in buffer.content() {
            prop_assert!(!cell.symbol().contains(char::is_control));
        }
    }
}
