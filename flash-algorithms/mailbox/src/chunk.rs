//! Payload chunks: up to one sector of data with a header that says where it belongs and proves it whole.

use crate::crc::Crc32;
use crate::layout::CHUNK_DATA_BYTES;

/// Words of a chunk's header.
pub const HEADER_WORDS: usize = 4;

/// Header of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkHeader {
    /// Number of the chunk.
    pub sequence: u32,
    /// Flash offset of its first byte.
    pub address: u32,
    /// Data bytes, 1 to 4096.
    pub length: u32,
    /// CRC-32 of the three words above and of the data, padded with 0xFF to a multiple of four.
    pub crc: u32,
}

impl ChunkHeader {
    /// The header on the wire.
    pub const fn to_words(self) -> [u32; HEADER_WORDS] {
        [self.sequence, self.address, self.length, self.crc]
    }
    /// Takes a header apart.
    pub const fn from_words([sequence, address, length, crc]: [u32; HEADER_WORDS]) -> Self {
        ChunkHeader {
            sequence,
            address,
            length,
            crc,
        }
    }
    /// Data words that follow the header.
    pub const fn data_words(&self) -> u32 {
        self.length.div_ceil(4)
    }
    /// The CRC to continue with the data words.
    pub fn crc_start(&self) -> Crc32 {
        let mut crc = Crc32::new();
        crc.word(self.sequence);
        crc.word(self.address);
        crc.word(self.length);
        crc
    }
}

/// A chunk to be put into its slot.
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'a> {
    sequence: u32,
    address: u32,
    data: &'a [u8],
}

impl<'a> Chunk<'a> {
    /// Chunk number `sequence` with `data` for flash offset `address`. `None` if it is empty or longer than a slot.
    pub const fn new(sequence: u32, address: u32, data: &'a [u8]) -> Option<Self> {
        if data.is_empty() || data.len() > CHUNK_DATA_BYTES as usize {
            return None;
        }
        Some(Chunk {
            sequence,
            address,
            data,
        })
    }

    /// The words to write into the slot: header, then data padded with 0xFF.
    pub fn words(&self) -> impl Iterator<Item = u32> + 'a {
        let length = self.data.len() as u32;
        let mut header = ChunkHeader {
            sequence: self.sequence,
            address: self.address,
            length,
            crc: 0,
        };
        let mut crc = header.crc_start();
        for word in data_words(self.data) {
            crc.word(word);
        }
        header.crc = crc.finish();
        header.to_words().into_iter().chain(data_words(self.data))
    }
}

fn data_words(data: &[u8]) -> impl Iterator<Item = u32> {
    data.chunks(4).map(|bytes| {
        let mut word = [0xFF; 4];
        for (to, from) in word.iter_mut().zip(bytes) {
            *to = *from;
        }
        u32::from_le_bytes(word)
    })
}
