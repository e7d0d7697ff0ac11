//! Payload: chunks taken from the ring, proven, programmed, read back.

use super::Server;
use crate::bus::Bus;
use crate::controller::Result;
use mailbox::chunk::{ChunkHeader, HEADER_WORDS};
use mailbox::crc::Crc32;
use mailbox::fault::{Fault, FaultCode, Stage};
use mailbox::layout::{self, CHUNK_DATA_BYTES, CHUNK_HEADER_BYTES, PAYLOAD_SLOTS};
use mailbox::status;
use mailbox::words::Words;

/// Words of the next chunk that are proven in the busy time of one page: a whole chunk in half the pages of this one, and
/// a few percent of the shortest busy time.
const WORDS_MEANWHILE: u32 = CHUNK_DATA_BYTES / 4 / 8;

/// A chunk whose header belongs where it stands, and whose data is proven as far as `proven_words`.
struct Chunk {
    sequence: u32,
    header: ChunkHeader,
    crc: Crc32,
    proven_words: u32,
}

impl Chunk {
    /// Whether the host has put the chunk, and it has not been freed.
    fn is_there(words: &impl Words, sequence: u32) -> bool {
        // Chunks put and not yet freed, counted from this one on.
        let ahead = words.load(layout::HOST_PAYLOAD_PUT).wrapping_sub(sequence);
        ahead != 0 && ahead <= PAYLOAD_SLOTS
    }

    /// Takes a chunk that is there, whose first byte belongs to `address`, below `end`.
    fn begin(words: &impl Words, sequence: u32, address: u32, end: u32) -> Result<Self> {
        words.order();
        let mut header = [0; HEADER_WORDS];
        words.load_all(layout::payload_slot(sequence), &mut header);
        let header = ChunkHeader::from_words(header);
        let bad = Fault::new(FaultCode::BadPayload, Stage::Payload).at(address);
        if header.sequence != sequence || header.address != address {
            return Err(bad.values(address, header.address));
        }
        let room = end.wrapping_sub(address);
        if header.length == 0 || header.length > CHUNK_DATA_BYTES || header.length > room {
            return Err(bad.values(room, header.length));
        }
        Ok(Chunk {
            sequence,
            header,
            crc: header.crc_start(),
            proven_words: 0,
        })
    }

    /// Offset of its data in the mailbox area.
    const fn data(&self) -> u32 {
        layout::payload_slot(self.sequence) + CHUNK_HEADER_BYTES
    }

    /// Goes on with at most `most` words.
    fn prove(&mut self, words: &impl Words, most: u32) {
        let behind = self.header.data_words().min(self.proven_words + most);
        for index in self.proven_words..behind {
            self.crc.word(words.load(self.data() + index * 4));
        }
        self.proven_words = behind;
    }

    /// Whether the data is what the host sent.
    fn check(&mut self, words: &impl Words) -> Result<()> {
        self.prove(words, CHUNK_DATA_BYTES / 4);
        let crc = self.crc.finish();
        if crc == self.header.crc {
            return Ok(());
        }
        let bad = Fault::new(FaultCode::BadPayload, Stage::Payload).at(self.header.address);
        Err(bad.values(self.header.crc, crc))
    }
}

impl<B: Bus, W: Words + Copy> Server<B, W> {
    pub(super) fn program(
        &mut self,
        address: u32,
        length: u32,
        first_chunk: u32,
        chunks: u32,
    ) -> Result<()> {
        let words = *self.words();
        let end = address.wrapping_add(length);
        let mut at = address;
        let mut next: Option<Chunk> = None;
        for index in 0..chunks {
            let sequence = first_chunk.wrapping_add(index);
            let mut chunk = match next.take() {
                Some(chunk) => chunk,
                None => {
                    self.wait_for_host(|words| Chunk::is_there(words, sequence))?;
                    Chunk::begin(&words, sequence, at, end)?
                }
            };
            chunk.check(&words)?;
            let bytes = chunk.header.length;
            let load = |index: u32| words.load_block(chunk.data() + index * 4);
            let following = sequence.wrapping_add(1);
            let is_last = index + 1 == chunks;
            // While the flash is busy with a page, the core proves a piece of the next chunk, if it is there.
            let meanwhile = || match &mut next {
                Some(chunk) => chunk.prove(&words, WORDS_MEANWHILE),
                // A wrong header is found again, and told, when its turn comes.
                None if !is_last && Chunk::is_there(&words, following) => {
                    next = Chunk::begin(&words, following, at + bytes, end).ok();
                }
                None => {}
            };
            let nor = self.nor()?;
            nor.program(at, bytes, load, meanwhile)?;
            nor.compare(at, bytes, load)?;
            at += bytes;
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

    pub(super) fn free_payload(&mut self, taken: u32) {
        self.payload_taken = taken;
        self.words().store(status::AT_PAYLOAD_TAKEN, taken);
    }
}
