//! Replies: maps, bytes and identities on their way to the host.

use super::{Answer, Server};
use crate::bus::Bus;
use crate::controller::Result;
use mailbox::crc::Crc32;
use mailbox::fault::{Fault, FaultCode, Stage};
use mailbox::layout::{self, REPLY_MAX_BYTES};
use mailbox::result::{MAP_MAX_BYTES, SECTOR_BYTES, SECTOR_WORDS};
use mailbox::status;
use mailbox::words::Words;

impl<B: Bus, W: Words + Copy> Server<B, W> {
    pub(super) fn map(
        &mut self,
        answer: &mut Answer,
        address: u32,
        length: u32,
        nonce: u32,
    ) -> Result<()> {
        if !address.is_multiple_of(SECTOR_BYTES)
            || !length.is_multiple_of(SECTOR_BYTES)
            || length > MAP_MAX_BYTES
        {
            return Err(Fault::new(FaultCode::BadRequest, Stage::Digest)
                .at(address)
                .values(MAP_MAX_BYTES, length));
        }
        let sectors = length / SECTOR_BYTES;
        let bytes = sectors * SECTOR_WORDS as u32 * 4;
        let start = self.reply_room(bytes)?;
        let mut crc = Crc32::new();
        for sector in 0..sectors {
            let done = sector * SECTOR_BYTES;
            let record = self.nor()?.map_sector(address + done, nonce)?.to_words();
            let offset = layout::reply_offset(start) + sector * SECTOR_WORDS as u32 * 4;
            self.words().store_all(offset, &record);
            record.into_iter().for_each(|word| crc.word(word));
            self.words().store(status::AT_PROGRESS, done);
            self.check_lease()?;
        }
        self.reply_done(answer, start, bytes, crc);
        Ok(())
    }

    pub(super) fn read(&mut self, answer: &mut Answer, address: u32, length: u32) -> Result<()> {
        if length > REPLY_MAX_BYTES {
            return Err(Fault::new(FaultCode::BadRequest, Stage::Read)
                .at(address)
                .values(REPLY_MAX_BYTES, length));
        }
        let start = self.reply_room(length.next_multiple_of(4))?;
        let mut crc = Crc32::new();
        let mut offset = layout::reply_offset(start);
        let mut left = length;
        let words = *self.words();
        self.nor()?.read(address, length, Stage::Read, |block| {
            for word in block {
                let word = match left {
                    0 => return,
                    1..=3 => word & !(!0 << (left * 8)),
                    _ => word,
                };
                crc.word(word);
                words.store(offset, word);
                offset += 4;
                left = left.saturating_sub(4);
            }
        })?;
        self.reply_done(answer, start, length, crc);
        Ok(())
    }

    pub(super) fn reply(&mut self, answer: &mut Answer, reply: &[u32]) -> Result<()> {
        let bytes = reply.len() as u32 * 4;
        let start = self.reply_room(bytes)?;
        let mut crc = Crc32::new();
        reply.iter().for_each(|word| crc.word(*word));
        self.words().store_all(layout::reply_offset(start), reply);
        self.reply_done(answer, start, bytes, crc);
        Ok(())
    }

    pub(super) fn reply_room(&mut self, bytes: u32) -> Result<u32> {
        let start = layout::reply_start(self.replies_put, bytes);
        self.wait_for_host(|words| {
            layout::reply_fits(start, bytes, words.load(layout::HOST_REPLIES_TAKEN))
        })?;
        Ok(start)
    }

    pub(super) fn reply_done(&mut self, answer: &mut Answer, start: u32, length: u32, crc: Crc32) {
        self.replies_put = start.wrapping_add(length.next_multiple_of(4));
        answer.reply = Some((start, length, crc.finish()));
        self.words().store(status::AT_REPLIES_PUT, self.replies_put);
    }
}
