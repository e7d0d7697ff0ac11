//! The host's side of the mailbox, as plainly as PROTOCOL.md has it.

use crate::board::Board;
use flexspi_nor::server::{Next, Server};
use mailbox::layout;
use mailbox::setup::SuspendFlags;
use mailbox::words::Words;
use mailbox::{Chunk, Request, ResultRecord, Setup, Status, setup, status};
use std::sync::atomic::AtomicU32;

pub type Area = &'static [AtomicU32];

/// A board with a server on it and a host beside it.
pub struct Session {
    pub board: Board,
    pub words: Area,
    pub server: Server<Board, Area>,
    pub requests_put: u32,
    pub payload_put: u32,
    pub lease: u32,
}

/// What the host knows of an IS25WP064: maxima doubled.
pub fn setup() -> Setup {
    Setup {
        session: 0xC0FF_EE01,
        lease_ms: 2000,
        flash_bytes: 8 << 20,
        page_program_limit_us: 1_600,
        erase_4k_limit_us: 600_000,
        erase_32k_limit_us: 1_000_000,
        erase_64k_limit_us: 2_000_000,
        erase_chip_limit_us: 90_000_000,
        write_status_limit_us: 30_000,
        reset_recovery_us: 100,
        power_down_release_us: 30,
        flags: setup::FLAG_DQS_LOOPBACK | setup::FLAG_QUAD | setup::FLAG_QPI,
        quad_enable_mask: 0x40,
        quad_program_opcode: 0x32,
        quad_read_opcode: 0xEB,
        quad_read_dummy_clocks: 4,
        fast_read_dummy_clocks: 8,
        work_clock_mhz: 80,
        further_status: Default::default(),
        suspend: SuspendFlags {
            read_opcode: 0x48,
            mask: 0x0C,
        },
        jedec_id: [0x9D, 0x70, 0x17],
    }
}

impl Session {
    pub fn start(board: Board, setup: Setup) -> Self {
        let words: Area = Box::leak(
            (0..layout::AREA_BYTES / 4)
                .map(|_| AtomicU32::new(0))
                .collect(),
        );
        words.store_all(layout::SETUP, &setup.to_words());
        let server = Server::start(board.clone(), words);
        Session {
            board,
            words,
            server,
            requests_put: 0,
            payload_put: 0,
            lease: 0,
        }
    }

    pub fn up(board: Board) -> Self {
        let session = Session::start(board, setup());
        let status = session.status();
        assert!(status.is_up(setup().session), "{status:x?}");
        assert_eq!(status.fault, None);
        session
    }

    pub fn status(&self) -> Status {
        let mut words = [0; status::WORDS];
        self.words.load_all(layout::STATUS, &mut words);
        Status::from_words(&words)
    }

    pub fn renew(&mut self) {
        self.lease += 1;
        self.words.store(layout::HOST_LEASE, self.lease);
    }

    pub fn put(&mut self, request: Request) -> u32 {
        let sequence = self.requests_put;
        self.words
            .store_all(layout::request_slot(sequence), &request.to_words(sequence));
        self.requests_put += 1;
        self.words
            .store(layout::HOST_REQUESTS_PUT, self.requests_put);
        sequence
    }

    pub fn result(&self, sequence: u32) -> ResultRecord {
        let mut words = [0; mailbox::result::WORDS];
        self.words
            .load_all(layout::result_slot(sequence), &mut words);
        ResultRecord::from_words(&words, sequence).expect("a whole result record")
    }

    pub fn ask(&mut self, request: Request) -> ResultRecord {
        self.renew();
        let sequence = self.put(request);
        while self.status().results_put == sequence {
            assert_eq!(self.server.poll(), Next::GoOn);
        }
        self.result(sequence)
    }

    pub fn ok(&mut self, request: Request) -> ResultRecord {
        let result = self.ask(request);
        assert_eq!(result.outcome, Ok(()), "{request:?}");
        result
    }

    /// Takes a reply's words and frees its room.
    pub fn reply(&mut self, result: &ResultRecord) -> Vec<u32> {
        let mut words = vec![0; result.reply_length.div_ceil(4) as usize];
        self.words
            .load_all(layout::reply_offset(result.reply_start), &mut words);
        let mut crc = mailbox::crc::Crc32::new();
        words.iter().for_each(|word| crc.word(*word));
        assert_eq!(crc.finish(), result.reply_crc);
        let taken = result.reply_start + result.reply_length.next_multiple_of(4);
        self.words.store(layout::HOST_REPLIES_TAKEN, taken);
        words
    }

    pub fn put_chunk(&mut self, address: u32, data: &[u8]) {
        let chunk = Chunk::new(self.payload_put, address, data).unwrap();
        let words: Vec<u32> = chunk.words().collect();
        self.words
            .store_all(layout::payload_slot(self.payload_put), &words);
        self.payload_put += 1;
        self.words.store(layout::HOST_PAYLOAD_PUT, self.payload_put);
    }

    pub fn program(&mut self, address: u32, data: &[u8]) -> ResultRecord {
        let first_chunk = self.payload_put;
        let mut at = address;
        for piece in data.chunks(layout::CHUNK_DATA_BYTES as usize) {
            self.put_chunk(at, piece);
            at += piece.len() as u32;
        }
        let chunks = self.payload_put - first_chunk;
        self.ask(Request::Program {
            address,
            length: data.len() as u32,
            first_chunk,
            chunks,
        })
    }
}

/// Bytes that repeat nowhere soon.
pub fn noise(seed: u64, bytes: usize) -> Vec<u8> {
    let mut x = seed | 1;
    (0..bytes)
        .map(|_| {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            (x >> 24) as u8
        })
        .collect()
}
