//! What the host writes: requests, payload, and the words that make them count.

use mailbox::layout::{
    self, CHUNK_DATA_BYTES, HOST, PAYLOAD_SLOTS, PAYLOAD_STRIDE, REQUEST_BYTES, REQUEST_SLOTS,
};
use mailbox::{Chunk, Request};

use super::{Action, Exchange, InFlight, Outgoing};

/// Slots that are written in one go: four transactions of a J-Link, nearly full. Fewer where the target waits for them, and
/// towards the end, so that it has little left to do when the last one arrives.
const SLOTS_AT_ONCE: u32 = 5;

impl Exchange {
    /// The four live words; the doorbell last.
    pub(super) fn doorbell(&mut self) -> Action {
        self.lease = self.lease.wrapping_add(1);
        let words = vec![
            self.lease,
            self.replies_taken,
            self.payload_put,
            self.requests_put,
        ];
        Action::Write {
            offset: HOST,
            words,
        }
    }

    /// Request records into consecutive slots, as far as there is room and the ring does not wrap.
    pub(super) fn next_requests(&mut self) -> Option<Action> {
        let offset = layout::request_slot(self.requests_put);
        let mut words = Vec::new();
        while self.in_flight.len() < REQUEST_SLOTS as usize
            && layout::request_slot(self.requests_put) == offset + words.len() as u32 * 4
        {
            let Some(request) = self.waiting.pop_front() else {
                break;
            };
            let sequence = self.requests_put;
            words.extend(request.to_words(sequence));
            self.in_flight.push_back(InFlight { sequence, request });
            self.requests_put = sequence.wrapping_add(1);
            if layout::request_slot(self.requests_put) < offset + REQUEST_BYTES {
                break;
            }
        }
        if words.is_empty() {
            return None;
        }
        self.doorbell_due = true;
        self.status_due = true;
        Some(Action::Write { offset, words })
    }

    /// Chunks into consecutive slots: while they are full and the ring does not wrap, they go in one write.
    pub(super) fn next_payload(&mut self) -> Option<Action> {
        let taken = self.status.map_or(0, |status| status.payload_taken);
        let offset = layout::payload_slot(self.payload_put);
        let mut words: Vec<u32> = Vec::new();
        // What the target has left to do when the last look showed nothing decides how long it may wait for more.
        let starved = self.payload_put == taken;
        let last_half = (self.outgoing.len() as u32 / 2).max(1);
        let most = if starved {
            1
        } else {
            SLOTS_AT_ONCE.min(last_half)
        };
        for n in 0..most {
            let is_next = layout::payload_slot(self.payload_put) == offset + n * PAYLOAD_STRIDE;
            let is_packed = words.len() as u32 * 4 == n * PAYLOAD_STRIDE;
            if !is_next || !is_packed || self.payload_put.wrapping_sub(taken) >= PAYLOAD_SLOTS {
                break;
            }
            let Some(out) = self.outgoing.pop_front() else {
                break;
            };
            let Some(chunk) = Chunk::new(out.sequence, out.address, &out.data) else {
                break;
            };
            words.extend(chunk.words());
            self.payload_put = out.sequence.wrapping_add(1);
        }
        if words.is_empty() {
            return None;
        }
        self.doorbell_due = true;
        Some(Action::Write { offset, words })
    }

    /// Cuts payload at sectors, so that a chunk is read back by one command.
    pub(super) fn split(&mut self, address: u32, data: Vec<u8>) -> Request {
        let first_chunk = self.chunks_submitted;
        let length = data.len() as u32;
        let mut at = address;
        let mut rest = data.as_slice();
        while !rest.is_empty() {
            let room = (CHUNK_DATA_BYTES - at % CHUNK_DATA_BYTES) as usize;
            let (piece, left) = rest.split_at(room.min(rest.len()));
            let chunk = Outgoing {
                sequence: self.chunks_submitted,
                address: at,
                data: piece.to_vec(),
            };
            self.outgoing.push_back(chunk);
            self.chunk_bytes.push_back(piece.len() as u32);
            self.chunks_submitted = self.chunks_submitted.wrapping_add(1);
            at = at.wrapping_add(piece.len() as u32);
            rest = left;
        }
        let chunks = self.chunks_submitted.wrapping_sub(first_chunk);
        Request::Program {
            address,
            length,
            first_chunk,
            chunks,
        }
    }
}
