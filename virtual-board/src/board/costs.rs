//! What the bus costs the core.

/// What an access costs the core, in core cycles beyond the one of the instruction.
///
/// The RT1062 manual gives no table; these are cautious round figures for a core at 396 to 600 MHz with an AXI at a
/// quarter of that and AIPS bridges behind it. TCM costs nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccessCosts {
    /// Data read from OCRAM with the data cache off.
    pub ocram_read: u64,
    /// Data write to OCRAM (store buffer).
    pub ocram_write: u64,
    /// Instruction fetch (halfword) from OCRAM with the instruction cache off.
    pub ocram_fetch: u64,
    /// Read of a peripheral register.
    pub peripheral_read: u64,
    /// Write of a peripheral register.
    pub peripheral_write: u64,
}

impl Default for AccessCosts {
    fn default() -> Self {
        AccessCosts {
            ocram_read: 10,
            ocram_write: 4,
            ocram_fetch: 6,
            peripheral_read: 24,
            peripheral_write: 12,
        }
    }
}
