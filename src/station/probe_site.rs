//! A real site: a probe on this computer, and the seat at its other end.

use std::sync::Arc;

use jiff::Timestamp;

use super::fixture::{Fixture, Seat};
use super::job_file::LoadedJob;
use super::sites::SiteEntry;
use crate::clock::{Calendar, Clock, HostCalendar, HostClock};
use crate::job::Bench;
use crate::link::{Choice, ProbePlace, SeatWatch};
use crate::problem::Problem;

/// One site of a [`super::SiteMap`].
pub struct ProbeSite {
    place: ProbePlace,
    choice: Choice,
    watch: SeatWatch,
    clock: Arc<dyn Clock + Send + Sync>,
}

impl ProbeSite {
    /// The site of `entry`, connected as `job` says.
    pub fn new(entry: &SiteEntry, job: &LoadedJob) -> Self {
        ProbeSite {
            place: entry.place.clone(),
            choice: job.choice(None),
            watch: SeatWatch::new(entry.place.clone(), entry.sign),
            clock: Arc::new(HostClock::start()),
        }
    }
}

impl Fixture for ProbeSite {
    fn probe(&self) -> String {
        match self.place.selector() {
            Ok(selector) => selector.to_string(),
            // the attempt ends with the reason
            Err(_) => self.place.to_string(),
        }
    }

    fn seat(&mut self) -> Seat {
        match self.watch.look() {
            Ok(true) => Seat::Seated,
            Ok(false) => Seat::Empty,
            Err(error) => Seat::ProbeGone(error.into()),
        }
    }

    fn bench(&mut self) -> Result<Bench, Problem> {
        self.watch.close();
        let choice = Choice {
            probe: Some(self.place.selector()?),
            ..self.choice.clone()
        };
        Ok(Bench::real(choice, self.clock.clone()))
    }

    fn clock(&self) -> Arc<dyn Clock + Send + Sync> {
        self.clock.clone()
    }

    fn time_of_day(&self) -> Timestamp {
        HostCalendar.now()
    }
}
