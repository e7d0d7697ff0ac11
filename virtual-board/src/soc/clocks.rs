//! CCM and CCM_ANALOG: the clock registers, PLL lock times, and the clock tree computed from them.

use super::clock_registers::{CCM, CCM_ANALOG};
use super::registers::{Access, Bank};
use crate::bus::{BusFault, Width};
use crate::time::Time;

/// The crystal oscillator, in hertz.
pub const CRYSTAL_HZ: u64 = 24_000_000;
/// The 32.768 kHz oscillator of the SNVS domain, in hertz.
pub const LOW_FREQUENCY_HZ: u64 = 32_768;

// CCM offsets (IMXRT1060RM CCM chapter).
const CCSR: u32 = 0x0C;
const CACRR: u32 = 0x10;
const CBCDR: u32 = 0x14;
const CBCMR: u32 = 0x18;
const CSCMR1: u32 = 0x1C;
const CSCDR1: u32 = 0x24;
const CLPCR: u32 = 0x54;
const CCGR0: u32 = 0x68;

// CCM_ANALOG offsets (IMXRT1060RM CCM_ANALOG part).
const PLL_ARM: u32 = 0x00;
const PLL_USB1: u32 = 0x10;
const PLL_USB2: u32 = 0x20;
const PLL_SYS: u32 = 0x30;
const PLL_SYS_NUM: u32 = 0x50;
const PLL_SYS_DENOM: u32 = 0x60;
const PLL_AUDIO: u32 = 0x70;
const PLL_VIDEO: u32 = 0xA0;
const PLL_ENET: u32 = 0xE0;
const PFD_480: u32 = 0xF0;
const PFD_528: u32 = 0x100;

const PLL_POWER: u32 = 1 << 12;
const PLL_ENABLE: u32 = 1 << 13;
const PLL_REFERENCE: u32 = 3 << 14;
const PLL_BYPASS: u32 = 1 << 16;
const PLL_LOCK: u32 = 1 << 31;

/// Stable flags of the four phase dividers of a PFD register; each inverts when its fraction changes.
const PFD_STABLE: u32 = 0x4040_4040;
const PFD_FRACTION: u32 = 0x3F;
const PFD_GATE: u32 = 0x80;
const PFD_NUMERATOR: u64 = 18;

/// A PLL: where its register is, its longest lock time and whether bit 12 powers it up (USB) or down (the others).
struct Pll {
    offset: u32,
    lock_reference_cycles: u64,
    bit_12_powers_up: bool,
    /// The divider: a change makes the PLL lock anew.
    divider: u32,
}

/// Longest lock times in reference cycles (IMXRT1060IEC, PLL electrical parameters).
const PLLS: [Pll; 7] = [
    Pll {
        offset: PLL_ARM,
        lock_reference_cycles: 2_250,
        bit_12_powers_up: false,
        divider: 0x7F,
    },
    Pll {
        offset: PLL_USB1,
        lock_reference_cycles: 383,
        bit_12_powers_up: true,
        divider: 0x2,
    },
    Pll {
        offset: PLL_USB2,
        lock_reference_cycles: 383,
        bit_12_powers_up: true,
        divider: 0x2,
    },
    Pll {
        offset: PLL_SYS,
        lock_reference_cycles: 11_250,
        bit_12_powers_up: false,
        divider: 0x1,
    },
    Pll {
        offset: PLL_AUDIO,
        lock_reference_cycles: 11_250,
        bit_12_powers_up: false,
        divider: 0x7F,
    },
    Pll {
        offset: PLL_VIDEO,
        lock_reference_cycles: 11_250,
        bit_12_powers_up: false,
        divider: 0x7F,
    },
    Pll {
        offset: PLL_ENET,
        lock_reference_cycles: 11_250,
        bit_12_powers_up: false,
        divider: 0,
    },
];

/// What the core does on WFI, CLPCR.LPM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LowPowerMode {
    /// The core clock stops at most; the debug port works.
    Run,
    /// WAIT mode: the AHB-AP answers WAIT while the core sleeps.
    Wait,
    /// STOP mode.
    Stop,
}

/// CCM and CCM_ANALOG.
#[derive(Clone, Debug)]
pub struct Clocks {
    ccm: Bank,
    analog: Bank,
    /// When each PLL of [`PLLS`] was last powered up or re-programmed.
    started: [Option<Time>; PLLS.len()],
}

impl Default for Clocks {
    fn default() -> Self {
        Self::new()
    }
}

impl Clocks {
    /// Both blocks in reset state.
    pub fn new() -> Self {
        Clocks {
            ccm: Bank::new("ccm", CCM),
            analog: Bank::new("ccm_analog", CCM_ANALOG),
            started: [None; PLLS.len()],
        }
    }

    /// Chip reset.
    pub fn reset(&mut self) {
        *self = Self::new();
    }

