//! In a pseudo-terminal: keys reach the station, and the terminal is given back at the end, after a panic, when it is gone.

use std::io::{Read, Write};
use std::process::{Child, Command as Process, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::scenes::{Scene, settings, shift};
use super::terminal::{HEIGHT, WIDTH, emulator, first_difference};
use crate::clock::{Clock, HostClock};
use crate::station::view;
use crate::station::view::screen::Screen;
use crate::station::{Command, Event, What};

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
    reader: JoinHandle<()>,
    clock: HostClock,
}

impl Desk {
    fn sit_down(played: &str, more: &str) -> Desk {
        let program = std::env::current_exe().expect("this program");
        let child = format!(
            "stty rows {HEIGHT} cols {WIDTH}; echo before $(stty -g); {more} \
             {PLAYED}={played} '{}' --ignored --exact --nocapture \
             station::view::tests::pseudo_terminal::a_station_is_played; echo exit $?; echo after $(stty -g)",
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
        let reader = thread::spawn(move || {
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
            reader,
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
        self.waits_for(|screen| screen.contents().contains(text), text);
    }

    #[track_caller]
    fn waits_for(&self, is_there: impl Fn(&vt100::Screen) -> bool, what: &str) {
        let deadline = self.clock.now() + PATIENCE;
        loop {
            let mut emulator = emulator();
            emulator.process(&self.shown());
            if is_there(emulator.screen()) {
                return;
            }
            let contents = emulator.screen().contents();
            assert!(self.clock.now() < deadline, "no {what:?} in\n{contents}");
            self.clock.sleep(Duration::from_millis(20));
        }
    }

    /// Waits for the end; what was written to the terminal.
    fn stands_up(mut self) -> String {
        self.child.wait().expect("ended");
        self.reader.join().expect("read to the end");
        let shown = self.shown.lock().expect("shown");
        String::from_utf8_lossy(&shown).into_owned()
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
    // what was on it is not gone with it
    let after = shown.split(LEAVES).last().expect("after");
    assert!(after.contains("left: Some(\"A1\") FAIL"), "{after}");
    assert!(after.contains("left: None station ended"), "{after}");
}

#[test]
fn the_third_ctrl_c_ends_the_program_at_once_and_gives_the_terminal_back() {
    let mut desk = Desk::sit_down("stubborn", "");
    desk.sees("× FAIL");
    desk.type_in("\x03");
    desk.sees("asked Quit");
    desk.type_in("\x03");
    desk.sees("asked Cancel");
    desk.type_in("\x03");
    let shown = desk.stands_up();
    is_given_back(&shown);
    assert!(shown.contains("exit 130"), "{shown}");
}

#[test]
fn the_page_follows_the_size_of_the_terminal() {
    let directory = tempfile::tempdir().expect("directory");
    let now = directory.path().join("now");
    let resize = format!(
        "(while [ ! -e '{}' ]; do sleep 0.05; done; stty rows 10 cols 40 </dev/tty)&",
        now.display()
    );
    let mut desk = Desk::sit_down("eight", &resize);
    desk.sees("1–9 start");
    std::fs::write(now, "").expect("said");
    desk.sees("terminal too small for 8 site(s)");
    desk.type_in("q");
    is_given_back(&desk.stands_up());
}

#[test]
fn the_page_on_a_real_terminal_is_the_page() {
    let mut desk = Desk::sit_down("eight", "");
    desk.sees("× FAIL SEEN");
    desk.sees("1–9 start");
    // events come one by one, and a page may be seen half drawn
    let page = shift().drawn(WIDTH, HEIGHT);
    desk.waits_for(
        |screen| first_difference(screen, &page).is_none(),
        "the page",
    );
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

/// Tells each command as an event, and ends at the first wish to, or not at all.
fn answers(
    mut scene: Scene,
    is_stubborn: bool,
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
        if command == Command::Quit && !is_stubborn {
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
    let is_stubborn = played == "stubborn";
    let station = thread::spawn(move || answers(scene, is_stubborn, &events, &asked));
    let (left, shown) = view::run(&told, &commands, &settings());
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
    for event in left {
        println!(
            "left: {:?} {}",
            event.site,
            event.what.words().expect("words")
        );
    }
}
