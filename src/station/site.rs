//! One site as a state machine: what is seen and asked for goes in, what is told and begun comes out. No clock, no probe.

use super::event::{Needs, What};
use super::job_file::JobStart;
use crate::records::VerdictKind;

/// So many equal looks in a row count: a contact that bounces is no board that comes or goes.
const EQUAL_LOOKS: u32 = 2;

/// What one look at the site shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// No board.
    Empty,
    /// A board.
    Seated,
    /// The probe cannot be used, for this reason.
    ProbeGone(String),
}

impl Look {
    /// Whether both show the same; why a probe is gone may be worded differently from look to look.
    fn is_like(&self, other: &Look) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

/// What reaches a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A look at the seat.
    Look(Look),
    /// The site's key.
    Start,
    /// A scanned code that fits the job's pattern.
    Code(String),
    /// The operator has seen the verdict.
    Acknowledge,
    /// The attempt that was begun has ended.
    Ended(VerdictKind),
}

/// What is asked of a site, by somebody who had been told of all its eras up to `era`.
#[derive(Clone, Debug)]
pub struct Asked {
    /// What.
    pub input: Input,
    /// So many eras had ended: [`What::ends_era`].
    pub era: u32,
}

/// What follows.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Everybody is told.
    Tell(What),
    /// An attempt is begun on the board that is seated, with its code where one was scanned.
    Begin {
        /// The code.
        barcode: Option<String>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// No look has counted yet.
    Unseen,
    /// The probe cannot be used; what was in the seat may be another board when it is back.
    ProbeGone {
        /// No verdict but PASS is left that the operator has not seen.
        acknowledged: bool,
    },
    Empty,
    Waiting(Needs),
    Running,
    /// The verdict is shown for as long as the board stays.
    Held {
        acknowledged: bool,
    },
}

/// One site.
#[derive(Clone, Debug)]
pub struct Site {
    start_by: JobStart,
    state: State,
    /// Scanned for the board that is seated or, while none is, for the next one.
    barcode: Option<String>,
    last: Option<Look>,
    equal: u32,
    /// So many eras have ended.
    era: u32,
}

impl Site {
    /// A site that was never looked at.
    pub fn new(start_by: JobStart) -> Self {
        Site {
            start_by,
            state: State::Unseen,
            barcode: None,
            last: None,
            equal: 0,
            era: 0,
        }
    }

    /// Whether an attempt is under way.
    pub fn is_running(&self) -> bool {
        self.state == State::Running
    }

    /// So many eras have ended.
    pub fn era(&self) -> u32 {
        self.era
    }

    /// Takes what was asked for, unless an era has ended since.
    pub fn asked(&mut self, asked: Asked) -> Vec<Action> {
        if asked.era != self.era {
            return not_taken("the site has gone on meanwhile: press or scan again");
        }
        self.take(asked.input)
    }

    /// Takes what has happened, and says what follows, in order.
    pub fn take(&mut self, input: Input) -> Vec<Action> {
        let actions = match input {
            Input::Look(look) => self.look(look),
            Input::Start => self.key(),
            Input::Code(code) => self.code(code),
            Input::Acknowledge => self.acknowledge(),
            Input::Ended(verdict) => self.ended(verdict),
        };
        let ends_era = |action: &Action| matches!(action, Action::Tell(what) if what.ends_era());
        if actions.iter().any(ends_era) {
            self.era += 1;
        }
        actions
    }

    fn look(&mut self, look: Look) -> Vec<Action> {
        if self.is_running() {
            // the job has the probe, and finds out by itself
            return Vec::new();
        }
        let is_equal = self.last.as_ref().is_some_and(|last| last.is_like(&look));
        self.equal = if is_equal { self.equal + 1 } else { 1 };
        self.last = Some(look.clone());
        if self.equal < EQUAL_LOOKS {
            return Vec::new();
        }
        match look {
            Look::Empty => self.is_empty(),
            Look::Seated => self.is_seated(),
            Look::ProbeGone(why) => self.probe_gone(why),
        }
    }

    fn is_empty(&mut self) -> Vec<Action> {
        match std::mem::replace(&mut self.state, State::Empty) {
            State::Unseen | State::Empty | State::Running => Vec::new(),
            State::ProbeGone { acknowledged: true } => tell(What::ProbeBack),
            State::ProbeGone {
                acknowledged: false,
            } => vec![
                Action::Tell(What::ProbeBack),
                Action::Tell(What::BoardRemoved),
            ],
            State::Waiting(_) | State::Held { .. } => {
                self.barcode = None;
                tell(What::BoardRemoved)
            }
        }
    }

