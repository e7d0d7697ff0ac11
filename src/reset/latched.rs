//! What was latched at power-on and steers the boot ROM: boot mode, boot configuration, fuses.

use super::cause::Cause;
use crate::link::{Link, LinkError};
use crate::target::{BootConfig, BootObstacle, Chip};

/// Fuse 0x460: internal boot, whatever the boot mode pins say (NXP SPSDK fuses.json).
const FORCE_INTERNAL_BOOT: u32 = 1 << 16;
/// Fuse 0x6E0: JEDEC reset of the flash before the boot, and offset of a secondary image (NXP-MCUBootUtility).
const JEDEC_RESET: u32 = 1 << 6;
const SECONDARY_IMAGE_OFFSET: u32 = 0xFF << 16;
/// SBMR1: BOOT_CFG1[0], the flash is probed and needs no FCB; BOOT_CFG2[2:0], the kind of flash.
const AUTO_PROBE: u32 = 1 << 0;
const FLASH_TYPE: u32 = 0b111 << 8;
/// QSPI NOR with 3-byte addresses, and with 4-byte ones.
const KNOWN_FLASH_TYPES: [u32; 2] = [0, 1 << 8];

/// The boot configuration.
pub(super) struct Latched {
    pub config: BootConfig,
    fuse_0x460: u32,
    fuse_0x6e0: u32,
}

impl Latched {
    pub fn read(link: &mut dyn Link, chip: &Chip) -> Result<Self, LinkError> {
        let registers = &chip.registers;
        let sbmr1 = link.read_word(registers.src_sbmr1)?;
        let sbmr2 = link.read_word(registers.src_sbmr2)?;
        Ok(Latched {
            config: chip.boot_config(sbmr1, sbmr2),
            fuse_0x460: link.read_word(registers.ocotp_boot_config_0x460)?,
            fuse_0x6e0: link.read_word(registers.ocotp_misc_conf_0x6e0)?,
        })
    }

    /// What keeps the ROM from the flash, whatever that holds.
    pub fn obstacle(&self) -> Option<Cause> {
        let BootConfig { sbmr1, sbmr2, .. } = self.config;
        let forced = self.fuse_0x460 & FORCE_INTERNAL_BOOT != 0;
        let endless_loop = || {
            let what = "the endless loop in the boot ROM (BOOT_CFG2[3])".to_owned();
            self.config
                .endless_loop()
                .then_some(Cause::BootConfig { what, sbmr1 })
        };
        match self.config.obstacle() {
            Some(BootObstacle::OtherDevice { from_fuses }) => {
                Some(Cause::OtherBootDevice { sbmr1, from_fuses })
            }
            Some(BootObstacle::SerialDownloader) if !forced => {
                Some(Cause::StrappedToSerialDownloader { sbmr2 })
            }
            Some(BootObstacle::FusesNotSet) if !forced => Some(Cause::BootFusesNotSet { sbmr2 }),
            Some(BootObstacle::ReservedMode) if !forced => Some(Cause::ReservedBootMode { sbmr2 }),
            _ => endless_loop(),
        }
    }

    /// What else is asked of the ROM that a plain image in a QSPI NOR may not survive.
    pub fn demand(&self) -> Option<Cause> {
        let sbmr1 = self.config.sbmr1;
        let what = if self.config.encrypted_xip() {
            "encrypted XIP (BOOT_CFG1[1])".to_owned()
        } else if sbmr1 & AUTO_PROBE != 0 {
            "auto-probe of the flash (BOOT_CFG1[0])".to_owned()
        } else if !KNOWN_FLASH_TYPES.contains(&(sbmr1 & FLASH_TYPE)) {
            format!(
                "the flash type \"{}\" (BOOT_CFG2[2:0])",
                self.config.flash_type()
            )
        } else if self.fuse_0x6e0 & SECONDARY_IMAGE_OFFSET != 0 {
            "a secondary image (fuse 0x6E0[23:16])".to_owned()
        } else if self.fuse_0x6e0 & JEDEC_RESET != 0 {
            "a JEDEC reset of the flash (fuse 0x6E0[6])".to_owned()
        } else {
            return None;
        };
        Some(Cause::BootConfig { what, sbmr1 })
    }
}

/// The boot configuration, and what of it, or of the fuses, keeps the ROM from the flash, whatever that holds.
///
/// # Errors
/// [`LinkError`], also where a running application has turned the clock of the fuse block off.
pub fn boot_source(
    link: &mut dyn Link,
    chip: &Chip,
) -> Result<(BootConfig, Option<Cause>), LinkError> {
    let latched = Latched::read(link, chip)?;
    let obstacle = latched.obstacle();
    Ok((latched.config, obstacle))
}
