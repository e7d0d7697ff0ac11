//! Questions that change nothing: identity, map, digests, bytes.

use mailbox::layout;
use mailbox::result::{IDENTITY_WORDS, Identity, MAP_MAX_BYTES, SECTOR_WORDS, SectorRecord};
use mailbox::{Digest, Request, digest};

use super::Algorithm;
use crate::address::FlashOffset;
use crate::algorithm::{AlgorithmError, Operation};
use crate::target::FlashPart;

/// Digests of consecutive sectors, made under one nonce.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectorDigests {
    nonce: u32,
    first: u32,
    records: Vec<SectorRecord>,
}

impl SectorDigests {
    fn record(&self, sector: u32) -> Option<&SectorRecord> {
        self.records.get(sector.checked_sub(self.first)? as usize)
    }
    /// Whether every byte of the sector is FFh; `None` for a sector outside the map.
    pub fn is_blank(&self, sector: u32) -> Option<bool> {
        self.record(sector).map(SectorRecord::is_blank)
    }
    /// The first sector that differs between two maps of the same sectors under the same nonce. Maps that cannot be
    /// compared differ in their first sector.
    pub fn first_change(&self, later: &SectorDigests) -> Option<u32> {
        let comparable = (self.nonce, self.first, self.records.len())
            == (later.nonce, later.first, later.records.len());
        if !comparable {
            return Some(self.first);
        }
        let mut pairs = (self.first..).zip(self.records.iter().zip(&later.records));
        let (sector, _) = pairs.find(|(_, (before, after))| before != after)?;
        Some(sector)
    }
    /// Whether the sector holds `content`; `None` for a sector outside the map.
    pub fn holds(&self, sector: u32, content: &[u8]) -> Option<bool> {
        let found = self.record(sector)?;
        Some(found.digest == digest::digest(self.nonce, content))
    }
}

impl Algorithm<'_, '_> {
    /// JEDEC ID, registers, SFDP, and what the entry found.
    ///
    /// # Errors
    /// [`AlgorithmError`].
    pub fn identify(&mut self) -> Result<Identity, AlgorithmError> {
        let outcome = self.ask(Request::Identify)?;
        let words: &[u32; IDENTITY_WORDS] =
            outcome.reply.first_chunk().ok_or(AlgorithmError::Reply)?;
        Ok(Identity::from_words(words))
    }

    /// Blank pages and digest of the sectors from `first` on.
    ///
    /// # Errors
    /// [`AlgorithmError`].
    pub fn map(&mut self, first: u32, sectors: u32) -> Result<SectorDigests, AlgorithmError> {
        let nonce = self.next_nonce();
        self.map_under(nonce, first, sectors)
    }

    /// The same sectors as `earlier`, under the same nonce, so that the two can be compared.
    ///
    /// # Errors
    /// [`AlgorithmError`].
    pub fn map_again(&mut self, earlier: &SectorDigests) -> Result<SectorDigests, AlgorithmError> {
        self.map_under(earlier.nonce, earlier.first, earlier.records.len() as u32)
    }

    fn map_under(
        &mut self,
        nonce: u32,
        first: u32,
        sectors: u32,
    ) -> Result<SectorDigests, AlgorithmError> {
        const AT_ONCE: u32 = MAP_MAX_BYTES / FlashPart::SECTOR_BYTES;
        let mut numbers = Vec::new();
        let mut at = first;
        while at < first + sectors {
            let count = AT_ONCE.min(first + sectors - at);
            let (address, length) = (
                at * FlashPart::SECTOR_BYTES,
                count * FlashPart::SECTOR_BYTES,
            );
            numbers.push(self.exchange.submit(Operation::Plain(Request::Map {
                address,
                length,
                nonce,
            })));
            at += count;
        }
        let mut records = Vec::new();
        for number in numbers {
            let outcome = self.outcome(number)?;
            let (chunks, _) = outcome.reply.as_chunks::<SECTOR_WORDS>();
            records.extend(chunks.iter().map(|words| SectorRecord::from_words(*words)));
        }
        if records.len() != sectors as usize {
            return Err(AlgorithmError::Reply);
        }
        Ok(SectorDigests {
            nonce,
            first,
            records,
        })
    }

    /// Digests of several ranges, each under a nonce of its own.
    ///
    /// # Errors
    /// [`AlgorithmError`].
    pub fn digests(
        &mut self,
        ranges: &[(FlashOffset, u32)],
    ) -> Result<Vec<(u32, Digest)>, AlgorithmError> {
        let mut asked = Vec::new();
        for &(offset, length) in ranges {
            let nonce = self.next_nonce();
            let request = Request::Digest {
                address: offset.get(),
                length,
                nonce,
            };
            asked.push((nonce, self.exchange.submit(Operation::Plain(request))));
        }
        let mut digests = Vec::new();
        for (nonce, number) in asked {
            digests.push((nonce, Digest(self.outcome(number)?.values)));
        }
        Ok(digests)
    }

    /// Reads bytes.
    ///
    /// # Errors
    /// [`AlgorithmError`].
    pub fn read(
        &mut self,
        offset: FlashOffset,
        length_bytes: u32,
    ) -> Result<Vec<u8>, AlgorithmError> {
        let mut numbers = Vec::new();
        let mut done = 0;
        while done < length_bytes {
            let length = layout::REPLY_MAX_BYTES.min(length_bytes - done);
            let address = offset.get() + done;
            numbers.push((
                self.exchange
                    .submit(Operation::Plain(Request::Read { address, length })),
                length,
            ));
            done += length;
        }
        let mut bytes = Vec::with_capacity(length_bytes as usize);
        for (number, length) in numbers {
            let reply = self.outcome(number)?.reply;
            let words = reply.iter().flat_map(|word| word.to_le_bytes());
            bytes.extend(words.take(length as usize));
        }
        if bytes.len() == length_bytes as usize {
            Ok(bytes)
        } else {
            Err(AlgorithmError::Reply)
        }
    }
}
