//! The driver's functions on the flash: init, page program, erase, read (NXP `flexspi_nor_flash.c`).

use super::config::{self, Config};
use super::controller::{self, Clock};
use super::transfer::{Data, Transfer, transfer};
use super::{RomErase, Stop};
use crate::rom::fcb;

/// The LUT sequence that the driver loads each command into before it sends it.
pub(super) const COMMAND: u32 = 1;
// Sequence numbers of the block's LUT.
pub(super) const READ: u32 = 0;
pub(super) const READ_STATUS: u32 = 1;
pub(super) const WRITE_ENABLE: u32 = 3;
pub(super) const ERASE_SECTOR: u32 = 5;
pub(super) const ERASE_BLOCK: u32 = 8;
pub(super) const PAGE_PROGRAM: u32 = 9;
pub(super) const CHIP_ERASE: u32 = 11;
/// IDATSZ has sixteen bits.
const LONGEST_READ: u32 = 65_535;

/// Sets pads, clock and FlexSPI up from the block, and sends its mode command; QE is not set a second time.
pub(super) async fn init(config: &Config) -> Result<(), Stop> {
    controller::init(config).await?;
    let read = config.sequence(READ).await?;
    controller::update_lut(&config.line, READ, read).await?;
    if config.byte(config::DEVICE_MODE_TYPE).await? == config::QUAD_ENABLE {
        config.set_byte(fcb::DEVICE_MODE_CFG_ENABLE, 0).await?;
    }
    Ok(())
}

/// Sends a command that the flash needs WEL for, and waits until the flash is ready. The clock is lowered for it and raised
/// again, and the AHB buffers are emptied, whatever comes of it.
async fn write_command(
    config: &Config,
    sequence: u32,
    address: u32,
    data: Data,
) -> Result<(), Stop> {
    controller::change_clock(config, Clock::ForCommands).await?;
    let outcome = async {
        controller::write_enable(config, address).await?;
        let words = config.sequence(sequence).await?;
        controller::update_lut(&config.line, COMMAND, words).await?;
        let command = Transfer {
            sequence: COMMAND,
            address,
            data,
        };
        transfer(&config.line, command).await?;
        controller::wait_busy(config, address).await
    }
    .await;
    if let Err(Stop::Bus { .. } | Stop::Model(_)) = outcome {
        return outcome;
    }
    controller::software_reset(&config.line).await?;
    controller::change_clock(config, Clock::ForReads).await?;
    outcome
}

/// Programs one page from `src`.
pub(super) async fn page_program(config: &Config, dst: u32, src: u32) -> Result<(), Stop> {
    let bytes = config.word(config::PAGE_SIZE).await?;
    let data = Data::Write { from: src, bytes };
    write_command(config, PAGE_PROGRAM, dst, data).await
}

/// Erases the chip.
pub(super) async fn erase_all(config: &Config) -> Result<(), Stop> {
    write_command(config, CHIP_ERASE, 0, Data::None).await
}

/// Erases all sectors that `start` to `start + length` touches.
pub(super) async fn erase(
    config: &Config,
    start: u32,
    length: u32,
    variant: RomErase,
) -> Result<(), Stop> {
    let sector = config.word(config::SECTOR_SIZE).await?;
    let block = config.word(config::BLOCK_SIZE).await?;
    let uniform = config.byte(config::IS_UNIFORM_BLOCK_SIZE).await? != 0 || block == 0;
    if sector == 0 {
        return Err(Stop::Model("a sectorSize of 0 in a ROM API call"));
    }
    let mask = sector.wrapping_neg();
    let mut at = start & mask;
    let end = start
        .wrapping_add(length)
        .wrapping_add(sector.wrapping_sub(1))
        & mask;
    while at < end {
        let aligned = match variant {
            RomErase::AsPublished => at & !block == 0,
            RomErase::Sound => at & block.wrapping_sub(1) == 0,
        };
        let (sequence, bytes) = if !uniform && aligned && end - at >= block {
            (ERASE_BLOCK, block)
        } else {
            (ERASE_SECTOR, sector)
        };
        write_command(config, sequence, at, Data::None).await?;
        at += bytes;
    }
    Ok(())
}

/// Reads into RAM by IP commands, with the read sequence and clock of the AHB side.
pub(super) async fn read(config: &Config, dst: u32, start: u32, bytes: u32) -> Result<(), Stop> {
    if dst == 0 || bytes == 0 {
        return Err(Stop::Status(super::status::INVALID_ARGUMENT));
    }
    let mut done = 0;
    while done < bytes {
        let now = (bytes - done).min(LONGEST_READ);
        let command = Transfer {
            sequence: READ,
            address: start.wrapping_add(done),
            data: Data::Read {
                bytes: now,
                // the published driver counts whole words here, so that a longer read is one byte off behind 65532
                to: Some(dst.wrapping_add(done / LONGEST_READ * (LONGEST_READ & !3))),
            },
        };
        transfer(&config.line, command).await?;
        done += now;
    }
    Ok(())
}
