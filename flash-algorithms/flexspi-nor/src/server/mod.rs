//! The mailbox server: takes requests, one at a time, and answers them.

use crate::bus::Bus;
use crate::controller::Result;
use crate::lease::Lease;
use crate::machine::{Duty, Machine};
use crate::nor::Nor;
use crate::registers::scb;
use mailbox::crc;
use mailbox::fault::{Fault, FaultCode, Stage};
use mailbox::layout;
use mailbox::request::{self, ERASE_CHECK_BLANK, Request};
use mailbox::result::ResultRecord;
use mailbox::setup::{self, Setup};
use mailbox::status::{self, ServerState};
use mailbox::words::Words;

mod payload;
mod reply;

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
        crc::prepare();
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
        let request = Request::from_words(&record, sequence);
        let outcome = match &request {
            Some(request) => self.perform(request, &mut answer),
            None => {
                Err(Fault::new(FaultCode::BadRequest, Stage::Request).values(sequence, record[1]))
            }
        };
        if let Err(fault) = &outcome {
            self.machine_mut().duty.set_fault(sequence, fault);
            if let Some(Request::Program {
                first_chunk,
                chunks,
                ..
            }) = request
            {
                // Behind the fault, so that nobody takes what is left over for programmed.
                self.words().order();
                self.free_payload(first_chunk.wrapping_add(chunks));
            }
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
                self.program(address, length, first_chunk, chunks)
            }
            Request::Read { address, length } => self.read(answer, address, length),
            Request::SetStatus { value, mask } => {
                let (before, after) = self.nor()?.set_status(value, mask)?;
                answer.values = [before, after];
                Ok(())
            }
            Request::ClearFault => {
                self.machine_mut().duty.clear_fault();
                Ok(())
            }
            Request::Stop => {
                let (id, status) = self.nor()?.exit()?;
                answer.values = [id, status];
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
    machine.duty.words.order();
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
