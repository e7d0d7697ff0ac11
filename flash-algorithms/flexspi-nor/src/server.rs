//! The mailbox server: takes requests, one at a time, and answers them.

use crate::bus::Bus;
use crate::controller::Result;
use crate::lease::Lease;
use crate::machine::{Duty, Machine};
use crate::nor::Nor;
use crate::registers::scb;
use mailbox::chunk::{ChunkHeader, HEADER_WORDS};
use mailbox::crc::Crc32;
use mailbox::fault::{Fault, FaultCode, Stage};
use mailbox::layout::{self, CHUNK_DATA_BYTES, CHUNK_HEADER_BYTES, PAYLOAD_SLOTS, REPLY_MAX_BYTES};
use mailbox::request::{self, ERASE_CHECK_BLANK, Request};
use mailbox::result::{MAP_MAX_BYTES, ResultRecord, SECTOR_BYTES, SECTOR_WORDS};
use mailbox::setup::{self, Setup};
use mailbox::status::{self, ServerState};
use mailbox::words::Words;

/// Setup for a flash nobody has told us about: enough to make it quiet before a reset.
const UNKNOWN_LEASE_MS: u32 = 2000;

/// What the caller of [`Server::poll`] does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Poll again.
    GoOn,
    /// The reset has been requested; nothing is left to do.
    ResetRequested,
}

enum Flash<B, D> {
    Up(Nor<B, D>),
    /// The start failed; only the lease is still watched.
    Failed(Machine<B, D>),
}

/// The server.
pub struct Server<B: Bus, W: Words + Copy> {
    flash: Flash<B, Lease<W>>,
    requests_taken: u32,
    results_put: u32,
    payload_taken: u32,
    replies_put: u32,
    stopped: bool,
}

/// What a request's answer holds besides its outcome.
#[derive(Default)]
struct Answer {
    values: [u32; 2],
    reply: Option<(u32, u32, u32)>,
}

impl<B: Bus, W: Words + Copy> Server<B, W> {
    /// Clears the status block, reads the setup, brings the flash up and reports the session's number.
    pub fn start(bus: B, words: W) -> Self {
        // The session word first: until it is written again, nothing in the block is valid.
        words.store(status::AT_SESSION, 0);
        words.order();
        for offset in (layout::STATUS..layout::STATUS + layout::WINDOW_BYTES).step_by(4) {
            words.store(offset, 0);
        }
        words.store(status::AT_MAGIC, layout::MAGIC);
        words.store(status::AT_VERSION, layout::VERSION);
        words.store(status::AT_LAYOUT_DIGEST, layout::LAYOUT_DIGEST);
        words.store(status::AT_STATE, ServerState::Starting.word());
        let mut block = [0; setup::WORDS];
        words.load_all(layout::SETUP, &mut block);
        let setup = Setup::from_words(&block);
        let lease = Lease::new(words, setup.map_or(UNKNOWN_LEASE_MS, |s| s.lease_ms));
        let mut machine = Machine::start(bus, lease);
        machine.attend();
        let flash = match setup {
            Some(setup) => match Nor::wake(machine, setup) {
                Ok(mut nor) => {
                    nor.machine.duty.set_state(ServerState::Idle);
                    Flash::Up(nor)
                }
                Err((fault, machine)) => failed(machine, &fault),
            },
            None => failed(machine, &Fault::new(FaultCode::BadSetup, Stage::Entry)),
        };
        let server = Server {
            flash,
            requests_taken: 0,
            results_put: 0,
            payload_taken: 0,
            replies_put: 0,
            stopped: false,
        };
        let words = server.words();
        words.order();
        words.store(status::AT_SESSION, setup.map_or(0, |s| s.session));
        server
    }

    fn machine(&self) -> &Machine<B, Lease<W>> {
        match &self.flash {
            Flash::Up(nor) => &nor.machine,
            Flash::Failed(machine) => machine,
        }
    }

    fn machine_mut(&mut self) -> &mut Machine<B, Lease<W>> {
        match &mut self.flash {
            Flash::Up(nor) => &mut nor.machine,
            Flash::Failed(machine) => machine,
        }
    }

