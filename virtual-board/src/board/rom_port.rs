//! The boot ROM's access to bus and core.

use std::cell::RefCell;
use std::rc::Rc;

use super::system::System;
use crate::bus::{Bus, BusFault, Width};
use crate::cpu::debug::dfsr;
use crate::cpu::watch::Kind;
use crate::cpu::{Cpu, PPB_BASE, PPB_END};
use crate::rom::RomBus;
use crate::time::Time;

/// The boot ROM's access to bus and core; every access is shown to the DWT as the core's own.
pub struct RomPort<'a> {
    pub system: &'a Rc<RefCell<System>>,
    pub cpu: &'a mut Cpu,
}

impl RomPort<'_> {
    fn observe(&mut self, kind: Kind, address: u32) {
        if self.cpu.debug.trace_enabled()
            && self.cpu.dwt.watches_data()
            && self.cpu.dwt.observe(kind, address)
        {
            self.cpu.debug.halt(dfsr::DWTTRAP);
        }
    }
}

impl Bus for RomPort<'_> {
    fn read(&mut self, address: u32, width: Width) -> Result<u32, BusFault> {
        let result = if (PPB_BASE..=PPB_END).contains(&address) {
            self.cpu.ppb_read(address, width, false)
        } else {
            self.system.borrow_mut().rom_read(address, width)
        };
        self.observe(Kind::Read, address);
        result
    }

    fn write(&mut self, address: u32, width: Width, value: u32) -> Result<(), BusFault> {
        let result = if (PPB_BASE..=PPB_END).contains(&address) {
            self.cpu.ppb_write(address, width, value, false)
        } else {
            self.system.borrow_mut().rom_write(address, width, value)
        };
        self.observe(Kind::Write, address);
        result
    }
}

impl RomBus for RomPort<'_> {
    fn spend(&mut self, t: Time) {
        self.system.borrow_mut().spend(t);
    }
    fn charge(&mut self, cycles: u64) {
        self.system.borrow_mut().charge(cycles);
    }
    fn now(&self) -> Time {
        self.system.borrow().now()
    }
    fn note(&mut self, text: String) {
        self.system.borrow_mut().note("rom", text);
    }
    fn set_mpu(&mut self, on: bool) {
        self.cpu.set_rom_mpu(on);
    }
    fn set_caches(&mut self, on: bool) {
        self.cpu.set_caches(on);
    }
}
