//! What the flash holds: read, compare, digest, map.

use super::Nor;
use crate::bus::Bus;
use crate::controller::{self, COMMAND_BYTES, Result};
use crate::data::{BLOCK_BYTES, Block, Compare, ERASED, Keep, Sink, Source};
use crate::lut::Slot;
use crate::machine::Duty;
use mailbox::digest::{Digest, Digester};
use mailbox::fault::{Fault, FaultCode, Stage};
use mailbox::result::{PAGE_BYTES, SECTOR_BYTES, SectorRecord};

impl<B: Bus, D: Duty> Nor<B, D> {
    /// Compares `length` bytes at `address` with what `expected` gives.
    ///
    /// # Errors
    /// The first word that differs, with its address.
    pub fn compare(
        &mut self,
        address: u32,
        length: u32,
        expected: impl Source,
    ) -> Result<()> {
        let mut compare = Compare::new(expected);
        self.read(address, length, Stage::ReadBack, &mut compare)?;
        let first = compare
            .first
            .and_then(|(index, wanted, found)| difference(index, length, wanted, found));
        first.map_or(Ok(()), |fault| {
            let at = address.wrapping_add(fault.address);
            Err(fault.at(at))
        })
    }

    /// Reads `length` bytes into `sink`.
    ///
    /// # Errors
    /// Range, error or time-out of the controller.
    #[inline]
    pub fn read(
        &mut self,
        address: u32,
        length: u32,
        stage: Stage,
        sink: &mut impl Sink,
    ) -> Result<()> {
        self.check_range(address, length, stage)?;
        let (mut at, mut left) = (address, length);
        while left > 0 {
            let bytes = left.min(COMMAND_BYTES);
            controller::read(&mut self.machine, Slot::Read, at, bytes, stage, sink)?;
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
        let mut digester = Digester::new(nonce);
        if blocks > 0 {
            self.read(address, blocks, Stage::Digest, &mut digester)?;
        }
        if rest > 0 {
            let mut bytes = [0; BLOCK_BYTES as usize];
            let mut keep = Keep(&mut bytes);
            self.read(address + blocks, rest, Stage::Digest, &mut keep)?;
            digester.bytes(bytes.get(..rest as usize).unwrap_or(&bytes));
        }
        Ok(digester.finish())
    }

    /// Blank pages and digest of the sector at `address`.
    ///
    /// # Errors
    /// Range, error or time-out of the controller.
    pub fn map_sector(&mut self, address: u32, nonce: u32) -> Result<SectorRecord> {
        let mut map = MapSink {
            digester: Digester::new(nonce),
            index: 0,
            programmed_pages: 0,
        };
        self.read(address, SECTOR_BYTES, Stage::Digest, &mut map)?;
        Ok(SectorRecord {
            programmed_pages: map.programmed_pages,
            digest: map.digester.finish(),
        })
    }
}

/// Digests a sector and notes which of its pages are not blank.
struct MapSink {
    digester: Digester,
    index: u32,
    programmed_pages: u32,
}

impl Sink for MapSink {
    #[inline(always)]
    fn take(&mut self, block: Block) {
        const BLOCKS_IN_PAGE: u32 = PAGE_BYTES / BLOCK_BYTES;
        self.digester.block(block);
        let [a, b, c, d] = block;
        let programmed = a & b & c & d != ERASED;
        self.programmed_pages |= u32::from(programmed) << (self.index / BLOCKS_IN_PAGE);
        self.index += 1;
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
