//! DAP_Transfer and DAP_TransferBlock on the wire: posted reads, checked writes, retries.

use super::firmware::DebugPins;
use super::line::Line;
use super::requests::{Block, Request};
use super::{ack, request};

/// Read of DP RDBUFF: gives the data of the AP read before, and tells how the AP write before went.
const READ_RDBUFF: u8 = request::READ | request::A2 | request::A3;

/// How often transfers are tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Retries {
    /// After WAIT.
    pub(super) wait: u16,
    /// After a value that does not match.
    pub(super) mismatch: u16,
    /// The bits that a value match compares.
    pub(super) mask: u32,
}

impl Retries {
    /// As after power-on.
    pub(super) fn new() -> Self {
        Retries {
            wait: 100,
            mismatch: 0,
            mask: 0,
        }
    }
}

/// What came of a command's transfers.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// Transfers done; of a DAP_Transfer an AP read counts once it is posted.
    pub(super) count: u16,
    /// The last transfer's response, 0 where there was none.
    pub(super) response: u8,
    /// The words read.
    pub(super) words: Vec<u32>,
}

/// The wire with its settings, for one command.
pub(super) struct Transfers<'w> {
    pub(super) line: &'w mut Line,
    pub(super) retries: &'w mut Retries,
    pub(super) pins: &'w mut dyn DebugPins,
}

impl Transfers<'_> {
    /// One transfer, again as long as the target asks to wait and retries are left.
    fn transfer(&mut self, request: u8, data: u32) -> (u8, u32) {
        let mut left = self.retries.wait;
        loop {
            let (answer, value) = self.line.transfer(request, data, self.pins);
            if answer != ack::WAIT || left == 0 {
                return (answer, value);
            }
            left -= 1;
        }
    }

    /// DAP_Transfer.
    pub(super) fn list(&mut self, requests: &[Request]) -> Done {
        let mut done = Done::default();
        // the last AP read's data has not been fetched
        let mut posted = false;
        // the last transfer was a write, of which the port has told nothing yet
        let mut unchecked = false;
        for request in requests {
            if posted {
                let (via, next) = match *request {
                    // the next AP read brings the data of the one before
                    Request::Read(bits) if request.posts() => (bits, true),
                    _ => (READ_RDBUFF, false),
                };
                if !self.read(via, &mut done) {
                    return done;
                }
                posted = next;
                if next {
                    done.count += 1;
                    continue;
                }
            }
            let fine = match *request {
                Request::Read(bits) if request.posts() => {
                    posted = true;
                    self.step(bits, 0, &mut done)
                }
                Request::Read(bits) => self.read(bits, &mut done),
                Request::Match(bits, value) => self.read_until(bits, value, &mut done),
                Request::Write(bits, value) => self.step(bits, value, &mut done),
                Request::Mask(mask) => {
                    self.retries.mask = mask;
                    done.response = ack::OK;
                    true
                }
            };
            if !fine {
                return done;
            }
            match request {
                Request::Write(..) => unchecked = true,
                Request::Read(_) | Request::Match(..) => unchecked = false,
                Request::Mask(_) => {}
            }
            done.count += 1;
        }
        if posted {
            self.read(READ_RDBUFF, &mut done);
        } else if unchecked {
            self.step(READ_RDBUFF, 0, &mut done);
        }
        done
    }

    /// DAP_TransferBlock.
    pub(super) fn block(&mut self, block: &Block) -> Done {
        let mut done = Done::default();
        match block {
            Block::Read(_, 0) => {}
            Block::Read(bits, count) => {
                let port = bits & request::AP != 0;
                if port && !self.step(*bits, 0, &mut done) {
                    return done;
                }
                for left in (0..*count).rev() {
                    let via = if port && left == 0 {
                        READ_RDBUFF
                    } else {
                        *bits
                    };
                    if !self.read(via, &mut done) {
                        return done;
                    }
                    done.count += 1;
                }
            }
            Block::Write(bits, words) => {
                for word in words {
                    if !self.step(*bits, *word, &mut done) {
                        return done;
                    }
                    done.count += 1;
                }
                if !words.is_empty() {
                    self.step(READ_RDBUFF, 0, &mut done);
                }
            }
        }
        done
    }

    /// One transfer whose data nobody wants.
    fn step(&mut self, request: u8, data: u32, done: &mut Done) -> bool {
        (done.response, _) = self.transfer(request, data);
        done.response == ack::OK
    }

    /// One transfer whose data is part of the response.
    fn read(&mut self, request: u8, done: &mut Done) -> bool {
        let (answer, value) = self.transfer(request, 0);
        done.response = answer;
        if answer == ack::OK {
            done.words.push(value);
        }
        answer == ack::OK
    }

    /// Reads until the value matches; an AP read once more, whose data is of nobody.
    fn read_until(&mut self, request: u8, wanted: u32, done: &mut Done) -> bool {
        if request & request::AP != 0 && !self.step(request, 0, done) {
            return false;
        }
        let mut left = self.retries.mismatch;
        loop {
            let (answer, value) = self.transfer(request, 0);
            done.response = answer;
            if answer != ack::OK || value & self.retries.mask == wanted {
                return answer == ack::OK;
            }
            if left == 0 {
                done.response |= ack::MISMATCH;
                return false;
            }
            left -= 1;
        }
    }
}
