//! A rehearsal that ends before all boards are done says so, and what was said until then is held against the truth.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use rtflash::clock::Clock;
use rtflash::job::Bench;
use rtflash::problem::Problem;
use rtflash::station::rehearsal::Script;
use rtflash::station::{Command, Fixture, Pressed, Seat, UnitVerdict, What};

use crate::desk::Desk;
use crate::program::{Program, last_line, text};

const AGREE: &str = "all verdicts agree with the truth, and the records with the verdicts";
/// No rehearsal of these tests takes so long.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn a_rehearsal_of_so_many_units_ends_well_and_tells_how_many_boards_were_not_done() {
    let (desk, program) = (Desk::new(""), Program::new());
    let more = ["--boards", "3", "--defects", "0", "--units", "2"];
    let last = last_line(&program.rehearses(&desk, "1", &more), 0);
    let expected = format!("; BROKEN OFF, 1 board(s) not done; {AGREE}");
    assert!(last.ends_with(&expected), "{last}");
    assert!(last.contains(" 2 attempts: 2 passed, "), "{last}");
}

#[test]
fn a_rehearsal_that_the_operator_ends_ends_well() {
    let (desk, program) = (Desk::new(""), Program::new());
    let more = ["--boards", "30", "--defects", "0", "--pace", "20"];
    let mut rehearsal = program
        .rehearsal(&desk, "2", &more)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("rtflash runs");
    let mut told = BufReader::new(rehearsal.stdout.take().expect("output"));
    let mut line = String::new();
    while !line.contains("PASS") {
        line.clear();
        assert_ne!(told.read_line(&mut line).expect("a line"), 0, "no PASS");
    }
    let mut keys = rehearsal.stdin.take().expect("input");
    keys.write_all(b"quit\n").expect("typed");
    let mut rest = String::new();
    told.read_to_string(&mut rest).expect("text");
    assert_eq!(rehearsal.wait().expect("ended").code(), Some(0), "{rest}");
    let last = rest.lines().last().expect("a line");
    assert!(last.contains("; BROKEN OFF, "), "{last}");
    assert!(last.ends_with(AGREE), "{last}");
}

#[test]
fn a_line_that_is_no_text_takes_nothing_from_the_operator() {
    let (desk, program) = (Desk::new(""), Program::new());
    // in the host's time: were `quit` not heard, two boards would take half a minute
    let more = ["--boards", "2", "--defects", "0", "--pace", "1"];
    let mut rehearsal = program
        .rehearsal(&desk, "1", &more)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("rtflash runs");
    let mut keys = rehearsal.stdin.take().expect("input");
    keys.write_all(b"PCB-\xE4\xF6\nquit\n").expect("typed");
    let output = rehearsal.wait_with_output().expect("ended");
    let last = last_line(&output, 0);
    assert!(
        last.contains("; BROKEN OFF, 2 board(s) not done; "),
        "{last}"
    );
    let said = text(&output.stderr);
    assert!(said.contains("not UTF-8 text: PCB-"), "{said}");
}

#[cfg(target_os = "linux")]
#[test]
fn the_view_leaves_the_verdicts_of_boards_that_are_seated_still_on_the_terminal() {
    let (desk, program) = (Desk::new(""), Program::new());
    let station = format!(
        "stty rows 24 cols 80; '{}' station '{}' --virtual 1 --boards 3 --defects 0 --units 2 --pace 1000",
        env!("CARGO_BIN_EXE_rtflash"),
        desk.path().display()
    );
    // util-linux' `script` makes the pseudo-terminal
    let mut terminal = program
        .command("script")
        .args(["-q", "-e", "-c", &station, "/dev/null"])
        .env("TERM", "xterm-256color")
        .env("SHELL", "/bin/sh")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("script (util-linux)");
    let keys = terminal.stdin.take();
    let output = terminal.wait_with_output().expect("ended");
    drop(keys);
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{shown}");
    let (_, after) = shown.rsplit_once("\x1b[?1049l").expect("left");
    let lines: Vec<&str> = after.lines().collect();
    let verdicts = lines.iter().filter(|line| line.contains("  1       PASS"));
    assert_eq!(verdicts.count(), 1, "of the board that is seated: {after}");
    assert!(
        after.contains("station ended: 2 passed, 0 did not"),
        "{after}"
    );
    let last = lines.last().expect("a line");
    assert!(
        last.contains("; BROKEN OFF, 1 board(s) not done; "),
        "{last}"
    );
}

/// A site that dies of a fault when it has shown a verdict.
struct Dying(Box<dyn Fixture>);

impl Fixture for Dying {
    fn probe(&self) -> String {
        self.0.probe()
    }

    fn seat(&mut self) -> Seat {
        self.0.seat()
    }

    fn bench(&mut self) -> Result<Bench, Problem> {
        self.0.bench()
    }

    fn clock(&self) -> Arc<dyn Clock + Send + Sync> {
        self.0.clock()
    }

    fn time_of_day(&self) -> Timestamp {
        self.0.time_of_day()
    }

    fn pressed(&mut self) -> Vec<Pressed> {
        self.0.pressed()
    }

    fn shown(&mut self, verdict: &UnitVerdict) {
        self.0.shown(verdict);
        panic!("the test has asked for it");
    }
}

/// Ends the station where nothing else does, so that a test fails instead of going on for ever.
fn watch_over(commands: Sender<Command>, ended: mpsc::Receiver<()>) {
    thread::spawn(move || {
        if ended.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
            let _ = commands.send(Command::Quit);
            panic!("the rehearsal did not end by itself");
        }
    });
}

#[test]
fn a_site_that_dies_ends_the_rehearsal_though_others_wait_for_its_board() {
    let desk = Desk::new("");
    let script: Script = toml::from_str(
        r#"
        unit = [{ name = "a" }, { name = "b" }]
        insertion = [
            { unit = "a", site = "1" }, { unit = "b", site = "1" }, { unit = "a", site = "2" },
        ]
    "#,
    )
    .expect("script");
    let (over, ended) = mpsc::channel();
    let rehearsed = desk.rehearse_at(desk.plan(2, script), |sites, commands| {
        watch_over(commands.clone(), ended);
        let mut sites = sites.into_iter();
        let first = sites.next().map(|(label, site)| {
            let dying: Box<dyn Fixture> = Box::new(Dying(site));
            (label, dying)
        });
        first.into_iter().chain(sites).collect()
    });
    assert_eq!(over.send(()), Ok(()), "nobody had to end it");
    let died = |event: &rtflash::station::Event| matches!(event.what, What::OutOfService { .. });
    assert!(rehearsed.events.iter().any(died));
    assert_eq!(rehearsed.findings.total().passed, 1, "its board had passed");
    assert_eq!(
        rehearsed.findings.disagreements,
        ["the station ended with 2 board(s) not done, and nobody had asked it to"]
    );
}
