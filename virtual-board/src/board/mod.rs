//! The virtual board: chip, flash, wire and probe clock, on a thread of its own.

mod caches;
mod chip;
mod file;
mod ram;
pub mod system;

use std::path::PathBuf;
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

pub use chip::{Chip, Supply};
pub use file::FlashFileError;
pub use system::AccessCosts;

use crate::nor::{self, Nor, Part, TimingProfile};
use crate::probe::{self, Profile, Wire, WireError};
use crate::rom::Reading;
use crate::soc::{Fuses, Soc, Straps};
use crate::swd::{IoItem, SwDp, WireFaults};
use crate::time::Time;
use system::System;

/// Everything that makes one board different from another.
#[derive(Clone, Debug)]
pub struct BoardConfig {
    /// The flash part.
    pub part: Part,
    /// How fast this flash is within its data sheet.
    pub timing: TimingProfile,
    /// Boot pins.
    pub straps: Straps,
    /// Fuses.
    pub fuses: Fuses,
    /// How the boot ROM decides what no source settles.
    pub reading: Reading,
    /// The probe.
    pub probe: Profile,
    /// What accesses cost the core.
    pub costs: AccessCosts,
    /// Divides the core clock (2 = half rate).
    pub core_divider: u64,
    /// Skip virtual time in busy waits (status polls, YIELD). Results are the same without, only slower to compute.
    pub skips: bool,
    /// Keep the flash content in this file; created blank where missing.
    pub flash_file: Option<PathBuf>,
    /// How the flash behaves beyond the data sheet's clocks.
    pub flash_margin: nor::Margin,
    /// Defects of the flash.
    pub nor_faults: nor::Faults,
    /// Defects of the wire.
    pub wire_faults: WireFaults,
}

impl BoardConfig {
    /// A sound board with a blank flash of `part`, strapped for internal boot.
    pub fn new(part: Part) -> Self {
        BoardConfig {
            part,
            timing: TimingProfile::Typ,
            straps: Straps::default(),
            fuses: Fuses::default(),
            reading: Reading::Strict,
            probe: probe::JLINK,
            costs: AccessCosts::default(),
            core_divider: 1,
            skips: true,
            flash_file: None,
            flash_margin: nor::Margin::AsShipped,
            nor_faults: nor::Faults::default(),
            wire_faults: WireFaults::default(),
        }
    }
}

