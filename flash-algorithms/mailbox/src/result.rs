//! Results and replies: what the target answers.

use crate::crc::crc32_words;
use crate::digest::Digest;
use crate::fault::{Fault, FaultCode, Stage};
use crate::layout::REPLY_MAX_BYTES;

/// Words in a result record.
pub const WORDS: usize = 12;

/// The answer to one request, in the slot of its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResultRecord {
    /// Number of the request.
    pub sequence: u32,
    /// Done, or why not.
    pub outcome: Result<(), Fault>,
    /// Two words whose meaning depends on the request.
    pub values: [u32; 2],
    /// Absolute position of the reply in the reply stream.
    pub reply_start: u32,
    /// Bytes of the reply, 0 if there is none.
    pub reply_length: u32,
    /// CRC-32 of the reply, padded with zeros to a multiple of four.
    pub reply_crc: u32,
}

impl ResultRecord {
    /// A result without values and reply.
    pub const fn new(sequence: u32, outcome: Result<(), Fault>) -> Self {
        ResultRecord {
            sequence,
            outcome,
            values: [0; 2],
            reply_start: 0,
            reply_length: 0,
            reply_crc: 0,
        }
    }

    /// The record on the wire.
    pub const fn to_words(&self) -> [u32; WORDS] {
        let [code, stage, address, expected, found] = match self.outcome {
            Ok(()) => [0; 5],
            Err(f) => [
                f.code.word(),
                f.stage.word(),
                f.address,
                f.expected,
                f.found,
            ],
        };
        let [v0, v1] = self.values;
        let (s, start, length, reply_crc) = (
            self.sequence,
            self.reply_start,
            self.reply_length,
            self.reply_crc,
        );
        let crc = crc32_words(&[
            s, code, stage, address, expected, found, v0, v1, start, length, reply_crc,
        ]);
        [
            s, code, stage, address, expected, found, v0, v1, start, length, reply_crc, crc,
        ]
    }

    /// Takes a record apart. `None` if its CRC, its number or a code is wrong.
    pub const fn from_words(words: &[u32; WORDS], expected_sequence: u32) -> Option<Self> {
        let [
            s,
            code,
            stage,
            address,
            expected,
            found,
            v0,
            v1,
            start,
            length,
            reply_crc,
            crc,
        ] = *words;
        if s != expected_sequence
            || crc
                != crc32_words(&[
                    s, code, stage, address, expected, found, v0, v1, start, length, reply_crc,
                ])
        {
            return None;
        }
        let outcome = if code == 0 {
            Ok(())
        } else {
            match (FaultCode::from_word(code), Stage::from_word(stage)) {
                (Some(code), Some(stage)) => Err(Fault {
                    code,
                    stage,
                    address,
                    expected,
                    found,
                }),
                _ => return None,
            }
        };
        let values = [v0, v1];
        Some(ResultRecord {
            sequence: s,
            outcome,
            values,
            reply_start: start,
            reply_length: length,
            reply_crc,
        })
    }

    /// The values of a `Digest` request.
    pub const fn digest(&self) -> Digest {
        Digest(self.values)
    }
}

/// Words of [`SectorRecord`].
pub const SECTOR_WORDS: usize = 3;
/// Sector size of a map.
pub const SECTOR_BYTES: u32 = 4096;
/// Page size of a map.
pub const PAGE_BYTES: u32 = 256;
/// Longest range of one `Map` request: its reply must fit.
pub const MAP_MAX_BYTES: u32 = REPLY_MAX_BYTES / (SECTOR_WORDS as u32 * 4) * SECTOR_BYTES;

/// One sector in the reply of a `Map` request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SectorRecord {
    /// Bit *n* set: page *n* of the sector is not blank. Zero: the sector is blank.
    pub programmed_pages: u32,
    /// Digest of the sector's 4096 bytes under the request's nonce.
    pub digest: Digest,
}

