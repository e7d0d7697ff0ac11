//! A Black Magic Probe's end of its remote protocol: packets in, packets out, over the board's SWD wire.
//!
//! Facts after the Black Magic project's description of the protocol (Black Magic Debug v2.0.0: src/remote.h,
//! src/platforms/hosted/remote/protocol_v0_defs.h to protocol_v4_defs.h) and after what probe-rs 0.32.0 sends
//! (src/probe/blackmagic). A packet is `!`, letters, hexadecimal fields, `#`; the answer `&`, a letter, digits, `#`.
//!
//! | version | what came with it |
//! |---|---|
//! | 0 | raw SWD bits, nRST, power, VTref; ADIv5 access under `H` (the "v0+" of the project) |
//! | 1 | a device index in every ADIv5 packet |
//! | 2 | clock frequency, clock output enable |
//! | 3 | ADIv5 under `A` with the cause of an error |
//! | 4 | 64-bit addresses, the question for accelerations |
//!
//! JTAG and SPI are answered with `N` (not supported): the virtual board has no JTAG. ADIv6 and RISC-V are not offered
//! as accelerations, and unrecognised. What a real probe answers nothing to, or reads beyond its buffer for, gets an
//! error here.

mod access;
mod commands;
mod line;
mod packet;
mod reply;
mod server;

use std::time::Duration;

pub use packet::{BUFFER_BYTES, Framed, Framer};
pub use server::{Idle, ServeError, Server};

use crate::probe::{Interface, Profile};
use crate::time::Time;
use line::Line;
use reply::Reply;

/// A Black Magic Probe on a full-speed USB port.
pub const BLACK_MAGIC: Profile = Profile {
    name: "black-magic",
    round_trip: Duration::from_millis(1),
    interface: Interface::RawBits {
        max_bits: usize::MAX,
    },
    max_khz: 4_000,
    default_khz: 1_000,
    source: "estimates: one packet and its answer in one frame of full-speed USB (1 ms); SWD by bit banging on a 72 MHz \
             STM32F103 at 1 MHz, at most 4 MHz",
};

/// What this probe calls itself.
const IDENTITY: &str = "Black Magic Probe of the rtflash virtual board";

/// The pins of the probe, as the firmware uses them. Every call passes virtual time.
pub trait Pins {
    /// One SWCLK period in which the probe drives `driven`. Gives SWDIO after the rising edge.
    fn clock(&mut self, driven: Option<bool>) -> bool;

    /// Pulls nRST low (`false`) or lets it go.
    fn set_nreset(&mut self, level: bool);

    /// Sets the SWCLK frequency.
    fn set_khz(&mut self, khz: u32);

    /// The SWCLK frequency.
    fn khz(&self) -> u32;

    /// VTref in millivolts.
    fn target_millivolts(&self) -> u32;

    /// Virtual time.
    fn now(&self) -> Time;
}

/// Version of the remote protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(u8);

impl Version {
    /// The oldest that is spoken.
    pub const OLDEST: Version = Version(0);
    /// The newest that is spoken.
    pub const NEWEST: Version = Version(4);

    /// The version of this number, if it is spoken.
    pub fn new(number: u8) -> Option<Self> {
        (number <= Self::NEWEST.0).then_some(Version(number))
    }

    /// The version's number.
    pub const fn number(self) -> u8 {
        self.0
    }
}

/// The firmware between two packets.
#[derive(Debug)]
pub struct Remote {
    version: Version,
    line: Line,
    nreset: bool,
}

impl Remote {
    /// A probe that has just been powered, speaking `version`.
    pub fn new(version: Version) -> Self {
        Remote {
            version,
            line: Line::new(),
            nreset: true,
        }
    }

    /// Does what `packet` asks for, and gives the answer as bytes.
    pub fn answer(&mut self, packet: &Framed, pins: &mut dyn Pins) -> Vec<u8> {
        let reply = match packet {
            Framed::Packet(packet) => self.obey(packet, pins).unwrap_or_else(Reply::from),
            Framed::TooLong => Reply::WRONG_LENGTH,
        };
        reply.encode()
    }
}
