//! The host's exchange and the real server at once: whenever the server touches the mailbox, the host may move one word, in
//! the middle of a record of either side.

use std::cell::RefCell;
use std::sync::atomic::AtomicU32;

use flexspi_nor::server::{Next, Server};
use mailbox::layout;
use mailbox::words::Words;
use mailbox::{Request, Setup, request};
use proptest::prelude::*;
use rtflash::address::FlashOffset;
use rtflash::algorithm::{Action, Exchange, Operation};

use crate::board::Board;
use crate::host::{noise, setup};

/// A burst of the host on its way.
struct Burst {
    offset: u32,
    words: Vec<u32>,
    done: usize,
    is_read: bool,
}

struct HostSide {
    exchange: Exchange,
    burst: Option<Burst>,
    /// How many of the server's accesses pass before the host's next word; taken in turn.
    paces: Vec<u32>,
    turn: usize,
    left: u32,
}

struct Shared {
    area: Vec<AtomicU32>,
    host: RefCell<HostSide>,
}

/// The area as the server sees it.
#[derive(Clone, Copy)]
struct View(&'static Shared);

impl Words for View {
    fn load(&self, offset: u32) -> u32 {
        self.0.host_may_move();
        self.0.area[..].load(offset)
    }
    fn store(&self, offset: u32, value: u32) {
        self.0.area[..].store(offset, value);
        self.0.host_may_move();
    }
}

impl Shared {
    fn host_may_move(&self) {
        let mut host = self.host.borrow_mut();
        if host.left > 0 {
            host.left -= 1;
            return;
        }
        host.turn += 1;
        host.left = host.paces[host.turn % host.paces.len()];
        host.one_word(&self.area);
    }
}

impl HostSide {
    fn one_word(&mut self, area: &[AtomicU32]) {
        if self.burst.is_none() {
            self.burst = match self.exchange.advance() {
                Action::Write { offset, words } => Some((offset, words, false)),
                Action::Read { offset, words } => Some((offset, vec![0; words], true)),
                Action::Wait => {
                    self.exchange.renew_lease();
                    None
                }
                Action::Idle => None,
            }
            .map(|(offset, words, is_read)| Burst {
                offset,
                words,
                done: 0,
                is_read,
            });
        }
        let Some(burst) = &mut self.burst else { return };
        let at = burst.offset + burst.done as u32 * 4;
        let word = &mut burst.words[burst.done];
        if burst.is_read {
            *word = area.load(at);
        } else {
            area.store(at, *word);
        }
        burst.done += 1;
        if burst.done == burst.words.len()
            && let Some(burst) = self.burst.take()
            && burst.is_read
        {
            self.exchange
                .received(&burst.words)
                .expect("nothing is damaged");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_interleaved_with_what_the_flash_holds_what_was_sent(
        lengths in prop::collection::vec(1u32..6000, 1..24),
        paces in prop::collection::vec(prop_oneof![3 => Just(0u32), 2 => 1u32..6, 1 => 1u32..200], 1..20),
    ) {
        let area: Vec<AtomicU32> = (0..layout::AREA_BYTES / 4).map(|_| AtomicU32::new(0)).collect();
        // the slowest paces take seconds for a burst; leases are not what this is about
        let setup = Setup { lease_ms: u32::MAX, ..setup() };
        area.store_all(layout::SETUP, &setup.to_words());
        let host = HostSide { exchange: Exchange::new(), burst: None, paces, turn: 0, left: 0 };
        let shared: &'static Shared = Box::leak(Box::new(Shared { area, host: RefCell::new(host) }));
        let board = Board::new("is25wp064");
        let mut server = Server::start(board.clone(), View(shared));
        let mut expected = Vec::new();
        let mut reads = Vec::new();
        for (n, &length) in lengths.iter().enumerate() {
            let address = n as u32 * 0x2000;
            let data = noise(n as u64 + 1, length as usize);
            let exchange = &mut shared.host.borrow_mut().exchange;
            let erase = Request::Erase { address, size: 0x1000, opcode: 0x20, flags: request::ERASE_CHECK_BLANK };
            exchange.submit(Operation::Plain(erase));
            exchange.submit(Operation::Program { offset: FlashOffset::new(address), data: data.clone() });
            reads.push(exchange.submit(Operation::Plain(Request::Read { address, length })));
            expected.push(data);
        }
        let open = || shared.host.borrow().exchange.open_requests();
        for _ in 0..2_000_000 {
            if open() == 0 {
                break;
            }
            prop_assert_eq!(server.poll(), Next::GoOn);
        }
        prop_assert_eq!(open(), 0, "host and server wait for each other");
        let exchange = &mut shared.host.borrow_mut().exchange;
        prop_assert_eq!(exchange.status().and_then(|status| status.fault), None);
        prop_assert_eq!(exchange.programmed_bytes(), lengths.iter().map(|length| u64::from(*length)).sum::<u64>());
        for (n, (number, data)) in reads.into_iter().zip(expected).enumerate() {
            let outcome = exchange.take_outcome(number).expect("an outcome for every request");
            prop_assert_eq!(outcome.result, Ok(()));
            let mut bytes: Vec<u8> = outcome.reply.iter().flat_map(|word| word.to_le_bytes()).collect();
            bytes.truncate(data.len());
            prop_assert!(bytes == data, "the reply differs");
            let held = board.with(|model| model.nor.content()[n * 0x2000..][..data.len()].to_vec());
            prop_assert!(held == data, "the flash differs");
        }
        board.assert_clean();
    }
}
