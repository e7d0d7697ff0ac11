//! The two kinds of address: `Address` as the chip's bus sees it, and `FlashOffset` as the flash part counts.

use std::fmt;

/// An address on the chip's system bus, such as 0x6000_0000.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(u32);

/// A byte position inside the flash part, counted from 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlashOffset(u32);

impl Address {
    /// From the number on the bus.
    pub const fn new(value: u32) -> Self {
        Address(value)
    }

    /// The number on the bus.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// `bytes` further up, or `None` beyond the 32-bit bus.
    pub const fn checked_add(self, bytes: u32) -> Option<Address> {
        match self.0.checked_add(bytes) {
            Some(value) => Some(Address(value)),
            None => None,
        }
    }

    /// `bytes` further down, or `None` below zero.
    pub const fn checked_sub(self, bytes: u32) -> Option<Address> {
        match self.0.checked_sub(bytes) {
            Some(value) => Some(Address(value)),
            None => None,
        }
    }

    /// Distance in bytes from `earlier` up to `self`, or `None` when `earlier` is higher.
    pub const fn checked_from(self, earlier: Address) -> Option<u32> {
        self.0.checked_sub(earlier.0)
    }

    /// Whether the address is a multiple of `bytes` (a power of two).
    pub const fn is_aligned_to(self, bytes: u32) -> bool {
        self.0 & (bytes - 1) == 0
    }
}

impl FlashOffset {
    /// The first byte of the part.
    pub const ZERO: FlashOffset = FlashOffset(0);

    /// From a byte position.
    pub const fn new(value: u32) -> Self {
        FlashOffset(value)
    }

    /// The byte position.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The byte position as an index into a host-side copy of the flash.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// `bytes` further up, or `None` on overflow.
    pub const fn checked_add(self, bytes: u32) -> Option<FlashOffset> {
        match self.0.checked_add(bytes) {
            Some(value) => Some(FlashOffset(value)),
            None => None,
        }
    }

    /// Distance in bytes from `earlier` up to `self`, or `None` when `earlier` is higher.
    pub const fn checked_from(self, earlier: FlashOffset) -> Option<u32> {
        self.0.checked_sub(earlier.0)
    }

    /// The start of the `unit`-byte piece (page, sector, block; a power of two) that holds this byte.
    pub const fn floor_to(self, unit: u32) -> FlashOffset {
        FlashOffset(self.0 & !(unit - 1))
    }

    /// Whether the offset is a multiple of `unit` (a power of two).
    pub const fn is_aligned_to(self, unit: u32) -> bool {
        self.0 & (unit - 1) == 0
    }
}

/// A stretch of bus addresses: `start`, and a length in bytes that stays inside the 32-bit bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AddressRange {
    start: Address,
    length_bytes: u32,
}

impl AddressRange {
    /// No address at all.
    pub const EMPTY: AddressRange = AddressRange {
        start: Address(0),
        length_bytes: 0,
    };

    /// `length_bytes` from `start`, or `None` where that leaves the 32-bit bus.
    pub const fn new(start: Address, length_bytes: u32) -> Option<Self> {
        if length_bytes != 0 && start.checked_add(length_bytes - 1).is_none() {
            return None;
        }
        Some(AddressRange {
            start,
            length_bytes,
        })
    }

    /// First address.
    pub const fn start(self) -> Address {
        self.start
    }

    /// Length in bytes.
    pub const fn length_bytes(self) -> u32 {
        self.length_bytes
    }

    /// Whether `address` lies inside.
    pub const fn contains(self, address: Address) -> bool {
        match address.checked_from(self.start) {
            Some(distance) => distance < self.length_bytes,
            None => false,
        }
    }

    /// The first address that lies in both.
    pub fn first_shared(self, other: AddressRange) -> Option<Address> {
        let later = self.start.max(other.start);
        (self.contains(later) && other.contains(later)).then_some(later)
    }

    /// Whether `address` lies inside or exactly behind the end, where an initial (descending) stack pointer may stand.
    pub const fn contains_or_ends_at(self, address: Address) -> bool {
        match address.checked_from(self.start) {
            Some(distance) => distance <= self.length_bytes,
            None => false,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:08X}", self.0)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for FlashOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:06X}", self.0)
    }
}

impl fmt::Debug for FlashOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "flash offset {self}")
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.start.checked_add(self.length_bytes.saturating_sub(1)) {
            Some(last) => write!(f, "{}–{last}", self.start),
            None => write!(f, "{}", self.start),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_with_its_halves_apart() {
        assert_eq!(Address::new(0x6000_1020).to_string(), "0x60001020");
        assert_eq!(FlashOffset::new(0x1020).to_string(), "0x001020");
    }

    #[test]
    fn arithmetic_stops_at_the_ends_of_the_bus() {
        assert_eq!(Address::new(0xFFFF_FFFF).checked_add(1), None);
        assert_eq!(Address::new(3).checked_sub(4), None);
        assert!(AddressRange::new(Address::new(0xFFFF_FFF0), 0x10).is_some());
        assert!(AddressRange::new(Address::new(0xFFFF_FFF0), 0x11).is_none());
    }

    #[test]
    fn a_range_holds_its_first_and_last_byte_only() {
        let range = AddressRange::new(Address::new(0x2000_0000), 0x100).expect("range");
        assert!(range.contains(Address::new(0x2000_00FF)));
        assert!(!range.contains(Address::new(0x2000_0100)));
        assert!(range.contains_or_ends_at(Address::new(0x2000_0100)));
        assert!(!range.contains(Address::new(0x1FFF_FFFF)));
    }
}
