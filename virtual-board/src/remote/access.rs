//! Transfers of the debug port as the firmware makes them: one register at a time, WAIT tried again, errors cleared.
//!
//! The number of transfers and idle clocks is that of the firmware (Black Magic Debug v2.0.0, src/target/adiv5_swd.c and
//! adiv5.c): every word of a memory read is a transfer of DRW and one of RDBUFF, each followed by 8 idle clocks. Two
//! things are done otherwise: a WAIT or FAULT is followed by the clocks of a data phase, and after a FAULT, where the
//! firmware clears the sticky errors and repeats the transfer, so that a bus error can go unseen, it is reported here.

use super::Pins;
use super::line::Line;
use crate::time::Time;

const ACK_BITS: u32 = 3;
const ACK_OK: u32 = 0b001;
const ACK_WAIT: u32 = 0b010;
const ACK_FAULT: u32 = 0b100;
const DATA_BITS: u32 = 32;
const IDLE_CLOCKS: u32 = 8;
const REQUEST_BITS: u32 = 8;

const DP_DPIDR_ABORT: u8 = 0x0;
const DP_SELECT: u8 = 0x8;
const DP_RDBUFF: u8 = 0xC;
const AP_CSW: u8 = 0x00;
const AP_TAR: u8 = 0x04;
const AP_DRW: u8 = 0x0C;

const ABORT_DAPABORT: u32 = 1 << 0;
/// STKCMPCLR, STKERRCLR, WDERRCLR, ORUNERRCLR.
const ABORT_CLEAR_ALL: u32 = 0x1E;
const SELECT_APSEL_SHIFT: u32 = 24;
const CSW_SIZE: u32 = 0b111;
const CSW_INCREMENT: u32 = 0b11 << 4;
const CSW_INCREMENT_SINGLE: u32 = 0b01 << 4;
/// TAR counts inside such a block (ADIv5 C2.2.2).
const INCREMENT_BLOCK_BYTES: u32 = 1024;

/// Line reset: at least 50 clocks high, then idle; the firmware makes 60 and 4.
const RESET_HIGH_CLOCKS: u32 = 60;
const RESET_IDLE_CLOCKS: u32 = 4;

/// How long the firmware tries again after WAIT.
const PATIENCE: Time = Time::ms(250);

/// Why a transfer failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failed {
    /// Acknowledged with WAIT for too long, FAULT, or nothing (all ones).
    Acknowledgement(u32),
    /// Wrong parity, or an acknowledgement that does not exist.
    Damaged,
}

/// A register of the debug port or of the selected access port, A[3:2].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Register {
    /// APnDP.
    pub ap: bool,
    /// A[7:2]; the debug port sees A[3:2], SELECT takes the rest.
    pub address: u8,
}

/// How wide one access to memory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// 8 bits.
    Byte,
    /// 16 bits.
    Half,
    /// 32 bits.
    Word,
}

impl Width {
    /// The widest that fits both address and length.
    pub fn fitting(address: u32, length: u32) -> Self {
        match (address | length) & 0b11 {
            0 => Width::Word,
            2 => Width::Half,
            _ => Width::Byte,
        }
    }

    /// In bytes.
    pub const fn bytes(self) -> u32 {
        match self {
            Width::Byte => 1,
            Width::Half => 2,
            Width::Word => 4,
        }
    }

    const fn csw_size(self) -> u32 {
        match self {
            Width::Byte => 0,
            Width::Half => 1,
            Width::Word => 2,
        }
    }
}

const fn dp(address: u8) -> Register {
    Register { ap: false, address }
}

const fn ap(address: u8) -> Register {
    Register { ap: true, address }
}

/// The transfers of one packet.
pub struct Access<'a> {
    line: &'a mut Line,
    pins: &'a mut dyn Pins,
}

impl<'a> Access<'a> {
    /// Over `line`.
    pub fn over(line: &'a mut Line, pins: &'a mut dyn Pins) -> Self {
        Access { line, pins }
    }

    /// One transfer without recovery; `value` is written, or the read value comes back.
    pub fn raw(&mut self, register: Register, write: Option<u32>) -> Result<u32, Failed> {
        let give_up = self.pins.now() + PATIENCE;
        loop {
            self.line
                .write(request(register, write.is_none()), REQUEST_BITS, self.pins);
            match self.line.read(ACK_BITS, self.pins) {
                ACK_OK => break,
                ACK_WAIT if self.pins.now() < give_up => self.skip_data_phase(),
                ACK_WAIT => {
                    self.skip_data_phase();
                    // ABORT is always accepted
                    let _ = self.abort(ABORT_DAPABORT);
                    return Err(Failed::Acknowledgement(ACK_WAIT));
                }
                ACK_FAULT => {
                    self.skip_data_phase();
                    let _ = self.abort(ABORT_CLEAR_ALL);
                    return Err(Failed::Acknowledgement(ACK_FAULT));
                }
                NO_ANSWER => return Err(Failed::Acknowledgement(NO_ANSWER)),
                _ => return Err(Failed::Damaged),
            }
        }
        self.data_phase(write)
    }

    fn data_phase(&mut self, write: Option<u32>) -> Result<u32, Failed> {
        let value = match write {
            Some(value) => {
                self.line.write_with_parity(value, DATA_BITS, self.pins);
                value
            }
            None => {
                let (value, sound) = self.line.read_with_parity(DATA_BITS, self.pins);
                if !sound {
                    return Err(Failed::Damaged);
                }
                value
            }
        };
        self.line.write(0, IDLE_CLOCKS, self.pins);
        Ok(value)
    }

