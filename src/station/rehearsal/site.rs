//! One virtual site: its own time, the board in its seat, and the operator who puts it there and takes it out.
//!
//! The site's time is that of the boards it has had, one after the other, plus the time that somebody waited. While nobody
//! works on a board it executes no more than [`RUN_MOST`] of each wait, so that hours of waiting cost the host nothing.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use virtual_board::board::{Board, BoardConfig, Mishap, Supply};
use virtual_board::probe::{PRODUCT_ID, VENDOR_ID};
use virtual_board::rom::Outcome;
use virtual_board::time::Time;

use super::super::command::Command;
use super::super::event::UnitVerdict;
use super::super::fixture::Pressed;
use super::bill::{Bill, VirtualUnit};
use super::kept::Kept;
use super::operator::{Act, Operator};
use super::script::Visit;
use super::shelf::Shelf;
use crate::clock::{Clock, HostClock};
use crate::link::{ProbeSelector, VirtualBench, VirtualError};

/// What a board executes of all waits together: enough for its boot ROM to come to its end.
const RUN_MOST: Duration = Duration::from_millis(20);
/// How long the boot ROM is given to start the image when a board is powered for that question, and how often it is asked.
const BOOT_MOST: Time = Time::ms(200);
const BOOT_STEP: Time = Time::ms(1);

/// A verdict as the operator saw it, and what the board was then.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The verdict.
    pub verdict: UnitVerdict,
    /// Whether what was to befall the board in this attempt has befallen it.
    pub struck: bool,
    /// What its flash held.
    pub held: Kept,
}

/// One insertion from the seat's side: what is known of it when the board is out again, or the station has ended.
#[derive(Clone, Debug)]
pub struct Visited {
    /// Which board, and the how-manieth insertion.
    pub visit: Visit,
    /// Number of the site, from 0.
    pub site: usize,
    /// When it was taken out, by the site's clock; none where the station ended before that.
    pub removed_at: Option<Duration>,
    /// The verdicts, in order: usually one.
    pub shown: Vec<Shown>,
    /// Whether the boot ROM started what the flash held, when the board was powered again.
    pub boots: bool,
}

/// What a site is made of.
pub struct Parts {
    /// Its number, from 0.
    pub number: usize,
    /// Its operator.
    pub operator: Operator,
    /// The insertions to be made.
    pub visits: Vec<Visit>,
    /// All boards of the rehearsal.
    pub units: Arc<Vec<VirtualUnit>>,
    /// What they are made of.
    pub bill: Arc<Bill>,
    /// Where they are in between.
    pub shelf: Arc<Shelf>,
    /// Where jobs keep what they must not forget.
    pub state_directory: PathBuf,
    /// What the insertions come to.
    pub visited: Sender<Visited>,
    /// The station: told to end when all is done.
    pub commands: Sender<Command>,
    /// Seconds at the site for one of the host's; as fast as it goes without.
    pub pace: Option<f64>,
}

/// A site.
pub struct VirtualSite {
    parts: Parts,
    serial: String,
    host: HostClock,
    state: Mutex<State>,
}

struct State {
    /// Always there but between two boards.
    bench: Option<VirtualBench>,
    /// The site's time when the board's was 0, and what was waited without it.
    base: Duration,
    /// What the board in the seat may still execute while nobody works on it.
    run_left: Duration,
    operator: Operator,
    visits: VecDeque<Visit>,
    /// Taken up, not put in yet.
    in_hand: Option<(Visit, Option<Kept>)>,
    seated: Option<Seated>,
    pressed: Vec<Pressed>,
    /// The probe has another board since it was opened.
    has_changed: bool,
    is_done: bool,
    failed: Option<VirtualError>,
}

struct Seated {
    visit: Visit,
    attempts: u32,
    contact_lost_at: Option<u64>,
    mishap: Option<Mishap>,
    shown: Vec<Shown>,
}

impl VirtualSite {
    /// A site with an empty seat.
    ///
    /// # Errors
    /// [`VirtualError`] where the host cannot run a board.
    pub fn new(parts: Parts) -> Result<Arc<Self>, VirtualError> {
        // a probe of its own: its serial number is not given to another board of this process
        let first = VirtualBench::start(parts.bill.empty_seat())?;
        let serial = first.board().serial().to_owned();
        drop(first);
        let site = VirtualSite {
            state: Mutex::new(State {
                bench: None,
                base: Duration::ZERO,
                run_left: RUN_MOST,
                operator: parts.operator.clone(),
                visits: parts.visits.iter().copied().collect(),
                in_hand: None,
                seated: None,
                pressed: Vec::new(),
                has_changed: true,
                is_done: false,
                failed: None,
            }),
            parts,
            serial,
            host: HostClock::start(),
        };
        let bench = site.start(site.parts.bill.empty_seat())?;
        site.lock().bench = Some(bench);
        Ok(Arc::new(site))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self, config: BoardConfig) -> Result<VirtualBench, VirtualError> {
        let directory = self.parts.state_directory.clone();
        VirtualBench::start_at(config, &self.serial, directory)
    }

