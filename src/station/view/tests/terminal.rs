//! What the escape sequences draw is what the page is, and pages and bells come as they should.

use std::io::{self, Write};
use std::num::NonZeroU16;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use ratatui::backend::CrosstermBackend;
use ratatui::buffer::{Buffer, Cell};
use ratatui::crossterm::event::{Event as Typed, KeyCode};
use ratatui::crossterm::style::force_color_output;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};
use ratatui::{Terminal, TerminalOptions, Viewport};

use super::scenes::{Scene, draw, settings, shift};
use crate::clock::{Clock, HostClock};
use crate::station::view::keyboard::Between;
use crate::station::view::run::{FRAME, Input, View};
use crate::station::view::{self, Keyboard, Model};
use crate::station::{Event, What};

pub const WIDTH: u16 = 80;
pub const HEIGHT: u16 = 24;

#[derive(Default)]
pub struct Bells(usize);

impl vt100::Callbacks for Bells {
    fn audible_bell(&mut self, _: &mut vt100::Screen) {
        self.0 += 1;
    }
}

fn size(size: u16) -> NonZeroU16 {
    NonZeroU16::new(size).expect("not 0")
}

pub fn emulator() -> vt100::Parser<Bells> {
    vt100::Parser::new_with_callbacks(size(HEIGHT), size(WIDTH), 0, Bells::default())
}

/// As `xterm` numbers them.
fn number(color: Color) -> vt100::Color {
    match color {
        Color::Black => vt100::Color::Idx(0),
        Color::Red => vt100::Color::Idx(1),
        Color::Green => vt100::Color::Idx(2),
        Color::Yellow => vt100::Color::Idx(3),
        Color::Blue => vt100::Color::Idx(4),
        Color::LightRed => vt100::Color::Idx(9),
        Color::LightGreen => vt100::Color::Idx(10),
        Color::LightYellow => vt100::Color::Idx(11),
        Color::LightBlue => vt100::Color::Idx(12),
        Color::White => vt100::Color::Idx(15),
        _ => vt100::Color::Default,
    }
}

fn is_drawn(seen: &vt100::Cell, meant: &Cell) -> bool {
    let text = if seen.has_contents() {
        seen.contents()
    } else {
        " "
    };
    text == meant.symbol()
        && seen.fgcolor() == number(meant.fg)
        && seen.bgcolor() == number(meant.bg)
        && seen.bold() == meant.modifier.contains(Modifier::BOLD)
        && seen.dim() == meant.modifier.contains(Modifier::DIM)
        && seen.inverse() == meant.modifier.contains(Modifier::REVERSED)
}

/// Where the screen is not the page.
pub fn first_difference(screen: &vt100::Screen, page: &Buffer) -> Option<String> {
    (0..HEIGHT)
        .flat_map(|y| (0..WIDTH).map(move |x| (x, y)))
        .find_map(|(x, y)| {
            let (seen, meant) = (screen.cell(y, x)?, &page[(x, y)]);
            let differs = !is_drawn(seen, meant);
            differs.then(|| format!("column {x}, row {y}: {seen:?} is not {meant:?}"))
        })
}

#[track_caller]
fn shows(screen: &vt100::Screen, page: &Buffer) {
    assert_eq!(screen.size(), (size(HEIGHT), size(WIDTH)));
    let difference = first_difference(screen, page);
    assert_eq!(difference, None, "{}", screen.contents());
}

fn fixed<W: Write>(out: W) -> Terminal<CrosstermBackend<W>> {
    force_color_output(true);
    let options = TerminalOptions {
        viewport: Viewport::Fixed(Rect::new(0, 0, WIDTH, HEIGHT)),
    };
    Terminal::with_options(CrosstermBackend::new(out), options).expect("terminal")
}

/// Where the page goes, for a test to look at.
#[derive(Clone, Default)]
struct Paper {
    written: Arc<Mutex<Vec<u8>>>,
    flushes: Arc<Mutex<u32>>,
}

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.written.lock().expect("paper").extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        *self.flushes.lock().expect("paper") += 1;
        Ok(())
    }
}

