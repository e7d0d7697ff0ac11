//! What a NOR chip does while WIP = 1: complete, or torn by a power cut or a reset.

use super::Faults;
use super::registers::{FurtherStatus, Parameters, Registers};
use crate::activity::What;
use crate::time::Time;

/// A self-timed operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Programs `page` (one page long, FFh where nothing was sent) at `address`.
    Program {
        /// Start of the page.
        address: u32,
        /// What to AND into it.
        page: Vec<u8>,
    },
    /// A program the fault list drops: the chip is busy and nothing changes.
    DroppedProgram {
        /// Start of the page.
        address: u32,
    },
    /// An erase the fault list drops.
    DroppedErase {
        /// Start.
        address: u32,
        /// Bytes.
        length: u32,
    },
    /// An erase the fault list cuts short: it ends like another, and each bit is erased or not, drawn from `seed`.
    ShortErase {
        /// Start.
        address: u32,
        /// Bytes.
        length: u32,
        /// Draws the bits.
        seed: u64,
    },
    /// Erases `length` bytes.
    Erase {
        /// Start, aligned to the length.
        address: u32,
        /// Bytes.
        length: u32,
    },
    /// Writes the non-volatile bits of registers.
    WriteRegisters(Vec<RegisterWrite>),
    /// The latency of a suspend; nothing changes.
    Suspending,
}

/// New bits for one register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegisterWrite {
    /// Which.
    pub register: Register,
    /// The new bits.
    pub value: u8,
    /// The bits that can change.
    pub mask: u8,
    /// Those of them that only go from 0 to 1.
    pub one_time: u8,
}

/// The registers a chip keeps without power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Register {
    /// Status register 1.
    Status,
    /// Status register 2.
    Status2,
    /// Status register 3.
    Status3,
    /// Function register: bits only go from 0 to 1.
    Function,
    /// Read parameters.
    ReadParameters,
    /// Extended read parameters.
    ExtendedReadParameters,
}

impl Register {
    /// Whether it is one of the status registers.
    pub const fn is_status(self) -> bool {
        matches!(
            self,
            Register::Status | Register::Status2 | Register::Status3
        )
    }
}

/// An operation under way.
#[derive(Clone, Debug)]
pub struct Busy {
    /// What.
    pub operation: Operation,
    /// Since when.
    pub since: Time,
    /// Until when.
    pub until: Time,
}

/// The registers that survive power-off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NonVolatile {
    /// Status register 1: BP, QE, SRWD.
    pub status: u8,
    /// Status register 2, where the part has it.
    pub status_2: u8,
    /// Status register 3, where the part has it.
    pub status_3: u8,
    /// TBS and the information row locks, one-time.
    pub function: u8,
    /// Read parameters at power-up.
    pub read_parameters: u8,
    /// Extended read parameters at power-up.
    pub extended: u8,
}

impl NonVolatile {
    /// What a new part holds.
    pub fn as_delivered(registers: &Registers) -> Self {
        let further = |register: &Option<FurtherStatus>| register.map_or(0, |r| r.as_delivered);
        let parameters =
            |register: &Option<Parameters>| register.as_ref().map_or(0, |r| r.as_delivered);
        NonVolatile {
            status: 0,
            status_2: further(&registers.status_2),
            status_3: further(&registers.status_3),
            function: registers.function.map_or(0, |r| r.as_delivered),
            read_parameters: parameters(&registers.read_parameters),
            extended: parameters(&registers.extended_read_parameters),
        }
    }

    fn slot(&mut self, register: Register) -> &mut u8 {
        match register {
            Register::Status => &mut self.status,
            Register::Status2 => &mut self.status_2,
            Register::Status3 => &mut self.status_3,
            Register::Function => &mut self.function,
            Register::ReadParameters => &mut self.read_parameters,
            Register::ExtendedReadParameters => &mut self.extended,
        }
    }
}

impl Operation {
    /// How it stands in a timeline.
    pub const fn activity(&self) -> Option<What> {
        match self {
            Operation::Program { .. } | Operation::DroppedProgram { .. } => Some(What::Program),
            Operation::Erase { length, .. }
            | Operation::DroppedErase { length, .. }
            | Operation::ShortErase { length, .. } => Some(What::Erase { bytes: *length }),
            Operation::WriteRegisters(_) => Some(What::WriteRegisters),
            Operation::Suspending => None,
        }
    }

    /// The part of the array it may change, `(start, length)`.
    pub fn area(&self) -> Option<(u32, u32)> {
        match self {
            Operation::Program { address, page } => Some((*address, page.len() as u32)),
            Operation::DroppedProgram { address } => Some((*address, 0)),
            Operation::Erase { address, length }
            | Operation::ShortErase {
                address, length, ..
            } => Some((*address, *length)),
            Operation::DroppedErase { address, .. } => Some((*address, 0)),
            Operation::WriteRegisters(_) | Operation::Suspending => None,
        }
    }