    /// Reads a CCM register.
    ///
    /// # Errors
    /// [`BusFault`] for what is not modelled.
    pub fn read_ccm(
        &self,
        offset: u32,
        width: Width,
        access: &mut Access,
    ) -> Result<u32, BusFault> {
        self.ccm.read(offset, width, access)
    }

    /// Writes a CCM register. Switching is instantaneous, so that the handshake bits of CDHIPR always read 0.
    ///
    /// # Errors
    /// As [`Clocks::read_ccm`].
    pub fn write_ccm(
        &mut self,
        offset: u32,
        width: Width,
        value: u32,
        access: &mut Access,
    ) -> Result<(), BusFault> {
        self.ccm.write(offset, width, value, access).map(|_| ())
    }

    /// Reads a register of the analog slot.
    ///
    /// # Errors
    /// [`BusFault`] for what is not modelled.
    pub fn read_analog(
        &self,
        offset: u32,
        width: Width,
        access: &mut Access,
    ) -> Result<u32, BusFault> {
        let value = self.analog.read(offset, width, access)?;
        let locked = PLLS
            .iter()
            .position(|p| p.offset == offset & !0xF)
            .is_some_and(|i| self.locked(i, access.now));
        Ok(if locked { value | PLL_LOCK } else { value })
    }

    /// Writes a register of the analog slot.
    ///
    /// # Errors
    /// As [`Clocks::read_analog`].
    pub fn write_analog(
        &mut self,
        offset: u32,
        width: Width,
        value: u32,
        access: &mut Access,
    ) -> Result<(), BusFault> {
        let written = self.analog.write(offset, width, value, access)?;
        if let Some(index) = PLLS.iter().position(|p| p.offset == written.offset) {
            let divider = PLLS.get(index).map_or(0, |pll| pll.divider);
            let disturbed =
                (written.before ^ written.after) & (PLL_POWER | PLL_REFERENCE | divider) != 0;
            if disturbed && let Some(started) = self.started.get_mut(index) {
                *started = Some(access.now);
            }
        }
        if matches!(written.offset, PFD_480 | PFD_528) {
            let mut stable = written.after & PFD_STABLE;
            for lane in 0..4 {
                let fraction = PFD_FRACTION << (8 * lane);
                if (written.before ^ written.after) & fraction != 0 {
                    stable ^= PFD_STABLE & (0xFF << (8 * lane));
                }
            }
            self.analog
                .put(written.offset, (written.after & !PFD_STABLE) | stable);
        }
        Ok(())
    }

    /// Core clock (AHB_CLK_ROOT), in hertz; 0 while its source does not run.
    pub fn core_hz(&self, now: Time) -> u64 {
        let divider = u64::from(field(self.ccm.get(CBCDR), 10, 3)) + 1;
        self.periph_hz(now) / divider
    }

    /// Peripheral bus clock (IPG_CLK_ROOT), in hertz.
    pub fn ipg_hz(&self, now: Time) -> u64 {
        self.core_hz(now) / (u64::from(field(self.ccm.get(CBCDR), 8, 2)) + 1)
    }

    /// PERCLK_CLK_ROOT (GPT, PIT), in hertz.
    pub fn perclk_hz(&self, now: Time) -> u64 {
        let cscmr1 = self.ccm.get(CSCMR1);
        let source = if field(cscmr1, 6, 1) == 1 {
            CRYSTAL_HZ
        } else {
            self.ipg_hz(now)
        };
        source / (u64::from(field(cscmr1, 0, 6)) + 1)
    }

    /// UART_CLK_ROOT, in hertz.
    pub fn uart_hz(&self, now: Time) -> u64 {
        let cscdr1 = self.ccm.get(CSCDR1);
        // pll3_80m is PLL3 divided by 6 (IMXRT1060RM CCM clock tree).
        let source = if field(cscdr1, 6, 1) == 1 {
            CRYSTAL_HZ
        } else {
            self.pll3_hz(now) / 6
        };
        source / (u64::from(field(cscdr1, 0, 6)) + 1)
    }

    /// FLEXSPI_CLK_ROOT, in hertz; 0 while gated or while its source does not run.
    pub fn flexspi_root_hz(&self, now: Time) -> u64 {
        if self.flexspi_gate_open() {
            self.flexspi_source_hz(now)
        } else {
            0
        }
    }

    /// Whether CCGR6.CG5 lets FlexSPI's clocks through.
    pub fn flexspi_gate_open(&self) -> bool {
        self.gate_open(6, 5)
    }

    /// What stands before FlexSPI's gate, in hertz.
    pub fn flexspi_source_hz(&self, now: Time) -> u64 {
        let cscmr1 = self.ccm.get(CSCMR1);
        let source = match field(cscmr1, 29, 2) {
            0 => self.semc_pre_hz(now),
            1 => self.pll3_hz(now),
            2 => self.pfd_hz(PFD_528, 2, now),
            _ => self.pfd_hz(PFD_480, 0, now),
        };
        source / (u64::from(field(cscmr1, 23, 3)) + 1)
    }

