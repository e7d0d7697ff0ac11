//! How the FlexRAM is split between ITCM, DTCM and OCRAM (IMXRT1060RM IOMUXC_GPR chapter, fuse 0x6D0).

use std::fmt;

use crate::link::registers::GPR16_FLEXRAM_BANK_CFG_SEL;
use crate::target::Chip;

const BANKS: u32 = 16;
const BANK_BYTES: u32 = 32 * 1024;
/// GPR17: two bits a bank.
const BANK_BITS: u32 = 2;
const BANK_MASK: u32 = 0b11;
const OCRAM: u32 = 1;
const DTCM: u32 = 2;
const ITCM: u32 = 3;

/// Sizes in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlexRamSizes {
    /// From address 0.
    pub itcm_bytes: u32,
    /// From 0x20000000.
    pub dtcm_bytes: u32,
    /// From 0x20280000, behind the OCRAM that is not FlexRAM.
    pub ocram_bytes: u32,
}

/// The split in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlexRam {
    /// By the fuses; what codes other than 0 mean, no public source says.
    Fuses {
        /// The code.
        code: u32,
        /// The sizes, where known.
        sizes: Option<FlexRamSizes>,
    },
    /// By GPR17, as software set it.
    Register {
        /// GPR17.
        gpr17: u32,
        /// The sizes.
        sizes: FlexRamSizes,
    },
}

impl FlexRam {
    /// From GPR16, GPR17 and the code of the fuses.
    pub fn new(gpr16: u32, gpr17: u32, code: u32, chip: &Chip) -> Self {
        if gpr16 & GPR16_FLEXRAM_BANK_CFG_SEL != 0 {
            let sizes = by_register(gpr17);
            return FlexRam::Register { gpr17, sizes };
        }
        let usual = |name: &str| {
            let ram = chip.ram.iter().find(|ram| ram.name == name);
            ram.map_or(0, |ram| ram.default_bytes)
        };
        let default = FlexRamSizes {
            itcm_bytes: usual("ITCM"),
            dtcm_bytes: usual("DTCM"),
            ocram_bytes: usual("OCRAM"),
        };
        let sizes = (code == 0).then_some(default);
        FlexRam::Fuses { code, sizes }
    }

    /// The sizes, where they are known.
    pub const fn sizes(&self) -> Option<FlexRamSizes> {
        match self {
            FlexRam::Fuses { sizes, .. } => *sizes,
            FlexRam::Register { sizes, .. } => Some(*sizes),
        }
    }
}

fn by_register(gpr17: u32) -> FlexRamSizes {
    let mut sizes = FlexRamSizes::default();
    for bank in 0..BANKS {
        match gpr17 >> (BANK_BITS * bank) & BANK_MASK {
            OCRAM => sizes.ocram_bytes += BANK_BYTES,
            DTCM => sizes.dtcm_bytes += BANK_BYTES,
            ITCM => sizes.itcm_bytes += BANK_BYTES,
            _ => {}
        }
    }
    sizes
}

impl fmt::Display for FlexRamSizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kib = |bytes: u32| bytes / 1024;
        write!(
            f,
            "ITCM {} KiB, DTCM {} KiB, OCRAM {} KiB",
            kib(self.itcm_bytes),
            kib(self.dtcm_bytes),
            kib(self.ocram_bytes)
        )
    }
}

impl fmt::Display for FlexRam {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FlexRam::Fuses {
                sizes: Some(sizes), ..
            } => write!(f, "{sizes} (by fuses)"),
            FlexRam::Fuses { code, sizes: None } => {
                write!(
                    f,
                    "by fuses, code {code}, whose sizes no public source gives"
                )
            }
            FlexRam::Register { gpr17, sizes } => {
                write!(f, "{sizes} (by GPR17 {gpr17:#010x})")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(gpr16: u32, gpr17: u32, code: u32) -> String {
        let chip = Chip::builtin("mimxrt1062").expect("chip");
        FlexRam::new(gpr16, gpr17, code, &chip).to_string()
    }

    #[test]
    fn the_split_is_the_register_s_where_gpr16_says_so_else_the_fuses() {
        // the map that NXP's J-Link script writes
        assert_eq!(
            text(0x0020_0007, 0x55AF_FA55, 0),
            "ITCM 128 KiB, DTCM 128 KiB, OCRAM 256 KiB (by GPR17 0x55affa55)"
        );
        assert_eq!(
            text(0x0020_0003, 0x55AF_FA55, 0),
            "ITCM 128 KiB, DTCM 128 KiB, OCRAM 256 KiB (by fuses)"
        );
        assert_eq!(
            text(7, 0xFFFF_FFFF, 0),
            "ITCM 512 KiB, DTCM 0 KiB, OCRAM 0 KiB (by GPR17 0xffffffff)"
        );
        assert!(text(3, 0, 6).contains("code 6"));
    }
}
