//! OCOTP: the fuses' shadow registers, read-only. Programming fuses is not modelled and always refused.

use super::registers::{Access, Bank, Register, ro, rw};
use super::straps::{FIRST_BANK, Fuses, MASTER_KEY, SECOND_BANK};
use crate::bus::{BusFault, Width};

/// CTRL, READ_CTRL and the CRC unit start actions, so they are not storage. (NXP's SVD of the MIMXRT1062.)
const CONTROL: &[Register] = &[
    ro(0x000, "CTRL", 0),
    rw(0x010, "TIMING", 0x0C0D_9755, 0x0FFF_FFFF),
    ro(0x050, "SW_STICKY", 0),
    ro(0x090, "VERSION", 0x0300_0000),
    rw(0x100, "TIMING2", 0x01C3_0092, 0x0FFF_FFFF),
];

/// The OCOTP block.
#[derive(Clone, Debug)]
pub struct Ocotp {
    control: Bank,
}

impl Default for Ocotp {
    fn default() -> Self {
        Self::new()
    }
}

impl Ocotp {
    /// In reset state.
    pub fn new() -> Self {
        Ocotp {
            control: Bank::new("ocotp", CONTROL),
        }
    }

    /// A read by software; the shadow registers show `fuses` as latched at power-on.
    ///
    /// # Errors
    /// [`BusFault`] for the master key and for what is not modelled.
    pub fn read(
        &self,
        offset: u32,
        width: Width,
        fuses: &Fuses,
        access: &mut Access,
    ) -> Result<u32, BusFault> {
        let is_shadow = FIRST_BANK.contains(&offset) || SECOND_BANK.contains(&offset);
        if !is_shadow || !offset.is_multiple_of(0x10) {
            return self.control.read(offset, width, access);
        }
        access.word_only("ocotp", offset, width)?;
        if MASTER_KEY.contains(&offset) {
            return Err(access.refuse(
                "ocotp",
                format!("fuse {offset:#X} (OTPMK): what a read gives is unknown"),
            ));
        }
        Ok(fuses.word(offset))
    }

    /// A write by software: timing only.
    ///
    /// # Errors
    /// [`BusFault`] for everything that would program fuses or change a shadow register.
    pub fn write(
        &mut self,
        offset: u32,
        width: Width,
        value: u32,
        access: &mut Access,
    ) -> Result<(), BusFault> {
        if matches!(offset, 0x010 | 0x100) {
            return self.control.write(offset, width, value, access).map(|_| ());
        }
        Err(access.refuse(
            "ocotp",
            format!(
                "write of {value:#010X} at offset {offset:#X}: fuses are read-only in this model"
            ),
        ))
    }
}
