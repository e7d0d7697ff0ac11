//! What must hold for words that come from the target: records are taken whole or not at all, and the host's side keeps to
//! its own part of the area, whatever the target says.

use std::collections::VecDeque;

use mailbox::chunk::{ChunkHeader, HEADER_WORDS};
use mailbox::crc::{Crc32, crc32_words};
use mailbox::result::{IDENTITY_WORDS, Identity, SECTOR_WORDS, SectorRecord};
use mailbox::setup::Setup;
use mailbox::{Chunk, Request, ResultRecord, Status, layout, request, result, setup, status};

use super::Input;
use crate::address::FlashOffset;
use crate::algorithm::{Action, Exchange, Operation};

/// Records of arbitrary words, then a session with a target that says arbitrary things.
pub fn mailbox(content: &[u8]) {
    let (words, tail) = content.as_chunks();
    let words: Vec<u32> = words.iter().map(|word| u32::from_le_bytes(*word)).collect();
    records(&words);
    chunk(&words, tail);
    session(content);
}

/// The first words as they are, and with the checksum that they need.
fn records(words: &[u32]) {
    fn both<const N: usize>(words: &[u32], check: impl Fn(&[u32; N])) {
        let mut record = [0; N];
        record
            .iter_mut()
            .zip(words)
            .for_each(|(to, from)| *to = *from);
        check(&record);
        record[N - 1] = crc32_words(&record[..N - 1]);
        check(&record);
    }
    both::<{ request::WORDS }>(words, |words| {
        if let Some(request) = Request::from_words(words, words[1]) {
            let again = request.to_words(words[1]);
            assert_eq!(Request::from_words(&again, words[1]), Some(request));
        }
    });
    both::<{ result::WORDS }>(words, |words| {
        if let Some(record) = ResultRecord::from_words(words, words[0]) {
            let again = record.to_words();
            assert_eq!(ResultRecord::from_words(&again, words[0]), Some(record));
        }
    });
    both::<{ setup::WORDS }>(words, |words| {
        if let Some(setup) = Setup::from_words(words) {
            assert_eq!(Setup::from_words(&setup.to_words()), Some(setup));
        }
    });
    both::<{ status::WORDS }>(words, |words| {
        let status = Status::from_words(words);
        let faults = words[(status::AT_FAULTS - layout::STATUS) as usize / 4];
        assert_eq!(status.fault.is_some(), faults != 0);
    });
    both::<IDENTITY_WORDS>(words, |words| {
        let identity = Identity::from_words(words);
        let again = Identity::from_words(&identity.to_words());
        assert_eq!(again, identity);
    });
    both::<SECTOR_WORDS>(words, |words| {
        assert_eq!(SectorRecord::from_words(*words).to_words(), *words);
    });
    both::<HEADER_WORDS>(words, |words| {
        let header = ChunkHeader::from_words(*words);
        assert_eq!(header.to_words(), *words);
        assert!(u64::from(header.data_words()) * 4 >= u64::from(header.length));
    });
}

/// A chunk proves itself, and with one changed word it does not.
fn chunk(words: &[u32], tail: &[u8]) {
    let mut data: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    data.extend(tail);
    let address = words.first().copied().unwrap_or_default();
    let Some(chunk) = Chunk::new(1, address, &data) else {
        assert!(data.is_empty() || data.len() > layout::CHUNK_DATA_BYTES as usize);
        return;
    };
    let mut sent: Vec<u32> = chunk.words().collect();
    assert!(sent.len() as u32 * 4 <= layout::PAYLOAD_STRIDE);
    let fits = |sent: &[u32]| {
        let header = ChunkHeader::from_words(*sent.first_chunk().expect("header"));
        let mut crc: Crc32 = header.crc_start();
        let data = sent.iter().skip(HEADER_WORDS);
        data.for_each(|word| crc.word(*word));
        crc.finish() == header.crc
    };
    assert!(fits(&sent));
    if let Some(word) = sent.last_mut() {
        *word ^= 1;
    }
    assert!(!fits(&sent));
}

/// The target's side as the input has it.
#[derive(Default)]
struct Target {
    /// Numbers of the requests in the ring, oldest first.
    requests: VecDeque<u32>,
    requests_put: u32,
    payload_put: u32,
}

impl Target {
    /// Takes a write of the host, which may go to the host's own words only.
    fn written(&mut self, offset: u32, words: &[u32]) {
        let end = offset as usize + 4 * words.len();
        assert!(offset.is_multiple_of(4) && !words.is_empty());
        let inside = |start: u32, length: u32| offset >= start && end <= (start + length) as usize;
        if inside(layout::HOST, layout::HOST_BYTES) {
            let [_, _, payload_put, requests_put] = words.try_into().expect("four live words");
            (self.payload_put, self.requests_put) = (payload_put, requests_put);
        } else if inside(
            layout::REQUESTS,
            layout::REQUEST_SLOTS * layout::REQUEST_BYTES,
        ) {
            for record in words.as_chunks::<{ request::WORDS }>().0 {
                assert!(Request::from_words(record, record[1]).is_some());
                self.requests.push_back(record[1]);
            }
        } else {
            let slots = layout::PAYLOAD_SLOTS * layout::PAYLOAD_STRIDE;
            assert!(inside(layout::PAYLOAD, slots), "0x{offset:X} is not ours");
        }
    }

