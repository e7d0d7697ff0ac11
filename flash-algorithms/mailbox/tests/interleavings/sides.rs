//! Host and target as PROTOCOL.md has them, one step a function, over any view of the area; with the mistakes that a test
//! can ask for.

use mailbox::chunk::{ChunkHeader, HEADER_WORDS};
use mailbox::crc::Crc32;
use mailbox::layout::{self, CHUNK_HEADER_BYTES};
use mailbox::{Chunk, Fault, Request, ResultRecord, Status, Words, request, result, status};

/// What is done wrongly. A rule that can be broken without a test failing is not tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    None,
    /// The target does not order its counter after what it counts.
    TargetOrdersNothing,
    /// The target does not order what it reads after the counter that says it is there.
    TargetReadsAtOnce,
    /// The same, for payload only.
    ChunkReadAtOnce,
    /// The target moves its counter before the record.
    TargetCountsFirst,
    /// The target frees a chunk before it has read it.
    TargetFreesFirst,
    /// The target frees chunks after the result of their request.
    TargetFreesLate,
    /// The target does not wait for room in the reply ring.
    TargetAsksNoRoom,
    /// The target does not order the count of faults after the fault line.
    FaultLineUnordered,
    /// The target does not order the result after the fault.
    FaultAfterResult,
    /// The host rings before it writes.
    HostRingsFirst,
    /// The host reads a result without looking whether it is there.
    HostAsksNoResult,
    /// The host uses a slot again without looking whether it is free.
    HostAsksNoRoom,
    /// The host gives a reply's room back before it has read the reply.
    HostFreesFirst,
    /// The host reads the status from its end.
    HostReadsBackwards,
}

/// Data bytes of a chunk here: one word, because every word is a step that loom interleaves.
pub const CHUNK_BYTES: u32 = 4;

/// The payload of chunk `sequence`.
pub fn data(sequence: u32) -> [u8; CHUNK_BYTES as usize] {
    (!sequence).to_le_bytes()
}

/// Flash offset of chunk `sequence`.
pub fn address(sequence: u32) -> u32 {
    sequence.wrapping_mul(CHUNK_BYTES)
}

/// What is asked in request `sequence` where it does not matter what.
pub fn digest_request(sequence: u32) -> Request {
    Request::Digest {
        address: sequence,
        length: !sequence,
        nonce: sequence ^ 0x5555_5555,
    }
}

/// The answer to it.
pub fn digest_result(sequence: u32) -> ResultRecord {
    ResultRecord {
        values: [sequence, !sequence],
        ..ResultRecord::new(sequence, Ok(()))
    }
}

/// The host.
pub struct Host<W> {
    pub words: W,
    pub mistake: Mistake,
    pub replies_taken: u32,
    pub payload_put: u32,
    pub requests_put: u32,
}

impl<W: Words> Host<W> {
    /// The live words; the doorbell last. The lease is left out: nothing depends on its order.
    pub fn ring(&self) {
        let words = [self.replies_taken, self.payload_put, self.requests_put];
        self.words.store_all(layout::HOST_REPLIES_TAKEN, &words);
    }

    /// Writes a request record and counts it; the doorbell is the caller's.
    pub fn write_request(&mut self, request: Request) {
        let sequence = self.requests_put;
        self.requests_put = sequence.wrapping_add(1);
        if self.mistake == Mistake::HostRingsFirst {
            self.ring();
        }
        let record = request.to_words(sequence);
        self.words
            .store_all(layout::request_slot(sequence), &record);
        self.words.order();
    }

    /// Writes a chunk and counts it; the doorbell is the caller's.
    pub fn write_chunk(&mut self) {
        let sequence = self.payload_put;
        self.payload_put = sequence.wrapping_add(1);
        if self.mistake == Mistake::HostRingsFirst {
            self.ring();
        }
        write_chunk(&self.words, sequence);
        self.words.order();
    }

    /// The status in one burst.
    pub fn look(&self) -> Status {
        let mut words = [0; status::WORDS];
        if self.mistake == Mistake::HostReadsBackwards {
            for (n, word) in words.iter_mut().enumerate().rev() {
                *word = self.words.load(layout::STATUS + n as u32 * 4);
            }
        } else {
            self.words.load_all(layout::STATUS, &mut words);
        }
        Status::from_words(&words)
    }

    /// Looks until `ready`.
    pub fn wait(&self, mut ready: impl FnMut(&Status) -> bool) -> Status {
        loop {
            let status = self.look();
            if ready(&status) {
                return status;
            }
            loom::thread::yield_now();
        }
    }

    /// Waits for a result and reads its record, which must be whole.
    pub fn collect(&self, sequence: u32) -> ResultRecord {
        if self.mistake != Mistake::HostAsksNoResult {
            self.wait(|status| is_past(status.results_put, sequence));
        }
        let mut words = [0; result::WORDS];
        self.words
            .load_all(layout::result_slot(sequence), &mut words);
        ResultRecord::from_words(&words, sequence).expect("a result is whole once it counts")
    }

    /// Reads a reply, which must be whole, and gives its room back.
    pub fn take_reply(&mut self, record: &ResultRecord) -> Vec<u32> {
        self.replies_taken = record
            .reply_start
            .wrapping_add(record.reply_length.next_multiple_of(4));
        if self.mistake == Mistake::HostFreesFirst {
            self.ring();
        }
        let mut words = vec![0; record.reply_length.div_ceil(4) as usize];
        self.words
            .load_all(layout::reply_offset(record.reply_start), &mut words);
        assert_eq!(crc(&words), record.reply_crc, "a reply is whole");
        self.ring();
        words
    }
}

/// The target.
pub struct Target<W> {
    pub words: W,
    pub mistake: Mistake,
    pub replies_put: u32,
}

