//! An operator's keys do what the last line says; a scanner's characters never press a shortcut.

use std::cell::Cell;
use std::time::Duration;

use ratatui::crossterm::event::{Event as Typed, KeyCode, KeyEvent, KeyModifiers};

use super::scenes::{Scene, draw, rows, settings};
use crate::clock::Clock;
use crate::station::Command;
use crate::station::view::keyboard::{ALONE, Between};
use crate::station::view::run::{Ear, Input};
use crate::station::view::{Keyboard, Model, Settings};

/// A hand and the keyboard under it.
struct Desk {
    keyboard: Keyboard,
    model: Model,
    now: Duration,
    got: Vec<Command>,
}

const HAND: Duration = Duration::from_millis(200);
const WEDGE: Duration = Duration::from_millis(5);

impl Desk {
    fn new(takes_codes: bool, scene: &Scene) -> Self {
        Desk {
            keyboard: Keyboard::new(takes_codes),
            model: scene.model(),
            now: Duration::from_secs(1),
            got: Vec::new(),
        }
    }

    fn press(&mut self, key: KeyEvent, after: Duration) {
        self.now += after;
        let commands = self
            .keyboard
            .press(key, Between(self.now, self.now), &self.model);
        self.got.extend(commands);
    }

    fn key(&mut self, code: KeyCode) {
        self.press(KeyEvent::new(code, KeyModifiers::NONE), HAND);
    }

    fn control(&mut self, c: char) {
        self.press(KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL), HAND);
    }

    /// Characters as fast as `gap`; `\r` is Enter, separators come as terminals send them.
    fn type_as(&mut self, text: &str, gap: Duration) {
        for c in text.chars() {
            let key = match c {
                '\r' => KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE),
                '\u{1D}' => KeyEvent::new(KeyCode::Char('5'), KeyModifiers::CONTROL),
                c => KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE),
            };
            self.press(key, gap);
        }
    }

    fn wait(&mut self, span: Duration) {
        self.now += span;
        let commands = self.keyboard.settle(self.now, &self.model);
        self.got.extend(commands);
    }

    /// What was asked for since the last look.
    fn asked(&mut self) -> Vec<Command> {
        self.wait(HAND);
        std::mem::take(&mut self.got)
    }
}

fn start(site: &str) -> Command {
    Command::Start {
        site: site.to_owned(),
    }
}

fn seen(site: &str) -> Command {
    Command::Acknowledge {
        site: Some(site.to_owned()),
    }
}

fn code(site: Option<&str>, code: &str) -> Command {
    Command::Code {
        site: site.map(str::to_owned),
        code: code.to_owned(),
    }
}

#[test]
fn digits_start_a_acknowledges_and_q_quits_where_no_codes_are_taken() {
    let mut desk = Desk::new(false, &Scene::with_sites(4).fails("A2"));
    desk.type_as("12", HAND);
    assert_eq!(desk.asked(), [start("A1"), start("B1")]);
    desk.key(KeyCode::Char('a'));
    assert_eq!(desk.asked(), [seen("A2")]);
    desk.key(KeyCode::Char('9'));
    assert_eq!(desk.asked(), [], "there is no ninth site");
    desk.key(KeyCode::F(4));
    assert_eq!(desk.asked(), [start("B2")]);
    desk.key(KeyCode::Char('q'));
    assert_eq!(desk.asked(), [Command::Quit]);
    desk.control('c');
    assert_eq!(
        desk.asked(),
        [Command::Cancel],
        "the second wish to end is for now"
    );
    assert!(!desk.keyboard.ends_at_once());
}

#[test]
fn the_third_wish_to_end_is_for_at_once_and_q_is_always_the_first() {
    let mut desk = Desk::new(false, &Scene::with_sites(2));
    desk.control('c');
    desk.control('c');
    desk.key(KeyCode::Char('q'));
    desk.key(KeyCode::Char('q'));
    assert_eq!(
        desk.asked(),
        [Command::Quit, Command::Cancel, Command::Quit, Command::Quit]
    );
    assert!(!desk.keyboard.ends_at_once());
    desk.control('c');
    assert_eq!(desk.asked(), []);
    assert!(desk.keyboard.ends_at_once());
}

/// A terminal's keys while the thread that reads them is held up before each look for longer than a hand needs.
#[test]
fn a_scanner_presses_no_shortcut_on_a_computer_that_is_held_up() {
    struct HeldUp(Cell<Duration>);
    impl Clock for HeldUp {
        fn now(&self) -> Duration {
            self.0.set(self.0.get() + 2 * ALONE);
            self.0.get()
        }
        fn sleep(&self, _: Duration) {}
    }
    let clock = HeldUp(Cell::default());
    let mut ear = Ear::new(&clock);
    let mut desk = Desk::new(false, &Scene::with_sites(4));
    let mut hear = |typed: Option<KeyCode>| {
        let typed = typed.map(|code| Typed::Key(code.into()));
        let commands = match ear.hear(|| Ok(typed)).expect("heard") {
            Input::Typed(Typed::Key(key), at) => desk.keyboard.press(key, at, &desk.model),
            Input::Typed(..) => Vec::new(),
            Input::Quiet(until) => desk.keyboard.settle(until, &desk.model),
        };
        desk.got.extend(commands);
        std::mem::take(&mut desk.got)
    };
    assert_eq!(hear(None), []);
    for c in "1q".chars() {
        assert_eq!(hear(Some(KeyCode::Char(c))), []);
    }
    assert_eq!(hear(Some(KeyCode::Enter)), [code(None, "1q")]);
    assert_eq!(hear(None), []);
    assert_eq!(hear(Some(KeyCode::Char('1'))), []);
    assert_eq!(hear(None), [start("A1")], "nothing came behind it");
}

