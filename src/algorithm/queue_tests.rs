//! The exchange against plain queues: the target's side of the rings kept as what they stand for, and every word of a burst
//! a step of its own, with the target at work in between.

use std::collections::VecDeque;

use mailbox::chunk::{ChunkHeader, HEADER_WORDS};
use mailbox::layout::{
    self, PAYLOAD, PAYLOAD_SLOTS, PAYLOAD_STRIDE, REPLIES, REPLIES_BYTES, REQUEST_BYTES,
    REQUEST_SLOTS,
};
use mailbox::{Request, ResultRecord, crc, request, status};
use proptest::prelude::*;

use super::{Action, Exchange, Operation};
use crate::address::FlashOffset;

/// A reply that the host has not given back: where in the area it lies, and the position behind it.
struct Reply {
    offset: u32,
    words: u32,
    words_read: u32,
    end: u32,
}

struct Queues {
    area: Vec<u32>,
    /// Put and not taken.
    requests: VecDeque<(u32, Request)>,
    /// The request in work and the chunks it has taken.
    working: Option<(u32, Request, u32)>,
    /// Put and not freed: number, flash offset, data.
    chunks: VecDeque<(u32, u32, Vec<u8>)>,
    replies: VecDeque<Reply>,
    replies_put: u32,
    /// Slots of the payload ring that hold what is put and not freed.
    slots_used: Vec<bool>,
    /// What was programmed, from [`PLACE`] on.
    flash: Vec<u8>,
}

/// Flash offset of the first byte: not at the start of a sector.
const PLACE: u32 = 0x1003;

fn at(offset: u32) -> usize {
    offset as usize / 4
}

impl Queues {
    fn starting_at(number: u32) -> Self {
        let mut area = vec![0; at(layout::AREA_BYTES)];
        for counter in [
            layout::HOST_REQUESTS_PUT,
            layout::HOST_PAYLOAD_PUT,
            status::AT_REQUESTS_TAKEN,
            status::AT_RESULTS_PUT,
            status::AT_PAYLOAD_TAKEN,
        ] {
            area[at(counter)] = number;
        }
        area[at(layout::HOST_REPLIES_TAKEN)] = number & !3;
        Queues {
            area,
            requests: VecDeque::new(),
            working: None,
            chunks: VecDeque::new(),
            replies: VecDeque::new(),
            replies_put: number & !3,
            slots_used: vec![false; PAYLOAD_SLOTS as usize],
            flash: Vec::new(),
        }
    }

    fn get(&self, offset: u32) -> u32 {
        self.area[at(offset)]
    }

    fn set(&mut self, offset: u32, words: &[u32]) {
        self.area[at(offset)..at(offset) + words.len()].copy_from_slice(words);
    }

    fn words<const N: usize>(&self, offset: u32) -> [u32; N] {
        std::array::from_fn(|n| self.area[at(offset) + n])
    }

    /// The host writes a word.
    fn write(&mut self, offset: u32, word: u32) {
        let before = std::mem::replace(&mut self.area[at(offset)], word);
        let inside = |slot: u32, bytes: u32| (slot..slot + bytes).contains(&offset);
        match offset {
            layout::HOST_LEASE => {}
            layout::HOST_REPLIES_TAKEN => self.replies_taken(before, word),
            layout::HOST_PAYLOAD_PUT => self.payload_put(before, word),
            layout::HOST_REQUESTS_PUT => self.requests_put(before, word),
            PAYLOAD.. => {
                let slot = (offset - PAYLOAD) / PAYLOAD_STRIDE;
                let used = self.slots_used[slot as usize];
                assert!(!used, "a chunk was overwritten before it was taken");
            }
            _ => {
                assert!((layout::REQUESTS..layout::HOST).contains(&offset));
                let waiting = self.requests.iter().map(|(sequence, _)| *sequence);
                assert!(
                    !waiting
                        .map(layout::request_slot)
                        .any(|slot| inside(slot, REQUEST_BYTES)),
                    "a request was overwritten before it was taken"
                );
            }
        }
    }

    fn replies_taken(&mut self, mut before: u32, now: u32) {
        while before != now {
            let reply = self.replies.pop_front().expect("a reply to give back");
            assert_eq!(
                reply.words_read, reply.words,
                "given back before it was read"
            );
            before = reply.end;
        }
    }

