//! The flash device: identify, read, erase, program, status, exit; every wait limited by the part's data.

use crate::bus::Bus;
use crate::clocks::{self, Rate};
use crate::controller::{self, COMMAND_BYTES, Result, Strobe};
use crate::lut::{self, Pads, Slot};
use crate::machine::{Deadline, Duty, Machine};
use crate::pins;
use crate::wake;
use mailbox::Setup;
use mailbox::digest::{Digest, Digester};
use mailbox::fault::{Fault, FaultCode, Stage};
use mailbox::result::{
    FOUND_PLLS_DOWN, Identity, PAGE_BYTES, SECTOR_BYTES, SFDP_BYTES, SectorRecord,
};
use mailbox::setup::{FLAG_DQS_LOOPBACK, FLAG_QUAD};

/// Status register: write in progress.
pub const WIP: u8 = 1;
/// Status register: write enable latch.
pub const WEL: u8 = 1 << 1;
/// Chip erase: the one erase without address.
const CHIP_ERASE: [u8; 2] = [0xC7, 0x60];
/// 02h, page program on one line.
const PAGE_PROGRAM: u8 = 0x02;
/// 0Bh, read on one line with dummy clocks.
const FAST_READ: u8 = 0x0B;
/// Rates above this need the strobe from the DQS pad (IMXRT1060CEC, FlexSPI input timing).
const INTERNAL_STROBE_MHZ: u32 = 60;
const ERASED: u32 = 0xFFFF_FFFF;

/// A flash that has been woken and identified.
pub struct Nor<B, D> {
    /// Bus and duties.
    pub machine: Machine<B, D>,
    pub(crate) setup: Setup,
    pub(crate) bare_opcode: Option<u8>,
    erase_opcode: Option<u8>,
    quad: bool,
    jedec_id: [u8; 3],
    found: u32,
    rate: Rate,
}

impl<B: Bus, D: Duty> Nor<B, D> {
    /// Clocks, pins and controller from any state, then the flash into its reset state; nothing non-volatile changes.
    ///
    /// # Errors
    /// The fault, and the machine so that the caller can go on beating.
    pub fn wake(
        mut machine: Machine<B, D>,
        setup: Setup,
    ) -> core::result::Result<Self, (Fault, Machine<B, D>)> {
        let found = match bring_up(&mut machine, &setup) {
            Ok(found) => found,
            Err(fault) => return Err((fault, machine)),
        };
        let mut nor = Nor {
            machine,
            setup,
            bare_opcode: None,
            erase_opcode: None,
            quad: false,
            jedec_id: [0; 3],
            found,
            rate: clocks::IDENTIFY,
        };
        match nor.wake_flash() {
            Ok(()) => Ok(nor),
            Err(fault) => Err((fault, nor.machine)),
        }
    }

    fn wake_flash(&mut self) -> Result<()> {
        self.found |= wake::wake(self)? | self.machine.watchdogs.found();
        self.jedec_id = self.read_id()?;
        self.to_work_rate()
    }

    /// Switches to the work clock and proves that reading works at it.
    fn to_work_rate(&mut self) -> Result<()> {
        let loopback = self.setup.flags & FLAG_DQS_LOOPBACK != 0;
        let mhz = if loopback {
            self.setup.work_clock_mhz
        } else {
            self.setup.work_clock_mhz.min(INTERNAL_STROBE_MHZ)
        };
        self.rate = Rate::at_most_mhz(mhz);
        let strobe = if loopback {
            Strobe::DqsPad
        } else {
            Strobe::Internal
        };
        controller::change_rate(&mut self.machine, self.rate, strobe, self.setup.flash_bytes)?;
        let again = self.read_id()?;
        if again != self.jedec_id {
            let fault = Fault::new(FaultCode::IdentityChanged, Stage::Identify);
            return Err(fault.values(id_word(self.jedec_id), id_word(again)));
        }
        let status = self.read_status(Stage::Identify)?;
        self.follow_quad_enable(status)
    }