    fn is_seated(&mut self) -> Vec<Action> {
        match self.state {
            State::Waiting(_) | State::Running | State::Held { .. } => Vec::new(),
            State::Empty => {
                let mut actions = tell(What::BoardSeated);
                actions.extend(self.inserted());
                actions
            }
            // Which board this is, and whether it has had its verdict, nobody has seen: it starts by no insertion.
            State::Unseen => self.found(Vec::new()),
            State::ProbeGone { acknowledged: true } => self.found(tell(What::ProbeBack)),
            // whichever board it is: red is for the operator to end
            State::ProbeGone {
                acknowledged: false,
            } => {
                self.state = State::Held {
                    acknowledged: false,
                };
                tell(What::ProbeBack)
            }
        }
    }

    /// A board was put in while the site was watched.
    fn inserted(&mut self) -> Vec<Action> {
        match self.start_by {
            JobStart::Insertion => self.begin(),
            JobStart::Key => self.wait(Needs::Key),
            JobStart::Barcode if self.barcode.is_some() => self.begin(),
            JobStart::Barcode => self.wait(Needs::Barcode),
        }
    }

    /// A board is there, and nobody saw it come.
    fn found(&mut self, mut actions: Vec<Action>) -> Vec<Action> {
        self.barcode = None;
        actions.push(Action::Tell(What::BoardSeated));
        actions.extend(match self.start_by {
            JobStart::Insertion | JobStart::Key => self.wait(Needs::Key),
            JobStart::Barcode => self.wait(Needs::Barcode),
        });
        actions
    }

    /// Ends whatever was with the board, for it may be another one afterwards; only a FAIL waits for its acknowledgement.
    fn probe_gone(&mut self, why: String) -> Vec<Action> {
        self.barcode = None;
        let acknowledged = match self.state {
            State::ProbeGone { .. } => return Vec::new(),
            State::Held { acknowledged } => acknowledged,
            State::Unseen | State::Empty | State::Waiting(_) | State::Running => true,
        };
        self.state = State::ProbeGone { acknowledged };
        tell(What::ProbeGone { why })
    }

    fn key(&mut self) -> Vec<Action> {
        match self.state {
            // its probe was gone since: whether it is the board with that code, nobody has seen
            State::Held { acknowledged: true }
                if self.start_by == JobStart::Barcode && self.barcode.is_none() =>
            {
                self.wait(Needs::Barcode)
            }
            State::Waiting(Needs::Key) | State::Held { acknowledged: true } => self.begin(),
            State::Waiting(Needs::Barcode) => not_taken("the board waits for its code"),
            State::Held {
                acknowledged: false,
            } => not_taken("the verdict must be acknowledged first"),
            State::Running => not_taken("the board is being worked on"),
            State::Unseen | State::Empty => not_taken("no board is seated"),
            State::ProbeGone { .. } => not_taken("the site's probe is gone"),
        }
    }

    fn code(&mut self, code: String) -> Vec<Action> {
        let why = match (self.start_by, &self.state) {
            (JobStart::Insertion | JobStart::Key, _) => "the job asks for no code",
            (_, State::Running) => "the board is being worked on",
            (_, State::Held { .. }) => "the board has its verdict: take it out first",
            (_, State::ProbeGone { .. }) => "the site's probe is gone",
            (_, State::Unseen | State::Empty | State::Waiting(_)) => {
                self.barcode = Some(code.clone());
                let mut actions = tell(What::Scanned { barcode: code });
                if matches!(self.state, State::Waiting(_)) {
                    actions.extend(self.begin());
                }
                return actions;
            }
        };
        not_taken(why)
    }

    fn acknowledge(&mut self) -> Vec<Action> {
        match &mut self.state {
            State::Held { acknowledged } | State::ProbeGone { acknowledged } if !*acknowledged => {
                *acknowledged = true;
                tell(What::Acknowledged)
            }
            _ => not_taken("there is nothing to acknowledge"),
        }
    }

    fn ended(&mut self, verdict: VerdictKind) -> Vec<Action> {
        if self.is_running() {
            self.state = State::Held {
                acknowledged: verdict == VerdictKind::Pass,
            };
            self.era += 1;
            // what was seen before the attempt says nothing of the seat now
            (self.last, self.equal) = (None, 0);
        }
        Vec::new()
    }

    fn wait(&mut self, needs: Needs) -> Vec<Action> {
        self.state = State::Waiting(needs);
        tell(What::Waiting { needs })
    }

    fn begin(&mut self) -> Vec<Action> {
        self.state = State::Running;
        vec![Action::Begin {
            barcode: self.barcode.clone(),
        }]
    }
}

fn tell(what: What) -> Vec<Action> {
    vec![Action::Tell(what)]
}

fn not_taken(why: &str) -> Vec<Action> {
    tell(What::NotTaken {
        why: why.to_owned(),
    })
}
