//! The system bus of the chip: memory map, access costs, virtual time.

use std::collections::HashMap;

use super::caches::{Caches, Hazard, Writer};
use super::costs::AccessCosts;
use super::identity::RomIdentity;
use super::ram::{Kind, Ram};
use crate::bus::{Bus, BusFault, Width};
use crate::flexspi::{FlexSpi, Ports};
use crate::nor::Nor;
use crate::rom;
use crate::soc::{FlexRam, Soc};
use crate::time::Time;
use crate::trace::Trace;

const ROM: std::ops::Range<u32> = 0x0020_0000..0x0022_0000;
const FLEXSPI: std::ops::Range<u32> = 0x402A_8000..0x402A_C000;
const WINDOW: std::ops::Range<u32> = 0x6000_0000..0x7000_0000;
const PERIPHERALS: std::ops::Range<u32> = 0x4000_0000..0x4400_0000;
const LINE: u32 = 32;

const NO_FLEXRAM: FlexRam = FlexRam {
    itcm_bytes: 0,
    dtcm_bytes: 0,
    ocram_bytes: 0,
};

/// Everything the masters of the bus share.
pub struct System {
    now: Time,
    cycle: u64,
    core_hz: u64,
    core_period: Time,
    /// Divides the core clock further (benchmark at half rate).
    core_divider: u64,
    skip_limit: Time,
    skips: bool,
    /// Blocks below 0x44000000, FlexSPI excepted.
    pub soc: Soc,
    /// FlexSPI1.
    pub flexspi: FlexSpi,
    /// The flash.
    pub nor: Nor,
    /// On-chip RAM.
    pub ram: Ram,
    /// L1 cache hazards.
    pub caches: Caches,
    /// The log.
    pub trace: Trace,
    costs: AccessCosts,
    flash_lines: HashMap<u32, [u8; LINE as usize]>,
    /// The one of them that was used last: most instructions lie where the one before did.
    last_line: Option<(u32, [u8; LINE as usize])>,
    fetch_word: Option<(u32, [u8; 4])>,
    rom_mpu: bool,
    protection_fault: bool,
    reported_hazard: Option<u32>,
    /// What the boot ROM shows of itself.
    pub rom_identity: RomIdentity,
}

impl System {
    /// A powered system at time zero.
    pub fn new(soc: Soc, nor: Nor, costs: AccessCosts, core_divider: u64, skips: bool) -> Self {
        let split = soc.flexram().unwrap_or(NO_FLEXRAM);
        let mut system = System {
            now: Time::ZERO,
            cycle: 0,
            core_hz: 0,
            core_period: Time::ZERO,
            core_divider: core_divider.max(1),
            skip_limit: Time::ZERO,
            skips,
            soc,
            flexspi: FlexSpi::new(),
            nor,
            ram: Ram::new(split),
            caches: Caches::default(),
            trace: Trace::default(),
            costs,
            flash_lines: HashMap::new(),
            last_line: None,
            fetch_word: None,
            rom_mpu: false,
            protection_fault: false,
            reported_hazard: None,
            rom_identity: RomIdentity::default(),
        };
        system.update_clock();
        system
    }

    /// Virtual time.
    pub fn now(&self) -> Time {
        self.now
    }

    /// Core cycles since power-on.
    pub fn core_cycle(&self) -> u64 {
        self.cycle
    }

    /// Core clock in hertz.
    pub fn core_hz(&self) -> u64 {
        self.core_hz
    }

    /// Spends core cycles.
    pub fn charge(&mut self, cycles: u64) {
        self.cycle += cycles;
        self.now += Time::ps(self.core_period.as_ps() * cycles);
    }

    /// Spends time.
    pub fn spend(&mut self, t: Time) {
        self.now += t;
        if self.core_period > Time::ZERO {
            self.cycle += t.as_ps() / self.core_period.as_ps();
        }
    }

    /// Sleeps until `t` (no effect where it is past).
    pub fn sleep_until(&mut self, t: Time) {
        self.spend(t.saturating_sub(self.now));
    }

