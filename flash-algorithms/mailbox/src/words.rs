//! Access to the live words of the area: atomics over memory that the other side reads and writes meanwhile.

use core::sync::atomic::{AtomicU32, Ordering, fence};

/// The mailbox area as aligned words. Offsets are in bytes from its start and multiples of four.
pub trait Words {
    /// Reads the word at `offset`.
    fn load(&self, offset: u32) -> u32;
    /// Writes the word at `offset`.
    fn store(&self, offset: u32, value: u32);

    /// Everything stored before is visible to the other side before anything stored after (DMB on the target).
    fn order(&self) {
        fence(Ordering::SeqCst);
    }

    /// Stores `words` one after the other from `offset` on.
    fn store_all(&self, offset: u32, words: &[u32]) {
        let mut at = offset;
        for &word in words {
            self.store(at, word);
            at = at.wrapping_add(4);
        }
    }

    /// Loads four consecutive words that the other side does not write meanwhile.
    #[inline(always)]
    fn load_block(&self, offset: u32) -> [u32; 4] {
        [0, 4, 8, 12].map(|distance| self.load(offset.wrapping_add(distance)))
    }

    /// Loads consecutive words from `offset` on.
    fn load_all(&self, offset: u32, words: &mut [u32]) {
        let mut at = offset;
        for word in words {
            *word = self.load(at);
            at = at.wrapping_add(4);
        }
    }
}

impl<T: Words + ?Sized> Words for &T {
    #[inline(always)]
    fn load(&self, offset: u32) -> u32 {
        (**self).load(offset)
    }
    #[inline(always)]
    fn store(&self, offset: u32, value: u32) {
        (**self).store(offset, value);
    }
    #[inline(always)]
    fn load_block(&self, offset: u32) -> [u32; 4] {
        (**self).load_block(offset)
    }
    fn order(&self) {
        (**self).order();
    }
}

/// The area as it lies in the target's RAM.
#[derive(Clone, Copy, Debug)]
pub struct RawWords {
    base: *mut u32,
    bytes: u32,
}

impl RawWords {
    /// Takes the area at `base`.
    ///
    /// # Safety
    /// `base` is aligned to four and stays valid for `bytes` bytes for the life of the value; nothing but atomics,
    /// volatile reads of words that stand still, and debug accesses touches that memory.
    pub const unsafe fn new(base: *mut u32, bytes: u32) -> Self {
        RawWords { base, bytes }
    }

    /// No area at all: reads give zero, writes go nowhere.
    pub const fn none() -> Self {
        RawWords {
            base: core::ptr::null_mut(),
            bytes: 0,
        }
    }

    #[inline(always)]
    fn word(&self, offset: u32) -> Option<&AtomicU32> {
        if offset >= self.bytes || !offset.is_multiple_of(4) {
            return None;
        }
        // SAFETY: in range and aligned by the check above; the rest is the promise made to `new`.
        Some(unsafe { AtomicU32::from_ptr(self.base.byte_add(offset as usize)) })
    }
}

impl Words for RawWords {
    #[inline(always)]
    fn load(&self, offset: u32) -> u32 {
        self.word(offset)
            .map_or(0, |word| word.load(Ordering::Relaxed))
    }

    #[inline(always)]
    fn store(&self, offset: u32, value: u32) {
        if let Some(word) = self.word(offset) {
            word.store(value, Ordering::Relaxed);
        }
    }

    // one check for the block: this is the inner loop of program and read-back
    #[inline(always)]
    fn load_block(&self, offset: u32) -> [u32; 4] {
        const BLOCK_BYTES: u32 = 16;
        if offset > self.bytes.saturating_sub(BLOCK_BYTES)
            || self.bytes < BLOCK_BYTES
            || !offset.is_multiple_of(4)
        {
            // the last words of the area: what is there, and zeros behind it
            return [
                self.load(offset),
                self.load(offset.wrapping_add(4)),
                self.load(offset.wrapping_add(8)),
                self.load(offset.wrapping_add(12)),
            ];
        }
        let word = |distance: u32| {
            // SAFETY: all four are in range and aligned by the check above; the rest is the promise made to `new`. Volatile
            // and not atomic: beside atomics the compiler keeps nothing else in registers, and these words stand still.
            unsafe {
                self.base
                    .byte_add((offset + distance) as usize)
                    .read_volatile()
            }
        };
        [word(0), word(4), word(8), word(12)]
    }
}

impl Words for [AtomicU32] {
    fn load(&self, offset: u32) -> u32 {
        self.get(offset as usize / 4)
            .map_or(0, |word| word.load(Ordering::Relaxed))
    }

    fn store(&self, offset: u32, value: u32) {
        if let Some(word) = self.get(offset as usize / 4) {
            word.store(value, Ordering::Relaxed);
        }
    }
}
