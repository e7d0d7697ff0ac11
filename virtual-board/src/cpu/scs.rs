//! The system control space 0xE000E000: SCB, SysTick, NVIC, cache maintenance, MPU registers (ARMv7-M ARM B3, Cortex-M7 TRM).

use super::nvic::{Nvic, number};
use super::systick::SysTick;

/// What a write asks the core to do beyond storing a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// AIRCR.SYSRESETREQ.
    SystemReset,
    /// AIRCR.VECTRESET.
    CoreReset,
    /// CCR.IC or CCR.DC changed.
    Caches,
    /// Instruction cache invalidated (ICIALLU, ICIMVAU).
    InvalidateInstructionCache,
    /// Data cache operation by line or set and way: invalidate, clean or both.
    MaintainDataCache,
    /// MPU_CTRL, MPU_RBAR or MPU_RASR written.
    Mpu,
}

/// Register file of the system control space.
#[derive(Clone, Debug)]
pub struct Scs {
    /// Exception state.
    pub nvic: Nvic,
    systick: SysTick,
    /// VTOR.
    pub vtor: u32,
    /// CCR.
    pub ccr: u32,
    scr: u32,
    /// SHCSR enable bits 16–18.
    pub shcsr: u32,
    /// CFSR.
    pub cfsr: u32,
    /// HFSR.
    pub hfsr: u32,
    /// MMFAR.
    pub mmfar: u32,
    /// BFAR.
    pub bfar: u32,
    cpacr: u32,
    csselr: u32,
    /// MPU_CTRL.
    pub mpu_ctrl: u32,
    mpu_rnr: u32,
    mpu_regions: [(u32, u32); 16],
    actlr: u32,
    storage: [u32; 8],
}

/// CCR bits.
pub mod ccr {
    /// Stack alignment on exception entry.
    pub const STKALIGN: u32 = 1 << 9;
    /// Data cache on.
    pub const DC: u32 = 1 << 16;
    /// Instruction cache on.
    pub const IC: u32 = 1 << 17;
    /// Unaligned accesses trap.
    pub const UNALIGN_TRP: u32 = 1 << 3;
    /// Implemented bits.
    pub const MASK: u32 = 0x0007_031B;
    /// Reset value: STKALIGN and branch prediction.
    pub const RESET: u32 = 0x0004_0200;
}

impl Default for Scs {
    fn default() -> Self {
        Scs {
            nvic: Nvic::default(),
            systick: SysTick::default(),
            vtor: 0x0020_0000,
            ccr: ccr::RESET,
            scr: 0,
            shcsr: 0,
            cfsr: 0,
            hfsr: 0,
            mmfar: 0,
            bfar: 0,
            cpacr: 0,
            csselr: 0,
            mpu_ctrl: 0,
            mpu_rnr: 0,
            mpu_regions: [(0, 0); 16],
            actlr: 0,
            storage: [0; 8],
        }
    }
}

/// Implemented bits of VTOR.
pub const VTOR_MASK: u32 = 0xFFFF_FF80;
const SHCSR_ENABLES: u32 = 0x0007_0000;
const ICSR_PENDSVSET: u32 = 1 << 28;
const ICSR_PENDSVCLR: u32 = 1 << 27;
const ICSR_PENDSTSET: u32 = 1 << 26;
const ICSR_PENDSTCLR: u32 = 1 << 25;
const ICSR_NMIPENDSET: u32 = 1 << 31;
const AIRCR_KEY: u32 = 0x05FA;
const AIRCR_READ_KEY: u32 = 0xFA05 << 16;

impl Scs {
    /// Base address.
    pub const BASE: u32 = 0xE000_E000;

    /// FPU enabled by CPACR (CP10 full access).
    pub fn fpu_enabled(&self) -> bool {
        (self.cpacr >> 20) & 3 != 0
    }

    /// Advances SysTick to the core cycle `cycle`, pending its exception.
    pub fn tick(&mut self, cycle: u64, core_hz: u64) {
        if self.systick.advance(cycle, core_hz) {
            self.nvic.pend(number::SYS_TICK);
        }
    }

    /// True while SysTick may raise an exception.
    pub fn systick_interrupts(&self) -> bool {
        self.systick.control & 3 == 3
    }

