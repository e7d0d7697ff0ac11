//! The chip as a whole: core or boot ROM running on the system bus, resets, the AHB-AP's view.

use std::cell::RefCell;
use std::rc::Rc;

use super::system::System;
use crate::bus::{Bus, BusFault, Width};
use crate::cpu::nvic::number;
use crate::cpu::{Cpu, PPB_BASE, PPB_END, ResetRequest, State};
use crate::flexspi::FlexSpi;
use crate::rom::api::{Call, RomErase};
use crate::rom::{Outcome, Reading, Rom};
use crate::soc::{LowPowerMode, ResetCause};
use crate::swd::{ApError, ApTarget};
use crate::time::Time;

const DHCSR: u32 = 0xE000_EDF0;
/// Charged to a debugger that polls DHCSR again and again and finds it unchanged: stock tools sleep about a
/// millisecond of host time between such polls, which virtual time would not see.
const POLL_INTERVAL: Time = Time::ms(1);
/// Polls in a row after a resume before they are charged. probe-rs's flash loader waits for its routines without a sleep
/// (0.32.0 src/flashing/flasher.rs, `wait_for_completion`), so that the milliseconds of a page program must not be charged.
/// From then on the charge, which ends when the core halts, only spares the loader's wall-clock time-outs thousands of polls.
const POLLS_WITHOUT_SLEEP: u32 = 16;
/// DHCSR bits that decide whether a write resumes the core: C_DEBUGEN, C_HALT, C_STEP.
const RUN_CONTROL: u32 = 0b111;
const RESUME: u32 = 0b001;
/// How long a sleeping core may be skipped ahead before timers are looked at again.
const SLEEP_HOP: Time = Time::us(20);
/// Instructions between two looks at watchdogs and interrupt lines.
const WATCHDOG_STRIDE: u32 = 256;
/// Resets after which the model stops following a program that resets in a loop within one call.
const RESET_BURST: u32 = 10_000;

/// Power and reset pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Supply {
    /// Running.
    On,
    /// POR_B held low.
    HeldInReset,
    /// No power.
    Off,
}

/// The chip under the debug port.
pub struct Chip {
    /// The bus and everything on it.
    pub system: Rc<RefCell<System>>,
    /// The core.
    pub cpu: Cpu,
    pub(super) rom: Rom,
    /// A call of the ROM's API under way.
    pub(super) call: Option<Call>,
    /// How the ROM's API erases.
    pub rom_erase: RomErase,
    supply: Supply,
    resets: u32,
    since_watchdog: u32,
    /// DHCSR as last read, and how often in a row.
    last_dhcsr: Option<(u32, u32)>,
    /// The debugger's last write let the core run.
    resumed: bool,
    /// An access that stalled on the gated bus clock, and since when.
    stalled: Option<(u32, Time)>,
    /// When the core was last seen awake.
    last_awake: Time,
    /// Time up to which the probe's clock has run; the chip catches up before it answers.
    pub wire_now: Time,
    /// What the debugger wrote to the core's private peripherals since the last reset of the chip: address and value.
    pub debug_writes: Vec<(u32, u32)>,
    /// Cut the power at this time.
    pub power_cut_at: Option<(Time, u64)>,
}

impl Chip {
    /// A chip at power-on.
    pub fn new(system: System, reading: Reading) -> Self {
        let system = Rc::new(RefCell::new(system));
        let mut chip = Chip {
            cpu: Cpu::new(system.clone()),
            system,
            rom: Rom::new(reading),
            call: None,
            rom_erase: RomErase::default(),
            supply: Supply::On,
            resets: 0,
            since_watchdog: 0,
            last_dhcsr: None,
            resumed: false,
            stalled: None,
            last_awake: Time::ZERO,
            wire_now: Time::ZERO,
            debug_writes: Vec::new(),
            power_cut_at: None,
        };
        chip.cpu.power_on();
        chip.start_rom();
        chip
    }

    /// Virtual time.
    pub fn now(&self) -> Time {
        self.system.borrow().now()
    }

    /// What the boot ROM decided last; for an image that has crashed since, that.
    pub fn rom_outcome(&self) -> Option<Outcome> {
        let outcome = self.rom.outcome().cloned()?;
        Some(match (outcome, self.cpu.crash()) {
            (Outcome::Booted { pc, .. }, Some(how)) => Outcome::Crashed { pc, how },
            (outcome, _) => outcome,
        })
    }

    /// The number of chip resets since power-on, of any cause.
    pub fn resets(&self) -> u32 {
        self.resets
    }

    /// Power and reset pin.
    pub fn supply(&self) -> Supply {
        self.supply
    }

