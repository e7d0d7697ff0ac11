//! get_config: the configuration block as the driver makes it from the flash's SFDP tables (NXP `flexspi_nor_flash.c`).

use super::config::{self, Config};
use super::controller;
use super::nor::{
    self, CHIP_ERASE, COMMAND, ERASE_BLOCK, ERASE_SECTOR, PAGE_PROGRAM, READ, READ_STATUS,
    WRITE_ENABLE,
};
use super::transfer::{Data, Transfer, transfer};
use super::{Stop, status};
use crate::rom::{fcb, flexspi};

const BLOCK_VERSION: u32 = 0x5601_0400;
const CS_CLOCKS: u32 = 3;
const FOUR_PADS: u32 = 4;
const LOOPBACK_FROM_DQS_PAD: u32 = 1;
/// What 24-bit addresses reach.
const LARGEST_FLASH: u32 = 16 << 20;
const DEFAULT_PAGE: u32 = 256;

/// The option word: frequency code 3:0, misc mode 7:4, quad mode 11:8; with pads, device type and option size 0 it means one
/// SDR flash that speaks SFDP on one line.
const OPTION_FREQUENCY: u32 = 0xF;
const OPTION_MISC_SHIFT: u32 = 4;
const OPTION_MISC_INTERNAL_LOOPBACK: u32 = 5;
const OPTION_QUAD_SHIFT: u32 = 8;
const OPTION_OTHER_KINDS: u32 = 0x0FFF_F000;

/// 03h, 24-bit address and data on one line.
const BASIC_READ: [u32; 2] = [0x0818_0403, 0x0001_2404];
/// 5Ah, 24-bit address, 8 dummies, data on one line.
const READ_SFDP: [u32; 4] = [0x0818_045A, 0x24FF_3008, 0, 0];
/// 02h, 24-bit address and data on one line.
const PROGRAM: [u32; 2] = [0x0818_0402, 0x0000_2004];
const WREN: [u32; 1] = [0x0000_0406];
const RDSR: [u32; 1] = [0x2404_0405];
const ERASE_ALL: [u32; 1] = [0x0000_0460];
/// One line: an opcode to come, and a 24-bit address.
const OPCODE_AND_ADDRESS: u32 = 0x0818_0400;
/// The same, with the address on four lines.
const OPCODE_AND_QUAD_ADDRESS: u32 = 0x0A18_0400;
/// Dummies to come and data, on four lines.
const DUMMIES_AND_QUAD_DATA: u32 = 0x2604_3200;
/// One line: an opcode to come, and one byte to read, or bytes to come to write.
const OPCODE_AND_READ_BYTE: u32 = 0x2401_0400;
const OPCODE_AND_WRITE: u32 = 0x2000_0400;

// SFDP (JESD216).
const SIGNATURE: u32 = 0x5044_4653;
const BASIC_TABLE_ID: u32 = 0xFF00;
const MOST_HEADERS: u32 = 10;
/// Bytes of the basic table as the driver knows it, and from which size on it has the quad enable requirement.
const LONGEST_BASIC_TABLE: u32 = 80;
const REVISION_A_TABLE: u32 = 64;
const SUPPORTS_1_4_4: u32 = 1 << 21;
const SUPPORTS_1_1_4: u32 = 1 << 22;
const BLOCK_ERASE_LIMIT: u32 = 1 << 20;

/// How QE is read and set.
struct QuadEnable {
    read: u32,
    bit: u32,
    write: u32,
    bytes: u32,
    /// What is cleared in the same register on the way.
    clears: u32,
    /// Status 1 goes first, as zero.
    after_status_1: bool,
}

const STATUS_1_BIT_6: QuadEnable = QuadEnable {
    read: 0x05,
    bit: 6,
    write: 0x01,
    bytes: 1,
    clears: 0x3C,
    after_status_1: false,
};
const STATUS_2_BIT_1: QuadEnable = QuadEnable {
    read: 0x35,
    bit: 1,
    write: 0x01,
    bytes: 2,
    clears: 0,
    after_status_1: true,
};
const STATUS_2_BIT_1_BY_31: QuadEnable = QuadEnable {
    read: 0x35,
    bit: 1,
    write: 0x31,
    bytes: 1,
    clears: 0,
    after_status_1: false,
};
const STATUS_2_BIT_7: QuadEnable = QuadEnable {
    read: 0x3F,
    bit: 7,
    write: 0x3E,
    bytes: 2,
    clears: 0,
    after_status_1: false,
};

