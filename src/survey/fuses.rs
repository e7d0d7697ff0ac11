//! The fuses that decide how the chip boots and whether it can be debugged, from their shadow registers.
//!
//! Bits: NXP SPSDK `fuses.json` (mimxrt1064) and NXP-MCUBootUtility, fuse addresses 0x450 to 0x6E0.

use std::fmt;

use crate::address::Address;
use crate::link::{Link, LinkError};
use crate::target::Registers;

// 0x450
const AUTO_PROBE: u32 = 1 << 0;
// 0x460
const BOOT_FREQUENCY: u32 = 1 << 2;
const BT_FUSE_SEL: u32 = 1 << 4;
const FORCE_INTERNAL_BOOT: u32 = 1 << 16;
const SDP_DISABLE: u32 = 1 << 17;
const JTAG_PINS: u32 = 1 << 19;
const SJC_DISABLE: u32 = 1 << 20;
const WDOG_ENABLE: u32 = 1 << 21;
const JTAG_SMODE_SHIFT: u32 = 22;
const JTAG_SMODE_MASK: u32 = 0b11;
// 0x470
const SD_MANUFACTURING_OFF: u32 = 1 << 3;
// 0x6D0
const WDOG_TIMEOUT_SHIFT: u32 = 13;
const WDOG_TIMEOUT_MASK: u32 = 0b111;
const FLEXRAM_SHIFT: u32 = 16;
const FLEXRAM_MASK: u32 = 0b1111;
const RECOVERY_BOOT: u32 = 1 << 24;
// 0x6E0
const JEDEC_RESET: u32 = 1 << 6;
const SECONDARY_OFFSET_SHIFT: u32 = 16;
const SECONDARY_OFFSET_MASK: u32 = 0xFF;
/// Unit of the secondary image's offset, in KiB.
const SECONDARY_OFFSET_KIB: u32 = 256;

/// What the fuses leave of the debug port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DebugAccess {
    /// JTAG_SMODE 00.
    Open,
    /// JTAG_SMODE 01: it wants the answer to a challenge.
    Challenge,
    /// JTAG_SMODE 11, or SJC_DISABLE.
    Closed,
    /// JTAG_SMODE 10, which has no name.
    Unnamed,
}

impl fmt::Display for DebugAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DebugAccess::Open => "open",
            DebugAccess::Challenge => "open after challenge and response only",
            DebugAccess::Closed => "closed for ever",
            DebugAccess::Unnamed => "JTAG_SMODE 10, which has no name",
        })
    }
}

/// Fuse words, as latched at power-on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fuses {
    /// 0x450: BOOT_CFG.
    pub boot_cfg: u32,
    /// 0x460.
    pub boot_config_0x460: u32,
    /// 0x470.
    pub boot_config_0x470: u32,
    /// 0x6D0.
    pub misc_conf_0x6d0: u32,
    /// 0x6E0.
    pub misc_conf_0x6e0: u32,
    /// Whether any bit of the SRK hash is blown: images can be signed for this part.
    pub srk_hash_set: bool,
}

impl Fuses {
    /// Reads the shadow registers. After the chip was reset into its ROM, as for [`super::ChipFound::read`].
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn read(link: &mut dyn Link, registers: &Registers) -> Result<Self, LinkError> {
        let mut word = |address: Address| link.read_word(address);
        let mut srk_hash_set = false;
        for address in &registers.ocotp_srk_hash {
            srk_hash_set |= word(*address)? != 0;
        }
        Ok(Fuses {
            boot_cfg: word(registers.ocotp_boot_config_0x450)?,
            boot_config_0x460: word(registers.ocotp_boot_config_0x460)?,
            boot_config_0x470: word(registers.ocotp_boot_config_0x470)?,
            misc_conf_0x6d0: word(registers.ocotp_misc_conf_0x6d0)?,
            misc_conf_0x6e0: word(registers.ocotp_misc_conf_0x6e0)?,
            srk_hash_set,
        })
    }

    /// BT_FUSE_SEL: the boot configuration comes from fuses, and the pins do not count.
    pub const fn bt_fuse_sel(&self) -> bool {
        self.boot_config_0x460 & BT_FUSE_SEL != 0
    }

    /// What is left of the debug port. A port that answers is open, or was opened.
    pub const fn debug_access(&self) -> DebugAccess {
        let smode = self.boot_config_0x460 >> JTAG_SMODE_SHIFT & JTAG_SMODE_MASK;
        match smode {
            _ if self.boot_config_0x460 & SJC_DISABLE != 0 => DebugAccess::Closed,
            0b00 => DebugAccess::Open,
            0b01 => DebugAccess::Challenge,
            0b11 => DebugAccess::Closed,
            _ => DebugAccess::Unnamed,
        }
    }

