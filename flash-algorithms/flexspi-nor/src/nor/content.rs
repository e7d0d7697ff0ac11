//! What the flash holds: read, compare, digest, map.

use super::{ERASED, Nor};
use crate::bus::Bus;
use crate::controller::{self, COMMAND_BYTES, Result};
use crate::lut::Slot;
use crate::machine::Duty;
use mailbox::digest::{Digest, Digester};
use mailbox::fault::{Fault, FaultCode, Stage};
use mailbox::result::{PAGE_BYTES, SECTOR_BYTES, SectorRecord};

/// Bytes that the digest takes at once.
const BLOCK_BYTES: u32 = 16;

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
        self.check_range(address, length, Stage::Digest)?;
        let rest = length % BLOCK_BYTES;
        let blocks = length - rest;
        let mut digester = self.digest_blocks(address, blocks, nonce, |_| ())?;
        if rest > 0 {
            let mut left = rest as usize;
            self.read(address + blocks, rest, Stage::Digest, |word| {
                let bytes = word.to_le_bytes();
                digester.bytes(bytes.get(..left.min(4)).unwrap_or(&bytes));
                left = left.saturating_sub(4);
            })?;
        }
        Ok(digester.finish())
    }

    /// Blank pages and digest of the sector at `address`.
    ///
    /// # Errors
    /// Range, error or time-out of the controller.
    pub fn map_sector(&mut self, address: u32, nonce: u32) -> Result<SectorRecord> {
        const BLOCKS_IN_PAGE: u32 = PAGE_BYTES / BLOCK_BYTES;
        let mut index = 0u32;
        let mut programmed_pages = 0u32;
        let digester = self.digest_blocks(address, SECTOR_BYTES, nonce, |[a, b, c, d]| {
            if a & b & c & d != ERASED {
                programmed_pages |= 1 << (index / BLOCKS_IN_PAGE);
            }
            index += 1;
        })?;
        Ok(SectorRecord {
            programmed_pages,
            digest: digester.finish(),
        })
    }

    /// Digests whole blocks, and shows them to `also`.
    #[inline(always)]
    fn digest_blocks(
        &mut self,
        address: u32,
        length: u32,
        nonce: u32,
        mut also: impl FnMut([u32; 4]),
    ) -> Result<Digester> {
        let mut digester = Digester::new(nonce);
        if length == 0 {
            return Ok(digester);
        }
        let mut block = [0u32; 4];
        let mut index = 0usize;
        self.read(address, length, Stage::Digest, |word| {
            if let Some(slot) = block.get_mut(index % 4) {
                *slot = word;
            }
            index += 1;
            if index.is_multiple_of(4) {
                digester.block(block);
                also(block);
            }
        })?;
        Ok(digester)
    }
}
