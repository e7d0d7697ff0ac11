//! One site at work: its seat is looked at again and again, and what the state machine decides is done.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::thread::Scope;
use std::time::Duration;

use super::event::{EVENT_VERSION, Event, UnitVerdict, What};
use super::fixture::{Fixture, Pressed, Seat};
use super::hooked;
use super::shared::Shared;
use super::site::{Action, Asked, Input, Look, Site};
use super::unit_run::{self, Unit};
use crate::clock::Clock;

/// Between two looks at the seat.
const POLL: Duration = Duration::from_millis(250);

/// One site with all that belongs to it.
pub struct Worker<'e> {
    label: String,
    fixture: Box<dyn Fixture>,
    site: Site,
    clock: Arc<dyn Clock + Send + Sync>,
    shared: &'e Shared<'e>,
    commands: Receiver<Asked>,
    /// Not taken yet.
    asked: VecDeque<Asked>,
    events: Sender<Event>,
}

/// Whether the site goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    GoOn,
    Stop,
}

impl<'e> Worker<'e> {
    /// A site that was never looked at.
    pub fn new(
        label: String,
        fixture: Box<dyn Fixture>,
        shared: &'e Shared<'e>,
        commands: Receiver<Asked>,
        events: Sender<Event>,
    ) -> Self {
        Worker {
            label,
            clock: fixture.clock(),
            fixture,
            site: Site::new(shared.job.file.unit.start),
            shared,
            commands,
            asked: VecDeque::new(),
            events,
        }
    }

    /// Works until the station ends. Hooks run on threads of `scope`, so that the seat is watched meanwhile.
    pub fn run<'scope>(mut self, scope: &'scope Scope<'scope, 'e>) {
        while !self.shared.is_ending() {
            let look = match self.fixture.seat() {
                Seat::Empty => Look::Empty,
                Seat::Seated => Look::Seated,
                Seat::ProbeGone(problem) => Look::ProbeGone(problem.what),
            };
            self.shared.saw_time(self.fixture.time_of_day());
            self.asked.push_back(Asked {
                input: Input::Look(look),
                era: self.site.era(),
            });
            self.listen();
            while let Some(asked) = self.asked.pop_front() {
                if self.take(asked, scope) == Next::Stop {
                    return;
                }
            }
            self.clock.sleep(POLL);
        }
    }

    /// What was pressed at the site belongs to what it shows now, what was asked for elsewhere to what it showed there.
    fn listen(&mut self) {
        let era = self.site.era();
        let here = self.fixture.pressed().into_iter().map(|pressed| Asked {
            input: pressed.into(),
            era,
        });
        self.asked.extend(here.chain(self.commands.try_iter()));
    }

    fn take<'scope>(&mut self, asked: Asked, scope: &'scope Scope<'scope, 'e>) -> Next {
        if let Input::Code(code) = &asked.input
            && let Some(pattern) = &self.shared.job.barcode
            && !pattern.fits(code)
        {
            self.tell(What::NotTaken {
                why: format!("the code \"{code}\" is not one that the job asks for"),
            });
            return Next::GoOn;
        }
        for action in self.site.asked(asked) {
            match action {
                Action::Tell(what) => self.tell(what),
                Action::Begin { barcode } => {
                    if !self.shared.may_begin() || self.work(barcode, scope) == Next::Stop {
                        return Next::Stop;
                    }
                }
            }
        }
        Next::GoOn
    }

    /// One attempt on the board that is seated.
    fn work<'scope>(&mut self, barcode: Option<String>, scope: &'scope Scope<'scope, 'e>) -> Next {
        let begun_at = self.clock.now();
        let tell = Tell {
            label: &self.label,
            events: &self.events,
        };
        let unit = Unit {
            shared: self.shared,
            site: &self.label,
            barcode,
            tell: &tell,
        };
        let done = unit_run::run(unit, &mut *self.fixture);
        let cycle = self.clock.now().saturating_sub(begun_at);
        let verdict = UnitVerdict {
            cycle_seconds: cycle.as_secs_f64(),
            over_budget: self
                .shared
                .job
                .cycle_budget()
                .is_some_and(|budget| cycle > budget),
            ..done.verdict
        };
        // what was pressed before the verdict was shown was not meant for it
        self.listen();
        for _ in std::mem::take(&mut self.asked) {
            self.tell(What::NotTaken {
                why: "the board was being worked on".to_owned(),
            });
        }
        let _ = self.site.take(Input::Ended(verdict.verdict));
        let shown = Event {
            event_version: EVENT_VERSION,
            at: self.fixture.time_of_day(),
            site: Some(self.label.clone()),
            what: What::Verdict(Box::new(verdict.clone())),
        };
        let _ = self.events.send(shown.clone());
        self.fixture.shown(&verdict);
        if let Some(hook) = &self.shared.options.hook {
            hooked::start(
                scope,
                self.shared,
                hook,
                &verdict,
                shown,
                self.events.clone(),
            );
        }
        match done.panicked {
            None => Next::GoOn,
            Some(why) => {
                self.tell(What::OutOfService { why });
                Next::Stop
            }
        }
    }

    fn tell(&self, what: What) {
        let tell = Tell {
            label: &self.label,
            events: &self.events,
        };
        tell.at(self.fixture.time_of_day(), what);
    }
}

impl From<Pressed> for Input {
    fn from(pressed: Pressed) -> Self {
        match pressed {
            Pressed::Start => Input::Start,
            Pressed::Code(code) => Input::Code(code),
            Pressed::Acknowledge => Input::Acknowledge,
        }
    }
}

/// Says what happens at one site.
pub struct Tell<'t> {
    label: &'t str,
    events: &'t Sender<Event>,
}

impl Tell<'_> {
    /// Says it. Where nobody listens any more, the site goes on all the same: the records have it.
    pub fn at(&self, at: jiff::Timestamp, what: What) {
        let _ = self.events.send(Event {
            event_version: EVENT_VERSION,
            at,
            site: Some(self.label.to_owned()),
            what,
        });
    }
}
