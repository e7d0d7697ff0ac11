//! The FlexSPI controller: set-up, look-up table, and IP commands with a limit on every wait.

use crate::bus::Bus;
use crate::clocks::{self, Rate};
use crate::data::{BLOCK_BYTES, BLOCK_WORDS, ERASED, Sink, Source};
use crate::lut::{Sequence, Slot, WORDS};
use crate::machine::{Duty, Machine};
use crate::registers::flexspi as reg;
use mailbox::fault::{Fault, FaultCode, Stage};

/// Bytes moved through a FIFO at a time: half of its 128, so that the other half can fill meanwhile.
pub const WATERMARK_BYTES: u32 = 64;
const WATERMARK_WORDS: u32 = WATERMARK_BYTES / 4;
const WATERMARK_BLOCKS: u32 = WATERMARK_BYTES / BLOCK_BYTES;
const FIFO_CONTROL: u32 = (WATERMARK_BYTES / 8 - 1) << reg::FIFO_WATERMARK_SHIFT;
/// Bytes the FIFO status counts in.
const FILL_UNIT_BYTES: u32 = 8;
/// Most data of one IP command here; a multiple of the watermark within the 16 bits of IDATSZ.
pub const COMMAND_BYTES: u32 = 0x4000;
/// Limit of one IP command: [`COMMAND_BYTES`] on one line at 30 MHz take 4.4 ms.
const COMMAND_LIMIT_US: u32 = 100_000;
/// Limit of a software reset and of the way to idle, in µs.
const IDLE_LIMIT_US: u32 = 10_000;
/// Rounds of a short wait between looks at the clock.
const ROUNDS_BETWEEN_LOOKS: u32 = 64;

/// How the controller samples what the flash sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strobe {
    /// Looped back inside the chip: to 60 MHz.
    Internal,
    /// Looped back from the DQS pad.
    DqsPad,
}

/// Faults of this stage carry it, so every call names what it is for.
pub type Result<T> = core::result::Result<T, Fault>;

/// Sets the controller up from any state with the serial root at `rate`.
///
/// # Errors
/// A controller that does not come out of its reset.
pub fn start<B: Bus, D: Duty>(
    m: &mut Machine<B, D>,
    rate: Rate,
    strobe: Strobe,
    flash_bytes: u32,
) -> Result<()> {
    clocks::open_flexspi_gate(&mut m.bus);
    // A running AHB or IP command of whoever was here before ends with the reset, and stale read buffers with it.
    m.bus.modify32(reg::MCR0, reg::MCR0_MDIS, 0);
    software_reset(m)?;
    m.bus.modify32(reg::MCR0, 0, reg::MCR0_MDIS);
    clocks::set_flexspi(m, rate);
    let source = match strobe {
        Strobe::Internal => reg::RXCLKSRC_INTERNAL,
        Strobe::DqsPad => reg::RXCLKSRC_DQS_PAD,
    };
    // ARDFEN and ATDFEN stay zero: the FIFOs belong to the IP bus.
    let control = reg::MCR0_GRANT_WAITS | source << reg::MCR0_RXCLKSRC_SHIFT;
    m.bus.write32(reg::MCR0, control | reg::MCR0_MDIS);
    m.bus.write32(reg::MCR1, reg::MCR1_LONGEST);
    m.bus.write32(reg::AHBCR, 0);
    m.bus.write32(reg::INTEN, 0);
    m.bus.write32(reg::FLSHA1CR0, flash_bytes / 1024);
    m.bus.write32(reg::FLSHA2CR0, 0);
    m.bus.write32(reg::FLSHB1CR0, 0);
    m.bus.write32(reg::FLSHB2CR0, 0);
    m.bus.write32(reg::FLSHA1CR1, reg::FLSHA1CR1_TIMING);
    m.bus.write32(reg::FLSHA1CR2, Slot::AhbRead as u32);
    m.bus.write32(reg::DLLCRA, reg::DLLCR_OVERRIDE);
    m.bus.write32(reg::IPRXFCR, FIFO_CONTROL | reg::FIFO_CLEAR);
    m.bus.write32(reg::IPTXFCR, FIFO_CONTROL | reg::FIFO_CLEAR);
    m.bus.write32(reg::MCR0, control);
    software_reset(m)?;
    m.bus.write32(reg::INTR, reg::INTR_ALL);
    wait_idle(m, Stage::Controller)
}

