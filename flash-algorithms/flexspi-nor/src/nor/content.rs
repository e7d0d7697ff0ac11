//! What the flash holds: read, compare, digest, map.

use super::{ERASED, Nor};
use crate::bus::Bus;
use crate::controller::{self, COMMAND_BYTES, Result};
use crate::lut::Slot;
use crate::machine::Duty;
use mailbox::digest::{Digest, Digester};
use mailbox::fault::{Fault, FaultCode, Stage};
use mailbox::result::{PAGE_BYTES, SECTOR_BYTES, SectorRecord};

impl<B: Bus, D: Duty> Nor<B, D> {
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
}
