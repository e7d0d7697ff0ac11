//! The mailbox protocol from the host's side, without a link: says what to write and to read next, and takes what was read.

use std::collections::{HashMap, VecDeque};

use mailbox::layout::{self, STATUS};
use mailbox::{Fault, Request, ResultRecord, Status, result, status};

use super::Operation;

mod incoming;
mod outgoing;

/// Bursts of payload between two looks at the status.
const BURSTS_BETWEEN_LOOKS: u32 = 4;

/// What to do on the link. Offsets are in bytes from the start of the mailbox area.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Write words.
    Write {
        /// Where.
        offset: u32,
        /// What.
        words: Vec<u32>,
    },
    /// Read words and give them to [`Exchange::received`].
    Read {
        /// Where.
        offset: u32,
        /// How many.
        words: usize,
    },
    /// Nothing to do until the target has moved on; then [`Exchange::advance`] again.
    Wait,
    /// Everything submitted has its outcome.
    Idle,
}

/// A record of the target does not prove itself, however often it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer to request {sequence} arrives damaged")]
pub struct Damaged {
    /// Number of the request.
    pub sequence: u32,
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What was asked.
    pub request: Request,
    /// Done, or why not.
    pub result: Result<(), Fault>,
    /// Values of the result, where the request has some.
    pub values: [u32; 2],
    /// Words of the reply.
    pub reply: Vec<u32>,
}

#[derive(Clone, Debug)]
struct InFlight {
    sequence: u32,
    request: Request,
}

/// One chunk of payload that is not yet on the target.
#[derive(Clone, Debug)]
struct Outgoing {
    sequence: u32,
    address: u32,
    data: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    Status,
    Result { sequence: u32 },
    Reply { record: ResultRecord },
}

/// The host's side of one session.
#[derive(Debug)]
pub struct Exchange {
    waiting: VecDeque<Request>,
    in_flight: VecDeque<InFlight>,
    outgoing: VecDeque<Outgoing>,
    outcomes: HashMap<u32, Outcome>,
    status: Option<Status>,
    reading: Option<Reading>,
    reply_due: Option<ResultRecord>,
    lease: u32,
    submitted: u32,
    chunks_submitted: u32,
    requests_put: u32,
    payload_put: u32,
    replies_taken: u32,
    doorbell_due: bool,
    status_due: bool,
    bursts: u32,
    damaged: u32,
    /// Looks in a row at a status that cannot be.
    impossible: u32,
    read_again: u64,
    /// Payload bytes by chunk, until the target has taken them.
    chunk_bytes: VecDeque<u32>,
    chunks_counted: u32,
    programmed_bytes: u64,
}

impl Default for Exchange {
    fn default() -> Self {
        Exchange::new()
    }
}

impl Exchange {
    /// A session in which nothing has been asked.
    pub fn new() -> Self {
        Exchange {
            waiting: VecDeque::new(),
            in_flight: VecDeque::new(),
            outgoing: VecDeque::new(),
            outcomes: HashMap::new(),
            status: None,
            reading: None,
            reply_due: None,
            lease: 0,
            submitted: 0,
            chunks_submitted: 0,
            requests_put: 0,
            payload_put: 0,
            replies_taken: 0,
            doorbell_due: false,
            status_due: true,
            bursts: 0,
            damaged: 0,
            impossible: 0,
            read_again: 0,
            chunk_bytes: VecDeque::new(),
            chunks_counted: 0,
            programmed_bytes: 0,
        }
    }

    /// A session whose counters have come so far: nobody waits for 2³² requests to see them wrap.
    #[cfg(test)]
    pub(super) fn starting_at(number: u32) -> Self {
        Exchange {
            submitted: number,
            chunks_submitted: number,
            requests_put: number,
            payload_put: number,
            replies_taken: number & !3,
            chunks_counted: number,
            ..Exchange::new()
        }
    }

    /// Queues an operation and returns the number of its request.
    pub fn submit(&mut self, operation: Operation) -> u32 {
        let request = match operation {
            Operation::Plain(request) => request,
            Operation::Program { offset, data } => self.split(offset.get(), data),
        };
        self.waiting.push_back(request);
        let sequence = self.submitted;
        self.submitted = self.submitted.wrapping_add(1);
        sequence
    }

