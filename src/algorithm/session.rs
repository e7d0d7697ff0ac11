//! The exchange joined to a link: start, ask, stream, stop; lease and silence.

use std::time::Duration;

use mailbox::result::{IDENTITY_WORDS, Identity, MAP_MAX_BYTES, SECTOR_WORDS, SectorRecord};
use mailbox::{Digest, Request, ServerState, digest, layout};

use super::error::doing;
use super::exchange::{Action, Exchange, Outcome};
use super::load::{area, load_and_start};
use super::setup::LEASE_MS;
use super::{AlgorithmError, Blob, Operation, setup_for};
use crate::address::FlashOffset;
use crate::link::Link;
use crate::target::{FlashPart, Target};

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

/// What the exit sequence proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// JEDEC ID, read on one line after the flash was reset.
    pub jedec_id: [u8; 3],
    /// Status register, read likewise.
    pub status_register: u8,
}

/// Digests of consecutive sectors, made under one nonce.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectorDigests {
    nonce: u32,
    first: u32,
    records: Vec<SectorRecord>,
}

impl SectorDigests {
    fn record(&self, sector: u32) -> Option<&SectorRecord> {
        self.records.get(sector.checked_sub(self.first)? as usize)
    }
    /// Whether every byte of the sector is FFh; `None` for a sector outside the map.
    pub fn is_blank(&self, sector: u32) -> Option<bool> {
        self.record(sector).map(SectorRecord::is_blank)
    }
    /// Whether the sector holds `content`; `None` for a sector outside the map.
    pub fn holds(&self, sector: u32, content: &[u8]) -> Option<bool> {
        let found = self.record(sector)?;
        Some(found.digest == digest::digest(self.nonce, content))
    }
}

/// The running algorithm.
pub struct Algorithm<'l, 'p> {
    link: &'l mut (dyn Link + 'p),
    exchange: Exchange,
    nonce: u32,
    alive: Option<(u32, Duration)>,
    renewed: Duration,
    doing: &'static str,
}