    /// Takes reads and programs to four lines if QE is set and the setup allows, else to one.
    fn follow_quad_enable(&mut self, status: u8) -> Result<()> {
        let s = &self.setup;
        self.quad = s.flags & FLAG_QUAD != 0 && status & s.quad_enable_mask != 0;
        let (read, program) = if self.quad {
            let read = lut::read_quad(s.quad_read_opcode, s.quad_read_dummy_clocks);
            (read, lut::program(s.quad_program_opcode, Pads::Four))
        } else {
            let read = lut::read_with_dummy(FAST_READ, s.fast_read_dummy_clocks);
            (read, lut::program(PAGE_PROGRAM, Pads::One))
        };
        controller::load(
            &mut self.machine,
            &[(Slot::Read, read), (Slot::Program, program)],
        )
    }

    /// Size of the flash in bytes.
    pub fn flash_bytes(&self) -> u32 {
        self.setup.flash_bytes
    }

    /// Corrects the size once the part is known.
    pub fn set_flash_bytes(&mut self, bytes: u32) {
        self.setup.flash_bytes = bytes;
    }

    /// JEDEC ID, registers and the head of SFDP.
    ///
    /// # Errors
    /// Error or time-out of the controller.
    pub fn identify(&mut self) -> Result<Identity> {
        let jedec_id = self.read_id()?;
        let status_register = self.read_status(Stage::Identify)?;
        let function_register = self.read_register(Slot::ReadFunction, Stage::Identify)?;
        let mut sfdp = [0; SFDP_BYTES];
        let mut words = sfdp.as_chunks_mut::<4>().0.iter_mut();
        controller::read(
            &mut self.machine,
            Slot::ReadSfdp,
            0,
            SFDP_BYTES as u32,
            Stage::Identify,
            |word| {
                if let Some(bytes) = words.next() {
                    *bytes = word.to_le_bytes();
                }
            },
        )?;
        let (found, work_clock_hz, quad) = (self.found, self.rate.hz(), self.quad);
        Ok(Identity {
            jedec_id,
            status_register,
            function_register,
            found,
            work_clock_hz,
            quad,
            sfdp,
        })
    }

    /// Answer to 9Fh.
    ///
    /// # Errors
    /// Error or time-out of the controller.
    pub fn read_id(&mut self) -> Result<[u8; 3]> {
        let mut id = 0u32;
        controller::read(
            &mut self.machine,
            Slot::ReadId,
            0,
            3,
            Stage::Identify,
            |word| id = word,
        )?;
        let [a, b, c, _] = id.to_le_bytes();
        Ok([a, b, c])
    }

    /// Answer to 05h.
    ///
    /// # Errors
    /// Error or time-out of the controller.
    pub fn read_status(&mut self, stage: Stage) -> Result<u8> {
        self.read_register(Slot::ReadStatus, stage)
    }

    pub(crate) fn read_register(&mut self, slot: Slot, stage: Stage) -> Result<u8> {
        let mut value = 0u32;
        controller::read(&mut self.machine, slot, 0, 1, stage, |word| value = word)?;
        Ok(value as u8)
    }

    /// Sends an opcode alone.
    ///
    /// # Errors
    /// Error or time-out of the controller.
    pub(crate) fn bare(&mut self, opcode: u8, stage: Stage) -> Result<()> {
        if self.bare_opcode != Some(opcode) {
            controller::load(&mut self.machine, &[(Slot::Bare, lut::bare(opcode))])?;
            self.bare_opcode = Some(opcode);
        }
        controller::command(&mut self.machine, Slot::Bare, 0, stage)
    }