    /// The watchdog fuse: the ROM starts RTWDOG, and gives its code of the time-out.
    pub const fn watchdog(&self) -> Option<u32> {
        if self.boot_config_0x460 & WDOG_ENABLE == 0 {
            return None;
        }
        Some(self.misc_conf_0x6d0 >> WDOG_TIMEOUT_SHIFT & WDOG_TIMEOUT_MASK)
    }

    /// Code of the default FlexRAM split.
    pub const fn flexram_code(&self) -> u32 {
        self.misc_conf_0x6d0 >> FLEXRAM_SHIFT & FLEXRAM_MASK
    }

    /// Where the ROM looks for a second image, in bytes from the start of the flash; none where that is off.
    pub const fn secondary_image_offset(&self) -> Option<u32> {
        match self.misc_conf_0x6e0 >> SECONDARY_OFFSET_SHIFT & SECONDARY_OFFSET_MASK {
            0 => None,
            units => Some(units * SECONDARY_OFFSET_KIB * 1024),
        }
    }

    /// What is blown of the rest that changes how the chip boots, in words; usually nothing.
    pub fn notable(&self) -> Vec<&'static str> {
        let words = [
            (
                self.boot_cfg,
                AUTO_PROBE,
                "auto-probe: the ROM needs no FCB",
            ),
            (
                self.boot_config_0x460,
                BOOT_FREQUENCY,
                "the ROM runs at 528 MHz",
            ),
            (
                self.boot_config_0x460,
                FORCE_INTERNAL_BOOT,
                "internal boot is forced",
            ),
            (
                self.boot_config_0x460,
                SDP_DISABLE,
                "the serial downloader is off",
            ),
            (
                self.boot_config_0x460,
                JTAG_PINS,
                "the debug pins are JTAG, not SWD",
            ),
            (
                self.boot_config_0x470,
                SD_MANUFACTURING_OFF,
                "manufacturing mode from SD is off",
            ),
            (
                self.misc_conf_0x6d0,
                RECOVERY_BOOT,
                "recovery boot from LPSPI is on",
            ),
            (
                self.misc_conf_0x6e0,
                JEDEC_RESET,
                "the ROM resets the flash by its JEDEC reset",
            ),
        ];
        let blown = words.into_iter().filter(|(word, bit, _)| word & bit != 0);
        blown.map(|(_, _, text)| text).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNBLOWN: Fuses = Fuses {
        boot_cfg: 0,
        boot_config_0x460: 0,
        boot_config_0x470: 0,
        misc_conf_0x6d0: 0,
        misc_conf_0x6e0: 0,
        srk_hash_set: false,
    };

    fn word_0x460(boot_config_0x460: u32) -> Fuses {
        Fuses {
            boot_config_0x460,
            ..UNBLOWN
        }
    }

    #[test]
    fn a_part_as_delivered_has_nothing_notable() {
        assert_eq!(UNBLOWN.debug_access(), DebugAccess::Open);
        assert_eq!((UNBLOWN.watchdog(), UNBLOWN.flexram_code()), (None, 0));
        assert_eq!(UNBLOWN.secondary_image_offset(), None);
        assert!(UNBLOWN.notable().is_empty() && !UNBLOWN.bt_fuse_sel());
    }

    #[test]
    fn a_debug_port_is_closed_by_either_fuse() {
        let access = |word| word_0x460(word).debug_access();
        assert_eq!(access(1 << 20), DebugAccess::Closed);
        assert_eq!(access(0b11 << 22), DebugAccess::Closed);
        assert_eq!(access(0b01 << 22), DebugAccess::Challenge);
    }

    #[test]
    fn the_watchdog_fuse_comes_with_its_time_out() {
        let fuses = Fuses {
            misc_conf_0x6d0: 0b101 << 13 | 0b0110 << 16,
            ..word_0x460(1 << 21)
        };
        assert_eq!((fuses.watchdog(), fuses.flexram_code()), (Some(5), 6));
    }

    #[test]
    fn what_is_blown_is_named() {
        let fuses = Fuses {
            misc_conf_0x6e0: 4 << 16,
            ..word_0x460(1 << 17 | 1 << 4)
        };
        assert_eq!(fuses.notable(), ["the serial downloader is off"]);
        assert!(fuses.bt_fuse_sel());
        assert_eq!(fuses.secondary_image_offset(), Some(1 << 20));
    }
}
