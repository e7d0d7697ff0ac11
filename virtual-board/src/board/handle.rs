//! The board's thread, and the handles that speak to it.

use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::{Board, BoardConfig, BoardError, Supply};
use crate::probe::{self, Profile, Wire, WireError};
use crate::swd::IoItem;

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
        let _ = self.ask(move |board| board.set_probe(profile));
    }

    fn swd_io(&mut self, items: Vec<IoItem>) -> Result<Vec<bool>, WireError> {
        self.ask(move |board| board.swd_io(&items))?
    }

    fn dap_packet(&mut self, packet: Vec<u8>) -> Result<Vec<u8>, WireError> {
        self.ask(move |board| board.dap_packet(&packet))?
    }

    fn set_nreset(&mut self, level: bool) -> Result<(), WireError> {
        self.ask(move |board| {
            board.transaction(|board| {
                board.chip.run_until(board.chip.wire_now);
                board.set_reset_pin(level);
            })
        })?
    }

    fn set_speed_khz(&mut self, khz: u32) -> Result<(), WireError> {
        self.ask(move |board| board.transaction(|board| board.set_swclk(khz)))?
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