    fn words(&self) -> &W {
        &self.machine().duty.words
    }

    /// One round: one request, or one idle round, or the end after a lost lease.
    pub fn poll(&mut self) -> Next {
        if self.machine().duty.is_lost() {
            self.leave();
            return Next::ResetRequested;
        }
        let put = self.words().load(layout::HOST_REQUESTS_PUT);
        if put == self.requests_taken || matches!(self.flash, Flash::Failed(_)) {
            self.machine_mut().idle();
            return Next::GoOn;
        }
        self.words().order();
        self.serve();
        Next::GoOn
    }

    /// Serves until the reset.
    pub fn run(mut self) -> ! {
        while self.poll() == Next::GoOn {}
        loop {
            // The reset takes a moment; nothing must happen in it.
            self.machine_mut().bus.yield_hint();
        }
    }

    fn serve(&mut self) {
        let sequence = self.requests_taken;
        let mut record = [0; request::WORDS];
        self.words()
            .load_all(layout::request_slot(sequence), &mut record);
        self.requests_taken = sequence.wrapping_add(1);
        self.words()
            .store(status::AT_REQUESTS_TAKEN, self.requests_taken);
        self.words().store(status::AT_PROGRESS, 0);
        self.machine_mut().duty.set_state(ServerState::Busy);
        let mut answer = Answer::default();
        let outcome = match Request::from_words(&record, sequence) {
            Some(request) => self.perform(&request, &mut answer),
            None => {
                Err(Fault::new(FaultCode::BadRequest, Stage::Request).values(sequence, record[1]))
            }
        };
        if let Err(fault) = &outcome {
            self.machine_mut().duty.set_fault(sequence, fault);
        }
        let (reply_start, reply_length, reply_crc) = answer.reply.unwrap_or_default();
        let record = ResultRecord {
            sequence,
            outcome,
            values: answer.values,
            reply_start,
            reply_length,
            reply_crc,
        };
        let idle = if self.stopped {
            ServerState::Stopped
        } else {
            ServerState::Idle
        };
        self.machine_mut().duty.set_state(idle);
        self.results_put = sequence.wrapping_add(1);
        // Payload, then result, then barrier, then counter.
        let words = self.words();
        words.store_all(layout::result_slot(sequence), &record.to_words());
        words.order();
        words.store(status::AT_RESULTS_PUT, self.results_put);
    }

    fn perform(&mut self, request: &Request, answer: &mut Answer) -> Result<()> {
        if self.stopped {
            return Err(Fault::new(FaultCode::BadRequest, Stage::Exit));
        }
        if request.changes_flash() && self.machine().duty.has_fault() {
            if let Request::Program {
                first_chunk,
                chunks,
                ..
            } = request
            {
                self.free_payload(first_chunk.wrapping_add(*chunks));
            }
            return Err(Fault::new(FaultCode::AfterFault, Stage::Request));
        }
        match *request {
            Request::Identify => {
                let identity = self.nor()?.identify()?.to_words();
                self.reply(answer, &identity)
            }
            Request::Map {
                address,
                length,
                nonce,
            } => self.map(answer, address, length, nonce),
            Request::Digest {
                address,
                length,
                nonce,
            } => {
                answer.values = self.nor()?.digest(address, length, nonce)?.0;
                Ok(())
            }
            Request::Erase {
                address,
                size,
                opcode,
                flags,
            } => {
                let nor = self.nor()?;
                nor.erase(address, size, opcode)?;
                if flags & ERASE_CHECK_BLANK != 0 {
                    nor.check_blank(address, size)
                } else {
                    Ok(())
                }
            }
            Request::Program {
                address,
                length,
                first_chunk,
                chunks,
            } => {
                let outcome = self.program(address, length, first_chunk, chunks);
                self.free_payload(first_chunk.wrapping_add(chunks));
                outcome
            }
            Request::Read { address, length } => self.read(answer, address, length),
            Request::SetStatus { value, mask } => {
                let (before, after) = self.nor()?.set_status(value, mask)?;
                answer.values = [u32::from(before), u32::from(after)];
                Ok(())
            }
            Request::ClearFault => {
                self.machine_mut().duty.clear_fault();
                Ok(())
            }
            Request::Stop => {
                let (id, status) = self.nor()?.exit()?;
                answer.values = [id, u32::from(status)];
                self.stopped = true;
                Ok(())
            }
        }
    }

