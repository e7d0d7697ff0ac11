//! The exchange joined to a link: start, ask, stream, stop; lease and silence.

use std::time::Duration;

use mailbox::{Request, ServerState, Setup, layout};

use super::error::doing;
use super::exchange::{Action, Exchange, Outcome};
use super::load::{area, load_and_start};
use super::setup::LEASE_MS;
use super::{AlgorithmError, Blob, Operation, setup_for, setup_to_identify};
use crate::link::Link;
use crate::plan::Pace;
use crate::target::Target;

mod questions;
pub use questions::SectorDigests;

/// The algorithm moves its sign of life in every wait; after this long without, it has stopped.
const SILENCE: Duration = Duration::from_millis(LEASE_MS as u64);
/// The lease is renewed this often when nothing else is written.
const RENEWAL: Duration = Duration::from_millis(LEASE_MS as u64 / 4);
/// First and longest pause between two looks at a target that works.
const PAUSES: [Duration; 2] = [Duration::from_micros(100), Duration::from_millis(2)];

/// How far a stream of operations is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Operations ended.
    pub done: usize,
    /// Operations in all.
    pub total: usize,
    /// Bytes programmed and read back by the target.
    pub programmed_bytes: u64,
}

/// What one step of the exchange was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Words went over the link.
    Moved,
    /// The target was given time.
    Waited,
    /// Nothing is left to do.
    Idle,
}

/// What the exit sequence proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// JEDEC ID, read on one line after the flash was reset.
    pub jedec_id: [u8; 3],
    /// Status registers, read likewise: register 1 in bits 7:0, 2 in bits 15:8, 3 in bits 23:16.
    pub status_register: u32,
}

/// The running algorithm.
pub struct Algorithm<'l, 'p> {
    link: &'l mut (dyn Link + 'p),
    exchange: Exchange,
    nonce: u32,
    bytes_per_second: u64,
    alive: Option<(u32, Duration)>,
    /// Results and chunks at the last look, and the pause after it.
    seen: (u32, u32),
    pause: Duration,
    renewed: Duration,
    doing: &'static str,
}

/// Session number. Zero is what an unfinished start shows.
fn session(seed: u32) -> u32 {
    seed.max(1)
}

