//! The CMSIS flash functions, so that stock tools can use the same code. They know nothing of the part: every limit is the
//! slowest known part's, every command is on one line, and the status register is never written.

use crate::bus::Bus;
use crate::controller::Block;
use crate::lease::Lease;
use crate::machine::Machine;
use crate::nor::Nor;
use mailbox::Setup;
use mailbox::fault::{Fault, FaultCode};
use mailbox::result::SECTOR_BYTES;
use mailbox::setup::{FLAG_QPI, StatusAccess, SuspendFlags};
use mailbox::words::RawWords;

/// Where the flash lies in the bus map: FlexSPI1's window (IMXRT1060RM, memory map).
pub const WINDOW: u32 = 0x6000_0000;
/// CMSIS: done.
pub const OK: u32 = 0;
/// CMSIS: failed.
pub const FAILED: u32 = 1;
/// 20h: erases 4 KiB on every part.
const SECTOR_ERASE: u8 = 0x20;
/// 60h: erases the chip on every part.
const CHIP_ERASE: u8 = 0x60;
/// Largest part with 3-byte addresses.
const LARGEST_BYTES: u32 = 16 << 20;
/// Capacity byte of the JEDEC ID is log2 of the size; the range seen on parts with 3-byte addresses.
const CAPACITIES: core::ops::RangeInclusive<u8> = 0x14..=0x18;

const NO_REGISTER: StatusAccess = StatusAccess {
    read_opcode: 0,
    write_opcode: 0,
};
/// The function register of ISSI's parts; other makers' parts are not asked for it.
const ISSI_SUSPEND: SuspendFlags = SuspendFlags {
    read_opcode: 0x48,
    mask: 3 << 2,
};
/// Slowest known figures, doubled (W25Q64JV, IS25LP128F data sheets; 16 MiB chip erase).
const SETUP: Setup = Setup {
    session: 0,
    lease_ms: u32::MAX,
    flash_bytes: LARGEST_BYTES,
    page_program_limit_us: 10_000,
    erase_4k_limit_us: 1_000_000,
    erase_32k_limit_us: 3_200_000,
    erase_64k_limit_us: 4_000_000,
    erase_chip_limit_us: 160_000_000,
    write_status_limit_us: 40_000,
    reset_recovery_us: 200,
    power_down_release_us: 50,
    flags: FLAG_QPI,
    quad_enable_mask: 0,
    quad_program_opcode: 0,
    quad_read_opcode: 0,
    quad_read_dummy_clocks: 0,
    fast_read_dummy_clocks: 8,
    work_clock_mhz: 60,
    further_status: [NO_REGISTER; 2],
    suspend: ISSI_SUSPEND,
    jedec_id: [0; 3],
};

/// The functions' state between calls.
pub struct Functions<B> {
    nor: Nor<B, Lease<RawWords>>,
}

impl<B: Bus> Functions<B> {
    /// `Init`: clocks, pins, controller, flash awake and identified.
    ///
    /// # Errors
    /// The fault of the start, or a flash that does not answer.
    pub fn init(bus: B) -> Result<Self, Fault> {
        // No area behind it: the lease never runs out and nothing is written. The type is the server's, so that the blob
        // holds the code once.
        let lease = Lease::new(RawWords::none(), SETUP.lease_ms);
        let mut nor = Nor::wake(Machine::start(bus, lease), SETUP).map_err(|(fault, _)| fault)?;
        let [manufacturer, _, capacity] = nor.read_id()?;
        if manufacturer == 0 || manufacturer == 0xFF {
            return Err(Fault::new(FaultCode::Unsupported, mailbox::Stage::Identify)
                .values(0, manufacturer.into()));
        }
        if CAPACITIES.contains(&capacity) {
            nor.set_flash_bytes(1 << capacity);
        }
        Ok(Functions { nor })
    }

    /// `UnInit`: exit sequence, read buffers empty.
    pub fn uninit(&mut self) -> u32 {
        code(self.nor.exit().map(|_| ()))
    }

    /// `EraseSector`: 4 KiB at a bus address.
    pub fn erase_sector(&mut self, address: u32) -> u32 {
        let sector = offset(address) & !(SECTOR_BYTES - 1);
        code(self.nor.erase(sector, SECTOR_BYTES, SECTOR_ERASE))
    }

    /// `EraseChip`.
    pub fn erase_chip(&mut self) -> u32 {
        code(self.nor.erase(0, self.nor.flash_bytes(), CHIP_ERASE))
    }

    /// `ProgramPage`: any number of bytes at a bus address that is a multiple of four, read back and compared.
    pub fn program_page(&mut self, address: u32, data: &[u8]) -> u32 {
        let (at, length) = (offset(address), data.len() as u32);
        if length == 0 {
            return OK;
        }
        let load = |index| block(data, index);
        let outcome = self.nor.program(at, length, load, || ());
        code(outcome.and_then(|()| self.nor.compare(at, length, load)))
    }

    /// `Verify`: returns the bus address after the last byte, or that of the first difference.
    pub fn verify(&mut self, address: u32, data: &[u8]) -> u32 {
        let length = data.len() as u32;
        if length == 0 {
            return address;
        }
        match self
            .nor
            .compare(offset(address), length, |index| block(data, index))
        {
            Ok(()) => address.wrapping_add(length),
            Err(fault) if fault.code == FaultCode::ReadBackDiffers => {
                let byte = (fault.expected ^ fault.found).trailing_zeros() / 8;
                WINDOW.wrapping_add(fault.address).wrapping_add(byte)
            }
            Err(_) => address,
        }
    }

    /// `BlankCheck`: [`OK`] if every byte is 0xFF.
    pub fn blank_check(&mut self, address: u32, length: u32) -> u32 {
        if length == 0 {
            OK
        } else {
            code(self.nor.check_blank(offset(address), length))
        }
    }
}

fn offset(address: u32) -> u32 {
    if address >= WINDOW {
        address - WINDOW
    } else {
        address
    }
}

fn code(outcome: Result<(), Fault>) -> u32 {
    if outcome.is_ok() { OK } else { FAILED }
}

/// The four words from an index on, bytes beyond the data as 0xFF.
fn block(data: &[u8], index: u32) -> Block {
    let at = index as usize * 4;
    let mut bytes = [[0xFF; 4]; 4];
    let from = data.get(at..).unwrap_or(&[]);
    for (to, from) in bytes.as_flattened_mut().iter_mut().zip(from) {
        *to = *from;
    }
    bytes.map(u32::from_le_bytes)
}