impl SectorRecord {
    /// True if every byte of the sector is 0xFF.
    pub const fn is_blank(&self) -> bool {
        self.programmed_pages == 0
    }
    /// The record on the wire.
    pub const fn to_words(&self) -> [u32; SECTOR_WORDS] {
        let Digest([d0, d1]) = self.digest;
        [self.programmed_pages, d0, d1]
    }
    /// Takes a record apart.
    pub const fn from_words([programmed_pages, d0, d1]: [u32; SECTOR_WORDS]) -> Self {
        SectorRecord {
            programmed_pages,
            digest: Digest([d0, d1]),
        }
    }
}

/// Bytes of SFDP in [`Identity`].
pub const SFDP_BYTES: usize = 256;
/// Words of [`Identity`].
pub const IDENTITY_WORDS: usize = IDENTITY_HEAD_WORDS + SFDP_BYTES / 4;
const IDENTITY_HEAD_WORDS: usize = 8;

/// [`Identity::found`]: the flash was busy on entry.
pub const FOUND_BUSY: u32 = 1;
/// [`Identity::found`]: an erase or program was suspended on entry and was resumed.
pub const FOUND_SUSPENDED: u32 = 1 << 1;
/// [`Identity::found`]: the PLLs were down on entry (the boot ROM had not run).
pub const FOUND_PLLS_DOWN: u32 = 1 << 2;
/// [`Identity::found`]: WDOG1 could not be disabled and is being serviced.
pub const FOUND_WDOG1_LOCKED: u32 = 1 << 3;
/// [`Identity::found`]: WDOG2 could not be disabled and is being serviced.
pub const FOUND_WDOG2_LOCKED: u32 = 1 << 4;
/// [`Identity::found`]: RTWDOG could not be disabled and is being serviced.
pub const FOUND_RTWDOG_LOCKED: u32 = 1 << 5;

/// Reply of an `Identify` request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Answer to 9Fh: manufacturer, type, capacity.
    pub jedec_id: [u8; 3],
    /// Status registers: register 1 (05h) in bits 7:0, 2 in bits 15:8, 3 in bits 23:16; 0 where the part has none.
    pub status_register: u32,
    /// The register with the suspend flags (setup block); 0xFF on parts without one.
    pub suspend_register: u8,
    /// What the entry found: `FOUND_*`.
    pub found: u32,
    /// FlexSPI serial root clock during work, in Hz.
    pub work_clock_hz: u32,
    /// True if reads and programs use four lines.
    pub quad: bool,
    /// The first bytes of the SFDP space (5Ah); 0xFF where the part has none.
    pub sfdp: [u8; SFDP_BYTES],
}

impl Identity {
    /// The reply on the wire.
    pub fn to_words(&self) -> [u32; IDENTITY_WORDS] {
        let mut words = [0; IDENTITY_WORDS];
        let [a, b, c] = self.jedec_id;
        let head = [
            u32::from_le_bytes([a, b, c, 0]),
            self.status_register,
            u32::from(self.suspend_register),
            self.found,
            self.work_clock_hz,
            u32::from(self.quad),
        ];
        for (word, value) in words.iter_mut().zip(head) {
            *word = value;
        }
        for (word, bytes) in words
            .iter_mut()
            .skip(IDENTITY_HEAD_WORDS)
            .zip(self.sfdp.as_chunks::<4>().0)
        {
            *word = u32::from_le_bytes(*bytes);
        }
        words
    }

    /// Takes a reply apart.
    pub fn from_words(words: &[u32; IDENTITY_WORDS]) -> Self {
        let [
            jedec,
            status,
            suspend,
            found,
            work_clock_hz,
            quad,
            _,
            _,
            sfdp_words @ ..,
        ] = words;
        let [a, b, c, _] = jedec.to_le_bytes();
        let mut sfdp = [0; SFDP_BYTES];
        for (bytes, word) in sfdp.as_chunks_mut::<4>().0.iter_mut().zip(sfdp_words) {
            *bytes = word.to_le_bytes();
        }
        Identity {
            jedec_id: [a, b, c],
            status_register: *status,
            suspend_register: *suspend as u8,
            found: *found,
            work_clock_hz: *work_clock_hz,
            quad: *quad != 0,
            sfdp,
        }
    }
}