    /// Whether the clock gate `CCGR<register>.CG<gate>` is open in run mode.
    pub fn gate_open(&self, register: u32, gate: u32) -> bool {
        field(self.ccm.get(CCGR0 + 4 * register), 2 * gate, 2) != 0
    }

    /// What WFI does, from CLPCR.LPM.
    pub fn low_power_mode(&self) -> LowPowerMode {
        match field(self.ccm.get(CLPCR), 0, 2) {
            0 => LowPowerMode::Run,
            1 => LowPowerMode::Wait,
            _ => LowPowerMode::Stop,
        }
    }

    fn locked(&self, index: usize, now: Time) -> bool {
        let (Some(pll), Some(started)) = (PLLS.get(index), self.started.get(index)) else {
            return false;
        };
        let powered = (self.analog.get(pll.offset) & PLL_POWER != 0) == pll.bit_12_powers_up;
        let lock_time = Time::cycles(pll.lock_reference_cycles, CRYSTAL_HZ);
        powered && started.is_some_and(|at| now >= at + lock_time)
    }

    /// The VCO of a PLL in hertz, whatever its output switch says; 0 while it is off or not locked.
    fn vco_hz(&self, offset: u32, now: Time) -> u64 {
        if !PLLS
            .iter()
            .position(|p| p.offset == offset)
            .is_some_and(|i| self.locked(i, now))
        {
            return 0;
        }
        let register = self.analog.get(offset);
        match offset {
            PLL_ARM => CRYSTAL_HZ * u64::from(field(register, 0, 7)) / 2,
            PLL_SYS => {
                let integer = CRYSTAL_HZ * if field(register, 0, 1) == 1 { 22 } else { 20 };
                let denominator = u64::from(self.analog.get(PLL_SYS_DENOM)).max(1);
                integer + CRYSTAL_HZ * u64::from(self.analog.get(PLL_SYS_NUM)) / denominator
            }
            _ => CRYSTAL_HZ * if field(register, 1, 1) == 1 { 22 } else { 20 },
        }
    }

    /// The output of a PLL in hertz: the crystal while bypassed, 0 while not enabled or not locked.
    fn pll_hz(&self, offset: u32, now: Time) -> u64 {
        let register = self.analog.get(offset);
        if register & PLL_ENABLE == 0 {
            0
        } else if register & PLL_BYPASS != 0 {
            CRYSTAL_HZ
        } else {
            self.vco_hz(offset, now)
        }
    }

    /// One phase divider of PFD_480 or PFD_528, in hertz. No source says what it gives in bypass: the model stops it.
    fn pfd_hz(&self, offset: u32, lane: u32, now: Time) -> u64 {
        let pll = if offset == PFD_480 { PLL_USB1 } else { PLL_SYS };
        let byte = field(self.analog.get(offset), 8 * lane, 8);
        let fraction = u64::from(byte & PFD_FRACTION);
        if byte & PFD_GATE != 0
            || self.analog.get(pll) & PLL_BYPASS != 0
            || !(12..=35).contains(&fraction)
        {
            return 0;
        }
        self.pll_hz(pll, now) * PFD_NUMERATOR / fraction
    }

    fn pll3_hz(&self, now: Time) -> u64 {
        if field(self.ccm.get(CCSR), 0, 1) == 1 {
            CRYSTAL_HZ
        } else {
            self.pll_hz(PLL_USB1, now)
        }
    }

    fn periph_hz(&self, now: Time) -> u64 {
        let cbcdr = self.ccm.get(CBCDR);
        let cbcmr = self.ccm.get(CBCMR);
        if field(cbcdr, 25, 1) == 1 {
            let source = match field(cbcmr, 12, 2) {
                0 => self.pll3_hz(now),
                1 | 2 => CRYSTAL_HZ,
                _ => 0,
            };
            return source / (u64::from(field(cbcdr, 27, 3)) + 1);
        }
        match field(cbcmr, 18, 2) {
            0 => self.pll_hz(PLL_SYS, now),
            1 => self.pfd_hz(PFD_528, 2, now),
            2 => self.pfd_hz(PFD_528, 0, now),
            _ => self.pll_hz(PLL_ARM, now) / (u64::from(field(self.ccm.get(CACRR), 0, 3)) + 1),
        }
    }

    /// semc_clk_root_pre: before SEMC_PODF.
    fn semc_pre_hz(&self, now: Time) -> u64 {
        let cbcdr = self.ccm.get(CBCDR);
        match (field(cbcdr, 6, 1), field(cbcdr, 7, 1)) {
            (0, _) => self.periph_hz(now),
            (_, 0) => self.pfd_hz(PFD_528, 2, now),
            _ => self.pfd_hz(PFD_480, 1, now),
        }
    }
}

fn field(value: u32, low: u32, bits: u32) -> u32 {
    (value >> low) & ((1 << bits) - 1)
}
