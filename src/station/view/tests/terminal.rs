//! On a terminal: what its escape sequences draw is what the page is, and the terminal is given back.

use std::io::{self, Read, Write};
use std::num::NonZeroU16;
use std::process::{Child, Command as Process, Stdio};
use std::sync::mpsc::{self, Receiver};
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
use crate::station::view::run::{FRAME, View};
use crate::station::view::screen::Screen;
use crate::station::view::{self, Keyboard, Model};
use crate::station::{Command, Event, What};

const WIDTH: u16 = 80;
const HEIGHT: u16 = 24;

#[derive(Default)]
struct Bells(usize);

impl vt100::Callbacks for Bells {
    fn audible_bell(&mut self, _: &mut vt100::Screen) {
        self.0 += 1;
    }
}

fn emulator() -> vt100::Parser<Bells> {
    let size = |size| NonZeroU16::new(size).expect("not 0");
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

#[track_caller]
fn shows(screen: &vt100::Screen, page: &Buffer) {
    for (x, y) in (0..HEIGHT).flat_map(|y| (0..WIDTH).map(move |x| (x, y))) {
        let (seen, meant) = (screen.cell(y, x).expect("seen"), &page[(x, y)]);
        assert!(
            is_drawn(seen, meant),
            "column {x}, row {y}: {seen:?} is not {meant:?}\n{}",
            screen.contents()
        );
    }
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
    keys.send((Typed::Key(KeyCode::Char('1').into()), Duration::ZERO))
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

/// Which station the child plays.
const PLAYED: &str = "RTFLASH_TEST_PLAYED";
/// Where it says how that ended.
const TOLD: &str = "RTFLASH_TEST_TOLD";
const PATIENCE: Duration = Duration::from_secs(20);

/// A pseudo-terminal (util-linux' `script`) in which this very test program plays a station.
struct Desk {
    child: Child,
    keys: Option<std::process::ChildStdin>,
    shown: Arc<Mutex<Vec<u8>>>,
    clock: HostClock,
}

impl Desk {
    fn sit_down(played: &str, more: &str) -> Desk {
        let program = std::env::current_exe().expect("this program");
        let child = format!(
            "stty rows {HEIGHT} cols {WIDTH}; echo before $(stty -g); {more} \
             {PLAYED}={played} '{}' --ignored --exact --nocapture \
             station::view::tests::terminal::a_station_is_played; echo after $(stty -g)",
            program.display()
        );
        let mut child = Process::new("script")
            .args(["-q", "-c", &child, "/dev/null"])
            .env("TERM", "xterm-256color")
            .env("SHELL", "/bin/sh")
            .env_remove("NO_COLOR")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("script (util-linux)");
        let mut out = child.stdout.take().expect("output");
        let shown: Arc<Mutex<Vec<u8>>> = Arc::default();
        let seen = Arc::clone(&shown);
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = out.read(&mut bytes) {
                seen.lock().expect("shown").extend(&bytes[..count]);
            }
        });
        let keys = child.stdin.take();
        Desk {
            child,
            keys,
            shown,
            clock: HostClock::start(),
        }
    }

    fn type_in(&mut self, text: &str) {
        let keys = self.keys.as_mut().expect("keys");
        keys.write_all(text.as_bytes()).expect("typed");
        keys.flush().expect("typed");
    }

    fn shown(&self) -> Vec<u8> {
        self.shown.lock().expect("shown").clone()
    }

    /// Waits until the screen shows the text.
    #[track_caller]
    fn sees(&self, text: &str) {
        let deadline = self.clock.now() + PATIENCE;
        loop {
            let mut emulator = emulator();
            emulator.process(&self.shown());
            let contents = emulator.screen().contents();
            if contents.contains(text) {
                return;
            }
            assert!(self.clock.now() < deadline, "no {text:?} in\n{contents}");
            self.clock.sleep(Duration::from_millis(20));
        }
    }

    /// Waits for the end; what was written to the terminal.
    fn stands_up(mut self) -> String {
        self.child.wait().expect("ended");
        self.clock.sleep(Duration::from_millis(100));
        String::from_utf8_lossy(&self.shown()).into_owned()
    }
}

/// What `stty -g` said before and after.
#[track_caller]
fn is_given_back(shown: &str) {
    let told = |label: &str| {
        let line = shown.lines().find(|line| line.starts_with(label));
        line.unwrap_or_else(|| panic!("no {label:?} in {shown}"))
            .trim_start_matches(label)
            .trim()
            .to_owned()
    };
    assert_eq!(told("before "), told("after "), "the terminal's modes");
    let mut emulator = emulator();
    emulator.process(shown.as_bytes());
    assert!(!emulator.screen().alternate_screen());
    assert!(!emulator.screen().hide_cursor());
}

const LEAVES: &str = "\x1b[?1049l";

