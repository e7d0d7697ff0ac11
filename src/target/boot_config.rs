//! What SRC_SBMR1 and SRC_SBMR2 say: the one place that takes the boot mode registers apart.

use std::fmt;

use super::chip::Chip;

/// SBMR1: BOOT_CFG1[1], the image is encrypted (BEE).
const ENCRYPTED_XIP: u32 = 1 << 1;
/// SBMR1: BOOT_CFG2[2:0], the kind of flash on the FlexSPI.
const FLASH_TYPE_SHIFT: u32 = 8;
const FLASH_TYPE_MASK: u32 = 0b111;
/// SBMR1: BOOT_CFG2[3], the ROM loops for ever, for a debugger to attach.
const ENDLESS_LOOP: u32 = 1 << 11;
/// SBMR2: DIR_BT_DIS.
const DIR_BT_DIS: u32 = 1 << 3;

/// BOOT_MODE, as latched at power-on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BootMode {
    /// 00: from the fuses.
    Fuses,
    /// 01: the ROM waits for a host on USB or UART.
    SerialDownloader,
    /// 10: from pins, or from fuses with BT_FUSE_SEL.
    Internal,
    /// 11: the value that the manual reserves.
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

/// SEC_CONFIG: what the chip demands of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecConfig {
    /// As it leaves NXP's wafer test; runs what it is given.
    Fab,
    /// Runs what it is given, signed or not.
    Open,
    /// Runs images only that are signed with the fused key.
    Closed,
}

impl fmt::Display for SecConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SecConfig::Fab => "fab",
            SecConfig::Open => "open",
            SecConfig::Closed => "closed",
        })
    }
}

/// What keeps the ROM from the FlexSPI flash, whatever that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BootObstacle {
    /// BOOT_MODE 01.
    SerialDownloader,
    /// BOOT_MODE 00 and BT_FUSE_SEL not blown: the ROM goes to the serial downloader.
    FusesNotSet,
    /// BOOT_MODE 11.
    ReservedMode,
    /// BOOT_CFG1[7:4] names another device.
    OtherDevice {
        /// Whether fuses say so, not pins.
        from_fuses: bool,
    },
}

/// The boot configuration, as latched at power-on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BootConfig {
    /// SRC_SBMR1: BOOT_CFG.
    pub sbmr1: u32,
    /// SRC_SBMR2.
    pub sbmr2: u32,
    /// BOOT_MODE.
    pub mode: BootMode,
    /// BT_FUSE_SEL: BOOT_CFG comes from fuses, and the pins do not count.
    pub bt_fuse_sel: bool,
    /// SEC_CONFIG.
    pub security: SecConfig,
    /// BOOT_CFG1[7:4] names the FlexSPI NOR.
    pub from_flexspi_nor: bool,
}

impl BootConfig {
    /// Whether the part runs signed images only.
    pub const fn is_closed(&self) -> bool {
        matches!(self.security, SecConfig::Closed)
    }

    /// Whether BOOT_CFG comes from fuses.
    pub const fn is_from_fuses(&self) -> bool {
        self.bt_fuse_sel || matches!(self.mode, BootMode::Fuses)
    }

    /// What keeps the ROM from the FlexSPI flash, the first in the order in which it decides.
    pub const fn obstacle(&self) -> Option<BootObstacle> {
        match self.mode {
            BootMode::SerialDownloader => Some(BootObstacle::SerialDownloader),
            BootMode::Fuses if !self.bt_fuse_sel => Some(BootObstacle::FusesNotSet),
            BootMode::Reserved => Some(BootObstacle::ReservedMode),
            _ if !self.from_flexspi_nor => Some(BootObstacle::OtherDevice {
                from_fuses: self.bt_fuse_sel,
            }),
            BootMode::Fuses | BootMode::Internal => None,
        }
    }

    /// BOOT_CFG1.
    pub const fn boot_cfg1(&self) -> u8 {
        self.sbmr1.to_le_bytes()[0]
    }

    /// BOOT_CFG2.
    pub const fn boot_cfg2(&self) -> u8 {
        self.sbmr1.to_le_bytes()[1]
    }

    /// BOOT_CFG1[1]: the ROM decrypts the image (BEE).
    pub const fn encrypted_xip(&self) -> bool {
        self.sbmr1 & ENCRYPTED_XIP != 0
    }