/// Changes the rate of the serial root and the strobe; everything else stays.
///
/// # Errors
/// A controller that does not become idle.
pub fn change_rate<B: Bus, D: Duty>(
    m: &mut Machine<B, D>,
    rate: Rate,
    strobe: Strobe,
    flash_bytes: u32,
) -> Result<()> {
    wait_idle(m, Stage::Controller)?;
    start(m, rate, strobe, flash_bytes)
}

/// Resets the controller's state machines and read buffers; look-up table and configuration stay.
///
/// # Errors
/// A reset bit that does not clear.
pub fn software_reset<B: Bus, D: Duty>(m: &mut Machine<B, D>) -> Result<()> {
    m.bus.modify32(reg::MCR0, 0, reg::MCR0_SWRESET);
    wait(m, Until::ResetDone, IDLE_LIMIT_US, Stage::Controller)
}

/// Writes sequences into the look-up table.
///
/// # Errors
/// A controller that does not become idle.
pub fn load<B: Bus, D: Duty>(m: &mut Machine<B, D>, sequences: &[(Slot, Sequence)]) -> Result<()> {
    wait_idle(m, Stage::Controller)?;
    m.bus.write32(reg::LUTKEY, reg::LUTKEY_VALUE);
    m.bus.write32(reg::LUTCR, reg::LUTCR_UNLOCK);
    for (slot, words) in sequences {
        let mut register = reg::LUT + (*slot as u32) * WORDS as u32 * 4;
        for word in words {
            m.bus.write32(register, *word);
            register += 4;
        }
    }
    m.bus.write32(reg::LUTKEY, reg::LUTKEY_VALUE);
    m.bus.write32(reg::LUTCR, reg::LUTCR_LOCK);
    Ok(())
}

/// A command without data.
///
/// # Errors
/// Error or time-out of the controller.
pub fn command<B: Bus, D: Duty>(
    m: &mut Machine<B, D>,
    slot: Slot,
    address: u32,
    stage: Stage,
) -> Result<()> {
    prepare(m, slot, address, 0, stage)?;
    m.bus.write32(reg::IPCMD, reg::IPCMD_TRG);
    finish(m, address, stage)
}

/// A command that reads `bytes` (1 to [`COMMAND_BYTES`]) into `sink`.
///
/// # Errors
/// Error or time-out of the controller.
pub fn read<B: Bus, D: Duty>(
    m: &mut Machine<B, D>,
    slot: Slot,
    address: u32,
    bytes: u32,
    stage: Stage,
    sink: &mut impl Sink,
) -> Result<()> {
    prepare(m, slot, address, bytes, stage)?;
    m.bus.write32(reg::IPCMD, reg::IPCMD_TRG);
    let mut left = bytes;
    while left >= WATERMARK_BYTES {
        wait_flag(m, reg::INTR_IPRXWA, address, stage)?;
        for block in 0..WATERMARK_BLOCKS {
            let at = reg::RFDR + block * BLOCK_BYTES;
            let a = m.bus.read32(at);
            let b = m.bus.read32(at + 4);
            let c = m.bus.read32(at + 8);
            let d = m.bus.read32(at + 12);
            sink.take([a, b, c, d]);
        }
        m.bus.write32(reg::INTR, reg::INTR_IPRXWA);
        left -= WATERMARK_BYTES;
    }
    if left > 0 {
        // The tail never reaches the watermark: what the FIFO holds says when it is there.
        wait(m, Until::Received(left), COMMAND_LIMIT_US, stage).map_err(|fault| fault.at(address))?;
        let words = left.div_ceil(4);
        for first in (0..words).step_by(BLOCK_WORDS as usize) {
            sink.take([0, 1, 2, 3].map(|distance| {
                let index = first + distance;
                if index < words {
                    m.bus.read32(reg::RFDR + index * 4)
                } else {
                    ERASED
                }
            }));
        }
    }
    finish(m, address, stage)
}

