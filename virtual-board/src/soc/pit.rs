//! PIT: four down-counting timers on PERCLK, chaining included; the lifetime timer reads the chained channels 0 and 1.

use super::registers::Access;
use super::ticker::Ticker;
use crate::bus::{BusFault, Width};
use crate::time::Time;

// Offsets and bits (IMXRT1060RM PIT chapter).
const MCR: u32 = 0x00;
const MCR_FRZ: u32 = 1 << 0;
const MCR_MDIS: u32 = 1 << 1;
const LTMR64H: u32 = 0xE0;
const LTMR64L: u32 = 0xE4;
const CHANNELS: std::ops::RangeInclusive<u32> = 0x100..=0x13C;
const TCTRL_TEN: u32 = 1 << 0;
const TCTRL_TIE: u32 = 1 << 1;
const TCTRL_CHN: u32 = 1 << 2;

/// One timer. It counts from the load value to 0 and then loads again: a period is load value + 1 ticks.
#[derive(Clone, Copy, Debug, Default)]
struct Channel {
    load: u32,
    control: u32,
    flag: bool,
    /// Load value now being counted down.
    current_load: u32,
    /// Ticks since the count started; for a chained channel, expiries of the one before.
    counter: Ticker,
    /// Expiries seen up to the last evaluation.
    expiries: u64,
    /// For a chained channel: the predecessor's expiries when it started.
    chain_base: u64,
}

/// The block.
#[derive(Clone, Debug)]
pub struct Pit {
    mcr: u32,
    channels: [Channel; 4],
    lifetime_low: u32,
    perclk_hz: u64,
    debug_halted: bool,
}

impl Default for Pit {
    fn default() -> Self {
        Self::new()
    }
}

impl Pit {
    /// In reset state.
    pub fn new() -> Self {
        Pit {
            mcr: MCR_MDIS,
            channels: [Channel::default(); 4],
            lifetime_low: 0,
            perclk_hz: 0,
            debug_halted: false,
        }
    }

    /// Chip reset.
    pub fn reset(&mut self) {
        *self = Pit {
            perclk_hz: self.perclk_hz,
            ..Pit::new()
        };
    }

    /// The clock tree changed; 0 while gated.
    pub fn set_clock(&mut self, now: Time, perclk_hz: u64) {
        self.evaluate(now);
        self.perclk_hz = perclk_hz;
        self.apply_clock(now);
    }

    /// The core entered or left debug halt.
    pub fn set_debug_halted(&mut self, now: Time, halted: bool) {
        self.evaluate(now);
        self.debug_halted = halted;
        self.apply_clock(now);
    }

    /// Whether the interrupt line is active.
    pub fn interrupt(&mut self, now: Time) -> bool {
        self.evaluate(now);
        self.channels
            .iter()
            .any(|c| c.flag && c.control & TCTRL_TIE != 0)
    }

    /// When an enabled, not chained channel next expires.
    pub fn next_interrupt(&mut self, now: Time) -> Option<Time> {
        self.evaluate(now);
        let armed = self
            .channels
            .iter()
            .filter(|c| c.control & TCTRL_TIE != 0 && !c.flag);
        // A chained channel expires at one of the unchained ones' expiries: those are the instants to look at.
        let chained = armed.clone().any(|c| c.control & TCTRL_CHN != 0);
        self.channels
            .iter()
            .filter(|c| c.control & TCTRL_CHN == 0 && c.control & TCTRL_TEN != 0)
            .filter(|c| chained || (c.control & TCTRL_TIE != 0 && !c.flag))
            .filter_map(|c| {
                let period = u64::from(c.current_load) + 1;
                c.counter.when((c.counter.at(now) / period + 1) * period)
            })
            .min()
    }