    /// What the host reads.
    fn read(&mut self, offset: u32, count: usize, input: &mut Input<'_>) -> Vec<u32> {
        assert!(offset.is_multiple_of(4));
        assert!(
            offset as usize + 4 * count <= layout::AREA_BYTES as usize,
            "{count} words at 0x{offset:X} leave the area"
        );
        if offset == layout::STATUS && count == status::WORDS {
            return self.status(input).to_vec();
        }
        if (layout::RESULTS..layout::SETUP).contains(&offset) {
            return self.result(input).to_vec();
        }
        let ring = layout::REPLIES..layout::REPLIES + layout::REPLIES_BYTES;
        assert!(
            ring.contains(&offset) && offset as usize + 4 * count <= ring.end as usize,
            "{count} words at 0x{offset:X} are no reply"
        );
        let word = input.word();
        vec![word; count]
    }

    fn status(&self, input: &mut Input<'_>) -> [u32; status::WORDS] {
        let mut words: [u32; status::WORDS] = [0; status::WORDS];
        let place = |offset: u32| (offset - layout::STATUS) as usize / 4;
        let kind = input.byte().unwrap_or_default();
        if kind == 0 {
            return input.words();
        }
        let ahead = |input: &mut Input<'_>| u32::from(input.byte().unwrap_or_default() % 24);
        let oldest = self.requests.front().copied().unwrap_or(self.requests_put);
        words[place(status::AT_RESULTS_PUT)] = oldest.wrapping_add(ahead(input));
        words[place(status::AT_PAYLOAD_TAKEN)] = self.payload_put.wrapping_sub(ahead(input));
        if kind & 1 == 0 {
            words[place(status::AT_FAULTS)] = 1;
            words[place(status::AT_FAULT_LINE)] = oldest;
            words[place(status::AT_FAULT_LINE) + 1] = u32::from(kind >> 2);
            words[place(status::AT_FAULT_LINE) + 2] = u32::from(kind >> 4);
        }
        words
    }

    fn result(&mut self, input: &mut Input<'_>) -> [u32; result::WORDS] {
        let mut words: [u32; result::WORDS] = [0; result::WORDS];
        words[0] = self.requests.pop_front().unwrap_or_default();
        let kind = input.byte().unwrap_or_default();
        // code and stage
        words[1] = u32::from(kind & 0xF);
        words[2] = u32::from(kind >> 4);
        // start, length and checksum of the reply
        words[8] = input.word();
        words[9] = input.word();
        words[10] = input.word();
        let last = result::WORDS - 1;
        words[last] = crc32_words(&words[..last]);
        words
    }
}

/// One byte decides what happens next.
fn session(content: &[u8]) {
    let mut input = Input::new(content);
    let mut exchange = Exchange::new();
    let mut target = Target::default();
    let mut submitted = Vec::new();
    while let Some(choice) = input.byte() {
        let action = match choice % 16 {
            0 => {
                let offset = FlashOffset::new(input.word() % (8 << 20));
                let length = usize::from(input.byte().unwrap_or_default()) * 64;
                let data = vec![choice; length + 1];
                submitted.push(exchange.submit(Operation::Program { offset, data }));
                continue;
            }
            1 => {
                let [address, length] = input.words();
                let request = Request::Read { address, length };
                submitted.push(exchange.submit(Operation::Plain(request)));
                continue;
            }
            2 => {
                submitted.push(exchange.submit(Operation::Plain(Request::ClearFault)));
                continue;
            }
            3 => {
                exchange.abandon();
                continue;
            }
            4 => {
                exchange.give_up();
                continue;
            }
            5 => {
                exchange.renew_lease();
                continue;
            }
            6 => {
                if let Some(sequence) = submitted.pop() {
                    let was_there = exchange.has_outcome(sequence);
                    assert_eq!(exchange.take_outcome(sequence).is_some(), was_there);
                }
                continue;
            }
            7 => exchange.look(),
            _ => exchange.advance(),
        };
        match action {
            Action::Write { offset, words } => target.written(offset, &words),
            Action::Read { offset, words } => {
                let words = target.read(offset, words, &mut input);
                if exchange.received(&words).is_err() {
                    return;
                }
            }
            Action::Wait => {}
            Action::Idle => assert_eq!(exchange.open_requests(), 0),
        }
    }
}
