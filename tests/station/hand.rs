//! A site that is worked by hand: the test puts virtual boards in and takes them out, and pulls the probe's cable.

use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use rtflash::clock::{Calendar, Clock, HostCalendar};
use rtflash::job::Bench;
use rtflash::link::{Choice, ProbePlace, SeatSign, SeatWatch, VirtualBench};
use rtflash::problem::Problem;
use rtflash::station::{Fixture, Seat, UnitVerdict};

/// What a site pauses on this computer, besides its own time, so that many of them need few cores.
const PAUSE: Duration = Duration::from_millis(2);

/// Shortest sleep that is not one of a job's own.
const POLL: Duration = Duration::from_millis(250);

/// What a site does only when the test lets it.
#[derive(Clone, Copy)]
pub enum Step {
    /// Looks at its seat.
    Look,
    /// Begins to work on the board, whose attempt is on record by then.
    Work,
    /// Reads the time of day: a job for everything that it tells.
    Time,
}

/// The operator's end of a site.
#[derive(Clone, Default)]
pub struct Hand(Arc<Mutex<Inside>>);

#[derive(Default)]
struct Inside {
    board: Option<VirtualBench>,
    watch: Option<SeatWatch>,
    /// What the site's clock shows beside the time of the board that is seated.
    offset: Duration,
    shown: Vec<UnitVerdict>,
    panics: bool,
    looks: u32,
    /// By [`Step`].
    gates: [Option<SyncSender<()>>; 3],
}

impl Inside {
    fn now(&self) -> Duration {
        let board = self.board.as_ref().map(|board| board.clock().now());
        self.offset + board.unwrap_or_default()
    }

    fn seat(&mut self, board: Option<VirtualBench>) {
        let now = self.now();
        self.watch = None;
        self.board = board;
        self.offset = Duration::ZERO;
        self.offset = now.saturating_sub(self.now());
    }
}

impl Hand {
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a board in.
    pub fn insert(&self, board: &VirtualBench) {
        self.inside().seat(Some(board.clone()));
    }

    /// Takes it out.
    pub fn remove(&self) {
        self.inside().seat(None);
    }

    /// Pulls the cable of the probe at the board that is seated, or plugs it in again.
    pub fn set_plugged(&self, plugged: bool) {
        let board = self.inside().board.clone().expect("a board");
        let set = board.board().with(move |b| b.set_plugged(plugged));
        set.expect("board");
    }

    /// The next look at the seat finds a fault of this program.
    pub fn panic_at_next_look(&self) {
        self.inside().panics = true;
    }

    /// Before each such step the site waits for the test. Received once, it has come to one; received again, it goes on.
    /// Once what the test got is dropped, it waits no more.
    pub fn hold(&self, step: Step) -> Receiver<()> {
        let (gate, opener) = mpsc::sync_channel(0);
        self.inside().gates[step as usize] = Some(gate);
        opener
    }

    fn pass(&self, step: Step) {
        let gate = self.inside().gates[step as usize].clone();
        let _ = gate.map(|gate| gate.send(()).and_then(|()| gate.send(())));
    }

    /// How often the seat was looked at.
    pub fn looks(&self) -> u32 {
        self.inside().looks
    }

    /// The verdicts that the site's lamp has shown.
    pub fn shown(&self) -> Vec<UnitVerdict> {
        self.inside().shown.clone()
    }

    /// The site.
    pub fn fixture(&self) -> Box<dyn Fixture> {
        Box::new(HandFixture(self.clone()))
    }
}

struct HandFixture(Hand);

impl Drop for HandFixture {
    fn drop(&mut self) {
        // a station that has ended has its probe open no more, whoever keeps the hand
        self.0.inside().watch = None;
    }
}

impl Fixture for HandFixture {
    fn probe(&self) -> String {
        let inside = self.0.inside();
        let board = inside.board.as_ref();
        board.map_or_else(String::new, |board| board.selector().to_string())
    }

    fn seat(&mut self) -> Seat {
        self.0.pass(Step::Look);
        let mut inside = self.0.inside();
        assert!(!inside.panics, "the test has asked for it");
        inside.looks += 1;
        let Some(board) = inside.board.clone() else {
            return Seat::Empty;
        };
        let watch = inside.watch.get_or_insert_with(|| {
            SeatWatch::new(ProbePlace::Named(board.selector()), SeatSign::DebugPort)
        });
        match watch.look() {
            Ok(true) => Seat::Seated,
            Ok(false) => Seat::Empty,
            Err(error) => Seat::ProbeGone(error.into()),
        }
    }

    fn bench(&mut self) -> Result<Bench, Problem> {
        self.0.pass(Step::Work);
        let mut inside = self.0.inside();
        inside.watch = None;
        let board = inside.board.clone().ok_or_else(|| {
            Problem::new(
                "test-board-gone",
                rtflash::problem::ExitCode::LinkLost,
                "the board is gone",
            )
        })?;
        Ok(Bench::virtual_board(Choice::default(), board))
    }

    fn clock(&self) -> Arc<dyn Clock + Send + Sync> {
        Arc::new(HandClock(self.0.clone()))
    }

    fn time_of_day(&self) -> Timestamp {
        self.0.pass(Step::Time);
        HostCalendar.now()
    }

    fn shown(&mut self, verdict: &UnitVerdict) {
        self.0.inside().shown.push(verdict.clone());
    }
}

/// The time of whatever board is seated, and on from there.
struct HandClock(Hand);

impl Clock for HandClock {
    fn now(&self) -> Duration {
        self.0.inside().now()
    }

    fn sleep(&self, span: Duration) {
        let board = self.0.inside().board.clone();
        match board {
            Some(board) => board.clock().sleep(span),
            None => self.0.inside().offset += span,
        }
        if span >= POLL {
            std::thread::sleep(PAUSE);
        }
    }
}