    /// Selects the site's probe.
    pub fn selector(&self) -> ProbeSelector {
        ProbeSelector {
            vendor_id: VENDOR_ID,
            product_id: PRODUCT_ID,
            serial: Some(self.serial.clone()),
        }
    }

    /// Whether the probe has another board, or another cable, than when this was asked last.
    pub fn has_changed(&self) -> bool {
        std::mem::take(&mut self.lock().has_changed)
    }

    /// What went wrong with the simulation itself.
    pub fn failed(&self) -> Option<VirtualError> {
        self.lock().failed.take()
    }

    /// What the operator pressed or scanned since this was asked last.
    pub fn pressed(&self) -> Vec<Pressed> {
        std::mem::take(&mut self.lock().pressed)
    }

    /// A job begins on the board, which is given: from here on things may befall it. None where the simulation failed.
    pub fn work_begins(&self) -> Option<VirtualBench> {
        let mut state = self.lock();
        let State { bench, seated, .. } = &mut *state;
        let bench = bench.clone()?;
        if let Some(seated) = seated {
            seated.attempts += 1;
            let is_first = seated.visit.of_unit == 0 && seated.attempts == 1;
            let unit = self.parts.units.get(seated.visit.unit);
            if let Some(unit) = unit.filter(|unit| is_first && unit.defect.strikes_once()) {
                self.prepare(&bench, unit, seated);
            }
        }
        Some(bench)
    }

    /// Sets what is to befall the unit.
    fn prepare(&self, bench: &VirtualBench, unit: &VirtualUnit, seated: &mut Seated) {
        let (bill, unit) = (self.parts.bill.clone(), unit.clone());
        let set = bench.board().with(move |board| {
            let mishap = bill.mishap(&unit, board.transactions());
            board.set_mishap(mishap);
            let dp = board.dp_mut();
            let done = dp.counts().transfers;
            let lost_at = bill.contact_lost_at(&unit).map(|after| done + after);
            dp.faults_mut().cable_cut_at = lost_at;
            (mishap, lost_at)
        });
        // a board that has stopped shows itself in the job
        if let Ok((mishap, lost_at)) = set {
            (seated.mishap, seated.contact_lost_at) = (mishap, lost_at);
        }
    }

    /// The operator sees the verdict.
    pub fn sees(&self, verdict: &UnitVerdict) {
        let now = self.now();
        let mut state = self.lock();
        let State {
            bench,
            seated,
            operator,
            ..
        } = &mut *state;
        let (Some(bench), Some(seated)) = (bench, seated) else {
            return;
        };
        let (lost_at, was_set) = (seated.contact_lost_at, seated.mishap.is_some());
        let looked = bench.board().with(move |board| {
            let befell = was_set && board.mishap().is_none();
            // whatever has not happened in the job does not happen behind it
            board.set_mishap(None);
            let lost = lost_at.is_some_and(|at| board.dp_mut().counts().transfers > at);
            (befell || lost, Kept::of(board))
        });
        let Ok((struck, held)) = looked else {
            return;
        };
        let is_unplugged = struck && matches!(seated.mishap, Some(Mishap::Unplugged { .. }));
        seated.shown.push(Shown {
            verdict: verdict.clone(),
            struck,
            held,
        });
        operator.sees(now, verdict.verdict, is_unplugged);
    }

    fn site_time(state: &State) -> Duration {
        let board = state
            .bench
            .as_ref()
            .and_then(|bench| bench.board().now().ok());
        state.base + board.unwrap_or_default()
    }

    /// Lets the site's time pass until `at`.
    fn pass(state: &mut State, at: Duration) {
        let span = at.saturating_sub(Self::site_time(state));
        let run = span.min(state.run_left);
        state.run_left -= run;
        if let Some(bench) = &state.bench {
            // a board that has stopped shows itself at the next look
            let _ = bench.board().sleep(run);
        }
        state.base += span.saturating_sub(run);
    }

    /// Another board, or none, under the same probe.
    fn swap(&self, state: &mut State, config: BoardConfig, kept: Option<Kept>) {
        state.base = Self::site_time(state);
        state.has_changed = true;
        state.run_left = RUN_MOST;
        // the old one first: a serial number has one board
        state.bench = None;
        match self.start(config) {
            Ok(bench) => {
                if let Some(kept) = kept {
                    let _ = bench.board().with(move |board| kept.put_into(board));
                }
                state.bench = Some(bench);
            }
            Err(error) => state.failed = Some(error),
        }
    }

    fn act(&self, state: &mut State, act: Act, now: Duration) {
        match act {
            Act::Press(pressed) => state.pressed.push(pressed),
            Act::Plug => {
                if let Some(bench) = &state.bench {
                    let _ = bench.board().with(|board| board.set_plugged(true));
                }
                // what was open is gone with the cable
                state.has_changed = true;
            }
            Act::Insert => self.insert(state),
            Act::Remove => self.remove(state, now),
        }
    }

