//! The driver's hold on the FlexSPI: set-up, LUT, IP commands, clock switches (NXP `bl_flexspi.c` of the RT10xx).

use super::config::Config;
use super::line::Line;
use super::nor::{COMMAND, READ_STATUS, WRITE_ENABLE};
use super::transfer::{Data, Transfer, transfer, wait_idle};
use super::{Stop, config, status};
use crate::rom::fcb;
use crate::rom::flexspi as reg;
use crate::time::Time;

/// Sequences of the LUT.
pub(super) const LUT_SEQUENCES: u64 = 16;
/// The core clock that the driver reckons its delays by.
const CORE_HZ: u32 = 396_000_000;
/// Serial clocks to wait after a clock switch.
const SETTLE_CLOCKS: u32 = 10;
/// Limit of a sequence, in nanoseconds, and the unit MCR1 counts it in.
const SEQUENCE_LIMIT_NS: u32 = 500_000_000;
const SEQWAIT_UNIT: u32 = 1024;
const LONGEST_WAIT: u32 = 0xFFFF;
/// Chips that the controller can select.
pub(super) const CHIPS: u32 = 4;

/// Which clock [`change_clock`] goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clock {
    /// ipcmdSerialClkFreq.
    ForCommands,
    /// serialClkFreq.
    ForReads,
}

/// SWRESET: the AHB buffers forget what they hold.
pub(super) async fn software_reset(line: &Line) -> Result<(), Stop> {
    line.play(reg::software_reset()).await
}

/// Sets everything up from the block.
pub(super) async fn init(config: &Config) -> Result<(), Stop> {
    let line = &config.line;
    config.check_tag().await?;
    let mode_command = config.byte(fcb::DEVICE_MODE_CFG_ENABLE).await? != 0;
    let misc = config.word(fcb::CONTROLLER_MISC_OPTION).await?;
    let slow_first = mode_command && misc & fcb::MISC_SAFE_FREQUENCY != 0;
    let code = config.byte(fcb::SERIAL_CLK_FREQ).await?;
    let first_code = if slow_first {
        u32::from(reg::PROBE_FREQUENCY)
    } else {
        code
    };
    line.modify(reg::CCM_CCGR6, 0, reg::CCGR6_FLEXSPI).await?;
    line.play(reg::pads()).await?;
    set_clock(line, first_code).await?;
    line.modify(reg::CCM_CCGR6, reg::CCGR6_FLEXSPI, 0).await?;
    line.modify(reg::MCR0, 0, reg::MCR0_MDIS).await?;
    software_reset(line).await?;

    line.modify(reg::MCR0, reg::MCR0_MDIS, 0).await?;
    let source = config.byte(fcb::READ_SAMPLE_CLK_SRC).await?;
    line.modify(
        reg::MCR0,
        reg::MCR0_GRANT_WAITS | source << 4,
        reg::MCR0_SET_BY_DRIVER,
    )
    .await?;
    set_time_outs(line, first_code).await?;
    line.modify(reg::MCR2, 0, reg::MCR2_SAMEDEVICEEN).await?;
    set_ahb_buffers(config).await?;
    set_flash_control(config, first_code).await?;
    set_dll(line).await?;
    line.modify(reg::MCR0, 0, reg::MCR0_MDIS).await?;
    software_reset(line).await?;
    if mode_command {
        send_mode_command(config).await?;
    }
    if slow_first {
        line.modify(reg::MCR0, reg::MCR0_MDIS, 0).await?;
        set_clock(line, code).await?;
        set_time_outs(line, code).await?;
        set_dll(line).await?;
        line.modify(reg::MCR0, 0, reg::MCR0_MDIS).await?;
    }
    Ok(())
}

