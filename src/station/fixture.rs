//! What a site is made of: a probe, and a place where boards come and go.

use std::sync::Arc;

use jiff::Timestamp;

use super::UnitVerdict;
use crate::clock::Clock;
use crate::job::Bench;
use crate::problem::Problem;

/// What a look at the site tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Seat {
    /// Nothing answers, or there is no voltage.
    Empty,
    /// A board answers.
    Seated,
    /// The probe itself cannot be used.
    ProbeGone(Problem),
}

/// What somebody asks for at the site itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pressed {
    /// The site's key.
    Start,
    /// A code was scanned.
    Code(String),
    /// The verdict was seen.
    Acknowledge,
}

/// One site's probe and seat; a real one, or a virtual one of a rehearsal.
pub trait Fixture: Send {
    /// The probe as `VID:PID:serial`.
    fn probe(&self) -> String;

    /// Looks whether a board is seated, without disturbing what runs on it.
    fn seat(&mut self) -> Seat;

    /// What a job needs to work on the seated board.
    ///
    /// # Errors
    /// Where the probe cannot be used any more.
    fn bench(&mut self) -> Result<Bench, Problem>;

    /// The site's monotonic clock, the same for as long as the site is there: what waiting and cycle times go by.
    fn clock(&self) -> Arc<dyn Clock + Send + Sync>;

    /// The time of day at the site: real, or a rehearsal's.
    fn time_of_day(&self) -> Timestamp;

    /// What was pressed or scanned at the site since it was last asked: a fixture's own switch, a rehearsal's script.
    fn pressed(&mut self) -> Vec<Pressed> {
        Vec::new()
    }

    /// The verdict on the board is being shown: a lamp at the site, a rehearsal's operator.
    fn shown(&mut self, _verdict: &UnitVerdict) {}
}