    fn insert(&self, state: &mut State) {
        let Some((visit, kept)) = state.in_hand.take() else {
            return;
        };
        let Some(unit) = self.parts.units.get(visit.unit) else {
            return;
        };
        let kept = kept.unwrap_or_else(|| unit.before.clone());
        self.swap(state, self.parts.bill.board(unit), Some(kept));
        state.seated = Some(Seated {
            visit,
            attempts: 0,
            contact_lost_at: None,
            mishap: None,
            shown: Vec::new(),
        });
    }

    fn remove(&self, state: &mut State, now: Duration) {
        let looked = state.bench.as_ref().map(look);
        self.swap(state, self.parts.bill.empty_seat(), None);
        // the question above took board time that is not the site's
        state.base = now;
        let (Some(seated), Some(Some((kept, boots)))) = (state.seated.take(), looked) else {
            return;
        };
        self.parts.shelf.put_back(&seated.visit, now, kept);
        self.tell(seated, Some(now), boots);
    }

    fn tell(&self, seated: Seated, removed_at: Option<Duration>, boots: bool) {
        // nobody listens where nobody wants to know the findings
        let _ = self.parts.visited.send(Visited {
            visit: seated.visit,
            site: self.parts.number,
            removed_at,
            shown: seated.shown,
            boots,
        });
    }

    /// Takes up the next board, if there is one and it is there. Says whether the site's time goes on.
    fn take_up(&self, state: &mut State, now: Duration) -> bool {
        if !state.operator.is_idle() || state.in_hand.is_some() {
            return true;
        }
        let Some(visit) = state.visits.front().copied() else {
            if !std::mem::replace(&mut state.is_done, true) && self.parts.shelf.site_is_done() {
                // it may have ended by itself
                let _ = self.parts.commands.send(Command::Quit);
            }
            return true;
        };
        let Some((free_at, kept)) = self.parts.shelf.take(&visit) else {
            return false;
        };
        state.visits.pop_front();
        let unit = self.parts.units.get(visit.unit);
        let code = unit.and_then(|unit| unit.barcode.clone());
        let not_before = Duration::try_from_secs_f64(visit.not_before_s).unwrap_or_default();
        state.operator.bring(now, free_at, not_before, code);
        state.in_hand = Some((visit, kept));
        true
    }

    /// The site waits as fast as its time may go.
    fn keep_pace(&self, now: Duration) {
        let Some(pace) = self.parts.pace else {
            return;
        };
        let due = Duration::try_from_secs_f64(now.as_secs_f64() / pace).unwrap_or_default();
        let early = due.saturating_sub(self.host.now());
        if !early.is_zero() {
            self.host.sleep(early);
        }
    }
}

impl Clock for VirtualSite {
    fn now(&self) -> Duration {
        Self::site_time(&self.lock())
    }

    /// What the operator does in the meantime happens at its own time. Time stands still at a site that waits for a board
    /// which is still at another one.
    fn sleep(&self, span: Duration) {
        let mut state = self.lock();
        let mut now = Self::site_time(&state);
        let until = now + span;
        loop {
            if !self.take_up(&mut state, now) {
                drop(state);
                self.parts.shelf.rest();
                return;
            }
            match state.operator.next_at() {
                Some(at) if at <= until => {
                    Self::pass(&mut state, at);
                    now = now.max(at);
                    if let Some(act) = state.operator.act(now) {
                        self.act(&mut state, act, now);
                    }
                }
                _ => break,
            }
        }
        Self::pass(&mut state, until);
        let is_done = state.is_done;
        drop(state);
        if is_done {
            // the others go on: no need to count this site's seconds quickly
            self.parts.shelf.rest();
        }
        self.keep_pace(until);
    }
}

/// The station has ended, or the site died: what was said of the board that is seated still counts. Where boards are left,
/// other sites may wait for them, and nobody brings them any more.
impl Drop for VirtualSite {
    fn drop(&mut self) {
        let mut state = self.lock();
        let (seated, is_done) = (state.seated.take(), state.is_done);
        let looked = state.bench.take().as_ref().and_then(look);
        drop(state);
        if let (Some(seated), Some((_, boots))) = (seated, looked) {
            self.tell(seated, None, boots);
        }
        if !is_done {
            let _ = self.parts.commands.send(Command::Quit);
        }
    }
}

/// What the board's flash holds, and whether its boot ROM starts that; none where the board has stopped.
fn look(bench: &VirtualBench) -> Option<(Kept, bool)> {
    let looked = bench.board().with(|board| {
        let kept = Kept::of(board);
        (kept, boots(board))
    });
    looked.ok()
}

/// Takes the board's power away and gives it back; whether its boot ROM then starts an image.
fn boots(board: &mut Board) -> bool {
    if board.chip.supply() == Supply::Off {
        // its own supply is what is broken: the question is what the flash is good for
        board.chip.power_on();
    }
    board.power_cycle(0);
    let until = board.now() + BOOT_MOST;
    while board.now() < until {
        board.wait(BOOT_STEP);
        match board.chip.rom_outcome() {
            None => {}
            Some(Outcome::Booted { .. }) => return true,
            Some(_) => return false,
        }
    }
    false
}
