//! Where a rule's bytes go: an address, a symbol, or a block of their own.

use crate::address::Address;

/// Where a rule's bytes go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Where {
    /// A bus address.
    Address {
        /// The first byte.
        at: Address,
        /// Whether the image need not bring bytes there.
        add: bool,
    },
    /// A symbol of an ELF image.
    Symbol {
        /// Its name.
        symbol: String,
        /// Bytes behind its first.
        offset: u32,
    },
    /// A sector of which the image brings nothing.
    Block {
        /// Bus address of the sector.
        at: Address,
        /// Bytes behind its start.
        offset: u32,
        /// What fills the rest of the sector.
        fill: u8,
    },
}
