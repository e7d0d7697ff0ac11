//! SRC, the system reset controller: boot mode registers latched at power-on, reset status, general registers.

use super::registers::{Access, Bank, Register, ro, rw};
use super::straps::{Fuses, SecConfig, Straps};
use crate::bus::{BusFault, Width};

/// What made the chip reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetCause {
    /// Power-on, or the POR_B pin.
    PowerOn,
    /// AIRCR.SYSRESETREQ, or a core lockup.
    SystemRequest,
    /// WDOG1 or WDOG2, time-out or software reset.
    Watchdog,
    /// RTWDOG (WDOG3).
    RtWatchdog,
}

impl ResetCause {
    /// The bit of SRC_SRSR.
    pub const fn srsr_bit(self) -> u32 {
        match self {
            ResetCause::PowerOn => 1 << 0,
            ResetCause::SystemRequest => 1 << 1,
            ResetCause::Watchdog => 1 << 4,
            ResetCause::RtWatchdog => 1 << 7,
        }
    }
}

// Offsets (IMXRT1060RM SRC chapter).
const SCR: u32 = 0x00;
const SBMR1: u32 = 0x04;
const SRSR: u32 = 0x08;
const SBMR2: u32 = 0x1C;
const GPR1: u32 = 0x20;
const GPR10: u32 = 0x44;

/// mask_wdog_rst (10:7) and mask_wdog3_rst (31:28): 0101 masks the reset.
const WATCHDOG_MASKED: u32 = 0b0101;

const SRC: &[Register] = &[
    rw(SCR, "SCR", 0xA048_0520, 0xF202_2780),
    ro(SBMR1, "SBMR1", 0),
    // Bits 0 to 7 are W1C; the temperature sensor's bit 8 never sets here.
    Register {
        offset: SRSR,
        name: "SRSR",
        reset: 1,
        writable: 0,
        write_one_to_clear: 0x1FF,
        aliased: false,
    },
    ro(SBMR2, "SBMR2", 0),
    rw(GPR1, "GPR1", 0, u32::MAX),
    rw(0x24, "GPR2", 0, u32::MAX),
    rw(0x28, "GPR3", 0, u32::MAX),
    rw(0x2C, "GPR4", 0, u32::MAX),
    rw(0x30, "GPR5", 0, u32::MAX),
    rw(0x34, "GPR6", 0, u32::MAX),
    rw(0x38, "GPR7", 0, u32::MAX),
    rw(0x3C, "GPR8", 0, u32::MAX),
    ro(0x40, "GPR9", 0),
    rw(GPR10, "GPR10", 0, u32::MAX),
];

/// The SRC block.
#[derive(Clone, Debug)]
pub struct ResetController {
    bank: Bank,
}

impl ResetController {
    /// After power-on, with pins and fuses latched.
    pub fn power_on(straps: Straps, fuses: &Fuses) -> Self {
        let mut bank = Bank::new("src", SRC);
        bank.put(SBMR1, sbmr1(straps, fuses));
        bank.put(SBMR2, sbmr2(straps, fuses));
        ResetController { bank }
    }

    /// A warm reset: SBMR1, SBMR2 and the general registers stay, the cause is added to SRSR.
    pub fn warm_reset(&mut self, cause: ResetCause) {
        self.bank.put(SCR, 0xA048_0520);
        self.bank.put(SRSR, self.bank.get(SRSR) | cause.srsr_bit());
    }

    /// Whether SCR lets the watchdog `cause` reset the chip.
    pub fn lets_through(&self, cause: ResetCause) -> bool {
        let scr = self.bank.get(SCR);
        match cause {
            ResetCause::Watchdog => (scr >> 7) & 0xF != WATCHDOG_MASKED,
            ResetCause::RtWatchdog => scr >> 28 != WATCHDOG_MASKED,
            ResetCause::PowerOn | ResetCause::SystemRequest => true,
        }
    }

    /// SRC_SRSR as it stands.
    pub fn srsr(&self) -> u32 {
        self.bank.get(SRSR)
    }

    /// A read by software.
    ///
    /// # Errors
    /// [`BusFault`] for what is not modelled.
    pub fn read(&self, offset: u32, width: Width, access: &mut Access) -> Result<u32, BusFault> {
        self.bank.read(offset, width, access)
    }

    /// A write by software.
    ///
    /// # Errors
    /// As [`ResetController::read`].
    pub fn write(
        &mut self,
        offset: u32,
        width: Width,
        value: u32,
        access: &mut Access,
    ) -> Result<(), BusFault> {
        self.bank.write(offset, width, value, access).map(|_| ())
    }
}

/// BOOT_CFG: the pins where they override the fuses (internal boot without BT_FUSE_SEL), else the fuses.
fn sbmr1(straps: Straps, fuses: &Fuses) -> u32 {
    let pins_count = straps.boot_mode == 2 && !fuses.bt_fuse_sel();
    if pins_count {
        // BOOT_CFG1[7:0] and BOOT_CFG2[3:0] have pins, the rest comes from fuses.
        let pins = u32::from(straps.boot_cfg1) | u32::from(straps.boot_cfg2 & 0xF) << 8;
        (fuses.boot_cfg() & !0xFFF) | pins
    } else {
        fuses.boot_cfg()
    }
}

fn sbmr2(straps: Straps, fuses: &Fuses) -> u32 {
    let sec_config = match fuses.sec_config() {
        SecConfig::Fab => 0,
        SecConfig::Open => 1,
        SecConfig::Closed => 2,
    };
    let bt_fuse_sel = u32::from(fuses.bt_fuse_sel()) << 4;
    sec_config | bt_fuse_sel | u32::from(straps.boot_mode & 3) << 24
}
