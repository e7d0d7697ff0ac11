//! What the operator sees of a station: a fold over its events, nothing else.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::figures::Figures;
use crate::records::{AttemptId, VerdictKind, visible};
use crate::station::{Event, Needs, UnitVerdict, What};

/// So many of the last events are kept for the list; no terminal shows more.
const RECENT_KEPT: usize = 32;

/// The station as the operator sees it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Model {
    /// Its label.
    pub station: String,
    /// The job's name.
    pub job: String,
    /// SHA-256 of the job file, in hex.
    pub job_sha256: String,
    /// Whether the boards are virtual.
    pub rehearsal: bool,
    /// The sites, in the station's order.
    pub sites: Vec<Site>,
    /// All sites together.
    pub figures: Figures,
    /// The last events in words, the latest last.
    pub recent: VecDeque<Said>,
    /// Verdicts FAIL so far: the bell rings when this grows.
    pub fails: u32,
    /// No further unit will be flashed.
    pub quota_reached: bool,
    /// The station has ended.
    pub ended: bool,
}

/// One event in words.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// When.
    pub at: Timestamp,
    /// Label of the site; none for the station as a whole.
    pub site: Option<String>,
    /// What.
    pub words: String,
}

/// One site.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Site {
    /// Its label.
    pub label: String,
    /// What it does.
    pub state: State,
    /// Why its probe cannot be used, while it cannot.
    pub probe_gone: Option<String>,
    /// What it died of, where it does nothing more until the station is started again.
    pub out_of_service: Option<String>,
    /// The attempt on the board in it: under way, or the last.
    pub attempt: Option<AttemptId>,
    /// The unit in it, once known.
    pub unit: Option<Unit>,
    /// The code that was scanned for the board in it, or for the next one.
    pub barcode: Option<String>,
    /// Something that the operator shall know besides, until the site does something else.
    pub note: Option<String>,
    /// Attempts on it.
    pub figures: Figures,
}

/// The unit in a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// The chip's unique ID.
    pub uid: String,
    /// Its serial number, where the job gives one.
    pub serial: Option<String>,
    /// The how-manieth attempt on it is under way or was the last.
    pub attempt: u32,
}

/// What a site does.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum State {
    /// There is no board.
    #[default]
    Empty,
    /// There is one, and nothing has begun yet.
    Seated,
    /// The board waits for the operator.
    Waiting(Needs),
    /// The job runs.
    Running {
        /// The stage; none before the first.
        phase: Option<&'static str>,
        /// Bytes done and bytes in all, where the stage tells.
        progress: Option<(u64, u64)>,
    },
    /// The verdict is shown until the board is removed.
    Ended {
        /// The verdict.
        verdict: Box<UnitVerdict>,
        /// Whether the operator has seen it.
        acknowledged: bool,
    },
}

impl Site {
    fn new(label: &str) -> Self {
        Site {
            label: visible(label),
            ..Site::default()
        }
    }

    /// Whether a verdict that is not PASS waits to be seen.
    pub fn wants_acknowledgement(&self) -> bool {
        matches!(&self.state, State::Ended { verdict, acknowledged: false } if verdict.verdict != VerdictKind::Pass)
    }

    fn forget_the_board(&mut self) {
        (self.attempt, self.unit) = (None, None);
        (self.barcode, self.note) = (None, None);
    }