    /// The debug port answers: powered, not held in reset, not closed by fuses, and its pads are not a program's.
    pub fn debug_port_answers(&self) -> bool {
        let soc = &self.system.borrow().soc;
        self.supply == Supply::On && !soc.debug_port_closed() && soc.debug_pads()
    }

    fn start_rom(&mut self) {
        self.debug_writes.clear();
        self.rom.start();
        self.call = None;
        self.cpu.enter_rom(self.rom.pc());
    }

    /// Resets the chip, the flash excepted.
    pub fn reset(&mut self, cause: ResetCause) {
        self.resets += 1;
        {
            let mut s = self.system.borrow_mut();
            let now = s.now();
            s.note("chip", format!("reset: {cause:?}"));
            s.soc.reset(cause, now);
            s.chip_reset();
        }
        // POR_B reaches the debug logic; every other reset leaves it alone, so that a debugger can catch the core.
        if cause == ResetCause::PowerOn {
            self.cpu.power_on();
        } else {
            self.cpu.system_reset();
        }
        self.start_rom();
    }

    /// Cuts the power: flash operations in flight stay half done, everything volatile is gone.
    pub fn power_off(&mut self, seed: u64) {
        let mut s = self.system.borrow_mut();
        let now = s.now();
        s.nor.power_cut(now, seed);
        s.ram.lose_power(seed);
        s.flexspi = FlexSpi::new();
        s.note("chip", "power off");
        self.supply = Supply::Off;
    }

    /// Applies power again.
    pub fn power_on(&mut self) {
        {
            let mut s = self.system.borrow_mut();
            let now = s.now();
            s.nor.settle(now);
            s.note("chip", "power on");
            s.soc.reset(ResetCause::PowerOn, now);
            s.chip_reset();
        }
        self.supply = Supply::On;
        self.cpu.power_on();
        self.start_rom();
    }

    /// Drives POR_B.
    pub fn set_reset_pin(&mut self, level: bool) {
        match (self.supply, level) {
            (Supply::On, false) => self.supply = Supply::HeldInReset,
            (Supply::HeldInReset, true) => {
                self.supply = Supply::On;
                self.reset(ResetCause::PowerOn);
            }
            _ => {}
        }
    }

    /// Lets the chip run until virtual time `end`.
    pub fn run_until(&mut self, end: Time) {
        if let Some((at, seed)) = self.power_cut_at
            && at <= end
        {
            self.power_cut_at = None;
            self.run_powered(at);
            self.power_off(seed);
        }
        self.run_powered(end);
    }

    fn run_powered(&mut self, end: Time) {
        self.system.borrow_mut().set_skip_limit(end);
        let first_reset = self.resets;
        while self.now() < end {
            if self.supply != Supply::On || self.resets - first_reset > RESET_BURST {
                self.system.borrow_mut().sleep_until(end);
                return;
            }
            self.advance(end);
            if *self.cpu.state() != State::Sleeping {
                self.last_awake = self.now();
            }
            self.watchdogs();
            if let Some(request) = self.cpu.take_reset_request() {
                self.answer(request);
            }
        }
    }

    fn answer(&mut self, request: ResetRequest) {
        match request {
            ResetRequest::System => self.reset(ResetCause::SystemRequest),
            ResetRequest::Core => {
                self.system.borrow_mut().violation(
                    "core",
                    "AIRCR.VECTRESET: meant for debuggers with a halted core; resets no peripheral, and what the boot ROM \
                     does then is unknown",
                );
                self.cpu.core_reset();
            }
        }
    }

    /// One instruction, ROM action or sleep hop.
    fn advance(&mut self, end: Time) {
        if self.cpu.debug.halted() {
            self.hop(end);
            return;
        }
        if self.step_rom() {
            return;
        }
        match self.cpu.state() {
            State::Running => {
                self.cpu.tick();
                self.cpu.step();
            }
            State::Sleeping => {
                self.cpu.tick();
                self.interrupts();
                if !self.cpu.poll_wake() {
                    let hop = if self.cpu.scs.systick_interrupts() {
                        end.min(self.now() + SLEEP_HOP)
                    } else {
                        end
                    };
                    self.hop(hop);
                }
            }
            // a loop: a single step ends in it
            State::UnknownRomCode if self.cpu.debug.stepping() => {
                self.system.borrow_mut().charge(1);
                self.cpu.retire();
            }
            // SRC_SCR.lockup_rst is off out of reset: a locked-up core stays so
            State::LockedUp | State::UnknownRomCode | State::ModelLimit(_) => self.hop(end),
        }
    }

    /// Passes time up to `end`, or to the next timer or watchdog.
    fn hop(&mut self, end: Time) {
        let mut s = self.system.borrow_mut();
        let now = s.now();
        let due = s.soc.next_event(now);
        let target = due.map_or(end, |d| d.min(end)).max(s.now() + Time::ns(1));
        s.sleep_until(target);
        self.since_watchdog = WATCHDOG_STRIDE;
    }

