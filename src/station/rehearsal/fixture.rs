//! A virtual site as a station sees it: a fixture like any other, whose seat is looked at through its probe.

use std::sync::Arc;

use jiff::Timestamp;

use super::super::event::UnitVerdict;
use super::super::fixture::{Fixture, Pressed, Seat};
use super::site::VirtualSite;
use crate::clock::Clock;
use crate::job::Bench;
use crate::link::{Choice, LinkError, ProbePlace, ProbeSelector, SeatSign, SeatWatch};
use crate::problem::Problem;

/// A virtual site's probe and seat.
pub struct VirtualFixture {
    site: Arc<VirtualSite>,
    probe: ProbeSelector,
    watch: SeatWatch,
    choice: Choice,
    /// When the rehearsal began.
    began: Timestamp,
}

impl VirtualFixture {
    /// The fixture of `site`, whose jobs connect as `choice` says.
    pub fn new(site: Arc<VirtualSite>, choice: Choice, began: Timestamp) -> Self {
        let probe = site.selector();
        VirtualFixture {
            watch: SeatWatch::new(ProbePlace::Named(probe.clone()), SeatSign::Supply),
            site,
            probe,
            choice,
            began,
        }
    }

    fn gone(&self) -> Problem {
        let selector = self.probe.clone();
        let listed = Vec::new();
        LinkError::ProbeNotFound { selector, listed }.into()
    }
}

impl Fixture for VirtualFixture {
    fn probe(&self) -> String {
        self.probe.to_string()
    }

    fn seat(&mut self) -> Seat {
        if self.site.has_changed() {
            // an open virtual probe is wired to the board that was there
            self.watch.close();
        }
        if let Some(error) = self.site.failed() {
            return Seat::ProbeGone(error.into());
        }
        match self.watch.look() {
            Ok(true) => Seat::Seated,
            Ok(false) => Seat::Empty,
            Err(error) => Seat::ProbeGone(error.into()),
        }
    }

    fn bench(&mut self) -> Result<Bench, Problem> {
        self.watch.close();
        let bench = self.site.work_begins().ok_or_else(|| self.gone())?;
        Ok(Bench::virtual_board(self.choice.clone(), bench))
    }

    fn clock(&self) -> Arc<dyn Clock + Send + Sync> {
        self.site.clone()
    }

    fn time_of_day(&self) -> Timestamp {
        let since = jiff::SignedDuration::try_from(self.site.now()).unwrap_or_default();
        self.began.saturating_add(since).unwrap_or(self.began)
    }

    fn pressed(&mut self) -> Vec<Pressed> {
        self.site.pressed()
    }

    fn shown(&mut self, verdict: &UnitVerdict) {
        self.site.sees(verdict);
    }
}
