//! The chip as it is found: core, ROM, unique ID, boot mode, fuses.

use std::fmt;

use super::error::SurveyError;
use crate::address::Address;
use crate::link::Link;
use crate::target::{self, Chip};

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
}

impl fmt::Display for UniqueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016X}", self.0)
    }
}

/// Where the boot ROM takes its boot device from, by the pins as latched at power-on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BootMode {
    /// From the fuses.
    Fuses,
    /// It waits for a host on USB or UART.
    SerialDownloader,
    /// From pins, or from fuses with BT_FUSE_SEL.
    Internal,
    /// The value that the manual reserves.
    Reserved,
}

impl fmt::Display for BootMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BootMode::Fuses => "from fuses",
            BootMode::SerialDownloader => "serial downloader",
            BootMode::Internal => "internal boot",
            BootMode::Reserved => "reserved",
        })
    }
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
    /// SRC_SBMR1: BOOT_CFG.
    pub sbmr1: u32,
    /// SRC_SBMR2: boot mode, BT_FUSE_SEL, SEC_CONFIG.
    pub sbmr2: u32,
    /// SRC_SRSR: why the chip was reset.
    pub srsr: u32,
    /// Fuse word 0x450.
    pub fuse_0x450: u32,
    /// Fuse word 0x460.
    pub fuse_0x460: u32,
    /// Boot mode.
    pub boot_mode: BootMode,
    /// Whether the part runs signed images only.
    pub closed: bool,
    /// Whether the fuses, not the pins, choose the boot device.
    pub boot_fuses_count: bool,
}

impl ChipFound {
    /// Reads the chip and checks that it is `chip`. Core and ROM come first, so that nothing else is read from an
    /// unknown chip.
    ///
    /// # Errors
    /// [`SurveyError::OtherCore`], [`SurveyError::OtherRom`], [`SurveyError::Link`].
    pub fn read(link: &mut dyn Link, chip: &Chip) -> Result<Self, SurveyError> {
        let (cpuid, rom_fingerprint) = require_chip(link, chip)?;
        let registers = &chip.registers;
        let mut word = |address: Address| link.read_word(address);
        let sbmr2 = word(registers.src_sbmr2)?;
        Ok(ChipFound {
            cpuid,
            rom_fingerprint,
            unique_id: UniqueId::from_words(
                word(registers.ocotp_uid_low)?,
                word(registers.ocotp_uid_high)?,
            ),
            silicon_revision: word(registers.ocotp_silicon_revision)?,
            sbmr1: word(registers.src_sbmr1)?,
            sbmr2,
            srsr: word(registers.src_srsr)?,
            fuse_0x450: word(registers.ocotp_boot_config_0x450)?,
            fuse_0x460: word(registers.ocotp_boot_config_0x460)?,
            boot_mode: boot_mode(sbmr2, &chip.boot_mode),
            closed: closed(sbmr2, &chip.boot_mode),
            boot_fuses_count: sbmr2 & chip.boot_mode.sbmr2_bt_fuse_sel_mask != 0,
        })
    }
}

fn boot_mode(sbmr2: u32, values: &target::BootMode) -> BootMode {
    let bmod = sbmr2 >> values.sbmr2_bmod_shift & values.sbmr2_bmod_mask;
    match bmod {
        _ if bmod == u32::from(values.serial_downloader) => BootMode::SerialDownloader,
        _ if bmod == u32::from(values.internal_boot) => BootMode::Internal,
        _ if bmod == u32::from(values.boot_from_fuses) => BootMode::Fuses,
        _ => BootMode::Reserved,
    }
}

fn closed(sbmr2: u32, values: &target::BootMode) -> bool {
    let sec_config = sbmr2 & values.sbmr2_sec_config_mask;
    !values
        .sec_config_open
        .iter()
        .any(|open| u32::from(*open) == sec_config)
}