#[test]
fn a_scanner_presses_no_shortcut_though_no_codes_are_taken() {
    let mut desk = Desk::new(false, &Scene::with_sites(4).fails("A1"));
    desk.type_as("1Q2A3-q\r", WEDGE);
    assert_eq!(desk.asked(), [code(None, "1Q2A3-q")]);
    // its Enter is lost
    desk.type_as("1q", WEDGE);
    assert_eq!(desk.asked(), []);
    desk.wait(Duration::from_secs(6));
    desk.key(KeyCode::Char('1'));
    assert_eq!(desk.asked(), [start("A1")]);
    desk.type_as("7\r", WEDGE);
    assert_eq!(desk.asked(), [code(None, "7")]);
}

#[test]
fn every_character_is_part_of_a_code_where_codes_are_taken() {
    let mut desk = Desk::new(true, &Scene::with_sites(12).fails("A2"));
    desk.type_as("1aq\r", HAND);
    assert_eq!(
        desk.asked(),
        [code(None, "1aq")],
        "however slowly they come"
    );
    desk.type_as("[)>\u{1D}S123\u{1D}\r\r", WEDGE);
    assert_eq!(desk.asked(), [code(None, "[)>\u{1D}S123\u{1D}")]);
    desk.key(KeyCode::F(3));
    desk.control('a');
    desk.control('q');
    assert_eq!(desk.asked(), [start("A2"), seen("A2"), Command::Quit]);
}

#[test]
fn an_abandoned_code_is_no_beginning_of_the_next() {
    let mut desk = Desk::new(true, &Scene::with_sites(2));
    desk.type_as("SN-0", WEDGE);
    desk.wait(Duration::from_secs(6));
    desk.type_as("SN-0002\r", WEDGE);
    desk.type_as("SN-03", WEDGE);
    desk.key(KeyCode::Backspace);
    desk.type_as("4\r", HAND);
    desk.type_as("SN-05", WEDGE);
    desk.key(KeyCode::Esc);
    desk.key(KeyCode::Enter);
    assert_eq!(desk.asked(), [code(None, "SN-0002"), code(None, "SN-04")]);
}

#[test]
fn a_site_is_chosen_with_arrows_for_one_command() {
    let mut desk = Desk::new(true, &Scene::with_sites(12));
    desk.keyboard.set_columns(4);
    for key in [
        KeyCode::Right,
        KeyCode::Down,
        KeyCode::Down,
        KeyCode::Down,
        KeyCode::Right,
    ] {
        desk.key(key);
    }
    assert_eq!(
        desk.keyboard.selected(),
        Some(9),
        "first, 4 on, 4 on, no further row, 1 on"
    );
    desk.type_as("SN-1\rSN-2\r", WEDGE);
    assert_eq!(desk.asked(), [code(Some("B5"), "SN-1"), code(None, "SN-2")]);
    desk.key(KeyCode::Left);
    desk.control('s');
    desk.control('s');
    assert_eq!(desk.asked(), [start("A1")]);
}

#[test]
fn nobody_guesses_which_of_several_fails_was_seen() {
    let mut desk = Desk::new(false, &Scene::with_sites(4).fails("A1").fails("B2"));
    desk.key(KeyCode::Char('a'));
    assert_eq!(desk.asked(), []);
    desk.key(KeyCode::Char('4'));
    assert_eq!(desk.asked(), [seen("B2")]);
    desk.type_as("a1", HAND);
    assert_eq!(desk.asked(), [seen("A1")]);
    desk.type_as("aa", HAND);
    assert_eq!(desk.asked(), [Command::Acknowledge { site: None }]);
    desk.key(KeyCode::Char('a'));
    desk.wait(HAND);
    desk.key(KeyCode::Esc);
    desk.key(KeyCode::Char('1'));
    assert_eq!(desk.asked(), [start("A1")]);
}

#[test]
fn the_last_line_tells_what_is_typed_and_which_keys_there_are() {
    let scene = Scene::with_sites(4).fails("A1").fails("B2");
    let last = |desk: &Desk, barcodes| {
        let settings = Settings {
            barcodes,
            ..settings()
        };
        let buffer = draw(&desk.model, &desk.keyboard, &settings, 80, 24);
        rows(&buffer).last().cloned().expect("a line")
    };
    let mut desk = Desk::new(false, &scene);
    assert_eq!(
        last(&desk, false),
        " 1–9 start · a acknowledge · arrows choose · q quit"
    );
    desk.key(KeyCode::Char('a'));
    desk.wait(HAND);
    assert_eq!(
        last(&desk, false),
        " which verdict was seen? 1–9 that site, a all, Esc none"
    );
    desk.key(KeyCode::Char('q'));
    desk.key(KeyCode::Esc);
    assert_eq!(
        last(&desk, false),
        " ending: 0 board(s) under way are finished first; Ctrl-C cancels them"
    );
    desk.control('c');
    assert_eq!(
        last(&desk, false),
        " ending: 0 board(s) are left where that is safe; Ctrl-C ends at once"
    );

    let mut desk = Desk::new(true, &scene);
    assert_eq!(
        last(&desk, true),
        " scan a code · F1–F9 start · Ctrl-A acknowledge · arrows choose · Ctrl-Q quit"
    );
    desk.key(KeyCode::Right);
    assert_eq!(
        last(&desk, true),
        " A1 chosen: Ctrl-S start · Ctrl-A acknowledge · Esc none"
    );
    desk.type_as("SN-1\u{1D}2", WEDGE);
    assert_eq!(
        last(&desk, true),
        " code for A1: SN-1␝2_   Enter takes it, Esc clears it"
    );
}