    /// A read by software.
    ///
    /// # Errors
    /// [`BusFault`] for another width or an unknown register.
    pub fn read(
        &mut self,
        offset: u32,
        width: Width,
        access: &mut Access,
    ) -> Result<u32, BusFault> {
        access.word_only("pit", offset, width)?;
        self.evaluate(access.now);
        match offset {
            MCR => Ok(self.mcr),
            LTMR64H => {
                // The high half latches the low half. The lifetime counter counts down from load values.
                self.lifetime_low = self.current(0, access.now);
                Ok(self.current(1, access.now))
            }
            LTMR64L => Ok(self.lifetime_low),
            _ if CHANNELS.contains(&offset) => {
                let index = ((offset >> 4) & 3) as usize;
                let channel = self.channels.get(index).copied().unwrap_or_default();
                Ok(match offset & 0xC {
                    0x0 => channel.load,
                    0x4 => self.current(index, access.now),
                    0x8 => channel.control,
                    _ => u32::from(channel.flag),
                })
            }
            _ => Err(access.no_register("pit", offset)),
        }
    }

    /// A write by software.
    ///
    /// # Errors
    /// As [`Pit::read`].
    pub fn write(
        &mut self,
        offset: u32,
        width: Width,
        value: u32,
        access: &mut Access,
    ) -> Result<(), BusFault> {
        access.word_only("pit", offset, width)?;
        let now = access.now;
        self.evaluate(now);
        if offset == MCR {
            self.mcr = value & (MCR_FRZ | MCR_MDIS);
            self.apply_clock(now);
            return Ok(());
        }
        if !CHANNELS.contains(&offset) {
            return Err(access.no_register("pit", offset));
        }
        let index = ((offset >> 4) & 3) as usize;
        let previous_expiries = index
            .checked_sub(1)
            .and_then(|i| self.channels.get(i))
            .map_or(0, |c| c.expiries);
        let Some(channel) = self.channels.get_mut(index) else {
            return Err(BusFault);
        };
        match offset & 0xC {
            0x0 => channel.load = value,
            0x4 => {}
            0x8 => {
                let starts = channel.control & TCTRL_TEN == 0 && value & TCTRL_TEN != 0;
                channel.control = value & (TCTRL_TEN | TCTRL_TIE | TCTRL_CHN);
                if starts {
                    channel.current_load = channel.load;
                    channel.counter.set(now, 0);
                    channel.expiries = 0;
                    channel.chain_base = previous_expiries;
                }
            }
            _ => channel.flag &= value & 1 == 0,
        }
        self.apply_clock(now);
        Ok(())
    }

    /// CVAL of a channel.
    fn current(&self, index: usize, now: Time) -> u32 {
        let Some(channel) = self.channels.get(index) else {
            return 0;
        };
        let period = u64::from(channel.current_load) + 1;
        (u64::from(channel.current_load) - self.ticks(index, now) % period) as u32
    }

    fn ticks(&self, index: usize, now: Time) -> u64 {
        let Some(channel) = self.channels.get(index) else {
            return 0;
        };
        if channel.control & TCTRL_CHN == 0 {
            return channel.counter.at(now);
        }
        let before = index
            .checked_sub(1)
            .and_then(|i| self.channels.get(i))
            .map_or(0, |c| c.expiries);
        before.saturating_sub(channel.chain_base)
    }

    fn evaluate(&mut self, now: Time) {
        for index in 0..self.channels.len() {
            let ticks = self.ticks(index, now);
            if let Some(channel) = self.channels.get_mut(index)
                && channel.control & TCTRL_TEN != 0
            {
                let period = u64::from(channel.current_load) + 1;
                let expiries = ticks / period;
                channel.flag |= expiries > channel.expiries;
                channel.expiries = expiries;
                // A new load value counts from the next expiry on.
                if channel.current_load != channel.load
                    && ticks >= period
                    && channel.control & TCTRL_CHN == 0
                {
                    let into_period = ticks % period;
                    channel.current_load = channel.load;
                    channel
                        .counter
                        .set(now, into_period.min(u64::from(channel.load)));
                    channel.expiries = 0;
                }
            }
        }
    }

    fn apply_clock(&mut self, now: Time) {
        let frozen = self.mcr & MCR_MDIS != 0 || (self.debug_halted && self.mcr & MCR_FRZ != 0);
        for channel in &mut self.channels {
            let runs =
                !frozen && channel.control & TCTRL_TEN != 0 && channel.control & TCTRL_CHN == 0;
            channel
                .counter
                .set_clock(now, if runs { self.perclk_hz } else { 0 }, 1);
        }
    }
}
