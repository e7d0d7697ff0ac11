//! The reads of a flash part: commands, dummy clocks, and the mode bits that keep a read going.

use serde::Deserialize;

/// One read command with the default read parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Read {
    /// Its opcode.
    pub opcode: u8,
    /// Lines of command, address and data.
    pub lines: [u8; 3],
    /// Clocks of the mode byte.
    pub mode_clocks: u32,
    /// Dummy clocks after address and mode.
    pub dummy_clocks: u32,
    /// Highest serial clock.
    pub max_hz: u64,
}

/// One setting of the read parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct DummyRow {
    /// The value of the dummy field in the read parameters.
    pub register_value: u8,
    /// Clocks between address and data, mode clocks included.
    pub clocks: u32,
    /// Highest serial clock of the quad I/O read.
    pub max_hz: u64,
}

/// The quad I/O read's dummy table.
#[derive(Clone, Debug, Deserialize)]
pub struct QuadIoDummies {
    /// The read it is about.
    pub opcode: u8,
    /// The dummy field in the read parameters.
    pub register_mask: u8,
    /// Its position.
    pub register_shift: u8,
    /// Clocks for field value 0.
    pub default_clocks: u32,
    /// The settings the data sheet defines.
    pub rows: Vec<DummyRow>,
}

/// The read that keeps its opcode.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct ContinuousRead {
    /// Mode bits 7:4 that keep it.
    pub enter_high_nibble: u8,
    /// Which of the four bits count.
    pub enter_nibble_mask: u8,
    /// A mode byte that leaves it.
    pub leave_mode_byte: u8,
}

impl ContinuousRead {
    /// Whether this mode byte keeps it.
    pub const fn is_kept_by(&self, mode: u8) -> bool {
        ((mode >> 4) ^ self.enter_high_nibble) & self.enter_nibble_mask == 0
    }
}
