//! What the flash holds: read, compare, digest, map.

use super::{ERASED, Nor};
use crate::bus::Bus;
use crate::controller::{self, Block, COMMAND_BYTES, Result};
use crate::lut::Slot;
use crate::machine::Duty;
use mailbox::digest::{Digest, Digester};
use mailbox::fault::{Fault, FaultCode, Stage};
use mailbox::result::{PAGE_BYTES, SECTOR_BYTES, SectorRecord};

/// Bytes that the digest takes at once.
const BLOCK_BYTES: u32 = WORDS * 4;
/// Words that are read at once.
const WORDS: u32 = 4;

impl<B: Bus, D: Duty> Nor<B, D> {
    /// Compares `length` bytes at `address` with what `expected` gives: the four words from an index on, of which those
    /// behind the length do not count.
    ///
    /// # Errors
    /// The first word that differs, with its address.
    pub fn compare(
        &mut self,
        address: u32,
        length: u32,
        expected: impl Fn(u32) -> Block,
    ) -> Result<()> {
        let mut index = 0u32;
        let mut first: Option<Fault> = None;
        self.read(address, length, Stage::ReadBack, |found| {
            let wanted = expected(index);
            let [a, b, c, d] = found;
            let [e, f, g, h] = wanted;
            if (a ^ e) | (b ^ f) | (c ^ g) | (d ^ h) != 0 && first.is_none() {
                first = difference(index, length, wanted, found);
            }
            index += WORDS;
        })?;
        first.map_or(Ok(()), |fault| {
            let at = address.wrapping_add(fault.address);
            Err(fault.at(at))
        })
    }

    /// Reads `length` bytes; `each` gets the words in order, four at a time, words and bytes beyond the length undefined.
    ///
    /// # Errors
    /// Range, error or time-out of the controller.
    #[inline]
    pub fn read(
        &mut self,
        address: u32,
        length: u32,
        stage: Stage,
        mut each: impl FnMut(Block),
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
            self.read(address + blocks, rest, Stage::Digest, |block| {
                let bytes = block.into_iter().flat_map(u32::to_le_bytes);
                bytes
                    .take(rest as usize)
                    .for_each(|byte| digester.bytes(&[byte]));
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
        mut also: impl FnMut(Block),
    ) -> Result<Digester> {
        let mut digester = Digester::new(nonce);
        if length > 0 {
            self.read(address, length, Stage::Digest, |block| {
                digester.block(block);
                also(block);
            })?;
        }
        Ok(digester)
    }
}

/// The first word of four, from word `index` on, that differs within `length` bytes.
#[inline(never)]
fn difference(index: u32, length: u32, wanted: Block, found: Block) -> Option<Fault> {
    let words = (index..).zip(wanted.into_iter().zip(found));
    let mut differing = words.filter_map(|(index, (wanted, found))| {
        let left = length.saturating_sub(index * 4);
        let mask = if left >= 4 {
            ERASED
        } else {
            !(ERASED << (left * 8))
        };
        let fault = Fault::new(FaultCode::ReadBackDiffers, Stage::ReadBack).at(index * 4);
        ((wanted ^ found) & mask != 0).then(|| fault.values(wanted & mask, found & mask))
    });
    differing.next()
}