#[test]
fn what_the_escape_sequences_draw_is_the_page_after_every_event() {
    let paper = Paper::default();
    let mut terminal = fixed(paper.clone());
    let mut emulator = emulator();
    let mut model = Model::new();
    let (keyboard, settings) = (Keyboard::new(false), settings());
    let events = shift().events;
    // the beginning, and the last board of each site
    let (first, last) = (40, events.len() - 60);
    for (count, event) in events.iter().enumerate() {
        model.apply(event);
        if count > first && count < last {
            continue;
        }
        let page = view::Page {
            model: &model,
            keyboard: &keyboard,
            settings: &settings,
        };
        terminal.draw(|frame| page.render(frame)).expect("drawn");
        emulator.process(&std::mem::take(&mut *paper.written.lock().expect("paper")));
        shows(
            emulator.screen(),
            &draw(&model, &keyboard, &settings, WIDTH, HEIGHT),
        );
    }
}

#[test]
fn the_bell_rings_once_for_each_fail_and_the_station_ends_the_view() {
    let mut scene = Scene::with_sites(4).fails("A1").passes("B1").fails("A2");
    scene = scene.acknowledged("A1").removed("A1").fails("A1");
    scene.tell(
        None,
        What::StationEnded {
            passed: 1,
            not_passed: 3,
        },
    );
    let (events, told) = mpsc::channel();
    for event in &scene.events {
        events.send(event.clone()).expect("sent");
    }
    let (commands, _asked) = mpsc::channel();
    let (_keys, input) = mpsc::channel();
    let paper = Paper::default();
    let settings = settings();
    View::new(&settings)
        .play(
            &mut fixed(paper.clone()),
            &told,
            &input,
            &commands,
            &HostClock::start(),
        )
        .expect("played");
    let mut emulator = emulator();
    emulator.process(&paper.written.lock().expect("paper"));
    assert_eq!(emulator.callbacks().0, 3);
    shows(emulator.screen(), &scene.drawn(WIDTH, HEIGHT));
}

#[test]
fn events_may_come_faster_than_pages_are_drawn() {
    let (events, told) = mpsc::channel();
    let (commands, _asked) = mpsc::channel();
    let (_keys, input) = mpsc::channel();
    let paper = Paper::default();
    let clock = HostClock::start();
    let feeder = thread::spawn(move || {
        let mut scene = Scene::of(&["A1"]).known("A1", 1);
        for done in 0..1000 {
            scene = scene.at("A1", "program", done, 1000);
        }
        for event in scene.events {
            events.send(event).expect("sent");
            clock.sleep(Duration::from_micros(200));
        }
    });
    let settings = settings();
    View::new(&settings)
        .play(&mut fixed(paper.clone()), &told, &input, &commands, &clock)
        .expect("played");
    feeder.join().expect("fed");
    let pages = u32::try_from(clock.now().as_millis() / FRAME.as_millis()).expect("few") + 2;
    // a page is flushed once, and once more where the cursor is hidden or the bell rings
    let flushes = *paper.flushes.lock().expect("paper");
    assert!(flushes <= 2 * pages, "{flushes} for {pages} pages");
    let text = paper.written.lock().expect("paper").clone();
    assert!(!text.is_empty());
}

#[test]
fn a_terminal_that_cannot_be_read_ends_the_view() {
    let (events, told) = mpsc::channel::<Event>();
    let (commands, _asked) = mpsc::channel();
    let (keys, input) = mpsc::channel();
    let key = Typed::Key(KeyCode::Char('1').into());
    keys.send(Input::Typed(key, Between(Duration::ZERO, Duration::ZERO)))
        .expect("sent");
    drop(keys);
    let settings = settings();
    let shown = View::new(&settings).play(
        &mut fixed(Paper::default()),
        &told,
        &input,
        &commands,
        &HostClock::start(),
    );
    assert!(shown.is_err());
    drop(events);
}
