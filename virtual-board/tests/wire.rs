//! Promises of the wire: SWD bit by bit as ADIv5 asks, and stock probe-rs working over it as over a real J-Link.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a panic is how a test fails"
)]

use std::time::Duration;

use virtual_board::bus::Width;
use virtual_board::probe::cmsis_dap::DebugPins;
use virtual_board::swd::{ApError, ApTarget, SwDp, rom_table_word};

#[path = "wire/bits.rs"]
mod bits;
#[path = "wire/cmsis_dap_packets.rs"]
mod cmsis_dap_packets;
#[path = "wire/probe_rs_over_cmsis_dap.rs"]
mod probe_rs_over_cmsis_dap;
#[path = "wire/probe_rs_over_it.rs"]
mod probe_rs_over_it;

const RAM: u32 = 0x2020_0000;
const RAM_BYTES: usize = 16 * 1024;

/// A chip of RAM and ROM tables.
struct Chip {
    ram: Vec<u8>,
    /// Answers WAIT this many times.
    asleep: u32,
    powered: bool,
    open: bool,
    nreset: bool,
    accesses: Vec<(u32, Width)>,
}

impl Chip {
    fn new() -> Self {
        Chip {
            ram: vec![0; RAM_BYTES],
            asleep: 0,
            powered: true,
            open: true,
            nreset: true,
            accesses: Vec::new(),
        }
    }

    fn cell(&mut self, address: u32, width: Width) -> Result<&mut [u8], ApError> {
        if self.asleep > 0 {
            self.asleep -= 1;
            return Err(ApError::Wait);
        }
        self.accesses.push((address, width));
        let at = address.checked_sub(RAM).ok_or(ApError::Fault)? as usize;
        self.ram
            .get_mut(at..at + width.bytes() as usize)
            .ok_or(ApError::Fault)
    }

    fn word(&self, address: u32) -> u32 {
        let at = (address - RAM) as usize;
        u32::from_le_bytes(self.ram[at..at + 4].try_into().unwrap())
    }

    fn set_word(&mut self, address: u32, value: u32) {
        let at = (address - RAM) as usize;
        self.ram[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }
}

impl ApTarget for Chip {
    fn ap_read(&mut self, address: u32, width: Width, _csw: u32) -> Result<u32, ApError> {
        if self.asleep == 0
            && let Some(word) = rom_table_word(address)
        {
            return Ok(word);
        }
        let cell = self.cell(address, width)?;
        Ok(cell
            .iter()
            .rev()
            .fold(0, |value, byte| (value << 8) | u32::from(*byte)))
    }

    fn ap_write(
        &mut self,
        address: u32,
        width: Width,
        value: u32,
        _csw: u32,
    ) -> Result<(), ApError> {
        let cell = self.cell(address, width)?;
        let bytes = value.to_le_bytes();
        cell.copy_from_slice(&bytes[..cell.len()]);
        Ok(())
    }

    fn debug_powered(&self) -> bool {
        self.powered
    }

    fn port_open(&self) -> bool {
        self.open
    }

    fn set_nreset(&mut self, level: bool) {
        self.nreset = level;
    }
}

/// The pins with a chip behind them.
struct Desk {
    dp: SwDp,
    chip: Chip,
    khz: u32,
    delayed: Duration,
}

impl Desk {
    fn new() -> Self {
        Desk {
            dp: SwDp::new(),
            chip: Chip::new(),
            khz: 0,
            delayed: Duration::ZERO,
        }
    }
}

impl DebugPins for Desk {
    fn clock(&mut self, driven: Option<bool>) -> bool {
        self.dp.clock(driven, &mut self.chip)
    }

    fn set_swclk_khz(&mut self, khz: u32) {
        self.khz = khz;
    }

    fn set_nreset(&mut self, level: bool) {
        self.chip.set_nreset(level);
    }

    fn nreset(&self) -> bool {
        self.chip.nreset
    }

    fn delay(&mut self, span: Duration) {
        self.delayed += span;
    }
}
