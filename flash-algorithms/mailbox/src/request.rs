//! Requests: what the host asks of the target, one record of eight words each.

use crate::crc::crc32_words;
use crate::fault::wire_enum;

/// Words in a request record.
pub const WORDS: usize = 8;

/// Flag of [`Request::Erase`]: read the erased range back and compare with 0xFF.
pub const ERASE_CHECK_BLANK: u32 = 1;

wire_enum! {
    /// Kind of a request, word 0 of the record.
    RequestKind {
        /// [`Request::Identify`]
        Identify = 1,
        /// [`Request::Map`]
        Map = 2,
        /// [`Request::Digest`]
        Digest = 3,
        /// [`Request::Erase`]
        Erase = 4,
        /// [`Request::Program`]
        Program = 5,
        /// [`Request::Read`]
        Read = 6,
        /// [`Request::SetStatus`]
        SetStatus = 7,
        /// [`Request::ClearFault`]
        ClearFault = 8,
        /// [`Request::Stop`]
        Stop = 9,
    }
}

/// One request. Addresses are flash offsets in bytes, lengths are in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// JEDEC ID, registers, SFDP. Reply: [`crate::result::Identity`].
    Identify,
    /// For each 4 KiB sector: which pages are not blank, and a digest. Reply: [`crate::result::SectorRecord`]s.
    Map {
        /// First sector's offset, a multiple of 4096.
        address: u32,
        /// A multiple of 4096, at most [`crate::result::MAP_MAX_BYTES`].
        length: u32,
        /// Seed of the digests.
        nonce: u32,
    },
    /// Digest of a range, in the result's values.
    Digest {
        /// First byte.
        address: u32,
        /// Any length above zero.
        length: u32,
        /// Seed of the digest.
        nonce: u32,
    },
    /// Erases one unit.
    Erase {
        /// A multiple of `size`.
        address: u32,
        /// Bytes erased: of a sector, a block or the chip.
        size: u32,
        /// The opcode that erases a unit of this size.
        opcode: u8,
        /// [`ERASE_CHECK_BLANK`] or 0.
        flags: u32,
    },
    /// Programs payload chunks, page by page, each read back and compared.
    Program {
        /// First byte; pages are split by the target.
        address: u32,
        /// Sum of the chunks' lengths.
        length: u32,
        /// Number of the first chunk.
        first_chunk: u32,
        /// How many chunks.
        chunks: u32,
    },
    /// Reads bytes. Reply: the bytes, padded with zeros to a multiple of four.
    Read {
        /// First byte.
        address: u32,
        /// At most [`crate::layout::REPLY_MAX_BYTES`].
        length: u32,
    },
    /// Writes the (non-volatile) status registers, those of them that differ. Result values: before, after. Register 1 is in
    /// bits 7:0 of every status word, register 2 in bits 15:8, register 3 in bits 23:16, as the parts number them.
    SetStatus {
        /// The new value of the bits in `mask`.
        value: u32,
        /// Bits to be written, which must read back so; the others are written back as they are.
        mask: u32,
    },
    /// Lets changing requests through again after a fault.
    ClearFault,
    /// Exit sequence: flash idle, SPI mode, 3-byte, reset. Result values: JEDEC ID, status register, both read afterwards by 1-1-1.
    Stop,
}

impl Request {
    /// The record of this request with its number.
    pub const fn to_words(self, sequence: u32) -> [u32; WORDS] {
        let (kind, [a, b, c, d, e]) = match self {
            Request::Identify => (RequestKind::Identify, [0; 5]),
            Request::Map {
                address,
                length,
                nonce,
            } => (RequestKind::Map, [address, length, nonce, 0, 0]),
            Request::Digest {
                address,
                length,
                nonce,
            } => (RequestKind::Digest, [address, length, nonce, 0, 0]),
            Request::Erase {
                address,
                size,
                opcode,
                flags,
            } => (RequestKind::Erase, [address, size, opcode as u32, flags, 0]),
            Request::Program {
                address,
                length,
                first_chunk,
                chunks,
            } => (
                RequestKind::Program,
                [address, length, first_chunk, chunks, 0],
            ),
            Request::Read { address, length } => (RequestKind::Read, [address, length, 0, 0, 0]),
            Request::SetStatus { value, mask } => (RequestKind::SetStatus, [0, 0, value, mask, 0]),
            Request::ClearFault => (RequestKind::ClearFault, [0; 5]),
            Request::Stop => (RequestKind::Stop, [0; 5]),
        };
        let kind = kind.word();
        [
            kind,
            sequence,
            a,
            b,
            c,
            d,
            e,
            crc32_words(&[kind, sequence, a, b, c, d, e]),
        ]
    }

    /// Takes a record apart. `None` if its CRC, its number or its kind is wrong.
    pub const fn from_words(words: &[u32; WORDS], expected_sequence: u32) -> Option<Request> {
        let [kind, sequence, a, b, c, d, e, crc] = *words;
        if crc != crc32_words(&[kind, sequence, a, b, c, d, e]) || sequence != expected_sequence {
            return None;
        }
        let Some(kind) = RequestKind::from_word(kind) else {
            return None;
        };
        Some(match kind {
            RequestKind::Identify => Request::Identify,
            RequestKind::Map => Request::Map {
                address: a,
                length: b,
                nonce: c,
            },
            RequestKind::Digest => Request::Digest {
                address: a,
                length: b,
                nonce: c,
            },
            RequestKind::Erase => Request::Erase {
                address: a,
                size: b,
                opcode: c as u8,
                flags: d,
            },
            RequestKind::Program => Request::Program {
                address: a,
                length: b,
                first_chunk: c,
                chunks: d,
            },
            RequestKind::Read => Request::Read {
                address: a,
                length: b,
            },
            RequestKind::SetStatus => Request::SetStatus { value: c, mask: d },
            RequestKind::ClearFault => Request::ClearFault,
            RequestKind::Stop => Request::Stop,
        })
    }

    /// True for requests that change the flash.
    pub const fn changes_flash(&self) -> bool {
        matches!(
            self,
            Request::Erase { .. } | Request::Program { .. } | Request::SetStatus { .. }
        )
    }
}
