//! A job that is watched: what happens on the board at a phase or at a step of the progress, and when it is cancelled.

use std::cell::Cell;
use std::time::Duration;

use rtflash::job::{Bench, Observer};
use rtflash::link::{Choice, VirtualBench};

/// The way to a board, at a clock that no test has to wait for.
pub fn bench(board: &VirtualBench) -> Bench {
    let choice = Choice {
        speed_khz: Some(15_000),
        ..Choice::default()
    };
    Bench::virtual_board(choice, board.clone())
}

type AtPhase<'a> = Box<dyn FnMut(&str) + 'a>;
type AtProgress<'a> = Box<dyn FnMut(&str, u64) + 'a>;

/// Who watches, and interferes.
#[derive(Default)]
pub struct Watched<'a> {
    /// Called as a phase begins.
    pub at_phase: Option<AtPhase<'a>>,
    /// Called with the phase and the bytes done.
    pub at_progress: Option<AtProgress<'a>>,
    /// Whether the job shall end.
    pub cancel: Option<&'a Cell<bool>>,
    /// Everything noted.
    pub notes: Vec<String>,
    /// The waits told: so far, usually, at most.
    pub waits: Vec<(Duration, Duration, Duration)>,
    /// The phase under way.
    pub phase: &'static str,
}

impl Observer for Watched<'_> {
    fn phase(&mut self, name: &'static str) {
        self.phase = name;
        if let Some(hook) = &mut self.at_phase {
            hook(name);
        }
    }

    fn progress(&mut self, done_bytes: u64, _total_bytes: u64) {
        if let Some(hook) = &mut self.at_progress {
            hook(self.phase, done_bytes);
        }
    }

    fn waiting(&mut self, elapsed: Duration, typical: Duration, longest: Duration) {
        self.waits.push((elapsed, typical, longest));
    }

    fn note(&mut self, text: &str) {
        self.notes.push(text.to_owned());
    }

    fn is_cancelled(&self) -> bool {
        self.cancel.is_some_and(Cell::get)
    }
}