    /// Carries it out in full, as far as the faults allow. Returns how many bytes the faults made another than they should be.
    pub fn complete(&self, array: &mut [u8], registers: &mut NonVolatile, faults: &Faults) -> u64 {
        match self {
            Operation::Program { address, page } => {
                let mut struck = 0;
                for (offset, (cell, data)) in
                    (*address..).zip(slice(array, *address, page.len()).iter_mut().zip(page))
                {
                    let stays = *cell & !data & faults.unprogrammable(offset);
                    struck += u64::from(stays != 0);
                    *cell &= data | stays;
                }
                if let Some(inverted) = faults.program_echo {
                    let echo = slice(array, address ^ inverted, page.len());
                    for (cell, data) in echo.iter_mut().zip(page) {
                        struck += u64::from(*cell & !data != 0);
                        *cell &= data;
                    }
                }
                struck
            }
            Operation::Erase { address, length } => {
                let range = *address..address.saturating_add(*length);
                let kept: Vec<(u32, u8)> = faults
                    .weak_erase
                    .iter()
                    .filter(|(at, _)| range.contains(at))
                    .map(|(at, mask)| {
                        let now = array.get(*at as usize).copied().unwrap_or(0xFF);
                        (*at, now | !mask)
                    })
                    .collect();
                slice(array, *address, *length as usize).fill(0xFF);
                let mut struck = 0;
                for (at, value) in kept {
                    if let Some(cell) = array.get_mut(at as usize) {
                        struck += u64::from(value != 0xFF);
                        *cell &= value;
                    }
                }
                if let Some(inverted) = faults.erase_echo {
                    let echo = slice(array, address ^ inverted, *length as usize);
                    struck += echo.iter().filter(|cell| **cell != 0xFF).count() as u64;
                    echo.fill(0xFF);
                }
                struck
            }
            Operation::ShortErase {
                address,
                length,
                seed,
            } => {
                let mut random = Random::new(*seed);
                let likelihood = random.byte();
                let mut struck = 0;
                for cell in slice(array, *address, *length as usize) {
                    *cell |= random.mask(likelihood);
                    struck += u64::from(*cell != 0xFF);
                }
                struck
            }
            Operation::WriteRegisters(writes) => {
                for write in writes {
                    let slot = registers.slot(write.register);
                    let rewritten = write.mask & !write.one_time;
                    *slot = (*slot & !rewritten) | (write.value & write.mask);
                }
                0
            }
            Operation::DroppedProgram { .. } | Operation::DroppedErase { .. } => 1,
            Operation::Suspending => 0,
        }
    }

    /// Breaks it off: each bit that would have changed has done so or not, at random.
    pub fn tear(&self, array: &mut [u8], registers: &mut NonVolatile, random: &mut Random) {
        // One likelihood for the whole operation, so that early and late cuts both occur.
        let likelihood = random.byte();
        match self {
            Operation::Program { address, page } => {
                for (cell, data) in slice(array, *address, page.len()).iter_mut().zip(page) {
                    *cell &= data | !random.mask(likelihood);
                }
            }
            Operation::Erase { address, length }
            | Operation::ShortErase {
                address, length, ..
            } => {
                for cell in slice(array, *address, *length as usize) {
                    *cell |= random.mask(likelihood);
                }
            }
            Operation::WriteRegisters(writes) => {
                for write in writes {
                    let slot = registers.slot(write.register);
                    let rewritten = write.mask & !write.one_time;
                    let done = random.mask(likelihood) & write.mask;
                    // The register is erased and written anew: even a bit that was to stay may be lost.
                    let lost = random.byte() & rewritten & !done;
                    *slot = (*slot & !rewritten) | lost | (write.value & done);
                }
            }
            Operation::DroppedProgram { .. }
            | Operation::DroppedErase { .. }
            | Operation::Suspending => {}
        }
    }
}

fn slice(array: &mut [u8], address: u32, length: usize) -> &mut [u8] {
    let start = (address as usize).min(array.len());
    let end = start.saturating_add(length).min(array.len());
    array.get_mut(start..end).unwrap_or_default()
}

/// SplitMix64: the same seed gives the same wreck.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// From a seed.
    pub const fn new(seed: u64) -> Self {
        Random(seed)
    }

    /// 64 random bits.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Eight random bits.
    pub const fn byte(&mut self) -> u8 {
        self.next() as u8
    }

    /// Eight bits, each set with a likelihood of `likelihood` in 256.
    pub fn mask(&mut self, likelihood: u8) -> u8 {
        let draws = self.next().to_le_bytes();
        draws.iter().enumerate().fold(0, |mask, (bit, draw)| {
            mask | u8::from(*draw < likelihood) << bit
        })
    }
}