    /// How far busy waits may skip: the end of the current probe transaction.
    pub fn set_skip_limit(&mut self, t: Time) {
        self.skip_limit = t;
    }

    /// The program idles (YIELD): skips to the end of the flash's busy time or of the transaction, whichever is first.
    pub fn idle_hint(&mut self) {
        if self.skips {
            let limit = self.skip_end(self.nor.busy_until());
            self.sleep_until(limit);
        }
    }

    /// How far a wait for `busy` to end may skip: not past the transaction, nor past a watchdog that would bite.
    fn skip_end(&self, busy: Option<Time>) -> Time {
        let ends = [busy, self.soc.watchdog_deadline()];
        ends.into_iter().flatten().fold(self.skip_limit, Time::min)
    }

    /// Chip reset of everything but the flash.
    pub fn chip_reset(&mut self) {
        self.with_flexspi(|f, p| f.reset(p));
        self.caches.reset();
        self.flash_lines.clear();
        self.last_line = None;
        self.fetch_word = None;
        self.rom_mpu = false;
        self.update_clock();
    }

    /// The ROM's MPU set-up is active: RAM is closed to code outside the ROM.
    pub fn set_rom_mpu(&mut self, on: bool) {
        self.rom_mpu = on;
    }

    /// Whether the last refused access was refused by the MPU, once.
    pub fn take_protection_fault(&mut self) -> bool {
        std::mem::take(&mut self.protection_fault)
    }

    /// Writes a note at the current time.
    pub fn note(&mut self, source: &'static str, text: impl Into<String>) {
        self.trace.note(self.now, source, text);
    }

    /// Writes a violation at the current time.
    pub fn violation(&mut self, source: &'static str, text: impl Into<String>) {
        self.trace.violation(self.now, source, text);
    }

    fn update_clock(&mut self) {
        self.core_hz = self.soc.core_hz(self.now) / self.core_divider;
        self.core_period = Time::cycles(1, self.core_hz);
        match self.soc.flexram() {
            Some(split) => self.ram.set_split(split),
            None => {
                self.violation(
                    "flexram",
                    "the fuse value selects a split that no source gives",
                );
                self.ram.set_split(NO_FLEXRAM);
            }
        }
    }

    fn with_flexspi<R>(&mut self, f: impl FnOnce(&mut FlexSpi, &mut Ports) -> R) -> R {
        let mut ports = Ports {
            now: self.now,
            serial_root_hz: self.soc.flexspi_root_hz(self.now),
            pads: self.soc.flexspi_pads(),
            nor: &mut self.nor,
            trace: &mut self.trace,
        };
        let result = f(&mut self.flexspi, &mut ports);
        if self.skips
            && self.nor.take_busy_poll()
            && let Some(end) = self.nor.busy_until()
        {
            let target = self.skip_end(Some(end));
            self.sleep_until(target);
        }
        result
    }

    fn flash_read(&mut self, address: u32, out: &mut [u8]) -> Result<(), BusFault> {
        let stall = self.with_flexspi(|f, p| f.ahb_read(address - WINDOW.start, out, p))?;
        self.spend(stall);
        Ok(())
    }

    fn hazard(&mut self, hazard: Option<Hazard>, address: u32) {
        if let Some(h) = hazard
            && self.reported_hazard != Some(address & !(LINE - 1))
        {
            self.reported_hazard = Some(address & !(LINE - 1));
            let what = match h {
                Hazard::StaleInstruction => "instruction cache holds an older copy",
                Hazard::DirtyInstruction => {
                    "the data cache holds the only new copy of an instruction"
                }
                Hazard::StaleData => "the data cache holds an older copy",
                Hazard::DirtyData => "the data cache, now off, holds the only new copy of data",
            };
            self.violation("cache", format!("0x{address:08X}: {what}"));
        }
    }