/// Goes to an FCB frequency code; 0 leaves the clock alone, one beyond the table is 30 MHz.
async fn set_clock(line: &Line, code: u32) -> Result<(), Stop> {
    match u8::try_from(code).unwrap_or(u8::MAX) {
        0 => Ok(()),
        code if code > fcb::HIGHEST_FREQUENCY_CODE => {
            line.play(reg::clock(reg::PROBE_FREQUENCY)).await
        }
        code => line.play(reg::clock(code)).await,
    }
}

fn serial_hz(code: u32) -> u32 {
    reg::serial_hz(u8::try_from(code).unwrap_or(reg::PROBE_FREQUENCY))
}

/// The driver's count of `unit` clocks that last `span_ns` or longer; it reckons with whole nanoseconds a clock.
fn ticks(span_ns: u32, hz: u32, unit: u32) -> u32 {
    let cycle_ns = (1_000_000_000 / hz.max(1)).max(1);
    span_ns.div_ceil(cycle_ns * unit)
}

async fn set_time_outs(line: &Line, code: u32) -> Result<(), Stop> {
    let sequence = ticks(SEQUENCE_LIMIT_NS, serial_hz(code), SEQWAIT_UNIT).min(LONGEST_WAIT);
    // the limit of AHB accesses depends on the ROM's idea of the bus clock; at 132 MHz it is the longest one
    line.write(reg::MCR1, sequence << 16 | LONGEST_WAIT).await
}

async fn set_ahb_buffers(config: &Config) -> Result<(), Stop> {
    let line = &config.line;
    if config.byte(fcb::DEVICE_TYPE).await? == fcb::SERIAL_NOR {
        line.modify(reg::AHBCR, reg::AHBCR_READADDROPT, reg::AHBCR_APAREN)
            .await?;
    }
    line.modify(reg::AHBCR, reg::AHBCR_PREFETCHEN, 0).await?;
    for buffer in 0..CHIPS - 1 {
        let control = reg::AHBRXBUFCR0 + 4 * buffer;
        line.modify(control, 0, reg::AHBRXBUFCR0_SET_BY_DRIVER)
            .await?;
    }
    Ok(())
}

async fn set_flash_control(config: &Config, code: u32) -> Result<(), Stop> {
    let line = &config.line;
    for chip in 0..CHIPS {
        let size = config.word(fcb::SFLASH_A1_SIZE + 4 * chip).await?;
        line.write(reg::FLSHCR0 + 4 * chip, size / 1024).await?;
        let setup = config.byte(fcb::CS_SETUP_TIME).await? & fcb::LONGEST_CS_CLOCKS;
        let hold = config.byte(fcb::CS_HOLD_TIME).await? & fcb::LONGEST_CS_CLOCKS;
        let column = config.byte(fcb::COLUMN_ADDRESS_WIDTH).await? & 0xF;
        let interval = config.word(fcb::COMMAND_INTERVAL).await?;
        let interval = ticks(interval, serial_hz(code), 1) & 0xFFFF;
        let timing = setup | hold << 5 | column << 11 | interval << 16;
        line.write(reg::FLSHCR1 + 4 * chip, timing).await?;
        line.write(reg::FLSHCR2 + 4 * chip, reg::FLSHCR2_AWRSEQID_9)
            .await?;
    }
    Ok(())
}

/// One fixed delay cell, written with the module disabled.
async fn set_dll(line: &Line) -> Result<(), Stop> {
    let enabled = line.read(reg::MCR0).await? & reg::MCR0_MDIS == 0;
    if enabled {
        line.modify(reg::MCR0, reg::MCR0_MDIS, 0).await?;
    }
    line.write(reg::DLLCRA, reg::DLL_OVERRIDE).await?;
    if enabled {
        line.modify(reg::MCR0, 0, reg::MCR0_MDIS).await?;
    }
    Ok(())
}

