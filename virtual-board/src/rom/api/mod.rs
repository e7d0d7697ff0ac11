//! The FlexSPI NOR API of the boot ROM, as flash algorithms call it: the functions of the driver table under the API tree.
//!
//! When the core branches to one of [`Function`]'s addresses, the model carries the call out on the board's FlexSPI, one
//! bus access a step, and returns to the caller. The register sequences are those of NXP's published copies of the
//! driver for the sister chips RT1050 and RT1020 (JayHeng's imxrt-tool-flash-algo and RT-UFL: `flexspi_nor_flash.c`,
//! `bl_flexspi.c`); that the mask ROM of the RT1062 is the same is an inference of medium confidence. Every FlexSPI access,
//! LUT update and SWRESET of the published code is made and costs what it costs the core; pads and clock switches are the
//! boot-time model's. The code between two accesses is charged as a fixed number of cycles. The tables stand at made-up
//! addresses.
//!
//! Not modelled, and a model limit when asked for: FlexSPI2, 4-byte addresses, parallel, octal and DTR modes, custom LUT
//! sequences, configuration commands. Words of tree and table that the model does not know (versions, `runBootloader`,
//! `xfer`, the other drivers) fault when they are read, and so does a branch to any other address of the ROM. Interrupts
//! wait until a call returns; the board's log tells when one did.

mod config;
mod controller;
mod line;
mod nor;
mod sfdp;
mod transfer;

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use crate::rom::RomBus;
use config::Config;
use line::Line;

/// Where the API tree stands; made up.
pub(crate) const TREE: u32 = 0x0020_C000;
/// The tree's pointer to the FlexSPI NOR driver table (NXP `fsl_romapi.h` and `bl_api.h` of the RT10xx).
const TREE_NOR_DRIVER: u32 = TREE + 0x10;
/// Where the driver table stands; made up.
const NOR_DRIVER: u32 = 0x0020_C100;
/// Where the functions stand; made up.
const CODE: u32 = 0x0020_C200;
/// Bytes from one function to the next.
const CODE_STRIDE: u32 = 0x10;

/// How the ROM's `erase` decides between a block erase and sector erases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RomErase {
    /// As in every published copy of the driver: the test for block alignment masks with the complement of the block
    /// size, so that only the blocks at 0 and at one block size are erased as blocks, and all others sector by sector.
    #[default]
    AsPublished,
    /// As it was surely meant: every aligned block is erased as a block.
    Sound,
}

/// A function of the driver table that the model has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// `init(instance, config)`.
    Init,
    /// `page_program(instance, config, dst, src)`.
    PageProgram,
    /// `erase_all(instance, config)`.
    EraseAll,
    /// `erase(instance, config, start, length)`.
    Erase,
    /// `read(instance, config, dst, start, bytes)`.
    Read,
    /// `clear_cache(instance)`.
    ClearCache,
    /// `update_lut(instance, seqIndex, lutBase, seqNumber)`.
    UpdateLut,
    /// `get_config(instance, config, option)`.
    GetConfig,
}

/// Offsets in the driver table (NXP `fsl_romapi.h` and `bl_api.h` of the RT10xx): version, then one pointer each.
const TABLE: [(u32, Function); 8] = [
    (0x04, Function::Init),
    (0x08, Function::PageProgram),
    (0x0C, Function::EraseAll),
    (0x10, Function::Erase),
    (0x14, Function::Read),
    (0x18, Function::ClearCache),
    (0x20, Function::UpdateLut),
    (0x24, Function::GetConfig),
];

impl Function {
    /// The function whose first instruction stands at `pc`.
    pub fn at(pc: u32) -> Option<Function> {
        // asked before every instruction
        if pc & !0xFF != CODE {
            return None;
        }
        let known = TABLE.into_iter();
        known
            .map(|(_, function)| function)
            .find(|function| function.address() == pc)
    }

    /// Address of the first instruction.
    pub fn address(self) -> u32 {
        CODE + CODE_STRIDE * self as u32
    }
}

/// The word of tree or driver table at `address`.
pub(super) fn table_word(address: u32) -> Option<u32> {
    if address == TREE_NOR_DRIVER {
        return Some(NOR_DRIVER);
    }
    let entry = TABLE
        .into_iter()
        .find(|(offset, _)| NOR_DRIVER + offset == address);
    entry.map(|(_, function)| function.address() | 1)
}

