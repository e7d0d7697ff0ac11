//! What must hold for the target's side, whatever the host or a broken wire writes into the mailbox: every request gets an
//! answer that proves itself, and no register is touched that the chip does not have.

use std::cell::Cell;
use std::sync::LazyLock;
use std::sync::atomic::AtomicU32;

use flexspi_nor::server::{Next, Server};
use mailbox::crc::{Crc32, crc32_words};
use mailbox::words::Words;
use mailbox::{Chunk, ResultRecord, layout, request, result, setup};

use super::Input;
use crate::board::Board;
use crate::host::{self, Area, Session};
use virtual_board::nor::Part;

/// Long leases and limits only make the test slow: each of them ends a wait.
const LEASE_MS: u32 = 20;
const LONGEST_LIMIT_US: u32 = 20_000;
/// A small flash makes a quick test.
const FLASH_BYTES: u32 = 0x4_0000;
const LEASE_WORD: usize = 3;
const FLASH_BYTES_WORD: usize = 4;
const LIMIT_WORDS: std::ops::RangeInclusive<usize> = 5..=12;

static PART: LazyLock<Part> = LazyLock::new(|| Part {
    size_bytes: FLASH_BYTES,
    ..Part::builtin("is25wp064").expect("part")
});

thread_local! {
    /// The algorithm keeps its area for good, so that one serves all runs of a thread.
    static AREA: Cell<Option<Area>> = const { Cell::new(None) };
}

fn cleared_area() -> Area {
    let area = AREA.get().unwrap_or_else(|| {
        let words = (0..layout::AREA_BYTES / 4).map(|_| AtomicU32::new(0));
        Box::leak(words.collect())
    });
    AREA.set(Some(area));
    for offset in (0..layout::AREA_BYTES).step_by(4) {
        area.store(offset, 0);
    }
    area
}

/// One byte decides what the host does next; the first, whether the setup is a sound one.
pub fn server(content: &[u8]) {
    let mut input = Input::new(content);
    let words = cleared_area();
    let known = setup::Setup {
        lease_ms: LEASE_MS,
        flash_bytes: FLASH_BYTES,
        ..host::setup()
    };
    let mut block = known.to_words();
    if input.byte().unwrap_or_default() & 1 == 1 {
        // two words of it are others
        for _ in 0..2 {
            let at = usize::from(input.byte().unwrap_or_default()) % (setup::WORDS - 1);
            block[at] = input.word();
        }
        block[LEASE_WORD] = block[LEASE_WORD].min(LEASE_MS);
        block[FLASH_BYTES_WORD] = block[FLASH_BYTES_WORD].min(FLASH_BYTES);
        for limit in &mut block[LIMIT_WORDS] {
            *limit = (*limit).min(LONGEST_LIMIT_US);
        }
        block[setup::WORDS - 1] = crc32_words(&block[..setup::WORDS - 1]);
    }
    words.store_all(layout::SETUP, &block);
    let board = Board::with_part(PART.clone());
    let mut session = Session {
        server: Server::start(board.clone(), words),
        board,
        words,
        requests_put: 0,
        payload_put: 0,
        lease: 0,
    };
    let mut answered = 0;
    while let Some(choice) = input.byte() {
        act(&mut session, choice, &mut input);
        let next = session.server.poll();
        answered = answers(&session, answered);
        if next == Next::ResetRequested {
            break;
        }
    }
    session.board.with(|model| {
        assert!(model.faults.is_empty(), "{:?}", model.faults);
    });
}

fn act(session: &mut Session, choice: u8, input: &mut Input<'_>) {
    match choice % 8 {
        // any request, whole
        0 | 1 => {
            let mut record: [u32; request::WORDS] = [0; request::WORDS];
            let kind = u32::from(choice >> 3) % 11;
            record[0] = kind;
            record[1] = session.requests_put;
            for word in &mut record[2..7] {
                *word = input.word();
            }
            let [_, _, address, length, ..] = &mut record;
            if choice & 1 == 1 {
                // where it may succeed
                *address = (*address % FLASH_BYTES) & !0xFFF;
                *length &= !0xFFF;
            }
            record[request::WORDS - 1] = crc32_words(&record[..request::WORDS - 1]);
            put(session, &record);
        }
        // any words in place of a request
        2 => {
            let record: [u32; request::WORDS] = input.words();
            put(session, &record);
        }
        3 => {
            let address = input.word();
            let length = usize::from(input.byte().unwrap_or_default()) * 17;
            let data = input.bytes(length);
            if Chunk::new(0, address, data).is_some() {
                session.put_chunk(address, data);
            }
        }
        // a program request for the chunks that are there
        4 => {
            let address = (input.word() % FLASH_BYTES) & !3;
            let data = input.bytes(usize::from(choice) * 4);
            if !data.is_empty() {
                session.put_chunk(address, data);
                let request = mailbox::Request::Program {
                    address,
                    length: data.len() as u32,
                    first_chunk: session.payload_put - 1,
                    chunks: 1,
                };
                session.put(request);
            }
        }
        // any value in one of the live words
        5 => {
            let offset = layout::HOST + 4 * u32::from(choice >> 6);
            session.words.store(offset, input.word());
        }
        6 => session.renew(),
        _ => {}
    }
}

fn put(session: &mut Session, record: &[u32; request::WORDS]) {
    let slot = layout::request_slot(session.requests_put);
    session.words.store_all(slot, record);
    session.requests_put = session.requests_put.wrapping_add(1);
    let put = session.requests_put;
    session.words.store(layout::HOST_REQUESTS_PUT, put);
}

/// Checks the answers from number `answered` on; the number of the next.
fn answers(session: &Session, answered: u32) -> u32 {
    let status = session.status();
    assert!(status.state.is_some());
    assert!(status.results_put.wrapping_sub(answered) <= 1);
    if status.results_put == answered {
        return answered;
    }
    let mut words = [0; result::WORDS];
    let slot = layout::result_slot(answered);
    session.words.load_all(slot, &mut words);
    let record = ResultRecord::from_words(&words, answered).expect("a result proves itself");
    assert!(record.outcome.is_ok() || status.fault.is_some());
    assert!(record.reply_length <= layout::REPLY_MAX_BYTES);
    let offset = layout::reply_offset(record.reply_start);
    let count = record.reply_length.div_ceil(4);
    assert!(offset + 4 * count <= layout::REPLIES + layout::REPLIES_BYTES);
    let mut crc = Crc32::new();
    for index in 0..count {
        crc.word(session.words.load(offset + 4 * index));
    }
    assert!(count == 0 || crc.finish() == record.reply_crc);
    status.results_put
}