    /// Waits for WIP = 0 and returns the last status seen.
    ///
    /// # Errors
    /// The limit passed, or the controller failed.
    pub(crate) fn wait_ready(&mut self, limit_us: u32, stage: Stage, address: u32) -> Result<u8> {
        let deadline: Deadline = self.machine.deadline(limit_us);
        loop {
            let status = self.read_status(stage).map_err(|fault| fault.at(address))?;
            if status & WIP == 0 {
                return Ok(status);
            }
            if self.machine.is_over(deadline) {
                return Err(Fault::new(FaultCode::Timeout, stage)
                    .at(address)
                    .values(limit_us, u32::from(status)));
            }
            self.machine.idle();
        }
    }

    fn write_enable(&mut self, address: u32) -> Result<()> {
        controller::command(&mut self.machine, Slot::WriteEnable, 0, Stage::WriteEnable)?;
        let status = self.read_status(Stage::WriteEnable)?;
        if status & (WEL | WIP) != WEL {
            let fault = Fault::new(FaultCode::NoWriteEnable, Stage::WriteEnable).at(address);
            return Err(fault.values(u32::from(WEL), u32::from(status)));
        }
        Ok(())
    }

    /// Waits for the end of an operation that clears WEL when it succeeds.
    fn wait_done(&mut self, limit_us: u32, stage: Stage, address: u32) -> Result<()> {
        let status = self.wait_ready(limit_us, stage, address)?;
        if status & WEL != 0 {
            return Err(Fault::new(FaultCode::Rejected, stage)
                .at(address)
                .values(0, u32::from(status)));
        }
        Ok(())
    }

    /// Erases the unit of `size` bytes at `address` with `opcode`.
    ///
    /// # Errors
    /// Address out of range or not aligned, no write enable, time-out, rejected.
    pub fn erase(&mut self, address: u32, size: u32, opcode: u8) -> Result<()> {
        self.check_range(address, size, Stage::Erase)?;
        if size == 0 || !address.is_multiple_of(size) {
            return Err(Fault::new(FaultCode::BadRequest, Stage::Erase)
                .at(address)
                .values(size, address));
        }
        let whole_chip = CHIP_ERASE.contains(&opcode);
        if whole_chip != (size == self.setup.flash_bytes) {
            return Err(Fault::new(FaultCode::BadRequest, Stage::Erase)
                .at(address)
                .values(size, u32::from(opcode)));
        }
        if self.erase_opcode != Some(opcode) {
            let sequence = if whole_chip {
                lut::bare(opcode)
            } else {
                lut::addressed(opcode)
            };
            controller::load(&mut self.machine, &[(Slot::Erase, sequence)])?;
            self.erase_opcode = Some(opcode);
        }
        self.write_enable(address)?;
        controller::command(&mut self.machine, Slot::Erase, address, Stage::Erase)?;
        let limit = self.setup.erase_limit_us(size);
        self.wait_done(limit, Stage::Erase, address)
    }

    /// Compares a range with 0xFF.
    ///
    /// # Errors
    /// The first word that is not blank, with its address.
    pub fn check_blank(&mut self, address: u32, length: u32) -> Result<()> {
        self.compare(address, length, || ERASED)
            .map_err(|fault| match fault.code {
                FaultCode::ReadBackDiffers => Fault {
                    code: FaultCode::NotBlank,
                    stage: Stage::Erase,
                    ..fault
                },
                _ => fault,
            })
    }

    /// Programs `length` bytes at `address` (a multiple of four), page by page; `word` gives the word with an index.
    ///
    /// # Errors
    /// Range, no write enable, time-out, rejected.
    pub fn program(&mut self, address: u32, length: u32, word: impl Fn(u32) -> u32) -> Result<()> {
        self.check_range(address, length, Stage::Program)?;
        if !address.is_multiple_of(4) {
            return Err(Fault::new(FaultCode::BadRequest, Stage::Program)
                .at(address)
                .values(0, address % 4));
        }
        let end = address + length;
        let mut at = address;
        while at < end {
            // A program command wraps inside its page.
            let bytes = (PAGE_BYTES - at % PAGE_BYTES).min(end - at);
            let mut index = (at - address) / 4;
            self.write_enable(at)?;
            controller::write(
                &mut self.machine,
                Slot::Program,
                at,
                bytes,
                Stage::Program,
                || {
                    let value = word(index);
                    index += 1;
                    value
                },
            )?;
            self.wait_done(self.setup.page_program_limit_us, Stage::Program, at)?;
            at += bytes;
        }
        Ok(())
    }