    fn apply(&mut self, what: &What) {
        match what {
            What::ProbeGone { why } => {
                self.probe_gone = Some(visible(why));
                if !self.wants_acknowledgement() {
                    self.state = State::Empty;
                    self.forget_the_board();
                }
            }
            What::OutOfService { why } => {
                self.out_of_service = Some(visible(why));
                if !self.wants_acknowledgement() {
                    self.state = State::Empty;
                    self.forget_the_board();
                }
            }
            What::ProbeBack => {
                self.probe_gone = None;
                if !self.wants_acknowledgement() {
                    self.state = State::Empty;
                    self.forget_the_board();
                }
            }
            What::BoardSeated => {
                self.state = State::Seated;
                (self.attempt, self.unit, self.note) = (None, None, None);
            }
            What::BoardRemoved => {
                self.state = State::Empty;
                self.forget_the_board();
            }
            What::Waiting { needs } => self.state = State::Waiting(*needs),
            What::Scanned { barcode } => {
                self.barcode = Some(visible(barcode));
                self.note = None;
            }
            What::NotTaken { why } => self.note = Some(visible(why)),
            What::HookFailed { attempt, why } => {
                let whose = match attempt {
                    Some(attempt) if self.attempt != Some(*attempt) => {
                        format!("hook of the earlier attempt {}", attempt.0)
                    }
                    _ => "hook".to_owned(),
                };
                self.note = Some(format!("{whose}: {}", visible(why)));
            }
            What::Begun { attempt } => {
                (self.attempt, self.unit, self.note) = (Some(*attempt), None, None);
                self.state = State::Running {
                    phase: None,
                    progress: None,
                };
            }
            What::UnitKnown {
                uid,
                serial,
                attempt_of_unit,
            } => {
                self.unit = Some(Unit {
                    uid: visible(uid),
                    serial: serial.as_deref().map(visible),
                    attempt: *attempt_of_unit,
                });
            }
            What::Phase { phase } => {
                self.state = State::Running {
                    phase: Some(phase),
                    progress: None,
                };
            }
            What::Progress {
                done_bytes,
                total_bytes,
            } => {
                if let State::Running { progress, .. } = &mut self.state {
                    *progress = Some((*done_bytes, *total_bytes));
                }
            }
            What::Verdict(verdict) => {
                self.note = None;
                self.state = State::Ended {
                    verdict: Box::new(UnitVerdict {
                        code: verdict.code.as_deref().map(visible),
                        text: visible(&verdict.text),
                        to_do: visible(&verdict.to_do),
                        uid: verdict.uid.as_deref().map(visible),
                        serial: verdict.serial.as_deref().map(visible),
                        ..(**verdict).clone()
                    }),
                    acknowledged: false,
                };
            }
            What::Acknowledged => {
                self.note = None;
                if let State::Ended { acknowledged, .. } = &mut self.state {
                    *acknowledged = true;
                }
            }
            What::StationStarted { .. } | What::StationEnded { .. } | What::QuotaReached => {}
        }
    }
}

impl Model {
    /// Nothing has happened.
    pub fn new() -> Self {
        Model::default()
    }

    /// Takes what has happened.
    pub fn apply(&mut self, event: &Event) {
        self.remember(event);
        match &event.what {
            What::StationStarted {
                station,
                job,
                job_sha256,
                sites,
                rehearsal,
                ..
            } => {
                self.station = visible(station);
                self.job = visible(job);
                self.job_sha256 = visible(job_sha256);
                self.rehearsal = *rehearsal;
                self.sites = sites.iter().map(|label| Site::new(label)).collect();
                self.figures.started(event.at);
            }
            What::QuotaReached => self.quota_reached = true,
            What::StationEnded { .. } => self.ended = true,
            _ => {}
        }
        let Some(label) = &event.site else { return };
        let label = visible(label);
        let at = self.sites.iter().position(|site| site.label == label);
        let at = at.unwrap_or_else(|| {
            self.sites.push(Site::new(&label));
            self.sites.len() - 1
        });
        let Some(site) = self.sites.get_mut(at) else {
            return;
        };
        match &event.what {
            What::Begun { .. } => {
                self.figures.begun(event.at);
                site.figures.begun(event.at);
            }
            What::Verdict(verdict) => {
                let attempt_of_unit = site.unit.as_ref().map(|unit| unit.attempt);
                self.figures.ended(event.at, verdict, attempt_of_unit);
                site.figures.ended(event.at, verdict, attempt_of_unit);
                self.fails += u32::from(verdict.verdict == VerdictKind::Fail);
            }
            _ => {}
        }
        site.apply(&event.what);
    }

    /// Places of the sites whose verdict waits to be seen.
    pub fn unacknowledged(&self) -> Vec<usize> {
        let sites = self.sites.iter().enumerate();
        sites
            .filter_map(|(at, site)| site.wants_acknowledgement().then_some(at))
            .collect()
    }

    /// Sites whose board is under way.
    pub fn running(&self) -> usize {
        let sites = self.sites.iter();
        sites
            .filter(|site| matches!(site.state, State::Running { .. }))
            .count()
    }

    fn remember(&mut self, event: &Event) {
        // what a board goes through is on its tile, and would push everything else out of the list
        if matches!(
            event.what,
            What::BoardSeated
                | What::Begun { .. }
                | What::UnitKnown { .. }
                | What::Phase { .. }
                | What::Waiting { .. }
                | What::BoardRemoved
        ) {
            return;
        }
        let Some(words) = event.what.words() else {
            return;
        };
        self.recent.push_back(Said {
            at: event.at,
            site: event.site.as_deref().map(visible),
            words,
        });
        while self.recent.len() > RECENT_KEPT {
            self.recent.pop_front();
        }
    }
}