    fn payload_put(&mut self, before: u32, now: u32) {
        for n in 0..now.wrapping_sub(before) {
            let sequence = before.wrapping_add(n);
            let slot = layout::payload_slot(sequence);
            let header = ChunkHeader::from_words(self.words::<HEADER_WORDS>(slot));
            assert_eq!(
                header.sequence, sequence,
                "a chunk is there before it counts"
            );
            let data = &self.area[at(slot) + HEADER_WORDS..][..header.data_words() as usize];
            let mut crc = header.crc_start();
            data.iter().for_each(|word| crc.word(*word));
            assert_eq!(
                crc.finish(),
                header.crc,
                "a chunk is whole before it counts"
            );
            let mut bytes: Vec<u8> = data.iter().flat_map(|word| word.to_le_bytes()).collect();
            bytes.truncate(header.length as usize);
            self.slots_used[(sequence % PAYLOAD_SLOTS) as usize] = true;
            self.chunks.push_back((sequence, header.address, bytes));
        }
        assert!(
            self.chunks.len() <= PAYLOAD_SLOTS as usize,
            "more chunks than slots"
        );
    }

    fn requests_put(&mut self, before: u32, now: u32) {
        for n in 0..now.wrapping_sub(before) {
            let sequence = before.wrapping_add(n);
            let record = self.words::<{ request::WORDS }>(layout::request_slot(sequence));
            let request = Request::from_words(&record, sequence);
            let request = request.expect("a request is whole before it counts");
            self.requests.push_back((sequence, request));
        }
        let open = now.wrapping_sub(self.get(status::AT_RESULTS_PUT));
        assert!(open <= REQUEST_SLOTS, "more requests than slots");
    }

    /// The host reads a word.
    fn read(&mut self, offset: u32) -> u32 {
        for reply in &mut self.replies {
            if (reply.offset..reply.offset + reply.words * 4).contains(&offset) {
                reply.words_read += 1;
            }
        }
        self.get(offset)
    }

    /// One small piece of the target's work.
    fn step(&mut self) {
        let Some((sequence, request, chunks_taken)) = self.working else {
            self.working = self
                .requests
                .pop_front()
                .map(|(n, request)| (n, request, 0));
            if let Some((sequence, ..)) = self.working {
                self.set(status::AT_REQUESTS_TAKEN, &[sequence.wrapping_add(1)]);
            }
            return;
        };
        let mut record = ResultRecord::new(sequence, Ok(()));
        match request {
            Request::Program {
                first_chunk,
                chunks,
                ..
            } => {
                let Some((number, address, data)) = self.chunks.pop_front() else {
                    return;
                };
                assert_eq!(
                    number,
                    first_chunk.wrapping_add(chunks_taken),
                    "in their order"
                );
                assert_eq!(address, PLACE + self.flash.len() as u32, "in its place");
                self.flash.extend(data);
                self.slots_used[(number % PAYLOAD_SLOTS) as usize] = false;
                self.set(status::AT_PAYLOAD_TAKEN, &[number.wrapping_add(1)]);
                if chunks_taken + 1 < chunks {
                    self.working = Some((sequence, request, chunks_taken + 1));
                    return;
                }
            }
            Request::Read { address, length } => {
                let reply: Vec<u32> = (address..).take(length.div_ceil(4) as usize).collect();
                let bytes = reply.len() as u32 * 4;
                let start = layout::reply_start(self.replies_put, bytes);
                if !layout::reply_fits(start, bytes, self.get(layout::HOST_REPLIES_TAKEN)) {
                    return;
                }
                let offset = layout::reply_offset(start);
                assert!(offset + bytes <= REPLIES + REPLIES_BYTES);
                for old in &self.replies {
                    let apart =
                        offset + bytes <= old.offset || old.offset + old.words * 4 <= offset;
                    assert!(apart, "a reply was overwritten before it was given back");
                }
                self.set(offset, &reply);
                self.replies_put = start.wrapping_add(bytes);
                self.replies.push_back(Reply {
                    offset,
                    words: reply.len() as u32,
                    words_read: 0,
                    end: self.replies_put,
                });
                let mut check = crc::Crc32::new();
                reply.iter().for_each(|word| check.word(*word));
                (record.reply_start, record.reply_length) = (start, length);
                record.reply_crc = check.finish();
            }
            _ => record.values = [sequence, !sequence],
        }
        self.set(layout::result_slot(sequence), &record.to_words());
        self.set(status::AT_RESULTS_PUT, &[sequence.wrapping_add(1)]);
        self.working = None;
    }
}

/// How many words pass before the target does its next step.
fn pace() -> impl Strategy<Value = usize> {
    prop_oneof![Just(0usize), 1usize..8, 1usize..600, Just(4000)]
}

/// What is asked: a read of so many bytes, a digest, or so many bytes to program.
#[derive(Clone, Copy, Debug)]
enum Ask {
    Read(u32),
    Digest,
    Program(u32),
}