    /// Compares `length` bytes at `address` with the words that `next` gives.
    ///
    /// # Errors
    /// The first word that differs, with its address.
    pub fn compare(
        &mut self,
        address: u32,
        length: u32,
        mut next: impl FnMut() -> u32,
    ) -> Result<()> {
        let mut left = length;
        let mut at = address;
        let mut first: Option<Fault> = None;
        self.read(address, length, Stage::ReadBack, |found| {
            let expected = next();
            let mask = if left >= 4 {
                ERASED
            } else {
                !(ERASED << (left * 8))
            };
            if (expected ^ found) & mask != 0 && first.is_none() {
                let fault = Fault::new(FaultCode::ReadBackDiffers, Stage::ReadBack).at(at);
                first = Some(fault.values(expected & mask, found & mask));
            }
            at = at.wrapping_add(4);
            left = left.saturating_sub(4);
        })?;
        first.map_or(Ok(()), Err)
    }

    /// Reads `length` bytes; `each` gets the words in order, bytes beyond the length undefined.
    ///
    /// # Errors
    /// Range, error or time-out of the controller.
    #[inline]
    pub fn read(
        &mut self,
        address: u32,
        length: u32,
        stage: Stage,
        mut each: impl FnMut(u32),
    ) -> Result<()> {
        self.check_range(address, length, stage)?;
        let (mut at, mut left) = (address, length);
        while left > 0 {
            let bytes = left.min(COMMAND_BYTES);
            controller::read(&mut self.machine, Slot::Read, at, bytes, stage, &mut each)?;
            self.machine.attend();
            at += bytes;
            left -= bytes;
        }
        Ok(())
    }

    /// Digest of a range.
    ///
    /// # Errors
    /// Range, error or time-out of the controller.
    pub fn digest(&mut self, address: u32, length: u32, nonce: u32) -> Result<Digest> {
        let mut digester = Digester::new(nonce);
        let mut block = [0u32; 4];
        let mut filled = 0;
        let whole_words = length / 4;
        let mut taken = 0;
        self.read(address, length, Stage::Digest, |word| {
            if let Some(slot) = block.get_mut(filled) {
                *slot = word;
            }
            filled += 1;
            taken += 1;
            if filled == block.len() && taken <= whole_words {
                digester.block(block);
                filled = 0;
            }
        })?;
        let mut rest = length as usize % 16;
        for word in block {
            let bytes = word.to_le_bytes();
            digester.bytes(bytes.get(..rest.min(4)).unwrap_or(&[]));
            rest = rest.saturating_sub(4);
        }
        Ok(digester.finish())
    }

    /// Blank pages and digest of the sector at `address`.
    ///
    /// # Errors
    /// Range, error or time-out of the controller.
    pub fn map_sector(&mut self, address: u32, nonce: u32) -> Result<SectorRecord> {
        let mut digester = Digester::new(nonce);
        let mut block = [0u32; 4];
        let mut index = 0u32;
        let mut programmed_pages = 0u32;
        self.read(address, SECTOR_BYTES, Stage::Digest, |word| {
            if word != ERASED {
                programmed_pages |= 1 << (index / (PAGE_BYTES / 4));
            }
            if let Some(slot) = block.get_mut(index as usize % 4) {
                *slot = word;
            }
            index += 1;
            if index.is_multiple_of(4) {
                digester.block(block);
            }
        })?;
        Ok(SectorRecord {
            programmed_pages,
            digest: digester.finish(),
        })
    }

