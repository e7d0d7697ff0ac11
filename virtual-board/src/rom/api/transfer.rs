//! IP commands as the driver runs them (`flexspi_command_xfer` of NXP's `bl_flexspi.c` of the RT10xx).

use super::controller::CHIPS;
use super::line::Line;
use super::{Stop, status};
use crate::bus::Width;
use crate::rom::flexspi as reg;

/// Half a FIFO: the watermark, and what is moved at once.
const BURST_WORDS: u32 = 16;
const BURST_BYTES: u32 = 4 * BURST_WORDS;
const WATERMARK: u32 = (BURST_BYTES / 8 - 1) << 2;

/// The data of an IP command.
#[derive(Clone, Copy, Debug)]
pub(super) enum Data {
    None,
    /// Reads, into RAM if an address is given.
    Read {
        bytes: u32,
        to: Option<u32>,
    },
    /// Sends from RAM.
    Write {
        from: u32,
        bytes: u32,
    },
    /// Sends the argument word at this address; the sequence says how many bytes of it.
    Argument {
        from: u32,
    },
}

/// An IP command.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transfer {
    pub sequence: u32,
    pub address: u32,
    pub data: Data,
}

/// Until no command runs.
pub(super) async fn wait_idle(line: &Line) -> Result<(), Stop> {
    for idle in [reg::STS0_SEQIDLE, reg::STS0_ARBIDLE] {
        line.wait_for(reg::STS0, idle, idle).await?;
    }
    Ok(())
}

/// Runs an IP command; the words read.
pub(super) async fn transfer(line: &Line, transfer: Transfer) -> Result<Vec<u32>, Stop> {
    wait_idle(line).await?;
    for chip in 0..CHIPS {
        line.modify(reg::FLSHCR2 + 4 * chip, reg::CLRINSTRPTR, 0)
            .await?;
    }
    line.modify(reg::INTR, reg::INTR_COMMAND_ERRORS, 0).await?;
    line.write(reg::IPCR0, transfer.address).await?;
    let bytes = match transfer.data {
        Data::Read { bytes, .. } | Data::Write { bytes, .. } => bytes,
        Data::None | Data::Argument { .. } => 0,
    };
    line.write(reg::IPCR1, (bytes & 0xFFFF) | transfer.sequence << 16)
        .await?;
    let mut words = Vec::new();
    match transfer.data {
        Data::None => line.modify(reg::IPCMD, reg::IPCMD_TRG, 0).await?,
        Data::Read { bytes, to } => receive(line, bytes, to, &mut words).await?,
        Data::Write { from, bytes } => send(line, from, bytes).await?,
        Data::Argument { from } => send(line, from, 4).await?,
    }
    wait_idle(line).await?;
    if !command_failed(line).await? {
        return Ok(words);
    }
    let code = line.read(reg::STS1).await? >> reg::STS1_IPCMDERRCODE_SHIFT & 0xF;
    Err(Stop::Status(if code == reg::STS1_TIMED_OUT {
        status::SEQUENCE_EXECUTION_TIMEOUT
    } else {
        status::INVALID_SEQUENCE
    }))
}

async fn command_failed(line: &Line) -> Result<bool, Stop> {
    Ok(line.read(reg::INTR).await? & reg::INTR_IPCMDERR != 0)
}

async fn receive(
    line: &Line,
    bytes: u32,
    to: Option<u32>,
    words: &mut Vec<u32>,
) -> Result<(), Stop> {
    if to.unwrap_or(0) & 3 != 0 {
        return Err(Stop::Status(status::INVALID_ARGUMENT));
    }
    line.write(reg::IPRXFCR, WATERMARK).await?;
    line.modify(reg::IPRXFCR, reg::FIFO_CLEAR, 0).await?;
    line.wait_for(reg::IPRXFCR, reg::FIFO_CLEAR, 0).await?;
    line.modify(reg::IPCMD, reg::IPCMD_TRG, 0).await?;
    let mut left = bytes;
    while left > 0 {
        let now = if left >= BURST_BYTES {
            let full = line.read(reg::INTR).await? & reg::INTR_IPRXWA != 0;
            if full { BURST_BYTES } else { 0 }
        } else {
            let held = 8 * (line.read(reg::IPRXFSTS).await? & reg::IPRXFSTS_FILL);
            if held >= left { left } else { 0 }
        };
        for index in 0..now.div_ceil(4) {
            let word = line.read(reg::RFDR0 + 4 * index).await?;
            words.push(word);
            if let Some(to) = to {
                let at = to.wrapping_add(bytes - left + 4 * index);
                store(line, at, word, (now - 4 * index).min(4)).await?;
            }
        }
        left -= now;
        if now == BURST_BYTES {
            line.modify(reg::INTR, reg::INTR_IPRXWA, 0).await?;
        }
        if command_failed(line).await? {
            break;
        }
    }
    Ok(())
}

async fn store(line: &Line, at: u32, word: u32, bytes: u32) -> Result<(), Stop> {
    if bytes == 4 {
        return line.write(at, word).await;
    }
    for (byte, index) in word.to_le_bytes().into_iter().zip(0..bytes) {
        line.write_narrow(at + index, Width::Byte, byte.into())
            .await?;
    }
    Ok(())
}

async fn send(line: &Line, from: u32, bytes: u32) -> Result<(), Stop> {
    if from & 3 != 0 {
        return Err(Stop::Status(status::INVALID_ARGUMENT));
    }
    line.write(reg::IPTXFCR, WATERMARK).await?;
    line.modify(reg::IPTXFCR, reg::FIFO_CLEAR, 0).await?;
    line.wait_for(reg::IPTXFCR, reg::FIFO_CLEAR, 0).await?;
    let mut sent = 0;
    while sent < bytes {
        if line.read(reg::INTR).await? & reg::INTR_IPTXWE != 0 {
            for index in 0..BURST_WORDS {
                let offset = sent + 4 * index;
                let word = if offset < bytes {
                    line.read(from.wrapping_add(offset)).await?
                } else {
                    0
                };
                line.write(reg::TFDR0 + 4 * index, word).await?;
            }
            if sent == 0 {
                line.modify(reg::IPCMD, reg::IPCMD_TRG, 0).await?;
            }
            sent += BURST_BYTES;
            line.modify(reg::INTR, reg::INTR_IPTXWE, 0).await?;
        }
        if command_failed(line).await? {
            break;
        }
    }
    Ok(())
}