fn ask() -> impl Strategy<Value = Ask> {
    prop_oneof![
        4 => (1u32..=64).prop_map(Ask::Read),
        2 => (1..=layout::REPLY_MAX_BYTES).prop_map(Ask::Read),
        2 => Just(Ask::Digest),
        6 => (1u32..5000).prop_map(Ask::Program),
        // More chunks than slots.
        1 => (280_000u32..300_000).prop_map(Ask::Program),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn word_by_word_the_rings_are_queues_also_where_counters_wrap(
        first in prop_oneof![any::<u32>(), (0u32..100).prop_map(|n| n.wrapping_neg())],
        asked in prop::collection::vec(ask(), 1..40),
        paces in prop::collection::vec(pace(), 1..40),
    ) {
        let mut exchange = Exchange::starting_at(first);
        let mut target = Queues::starting_at(first);
        let mut expected: Vec<u8> = Vec::new();
        let mut numbers = Vec::new();
        for (n, ask) in asked.iter().enumerate() {
            let operation = match *ask {
                Ask::Read(length) => Operation::Plain(Request::Read { address: n as u32, length }),
                Ask::Digest => Operation::Plain(Request::Digest { address: 0, length: 1, nonce: 0 }),
                Ask::Program(length) => {
                    let data: Vec<u8> = (0..length).map(|i| (i ^ i >> 8 ^ n as u32) as u8).collect();
                    let offset = FlashOffset::new(PLACE + expected.len() as u32);
                    expected.extend(&data);
                    Operation::Program { offset, data }
                }
            };
            numbers.push(exchange.submit(operation));
        }
        let mut paces = paces.iter().copied().cycle();
        let mut until_step = 0;
        let mut passes = |target: &mut Queues| {
            while until_step == 0 {
                target.step();
                until_step = paces.next().unwrap_or_default();
                if until_step == 0 {
                    target.step();
                    until_step = 1;
                }
            }
            until_step -= 1;
        };
        let mut waits = 0;
        loop {
            match exchange.advance() {
                Action::Write { offset, words } => {
                    for (offset, word) in (offset..).step_by(4).zip(words) {
                        target.write(offset, word);
                        passes(&mut target);
                    }
                }
                Action::Read { offset, words } => {
                    let mut read = Vec::new();
                    for offset in (offset..).step_by(4).take(words) {
                        read.push(target.read(offset));
                        passes(&mut target);
                    }
                    exchange.received(&read).expect("nothing is damaged");
                }
                Action::Wait => {
                    waits += 1;
                    prop_assert!(waits < 20_000, "the exchange and the target wait for each other");
                    target.step();
                }
                Action::Idle => break,
            }
        }
        prop_assert!(target.flash == expected, "flash differs");
        prop_assert_eq!(exchange.programmed_bytes(), expected.len() as u64);
        prop_assert!(target.requests.is_empty() && target.chunks.is_empty() && target.working.is_none());
        for (n, number) in numbers.into_iter().enumerate() {
            prop_assert_eq!(number, first.wrapping_add(n as u32));
            let outcome = exchange.take_outcome(number).expect("an outcome for every request");
            prop_assert_eq!(outcome.result, Ok(()));
            match outcome.request {
                Request::Read { address, length } => {
                    let words = length.div_ceil(4) as usize;
                    prop_assert_eq!(outcome.reply, (address..).take(words).collect::<Vec<_>>());
                }
                Request::Digest { .. } => prop_assert_eq!(outcome.values, [number, !number]),
                _ => {}
            }
        }
    }
}

/// The back-pressure itself: a target that takes nothing gets sixty-four chunks and not one more, wherever the counter is.
#[test]
fn a_target_that_takes_nothing_gets_as_many_chunks_as_there_are_slots() {
    for first in [0, 1000, u32::MAX - 70, u32::MAX - 30, u32::MAX] {
        let mut exchange = Exchange::starting_at(first);
        let mut target = Queues::starting_at(first);
        let data = vec![1; 100 * layout::CHUNK_DATA_BYTES as usize];
        let offset = FlashOffset::new(PLACE);
        exchange.submit(Operation::Program { offset, data });
        for _ in 0..200 {
            match exchange.advance() {
                Action::Write { offset, words } => {
                    for (offset, word) in (offset..).step_by(4).zip(words) {
                        target.write(offset, word);
                    }
                }
                Action::Read { offset, words } => {
                    let offsets = (offset..).step_by(4).take(words);
                    let read: Vec<u32> = offsets.map(|offset| target.read(offset)).collect();
                    exchange.received(&read).expect("nothing is damaged");
                }
                Action::Wait | Action::Idle => {}
            }
        }
        assert_eq!(target.chunks.len(), PAYLOAD_SLOTS as usize);
        assert_eq!(
            target.get(layout::HOST_PAYLOAD_PUT),
            first.wrapping_add(PAYLOAD_SLOTS)
        );
    }
}