/// Why a board could not be made or asked.
#[derive(Debug, thiserror::Error)]
pub enum BoardError {
    /// The flash file.
    #[error(transparent)]
    File(#[from] FlashFileError),
    /// The thread could not be started.
    #[error("the virtual board's thread could not be started: {0}")]
    Thread(#[from] std::io::Error),
    /// The board's thread has ended.
    #[error("the virtual board has stopped")]
    Stopped,
}

/// The board itself, as its thread owns it.
pub struct Board {
    /// The chip with its flash.
    pub chip: Chip,
    dp: SwDp,
    probe: Profile,
    swclk_khz: u32,
    transactions: u64,
    plugged: bool,
    flash_file: Option<file::FlashFile>,
    stopped: bool,
}

impl Board {
    fn new(config: BoardConfig) -> Result<Self, BoardError> {
        let mut nor = Nor::new(config.part, config.timing);
        nor.faults = config.nor_faults;
        nor.margin = config.flash_margin;
        let flash_file = config
            .flash_file
            .map(|path| file::FlashFile::open(path, &mut nor))
            .transpose()?;
        let soc = Soc::new(config.straps, config.fuses);
        let system = System::new(soc, nor, config.costs, config.core_divider, config.skips);
        let mut dp = SwDp::new();
        *dp.faults_mut() = config.wire_faults;
        Ok(Board {
            chip: Chip::new(system, config.reading),
            dp,
            probe: config.probe,
            swclk_khz: config.probe.default_khz,
            transactions: 0,
            plugged: true,
            flash_file,
            stopped: false,
        })
    }

    /// USB transactions of the probe since the board was made.
    pub fn transactions(&self) -> u64 {
        self.transactions
    }

    /// The debug port and its faults.
    pub fn dp_mut(&mut self) -> &mut SwDp {
        &mut self.dp
    }

    /// Virtual time.
    pub fn now(&self) -> Time {
        self.chip.now()
    }

    /// Lets the board run for `span` without the probe.
    pub fn wait(&mut self, span: Time) {
        let end = self.now() + span;
        self.chip.run_until(end);
    }

    /// Pulls the probe's cable, or plugs it in again.
    pub fn set_plugged(&mut self, plugged: bool) {
        self.plugged = plugged;
    }

    /// Takes the power away and gives it back.
    pub fn power_cycle(&mut self, seed: u64) {
        self.chip.power_off(seed);
        self.wait(Time::ms(100));
        self.chip.power_on();
        self.dp.power_on();
    }

    /// Writes the flash content to its file, if it has one and changed.
    ///
    /// # Errors
    /// [`FlashFileError`].
    pub fn save(&mut self) -> Result<(), FlashFileError> {
        let now = self.now();
        let mut system = self.chip.system.borrow_mut();
        system.nor.settle(now);
        match &mut self.flash_file {
            Some(file) => file.save(&system.nor),
            None => Ok(()),
        }
    }

    fn transaction<R>(&mut self, bits: impl FnOnce(&mut Self) -> R) -> Result<R, WireError> {
        if !self.plugged {
            return Err(WireError::Unplugged);
        }
        self.transactions += 1;
        let half = Time::from(self.probe.round_trip / 2);
        self.chip.wire_now = self.now() + half;
        let result = bits(self);
        let end = self.chip.wire_now + half;
        self.chip.run_until(end);
        Ok(result)
    }

    fn swd_io(&mut self, items: &[IoItem]) -> Result<Vec<bool>, WireError> {
        self.transaction(|board| {
            let period = Time::cycles(1_000, u64::from(board.swclk_khz) * 1_000_000);
            items
                .iter()
                .map(|item| {
                    board.chip.wire_now += period;
                    let driven = match item {
                        IoItem::Drive(level) => Some(*level),
                        IoItem::Sample => None,
                    };
                    board.dp.clock(driven, &mut board.chip)
                })
                .collect()
        })
    }
}

type Job = Box<dyn FnOnce(&mut Board) + Send>;

/// A running board. Clones speak to the same board; it ends with the last of them.
#[derive(Clone)]
pub struct BoardHandle {
    jobs: Arc<Mutex<mpsc::Sender<Job>>>,
    _thread: Arc<Thread>,
    serial: Arc<str>,
}

/// Joins the board's thread when the last handle goes, so that its file is complete.
struct Thread {
    serial: String,
    stop: mpsc::Sender<Job>,
    handle: Mutex<Option<thread::JoinHandle<()>>>,
}

impl std::fmt::Debug for BoardHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BoardHandle")
            .field("serial", &self.serial)
            .finish_non_exhaustive()
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        probe::withdraw(&self.serial);
        let _ = self.stop.send(Box::new(|board| {
            board.stop();
        }));
        let handle = self
            .handle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(handle) = handle {
            let _ = handle.join();
        }
    }
}

impl Board {
    fn stop(&mut self) {
        if let Err(e) = self.save() {
            tracing::error!("{e}");
        }
        self.plugged = false;
        self.stopped = true;
    }
}

impl BoardHandle {
    /// Powers a board up on a thread of its own, and offers its probe under `serial`.
    ///
    /// # Errors
    /// [`BoardError`].
    pub fn start(config: BoardConfig, serial: &str) -> Result<Self, BoardError> {
        let (jobs, inbox) = mpsc::channel::<Job>();
        let (ready, started) = mpsc::channel();
        let profile = config.probe;
        let handle = thread::Builder::new()
            .name(format!("virtual board {serial}"))
            .spawn(move || {
                let mut board = match Board::new(config) {
                    Ok(board) => {
                        let _ = ready.send(Ok(()));
                        board
                    }
                    Err(e) => {
                        let _ = ready.send(Err(e));
                        return;
                    }
                };
                while let Ok(job) = inbox.recv() {
                    job(&mut board);
                    if board.stopped {
                        return;
                    }
                }
            })?;
        started.recv().map_err(|_| BoardError::Stopped)??;
        let thread = Arc::new(Thread {
            serial: serial.to_owned(),
            stop: jobs.clone(),
            handle: Mutex::new(Some(handle)),
        });
        let board = BoardHandle {
            jobs: Arc::new(Mutex::new(jobs.clone())),
            _thread: thread,
            serial: serial.into(),
        };
        probe::register();
        probe::offer(serial, profile, Box::new(BoardWire { jobs }));
        Ok(board)
    }

