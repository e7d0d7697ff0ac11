//! FlexSPI1: its registers, IP commands in virtual time, and AHB reads through buffers that go stale.
//!
//! Modelled for one flash on port A1 with up to four lines, single transfer rate. What else the block can do (parallel
//! mode, port B, write mask, half speed, AHB writes) is a violation when it is switched on.

mod access;
mod ahb;
mod faults;
mod fifo;
pub mod instruction;
mod ip;
pub mod registers;
mod wires;

pub use faults::Faults;

use crate::nor::Nor;
use crate::time::Time;
use crate::trace::Trace;
use registers as reg;
use wires::Chip;

/// Which pads are muxed to FlexSPI A.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pads {
    /// A_SS0_B.
    pub ss0: bool,
    /// A_SCLK.
    pub sclk: bool,
    /// A_DATA0 to A_DATA3.
    pub data: [bool; 4],
    /// A_DQS.
    pub dqs: bool,
}

impl Pads {
    /// All of them.
    pub const ALL: Pads = Pads {
        ss0: true,
        sclk: true,
        data: [true; 4],
        dqs: true,
    };
}

/// What the block is connected to, at the moment of an access.
#[derive(Debug)]
pub struct Ports<'a> {
    /// Virtual time.
    pub now: Time,
    /// FlexSPI serial root clock; 0 when gated or stopped.
    pub serial_root_hz: u64,
    /// Pads muxed to it.
    pub pads: Pads,
    /// The flash on A_SS0.
    pub nor: &'a mut Nor,
    /// The log.
    pub trace: &'a mut Trace,
}

/// One FlexSPI block.
#[derive(Clone, Debug)]
pub struct FlexSpi {
    mcr0: u32,
    mcr1: u32,
    mcr2: u32,
    ahbcr: u32,
    inten: u32,
    flags: u32,
    lutkey: u32,
    key_given: bool,
    lut_locked: bool,
    ahbrxbuf: [u32; 4],
    flshcr0: [u32; 4],
    flshcr1: [u32; 4],
    flshcr2: [u32; 4],
    flshcr4: u32,
    ipcr0: u32,
    ipcr1: u32,
    iprxfcr: u32,
    iptxfcr: u32,
    dllcr: [u32; 2],
    sts1: u32,
    lut: [u32; reg::lut::WORDS],
    rx: fifo::RxFifo,
    tx: fifo::TxFifo,
    run: Option<ip::Run>,
    /// Nothing happens in the command under way before this.
    piece_ends: Time,
    buffers: [ahb::RxBuffer; 4],
    saved_pointer: u8,
    prefetch_until: Time,
    wires_free_at: Time,
    /// What is wrong with it.
    pub faults: Faults,
    strikes: u64,
    /// IP commands that received.
    receptions: u64,
    /// What the last of them received, and the one before; kept only where a fault may ask for it.
    received: [Vec<u8>; 2],
}

impl Default for FlexSpi {
    fn default() -> Self {
        FlexSpi::new()
    }
}

impl FlexSpi {
    /// The block after power-on.
    pub fn new() -> Self {
        FlexSpi {
            mcr0: reg::mcr0::RESET,
            mcr1: reg::mcr1::RESET,
            mcr2: reg::mcr2::RESET,
            ahbcr: reg::ahbcr::RESET,
            inten: 0,
            flags: 0,
            lutkey: reg::lut::KEY,
            key_given: false,
            lut_locked: false,
            ahbrxbuf: std::array::from_fn(|n| {
                reg::ahbrxbuf::RESET | (n as u32) << reg::ahbrxbuf::MSTRID_SHIFT
            }),
            flshcr0: [reg::flshcr0::RESET; 4],
            flshcr1: [reg::flshcr1::RESET; 4],
            flshcr2: [0; 4],
            flshcr4: 0,
            ipcr0: 0,
            ipcr1: 0,
            iprxfcr: 0,
            iptxfcr: 0,
            dllcr: [reg::dllcr::RESET; 2],
            sts1: 0,
            lut: [0; reg::lut::WORDS],
            rx: fifo::RxFifo::default(),
            tx: fifo::TxFifo::default(),
            run: None,
            piece_ends: Time::ZERO,
            buffers: std::array::from_fn(|_| ahb::RxBuffer::default()),
            saved_pointer: 0,
            prefetch_until: Time::ZERO,
            wires_free_at: Time::ZERO,
            faults: Faults::default(),
            strikes: 0,
            receptions: 0,
            received: Default::default(),
        }
    }

