//! What changes the flash: erase, program, status register; each checked by what the flash says afterwards.

use super::{CHIP_ERASE, FURTHER_SHIFTS, Nor, WEL, WIP};
use crate::bus::Bus;
use crate::controller::{self, Result};
use crate::data::{Erased, Skip, Source, Word};
use crate::lut::{self, Slot};
use crate::machine::Duty;
use mailbox::fault::{Fault, FaultCode, Stage};
use mailbox::result::PAGE_BYTES;
use mailbox::setup::FLAG_STATUS_PAIR;

/// Write status register; a second byte goes to status register 2 on parts with [`FLAG_STATUS_PAIR`].
const WRITE_STATUS: u8 = 0x01;

impl<B: Bus, D: Duty> Nor<B, D> {
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
        self.last_limit_us = limit_us;
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
        self.compare(address, length, Erased)
            .map_err(|fault| match fault.code {
                FaultCode::ReadBackDiffers => Fault {
                    code: FaultCode::NotBlank,
                    stage: Stage::Erase,
                    ..fault
                },
                _ => fault,
            })
    }

    /// Programs `length` bytes at `address` (a multiple of four), page by page.
    /// `meanwhile` is called once in the busy time of each page, and must be shorter than that.
    ///
    /// # Errors
    /// Range, no write enable, time-out, rejected.
    pub fn program(
        &mut self,
        address: u32,
        length: u32,
        source: impl Source,
        mut meanwhile: impl FnMut(),
    ) -> Result<()> {
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
            let first = (at - address) / 4;
            self.write_enable(at)?;
            controller::write(
                &mut self.machine,
                Slot::Program,
                at,
                bytes,
                Stage::Program,
                Skip { source, first },
            )?;
            meanwhile();
            self.wait_done(self.setup.page_program_limit_us, Stage::Program, at)?;
            at += bytes;
        }
        Ok(())
    }

    /// Writes those status registers in which a bit of `mask` differs from `value`; other bits are written back as they are.
    /// Returns the status word before and after.
    ///
    /// # Errors
    /// No write enable, time-out, or bits of `mask` that do not read back.
    pub fn set_status(&mut self, value: u32, mask: u32) -> Result<(u32, u32)> {
        let stage = Stage::SetStatus;
        let before = self.status_word(stage)?;
        let wanted = (before & !mask | value & mask) & !u32::from(WEL | WIP);
        let differs = |now: u32, shift: u32| ((now ^ wanted) & mask) >> shift & 0xFF != 0;
        let pair = self.setup.flags & FLAG_STATUS_PAIR != 0;
        if differs(before, 0) {
            self.write_register(WRITE_STATUS, wanted, if pair { 2 } else { 1 })?;
        }
        for (access, shift) in self.setup.further_status.into_iter().zip(FURTHER_SHIFTS) {
            if access.write_opcode == 0 || !differs(self.status_word(stage)?, shift) {
                continue;
            }
            let status = self.write_register(access.write_opcode, wanted >> shift, 1)?;
            // WEL falls when a command is done: here the die does not know it, and takes both registers with 01h.
            if status & WEL != 0 && pair {
                self.write_register(WRITE_STATUS, wanted, 2)?;
            }
        }
        let after = self.status_word(stage)?;
        self.follow_quad_enable(after)?;
        if (after ^ wanted) & mask != 0 {
            let fault = Fault::new(FaultCode::StatusDiffers, stage);
            return Err(fault.values(wanted, after));
        }
        Ok((before, after))
    }

    /// One write of a register: enabled, sent, waited for. Returns status register 1 afterwards.
    fn write_register(&mut self, opcode: u8, value: u32, bytes: u32) -> Result<u8> {
        let stage = Stage::SetStatus;
        let sequence = lut::write_register(opcode);
        controller::load(&mut self.machine, &[(Slot::WriteStatus, sequence)])?;
        self.write_enable(0)?;
        controller::write(
            &mut self.machine,
            Slot::WriteStatus,
            0,
            bytes,
            stage,
            Word(value),
        )?;
        self.last_limit_us = self.setup.write_status_limit_us;
        self.wait_ready(self.last_limit_us, stage, 0)
    }
}