    /// Reads the word at `offset` of the space; `None` where nothing is modelled.
    pub fn read(&mut self, offset: u32, cycle: u64, core_hz: u64) -> Option<u32> {
        Some(match offset {
            0x004 => 4,
            0x008 => self.actlr,
            0x010 => {
                self.tick(cycle, core_hz);
                let flag = std::mem::take(&mut self.systick.count_flag);
                self.systick.control | u32::from(flag) << 16
            }
            0x014 => self.systick.reload,
            0x018 => {
                self.tick(cycle, core_hz);
                self.systick.current
            }
            0x01C => 999,
            0x100..0x114 | 0x180..0x194 => self.nvic.enabled_word(((offset & 0x7F) / 4) as usize),
            0x200..0x214 | 0x280..0x294 => {
                self.nvic.state_word(((offset & 0x7F) / 4) as usize, false)
            }
            0x300..0x314 => self.nvic.state_word(((offset & 0x7F) / 4) as usize, true),
            0x400..0x4A0 => self.priorities(number::EXTERNAL + (offset - 0x400) as u16),
            0xD04 => self.icsr(),
            0xD08 => self.vtor,
            0xD0C => AIRCR_READ_KEY | u32::from(self.nvic.prigroup) << 8,
            0xD10 => self.scr,
            0xD14 => self.ccr,
            0xD18 | 0xD1C | 0xD20 => self.priorities((offset - 0xD14) as u16),
            0xD24 => self.shcsr,
            0xD28 => self.cfsr,
            0xD2C => self.hfsr,
            0xD34 => self.mmfar,
            0xD38 => self.bfar,
            0xD3C => 0,
            0xD40 => 0x0000_0030,
            0xD44 => 0x0000_0200,
            0xD48 => 0x0010_0000,
            0xD4C => 0,
            0xD50 => 0x0010_0030,
            0xD54 => 0,
            0xD58 => 0x0100_0000,
            0xD5C => 0,
            0xD60 => 0x0110_1110,
            0xD64 => 0x0211_2000,
            0xD68 => 0x2023_2231,
            0xD6C => 0x0111_1131,
            0xD70 => 0x0131_0132,
            0xD78 => 0x0900_0003,
            0xD7C => 0x8303_C003,
            // 32 KiB each: data 4 ways × 256 sets, instruction 2 ways × 512 sets, 32-byte lines
            0xD80 => {
                if self.csselr & 1 == 0 {
                    0xF01F_E019
                } else {
                    0xF03F_E009
                }
            }
            0xD84 => self.csselr,
            0xD88 => self.cpacr,
            0xD90 => 16 << 8,
            0xD94 => self.mpu_ctrl,
            0xD98 => self.mpu_rnr,
            0xD9C | 0xDA4 | 0xDAC | 0xDB4 => self.region(offset).0,
            0xDA0 | 0xDA8 | 0xDB0 | 0xDB8 => self.region(offset).1,
            0xF34 | 0xF38 | 0xF3C => self.stored(offset)?,
            0xF40 => 0x1011_0021,
            0xF44 => 0x1100_0011,
            0xF48 => 0x0000_0040,
            0xF90 | 0xF94 | 0xF98 | 0xF9C => self.stored(offset)?,
            _ => return None,
        })
    }

    /// Writes the word at `offset`; `None` where nothing is modelled.
    pub fn write(
        &mut self,
        offset: u32,
        value: u32,
        cycle: u64,
        core_hz: u64,
    ) -> Option<Option<Effect>> {
        let mut effect = None;
        match offset {
            0x008 => self.actlr = value,
            0x010 => {
                self.tick(cycle, core_hz);
                self.systick.control = value & 7;
                self.systick.at = cycle;
            }
            0x014 => self.systick.reload = value & 0x00FF_FFFF,
            0x018 => {
                self.systick.current = 0;
                self.systick.count_flag = false;
                self.systick.at = cycle;
            }
            0x100..0x114 => self
                .nvic
                .write_enabled(((offset & 0x7F) / 4) as usize, value, true),
            0x180..0x194 => self
                .nvic
                .write_enabled(((offset & 0x7F) / 4) as usize, value, false),
            0x200..0x214 => self
                .nvic
                .write_pending(((offset & 0x7F) / 4) as usize, value, true),
            0x280..0x294 => self
                .nvic
                .write_pending(((offset & 0x7F) / 4) as usize, value, false),
            0x400..0x4A0 => self.set_priorities(number::EXTERNAL + (offset - 0x400) as u16, value),
            0xD04 => self.write_icsr(value),
            0xD08 => self.vtor = value & VTOR_MASK,
            0xD0C => {
                if value >> 16 == AIRCR_KEY {
                    self.nvic.prigroup = ((value >> 8) & 7) as u8;
                    if value & 4 != 0 {
                        effect = Some(Effect::SystemReset);
                    } else if value & 1 != 0 {
                        effect = Some(Effect::CoreReset);
                    }
                }
            }
            0xD10 => self.scr = value & 0x16,
            0xD14 => {
                self.ccr = value & ccr::MASK;
                effect = Some(Effect::Caches);
            }
            0xD18 | 0xD1C | 0xD20 => self.set_priorities((offset - 0xD14) as u16, value),
            0xD24 => self.shcsr = value & SHCSR_ENABLES,
            0xD28 => self.cfsr &= !value,
            0xD2C => self.hfsr &= !value,
            0xD34 => self.mmfar = value,
            0xD38 => self.bfar = value,
            0xD84 => self.csselr = value & 0xF,
            0xD88 => self.cpacr = value & 0x00F0_0000,
            0xD94 => {
                self.mpu_ctrl = value & 7;
                effect = Some(Effect::Mpu);
            }
            0xD98 => self.mpu_rnr = value & 0xF,
            0xD9C | 0xDA4 | 0xDAC | 0xDB4 => {
                if value & 0x10 != 0 {
                    self.mpu_rnr = value & 0xF;
                }
                self.region_mut(offset).0 = value & !0x10;
                effect = Some(Effect::Mpu);
            }
            0xDA0 | 0xDA8 | 0xDB0 | 0xDB8 => {
                self.region_mut(offset).1 = value;
                effect = Some(Effect::Mpu);
            }
            0xF00 => self.nvic.pend(number::EXTERNAL + (value & 0x1FF) as u16),
            0xF34 | 0xF38 | 0xF3C | 0xF90 | 0xF94 | 0xF98 | 0xF9C => {
                *self.stored_mut(offset)? = value
            }
            0xF50 | 0xF58 => effect = Some(Effect::InvalidateInstructionCache),
            0xF5C | 0xF60 | 0xF64 | 0xF68 | 0xF6C | 0xF70 | 0xF74 => {
                effect = Some(Effect::MaintainDataCache)
            }
            0xF78 => {}
            _ => return None,
        }
        Some(effect)
    }

