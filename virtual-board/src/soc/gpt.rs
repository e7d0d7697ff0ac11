//! GPT1 and GPT2: 32-bit timers; the RAM algorithm's absolute time base on the crystal clock.

use super::clocks::{CRYSTAL_HZ, LOW_FREQUENCY_HZ};
use super::registers::Access;
use super::ticker::Ticker;
use crate::bus::{BusFault, Width};
use crate::time::Time;

// Offsets and bits (IMXRT1060RM GPT chapter).
const CR: u32 = 0x00;
const PR: u32 = 0x04;
const SR: u32 = 0x08;
const IR: u32 = 0x0C;
const OCR1: u32 = 0x10;
const OCR3: u32 = 0x18;
const ICR1: u32 = 0x1C;
const ICR2: u32 = 0x20;
const CNT: u32 = 0x24;
const CR_EN: u32 = 1 << 0;
const CR_ENMOD: u32 = 1 << 1;
const CR_DBGEN: u32 = 1 << 2;
const CR_CLKSRC_SHIFT: u32 = 6;
const CR_FRR: u32 = 1 << 9;
const CR_EN_24M: u32 = 1 << 10;
const CR_SWR: u32 = 1 << 15;
/// Forced output compare: strobes that read 0.
const CR_FORCE: u32 = 7 << 29;
const CR_WRITABLE: u32 = 0x1FFF_07FF;
/// Bits of CR that a software reset keeps: EN, ENMOD, DBGEN, WAITEN, DOZEEN, STOPEN.
const CR_SURVIVES_SWR: u32 = 0x3F;
const SR_MASK: u32 = 0x3F;
const SR_ROV: u32 = 1 << 5;
const WRAP: u64 = 1 << 32;

/// Clocks offered to the timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GptClocks {
    /// PERCLK root in hertz: CLKSRC 1 and 2.
    pub perclk_hz: u64,
    /// Whether the serial clock gate is open.
    pub gate_open: bool,
}

/// One timer.
#[derive(Clone, Debug)]
pub struct Gpt {
    name: &'static str,
    cr: u32,
    pr: u32,
    sr: u32,
    ir: u32,
    ocr: [u32; 3],
    /// Ticks since the count was last 0, never wrapped.
    counter: Ticker,
    /// Ticks up to which the flags are up to date.
    evaluated: u64,
    clocks: GptClocks,
    debug_halted: bool,
}

impl Gpt {
    /// In reset state.
    pub fn new(name: &'static str) -> Self {
        Gpt {
            name,
            cr: 0,
            pr: 0,
            sr: 0,
            ir: 0,
            ocr: [u32::MAX; 3],
            counter: Ticker::default(),
            evaluated: 0,
            clocks: GptClocks {
                perclk_hz: 0,
                gate_open: true,
            },
            debug_halted: false,
        }
    }

    /// Chip reset.
    pub fn reset(&mut self) {
        *self = Gpt {
            clocks: self.clocks,
            ..Gpt::new(self.name)
        };
    }

    /// The clock tree changed.
    pub fn set_clocks(&mut self, now: Time, clocks: GptClocks) {
        if clocks != self.clocks {
            self.clocks = clocks;
            self.apply_clock(now);
        }
    }

    /// The core entered or left debug halt.
    pub fn set_debug_halted(&mut self, now: Time, halted: bool) {
        self.debug_halted = halted;
        self.apply_clock(now);
    }

    /// Whether the interrupt line is active.
    pub fn interrupt(&mut self, now: Time) -> bool {
        self.evaluate(now);
        self.sr & self.ir != 0
    }

    /// When the interrupt line next becomes active; `None` if never, or if it is active already.
    pub fn next_interrupt(&mut self, now: Time) -> Option<Time> {
        self.evaluate(now);
        let period = self.period();
        let base = self.evaluated - self.evaluated % period;
        let compare = self
            .ocr
            .iter()
            .enumerate()
            .filter(|(i, _)| self.ir & !self.sr & (1 << i) != 0)
            .map(|(_, v)| u64::from(*v));
        let rollover = (self.ir & !self.sr & SR_ROV != 0).then_some(0);
        compare
            .chain(rollover)
            .filter(|v| *v < period)
            .map(|v| {
                if base + v > self.evaluated {
                    base + v
                } else {
                    base + v + period
                }
            })
            .filter_map(|ticks| self.counter.when(ticks))
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
        access.word_only(self.name, offset, width)?;
        self.evaluate(access.now);
        match offset {
            CR => Ok(self.cr),
            PR => Ok(self.pr),
            SR => Ok(self.sr),
            IR => Ok(self.ir),
            OCR1..=OCR3 => Ok(self
                .ocr
                .get(((offset - OCR1) / 4) as usize)
                .copied()
                .unwrap_or(0)),
            ICR1 | ICR2 => Ok(0),
            CNT => Ok((self.evaluated % self.period()) as u32),
            _ => Err(access.no_register(self.name, offset)),
        }
    }