/// Fills the block in; `option` is the address of the caller's option words.
pub(super) async fn get_config(config: &Config, option: u32) -> Result<(), Stop> {
    if option == 0 {
        return Err(Stop::Status(status::INVALID_ARGUMENT));
    }
    let option = config.line.read(option).await?;
    let misc_mode = option >> OPTION_MISC_SHIFT & 0xF;
    if option & OPTION_OTHER_KINDS != 0 || !matches!(misc_mode, 0 | OPTION_MISC_INTERNAL_LOOPBACK) {
        return Err(Stop::Model(
            "get_config with options other than one SDR QSPI NOR",
        ));
    }
    for offset in (0..config::BYTES).step_by(4) {
        config.set_word(offset, 0).await?;
    }
    let safe = u32::from(flexspi::PROBE_FREQUENCY);
    config.set_byte(fcb::SERIAL_CLK_FREQ, safe).await?;
    config.set_word(fcb::SFLASH_A1_SIZE, LARGEST_FLASH).await?;
    config.set_word(0, fcb::TAG).await?;
    config.set_word(fcb::VERSION, BLOCK_VERSION).await?;
    config.set_byte(fcb::CS_HOLD_TIME, CS_CLOCKS).await?;
    config.set_byte(fcb::CS_SETUP_TIME, CS_CLOCKS).await?;
    config.set_byte(config::IPCMD_SERIAL_CLK_FREQ, safe).await?;

    config.set_byte(fcb::SFLASH_PAD_TYPE, FOUR_PADS).await?;
    config.set_sequence(READ, &BASIC_READ).await?;
    nor::init(config).await?;
    controller::update_lut(&config.line, COMMAND, READ_SFDP).await?;
    let table = read_basic_table(config).await?;
    fill_in(config, &table, option).await?;
    let frequency = option & OPTION_FREQUENCY;
    config.set_byte(fcb::SERIAL_CLK_FREQ, frequency).await?;
    config.set_byte(fcb::DEVICE_TYPE, fcb::SERIAL_NOR).await
}

async fn read(config: &Config, address: u32, bytes: u32) -> Result<Vec<u32>, Stop> {
    let command = Transfer {
        sequence: COMMAND,
        address,
        data: Data::Read { bytes, to: None },
    };
    transfer(&config.line, command).await
}

/// The basic flash parameter table.
async fn read_basic_table(config: &Config) -> Result<Vec<u32>, Stop> {
    let header = read(config, 0, 8).await?;
    let [SIGNATURE, revision, ..] = header[..] else {
        return Err(Stop::Status(status::SFDP_NOT_FOUND));
    };
    let headers = (revision >> 16 & 0xFF) + 1;
    let headers = read(config, 8, 8 * headers.min(MOST_HEADERS)).await?;
    let mut table = Vec::new();
    for header in headers.chunks_exact(2) {
        if let [first, second] = *header
            && (first & 0xFF) | (second >> 24 << 8) == BASIC_TABLE_ID
        {
            let bytes = (4 * (first >> 24)).min(LONGEST_BASIC_TABLE);
            table = read(config, second & 0x00FF_FFFF, bytes).await?;
        }
    }
    Ok(table)
}

