//! Where words come from and go to: the ends of every read and write.
//!
//! Traits and not closures, because only a method can be told to be inlined always: the blob is compiled to be small, and
//! these are its inner loops.

use mailbox::digest::Digester;
use mailbox::words::Words;

/// Four words: what the digest takes at once, and what fits the core's registers.
pub type Block = [u32; 4];

/// Words in a [`Block`].
pub const BLOCK_WORDS: u32 = 4;
/// Bytes in a [`Block`].
pub const BLOCK_BYTES: u32 = BLOCK_WORDS * 4;
/// A word of erased flash.
pub const ERASED: u32 = 0xFFFF_FFFF;

/// Takes what was read.
pub trait Sink {
    /// Takes the next four words. In the last four of a read, words behind its end are [`ERASED`], and bytes behind its end
    /// within a word are whatever the FIFO holds.
    fn take(&mut self, block: Block);
}

/// Gives what is to be written or expected.
pub trait Source: Copy {
    /// The four words from word `index` on; those behind the end do not count.
    fn load(&self, index: u32) -> Block;
}

/// Erased flash.
#[derive(Clone, Copy)]
pub struct Erased;

impl Source for Erased {
    #[inline(always)]
    fn load(&self, _index: u32) -> Block {
        [ERASED; 4]
    }
}

/// One word, again and again.
#[derive(Clone, Copy)]
pub struct Word(pub u32);

impl Source for Word {
    #[inline(always)]
    fn load(&self, _index: u32) -> Block {
        [self.0; 4]
    }
}

/// Words of the mailbox area from an offset on, which the host does not write meanwhile.
#[derive(Clone, Copy)]
pub struct Area<W> {
    /// The area.
    pub words: W,
    /// Offset in bytes.
    pub offset: u32,
}

impl<W: Words + Copy> Source for Area<W> {
    #[inline(always)]
    fn load(&self, index: u32) -> Block {
        self.words.load_block(self.offset + index * 4)
    }
}

/// Another source without its first words.
#[derive(Clone, Copy)]
pub struct Skip<S> {
    /// The source.
    pub source: S,
    /// How many words are left out.
    pub first: u32,
}

impl<S: Source> Source for Skip<S> {
    #[inline(always)]
    fn load(&self, index: u32) -> Block {
        self.source.load(self.first + index)
    }
}

/// Bytes in memory, 0xFF behind them.
#[derive(Clone, Copy)]
pub struct Bytes<'b>(pub &'b [u8]);

impl Source for Bytes<'_> {
    fn load(&self, index: u32) -> Block {
        let mut bytes = [[0xFF; 4]; 4];
        let from = self.0.get(index as usize * 4..).unwrap_or(&[]);
        for (to, from) in bytes.as_flattened_mut().iter_mut().zip(from) {
            *to = *from;
        }
        bytes.map(u32::from_le_bytes)
    }
}

/// Keeps what fits.
pub struct Keep<'b>(pub &'b mut [u8]);

impl Sink for Keep<'_> {
    fn take(&mut self, block: Block) {
        let bytes = core::mem::take(&mut self.0);
        let (to, rest) = bytes.split_at_mut(bytes.len().min(BLOCK_BYTES as usize));
        let from = block.map(u32::to_le_bytes);
        to.iter_mut()
            .zip(from.as_flattened())
            .for_each(|(to, from)| *to = *from);
        self.0 = rest;
    }
}

impl Sink for Digester {
    #[inline(always)]
    fn take(&mut self, block: Block) {
        self.block(block);
    }
}

/// Compares with a source, and keeps the first four words that differ.
pub struct Compare<S> {
    source: S,
    index: u32,
    /// Index of the first word, what was wanted, what was found.
    pub first: Option<(u32, Block, Block)>,
}

impl<S: Source> Compare<S> {
    /// Nothing compared yet.
    pub const fn new(source: S) -> Self {
        Compare {
            source,
            index: 0,
            first: None,
        }
    }
}

impl<S: Source> Sink for Compare<S> {
    #[inline(always)]
    fn take(&mut self, found: Block) {
        let wanted = self.source.load(self.index);
        let [a, b, c, d] = found;
        let [e, f, g, h] = wanted;
        if (a ^ e) | (b ^ f) | (c ^ g) | (d ^ h) != 0 {
            self.first.get_or_insert((self.index, wanted, found));
        }
        self.index += BLOCK_WORDS;
    }
}
