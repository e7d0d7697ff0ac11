//! Faults of a NOR chip, as data.

/// What is wrong with this chip. The default is a sound chip.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// WIP never falls again once an operation has started.
    pub stuck_wip: bool,
    /// Bits that stay 1 whatever is programmed: `(address, mask)`.
    pub unprogrammable: Vec<(u32, u8)>,
    /// Bits that an erase leaves at 0 if they are 0: `(address, mask)`.
    pub weak_erase: Vec<(u32, u8)>,
    /// The answer to 9Fh instead of the part's own.
    pub jedec_id: Option<[u8; 3]>,
    /// Bytes of the SFDP area that read so: `(offset, byte)`.
    pub sfdp: Vec<(u32, u8)>,
    /// A broken address line inside the chip: every program also reaches the address with these bits inverted.
    pub program_echo: Option<u32>,
    /// Page programs that take their time and change nothing, counted from 0 since the chip was made.
    pub dropped_programs: Vec<u64>,
    /// The WP# pin is tied low (it counts only with QE = 0).
    pub write_protect_low: bool,
    /// The chip is not on the board: nothing answers.
    pub absent: bool,
}

impl Faults {
    /// What the byte of the SFDP area reads as.
    pub(super) fn sfdp(&self, offset: u32, stored: u8) -> u8 {
        let here = self.sfdp.iter().find(|(at, _)| *at == offset);
        here.map_or(stored, |(_, byte)| *byte)
    }

    /// The bits of the byte at `address` that cannot be programmed.
    pub fn unprogrammable(&self, address: u32) -> u8 {
        self.unprogrammable
            .iter()
            .filter(|(at, _)| *at == address)
            .fold(0, |mask, (_, bits)| mask | bits)
    }
}
