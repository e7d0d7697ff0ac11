//! The station as a whole: one thread for each site, commands to them, events from them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use super::command::Command;
use super::event::{EVENT_VERSION, Event, Needs, What};
use super::fixture::Fixture;
use super::hook::Hook;
use super::job_file::JobStart;
use super::job_file::LoadedJob;
use super::shared::Shared;
use super::site::{Asked, Input};
use super::unit_image::QUOTA;
use super::unit_run::panic_words;
use super::worker::Worker;
use crate::records::{Records, VerdictKind};

/// How long a command may wait while nothing happens at the sites.
const COMMAND_PAUSE: Duration = Duration::from_millis(20);

/// How a station is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// The station's label.
    pub station: String,
    /// Who operates it.
    pub operator: Option<String>,
    /// Whether the boards are virtual.
    pub rehearsal: bool,
    /// What gets each record.
    pub hook: Option<Hook>,
    /// End after so many attempts were begun.
    pub units: Option<u32>,
    /// Attempts of an earlier run that were found without an end.
    pub interrupted: u32,
}

/// What a station has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Attempts that passed.
    pub passed: u32,
    /// Attempts that did not.
    pub not_passed: u32,
    /// Sites that died of a fault of this program.
    pub out_of_service: u32,
}

/// A station.
pub struct Station;

impl Station {
    /// Runs `job` on every board that comes in at `sites`, until [`Command::Quit`], or [`Options::units`] attempts were
    /// begun, or no site is left in service. Boards in work are done then, and hooks have ended.
    pub fn run(
        job: &LoadedJob,
        sites: Vec<(String, Box<dyn Fixture>)>,
        records: Records,
        options: Options,
        commands: Receiver<Command>,
        events: Sender<Event>,
    ) -> Tally {
        let shared = Shared::new(job, &options, records);
        let (told, inbox) = mpsc::channel();
        let mut floor = Floor {
            shared: &shared,
            desks: Vec::new(),
            selected: None,
            quota_told: false,
            tally: Tally::default(),
            events,
        };
        thread::scope(|scope| {
            for (label, fixture) in sites {
                let (desk, worker_commands) = mpsc::channel();
                shared.saw_time(fixture.time_of_day());
                floor.desks.push(Desk {
                    label: label.clone(),
                    commands: Some(desk),
                    era: 0,
                    waits_for_code: false,
                    is_red: false,
                });
                let (told, shared) = (told.clone(), &shared);
                scope.spawn(move || {
                    let (site, lost) = (label.clone(), told.clone());
                    let work = AssertUnwindSafe(|| {
                        Worker::new(label, fixture, shared, worker_commands, told).run(scope);
                    });
                    if let Err(panic) = catch_unwind(work) {
                        let _ = lost.send(Event {
                            event_version: EVENT_VERSION,
                            at: shared.newest_time(),
                            site: Some(site),
                            what: What::OutOfService {
                                why: panic_words(&*panic),
                            },
                        });
                    }
                });
            }
            drop(told);
            floor.started();
            floor.serve(&inbox, &commands);
        });
        floor.ended()
    }
}

/// How one site is reached.
struct Desk {
    label: String,
    /// None where it is out of service.
    commands: Option<Sender<Asked>>,
    /// So many of its eras were told to have ended.
    era: u32,
    waits_for_code: bool,
    /// Its verdict must be acknowledged.
    is_red: bool,
}

impl Desk {
    fn note(&mut self, what: &What) {
        self.era += u32::from(what.ends_era());
        match what {
            What::Waiting { needs } => self.waits_for_code = *needs == Needs::Barcode,
            What::Begun { .. } | What::BoardSeated | What::BoardRemoved => {
                (self.waits_for_code, self.is_red) = (false, false);
            }
            What::ProbeGone { .. } => self.waits_for_code = false,
            What::Acknowledged => self.is_red = false,
            What::Verdict(verdict) => {
                self.waits_for_code = false;
                self.is_red = verdict.verdict != VerdictKind::Pass;
            }
            What::OutOfService { .. } => (self.waits_for_code, self.commands) = (false, None),
            _ => {}
        }
    }
}

struct Floor<'s> {
    shared: &'s Shared<'s>,
    desks: Vec<Desk>,
    /// The site whose key was pressed before a scan, for as long as it waits for one.
    selected: Option<String>,
    quota_told: bool,
    tally: Tally,
    events: Sender<Event>,
}

