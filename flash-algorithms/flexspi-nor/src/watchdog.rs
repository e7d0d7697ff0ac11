//! Watchdogs: off where they let themselves be turned off, serviced in every wait where not.

use crate::bus::Bus;
use crate::registers::{rtwdog, wdog};
use mailbox::result::{FOUND_RTWDOG_LOCKED, FOUND_WDOG1_LOCKED, FOUND_WDOG2_LOCKED};

/// Reads until RTWDOG's new configuration shows; it takes some of its own clocks (IMXRT1060RM, RTWDOG reconfiguration).
const RTWDOG_ROUNDS: u32 = 2000;

/// Which watchdogs are still on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Watchdogs {
    wdog1: bool,
    wdog2: bool,
    rtwdog: bool,
}

impl Watchdogs {
    /// Turns off what can be turned off, and reads back.
    pub fn stop(bus: &mut impl Bus) -> Self {
        Watchdogs {
            wdog1: stop_wdog(bus, wdog::WDOG1),
            wdog2: stop_wdog(bus, wdog::WDOG2),
            rtwdog: stop_rtwdog(bus),
        }
    }

    /// Services those that are on.
    #[inline]
    pub fn service(&self, bus: &mut impl Bus) {
        if self.wdog1 {
            service_wdog(bus, wdog::WDOG1);
        }
        if self.wdog2 {
            service_wdog(bus, wdog::WDOG2);
        }
        if self.rtwdog {
            command_rtwdog(bus, rtwdog::REFRESH);
        }
    }

    /// The `FOUND_*` bits of an identity.
    pub fn found(&self) -> u32 {
        let bit = |on: bool, bit: u32| if on { bit } else { 0 };
        bit(self.wdog1, FOUND_WDOG1_LOCKED)
            | bit(self.wdog2, FOUND_WDOG2_LOCKED)
            | bit(self.rtwdog, FOUND_RTWDOG_LOCKED)
    }
}

/// Returns true if the watchdog stays on.
fn stop_wdog(bus: &mut impl Bus, base: u32) -> bool {
    // The power-down counter is a second way to be reset; it can be stopped once and stays stopped.
    let miscellaneous = bus.read16(base + wdog::WMCR);
    if miscellaneous & wdog::WMCR_PDE != 0 {
        bus.write16(base + wdog::WMCR, miscellaneous & !wdog::WMCR_PDE);
    }
    let control = bus.read16(base + wdog::WCR);
    if control & wdog::WCR_WDE == 0 {
        return false;
    }
    service_wdog(bus, base);
    bus.write16(base + wdog::WCR, control & !wdog::WCR_WDE);
    bus.read16(base + wdog::WCR) & wdog::WCR_WDE != 0
}

fn service_wdog(bus: &mut impl Bus, base: u32) {
    for word in wdog::WSR_SEQUENCE {
        bus.write16(base + wdog::WSR, word);
    }
}

/// Returns true if the watchdog stays on.
fn stop_rtwdog(bus: &mut impl Bus) -> bool {
    let control = bus.read32(rtwdog::CS);
    if control & rtwdog::CS_EN == 0 {
        return false;
    }
    let configured = control & rtwdog::CS_RCS != 0;
    if configured && control & rtwdog::CS_UPDATE == 0 {
        // Locked until the next reset. Before the first configuration UPDATE is 0 too, and does not lock yet.
        command_rtwdog(bus, rtwdog::REFRESH);
        return true;
    }
    command_rtwdog(bus, rtwdog::UNLOCK);
    bus.write32(rtwdog::TOVAL, rtwdog::TOVAL_MAX);
    bus.write32(rtwdog::CS, control & !rtwdog::CS_EN | rtwdog::CS_UPDATE);
    (0..RTWDOG_ROUNDS).all(|_| bus.read32(rtwdog::CS) & rtwdog::CS_EN != 0)
}

fn command_rtwdog(bus: &mut impl Bus, word: u32) {
    if bus.read32(rtwdog::CS) & rtwdog::CS_CMD32EN != 0 {
        bus.write32(rtwdog::CNT, word);
    } else {
        // Low half first, two accesses on end: interrupts are masked.
        bus.write16(rtwdog::CNT, word as u16);
        bus.write16(rtwdog::CNT, (word >> 16) as u16);
    }
}
