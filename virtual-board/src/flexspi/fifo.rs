//! The IP RX and TX FIFOs: 128 bytes each, entries of 64 bits, reached through windows of 32 words.

use std::collections::VecDeque;

use super::registers::fifo::{BYTES, ENTRY_BYTES, WINDOW_WORDS};

/// The IP RX FIFO.
#[derive(Clone, Debug, Default)]
pub struct RxFifo {
    bytes: VecDeque<u8>,
    entries_taken: u16,
    popped_short: bool,
}

impl RxFifo {
    /// Whether another entry fits.
    pub fn has_room(&self) -> bool {
        self.bytes.len() + ENTRY_BYTES <= BYTES
    }

    /// Adds one entry; a short one is filled up with zeros.
    pub fn push_entry(&mut self, data: &[u8]) {
        self.bytes.extend(data);
        self.bytes.extend(std::iter::repeat_n(
            0,
            ENTRY_BYTES.saturating_sub(data.len()),
        ));
        self.entries_taken = self.entries_taken.wrapping_add(1);
    }

    /// Entries held.
    pub fn fill(&self) -> u32 {
        (self.bytes.len() / ENTRY_BYTES) as u32
    }

    /// Entries received since the FIFO was cleared.
    pub fn counter(&self) -> u32 {
        u32::from(self.entries_taken)
    }

    /// The word `index` words from the oldest, `None` beyond the fill.
    pub fn word(&self, index: usize) -> Option<u32> {
        let at = index * 4;
        let byte = |offset: usize| self.bytes.get(at + offset).copied();
        Some(u32::from_le_bytes([byte(0)?, byte(1)?, byte(2)?, byte(3)?]))
    }

    /// Drops the oldest `count` bytes, or all there are.
    pub fn pop(&mut self, count: usize) {
        let held = self.bytes.len();
        self.popped_short |= (1..count).contains(&held);
        self.bytes.drain(..count.min(held));
    }

    /// Whether a pop asked for more than there was, and the FIFO has not been cleared since; says so once.
    pub fn take_popped_short(&mut self) -> bool {
        std::mem::take(&mut self.popped_short)
    }

    /// Empties it.
    pub fn clear(&mut self) {
        *self = RxFifo::default();
    }
}

/// The IP TX FIFO with its window.
#[derive(Clone, Debug, Default)]
pub struct TxFifo {
    window: [u32; WINDOW_WORDS],
    bytes: VecDeque<u8>,
    entries_sent: u16,
}

impl TxFifo {
    /// Whether `count` more bytes fit.
    pub fn has_room(&self, count: usize) -> bool {
        self.bytes.len() + count <= BYTES
    }

    /// Writes a word of the window; it enters the FIFO with the next [`TxFifo::push`].
    pub fn set_word(&mut self, index: usize, value: u32) {
        if let Some(slot) = self.window.get_mut(index) {
            *slot = value;
        }
    }

    /// Takes the first `count` bytes of the window in.
    pub fn push(&mut self, count: usize) {
        let bytes: Vec<u8> = self
            .window
            .iter()
            .flat_map(|word| word.to_le_bytes())
            .take(count)
            .collect();
        self.bytes.extend(bytes);
        self.entries_sent = self.entries_sent.wrapping_add((count / ENTRY_BYTES) as u16);
    }

    /// Entries held.
    pub fn fill(&self) -> u32 {
        (self.bytes.len() / ENTRY_BYTES) as u32
    }

    /// Entries pushed since the FIFO was cleared.
    pub fn counter(&self) -> u32 {
        u32::from(self.entries_sent)
    }

    /// Whether an entry is there.
    pub fn has_entry(&self) -> bool {
        self.bytes.len() >= ENTRY_BYTES
    }

    /// Takes one entry out; only its first `count` bytes are wanted.
    pub fn pop_entry(&mut self, count: usize) -> Vec<u8> {
        let entry = self.bytes.drain(..ENTRY_BYTES.min(self.bytes.len()));
        entry.take(count).collect()
    }

    /// Empties it.
    pub fn clear(&mut self) {
        *self = TxFifo::default();
    }
}