impl<'l, 'p> Algorithm<'l, 'p> {
    /// Loads the built-in blob onto a core that was taken over, starts it and waits until the flash is awake. Nothing
    /// non-volatile changes. `seed` makes session number and nonces; any number that is not always the same.
    ///
    /// # Errors
    /// [`AlgorithmError`].
    pub fn start(
        link: &'l mut (dyn Link + 'p),
        target: &Target,
        seed: u32,
    ) -> Result<Self, AlgorithmError> {
        Algorithm::start_with(link, setup_for(target, session(seed)), target)
    }

    /// As [`Algorithm::start`], with settings that hold for every part there is data for: to find out which one it is.
    ///
    /// # Errors
    /// [`AlgorithmError`].
    pub fn start_to_identify(
        link: &'l mut (dyn Link + 'p),
        target: &Target,
        seed: u32,
    ) -> Result<Self, AlgorithmError> {
        Algorithm::start_with(link, setup_to_identify(target, session(seed)), target)
    }

    fn start_with(
        link: &'l mut (dyn Link + 'p),
        setup: Setup,
        target: &Target,
    ) -> Result<Self, AlgorithmError> {
        let blob = Blob::committed().ok_or(AlgorithmError::Blob)?;
        let session = setup.session;
        let bytes_per_second = match load_and_start(link, &blob, setup, target.chip()) {
            Ok(bytes_per_second) => bytes_per_second,
            Err(error) => {
                // the core is halted, and nothing that could end by a lease runs
                let _ = link.final_reset(None);
                return Err(error);
            }
        };
        let renewed = link.clock().now();
        let doing = "start";
        let mut algorithm = Algorithm {
            link,
            exchange: Exchange::new(),
            nonce: session,
            bytes_per_second,
            alive: None,
            seen: (0, 0),
            pause: PAUSES[0],
            renewed,
            doing,
        };
        if let Err(error) = algorithm.wait_until_up(session) {
            // nothing that could end by a lease is known to run
            let _ = algorithm.link.final_reset(None);
            return Err(error);
        }
        Ok(algorithm)
    }

    fn wait_until_up(&mut self, session: u32) -> Result<(), AlgorithmError> {
        loop {
            let look = self.exchange.look();
            self.act(look)?;
            if let Some(status) = self.exchange.status().copied() {
                if status.state == Some(ServerState::Failed) {
                    let fault = status.fault.map(|(_, fault)| fault);
                    return Err(AlgorithmError::NotStarted { fault });
                }
                if status.is_up(session) {
                    return Ok(());
                }
            }
            self.pause()?;
            // the lease counts from the first instruction: a flash that is busy for seconds is waited for there
            self.step()?;
        }
    }

    /// Does operations in their order, payload ahead of need. `progress` is called as the target moves on and may cancel
    /// by returning false: what has been sent still ends, nothing further starts.
    ///
    /// # Errors
    /// The first operation that failed; nothing after it was done.
    pub fn perform(
        &mut self,
        operations: Vec<Operation>,
        progress: &mut dyn FnMut(Progress) -> bool,
    ) -> Result<(), AlgorithmError> {
        let total = operations.len();
        let before = self.exchange.programmed_bytes();
        let numbers: Vec<u32> = operations
            .into_iter()
            .map(|operation| self.exchange.submit(operation))
            .collect();
        let mut cancelled = false;
        for (done, number) in numbers.into_iter().enumerate() {
            loop {
                if let Some(outcome) = self.exchange.take_outcome(number) {
                    self.check(&outcome)?;
                    break;
                }
                if cancelled && self.exchange.open_requests() == 0 {
                    return Err(AlgorithmError::Cancelled);
                }
                let looked = self.step()? == Step::Waited;
                if looked && !cancelled {
                    let programmed_bytes = self.exchange.programmed_bytes() - before;
                    cancelled = !progress(Progress {
                        done,
                        total,
                        programmed_bytes,
                    });
                    if cancelled {
                        self.exchange.abandon();
                    }
                }
            }
        }
        let programmed_bytes = self.exchange.programmed_bytes() - before;
        progress(Progress {
            done: total,
            total,
            programmed_bytes,
        });
        Ok(())
    }

    /// Lets changing requests through again after a fault.
    ///
    /// # Errors
    /// [`AlgorithmError`].
    pub fn clear_fault(&mut self) -> Result<(), AlgorithmError> {
        self.ask(Request::ClearFault).map(drop)
    }

    /// Exit sequence: the flash as the boot ROM needs it. The algorithm then waits for the reset. A board that answers and
    /// could not do it is reset here, without a debugger.
    ///
    /// # Errors
    /// [`AlgorithmError`].
    pub fn stop(mut self) -> Result<Stopped, AlgorithmError> {
        let stopped = self.exit();
        if matches!(&stopped, Err(error) if !matches!(error, AlgorithmError::Link(_))) {
            let _ = self.link.final_reset(None);
        }
        stopped
    }

    /// Exit sequence, and the reset that lets the board run, for a board that was only looked at.
    ///
    /// # Errors
    /// [`AlgorithmError`]; the board was reset or its lease does it.
    pub fn release(mut self) -> Result<Stopped, AlgorithmError> {
        let stopped = self.exit();
        self.link.final_reset(None)?;
        stopped
    }

    fn exit(&mut self) -> Result<Stopped, AlgorithmError> {
        let [id, status] = self.ask(Request::Stop)?.values;
        let [a, b, c, _] = id.to_le_bytes();
        Ok(Stopped {
            jedec_id: [a, b, c],
            status_register: status,
        })
    }

    /// How many records arrived damaged and were read again.
    pub const fn records_read_again(&self) -> u64 {
        self.exchange.read_again()
    }

    /// How payload reaches the target: at the rate at which the algorithm itself was loaded.
    pub const fn pace(&self) -> Pace {
        Pace {
            bytes_per_second: self.bytes_per_second,
            window_bytes: layout::PAYLOAD_SLOTS * layout::CHUNK_DATA_BYTES,
        }
    }

    /// The link, for what does not concern the algorithm.
    pub fn link(&mut self) -> &mut (dyn Link + 'p) {
        self.link
    }

    fn ask(&mut self, request: Request) -> Result<Outcome, AlgorithmError> {
        let number = self.exchange.submit(Operation::Plain(request));
        self.doing = doing(&request);
        self.pause = PAUSES[0];
        self.outcome(number)
    }

    fn outcome(&mut self, number: u32) -> Result<Outcome, AlgorithmError> {
        loop {
            if let Some(outcome) = self.exchange.take_outcome(number) {
                self.check(&outcome)?;
                return Ok(outcome);
            }
            let idle = self.step()? == Step::Idle;
            if idle && !self.exchange.has_outcome(number) {
                return Err(AlgorithmError::Reply);
            }
        }
    }

    fn check(&mut self, outcome: &Outcome) -> Result<(), AlgorithmError> {
        let Err(fault) = outcome.result else {
            return Ok(());
        };
        self.exchange.give_up();
        while self.exchange.open_requests() > 0 {
            self.step()?;
        }
        self.exchange.forget_outcomes();
        Err(AlgorithmError::Failed {
            request: outcome.request,
            fault,
        })
    }

    /// Does what the exchange wants next. Records and the words that make them count are one access of the link.
    fn step(&mut self) -> Result<Step, AlgorithmError> {
        let mut pieces = Vec::new();
        let action = loop {
            match self.exchange.advance() {
                Action::Write { offset, words } => {
                    pieces.push((area(offset), words));
                    if offset == layout::HOST {
                        self.renewed = self.link.clock().now();
                        self.link.write_in_order(&pieces)?;
                        return Ok(Step::Moved);
                    }
                }
                action => break action,
            }
        };
        self.link.write_in_order(&pieces)?;
        let step = match action {
            Action::Wait => Step::Waited,
            Action::Idle => Step::Idle,
            Action::Read { .. } | Action::Write { .. } => Step::Moved,
        };
        self.act(action)?;
        Ok(step)
    }

    fn act(&mut self, action: Action) -> Result<(), AlgorithmError> {
        match action {
            Action::Write { offset, words } => self.link.write(area(offset), &words)?,
            Action::Read { offset, words } => {
                let mut read = vec![0; words];
                self.link.read(area(offset), &mut read)?;
                self.exchange.received(&read)?;
            }
            Action::Wait => self.pause()?,
            Action::Idle => {}
        }
        Ok(())
    }

    /// Lets the target work, watches its sign of life and keeps the lease.
    fn pause(&mut self) -> Result<(), AlgorithmError> {
        self.link.clock().sleep(self.pause);
        self.pause = (self.pause * 2).min(PAUSES[1]);
        let now = self.link.clock().now();
        if let Some(status) = self.exchange.status() {
            if status.state == Some(ServerState::Failed) {
                let fault = status.fault.map(|(_, fault)| fault);
                return Err(AlgorithmError::Stopped {
                    doing: self.doing,
                    fault,
                });
            }
            let seen = (status.results_put, status.payload_taken);
            if seen != self.seen {
                self.seen = seen;
                self.pause = PAUSES[0];
            }
            match self.alive {
                Some((alive, since)) if alive == status.alive => {
                    if now.saturating_sub(since) > SILENCE {
                        return Err(self.silent());
                    }
                }
                _ => self.alive = Some((status.alive, now)),
            }
        }
        if now.saturating_sub(self.renewed) > RENEWAL {
            self.exchange.renew_lease();
        }
        Ok(())
    }

    fn silent(&mut self) -> AlgorithmError {
        AlgorithmError::Silent {
            doing: self.doing,
            core: self.link.core_state().ok(),
        }
    }

    fn next_nonce(&mut self) -> u32 {
        // Xorshift (Marsaglia): never zero, and a period that no session reaches the end of.
        let mut x = self.nonce;
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        self.nonce = x;
        x
    }
}