/// The mode command of the block (for a QSPI NOR: sets QE), with a write enable before it.
async fn send_mode_command(config: &Config) -> Result<(), Stop> {
    let line = &config.line;
    let sequence = config.byte(fcb::DEVICE_MODE_SEQ + 1).await?;
    if config.byte(fcb::DEVICE_MODE_SEQ).await? != 1 {
        return Err(Stop::Model(
            "a mode command of several sequences in a ROM API call",
        ));
    }
    write_enable(config, 0).await?;
    update_lut(line, COMMAND, config.sequence(sequence).await?).await?;
    let from = config.at(fcb::DEVICE_MODE_ARG);
    let command = Transfer {
        sequence: COMMAND,
        address: 0,
        data: Data::Argument { from },
    };
    transfer(line, command).await?;
    match config.half(fcb::WAIT_TIME_CFG_COMMANDS).await? {
        0 => wait_busy(config, 0).await,
        wait => {
            delay_us(line, 100 * wait).await;
            Ok(())
        }
    }
}

async fn delay_us(line: &Line, us: u32) {
    for _ in 0..us {
        line.spend(Time::us(1)).await;
    }
}

/// Loads one sequence into the LUT.
pub(super) async fn update_lut(line: &Line, sequence: u32, words: [u32; 4]) -> Result<(), Stop> {
    wait_idle(line).await?;
    line.write(reg::LUTKEY, reg::LUT_KEY).await?;
    line.write(reg::LUTCR, reg::LUT_UNLOCK).await?;
    for (word, index) in words.into_iter().zip(0..) {
        line.write(reg::LUT + 16 * sequence + 4 * index, word)
            .await?;
    }
    line.write(reg::LUTKEY, reg::LUT_KEY).await?;
    line.write(reg::LUTCR, reg::LUT_LOCK).await
}

/// Sends WREN.
pub(super) async fn write_enable(config: &Config, address: u32) -> Result<(), Stop> {
    let words = config.sequence(WRITE_ENABLE).await?;
    update_lut(&config.line, COMMAND, words).await?;
    let command = Transfer {
        sequence: COMMAND,
        address,
        data: Data::None,
    };
    transfer(&config.line, command).await.map(|_| ())
}

/// Reads the status until the flash is ready: without limit and without pause, or, with a time-out, once a millisecond.
pub(super) async fn wait_busy(config: &Config, address: u32) -> Result<(), Stop> {
    let line = &config.line;
    let bit = config.half(fcb::BUSY_OFFSET).await? & 31;
    let busy_level = u32::from(config.half(fcb::BUSY_BIT_POLARITY).await? == 0);
    update_lut(line, READ_STATUS, config.sequence(READ_STATUS).await?).await?;
    let mut left_ms = config.word(fcb::TIMEOUT_IN_MS).await?;
    let limited = left_ms != 0;
    let poll = Transfer {
        sequence: READ_STATUS,
        address,
        data: Data::Read { bytes: 4, to: None },
    };
    loop {
        let words = transfer(line, poll).await?;
        let value = words.first().copied().unwrap_or(0);
        if value >> bit & 1 != busy_level {
            return Ok(());
        }
        if limited && left_ms == 0 {
            return Err(Stop::Status(status::DEVICE_TIMEOUT));
        }
        if limited {
            delay_us(line, 1000).await;
            left_ms -= 1;
        }
    }
}

/// Goes to the clock of commands or of reads, with new DLL settings and a wait of ten serial clocks.
pub(super) async fn change_clock(config: &Config, to: Clock) -> Result<(), Stop> {
    let line = &config.line;
    let for_commands = config.byte(config::IPCMD_SERIAL_CLK_FREQ).await?;
    if for_commands == 0 {
        return Ok(());
    }
    line.wait_for(reg::STS0, reg::STS0_ARBIDLE, reg::STS0_ARBIDLE)
        .await?;
    let code = match to {
        Clock::ForCommands => for_commands,
        Clock::ForReads => config.byte(fcb::SERIAL_CLK_FREQ).await?,
    };
    set_clock(line, code).await?;
    set_dll(line).await?;
    let cycles = SETTLE_CLOCKS * (1 + CORE_HZ / serial_hz(code));
    line.cycles(u64::from(cycles)).await;
    Ok(())
}