impl Floor<'_> {
    fn started(&mut self) {
        let (job, options) = (self.shared.job, self.shared.options);
        self.tell(
            None,
            What::StationStarted {
                station: options.station.clone(),
                job: job.file.name.clone(),
                job_sha256: job.sha256.to_string(),
                sites: self.desks.iter().map(|desk| desk.label.clone()).collect(),
                rehearsal: options.rehearsal,
                interrupted: options.interrupted,
            },
        );
    }

    /// Until the last site has gone.
    fn serve(&mut self, inbox: &Receiver<Event>, commands: &Receiver<Command>) {
        loop {
            let event = inbox.recv_timeout(COMMAND_PAUSE);
            if event == Err(RecvTimeoutError::Disconnected) {
                return;
            }
            // asked for before the event was told
            for command in commands.try_iter() {
                self.obey(command);
            }
            if let Ok(event) = event {
                self.pass_on(event);
            }
        }
    }

    fn ended(mut self) -> Tally {
        let Tally {
            passed, not_passed, ..
        } = self.tally;
        self.tell(None, What::StationEnded { passed, not_passed });
        self.tally
    }

    fn pass_on(&mut self, event: Event) {
        self.shared.saw_time(event.at);
        let desk = self
            .desks
            .iter_mut()
            .find(|desk| event.site.as_ref() == Some(&desk.label));
        if let Some(desk) = desk {
            desk.note(&event.what);
            let is_past = |chosen: &mut String| *chosen == desk.label && !desk.waits_for_code;
            self.selected.take_if(is_past);
        }
        if let What::OutOfService { .. } = &event.what {
            self.tally.out_of_service += 1;
        }
        let mut quota_reached = false;
        if let What::Verdict(verdict) = &event.what {
            match verdict.verdict {
                VerdictKind::Pass => self.tally.passed += 1,
                _ => self.tally.not_passed += 1,
            }
            quota_reached = verdict.code.as_deref() == Some(QUOTA) && !self.quota_told;
        }
        let _ = self.events.send(event);
        if quota_reached {
            self.quota_told = true;
            self.tell(None, What::QuotaReached);
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Start { site } => self.key(&site),
            Command::Acknowledge { site: Some(site) } => self.to(&site, Input::Acknowledge),
            Command::Acknowledge { site: None } => self.acknowledge_all(),
            Command::Code { site, code } => match site.map_or_else(|| self.site_of_scan(), Ok) {
                Ok(site) => self.to(&site, Input::Code(code)),
                Err(why) => self.not_taken(None, why),
            },
            Command::Quit => self.shared.end(),
            Command::Cancel => self.shared.cancel(),
        }
    }

    /// Sites whose verdict need not be acknowledged are left in peace.
    fn acknowledge_all(&mut self) {
        let red: Vec<String> = self
            .desks
            .iter()
            .filter(|desk| desk.is_red)
            .map(|desk| desk.label.clone())
            .collect();
        if red.is_empty() {
            self.not_taken(None, "there is nothing to acknowledge");
        }
        for site in red {
            self.to(&site, Input::Acknowledge);
        }
    }

    /// A site that waits for a code is chosen for the next scan by its key; all others begin by it.
    fn key(&mut self, site: &str) {
        let waits = self
            .desks
            .iter()
            .any(|desk| desk.label == site && desk.waits_for_code);
        if waits {
            self.selected = Some(site.to_owned());
            let needs = Needs::Barcode;
            self.tell(Some(site.to_owned()), What::Waiting { needs });
        } else {
            self.to(site, Input::Start);
        }
    }

    /// Where a code belongs that was scanned for no stated site. It is never guessed: a code on the wrong board is worse
    /// than one that must be scanned again.
    fn site_of_scan(&mut self) -> Result<String, &'static str> {
        if self.shared.job.file.unit.start != JobStart::Barcode {
            return Err("the job asks for no code");
        }
        if let Some(selected) = self.selected.take() {
            return Ok(selected);
        }
        let mut waiting = self.desks.iter().filter(|desk| desk.waits_for_code);
        match (waiting.next(), waiting.next(), self.desks.as_slice()) {
            (Some(desk), None, _) | (None, _, [desk]) => Ok(desk.label.clone()),
            (None, ..) => Err("no board waits for a code: seat the board first"),
            (Some(_), Some(_), _) => {
                Err("several boards wait for a code: choose the site by its key, then scan")
            }
        }
    }

    fn to(&mut self, site: &str, input: Input) {
        let Some(desk) = self.desks.iter().find(|desk| desk.label == site) else {
            return self.not_taken(None, "there is no such site");
        };
        let asked = Asked {
            input,
            era: desk.era,
        };
        let sent = desk.commands.as_ref().map(|site| site.send(asked));
        if !matches!(sent, Some(Ok(()))) {
            self.not_taken(Some(site.to_owned()), "the site is not in service");
        }
    }

    fn not_taken(&mut self, site: Option<String>, why: &str) {
        let why = why.to_owned();
        self.tell(site, What::NotTaken { why });
    }

    fn tell(&mut self, site: Option<String>, what: What) {
        let _ = self.events.send(Event {
            event_version: EVENT_VERSION,
            at: self.shared.newest_time(),
            site,
            what,
        });
    }
}