    /// Takes the outcome of a request, once it is there.
    pub fn take_outcome(&mut self, sequence: u32) -> Option<Outcome> {
        self.outcomes.remove(&sequence)
    }

    /// Whether a request has ended and its outcome was not taken.
    pub fn has_outcome(&self, sequence: u32) -> bool {
        self.outcomes.contains_key(&sequence)
    }

    /// Drops the outcomes that nobody took.
    pub fn forget_outcomes(&mut self) {
        self.outcomes.clear();
    }

    /// The status as last read.
    pub const fn status(&self) -> Option<&Status> {
        self.status.as_ref()
    }

    /// Payload bytes that the target has programmed and read back.
    pub const fn programmed_bytes(&self) -> u64 {
        self.programmed_bytes
    }

    /// Requests that have not ended yet.
    pub fn open_requests(&self) -> usize {
        self.waiting.len() + self.in_flight.len()
    }

    /// Drops the requests that have not been sent. What the target has already got still ends, payload included.
    pub fn abandon(&mut self) {
        let cut = self.waiting.iter().find_map(|request| match request {
            Request::Program { first_chunk, .. } => Some(*first_chunk),
            _ => None,
        });
        let cut = cut.unwrap_or(self.chunks_submitted);
        self.waiting.clear();
        self.submitted = self.requests_put;
        self.chunks_submitted = cut;
        self.outgoing.retain(|chunk| is_before(chunk.sequence, cut));
        let kept = cut.wrapping_sub(self.chunks_counted) as usize;
        self.chunk_bytes.truncate(kept);
    }

    /// Drops everything after a fault: the target refuses what it has already got, without looking at its payload.
    pub fn give_up(&mut self) {
        self.abandon();
        self.outgoing.clear();
        self.chunk_bytes.clear();
        self.payload_put = self.chunks_submitted;
        self.chunks_counted = self.chunks_submitted;
    }

    /// Makes the next action renew the lease.
    pub fn renew_lease(&mut self) {
        self.doorbell_due = true;
    }

    /// What to do next.
    pub fn advance(&mut self) -> Action {
        if let Some(record) = self.reply_due {
            self.reading = Some(Reading::Reply { record });
            let words = record.reply_length.div_ceil(4) as usize;
            return Action::Read {
                offset: layout::reply_offset(record.reply_start),
                words,
            };
        }
        if let Some(sequence) = self.result_due() {
            self.reading = Some(Reading::Result { sequence });
            return Action::Read {
                offset: layout::result_slot(sequence),
                words: result::WORDS,
            };
        }
        if let Some(write) = self.next_requests() {
            return write;
        }
        if self.doorbell_due {
            self.doorbell_due = false;
            return self.doorbell();
        }
        if self.bursts < BURSTS_BETWEEN_LOOKS
            && let Some(write) = self.next_payload()
        {
            self.bursts += 1;
            return write;
        }
        if self.in_flight.is_empty() {
            return Action::Idle;
        }
        if !self.status_due && self.bursts == 0 {
            self.status_due = true;
            return Action::Wait;
        }
        self.look()
    }

    /// Reads the status now, whatever else is to do: to see whether the server is up and alive.
    pub fn look(&mut self) -> Action {
        self.bursts = 0;
        self.status_due = false;
        self.reading = Some(Reading::Status);
        Action::Read {
            offset: STATUS,
            words: status::WORDS,
        }
    }

    /// Takes what the last [`Action::Read`] read.
    ///
    /// # Errors
    /// A record that stays damaged.
    pub fn received(&mut self, words: &[u32]) -> Result<(), Damaged> {
        match self.reading.take() {
            Some(Reading::Status) => {
                let Some(words) = words.first_chunk() else {
                    return Ok(());
                };
                self.take_status(Status::from_words(words))
            }
            Some(Reading::Result { sequence }) => self.take_result(sequence, words),
            Some(Reading::Reply { record }) => self.take_reply(record, words),
            None => Ok(()),
        }
    }
}

/// Whether counter `a` stands before `b`; both may have wrapped.
const fn is_before(a: u32, b: u32) -> bool {
    let distance = b.wrapping_sub(a);
    distance != 0 && distance < 1 << 31
}
