//! The AHB access port (MEM-AP, ADIv5 chapter C2) of the Cortex-M7.

use super::{ApError, ApTarget};
use crate::bus::Width;

const REG_CSW: u8 = 0x00;
const REG_TAR: u8 = 0x04;
const REG_DRW: u8 = 0x0C;
const REG_BD0: u8 = 0x10;
const REG_BD3: u8 = 0x1C;
const REG_CFG: u8 = 0xF4;
const REG_BASE: u8 = 0xF8;
pub(super) const REG_IDR: u8 = 0xFC;

/// ROM table at 0xE00FD000, present, 32-bit format (same logs).
const BASE: u32 = 0xE00F_D003;
/// Little-endian, no long address, no large data.
const CFG: u32 = 0;

/// Prot, word size, no increment: what a first read shows, without the status bits.
const CSW_RESET: u32 = 0x2300_0002;
const CSW_SIZE: u32 = 0b111;
const CSW_ADDR_INC: u32 = 0b11 << 4;
const CSW_DEVICE_EN: u32 = 1 << 6;
const CSW_TR_IN_PROG: u32 = 1 << 7;
const CSW_PROT: u32 = 0xFF00_0000;

const INCREMENT_SINGLE: u32 = 0b01 << 4;
const INCREMENT_PACKED: u32 = 0b10 << 4;

/// TAR counts inside a block of this many bytes and wraps at its end.
const INCREMENT_BLOCK_BYTES: u32 = 1024;

/// A bus access that has begun, perhaps not ended.
#[derive(Clone, Copy, Debug)]
struct Access {
    address: u32,
    width: Width,
    /// Bus accesses that remain (more than one in packed mode).
    remaining: u32,
    /// TAR follows.
    increments: bool,
    write: Option<u32>,
    /// Lanes read so far.
    value: u32,
}

/// What an access of an AP register came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Done, with the value read (0 for a write).
    Done(u32),
    /// Error of the bus, or an access that the specification leaves open.
    Fault,
    /// Not yet done: [`MemAp::resume`] goes on.
    Pending,
}

/// The registers of AHB-AP 0.
#[derive(Debug)]
pub(super) struct MemAp {
    csw: u32,
    tar: u32,
    pending: Option<Access>,
}

impl MemAp {
    pub(super) fn new() -> Self {
        MemAp {
            csw: CSW_RESET,
            tar: 0,
            pending: None,
        }
    }

    /// Whether a bus access has not ended.
    pub(super) fn busy(&self) -> bool {
        self.pending.is_some()
    }

    /// Gives up the bus access in progress (DAPABORT).
    pub(super) fn abort(&mut self) {
        self.pending = None;
    }

    /// Tries the bus access in progress again.
    pub(super) fn resume(&mut self, target: &mut dyn ApTarget) -> Outcome {
        match self.pending.take() {
            Some(access) => self.run(access, target),
            None => Outcome::Done(0),
        }
    }

    /// Reads the register at `register` (bank and A[3:2]).
    pub(super) fn read(&mut self, register: u8, target: &mut dyn ApTarget) -> Outcome {
        match register {
            REG_CSW => Outcome::Done(self.csw_with_status(target)),
            REG_TAR => Outcome::Done(self.tar),
            REG_DRW | REG_BD0..=REG_BD3 => self.begin(register, None, target),
            REG_CFG => Outcome::Done(CFG),
            REG_BASE => Outcome::Done(BASE),
            _ => Outcome::Done(0),
        }
    }

    /// Writes the register at `register`. Reserved and read-only registers ignore it.
    pub(super) fn write(&mut self, register: u8, value: u32, target: &mut dyn ApTarget) -> Outcome {
        match register {
            REG_CSW => self.csw = value & (CSW_PROT | CSW_ADDR_INC | CSW_SIZE),
            REG_TAR => self.tar = value,
            REG_DRW | REG_BD0..=REG_BD3 => return self.begin(register, Some(value), target),
            _ => {}
        }
        Outcome::Done(0)
    }

    fn csw_with_status(&self, target: &dyn ApTarget) -> u32 {
        let enabled = if target.debug_powered() {
            CSW_DEVICE_EN
        } else {
            0
        };
        let in_progress = if self.busy() { CSW_TR_IN_PROG } else { 0 };
        self.csw | enabled | in_progress
    }

    fn begin(&mut self, register: u8, write: Option<u32>, target: &mut dyn ApTarget) -> Outcome {
        let width = match self.csw & CSW_SIZE {
            0 => Width::Byte,
            1 => Width::Half,
            2 => Width::Word,
            // Larger sizes are not implemented by an AHB-AP: UNPREDICTABLE.
            _ => return Outcome::Fault,
        };
        let (address, increments, accesses) = if register == REG_DRW {
            match self.csw & CSW_ADDR_INC {
                0 => (self.tar, false, 1),
                INCREMENT_SINGLE => (self.tar, true, 1),
                INCREMENT_PACKED => (self.tar, true, Width::Word.bytes() / width.bytes()),
                _ => return Outcome::Fault,
            }
        } else {
            // Banked data registers are defined for word accesses only.
            if width != Width::Word {
                return Outcome::Fault;
            }
            ((self.tar & !0xF) | u32::from(register - REG_BD0), false, 1)
        };
        // No unaligned support in CFG, so an unaligned access is UNPREDICTABLE.
        if !address.is_multiple_of(width.bytes()) {
            return Outcome::Fault;
        }
        let access = Access {
            address,
            width,
            remaining: accesses,
            increments,
            write,
            value: 0,
        };
        self.run(access, target)
    }

    fn run(&mut self, mut access: Access, target: &mut dyn ApTarget) -> Outcome {
        let csw = self.csw_with_status(target);
        while access.remaining > 0 {
            // Every byte travels in the lane of its address (ADIv5 C2.2.6).
            let lane = (access.address % Width::Word.bytes()) * u8::BITS;
            let done = match access.write {
                Some(value) => target.ap_write(
                    access.address,
                    access.width,
                    low(value >> lane, access.width),
                    csw,
                ),
                None => target
                    .ap_read(access.address, access.width, csw)
                    .map(|value| access.value |= low(value, access.width) << lane),
            };
            match done {
                Ok(()) => {}
                Err(ApError::Fault) => return Outcome::Fault,
                Err(ApError::Wait) => {
                    self.pending = Some(access);
                    return Outcome::Pending;
                }
            }
            access.remaining -= 1;
            if access.increments {
                access.address = next_address(access.address, access.width);
                self.tar = access.address;
            }
        }
        Outcome::Done(access.value)
    }
}

fn low(value: u32, width: Width) -> u32 {
    match width {
        Width::Byte => value & 0xFF,
        Width::Half => value & 0xFFFF,
        Width::Word => value,
    }
}

fn next_address(address: u32, width: Width) -> u32 {
    let block = address & !(INCREMENT_BLOCK_BYTES - 1);
    block | (address.wrapping_add(width.bytes()) & (INCREMENT_BLOCK_BYTES - 1))
}