/// A command that reads up to four bytes, as they stand in a word; bytes behind them whatever the FIFO holds.
///
/// # Errors
/// Error or time-out of the controller.
#[inline(never)]
pub fn read_word<B: Bus, D: Duty>(
    m: &mut Machine<B, D>,
    slot: Slot,
    bytes: u32,
    stage: Stage,
) -> Result<u32> {
    prepare(m, slot, 0, bytes, stage)?;
    m.bus.write32(reg::IPCMD, reg::IPCMD_TRG);
    wait(m, Until::Received(bytes), COMMAND_LIMIT_US, stage)?;
    let word = m.bus.read32(reg::RFDR);
    finish(m, 0, stage)?;
    Ok(word)
}

/// A command that writes `bytes` (1 to [`COMMAND_BYTES`]) from `source`.
///
/// # Errors
/// Error or time-out of the controller.
pub fn write<B: Bus, D: Duty>(
    m: &mut Machine<B, D>,
    slot: Slot,
    address: u32,
    bytes: u32,
    stage: Stage,
    source: impl Source,
) -> Result<()> {
    prepare(m, slot, address, bytes, stage)?;
    let words = bytes.div_ceil(4);
    let mut index = 0;
    while index < words {
        wait_flag(m, reg::INTR_IPTXWE, address, stage)?;
        for block in 0..WATERMARK_BLOCKS {
            let first = index + block * BLOCK_WORDS;
            let at = reg::TFDR + block * BLOCK_BYTES;
            if first + BLOCK_WORDS <= words {
                let [a, b, c, d] = source.load(first);
                m.bus.write32(at, a);
                m.bus.write32(at + 4, b);
                m.bus.write32(at + 8, c);
                m.bus.write32(at + 12, d);
            } else if first < words {
                let tail = source.load(first).into_iter().zip(first..words);
                for (word, place) in tail {
                    m.bus.write32(at + (place - first) * 4, word);
                }
            }
        }
        m.bus.write32(reg::INTR, reg::INTR_IPTXWE);
        if index == 0 {
            // The first half is in: from here the clock need not stop for want of data.
            m.bus.write32(reg::IPCMD, reg::IPCMD_TRG);
        }
        index += WATERMARK_WORDS;
    }
    finish(m, address, stage)
}

#[inline(never)]
fn prepare<B: Bus, D: Duty>(
    m: &mut Machine<B, D>,
    slot: Slot,
    address: u32,
    bytes: u32,
    stage: Stage,
) -> Result<()> {
    wait_idle(m, stage)?;
    m.bus.write32(
        reg::FLSHA1CR2,
        Slot::AhbRead as u32 | reg::FLSHCR2_CLRINSTRPTR,
    );
    m.bus.write32(reg::IPRXFCR, FIFO_CONTROL | reg::FIFO_CLEAR);
    m.bus.write32(reg::IPTXFCR, FIFO_CONTROL | reg::FIFO_CLEAR);
    m.bus.write32(
        reg::INTR,
        reg::INTR_IPCMDDONE
            | reg::INTR_IPCMDGE
            | reg::INTR_IPCMDERR
            | reg::INTR_IPRXWA
            | reg::INTR_SEQTIMEOUT,
    );
    m.bus.write32(reg::IPCR0, address);
    m.bus
        .write32(reg::IPCR1, (slot as u32) << reg::IPCR1_ISEQID_SHIFT | bytes);
    Ok(())
}