impl<'l, 'p> Algorithm<'l, 'p> {
    /// Loads the built-in blob onto a core that was taken over, starts it and waits until the flash is awake. Nothing
    /// non-volatile changes. `seed` makes session number and nonces; any number that is not always the same.
    ///
    /// # Errors
    /// [`AlgorithmError`].
    pub fn start(link: &'l mut (dyn Link + 'p), target: &Target, seed: u32) -> Result<Self, AlgorithmError> {
        let blob = Blob::committed().ok_or(AlgorithmError::Blob)?;
        // Zero is what an unfinished start shows.
        let session = seed.max(1);
        load_and_start(link, &blob, &setup_for(target, session))?;
        let renewed = link.clock().now();
        let doing = "start";
        let mut algorithm =
            Algorithm { link, exchange: Exchange::new(), nonce: session, alive: None, renewed, doing };
        algorithm.wait_until_up(session)?;
        Ok(algorithm)
    }

    fn wait_until_up(&mut self, session: u32) -> Result<(), AlgorithmError> {
        let mut pause = PAUSES[0];
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
            pause = self.pause(pause)?;
        }
    }

    /// JEDEC ID, registers, SFDP, and what the entry found.
    ///
    /// # Errors
    /// [`AlgorithmError`].
    pub fn identify(&mut self) -> Result<Identity, AlgorithmError> {
        let outcome = self.ask(Request::Identify)?;
        let words: &[u32; IDENTITY_WORDS] = outcome.reply.first_chunk().ok_or(AlgorithmError::Reply)?;
        Ok(Identity::from_words(words))
    }

    /// Blank pages and digest of the sectors from `first` on.
    ///
    /// # Errors
    /// [`AlgorithmError`].
    pub fn map(&mut self, first: u32, sectors: u32) -> Result<SectorDigests, AlgorithmError> {
        const AT_ONCE: u32 = MAP_MAX_BYTES / FlashPart::SECTOR_BYTES;
        let nonce = self.next_nonce();
        let mut numbers = Vec::new();
        let mut at = first;
        while at < first + sectors {
            let count = AT_ONCE.min(first + sectors - at);
            let (address, length) = (at * FlashPart::SECTOR_BYTES, count * FlashPart::SECTOR_BYTES);
            numbers.push(self.exchange.submit(Operation::Plain(Request::Map { address, length, nonce })));
            at += count;
        }
        let mut records = Vec::new();
        for number in numbers {
            let outcome = self.outcome(number)?;
            let (chunks, _) = outcome.reply.as_chunks::<SECTOR_WORDS>();
            records.extend(chunks.iter().map(|words| SectorRecord::from_words(*words)));
        }
        if records.len() != sectors as usize {
            return Err(AlgorithmError::Reply);
        }
        Ok(SectorDigests { nonce, first, records })
    }

    /// Digests of several ranges, each under a nonce of its own.
    ///
    /// # Errors
    /// [`AlgorithmError`].
    pub fn digests(&mut self, ranges: &[(FlashOffset, u32)]) -> Result<Vec<(u32, Digest)>, AlgorithmError> {
        let mut asked = Vec::new();
        for &(offset, length) in ranges {
            let nonce = self.next_nonce();
            let request = Request::Digest { address: offset.get(), length, nonce };
            asked.push((nonce, self.exchange.submit(Operation::Plain(request))));
        }
        let mut digests = Vec::new();
        for (nonce, number) in asked {
            digests.push((nonce, Digest(self.outcome(number)?.values)));
        }
        Ok(digests)
    }

    /// Reads bytes.
    ///
    /// # Errors
    /// [`AlgorithmError`].
    pub fn read(&mut self, offset: FlashOffset, length_bytes: u32) -> Result<Vec<u8>, AlgorithmError> {
        let mut numbers = Vec::new();
        let mut done = 0;
        while done < length_bytes {
            let length = layout::REPLY_MAX_BYTES.min(length_bytes - done);
            let address = offset.get() + done;
            numbers.push((self.exchange.submit(Operation::Plain(Request::Read { address, length })), length));
            done += length;
        }
        let mut bytes = Vec::with_capacity(length_bytes as usize);
        for (number, length) in numbers {
            let reply = self.outcome(number)?.reply;
            let words = reply.iter().flat_map(|word| word.to_le_bytes());
            bytes.extend(words.take(length as usize));
        }
        if bytes.len() == length_bytes as usize { Ok(bytes) } else { Err(AlgorithmError::Reply) }
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
        let numbers: Vec<u32> = operations.into_iter().map(|operation| self.exchange.submit(operation)).collect();
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
                let action = self.exchange.advance();
                let looked = matches!(action, Action::Wait);
                self.act(action)?;
                if looked && !cancelled {
                    let programmed_bytes = self.exchange.programmed_bytes() - before;
                    cancelled = !progress(Progress { done, total, programmed_bytes });
                    if cancelled {
                        self.exchange.abandon();
                    }
                }
            }
        }
        let programmed_bytes = self.exchange.programmed_bytes() - before;
        progress(Progress { done: total, total, programmed_bytes });
        Ok(())
    }

    /// Lets changing requests through again after a fault.
    ///
    /// # Errors
    /// [`AlgorithmError`].
    pub fn clear_fault(&mut self) -> Result<(), AlgorithmError> {
        self.ask(Request::ClearFault).map(drop)
    }

    /// Exit sequence: the flash as the boot ROM needs it. The algorithm then waits for the reset.
    ///
    /// # Errors
    /// [`AlgorithmError`].
    pub fn stop(mut self) -> Result<Stopped, AlgorithmError> {
        let [id, status] = self.ask(Request::Stop)?.values;
        let [a, b, c, _] = id.to_le_bytes();
        Ok(Stopped { jedec_id: [a, b, c], status_register: status as u8 })
    }

    /// The link, for what does not concern the algorithm.
    pub fn link(&mut self) -> &mut (dyn Link + 'p) {
        self.link
    }

    fn ask(&mut self, request: Request) -> Result<Outcome, AlgorithmError> {
        let number = self.exchange.submit(Operation::Plain(request));
        self.doing = doing(&request);
        self.outcome(number)
    }

    fn outcome(&mut self, number: u32) -> Result<Outcome, AlgorithmError> {
        loop {
            if let Some(outcome) = self.exchange.take_outcome(number) {
                self.check(&outcome)?;
                return Ok(outcome);
            }
            let action = self.exchange.advance();
            let idle = action == Action::Idle;
            self.act(action)?;
            if idle && !self.exchange.has_outcome(number) {
                return Err(AlgorithmError::Reply);
            }
        }
    }

    fn check(&mut self, outcome: &Outcome) -> Result<(), AlgorithmError> {
        let Err(fault) = outcome.result else { return Ok(()) };
        self.exchange.give_up();
        while self.exchange.open_requests() > 0 {
            let action = self.exchange.advance();
            self.act(action)?;
        }
        self.exchange.forget_outcomes();
        Err(AlgorithmError::Failed { request: outcome.request, fault })
    }

    fn act(&mut self, action: Action) -> Result<(), AlgorithmError> {
        match action {
            Action::Write { offset, words } => {
                if offset == layout::HOST {
                    self.renewed = self.link.clock().now();
                }
                self.link.write(area(offset), &words)?;
            }
            Action::Read { offset, words } => {
                let mut read = vec![0; words];
                self.link.read(area(offset), &mut read)?;
                self.exchange.received(&read)?;
            }
            Action::Wait => drop(self.pause(PAUSES[0])?),
            Action::Idle => {}
        }
        Ok(())
    }

    /// Lets the target work, watches its sign of life and keeps the lease. Returns the next pause.
    fn pause(&mut self, pause: Duration) -> Result<Duration, AlgorithmError> {
        self.link.clock().sleep(pause);
        let now = self.link.clock().now();
        if let Some(status) = self.exchange.status() {
            if status.state == Some(ServerState::Failed) {
                let fault = status.fault.map(|(_, fault)| fault);
                return Err(AlgorithmError::Stopped { doing: self.doing, fault });
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
        Ok((pause * 2).min(PAUSES[1]))
    }

    fn silent(&mut self) -> AlgorithmError {
        AlgorithmError::Silent { doing: self.doing, core: self.link.core_state().ok() }
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
