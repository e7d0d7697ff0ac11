//! WDOG1 and WDOG2: 16-bit watchdogs with half-second steps.
//!
//! The power-down counter (WMCR.PDE, 16 s) drives only the WDOG_B pin, which this board does not wire to POR_B: it is
//! a bit and nothing more. WICR's interrupt is storage.

use super::registers::Access;
use super::reset_controller::ResetCause;
use crate::bus::{BusFault, Width};
use crate::time::Time;

// Offsets and bits (IMXRT1060RM WDOG chapter).
const WCR: u32 = 0x0;
const WSR: u32 = 0x2;
const WRSR: u32 = 0x4;
const WICR: u32 = 0x6;
const WMCR: u32 = 0x8;
const WCR_RESET: u16 = 0x0030;
const WICR_RESET: u16 = 0x0004;
const WICR_WRITABLE: u16 = 0x80FF;
const WMCR_PDE: u16 = 1;
const WCR_WDZST_WDBG_WDW: u16 = 0b1000_0011;
const WCR_WDBG: u16 = 1 << 1;
const WCR_WDE_WDT: u16 = 0b1100;
const WCR_WDE: u16 = 1 << 2;
const WCR_SRS: u16 = 1 << 4;
const WRSR_SFTW: u16 = 1 << 0;
const WRSR_TOUT: u16 = 1 << 1;
const WRSR_POR: u16 = 1 << 4;
const SERVICE: [u16; 2] = [0x5555, 0xAAAA];
const STEP: Time = Time::ms(500);

/// One watchdog.
#[derive(Clone, Debug)]
pub struct Wdog {
    name: &'static str,
    wcr: u16,
    wrsr: u16,
    wicr: u16,
    wmcr: u16,
    /// WDZST, WDBG and WDW are write-once: set after the first write of WCR.
    configured: bool,
    first_service_word_seen: bool,
    /// When it bites; `None` while off.
    deadline: Option<Time>,
    /// Time left while suspended by WDBG in debug halt.
    suspended: Option<Time>,
    software_reset: bool,
}

impl Wdog {
    /// After power-on. `name` is the block's name in the log.
    pub fn new(name: &'static str) -> Self {
        Wdog {
            name,
            wcr: WCR_RESET,
            wrsr: WRSR_POR,
            wicr: WICR_RESET,
            wmcr: WMCR_PDE,
            configured: false,
            first_service_word_seen: false,
            deadline: None,
            suspended: None,
            software_reset: false,
        }
    }

    /// A chip reset. `by_this` tells whether this watchdog was the cause.
    pub fn warm_reset(&mut self, by_this: bool) {
        let wrsr = match (by_this, self.software_reset) {
            (true, true) => WRSR_SFTW,
            (true, false) => WRSR_TOUT,
            _ => 0,
        };
        *self = Wdog {
            wrsr,
            ..Wdog::new(self.name)
        };
    }

    /// When it bites if nothing happens; a software reset does at once.
    pub fn deadline(&self) -> Option<Time> {
        let at_once = self.software_reset.then_some(Time::ZERO);
        at_once.or(self.deadline)
    }

    /// Whether it bites at `now`, and as what.
    pub fn due(&self, now: Time) -> Option<ResetCause> {
        (self.software_reset || self.deadline.is_some_and(|at| now >= at))
            .then_some(ResetCause::Watchdog)
    }

    /// The core entered or left debug halt.
    pub fn set_debug_halted(&mut self, now: Time, halted: bool) {
        if halted && self.wcr & WCR_WDBG != 0 {
            if let Some(deadline) = self.deadline.take() {
                self.suspended = Some(deadline.saturating_sub(now));
            }
        } else if let Some(left) = self.suspended.take() {
            self.deadline = Some(now + left);
        }
    }

    /// A read by software: 16-bit only.
    ///
    /// # Errors
    /// [`BusFault`] for another width or an unknown register.
    pub fn read(&self, offset: u32, width: Width, access: &mut Access) -> Result<u32, BusFault> {
        self.half_only(offset, width, access)?;
        Ok(u32::from(match offset {
            WCR => self.wcr,
            WSR => 0,
            WRSR => self.wrsr,
            WICR => self.wicr,
            _ => self.wmcr,
        }))
    }

    /// A write by software: 16-bit only.
    ///
    /// # Errors
    /// As [`Wdog::read`].
    pub fn write(
        &mut self,
        offset: u32,
        width: Width,
        value: u32,
        access: &mut Access,
    ) -> Result<(), BusFault> {
        self.half_only(offset, width, access)?;
        let value = value as u16;
        match offset {
            WCR => self.write_wcr(value, access.now),
            WSR => self.service(value, access.now),
            WICR => self.wicr = value & WICR_WRITABLE,
            // Write-one-once to 0: the power-down counter cannot be enabled again.
            WMCR => self.wmcr &= value & WMCR_PDE,
            _ => {}
        }
        Ok(())
    }

    fn write_wcr(&mut self, value: u16, now: Time) {
        let locked = if self.configured {
            WCR_WDZST_WDBG_WDW
        } else {
            0
        } | (self.wcr & WCR_WDE_WDT);
        let enabled_before = self.wcr & WCR_WDE != 0;
        self.configured = true;
        self.wcr = (self.wcr & locked) | (value & !locked) | WCR_SRS;
        if value & WCR_SRS == 0 {
            self.software_reset = true;
        }
        if !enabled_before && self.wcr & WCR_WDE != 0 {
            self.reload(now);
        }
    }

    fn service(&mut self, value: u16, now: Time) {
        if self.first_service_word_seen && value == SERVICE[1] && self.wcr & WCR_WDE != 0 {
            self.reload(now);
        }
        self.first_service_word_seen = value == SERVICE[0];
    }

    fn reload(&mut self, now: Time) {
        let steps = u64::from(self.wcr >> 8) + 1;
        let limit = Time::ps(STEP.as_ps() * steps);
        if self.suspended.is_some() {
            self.suspended = Some(limit);
        } else {
            self.deadline = Some(now + limit);
        }
    }

    fn half_only(&self, offset: u32, width: Width, access: &mut Access) -> Result<(), BusFault> {
        if offset > WMCR {
            return Err(access.no_register(self.name, offset));
        }
        if width != Width::Half || !offset.is_multiple_of(2) {
            let bits = width.bytes() * 8;
            return Err(access.refuse(
                self.name,
                format!(
                    "{bits}-bit access at offset {offset:#X}: only 16-bit accesses are allowed"
                ),
            ));
        }
        Ok(())
    }
}