#[inline(never)]
fn finish<B: Bus, D: Duty>(m: &mut Machine<B, D>, address: u32, stage: Stage) -> Result<()> {
    wait_flag(m, reg::INTR_IPCMDDONE, address, stage)?;
    m.bus.write32(reg::INTR, reg::INTR_IPCMDDONE);
    wait_idle(m, stage)
}

/// Flags of a command that went wrong.
const ERROR_FLAGS: u32 = reg::INTR_IPCMDERR | reg::INTR_IPCMDGE | reg::INTR_SEQTIMEOUT;

/// Waits for a flag of INTR. Most are up at the first look, which is all that is done in place.
#[inline(always)]
fn wait_flag<B: Bus, D: Duty>(
    m: &mut Machine<B, D>,
    flag: u32,
    address: u32,
    stage: Stage,
) -> Result<()> {
    if m.bus.read32(reg::INTR) & (flag | ERROR_FLAGS) == flag {
        return Ok(());
    }
    wait(m, Until::Flag(flag), COMMAND_LIMIT_US, stage).map_err(|fault| fault.at(address))
}

fn wait_idle<B: Bus, D: Duty>(m: &mut Machine<B, D>, stage: Stage) -> Result<()> {
    if m.bus.read32(reg::STS0) & reg::STS0_IDLE == reg::STS0_IDLE {
        return Ok(());
    }
    wait(m, Until::Idle, IDLE_LIMIT_US, stage)
}

/// What is waited for.
#[derive(Clone, Copy)]
enum Until {
    /// A flag of INTR.
    Flag(u32),
    /// So many bytes in the receive FIFO.
    Received(u32),
    /// Both state machines idle.
    Idle,
    /// The software reset over.
    ResetDone,
}

/// Why a look does not end a wait.
enum NotYet {
    /// The state seen, for the time-out's fault.
    Seen(u32),
    /// STS1 after an error.
    Error(u32),
}

fn look(bus: &mut impl Bus, until: Until) -> core::result::Result<(), NotYet> {
    let (done, value) = match until {
        Until::Flag(_) | Until::Received(_) => {
            let flags = bus.read32(reg::INTR);
            if flags & ERROR_FLAGS != 0 {
                return Err(NotYet::Error(bus.read32(reg::STS1)));
            }
            let done = match until {
                Until::Received(bytes) => {
                    (bus.read32(reg::IPRXFSTS) & reg::FSTS_FILL) * FILL_UNIT_BYTES >= bytes
                }
                Until::Flag(flag) => flags & flag != 0,
                Until::Idle | Until::ResetDone => false,
            };
            (done, flags)
        }
        Until::Idle => {
            let value = bus.read32(reg::STS0);
            (value & reg::STS0_IDLE == reg::STS0_IDLE, value)
        }
        Until::ResetDone => {
            let value = bus.read32(reg::MCR0);
            (value & reg::MCR0_SWRESET == 0, value)
        }
    };
    if done { Ok(()) } else { Err(NotYet::Seen(value)) }
}

#[inline(never)]
fn wait<B: Bus, D: Duty>(
    m: &mut Machine<B, D>,
    until: Until,
    limit_us: u32,
    stage: Stage,
) -> Result<()> {
    // Most waits end at the first looks: the clock is read only after that.
    let mut deadline = None;
    let mut rounds = 0;
    loop {
        let seen = match look(&mut m.bus, until) {
            Ok(()) => return Ok(()),
            Err(NotYet::Error(status)) => {
                return Err(Fault::new(FaultCode::Controller, stage).values(0, status));
            }
            Err(NotYet::Seen(seen)) => seen,
        };
        rounds += 1;
        if rounds % ROUNDS_BETWEEN_LOOKS == 0 {
            match deadline {
                None => deadline = Some(m.deadline(limit_us)),
                Some(limit) if m.is_over(limit) => {
                    return Err(Fault::new(FaultCode::Timeout, stage).values(limit_us, seen));
                }
                Some(_) => m.attend(),
            }
        }
    }
}
