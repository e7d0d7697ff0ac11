//! The exchange against a target that is as slow and as bursty as chance has it; no link, no clock.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU32;

use mailbox::chunk::{ChunkHeader, HEADER_WORDS};
use mailbox::layout::{self, CHUNK_HEADER_BYTES, PAYLOAD_SLOTS, REQUEST_SLOTS};
use mailbox::words::Words;
use mailbox::{
    Fault, FaultCode, LAYOUT_DIGEST, MAGIC, Request, ResultRecord, Stage, VERSION, crc, request,
    status,
};
use proptest::prelude::*;

use super::{Action, Damaged, Exchange, Operation};
use crate::address::FlashOffset;
use mailbox::layout::STATUS;
use mailbox::status::AT_RESULTS_PUT;

/// A target that follows PROTOCOL.md and checks that the host does.
struct Target {
    area: Vec<AtomicU32>,
    flash: BTreeMap<u32, u8>,
    taken: u32,
    chunk: Option<(Request, u32)>,
    payload_taken: u32,
    replies_put: u32,
    /// The request with this number fails.
    fails: Option<u32>,
    faults: u32,
}

impl Target {
    fn new(fails: Option<u32>) -> Self {
        let area: Vec<AtomicU32> = (0..layout::AREA_BYTES / 4)
            .map(|_| AtomicU32::new(0))
            .collect();
        let words: &[AtomicU32] = &area;
        words.store_all(status::AT_MAGIC, &[MAGIC, VERSION, LAYOUT_DIGEST, 1]);
        let (flash, chunk) = (BTreeMap::new(), None);
        Target {
            area,
            flash,
            taken: 0,
            chunk,
            payload_taken: 0,
            replies_put: 0,
            fails,
            faults: 0,
        }
    }

    fn words(&self) -> &[AtomicU32] {
        &self.area
    }

    /// Does one small piece of work; false if there is none.
    fn step(&mut self) -> bool {
        if let Some((request, at)) = self.chunk {
            return self.take_chunk(request, at);
        }
        let put = self.words().load(layout::HOST_REQUESTS_PUT);
        if put == self.taken {
            return false;
        }
        assert!(
            put.wrapping_sub(self.taken) <= REQUEST_SLOTS,
            "more requests than slots"
        );
        let mut record = [0; request::WORDS];
        self.words()
            .load_all(layout::request_slot(self.taken), &mut record);
        let request =
            Request::from_words(&record, self.taken).expect("a whole request behind the doorbell");
        if let Request::Program {
            first_chunk,
            chunks,
            ..
        } = request
        {
            if self.faults > 0 || self.fails == Some(self.taken) {
                self.payload_taken = first_chunk.wrapping_add(chunks);
                let code = if self.faults > 0 {
                    FaultCode::AfterFault
                } else {
                    FaultCode::ReadBackDiffers
                };
                self.end(Err(Fault::new(code, Stage::Program)), [0; 2], &[]);
            } else {
                self.chunk = Some((request, first_chunk));
            }
            return true;
        }
        let reply = match request {
            Request::Read { address, length } => (address..address + length).collect(),
            _ => Vec::new(),
        };
        let bytes = reply.len() as u32 * 4;
        let start = layout::reply_start(self.replies_put, bytes);
        if !layout::reply_fits(start, bytes, self.words().load(layout::HOST_REPLIES_TAKEN)) {
            return false;
        }
        self.end(Ok(()), [self.taken, !self.taken], &reply);
        true
    }

