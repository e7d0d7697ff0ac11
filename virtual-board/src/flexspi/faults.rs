//! Faults of the flash controller and of the lines between it and the flash, as data.

/// What is wrong. The default is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// So many software resets leave the AHB RX buffers as they are: software that forgets to empty them sees the flash as
    /// it was, and this makes sure that nobody relies on it by chance.
    pub stale_ahb_resets: u64,
    /// IP commands, numbered from 0 among those that receive, which hand out what the receiving command before them got, as
    /// far as that goes: a receive FIFO that was not cleared. (The real FIFO holds 128 bytes; here the whole command is
    /// stale, which is harder to notice.)
    pub stale_commands: Vec<u64>,
    /// Data lines that do not move, `(mask, level)`: a bridge of solder to a neighbour, supply or ground. It holds for
    /// commands, addresses and data alike.
    pub stuck_lines: Option<(u8, bool)>,
}