/// Statuses (NXP `fsl_romapi.h`: group × 100 + code).
mod status {
    pub const SUCCESS: u32 = 0;
    pub const INVALID_ARGUMENT: u32 = 4;
    pub const SEQUENCE_EXECUTION_TIMEOUT: u32 = 6000;
    pub const INVALID_SEQUENCE: u32 = 6001;
    pub const DEVICE_TIMEOUT: u32 = 6002;
    pub const SFDP_NOT_FOUND: u32 = 20007;
}

/// Why a function ends early.
#[derive(Clone, Copy, Debug)]
enum Stop {
    /// It returns this status.
    Status(u32),
    /// The bus refused an access.
    Bus { address: u32 },
    /// The model does not have what was asked for.
    Model(&'static str),
}

/// The registers at the call (AAPCS).
#[derive(Clone, Copy, Debug)]
pub struct Arguments {
    /// R0 to R3.
    pub registers: [u32; 4],
    /// The stack pointer; the fifth argument is the word there.
    pub sp: u32,
}

/// What one step led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallStep {
    /// The function goes on.
    Continue,
    /// It returns this in R0.
    Return(u32),
    /// The bus refused an access of the ROM's code.
    BusFault {
        /// The address accessed.
        address: u32,
    },
    /// The model cannot go on; what it lacks.
    ModelLimit(&'static str),
}

/// A call under way.
pub struct Call {
    line: Line,
    code: Pin<Box<dyn Future<Output = Result<(), Stop>>>>,
}

impl Call {
    /// The core has branched to `function`.
    pub fn new(function: Function, arguments: Arguments, erase: RomErase) -> Self {
        let line = Line::default();
        Call {
            code: Box::pin(run(function, arguments, erase, line.clone())),
            line,
        }
    }

    /// One access, and the code up to its next one.
    pub fn step(&mut self, bus: &mut dyn RomBus) -> CallStep {
        self.line.serve(bus);
        match self
            .code
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            Poll::Pending => CallStep::Continue,
            Poll::Ready(Ok(())) => CallStep::Return(status::SUCCESS),
            Poll::Ready(Err(Stop::Status(status))) => CallStep::Return(status),
            Poll::Ready(Err(Stop::Bus { address })) => CallStep::BusFault { address },
            Poll::Ready(Err(Stop::Model(what))) => CallStep::ModelLimit(what),
        }
    }
}

async fn run(
    function: Function,
    arguments: Arguments,
    erase: RomErase,
    line: Line,
) -> Result<(), Stop> {
    let [instance, r1, r2, r3] = arguments.registers;
    if instance != 0 {
        return Err(Stop::Model("a ROM API call for FlexSPI2"));
    }
    let config = Config::new(line.clone(), r1);
    match function {
        Function::ClearCache => return controller::software_reset(&line).await,
        Function::UpdateLut => return update_lut(&line, r1, r2, r3).await,
        _ if r1 == 0 => return Err(Stop::Status(status::INVALID_ARGUMENT)),
        Function::GetConfig => return sfdp::get_config(&config, r2).await,
        _ => config.check_modelled().await?,
    }
    match function {
        Function::Init => nor::init(&config).await,
        Function::PageProgram => nor::page_program(&config, r2, r3).await,
        Function::EraseAll => nor::erase_all(&config).await,
        Function::Erase => nor::erase(&config, r2, r3, erase).await,
        _ => nor::read(&config, r2, r3, line.read(arguments.sp).await?).await,
    }
}

async fn update_lut(line: &Line, first: u32, from: u32, sequences: u32) -> Result<(), Stop> {
    if from == 0 || u64::from(first) + u64::from(sequences) > controller::LUT_SEQUENCES {
        return Err(Stop::Status(status::INVALID_ARGUMENT));
    }
    for number in 0..sequences {
        let mut words = [0; 4];
        for (word, index) in words.iter_mut().zip(0..) {
            *word = line.read(from + 16 * number + 4 * index).await?;
        }
        controller::update_lut(line, first + number, words).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pointer_of_the_table_leads_to_the_function_of_its_offset() {
        assert_eq!(table_word(TREE + 0x10), Some(NOR_DRIVER));
        for (offset, function) in TABLE {
            let pointer = table_word(NOR_DRIVER + offset).unwrap_or(0);
            assert_eq!(pointer & 1, 1, "Thumb");
            assert_eq!(Function::at(pointer & !1), Some(function));
        }
        assert_eq!(table_word(NOR_DRIVER + 0x1C), None, "xfer is not modelled");
        assert_eq!(table_word(TREE), None, "the version is not known");
    }
}