    fn nor(&mut self) -> Result<&mut Nor<B, Lease<W>>> {
        match &mut self.flash {
            Flash::Up(nor) => Ok(nor),
            Flash::Failed(_) => Err(Fault::new(FaultCode::Unsupported, Stage::Entry)),
        }
    }

    fn map(&mut self, answer: &mut Answer, address: u32, length: u32, nonce: u32) -> Result<()> {
        if !address.is_multiple_of(SECTOR_BYTES)
            || !length.is_multiple_of(SECTOR_BYTES)
            || length > MAP_MAX_BYTES
        {
            return Err(Fault::new(FaultCode::BadRequest, Stage::Digest)
                .at(address)
                .values(MAP_MAX_BYTES, length));
        }
        let sectors = length / SECTOR_BYTES;
        let bytes = sectors * SECTOR_WORDS as u32 * 4;
        let start = self.reply_room(bytes)?;
        let mut crc = Crc32::new();
        for sector in 0..sectors {
            let done = sector * SECTOR_BYTES;
            let record = self.nor()?.map_sector(address + done, nonce)?.to_words();
            let offset = layout::reply_offset(start) + sector * SECTOR_WORDS as u32 * 4;
            self.words().store_all(offset, &record);
            record.into_iter().for_each(|word| crc.word(word));
            self.words().store(status::AT_PROGRESS, done);
            self.check_lease()?;
        }
        self.reply_done(answer, start, bytes, crc);
        Ok(())
    }

    fn read(&mut self, answer: &mut Answer, address: u32, length: u32) -> Result<()> {
        if length > REPLY_MAX_BYTES {
            return Err(Fault::new(FaultCode::BadRequest, Stage::Read)
                .at(address)
                .values(REPLY_MAX_BYTES, length));
        }
        let start = self.reply_room(length.next_multiple_of(4))?;
        let mut crc = Crc32::new();
        let mut offset = layout::reply_offset(start);
        let mut left = length;
        let words = *self.words();
        self.nor()?.read(address, length, Stage::Read, |word| {
            let word = if left >= 4 {
                word
            } else {
                word & !(!0 << (left * 8))
            };
            crc.word(word);
            words.store(offset, word);
            offset += 4;
            left = left.saturating_sub(4);
        })?;
        self.reply_done(answer, start, length, crc);
        Ok(())
    }

    fn program(&mut self, address: u32, length: u32, first_chunk: u32, chunks: u32) -> Result<()> {
        let mut at = address;
        let end = address.wrapping_add(length);
        for sequence in (0..chunks).map(|i| first_chunk.wrapping_add(i)) {
            let header = self.take_chunk(sequence, at, end)?;
            let data = layout::payload_slot(sequence) + CHUNK_HEADER_BYTES;
            let words = *self.words();
            let word = |index: u32| words.load(data + index * 4);
            let nor = self.nor()?;
            nor.program(at, header.length, word)?;
            let mut indices = 0..;
            nor.compare(at, header.length, || indices.next().map_or(0, word))?;
            at += header.length;
            self.free_payload(sequence.wrapping_add(1));
            self.words().store(status::AT_PROGRESS, at - address);
            self.check_lease()?;
        }
        if at != end {
            return Err(Fault::new(FaultCode::BadPayload, Stage::Payload)
                .at(at)
                .values(end, at));
        }
        Ok(())
    }