#[test]
fn a_real_terminal_shows_the_page_takes_keys_and_is_given_back() {
    let mut desk = Desk::sit_down("keys", "");
    desk.sees("× FAIL");
    desk.type_in("2");
    desk.sees("asked Start { site: \"B1\" }");
    desk.type_in("1q2a\r");
    desk.sees("asked Code { site: None, code: \"1q2a\" }");
    desk.type_in("\x1b[C");
    desk.sees("A1 chosen");
    desk.type_in("\x01");
    desk.sees("asked Acknowledge { site: Some(\"A1\") }");
    desk.type_in("\x03");
    let shown = desk.stands_up();
    is_given_back(&shown);
    let page = shown.split(LEAVES).next().expect("a page");
    let mut emulator = emulator();
    emulator.process(page.as_bytes());
    let last = emulator.screen().contents();
    assert!(last.contains("asked Quit"), "{last}");
    assert!(last.contains("station ended"), "{last}");
}

#[test]
fn the_page_follows_the_size_of_the_terminal() {
    let resize = "(sleep 1; stty rows 10 cols 40 </dev/tty)&";
    let mut desk = Desk::sit_down("eight", resize);
    desk.sees("terminal too small for 8 site(s)");
    desk.type_in("q");
    is_given_back(&desk.stands_up());
}

#[test]
fn the_page_on_a_real_terminal_is_the_page() {
    let mut desk = Desk::sit_down("eight", "");
    desk.sees("× FAIL SEEN");
    desk.sees("1–9 start");
    let mut emulator = emulator();
    emulator.process(&desk.shown());
    shows(emulator.screen(), &shift().drawn(WIDTH, HEIGHT));
    desk.type_in("q");
    is_given_back(&desk.stands_up());
}

#[test]
fn a_panic_gives_the_terminal_back_and_is_told() {
    let shown = Desk::sit_down("panic", "").stands_up();
    is_given_back(&shown);
    let after = shown.split(LEAVES).last().expect("after");
    assert!(after.contains("the view broke"), "{after:?}");
}

#[test]
fn a_panic_elsewhere_is_told_when_the_terminal_is_given_back() {
    let shown = Desk::sit_down("panic-elsewhere", "").stands_up();
    is_given_back(&shown);
    let (before, after) = shown.split_once(LEAVES).expect("left");
    assert!(after.contains("a worker broke"), "{after:?}");
    assert!(!before.contains("a worker broke"), "{before:?}");
}

#[test]
fn a_terminal_that_is_gone_ends_the_station_and_not_the_boards() {
    // the shell that would say "after" is gone with the terminal: the child tells by a file
    let told = tempfile::NamedTempFile::new().expect("file");
    let mut desk = Desk::sit_down(
        "gone",
        &format!("trap '' HUP; {TOLD}='{}'", told.path().display()),
    );
    desk.sees("× FAIL");
    desk.child.kill().expect("killed");
    desk.child.wait().expect("ended");
    let deadline = desk.clock.now() + PATIENCE;
    loop {
        let told = std::fs::read_to_string(told.path()).expect("told");
        if told == "ended well: false, asked [Quit]" {
            break;
        }
        assert!(desk.clock.now() < deadline, "{told:?}");
        desk.clock.sleep(Duration::from_millis(20));
    }
}

/// Tells each command as an event, and ends at the first wish to.
fn answers(
    mut scene: Scene,
    events: &mpsc::Sender<Event>,
    commands: &Receiver<Command>,
) -> Vec<Command> {
    let mut asked = Vec::new();
    for event in &scene.events {
        let _ = events.send(event.clone());
    }
    while let Ok(command) = commands.recv() {
        let told = scene.events.len();
        let why = format!("asked {command:?}");
        scene.tell(None, What::NotTaken { why });
        if command == Command::Quit {
            scene.tell(
                None,
                What::StationEnded {
                    passed: 0,
                    not_passed: 1,
                },
            );
        }
        for event in scene.events.iter().skip(told) {
            let _ = events.send(event.clone());
        }
        asked.push(command);
    }
    asked
}

#[test]
#[ignore = "is the program that other tests run in a pseudo-terminal, and a way to look at the view"]
fn a_station_is_played() {
    let played = std::env::var(PLAYED).unwrap_or_default();
    let scene = match played.as_str() {
        "eight" | "" => shift(),
        _ => Scene::with_sites(2).fails("A1"),
    };
    match played.as_str() {
        "panic" => {
            let _screen = Screen::enter().expect("terminal");
            panic!("the view broke");
        }
        "panic-elsewhere" => {
            let _screen = Screen::enter().expect("terminal");
            let worker = thread::spawn(|| panic!("a worker broke"));
            assert!(worker.join().is_err());
            return;
        }
        _ => {}
    }
    let (events, told) = mpsc::channel();
    let (commands, asked) = mpsc::channel();
    let station = thread::spawn(move || answers(scene, &events, &asked));
    let shown = view::run(&told, &commands, &settings());
    drop(commands);
    let asked = station.join().expect("answered");
    if let Ok(file) = std::env::var(TOLD) {
        std::fs::write(
            file,
            format!("ended well: {}, asked {asked:?}", shown.is_ok()),
        )
        .expect("told");
        return;
    }
    shown.expect("shown");
}
