//! RTWDOG (WDOG3): the 32-bit-bus watchdog with unlock window, on after reset.

use super::clocks::LOW_FREQUENCY_HZ;
use super::registers::Access;
use super::reset_controller::ResetCause;
use super::ticker::Ticker;
use crate::bus::{BusFault, Width};
use crate::time::Time;

// Offsets and bits (IMXRT1060RM RTWDOG chapter).
const CS: u32 = 0x0;
const CNT: u32 = 0x4;
const TOVAL: u32 = 0x8;
const WIN: u32 = 0xC;
const CS_RESET: u32 = 0x2980;
const CS_DBG: u32 = 1 << 2;
const CS_UPDATE: u32 = 1 << 5;
const CS_EN: u32 = 1 << 7;
const CS_CLK: u32 = 3 << 8;
const CS_CLK_LPO: u32 = 1 << 8;
const CS_RCS: u32 = 1 << 10;
const CS_ULK: u32 = 1 << 11;
const CS_PRES: u32 = 1 << 12;
const CS_CMD32EN: u32 = 1 << 13;
const CS_WIN: u32 = 1 << 15;
const CS_WRITABLE: u32 = 0xB3FF;
const TOVAL_RESET: u32 = 0x400;
const PRESCALER: u64 = 256;
const UNLOCK: u32 = 0xD928_C520;
const REFRESH: u32 = 0xB480_A602;
/// Bus clocks in which an unlocked watchdog takes its configuration.
const WINDOW_BUS_CLOCKS: u64 = 128;

/// The watchdog.
#[derive(Clone, Debug)]
pub struct RtWdog {
    cs: u32,
    toval: u32,
    win: u32,
    counter: Ticker,
    /// End of the unlock window.
    unlocked_until: Time,
    /// Configured once since reset: from then on UPDATE decides.
    configured: bool,
    /// First half of a two-write 16-bit command.
    half: Option<u32>,
    debug_halted: bool,
    misused: bool,
}

impl RtWdog {
    /// After a reset at `now`. `bus_hz` is the bus clock, which bounds the first unlock window.
    pub fn new(now: Time, bus_hz: u64) -> Self {
        let mut wdog = RtWdog {
            cs: CS_RESET & !CS_ULK,
            toval: TOVAL_RESET,
            win: 0,
            counter: Ticker::default(),
            unlocked_until: now + Time::cycles(WINDOW_BUS_CLOCKS, bus_hz),
            configured: false,
            half: None,
            debug_halted: false,
            misused: false,
        };
        wdog.counter.set(now, 0);
        wdog.set_clock(now);
        wdog
    }

    /// When it bites if nothing happens.
    pub fn deadline(&self) -> Option<Time> {
        if self.misused {
            return Some(Time::ZERO);
        }
        (self.cs & CS_EN != 0 && self.counter.running())
            .then(|| self.counter.when(u64::from(self.toval)))?
    }

    /// Whether it bites at `now`.
    pub fn due(&self, now: Time) -> Option<ResetCause> {
        self.deadline()
            .filter(|at| now >= *at)
            .map(|_| ResetCause::RtWatchdog)
    }

    /// The core entered or left debug halt; CS.DBG keeps the watchdog running.
    pub fn set_debug_halted(&mut self, now: Time, halted: bool) {
        self.debug_halted = halted;
        self.set_clock(now);
    }

    /// A read by software.
    ///
    /// # Errors
    /// [`BusFault`] for another width or an unknown register.
    pub fn read(&self, offset: u32, width: Width, access: &mut Access) -> Result<u32, BusFault> {
        access.word_only("rtwdog", offset, width)?;
        match offset {
            CS if access.now < self.unlocked_until => Ok(self.cs | CS_ULK),
            CS => Ok(self.cs),
            CNT => Ok(self.counter.at(access.now) as u32 & 0xFFFF),
            TOVAL => Ok(self.toval),
            WIN => Ok(self.win),
            _ => Err(access.no_register("rtwdog", offset)),
        }
    }

