//! Payload: chunks taken from the ring, proven, programmed, read back.

use super::Server;
use crate::bus::Bus;
use crate::controller::Result;
use mailbox::chunk::{ChunkHeader, HEADER_WORDS};
use mailbox::fault::{Fault, FaultCode, Stage};
use mailbox::layout::{self, CHUNK_DATA_BYTES, CHUNK_HEADER_BYTES, PAYLOAD_SLOTS};
use mailbox::status;
use mailbox::words::Words;

impl<B: Bus, W: Words + Copy> Server<B, W> {
    pub(super) fn program(
        &mut self,
        address: u32,
        length: u32,
        first_chunk: u32,
        chunks: u32,
    ) -> Result<()> {
        let mut at = address;
        let end = address.wrapping_add(length);
        for sequence in (0..chunks).map(|i| first_chunk.wrapping_add(i)) {
            let header = self.take_chunk(sequence, at, end)?;
            let data = layout::payload_slot(sequence) + CHUNK_HEADER_BYTES;
            let words = *self.words();
            let word = |index: u32| words.load(data + index * 4);
            let nor = self.nor()?;
            nor.program(at, header.length, word)?;
            let mut indices = 0..;
            nor.compare(at, header.length, || indices.next().map_or(0, word))?;
            at += header.length;
            self.free_payload(sequence.wrapping_add(1));
            self.words().store(status::AT_PROGRESS, at - address);
            self.check_lease()?;
        }
        if at != end {
            return Err(Fault::new(FaultCode::BadPayload, Stage::Payload)
                .at(at)
                .values(end, at));
        }
        Ok(())
    }

    /// Waits for a chunk and proves it whole and in its place.
    pub(super) fn take_chunk(
        &mut self,
        sequence: u32,
        address: u32,
        end: u32,
    ) -> Result<ChunkHeader> {
        self.wait_for_host(|words| {
            // Chunks put and not yet freed, counted from this one on.
            let ahead = words.load(layout::HOST_PAYLOAD_PUT).wrapping_sub(sequence);
            ahead != 0 && ahead <= PAYLOAD_SLOTS
        })?;
        let words = self.words();
        words.order();
        let slot = layout::payload_slot(sequence);
        let mut header = [0; HEADER_WORDS];
        words.load_all(slot, &mut header);
        let header = ChunkHeader::from_words(header);
        let bad = Fault::new(FaultCode::BadPayload, Stage::Payload).at(address);
        if header.sequence != sequence || header.address != address {
            return Err(bad.values(address, header.address));
        }
        if header.length == 0
            || header.length > CHUNK_DATA_BYTES
            || header.length > end.wrapping_sub(address)
        {
            return Err(bad.values(end.wrapping_sub(address), header.length));
        }
        let mut crc = header.crc_start();
        for i in 0..header.data_words() {
            crc.word(words.load(slot + CHUNK_HEADER_BYTES + i * 4));
        }
        let crc = crc.finish();
        if crc != header.crc {
            return Err(bad.values(header.crc, crc));
        }
        Ok(header)
    }

    pub(super) fn free_payload(&mut self, taken: u32) {
        self.payload_taken = taken;
        self.words().store(status::AT_PAYLOAD_TAKEN, taken);
    }
}