    /// A write by software.
    ///
    /// # Errors
    /// As [`Gpt::read`].
    pub fn write(
        &mut self,
        offset: u32,
        width: Width,
        value: u32,
        access: &mut Access,
    ) -> Result<(), BusFault> {
        access.word_only(self.name, offset, width)?;
        self.evaluate(access.now);
        match offset {
            CR => self.write_cr(value, access),
            PR => {
                self.pr = value & 0xFFFF;
                self.apply_clock(access.now);
            }
            SR => self.sr &= !(value & SR_MASK),
            IR => self.ir = value & SR_MASK,
            OCR1..=OCR3 => {
                if let Some(slot) = self.ocr.get_mut(((offset - OCR1) / 4) as usize) {
                    *slot = value;
                }
                // In restart mode a write of the first compare register restarts the count.
                if offset == OCR1 && self.cr & CR_FRR == 0 {
                    self.restart(access.now);
                }
            }
            ICR1 | ICR2 | CNT => {}
            _ => {
                return Err(access.no_register(self.name, offset));
            }
        }
        Ok(())
    }

    fn write_cr(&mut self, value: u32, access: &mut Access) {
        if value & CR_SWR != 0 {
            let kept = self.cr & CR_SURVIVES_SWR;
            *self = Gpt {
                cr: kept,
                clocks: self.clocks,
                debug_halted: self.debug_halted,
                ..Gpt::new(self.name)
            };
            self.restart(access.now);
            self.apply_clock(access.now);
            return;
        }
        if value & CR_FORCE != 0 {
            access.trace.note(
                access.now,
                self.name,
                "forced output compare has no effect: the output pins are not modelled",
            );
        }
        let enabled = self.cr & CR_EN == 0 && value & CR_EN != 0;
        self.cr = value & CR_WRITABLE;
        if enabled && self.cr & CR_ENMOD != 0 {
            self.restart(access.now);
        }
        self.apply_clock(access.now);
    }

    fn restart(&mut self, now: Time) {
        self.counter.set(now, 0);
        self.evaluated = 0;
    }

    /// Ticks after which the count is 0 again.
    fn period(&self) -> u64 {
        let restart = self.cr & CR_FRR == 0;
        if restart {
            self.ocr.first().map_or(WRAP, |v| u64::from(*v) + 1)
        } else {
            WRAP
        }
    }

    fn evaluate(&mut self, now: Time) {
        let ticks = self.counter.at(now);
        let period = self.period();
        for (index, value) in self.ocr.iter().enumerate() {
            if crossed(self.evaluated, ticks, u64::from(*value), period) {
                self.sr |= 1 << index;
            }
        }
        if period == WRAP && crossed(self.evaluated, ticks, 0, period) {
            self.sr |= SR_ROV;
        }
        self.evaluated = ticks;
    }

    fn apply_clock(&mut self, now: Time) {
        let from_crystal = self.cr >> CR_CLKSRC_SHIFT & 7 == 5;
        let source = match self.cr >> CR_CLKSRC_SHIFT & 7 {
            1 | 2 => self.clocks.perclk_hz,
            4 => LOW_FREQUENCY_HZ,
            5 if self.cr & CR_EN_24M != 0 => CRYSTAL_HZ,
            _ => 0,
        };
        let runs = self.cr & CR_EN != 0
            && self.clocks.gate_open
            && (!self.debug_halted || self.cr & CR_DBGEN != 0);
        let crystal_divider = if from_crystal {
            u64::from(self.pr >> 12 & 0xF) + 1
        } else {
            1
        };
        let divider = (u64::from(self.pr & 0xFFF) + 1) * crystal_divider;
        self.counter
            .set_clock(now, if runs { source } else { 0 }, divider);
    }
}

/// Whether the count passed `value` (modulo `period`) in the ticks after `from` up to and including `to`.
fn crossed(from: u64, to: u64, value: u64, period: u64) -> bool {
    if value >= period || to <= from {
        return false;
    }
    let base = from - from % period;
    let next = if base + value > from {
        base + value
    } else {
        base + value + period
    };
    next <= to
}