    /// Waits for a chunk and proves it whole and in its place.
    fn take_chunk(&mut self, sequence: u32, address: u32, end: u32) -> Result<ChunkHeader> {
        self.wait_for_host(|words| {
            // Chunks put and not yet freed, counted from this one on.
            let ahead = words.load(layout::HOST_PAYLOAD_PUT).wrapping_sub(sequence);
            ahead != 0 && ahead <= PAYLOAD_SLOTS
        })?;
        let words = self.words();
        words.order();
        let slot = layout::payload_slot(sequence);
        let mut header = [0; HEADER_WORDS];
        words.load_all(slot, &mut header);
        let header = ChunkHeader::from_words(header);
        let bad = Fault::new(FaultCode::BadPayload, Stage::Payload).at(address);
        if header.sequence != sequence || header.address != address {
            return Err(bad.values(address, header.address));
        }
        if header.length == 0
            || header.length > CHUNK_DATA_BYTES
            || header.length > end.wrapping_sub(address)
        {
            return Err(bad.values(end.wrapping_sub(address), header.length));
        }
        let mut crc = header.crc_start();
        for i in 0..header.data_words() {
            crc.word(words.load(slot + CHUNK_HEADER_BYTES + i * 4));
        }
        let crc = crc.finish();
        if crc != header.crc {
            return Err(bad.values(header.crc, crc));
        }
        Ok(header)
    }

    fn free_payload(&mut self, taken: u32) {
        self.payload_taken = taken;
        self.words().store(status::AT_PAYLOAD_TAKEN, taken);
    }

    fn reply(&mut self, answer: &mut Answer, reply: &[u32]) -> Result<()> {
        let bytes = reply.len() as u32 * 4;
        let start = self.reply_room(bytes)?;
        let mut crc = Crc32::new();
        reply.iter().for_each(|word| crc.word(*word));
        self.words().store_all(layout::reply_offset(start), reply);
        self.reply_done(answer, start, bytes, crc);
        Ok(())
    }

    fn reply_room(&mut self, bytes: u32) -> Result<u32> {
        let start = layout::reply_start(self.replies_put, bytes);
        self.wait_for_host(|words| {
            layout::reply_fits(start, bytes, words.load(layout::HOST_REPLIES_TAKEN))
        })?;
        Ok(start)
    }

    fn reply_done(&mut self, answer: &mut Answer, start: u32, length: u32, crc: Crc32) {
        self.replies_put = start.wrapping_add(length.next_multiple_of(4));
        answer.reply = Some((start, length, crc.finish()));
        self.words().store(status::AT_REPLIES_PUT, self.replies_put);
    }

    fn wait_for_host(&mut self, ready: impl Fn(&W) -> bool) -> Result<()> {
        if ready(self.words()) {
            return Ok(());
        }
        self.machine_mut()
            .duty
            .set_state(ServerState::WaitingForHost);
        while !ready(self.words()) {
            self.machine_mut().idle();
            self.check_lease()?;
        }
        self.machine_mut().duty.set_state(ServerState::Busy);
        Ok(())
    }

    fn check_lease(&self) -> Result<()> {
        if self.machine().duty.wants_end() {
            return Err(Fault::new(FaultCode::LeaseLost, Stage::Request));
        }
        Ok(())
    }

    /// After a lost lease: the flash as the boot ROM needs it, then a system reset.
    fn leave(&mut self) {
        let machine = self.machine_mut();
        machine.duty.set_state(ServerState::LeaseLost);
        let sequence = self.results_put;
        if let Flash::Up(nor) = &mut self.flash {
            // Whatever fails here, the reset is still the best that can be done.
            if let Err(fault) = nor.exit() {
                nor.machine.duty.set_fault(sequence, &fault);
            }
        }
        request_reset(&mut self.machine_mut().bus);
    }
}

fn failed<B: Bus, W: Words + Copy>(
    mut machine: Machine<B, Lease<W>>,
    fault: &Fault,
) -> Flash<B, Lease<W>> {
    machine.duty.set_fault(0, fault);
    machine.duty.set_state(ServerState::Failed);
    Flash::Failed(machine)
}

/// Requests a system reset and keeps PRIGROUP (Armv7-M ARM, AIRCR).
pub fn request_reset(bus: &mut impl Bus) {
    let keep = bus.read32(scb::AIRCR) & scb::AIRCR_PRIGROUP;
    bus.write32(
        scb::AIRCR,
        scb::AIRCR_VECTKEY | keep | scb::AIRCR_SYSRESETREQ,
    );
}