    /// A chip reset. The flash is not reset with it: a command under way ends with CS# rising (the pads float high).
    pub fn reset(&mut self, ports: &mut Ports<'_>) {
        self.advance(ports);
        self.abort(ports);
        *self = FlexSpi {
            faults: std::mem::take(&mut self.faults),
            strikes: self.strikes,
            receptions: self.receptions,
            received: std::mem::take(&mut self.received),
            ..FlexSpi::new()
        };
    }

    /// Lets IP commands that receive be numbered from 0 again.
    pub fn restart_counters(&mut self) {
        (self.receptions, self.strikes) = (0, 0);
        self.received = Default::default();
    }

    /// How often a fault has made a difference: a byte that arrived as another, a buffer that should have been empty.
    pub fn strikes(&self) -> u64 {
        self.strikes
    }

    /// IP commands so far that received data.
    pub fn receptions(&self) -> u64 {
        self.receptions
    }

    /// Whether the interrupt line is up.
    pub fn interrupt(&self) -> bool {
        self.intr() & self.inten != 0
    }

    /// MCR0.MDIS = 0.
    pub fn enabled(&self) -> bool {
        self.mcr0 & reg::mcr0::MDIS == 0
    }

    /// The LUT, for `inspect` and tests.
    pub fn lut(&self) -> &[u32; reg::lut::WORDS] {
        &self.lut
    }

    /// The chip, the address inside it and the room behind that address.
    fn locate(&self, offset: u32) -> Option<(Chip, u32, u32)> {
        let mut base = 0u64;
        for (number, kib) in self.flshcr0.iter().enumerate() {
            let size = u64::from(*kib) * 1024;
            if u64::from(offset) < base + size {
                let inside = u64::from(offset) - base;
                let chip = if number == 0 {
                    Chip::A1
                } else {
                    Chip::Elsewhere
                };
                return Some((
                    chip,
                    inside as u32,
                    u32::try_from(size - inside).unwrap_or(u32::MAX),
                ));
            }
            base += size;
        }
        None
    }

    fn interval(&self, hz: u64) -> Time {
        let unit = if self.flshcr1[0] & reg::flshcr1::CSINTERVALUNIT == 0 {
            1
        } else {
            256
        };
        Time::cycles(
            u64::from(self.flshcr1[0] >> reg::flshcr1::CSINTERVAL_SHIFT) * unit,
            hz,
        )
    }

    /// Says which switched-on features the model does not have.
    fn complain_about_modes(&self, ports: &mut Ports<'_>) {
        let checks = [
            (self.mcr0 & reg::mcr0::HSEN, "half speed access"),
            (self.mcr0 & reg::mcr0::COMBINATIONEN, "combination mode"),
            (
                self.mcr0 & reg::mcr0::SCKFREERUNEN,
                "a free running serial clock",
            ),
            (self.ahbcr & reg::ahbcr::APAREN, "parallel mode"),
            (self.ipcr1 & reg::ipcr1::IPAREN, "parallel mode"),
            (self.flshcr4 & reg::flshcr4::WRITE_MASKS, "the write mask"),
            (
                self.flshcr1[0] & (reg::flshcr1::WA | reg::flshcr1::CAS_MASK),
                "word or column addresses",
            ),
        ];
        for (_, what) in checks.into_iter().filter(|(bits, _)| *bits != 0) {
            ports.trace.violation(
                ports.now,
                "flexspi",
                format!("{what} is switched on and not modelled"),
            );
        }
    }
}