impl<W: Words> Target<W> {
    /// Between a counter and what it counts, where this side writes both.
    fn order_writes(&self) {
        if self.mistake != Mistake::TargetOrdersNothing {
            self.words.order();
        }
    }

    /// Clears what an earlier session left, then says that it is up.
    pub fn start(&self, session: u32) {
        self.words.store(status::AT_SESSION, 0);
        self.order_writes();
        for offset in [
            status::AT_RESULTS_PUT,
            status::AT_PAYLOAD_TAKEN,
            status::AT_FAULTS,
        ] {
            self.words.store(offset, 0);
        }
        self.order_writes();
        self.words.store(status::AT_SESSION, session);
    }

    /// Waits for the host's word at `offset` to say so; then what the host wrote before it may be read.
    fn wait(&self, offset: u32, ready: impl Fn(u32) -> bool) {
        while !ready(self.words.load(offset)) {
            loom::thread::yield_now();
        }
        let at_once = match offset {
            layout::HOST_PAYLOAD_PUT => Mistake::ChunkReadAtOnce,
            _ => Mistake::TargetReadsAtOnce,
        };
        if self.mistake != at_once {
            self.words.order();
        }
    }

    /// Takes a request, which must be whole.
    pub fn take_request(&self, sequence: u32) -> Request {
        self.wait(layout::HOST_REQUESTS_PUT, |put| is_past(put, sequence));
        let mut record = [0; request::WORDS];
        self.words
            .load_all(layout::request_slot(sequence), &mut record);
        let request =
            Request::from_words(&record, sequence).expect("a request is whole once it counts");
        self.words
            .store(status::AT_REQUESTS_TAKEN, sequence.wrapping_add(1));
        request
    }

    /// Takes a chunk, which must be whole and stay so until it is freed.
    pub fn take_chunk(&self, sequence: u32) {
        self.wait(layout::HOST_PAYLOAD_PUT, |put| is_past(put, sequence));
        if self.mistake == Mistake::TargetFreesFirst {
            self.free_payload(sequence.wrapping_add(1));
        }
        let slot = layout::payload_slot(sequence);
        let mut header = [0; HEADER_WORDS];
        self.words.load_all(slot, &mut header);
        let header = ChunkHeader::from_words(header);
        assert_eq!(
            (header.sequence, header.address, header.length),
            (sequence, address(sequence), CHUNK_BYTES),
            "a chunk is whole once it counts"
        );
        let mut crc = header.crc_start();
        for n in 0..header.data_words() {
            crc.word(self.words.load(slot + CHUNK_HEADER_BYTES + n * 4));
        }
        assert_eq!(crc.finish(), header.crc, "a chunk is whole once it counts");
        if !matches!(
            self.mistake,
            Mistake::TargetFreesFirst | Mistake::TargetFreesLate
        ) {
            self.free_payload(sequence.wrapping_add(1));
        }
    }

    pub fn free_payload(&self, taken: u32) {
        self.words.store(status::AT_PAYLOAD_TAKEN, taken);
    }

    /// Puts a reply and the result about it.
    pub fn put_reply(&mut self, sequence: u32, reply: &[u32]) {
        let length = reply.len() as u32 * 4;
        let start = layout::reply_start(self.replies_put, length);
        if self.mistake != Mistake::TargetAsksNoRoom {
            self.wait(layout::HOST_REPLIES_TAKEN, |taken| {
                layout::reply_fits(start, length, taken)
            });
        }
        self.words.store_all(layout::reply_offset(start), reply);
        self.replies_put = start.wrapping_add(length);
        self.words.store(status::AT_REPLIES_PUT, self.replies_put);
        self.put_result(&ResultRecord {
            reply_start: start,
            reply_length: length,
            reply_crc: crc(reply),
            ..digest_result(sequence)
        });
    }

    /// Payload, then result, then barrier, then counter.
    pub fn put_result(&self, record: &ResultRecord) {
        let put = record.sequence.wrapping_add(1);
        if self.mistake == Mistake::TargetCountsFirst {
            self.words.store(status::AT_RESULTS_PUT, put);
        }
        self.words
            .store_all(layout::result_slot(record.sequence), &record.to_words());
        if self.mistake != Mistake::FaultAfterResult {
            self.order_writes();
        }
        self.words.store(status::AT_RESULTS_PUT, put);
    }

    /// The fault line, then the count that makes it valid.
    pub fn put_fault(&self, sequence: u32, fault: &Fault) {
        let (code, stage) = (fault.code.word(), fault.stage.word());
        let (address, expected, found) = (fault.address, fault.expected, fault.found);
        let line = [sequence, code, stage, address, expected, found];
        self.words.store_all(status::AT_FAULT_LINE, &line);
        if self.mistake != Mistake::FaultLineUnordered {
            self.order_writes();
        }
        self.words.store(status::AT_FAULTS, 1);
    }
}

/// The words of a chunk into its slot.
pub fn write_chunk(words: &impl Words, sequence: u32) {
    let data = data(sequence);
    let chunk = Chunk::new(sequence, address(sequence), &data).expect("a chunk");
    let chunk: Vec<u32> = chunk.words().collect();
    words.store_all(layout::payload_slot(sequence), &chunk);
}

/// Whether `counter` counts number `sequence`; both wrap.
pub fn is_past(counter: u32, sequence: u32) -> bool {
    let ahead = counter.wrapping_sub(sequence);
    ahead != 0 && ahead < 1 << 31
}

/// The checksum of a reply.
pub fn crc(words: &[u32]) -> u32 {
    let mut crc = Crc32::new();
    words.iter().for_each(|word| crc.word(*word));
    crc.finish()
}