    /// Fetches the halfword at `address` for the core.
    ///
    /// # Errors
    /// [`BusFault`] where nothing executable answers.
    pub fn fetch(&mut self, address: u32) -> Result<u16, BusFault> {
        if let Some((bytes, kind)) = self.ram.slice(address) {
            let (Some(a), Some(b)) = (bytes.first(), bytes.get(1)) else {
                return Err(BusFault);
            };
            let value = u16::from_le_bytes([*a, *b]);
            if kind == Kind::Ocram {
                let hazard = self.caches.fetch(address);
                self.hazard(hazard, address);
                if !self.caches.instruction_on() {
                    self.charge(self.costs.ocram_fetch);
                }
            }
            return Ok(value);
        }
        if !WINDOW.contains(&address) {
            let why = if ROM.contains(&address) {
                "boot ROM code that is not modelled"
            } else {
                "not executable memory"
            };
            self.violation(
                "bus",
                format!("instruction fetch from 0x{address:08X}: {why}"),
            );
            return Err(BusFault);
        }
        let at = (address & (LINE - 2)) as usize;
        if self.caches.instruction_on() {
            let line = address & !(LINE - 1);
            let bytes = match self.last_line {
                Some((held, bytes)) if held == line => bytes,
                _ => {
                    let bytes = match self.flash_lines.get(&line) {
                        Some(bytes) => *bytes,
                        None => {
                            let mut bytes = [0; LINE as usize];
                            self.flash_read(line, &mut bytes)?;
                            self.flash_lines.insert(line, bytes);
                            bytes
                        }
                    };
                    self.last_line = Some((line, bytes));
                    bytes
                }
            };
            if let (Some(a), Some(b)) = (bytes.get(at), bytes.get(at + 1)) {
                return Ok(u16::from_le_bytes([*a, *b]));
            }
            return Err(BusFault);
        }
        let word = address & !3;
        let bytes = match self.fetch_word {
            Some((held, bytes)) if held == word => bytes,
            _ => {
                let mut bytes = [0; 4];
                self.flash_read(word, &mut bytes)?;
                self.fetch_word = Some((word, bytes));
                bytes
            }
        };
        let [a, b, c, d] = bytes;
        Ok(u16::from_le_bytes(if address & 2 == 0 {
            [a, b]
        } else {
            [c, d]
        }))
    }

    /// A data read by the core: the MPU of the boot ROM applies, and the access costs time.
    ///
    /// # Errors
    /// [`BusFault`].
    pub fn core_read(&mut self, address: u32, width: Width) -> Result<u32, BusFault> {
        self.protect(address)?;
        self.rom_read(address, width)
    }

    /// A data read by the boot ROM, or by the core once the MPU let it pass.
    ///
    /// # Errors
    /// [`BusFault`].
    pub fn rom_read(&mut self, address: u32, width: Width) -> Result<u32, BusFault> {
        match self.ram.slice(address).map(|(_, kind)| kind) {
            Some(Kind::Ocram) => {
                let hazard = self.caches.read(address);
                self.hazard(hazard, address);
                if !self.caches.data_on() {
                    self.charge(self.costs.ocram_read);
                }
            }
            None if PERIPHERALS.contains(&address) => self.charge(self.costs.peripheral_read),
            _ => {}
        }
        self.read(address, width)
    }

    /// A data write by the core.
    ///
    /// # Errors
    /// [`BusFault`].
    pub fn core_write(&mut self, address: u32, width: Width, value: u32) -> Result<(), BusFault> {
        self.protect(address)?;
        self.rom_write(address, width, value)
    }

    /// A data write by the boot ROM, or by the core once the MPU let it pass.
    ///
    /// # Errors
    /// [`BusFault`].
    pub fn rom_write(&mut self, address: u32, width: Width, value: u32) -> Result<(), BusFault> {
        match self.ram.slice(address).map(|(_, kind)| kind) {
            Some(Kind::Ocram) if !self.caches.data_on() => self.charge(self.costs.ocram_write),
            None if PERIPHERALS.contains(&address) => self.charge(self.costs.peripheral_write),
            _ => {}
        }
        match self.ram_write(address, width, value, Writer::Core) {
            Some(result) => result,
            None => self.write(address, width, value),
        }
    }