    /// BOOT_CFG2[3]: the ROM loops and does not boot, for a debugger to attach.
    pub const fn endless_loop(&self) -> bool {
        self.sbmr1 & ENDLESS_LOOP != 0
    }

    /// DIR_BT_DIS: NXP's test mode is off.
    pub const fn direct_boot_disabled(&self) -> bool {
        self.sbmr2 & DIR_BT_DIS != 0
    }

    /// BOOT_CFG2[2:0] in words (NXP-MCUBootUtility's fuse window of the RT10yy).
    pub const fn flash_type(&self) -> &'static str {
        match self.sbmr1 >> FLASH_TYPE_SHIFT & FLASH_TYPE_MASK {
            0b000 => "QSPI NOR, 3-byte addresses",
            0b001 => "QSPI NOR, 4-byte addresses",
            0b010 => "HyperFlash 1.8 V",
            0b011 => "HyperFlash 3.3 V",
            0b100 => "Macronix octal",
            0b101 => "Micron octal",
            0b111 => "QSPI NOR on the secondary pins",
            _ => "a kind without a name",
        }
    }
}

impl Chip {
    /// Takes the two registers apart.
    pub fn boot_config(&self, sbmr1: u32, sbmr2: u32) -> BootConfig {
        let values = &self.boot_mode;
        let bmod = sbmr2 >> values.sbmr2_bmod_shift & values.sbmr2_bmod_mask;
        let sec_config = sbmr2 & values.sbmr2_sec_config_mask;
        let mut open = values.sec_config_open.iter();
        BootConfig {
            sbmr1,
            sbmr2,
            mode: match bmod {
                _ if bmod == u32::from(values.serial_downloader) => BootMode::SerialDownloader,
                _ if bmod == u32::from(values.internal_boot) => BootMode::Internal,
                _ if bmod == u32::from(values.boot_from_fuses) => BootMode::Fuses,
                _ => BootMode::Reserved,
            },
            bt_fuse_sel: sbmr2 & values.sbmr2_bt_fuse_sel_mask != 0,
            security: match (open.any(|open| u32::from(*open) == sec_config), sec_config) {
                (false, _) => SecConfig::Closed,
                (true, 0) => SecConfig::Fab,
                (true, _) => SecConfig::Open,
            },
            from_flexspi_nor: sbmr1 & values.sbmr1_device_mask == values.sbmr1_flexspi_nor,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(sbmr1: u32, sbmr2: u32) -> BootConfig {
        let chip = Chip::builtin("mimxrt1062").expect("chip");
        chip.boot_config(sbmr1, sbmr2)
    }

    #[test]
    fn a_usual_board_boots_from_its_flexspi_flash() {
        let config = decoded(0, 0x0200_0001);
        assert_eq!(
            (config.mode, config.security, config.obstacle()),
            (BootMode::Internal, SecConfig::Open, None)
        );
        assert!(!config.is_closed() && !config.is_from_fuses());
        assert_eq!(config.flash_type(), "QSPI NOR, 3-byte addresses");
    }

    #[test]
    fn every_obstacle_is_seen() {
        use BootObstacle::*;
        for (sbmr1, sbmr2, obstacle) in [
            (0x00, 0x0100_0001, Some(SerialDownloader)),
            (0x40, 0x0100_0001, Some(SerialDownloader)),
            (0x00, 0x0000_0001, Some(FusesNotSet)),
            (0x00, 0x0000_0011, None),
            (0x00, 0x0300_0001, Some(ReservedMode)),
            (0x40, 0x0200_0001, Some(OtherDevice { from_fuses: false })),
            (0x40, 0x0200_0011, Some(OtherDevice { from_fuses: true })),
        ] {
            assert_eq!(decoded(sbmr1, sbmr2).obstacle(), obstacle, "{sbmr2:#x}");
        }
    }

    #[test]
    fn both_closed_values_of_sec_config_are_closed() {
        let security = |sec_config: u32| decoded(0, 0x0200_0000 | sec_config).security;
        assert_eq!(
            [0, 1, 2, 3].map(security),
            [
                SecConfig::Fab,
                SecConfig::Open,
                SecConfig::Closed,
                SecConfig::Closed
            ]
        );
    }
}
