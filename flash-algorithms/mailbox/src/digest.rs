//! The digest of flash content: MurmurHash3 x86-128, seeded with the host's nonce, cut to 64 bits.
//!
//! Chosen for the Cortex-M7 running from OCRAM without D-cache: seven one-cycle operations a word and no table
//! (a sliced CRC loads four table words from uncached RAM for each word of data). It is no cryptographic hash: it answers
//! "did the flash keep what we sent", where an error goes unseen with probability 2⁻⁶⁴, not "is somebody lying".
//! `PROTOCOL.md` says what else stands behind a verify.

const C1: u32 = 0x239B_961B;
const C2: u32 = 0xAB0E_9789;
const C3: u32 = 0x38B3_4AE5;
const C4: u32 = 0xA1E3_8B93;
const BLOCK_BYTES: usize = 16;

/// Digest of a range: two words, as they stand in a result record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Digest(pub [u32; 2]);

/// Digests a stream of bytes.
#[derive(Clone, Debug)]
pub struct Digester {
    h: [u32; 4],
    tail: [u8; BLOCK_BYTES],
    tail_bytes: usize,
    length: u32,
}

const fn mix(h: u32) -> u32 {
    let h = (h ^ h >> 16).wrapping_mul(0x85EB_CA6B);
    let h = (h ^ h >> 13).wrapping_mul(0xC2B2_AE35);
    h ^ h >> 16
}

impl Digester {
    /// Starts with the nonce as seed.
    pub const fn new(nonce: u32) -> Self {
        Digester {
            h: [nonce; 4],
            tail: [0; BLOCK_BYTES],
            tail_bytes: 0,
            length: 0,
        }
    }

    /// Adds one block of sixteen bytes as words, low byte first. Only between whole blocks of [`Digester::bytes`].
    #[inline]
    pub fn block(&mut self, [k1, k2, k3, k4]: [u32; 4]) {
        let [mut h1, mut h2, mut h3, mut h4] = self.h;
        h1 ^= k1.wrapping_mul(C1).rotate_left(15).wrapping_mul(C2);
        h1 = h1
            .rotate_left(19)
            .wrapping_add(h2)
            .wrapping_mul(5)
            .wrapping_add(0x561C_CD1B);
        h2 ^= k2.wrapping_mul(C2).rotate_left(16).wrapping_mul(C3);
        h2 = h2
            .rotate_left(17)
            .wrapping_add(h3)
            .wrapping_mul(5)
            .wrapping_add(0x0BCA_A747);
        h3 ^= k3.wrapping_mul(C3).rotate_left(17).wrapping_mul(C4);
        h3 = h3
            .rotate_left(15)
            .wrapping_add(h4)
            .wrapping_mul(5)
            .wrapping_add(0x96CD_1C35);
        h4 ^= k4.wrapping_mul(C4).rotate_left(18).wrapping_mul(C1);
        h4 = h4
            .rotate_left(13)
            .wrapping_add(h1)
            .wrapping_mul(5)
            .wrapping_add(0x32AC_3B17);
        self.h = [h1, h2, h3, h4];
        self.length = self.length.wrapping_add(BLOCK_BYTES as u32);
    }

    /// Adds bytes, in pieces of any length.
    pub fn bytes(&mut self, mut bytes: &[u8]) {
        while let Some((&byte, rest)) = bytes.split_first() {
            if self.tail_bytes == 0
                && let Some((block, rest)) = bytes.split_first_chunk::<BLOCK_BYTES>()
            {
                self.block(words(block));
                bytes = rest;
                continue;
            }
            if let Some(slot) = self.tail.get_mut(self.tail_bytes) {
                *slot = byte;
            }
            self.tail_bytes += 1;
            if self.tail_bytes == BLOCK_BYTES {
                self.tail_bytes = 0;
                let block = words(&self.tail);
                self.tail = [0; BLOCK_BYTES];
                self.block(block);
            }
            bytes = rest;
        }
    }

    /// The full 128 bits, for comparison with other implementations.
    pub fn finish_128(self) -> [u32; 4] {
        let [k1, k2, k3, k4] = words(&self.tail);
        let [mut h1, mut h2, mut h3, mut h4] = self.h;
        // The unused tail is zero, and a zero word leaves its lane as it is.
        h1 ^= k1.wrapping_mul(C1).rotate_left(15).wrapping_mul(C2);
        h2 ^= k2.wrapping_mul(C2).rotate_left(16).wrapping_mul(C3);
        h3 ^= k3.wrapping_mul(C3).rotate_left(17).wrapping_mul(C4);
        h4 ^= k4.wrapping_mul(C4).rotate_left(18).wrapping_mul(C1);
        let length = self.length.wrapping_add(self.tail_bytes as u32);
        [h1, h2, h3, h4] = [h1 ^ length, h2 ^ length, h3 ^ length, h4 ^ length];
        h1 = h1.wrapping_add(h2).wrapping_add(h3).wrapping_add(h4);
        [h2, h3, h4] = [
            h2.wrapping_add(h1),
            h3.wrapping_add(h1),
            h4.wrapping_add(h1),
        ];
        [h1, h2, h3, h4] = [mix(h1), mix(h2), mix(h3), mix(h4)];
        h1 = h1.wrapping_add(h2).wrapping_add(h3).wrapping_add(h4);
        [
            h1,
            h2.wrapping_add(h1),
            h3.wrapping_add(h1),
            h4.wrapping_add(h1),
        ]
    }

    /// The digest.
    pub fn finish(self) -> Digest {
        let [h1, h2, _, _] = self.finish_128();
        Digest([h1, h2])
    }
}

/// Digest of `bytes` under `nonce`.
pub fn digest(nonce: u32, bytes: &[u8]) -> Digest {
    let mut digester = Digester::new(nonce);
    digester.bytes(bytes);
    digester.finish()
}

#[inline]
fn words(block: &[u8; BLOCK_BYTES]) -> [u32; 4] {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = *block;
    [
        u32::from_le_bytes([a, b, c, d]),
        u32::from_le_bytes([e, f, g, h]),
        u32::from_le_bytes([i, j, k, l]),
        u32::from_le_bytes([m, n, o, p]),
    ]
}