async fn fill_in(config: &Config, table: &[u32], option: u32) -> Result<(), Stop> {
    let dword = |number: usize| table.get(number - 1).copied().unwrap_or(0);
    let has_revision_a = 4 * table.len() as u32 >= REVISION_A_TABLE;
    let size = dword(2).wrapping_add(1) >> 3;
    if size == 0 || size > LARGEST_FLASH {
        return Err(Stop::Model(
            "a flash beyond 24-bit addresses in a ROM API call",
        ));
    }
    config.set_word(fcb::SFLASH_A1_SIZE, size).await?;
    let page = match dword(11) >> 4 & 0xF {
        15 => DEFAULT_PAGE,
        _ if !has_revision_a => DEFAULT_PAGE,
        power => 1 << power,
    };
    config.set_word(config::PAGE_SIZE, page).await?;
    let erases = [dword(8), dword(8) >> 16, dword(9), dword(9) >> 16]
        .into_iter()
        .filter(|half| half & 0x1F != 0)
        .map(|half| (1u32 << (half & 0x1F), half >> 8 & 0xFF));
    let sector = erases.clone().min_by_key(|(bytes, _)| *bytes);
    let block = erases
        .filter(|(bytes, _)| *bytes < BLOCK_ERASE_LIMIT)
        .max_by_key(|(bytes, _)| *bytes);
    let (Some(sector), Some(block)) = (sector, block) else {
        return Err(Stop::Model(
            "an SFDP table without erases in a ROM API call",
        ));
    };
    config.set_word(config::SECTOR_SIZE, sector.0).await?;
    config.set_word(config::BLOCK_SIZE, block.0).await?;
    let uniform = u32::from(sector.0 == block.0);
    config
        .set_byte(config::IS_UNIFORM_BLOCK_SIZE, uniform)
        .await?;

    let requirement = if has_revision_a {
        match dword(15) >> 20 & 7 {
            1 | 4 | 5 => Some(STATUS_2_BIT_1),
            6 => Some(STATUS_2_BIT_1_BY_31),
            2 => Some(STATUS_1_BIT_6),
            3 => Some(STATUS_2_BIT_7),
            _ => None,
        }
    } else {
        match option >> OPTION_QUAD_SHIFT & 0xF {
            1 => Some(STATUS_1_BIT_6),
            2 => Some(STATUS_2_BIT_1),
            3 => Some(STATUS_2_BIT_7),
            4 => Some(STATUS_2_BIT_1_BY_31),
            _ => None,
        }
    };
    if let Some(requirement) = requirement {
        prepare_quad_enable(config, &requirement).await?;
    }
    config.set_sequence(PAGE_PROGRAM, &PROGRAM).await?;
    let loopback = if option >> OPTION_MISC_SHIFT & 0xF == OPTION_MISC_INTERNAL_LOOPBACK {
        0
    } else {
        LOOPBACK_FROM_DQS_PAD
    };
    config.set_byte(fcb::READ_SAMPLE_CLK_SRC, loopback).await?;
    config.set_sequence(WRITE_ENABLE, &WREN).await?;
    config.set_sequence(READ_STATUS, &RDSR).await?;
    let erase = |opcode| [OPCODE_AND_ADDRESS | opcode];
    config.set_sequence(ERASE_SECTOR, &erase(sector.1)).await?;
    config.set_sequence(ERASE_BLOCK, &erase(block.1)).await?;
    config.set_sequence(CHIP_ERASE, &ERASE_ALL).await?;
    let reads = read_sequence(dword(1), dword(3));
    config.set_sequence(READ, &reads).await?;
    let misc = config.word(fcb::CONTROLLER_MISC_OPTION).await?;
    config
        .set_word(fcb::CONTROLLER_MISC_OPTION, misc | fcb::MISC_SAFE_FREQUENCY)
        .await
}

/// The fastest SDR read that the table knows; mode clocks are taken as dummies.
fn read_sequence(features: u32, quad_reads: u32) -> [u32; 2] {
    let (half, first) = if features & SUPPORTS_1_4_4 != 0 {
        (quad_reads, OPCODE_AND_QUAD_ADDRESS)
    } else if features & SUPPORTS_1_1_4 != 0 {
        (quad_reads >> 16, OPCODE_AND_ADDRESS)
    } else {
        return BASIC_READ;
    };
    let dummies = (half & 0x1F) + (half >> 5 & 7);
    [first | (half >> 8 & 0xFF), DUMMIES_AND_QUAD_DATA | dummies]
}

/// Reads QE; where it is clear, leaves a mode command in the block that sets it.
async fn prepare_quad_enable(config: &Config, how: &QuadEnable) -> Result<(), Stop> {
    let sequence = [OPCODE_AND_READ_BYTE | how.read, 0, 0, 0];
    controller::update_lut(&config.line, COMMAND, sequence).await?;
    let words = read(config, 0, 1).await?;
    let value = words.first().copied().unwrap_or(0) & 0xFF;
    let quad_enabled = value >> how.bit & 1 != 0;
    let enable = u32::from(!quad_enabled);
    config.set_byte(fcb::DEVICE_MODE_CFG_ENABLE, enable).await?;
    if quad_enabled {
        return Ok(());
    }
    let set = (value & !how.clears) | 1 << how.bit;
    let argument = if how.after_status_1 { set << 8 } else { set };
    let write = [OPCODE_AND_WRITE | how.bytes << 16 | how.write];
    config.set_sequence(4, &write).await?;
    config.set_byte(fcb::DEVICE_MODE_SEQ, 1).await?;
    config.set_byte(fcb::DEVICE_MODE_SEQ + 1, 4).await?;
    config.set_word(fcb::DEVICE_MODE_ARG, argument).await?;
    config
        .set_byte(config::DEVICE_MODE_TYPE, config::QUAD_ENABLE)
        .await
}
