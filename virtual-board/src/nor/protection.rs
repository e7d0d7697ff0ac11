//! Which part of the array the protection bits cover.

use serde::Deserialize;

use super::Nor;
use super::registers::Place;

/// How the bits cover the array: BP = n > 0 covers 2^(n-1) units.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Protection {
    /// The unit, in bytes.
    pub unit_bytes: u32,
    /// From this BP value on everything is covered.
    pub all_from: u8,
    /// Where the top/bottom bit is.
    pub top_bottom_register: Place,
    /// That bit: 0 covers from the top, 1 from the bottom.
    pub top_bottom_mask: u8,
    /// Bit of status register 1 that makes the unit smaller.
    #[serde(default)]
    pub sector_mask: u8,
    /// The smaller unit, in bytes.
    #[serde(default)]
    pub sector_unit_bytes: u32,
    /// The most that the smaller unit covers, in bytes.
    #[serde(default)]
    pub sector_most_bytes: u32,
    /// Bit of status register 2 that exchanges covered and free.
    #[serde(default)]
    pub complement_mask: u8,
    /// Bit of status register 3 that puts a lock on each block in place of all this.
    #[serde(default)]
    pub individual_locks_mask: u8,
}

impl Nor {
    /// Whether the protection covers any byte of the range.
    pub(super) fn is_protected(&self, address: u32, length: u32) -> bool {
        let (protection, size) = (&self.part.protection, self.part.size_bytes);
        let registers = &self.registers;
        if registers.status_3 & protection.individual_locks_mask != 0 {
            // All locks are closed at power-on; the commands that open them are not modelled.
            return true;
        }
        let covered = self.covered_bytes();
        let from_top =
            self.held_in(protection.top_bottom_register) & protection.top_bottom_mask == 0;
        let turned = registers.status_2 & protection.complement_mask != 0;
        let (covered, from_top) = if turned {
            (size - covered, !from_top)
        } else {
            (covered, from_top)
        };
        if covered == 0 {
            false
        } else if from_top {
            address.saturating_add(length) > size - covered
        } else {
            address < covered
        }
    }

    /// How much BP covers, without regard to the complement.
    fn covered_bytes(&self) -> u32 {
        let (protection, size) = (&self.part.protection, self.part.size_bytes);
        let mask = self.part.status.bp_mask;
        let level = (self.registers.status & mask) >> mask.trailing_zeros();
        if level == 0 {
            return 0;
        }
        if level >= protection.all_from {
            return size;
        }
        let units = 1 << (level - 1);
        if self.registers.status & protection.sector_mask != 0 {
            let sectors = protection.sector_unit_bytes.saturating_mul(units);
            return sectors.min(protection.sector_most_bytes);
        }
        protection.unit_bytes.saturating_mul(units).min(size)
    }

    /// The non-volatile content of a register.
    pub(super) const fn held_in(&self, place: Place) -> u8 {
        match place {
            Place::Status => self.registers.status,
            Place::Status2 => self.registers.status_2,
            Place::Function => self.registers.function,
        }
    }
}
