//! The system bus as its masters see it: sizes, faults and the trait that the core, the AHB-AP and the boot ROM use.

/// Width of one bus access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// 8 bits.
    Byte,
    /// 16 bits.
    Half,
    /// 32 bits.
    Word,
}

impl Width {
    /// Bytes transferred: 1, 2 or 4.
    pub const fn bytes(self) -> u32 {
        match self {
            Width::Byte => 1,
            Width::Half => 2,
            Width::Word => 4,
        }
    }
}

/// The bus answered with an error response. A trace line has been written already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BusFault;

/// A master's view of the system bus. Every access takes virtual time.
pub trait Bus {
    /// Reads `width` at `address`; the value stands in the low bits.
    ///
    /// # Errors
    /// [`BusFault`] where nothing answers, or where the block refuses the access.
    fn read(&mut self, address: u32, width: Width) -> Result<u32, BusFault>;

    /// Writes the low `width` of `value` at `address`.
    ///
    /// # Errors
    /// As [`Bus::read`].
    fn write(&mut self, address: u32, width: Width, value: u32) -> Result<(), BusFault>;
}