    /// A write by software. `bus_hz` is the bus clock, which bounds the unlock window.
    ///
    /// # Errors
    /// As [`RtWdog::read`]; CNT also takes 16-bit writes.
    pub fn write(
        &mut self,
        offset: u32,
        width: Width,
        value: u32,
        bus_hz: u64,
        access: &mut Access,
    ) -> Result<(), BusFault> {
        if offset == CNT {
            return self.command(width, value, bus_hz, access);
        }
        access.word_only("rtwdog", offset, width)?;
        if !matches!(offset, CS | TOVAL | WIN) {
            return Err(access.no_register("rtwdog", offset));
        }
        if access.now >= self.unlocked_until {
            access.trace.violation(access.now, "rtwdog", format!("write at offset {offset:#X} ignored: locked (unlock window is {WINDOW_BUS_CLOCKS} bus clocks)"));
            return Ok(());
        }
        match offset {
            CS => {
                if value & CS_CLK != CS_CLK_LPO && value & CS_EN != 0 {
                    access.trace.violation(
                        access.now,
                        "rtwdog",
                        "unknown: a clock other than LPO; the count stands still".to_string(),
                    );
                }
                self.cs = (value & CS_WRITABLE) | CS_RCS;
                self.configured = true;
            }
            TOVAL => self.toval = value & 0xFFFF,
            _ => self.win = value & 0xFFFF,
        }
        self.counter.set(access.now, 0);
        self.set_clock(access.now);
        Ok(())
    }

    fn command(
        &mut self,
        width: Width,
        value: u32,
        bus_hz: u64,
        access: &mut Access,
    ) -> Result<(), BusFault> {
        let wants_words = self.cs & CS_CMD32EN != 0;
        let word = match (width, wants_words, self.half.take()) {
            (Width::Word, true, _) => value,
            (Width::Byte, ..) => {
                return Err(access.refuse(
                    "rtwdog",
                    "8-bit command writes are not modelled".to_string(),
                ));
            }
            // Without CMD32EN a command is two 16-bit values, low half first; a 32-bit write carries its low half.
            (_, false, None) => {
                self.half = Some(value & 0xFFFF);
                return Ok(());
            }
            (_, false, Some(low)) => low | value << 16,
            (Width::Half, true, _) => !UNLOCK,
        };
        match word {
            UNLOCK if !self.configured || self.cs & CS_UPDATE != 0 => {
                self.unlocked_until = access.now + Time::cycles(WINDOW_BUS_CLOCKS, bus_hz);
                self.cs &= !CS_RCS;
            }
            UNLOCK => access.trace.violation(
                access.now,
                "rtwdog",
                "unlock refused: UPDATE is 0".to_string(),
            ),
            REFRESH if self.too_early(access.now) => {
                access.trace.violation(
                    access.now,
                    "rtwdog",
                    "refresh before the window opened".to_string(),
                );
                self.misused = true;
            }
            REFRESH => self.counter.set(access.now, 0),
            _ => {
                access.trace.violation(
                    access.now,
                    "rtwdog",
                    format!("illegal command {word:#010X}"),
                );
                self.misused = self.cs & CS_EN != 0;
            }
        }
        Ok(())
    }

    fn too_early(&self, now: Time) -> bool {
        self.cs & CS_EN != 0 && self.cs & CS_WIN != 0 && self.counter.at(now) < u64::from(self.win)
    }

    fn set_clock(&mut self, now: Time) {
        let counts = self.cs & CS_EN != 0
            && self.cs & CS_CLK == CS_CLK_LPO
            && (!self.debug_halted || self.cs & CS_DBG != 0);
        let divider = if self.cs & CS_PRES != 0 { PRESCALER } else { 1 };
        self.counter
            .set_clock(now, if counts { LOW_FREQUENCY_HZ } else { 0 }, divider);
    }
}