    fn watchdogs(&mut self) {
        self.since_watchdog += 1;
        if self.since_watchdog < WATCHDOG_STRIDE {
            return;
        }
        self.since_watchdog = 0;
        self.interrupts();
        let cause = {
            let mut s = self.system.borrow_mut();
            let now = s.now();
            s.soc.set_debug_halted(now, self.cpu.debug.halted());
            s.soc.watchdog_due(now)
        };
        if let Some(cause) = cause {
            self.reset(cause);
        }
    }

    /// Shows the active interrupt lines to the NVIC.
    fn interrupts(&mut self) {
        let lines = {
            let mut s = self.system.borrow_mut();
            let now = s.now();
            s.soc.interrupts(now)
        };
        for line in lines {
            let n = number::EXTERNAL + line;
            if !self.cpu.scs.nvic.is_active(n) {
                self.cpu.scs.nvic.pend(n);
            }
        }
    }

    fn asleep_with_clock_gated(&self) -> bool {
        *self.cpu.state() == State::Sleeping
            && self.system.borrow().soc.low_power_mode() != LowPowerMode::Run
    }

    /// A core that sleeps with its clock gated stalls the access port on the bus. The access is not lost: it ends as soon
    /// as the clock runs, however short (ADIv5 C2.2: WAIT until the access ends or is given up by DAPABORT). The model
    /// carries it out at the next look of the debug port, a little later than the chip would.
    fn stalls(&mut self, address: u32) -> bool {
        if !self.asleep_with_clock_gated() {
            self.stalled = None;
            return false;
        }
        match self.stalled {
            Some((stalled, since)) if stalled == address && self.last_awake > since => {
                self.stalled = None;
                false
            }
            Some((stalled, _)) if stalled == address => true,
            _ => {
                self.stalled = Some((address, self.now()));
                true
            }
        }
    }

    fn before_access(&mut self, address: u32) -> Result<(), ApError> {
        self.run_until(self.wire_now);
        if self.supply != Supply::On {
            return Err(ApError::Fault);
        }
        if self.stalls(address) {
            return Err(ApError::Wait);
        }
        if address & !3 != DHCSR {
            self.last_dhcsr = None;
        }
        Ok(())
    }

    /// Lets time pass until the core halts, `most` at the most: a debugger that polls without sleeping sees it at once.
    fn wait_for_halt(&mut self, most: Time) {
        let begin = self.now();
        let until = begin + most;
        while !self.cpu.debug.halted() && self.now() < until {
            let hop = (self.now() + SLEEP_HOP).min(until);
            self.run_until(hop);
        }
        self.wire_now += self.now().saturating_sub(begin);
    }

    fn after_access(&mut self) {
        if let Some(request) = self.cpu.take_reset_request() {
            self.answer(request);
        }
    }
}

impl ApTarget for Chip {
    fn ap_read(&mut self, address: u32, width: Width, _csw: u32) -> Result<u32, ApError> {
        self.before_access(address)?;
        let value = if (PPB_BASE..=PPB_END).contains(&address) {
            self.cpu.ppb_read(address, width, true)
        } else {
            self.system.borrow_mut().read(address, width)
        }
        .map_err(|BusFault| ApError::Fault)?;
        if address == DHCSR {
            let polls = match self.last_dhcsr {
                Some((last, polls)) if last == value => polls + 1,
                _ => 0,
            };
            let free = if self.resumed { POLLS_WITHOUT_SLEEP } else { 0 };
            if polls > free {
                self.wait_for_halt(POLL_INTERVAL);
            }
            self.last_dhcsr = Some((value, polls));
        }
        Ok(value)
    }

    fn ap_write(
        &mut self,
        address: u32,
        width: Width,
        value: u32,
        _csw: u32,
    ) -> Result<(), ApError> {
        self.before_access(address)?;
        if address == DHCSR {
            // a loader that buffers twice writes the next page into RAM before it begins to poll
            self.resumed = value & RUN_CONTROL == RESUME;
        }
        if (PPB_BASE..=PPB_END).contains(&address) {
            self.debug_writes.push((address, value));
            self.cpu.ppb_write(address, width, value, true)
        } else {
            self.system.borrow_mut().write(address, width, value)
        }
        .map_err(|BusFault| ApError::Fault)?;
        self.after_access();
        Ok(())
    }

    fn debug_powered(&self) -> bool {
        self.supply == Supply::On
    }

    fn port_open(&self) -> bool {
        self.debug_port_answers()
    }

    fn set_nreset(&mut self, level: bool) {
        self.run_until(self.wire_now);
        self.set_reset_pin(level);
    }
}