    fn take_chunk(&mut self, request: Request, sequence: u32) -> bool {
        let Request::Program {
            first_chunk,
            chunks,
            ..
        } = request
        else {
            return false;
        };
        let put = self.words().load(layout::HOST_PAYLOAD_PUT);
        if put == sequence {
            return false;
        }
        assert!(
            put.wrapping_sub(self.payload_taken) <= PAYLOAD_SLOTS,
            "more chunks than slots"
        );
        let slot = layout::payload_slot(sequence);
        let mut header = [0; HEADER_WORDS];
        self.words().load_all(slot, &mut header);
        let header = ChunkHeader::from_words(header);
        assert_eq!(
            header.sequence, sequence,
            "a chunk was overwritten before it was taken"
        );
        let mut crc = header.crc_start();
        for n in 0..header.length {
            let word = self.words().load(slot + CHUNK_HEADER_BYTES + n / 4 * 4);
            if n % 4 == 0 {
                crc.word(word);
            }
            self.flash
                .insert(header.address + n, word.to_le_bytes()[n as usize % 4]);
        }
        assert_eq!(crc.finish(), header.crc);
        self.payload_taken = sequence.wrapping_add(1);
        if self.payload_taken == first_chunk.wrapping_add(chunks) {
            self.chunk = None;
            self.end(Ok(()), [0; 2], &[]);
        } else {
            self.words()
                .store(status::AT_PAYLOAD_TAKEN, self.payload_taken);
            self.chunk = Some((request, self.payload_taken));
        }
        true
    }

    fn end(&mut self, outcome: Result<(), Fault>, values: [u32; 2], reply: &[u32]) {
        let mut record = ResultRecord {
            values,
            ..ResultRecord::new(self.taken, outcome)
        };
        if !reply.is_empty() {
            let bytes = reply.len() as u32 * 4;
            let start = layout::reply_start(self.replies_put, bytes);
            let mut check = crc::Crc32::new();
            reply.iter().for_each(|word| check.word(*word));
            self.words().store_all(layout::reply_offset(start), reply);
            self.replies_put = start + bytes;
            (record.reply_start, record.reply_length, record.reply_crc) =
                (start, bytes, check.finish());
        }
        if let Err(fault) = outcome {
            if self.faults == 0 {
                let line = [self.taken, fault.code.word(), fault.stage.word(), 0, 0, 0];
                self.words().store_all(status::AT_FAULT_LINE, &line);
            }
            self.faults += 1;
            self.words().store(status::AT_FAULTS, self.faults);
        }
        self.words()
            .store(status::AT_PAYLOAD_TAKEN, self.payload_taken);
        self.words()
            .store_all(layout::result_slot(self.taken), &record.to_words());
        self.taken = self.taken.wrapping_add(1);
        self.words().store(status::AT_RESULTS_PUT, self.taken);
    }
}

/// Runs both until the exchange is idle; `speeds` says how many steps the target does after each action.
fn run(exchange: &mut Exchange, target: &mut Target, speeds: &[u8]) -> Result<(), Damaged> {
    let mut speeds = speeds
        .iter()
        .copied()
        .chain([1])
        .collect::<Vec<_>>()
        .into_iter()
        .cycle();
    for _ in 0..200_000 {
        match exchange.advance() {
            Action::Write { offset, words } => target.words().store_all(offset, &words),
            Action::Read { offset, words } => {
                let mut read = vec![0; words];
                target.words().load_all(offset, &mut read);
                exchange.received(&read)?;
            }
            Action::Wait => {}
            Action::Idle => return Ok(()),
        }
        for _ in 0..speeds.next().unwrap_or(1) {
            target.step();
        }
    }
    panic!("no end: the exchange and the target wait for each other");
}