    /// The serial number under which probe-rs lists the probe.
    pub fn serial(&self) -> &str {
        &self.serial
    }

    /// Runs `job` on the board's thread and gives its result.
    ///
    /// # Errors
    /// [`BoardError::Stopped`] where the thread has ended.
    pub fn with<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Board) -> R + Send + 'static,
    ) -> Result<R, BoardError> {
        let jobs = self
            .jobs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        ask(&jobs, job).ok_or(BoardError::Stopped)
    }

    /// Virtual time since the board was made.
    ///
    /// # Errors
    /// As [`BoardHandle::with`].
    pub fn now(&self) -> Result<Duration, BoardError> {
        self.with(|board| board.now().into())
    }

    /// Lets the board run for `span` of virtual time.
    ///
    /// # Errors
    /// As [`BoardHandle::with`].
    pub fn sleep(&self, span: Duration) -> Result<(), BoardError> {
        self.with(move |board| board.wait(span.into()))
    }

    /// USB transactions so far.
    ///
    /// # Errors
    /// As [`BoardHandle::with`].
    pub fn transactions(&self) -> Result<u64, BoardError> {
        self.with(|board| board.transactions())
    }

    /// The whole trace so far, one line each.
    ///
    /// # Errors
    /// As [`BoardHandle::with`].
    pub fn trace(&self) -> Result<Vec<String>, BoardError> {
        self.with(|board| {
            let system = board.chip.system.borrow();
            system
                .trace
                .lines()
                .iter()
                .map(|l| format!("{} {}: {}", l.at, l.source, l.text))
                .collect()
        })
    }

    /// The trace's violations so far: an empty list means that nobody did what the manuals forbid.
    ///
    /// # Errors
    /// As [`BoardHandle::with`].
    pub fn violations(&self) -> Result<Vec<String>, BoardError> {
        self.with(|board| {
            let system = board.chip.system.borrow();
            system
                .trace
                .lines()
                .iter()
                .filter(|l| l.severity == crate::trace::Severity::Violation)
                .map(|l| format!("{} {}: {}", l.at, l.source, l.text))
                .collect()
        })
    }
}

fn ask<R: Send + 'static>(
    jobs: &mpsc::Sender<Job>,
    job: impl FnOnce(&mut Board) -> R + Send + 'static,
) -> Option<R> {
    let (answer, result) = mpsc::channel();
    jobs.send(Box::new(move |board| {
        let _ = answer.send(job(board));
    }))
    .ok()?;
    result.recv().ok()
}

/// The probe's end of the channel.
struct BoardWire {
    jobs: mpsc::Sender<Job>,
}

impl BoardWire {
    fn ask<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Board) -> R + Send + 'static,
    ) -> Result<R, WireError> {
        ask(&self.jobs, job).ok_or_else(|| WireError::Stopped("its thread has ended".to_owned()))
    }
}

impl Wire for BoardWire {
    fn set_profile(&mut self, profile: &Profile) {
        let profile = *profile;
        let _ = self.ask(move |board| board.probe = profile);
    }

    fn swd_io(&mut self, items: Vec<IoItem>) -> Result<Vec<bool>, WireError> {
        self.ask(move |board| board.swd_io(&items))?
    }

    fn set_nreset(&mut self, level: bool) -> Result<(), WireError> {
        self.ask(move |board| {
            board.transaction(|board| crate::swd::ApTarget::set_nreset(&mut board.chip, level))
        })?
    }

    fn set_speed_khz(&mut self, khz: u32) -> Result<(), WireError> {
        self.ask(move |board| board.transaction(|board| board.swclk_khz = khz))?
    }

    fn target_millivolts(&mut self) -> Result<u32, WireError> {
        self.ask(|board| {
            board.transaction(|board| {
                if board.chip.supply() == Supply::Off {
                    0
                } else {
                    3_300
                }
            })
        })?
    }

    fn wait(&mut self, span: Duration) -> Result<(), WireError> {
        self.ask(move |board| board.wait(span.into()))
    }

    fn plugged(&self) -> bool {
        self.ask(|board| board.plugged).unwrap_or(false)
    }
}