    fn icsr(&self) -> u32 {
        let mut value = u32::from(self.nvic.current());
        if self.nvic.is_pending(number::PEND_SV) {
            value |= ICSR_PENDSVSET;
        }
        if self.nvic.is_pending(number::SYS_TICK) {
            value |= ICSR_PENDSTSET;
        }
        if self.nvic.depth() <= 1 {
            value |= 1 << 11;
        }
        value
    }

    fn write_icsr(&mut self, value: u32) {
        for (bit, n, set) in [
            (ICSR_NMIPENDSET, number::NMI, true),
            (ICSR_PENDSVSET, number::PEND_SV, true),
            (ICSR_PENDSVCLR, number::PEND_SV, false),
            (ICSR_PENDSTSET, number::SYS_TICK, true),
            (ICSR_PENDSTCLR, number::SYS_TICK, false),
        ] {
            if value & bit != 0 {
                if set {
                    self.nvic.pend(n)
                } else {
                    self.nvic.unpend(n)
                }
            }
        }
    }

    fn priorities(&self, first: u16) -> u32 {
        (0..4).fold(0, |word, i| {
            word | u32::from(self.nvic.priority(first + i)) << (8 * i)
        })
    }

    fn set_priorities(&mut self, first: u16, value: u32) {
        for i in 0..4 {
            self.nvic.set_priority(first + i, (value >> (8 * i)) as u8);
        }
    }

    fn region_index(&self, offset: u32) -> usize {
        let alias = (offset - 0xD9C) / 8;
        let base = if alias == 0 {
            self.mpu_rnr
        } else {
            self.mpu_rnr & !3
        };
        ((base + alias) & 0xF) as usize
    }

    fn region(&self, offset: u32) -> (u32, u32) {
        self.mpu_regions
            .get(self.region_index(offset))
            .copied()
            .unwrap_or((0, 0))
    }

    fn region_mut(&mut self, offset: u32) -> &mut (u32, u32) {
        let i = self.region_index(offset);
        &mut self.mpu_regions[i & 0xF]
    }

    fn storage_index(offset: u32) -> usize {
        match offset {
            0xF34..=0xF3C => ((offset - 0xF34) / 4) as usize,
            _ => 3 + ((offset & 0xF) / 4) as usize,
        }
    }

    fn stored(&self, offset: u32) -> Option<u32> {
        self.storage.get(Self::storage_index(offset)).copied()
    }

    fn stored_mut(&mut self, offset: u32) -> Option<&mut u32> {
        self.storage.get_mut(Self::storage_index(offset))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systick_reaches_zero_once_a_period() {
        let mut scs = Scs::default();
        scs.write(0x014, 999, 0, 396_000_000);
        scs.write(0x018, 0, 0, 396_000_000);
        scs.write(0x010, 7, 0, 396_000_000);
        scs.tick(500, 396_000_000);
        scs.nvic.unpend(number::SYS_TICK);
        scs.tick(999, 396_000_000);
        assert!(!scs.nvic.is_pending(number::SYS_TICK));
        scs.tick(1_001, 396_000_000);
        assert!(scs.nvic.is_pending(number::SYS_TICK));
    }

    #[test]
    fn a_reset_request_needs_the_vector_key_and_keeps_prigroup() {
        let mut scs = Scs::default();
        assert_eq!(scs.write(0xD0C, 0x0000_0004, 0, 1), Some(None));
        assert_eq!(
            scs.write(0xD0C, 0x05FA_0304, 0, 1),
            Some(Some(Effect::SystemReset))
        );
        assert_eq!(scs.read(0xD0C, 0, 1), Some(0xFA05_0300));
    }

    #[test]
    fn an_unknown_register_is_not_answered() {
        let mut scs = Scs::default();
        assert_eq!(scs.read(0xFF0, 0, 1), None);
        assert_eq!(scs.write(0x500, 1, 0, 1), None);
    }
}
