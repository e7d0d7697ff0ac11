//! Promises of the Black Magic Probe's remote protocol: packet by packet, and probe-rs's own driver over TCP unchanged.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

#[path = "remote/packets.rs"]
mod packets;
#[path = "remote/probe_rs_over_tcp.rs"]
mod probe_rs_over_tcp;

use std::sync::atomic::{AtomicU32, Ordering};

use virtual_board::board::{BoardConfig, BoardHandle};
use virtual_board::nor::Part;
use virtual_board::remote::{BLACK_MAGIC, Framed, Framer, Idle, Server, Version};

static SERIAL: AtomicU32 = AtomicU32::new(0);

/// A board with a blank flash, and its probe.
struct Bench {
    board: BoardHandle,
    server: Server,
}

impl Bench {
    fn new(version: u8) -> Self {
        let serial = format!("remote-{}", SERIAL.fetch_add(1, Ordering::Relaxed));
        let config = BoardConfig {
            probe: BLACK_MAGIC,
            ..BoardConfig::new(Part::builtin("is25wp064").unwrap())
        };
        let board = BoardHandle::start(config, &serial).unwrap();
        let version = Version::new(version).unwrap();
        let server = Server::new(board.clone(), version, Idle::Stands);
        Bench { board, server }
    }

    /// The answer to one packet, given without `!` and `#`.
    fn ask(&self, packet: &str) -> String {
        let packet = Framed::Packet(packet.as_bytes().to_vec());
        String::from_utf8(self.server.answer(packet).unwrap()).unwrap()
    }

    /// The answers to all packets of a stream of bytes.
    fn stream(&self, bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut framer = Framer::default();
        bytes
            .iter()
            .filter_map(|byte| framer.push(*byte))
            .map(|packet| self.server.answer(packet).unwrap())
            .collect()
    }

    /// Brings the debug port up by raw bits and registers, as a host does.
    fn power_up(&self) {
        assert_eq!(self.ask("SS"), "&K0#");
        // JTAG-to-SWD selection between two line resets
        for bits in ["So20ffffffff", "So20ffffffff", "So10e79e", "So20ffffffff"] {
            assert_eq!(self.ask(bits), "&K0#");
        }
        assert_eq!(self.ask("So200fffffff"), "&K0#");
    }
}
