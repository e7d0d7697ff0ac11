//! The chip as it is found: core, ROM, unique ID, boot mode, fuses.

use std::fmt;

use super::error::SurveyError;
use crate::address::Address;
use crate::link::{DebugPort, Link};
use crate::target::{BootConfig, Chip};

/// The 64-bit unique ID of a chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UniqueId(u64);

impl UniqueId {
    /// From the two fuse words, low word first.
    pub const fn from_words(low: u32, high: u32) -> Self {
        UniqueId((high as u64) << 32 | low as u64)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Whether it can be one: fuses that were not read give all zeros or all ones.
    pub const fn is_plausible(self) -> bool {
        self.0 != 0 && self.0 != u64::MAX
    }
}

impl fmt::Display for UniqueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016X}", self.0)
    }
}

/// Makes sure that the debug port is the one of `chip`, before anything behind it is touched.
///
/// # Errors
/// [`SurveyError::OtherPort`].
pub fn require_debug_port(found: DebugPort, chip: &Chip) -> Result<(), SurveyError> {
    let identity = &chip.identity;
    for (register, found, expected) in [
        ("DPIDR", found.dpidr, identity.dpidr),
        ("AP IDR", found.ap_idr, identity.ahb_ap_idr),
    ] {
        if found != expected {
            return Err(SurveyError::OtherPort {
                chip: chip.name.clone(),
                register,
                found,
                expected,
            });
        }
    }
    Ok(())
}

/// Makes sure that core and boot ROM are those of `chip`, by reads that need nothing of it. Gives CPUID and the ROM's mark.
///
/// # Errors
/// [`SurveyError::OtherCore`], [`SurveyError::OtherRom`], [`SurveyError::Link`].
pub fn require_chip(link: &mut dyn Link, chip: &Chip) -> Result<(u32, u32), SurveyError> {
    let identity = &chip.identity;
    let cpuid = link.read_word(identity.cpuid_address)?;
    if cpuid != identity.cpuid_value {
        let expected = identity.cpuid_value;
        return Err(SurveyError::OtherCore {
            chip: chip.name.clone(),
            found: cpuid,
            expected,
        });
    }
    let rom_fingerprint = link.read_word(identity.rom_fingerprint_address)?;
    if rom_fingerprint != identity.rom_fingerprint_value {
        let expected = identity.rom_fingerprint_value;
        return Err(SurveyError::OtherRom {
            chip: chip.name.clone(),
            found: rom_fingerprint,
            expected,
        });
    }
    Ok((cpuid, rom_fingerprint))
}

/// What the chip's registers say. Read after the chip was reset into its ROM: a running application may have turned the
/// clock of the fuse block off, which makes the bus refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChipFound {
    /// CPUID.
    pub cpuid: u32,
    /// The ROM's mark.
    pub rom_fingerprint: u32,
    /// Unique ID.
    pub unique_id: UniqueId,
    /// Silicon revision word.
    pub silicon_revision: u32,
    /// Boot mode, boot device, SEC_CONFIG.
    pub boot: BootConfig,
    /// SRC_SRSR: why the chip was reset.
    pub srsr: u32,
    /// Fuse word 0x450.
    pub fuse_0x450: u32,
    /// Fuse word 0x460.
    pub fuse_0x460: u32,
}

impl ChipFound {
    /// Reads the chip and checks that it is `chip`. Core and ROM come first, so that nothing else is read from an
    /// unknown chip.
    ///
    /// # Errors
    /// [`SurveyError::OtherCore`], [`SurveyError::OtherRom`], [`SurveyError::NoUniqueId`], [`SurveyError::Link`].
    pub fn read(link: &mut dyn Link, chip: &Chip) -> Result<Self, SurveyError> {
        let (cpuid, rom_fingerprint) = require_chip(link, chip)?;
        let registers = &chip.registers;
        let mut word = |address: Address| link.read_word(address);
        let low = word(registers.ocotp_uid_low)?;
        let unique_id = UniqueId::from_words(low, word(registers.ocotp_uid_high)?);
        if !unique_id.is_plausible() {
            return Err(SurveyError::NoUniqueId { found: unique_id });
        }
        let sbmr2 = word(registers.src_sbmr2)?;
        let boot = chip.boot_config(word(registers.src_sbmr1)?, sbmr2);
        Ok(ChipFound {
            cpuid,
            rom_fingerprint,
            unique_id,
            silicon_revision: word(registers.ocotp_silicon_revision)?,
            boot,
            srsr: word(registers.src_srsr)?,
            fuse_0x450: word(registers.ocotp_boot_config_0x450)?,
            fuse_0x460: word(registers.ocotp_boot_config_0x460)?,
        })
    }
}