    /// With CTRL/STAT.ORUNDETECT, which hosts set as they like, a data phase follows WAIT and FAULT too; without it these
    /// clocks are idle ones.
    fn skip_data_phase(&mut self) {
        self.line.write(0, DATA_BITS + 1 + IDLE_CLOCKS, self.pins);
    }

    fn abort(&mut self, value: u32) -> Result<(), Failed> {
        let abort = dp(DP_DPIDR_ABORT);
        self.line
            .write(request(abort, false), REQUEST_BITS, self.pins);
        match self.line.read(ACK_BITS, self.pins) {
            ACK_OK => self.data_phase(Some(value)).map(|_| ()),
            other => Err(Failed::Acknowledgement(other)),
        }
    }

    /// One transfer; a port that gives no answer is woken by a line reset, once.
    fn recoverable(&mut self, register: Register, write: Option<u32>) -> Result<u32, Failed> {
        match self.raw(register, write) {
            Err(Failed::Acknowledgement(NO_ANSWER)) => {
                // the data phase of a target that did not understand, then the reset of the line
                self.line.read_with_parity(DATA_BITS, self.pins);
                self.reset_line()?;
                self.raw(register, write)
            }
            outcome => outcome,
        }
    }

    fn reset_line(&mut self) -> Result<(), Failed> {
        self.line.write(u64::MAX, RESET_HIGH_CLOCKS, self.pins);
        self.line.write(0, RESET_IDLE_CLOCKS, self.pins);
        self.raw(dp(DP_DPIDR_ABORT), None)?;
        self.abort(ABORT_CLEAR_ALL)
    }

    /// Reads a register; of an access port, by way of RDBUFF.
    pub fn read(&mut self, register: Register) -> Result<u32, Failed> {
        let value = self.recoverable(register, None)?;
        if register.ap {
            return self.raw(dp(DP_RDBUFF), None);
        }
        Ok(value)
    }

    fn select(&mut self, apsel: u8, register: u8) -> Result<(), Failed> {
        let select = (u32::from(apsel) << SELECT_APSEL_SHIFT) | u32::from(register & 0xF0);
        self.recoverable(dp(DP_SELECT), Some(select)).map(|_| ())
    }

    /// Reads register `address` of access port `apsel`.
    pub fn read_ap(&mut self, apsel: u8, address: u8) -> Result<u32, Failed> {
        self.select(apsel, address)?;
        self.read(ap(address))
    }

    /// Writes register `address` of access port `apsel`.
    pub fn write_ap(&mut self, apsel: u8, address: u8, value: u32) -> Result<(), Failed> {
        self.select(apsel, address)?;
        self.raw(ap(address), Some(value)).map(|_| ())
    }

    fn set_up(&mut self, apsel: u8, csw: u32, address: u32, width: Width) -> Result<(), Failed> {
        let csw = (csw & !(CSW_SIZE | CSW_INCREMENT)) | CSW_INCREMENT_SINGLE | width.csw_size();
        self.write_ap(apsel, AP_CSW, csw)?;
        self.raw(ap(AP_TAR), Some(address)).map(|_| ())
    }

    /// Sets TAR anew where its counter would wrap.
    fn next_block(&mut self, start: u32, address: u32) -> Result<(), Failed> {
        if address != start && address.is_multiple_of(INCREMENT_BLOCK_BYTES) {
            self.raw(ap(AP_TAR), Some(address))?;
        }
        Ok(())
    }

    /// Reads `length` bytes in the widest accesses that fit.
    pub fn read_memory(
        &mut self,
        apsel: u8,
        csw: u32,
        start: u32,
        length: u32,
    ) -> Result<Vec<u8>, Failed> {
        let mut bytes = Vec::with_capacity(length as usize);
        if length == 0 {
            return Ok(bytes);
        }
        let width = Width::fitting(start, length);
        self.set_up(apsel, csw, start, width)?;
        for offset in (0..length).step_by(width.bytes() as usize) {
            let address = start.wrapping_add(offset);
            self.next_block(start, address)?;
            let value = self.read(ap(AP_DRW))? >> lane(address);
            bytes.extend(value.to_le_bytes().iter().take(width.bytes() as usize));
        }
        Ok(bytes)
    }

    /// Writes `bytes`, a multiple of `width`, and waits for the last.
    pub fn write_memory(
        &mut self,
        apsel: u8,
        csw: u32,
        start: u32,
        bytes: &[u8],
        width: Width,
    ) -> Result<(), Failed> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.set_up(apsel, csw, start, width)?;
        let mut address = start;
        for unit in bytes.chunks(width.bytes() as usize) {
            self.next_block(start, address)?;
            let value = unit
                .iter()
                .rev()
                .fold(0, |value, byte| (value << u8::BITS) | u32::from(*byte));
            self.raw(ap(AP_DRW), Some(value << lane(address)))?;
            address = address.wrapping_add(width.bytes());
        }
        self.raw(dp(DP_RDBUFF), None).map(|_| ())
    }
}

/// No target drove the line.
const NO_ANSWER: u32 = 0b111;

/// Every byte travels in the lane of its address (ADIv5 C2.2.6).
fn lane(address: u32) -> u32 {
    (address % Width::Word.bytes()) * u8::BITS
}

/// Start, APnDP, RnW, A[2:3], parity, stop, park (ADIv5 B4.1.1), first bit lowest.
fn request(register: Register, read: bool) -> u64 {
    let address = u64::from((register.address >> 2) & 0b11);
    let fields = u64::from(register.ap) | (u64::from(read) << 1) | (address << 2);
    let parity = u64::from(fields.count_ones() % 2);
    1 | (fields << 1) | (parity << 5) | (1 << 7)
}
