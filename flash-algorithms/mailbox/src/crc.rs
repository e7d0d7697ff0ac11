//! CRC-32 (ISO-HDLC, polynomial 0x04C11DB7 reflected), four bytes a step, for requests, payload chunks and replies.

const POLYNOMIAL: u32 = 0xEDB8_8320;

/// `TABLES[k][b]`: contribution of byte `b` followed by `k` zero bytes.
const fn tables() -> Tables {
    let mut t = [[0u32; 256]; 4];
    let mut i = 0;
    while i < 256 {
        let mut c = i as u32;
        let mut bit = 0;
        while bit < 8 {
            c = if c & 1 != 0 {
                (c >> 1) ^ POLYNOMIAL
            } else {
                c >> 1
            };
            bit += 1;
        }
        t[0][i] = c;
        i += 1;
    }
    let mut k = 1;
    while k < 4 {
        let mut i = 0;
        while i < 256 {
            let c = t[k - 1][i];
            t[k][i] = (c >> 8) ^ t[0][(c & 0xFF) as usize];
            i += 1;
        }
        k += 1;
    }
    t
}

type Tables = [[u32; 256]; 4];

#[cfg(not(target_os = "none"))]
static TABLES: Tables = tables();

#[cfg(not(target_os = "none"))]
#[inline(always)]
fn table() -> &'static Tables {
    &TABLES
}

/// Makes the tables. The target calls it once before anything else of this module; elsewhere they are constants.
pub fn prepare() {
    #[cfg(target_os = "none")]
    // SAFETY: called once, on one core, before the first use of the tables.
    unsafe {
        *in_ram::TABLES.0.get() = tables();
    }
}

/// On the target the tables lie outside the image: computing them is quicker than loading 4 KiB over the wire.
#[cfg(target_os = "none")]
mod in_ram {
    use super::Tables;
    use core::cell::UnsafeCell;

    pub struct Shared(pub UnsafeCell<Tables>);

    // SAFETY: written once by `prepare`, only read afterwards, and there is one core.
    unsafe impl Sync for Shared {}

    // The linker script of the blob puts this section behind the image.
    #[unsafe(link_section = ".bss.crc_tables")]
    pub static TABLES: Shared = Shared(UnsafeCell::new([[0; 256]; 4]));
}

#[cfg(target_os = "none")]
#[inline(always)]
fn table() -> &'static Tables {
    // SAFETY: nothing writes after `prepare`.
    unsafe { &*in_ram::TABLES.0.get() }
}

/// A running CRC-32.
#[derive(Clone, Copy, Debug)]
pub struct Crc32(u32);

impl Default for Crc32 {
    fn default() -> Self {
        Self::new()
    }
}

impl Crc32 {
    /// Nothing seen yet.
    pub const fn new() -> Self {
        Crc32(!0)
    }

    /// Adds the four bytes of `word`, low byte first.
    #[inline]
    pub fn word(&mut self, word: u32) {
        let c = self.0 ^ word;
        // The indices are bytes: no bounds check remains.
        let table = table();
        self.0 = table[3][(c & 0xFF) as usize]
            ^ table[2][(c >> 8 & 0xFF) as usize]
            ^ table[1][(c >> 16 & 0xFF) as usize]
            ^ table[0][(c >> 24) as usize];
    }

    /// Adds one byte.
    #[inline]
    pub fn byte(&mut self, byte: u8) {
        self.0 = (self.0 >> 8) ^ table()[0][((self.0 ^ u32::from(byte)) & 0xFF) as usize];
    }

    /// The CRC of all that was added.
    pub const fn finish(self) -> u32 {
        !self.0
    }
}

/// CRC-32 of `words`, low byte first; usable in constants, and without tables.
#[inline(never)]
pub const fn crc32_words(words: &[u32]) -> u32 {
    let mut crc = !0u32;
    let mut i = 0;
    while i < words.len() {
        crc ^= words[i];
        let mut bit = 0;
        while bit < 32 {
            crc = if crc & 1 != 0 {
                (crc >> 1) ^ POLYNOMIAL
            } else {
                crc >> 1
            };
            bit += 1;
        }
        i += 1;
    }
    !crc
}

/// CRC-32 of `bytes`.
pub fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = Crc32::new();
    for &byte in bytes {
        crc.byte(byte);
    }
    crc.finish()
}