    /// Writes the status register. Returns what it held before and after.
    ///
    /// # Errors
    /// No write enable, time-out, or bits of `mask` that do not read back.
    pub fn set_status(&mut self, value: u8, mask: u8) -> Result<(u8, u8)> {
        let stage = Stage::SetStatus;
        let before = self.read_status(stage)?;
        self.write_enable(0)?;
        controller::write(&mut self.machine, Slot::WriteStatus, 0, 1, stage, || {
            u32::from(value)
        })?;
        let after = self.wait_ready(self.setup.write_status_limit_us, stage, 0)?;
        self.follow_quad_enable(after)?;
        if (after ^ value) & mask != 0 {
            let fault = Fault::new(FaultCode::StatusDiffers, stage);
            return Err(fault.values(u32::from(value), u32::from(after)));
        }
        Ok((before, after))
    }

    /// The state the boot ROM expects: idle, no QPI, no continuous read, 3-byte addresses, after a reset; the controller's
    /// read buffers empty. Returns JEDEC ID and status register, read by 1-1-1 afterwards as proof.
    ///
    /// # Errors
    /// Time-out, or a JEDEC ID that is no longer the one of the entry.
    pub fn exit(&mut self) -> Result<(u32, u8)> {
        self.wait_ready(self.setup.erase_chip_limit_us, Stage::Exit, 0)?;
        wake::reset_flash(self, Stage::Exit)?;
        controller::change_rate(
            &mut self.machine,
            clocks::IDENTIFY,
            Strobe::Internal,
            self.setup.flash_bytes,
        )?;
        let id = self.read_id()?;
        let status = self.read_status(Stage::Exit)?;
        if id != self.jedec_id {
            let fault = Fault::new(FaultCode::IdentityChanged, Stage::Exit);
            return Err(fault.values(id_word(self.jedec_id), id_word(id)));
        }
        controller::software_reset(&mut self.machine)?;
        Ok((id_word(id), status))
    }

    fn check_range(&self, address: u32, length: u32, stage: Stage) -> Result<()> {
        match address.checked_add(length) {
            Some(end) if end <= self.setup.flash_bytes && length > 0 => Ok(()),
            _ => Err(Fault::new(FaultCode::OutOfRange, stage)
                .at(address)
                .values(self.setup.flash_bytes, length)),
        }
    }
}

fn bring_up<B: Bus, D: Duty>(machine: &mut Machine<B, D>, setup: &Setup) -> Result<u32> {
    let plls_were_down = clocks::start(machine)?;
    let dqs = setup.flags & FLAG_DQS_LOOPBACK != 0;
    pins::take(&mut machine.bus, dqs);
    // The clock is slow enough here for the internal strobe, whatever the board does with the DQS pad.
    controller::start(
        machine,
        clocks::IDENTIFY,
        Strobe::Internal,
        setup.flash_bytes,
    )?;
    controller::load(
        machine,
        &[
            (Slot::AhbRead, lut::read_slow()),
            (Slot::ReadStatus, lut::read_register(0x05, Pads::One)),
            (Slot::WriteEnable, lut::bare(0x06)),
            (Slot::ReadId, lut::read_register(0x9F, Pads::One)),
            (Slot::ReadSfdp, lut::read_sfdp()),
            (Slot::ReadFunction, lut::read_register(0x48, Pads::One)),
            (Slot::WriteStatus, lut::write_register(0x01)),
            (Slot::EndContinuousRead, lut::ones()),
            (Slot::LeaveQpi, lut::leave_qpi()),
            (Slot::ReadStatusQpi, lut::read_register(0x05, Pads::Four)),
        ],
    )?;
    Ok(if plls_were_down { FOUND_PLLS_DOWN } else { 0 })
}

fn id_word([a, b, c]: [u8; 3]) -> u32 {
    u32::from_le_bytes([a, b, c, 0])
}