    /// Writes RAM; `None` where no RAM is.
    fn ram_write(
        &mut self,
        address: u32,
        width: Width,
        value: u32,
        writer: Writer,
    ) -> Option<Result<(), BusFault>> {
        let (bytes, kind) = self.ram.slice(address)?;
        let n = width.bytes() as usize;
        let word = value.to_le_bytes();
        let (Some(to), Some(from)) = (bytes.get_mut(..n), word.get(..n)) else {
            return Some(Err(BusFault));
        };
        let changed = to != from;
        to.copy_from_slice(from);
        if kind == Kind::Ocram {
            self.caches.write(address, writer, changed);
        }
        Some(Ok(()))
    }

    fn protect(&mut self, address: u32) -> Result<(), BusFault> {
        if self.rom_mpu && !ROM.contains(&address) {
            self.protection_fault = true;
            self.violation(
                "mpu",
                format!("access to 0x{address:08X} while the boot ROM's MPU set-up is on"),
            );
            return Err(BusFault);
        }
        Ok(())
    }

    fn rom_word(&self, address: u32) -> Option<u32> {
        let own = self.rom_identity.word(address);
        own.or_else(|| rom::content_word(address))
    }

    fn outside(&mut self, what: &str, address: u32) -> BusFault {
        self.violation(
            "bus",
            format!("{what} 0x{address:08X}: nothing is modelled there"),
        );
        BusFault
    }
}

impl Bus for System {
    fn read(&mut self, address: u32, width: Width) -> Result<u32, BusFault> {
        if let Some((bytes, _)) = self.ram.slice(address) {
            let mut word = [0; 4];
            let n = width.bytes() as usize;
            let (Some(to), Some(from)) = (word.get_mut(..n), bytes.get(..n)) else {
                return Err(BusFault);
            };
            to.copy_from_slice(from);
            return Ok(u32::from_le_bytes(word));
        }
        if FLEXSPI.contains(&address) {
            return self.with_flexspi(|f, p| f.read(address - FLEXSPI.start, width, p));
        }
        if WINDOW.contains(&address) {
            let mut word = [0; 4];
            if let Some(out) = word.get_mut(..width.bytes() as usize) {
                self.flash_read(address, out)?;
            }
            return Ok(u32::from_le_bytes(word));
        }
        if ROM.contains(&address) {
            return match self.rom_word(address & !3) {
                Some(word) => Ok(crate::cpu::watch::lane(word, address, width)),
                None => Err(self.outside("read of boot ROM", address)),
            };
        }
        let (now, System { soc, trace, .. }) = (self.now, &mut *self);
        match soc.peripheral_read(address, width, now, trace) {
            Some(result) => result,
            None => Err(self.outside("read of", address)),
        }
    }

    fn write(&mut self, address: u32, width: Width, value: u32) -> Result<(), BusFault> {
        if let Some(result) = self.ram_write(address, width, value, Writer::Debugger) {
            return result;
        }
        if FLEXSPI.contains(&address) {
            self.fetch_word = None;
            return self.with_flexspi(|f, p| f.write(address - FLEXSPI.start, width, value, p));
        }
        if WINDOW.contains(&address) {
            let bytes = value.to_le_bytes();
            let data = bytes.get(..width.bytes() as usize).unwrap_or_default();
            let stall = self.with_flexspi(|f, p| f.ahb_write(address - WINDOW.start, data, p))?;
            self.spend(stall);
            return Ok(());
        }
        let before = self.live_flexspi_clock();
        let (now, System { soc, trace, .. }) = (self.now, &mut *self);
        match soc.peripheral_write(address, width, value, now, trace) {
            Some(result) => {
                self.update_clock();
                self.check_flexspi_clock(before);
                result
            }
            None => Err(self.outside("write of", address)),
        }
    }
}