fn bytes(seed: u32, length: usize) -> Vec<u8> {
    (0..length as u32)
        .map(|n| (n.wrapping_mul(2_654_435_761).wrapping_add(seed) >> 13) as u8)
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_speeds_everything_arrives_in_its_place(
        lengths in prop::collection::vec((0u32..3, 1usize..40_000), 1..30),
        speeds in prop::collection::vec(0u8..4, 1..20),
    ) {
        let mut exchange = Exchange::new();
        let mut target = Target::new(None);
        let mut expected = BTreeMap::new();
        let mut asked = Vec::new();
        let mut at = 0x1000;
        for (n, (kind, length)) in lengths.iter().enumerate() {
            let operation = match kind {
                0 => Operation::Plain(Request::Read { address: n as u32, length: *length as u32 % 8000 + 1 }),
                1 => Operation::Plain(Request::Erase { address: 0, size: 0x1000, opcode: 0x20, flags: 0 }),
                _ => {
                    let data = bytes(n as u32, *length);
                    expected.extend((at..).zip(data.iter().copied()));
                    let offset = FlashOffset::new(at);
                    at += (*length as u32).next_multiple_of(256);
                    Operation::Program { offset, data }
                }
            };
            asked.push(exchange.submit(operation));
        }
        run(&mut exchange, &mut target, &speeds).expect("nothing is damaged");
        prop_assert_eq!(&target.flash, &expected);
        prop_assert_eq!(exchange.programmed_bytes(), expected.len() as u64);
        for number in asked {
            let outcome = exchange.take_outcome(number).expect("an outcome for every request");
            prop_assert_eq!(outcome.result, Ok(()));
            if let Request::Read { address, length } = outcome.request {
                prop_assert_eq!(outcome.reply, (address..address + length).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn after_a_failure_the_session_goes_on_with_what_comes_next(
        fails in 0u32..10,
        speeds in prop::collection::vec(0u8..4, 1..20),
    ) {
        let mut exchange = Exchange::new();
        let mut target = Target::new(Some(fails));
        let numbers: Vec<u32> = (0..10)
            .map(|n| exchange.submit(Operation::Program { offset: FlashOffset::new(n * 0x8000), data: bytes(n, 0x6000) }))
            .collect();
        // Until the first failure is seen.
        let mut failed = None;
        while failed.is_none() {
            match exchange.advance() {
                Action::Write { offset, words } => target.words().store_all(offset, &words),
                Action::Read { offset, words } => {
                    let mut read = vec![0; words];
                    target.words().load_all(offset, &mut read);
                    exchange.received(&read).expect("nothing is damaged");
                }
                Action::Wait | Action::Idle => {}
            }
            for _ in 0..speeds.first().copied().unwrap_or(1).max(1) {
                target.step();
            }
            let outcome = numbers.get(fails as usize).and_then(|number| exchange.take_outcome(*number));
            failed = outcome.map(|outcome| outcome.result);
        }
        prop_assert!(failed.is_some_and(|result| result.is_err()));
        exchange.give_up();
        run(&mut exchange, &mut target, &speeds).expect("what was sent ends");
        // The fault is cleared (by hand here), and payload numbers still agree.
        target.faults = 0;
        target.fails = None;
        target.words().store(status::AT_FAULTS, 0);
        target.flash.clear();
        let data = bytes(77, 0x5000);
        let number = exchange.submit(Operation::Program { offset: FlashOffset::ZERO, data: data.clone() });
        run(&mut exchange, &mut target, &speeds).expect("nothing is damaged");
        prop_assert_eq!(exchange.take_outcome(number).map(|outcome| outcome.result), Some(Ok(())));
        prop_assert!(target.flash.values().copied().eq(data));
    }
}

#[test]
fn a_record_that_stays_damaged_is_told_with_its_number() {
    let mut exchange = Exchange::new();
    let mut target = Target::new(None);
    exchange.submit(Operation::Plain(Request::Identify));
    let mut reads = 0;
    let error = loop {
        match exchange.advance() {
            Action::Write { offset, words } => target.words().store_all(offset, &words),
            Action::Read { offset, words } => {
                let mut read = vec![0; words];
                target.words().load_all(offset, &mut read);
                if offset == layout::result_slot(0) {
                    reads += 1;
                    read[5] ^= 1;
                }
                if let Err(error) = exchange.received(&read) {
                    break error;
                }
            }
            Action::Wait | Action::Idle => {}
        }
        target.step();
    };
    assert_eq!((error, reads), (Damaged { sequence: 0 }, 4));
}

/// The status block has no checksum: what it cannot say truly is not believed, and nobody waits for ever for it to change.
#[test]
fn a_status_that_counts_more_than_was_asked_is_looked_at_again_and_then_told() {
    let mut exchange = Exchange::new();
    let mut target = Target::new(None);
    let number = exchange.submit(Operation::Plain(Request::Identify));
    let mut looks = 0;
    let error = loop {
        match exchange.advance() {
            Action::Write { offset, words } => target.words().store_all(offset, &words),
            Action::Read { offset, words } => {
                assert_eq!(offset, STATUS);
                let mut read = vec![0; words];
                target.words().load_all(offset, &mut read);
                looks += 1;
                read[(AT_RESULTS_PUT - STATUS) as usize / 4] = 0x30;
                if let Err(error) = exchange.received(&read) {
                    break error;
                }
            }
            Action::Wait | Action::Idle => {}
        }
        target.step();
    };
    assert_eq!((error, looks), (Damaged { sequence: 1 }, 4));
    assert!(!exchange.has_outcome(number));
}

/// A record that proves itself but whose reply cannot be: it is read again, then told; nothing is read for it.
#[test]
fn a_reply_that_cannot_be_is_never_read() {
    let ring = layout::REPLIES_BYTES;
    let most = layout::REPLY_MAX_BYTES;
    let impossible = [
        (0, u32::MAX),
        (0, most + 1),
        (1, 4),
        (2, most),
        (u32::MAX, 1),
        (ring - 4, 5),
        (ring / 2 + 4, most),
        // Counters wrap; the ring's end stays where it is.
        (0u32.wrapping_sub(4), 8),
    ];
    for (reply_start, reply_length) in impossible {
        let (result, reply) = read_one(reply_start, reply_length);
        assert_eq!(
            (result, reply),
            (Err(Damaged { sequence: 0 }), None),
            "start {reply_start:#x}, {reply_length} bytes"
        );
    }
    for (reply_start, reply_length) in [
        (0, most),
        (ring / 2, most),
        (ring - 4, 1),
        (0u32.wrapping_sub(4), 4),
    ] {
        let (_, reply) = read_one(reply_start, reply_length);
        let place = (
            layout::reply_offset(reply_start),
            reply_length.div_ceil(4) as usize,
        );
        assert_eq!(reply, Some(place));
    }
}

/// Asks once and answers with a record about this reply: how that ended, and where a reply was read.
fn read_one(reply_start: u32, reply_length: u32) -> (Result<(), Damaged>, Option<(u32, usize)>) {
    let mut exchange = Exchange::new();
    let target = Target::new(None);
    exchange.submit(Operation::Plain(Request::Identify));
    let record = ResultRecord {
        reply_start,
        reply_length,
        ..ResultRecord::new(0, Ok(()))
    };
    target
        .words()
        .store_all(layout::result_slot(0), &record.to_words());
    target.words().store(status::AT_RESULTS_PUT, 1);
    for _ in 0..20 {
        match exchange.advance() {
            Action::Read { offset, words } => {
                if offset >= layout::REPLIES {
                    return (Ok(()), Some((offset, words)));
                }
                let mut read = vec![0; words];
                target.words().load_all(offset, &mut read);
                if let Err(damaged) = exchange.received(&read) {
                    return (Err(damaged), None);
                }
            }
            Action::Write { .. } | Action::Wait | Action::Idle => {}
        }
    }
    (Ok(()), None)
}

#[test]
fn cancelling_sends_the_payload_of_what_was_sent_and_no_more() {
    let mut exchange = Exchange::new();
    let mut target = Target::new(None);
    for n in 0..30 {
        exchange.submit(Operation::Program {
            offset: FlashOffset::new(n * 0x1000),
            data: bytes(n, 0x1000),
        });
    }
    // The requests of the first sixteen go out in one write.
    let Action::Write { offset, words } = exchange.advance() else {
        panic!("requests first")
    };
    target.words().store_all(offset, &words);
    exchange.abandon();
    run(&mut exchange, &mut target, &[2]).expect("nothing is damaged");
    assert_eq!(target.flash.len(), 16 * 0x1000);
    let number = exchange.submit(Operation::Program {
        offset: FlashOffset::ZERO,
        data: vec![9; 8],
    });
    assert_eq!(number, 16);
    run(&mut exchange, &mut target, &[2]).expect("nothing is damaged");
    assert_eq!(
        exchange.take_outcome(number).map(|outcome| outcome.result),
        Some(Ok(()))
    );
}
