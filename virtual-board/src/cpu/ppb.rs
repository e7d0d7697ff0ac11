//! The private peripheral bus as the core and the debugger reach it, and the debugger's register transfers.

use armagnac::registers::RegisterIndex;

use super::debug::RegisterTransfer;
use super::scs::{Effect, Scs};
use super::watch::{Dwt, Fpb, Itm, lane, with_lane};
use super::{Cpu, ResetRequest, State};
use crate::bus::{BusFault, Width};
use crate::swd::rom_table_word;

/// Offsets of the debug registers in the system control space.
mod offset {
    pub const CPUID: u32 = 0xD00;
    pub const DFSR: u32 = 0xD30;
    pub const DHCSR: u32 = 0xDF0;
    pub const DCRSR: u32 = 0xDF4;
    pub const DCRDR: u32 = 0xDF8;
    pub const DEMCR: u32 = 0xDFC;
    pub const CFSR: u32 = 0xD28;
}

/// ETM, CTI and TPIU registers are not modelled beyond their identification.
const ITM_END: u32 = Itm::BASE + 0xFFC;
const DWT_REGISTERS_END: u32 = Dwt::BASE + 0x5C;
const DWT_END: u32 = Dwt::BASE + 0xFFC;
const FPB_END: u32 = Fpb::BASE + 0xFFC;
const SCS_END: u32 = Scs::BASE + 0xFFC;

impl Cpu {
    /// Reads the private peripheral bus. `debugger` tells the AHB-AP from the core.
    ///
    /// # Errors
    /// [`BusFault`] where nothing is modelled; a trace line says so.
    pub fn ppb_read(
        &mut self,
        address: u32,
        width: Width,
        debugger: bool,
    ) -> Result<u32, BusFault> {
        let word = self.ppb_word(address & !3, debugger);
        match word {
            Some(word) => Ok(lane(word, address, width)),
            None => Err(self.unmodelled("read", address)),
        }
    }

    /// Writes the private peripheral bus.
    ///
    /// # Errors
    /// As [`Cpu::ppb_read`].
    pub fn ppb_write(
        &mut self,
        address: u32,
        width: Width,
        value: u32,
        debugger: bool,
    ) -> Result<(), BusFault> {
        let aligned = address & !3;
        let value = if width == Width::Word {
            value
        } else {
            // CFSR is write-1-to-clear: lanes that are not written must not clear anything
            let old = if aligned == Scs::BASE + offset::CFSR {
                0
            } else {
                match self.ppb_word(aligned, debugger) {
                    Some(old) => old,
                    None => return Err(self.unmodelled("write", address)),
                }
            };
            with_lane(old, address, width, value)
        };
        if self.write_ppb_word(aligned, value, debugger).is_some() {
            Ok(())
        } else {
            Err(self.unmodelled("write", address))
        }
    }

    fn unmodelled(&mut self, what: &str, address: u32) -> BusFault {
        self.system
            .borrow_mut()
            .violation("ppb", format!("{what} of 0x{address:08X}: not modelled"));
        BusFault
    }

    fn ppb_word(&mut self, address: u32, debugger: bool) -> Option<u32> {
        let (cycle, hz) = {
            let s = self.system.borrow();
            (s.core_cycle(), s.core_hz())
        };
        match address {
            Itm::BASE..=ITM_END => self
                .itm
                .read(address - Itm::BASE)
                .map(|word| if self.debug.trace_enabled() { word } else { 0 })
                .or_else(|| rom_table_word(address)),
            // without TRCENA reads are UNKNOWN (ARMv7-M ARM C1.6.5): nothing that could be taken for a match or a sample
            Dwt::BASE..=DWT_REGISTERS_END if !self.debug.trace_enabled() => Some(0),
            Dwt::BASE..=DWT_END => {
                let pc = if self.debug.halted() {
                    u32::MAX
                } else {
                    self.last_pc
                };
                self.dwt
                    .read(address - Dwt::BASE, cycle, pc)
                    .or_else(|| rom_table_word(address))
            }
            Fpb::BASE..=FPB_END => self
                .fpb
                .read(address - Fpb::BASE)
                .or_else(|| rom_table_word(address)),
            Scs::BASE..=SCS_END => match address - Scs::BASE {
                offset::CPUID => Some(self.cpuid),
                offset::DFSR => Some(self.debug.read_dfsr()),
                offset::DHCSR => {
                    let sleeping = self.state == State::Sleeping;
                    let locked = self.state == State::LockedUp;
                    if debugger {
                        Some(self.debug.read_dhcsr(sleeping, locked))
                    } else {
                        let mut copy = self.debug.clone();
                        Some(copy.read_dhcsr(sleeping, locked))
                    }
                }
                offset::DCRSR => Some(0),
                offset::DCRDR => Some(self.debug.read_dcrdr()),
                offset::DEMCR => Some(self.debug.read_demcr()),
                o => self
                    .scs
                    .read(o, cycle, hz)
                    .or_else(|| rom_table_word(address)),
            },
            _ => rom_table_word(address),
        }
    }

    fn write_ppb_word(&mut self, address: u32, value: u32, debugger: bool) -> Option<()> {
        let (cycle, hz) = {
            let s = self.system.borrow();
            (s.core_cycle(), s.core_hz())
        };
        match address {
            Itm::BASE..=ITM_END | Dwt::BASE..=DWT_END if !self.debug.trace_enabled() => Some(()),
            Itm::BASE..=ITM_END => self.itm.write(address - Itm::BASE, value),
            Dwt::BASE..=DWT_END => self.dwt.write(address - Dwt::BASE, value, cycle),
            Fpb::BASE..=FPB_END => self.fpb.write(address - Fpb::BASE, value),
            Scs::BASE..=SCS_END => {
                match address - Scs::BASE {
                    offset::DFSR => self.debug.write_dfsr(value),
                    // software on the core cannot enable debug; other bits need it enabled
                    offset::DHCSR if !debugger => {}
                    offset::DHCSR => {
                        self.debug.write_dhcsr(value);
                        if self.debug.halted() && self.state == State::Sleeping {
                            self.state = State::Running;
                        }
                    }
                    offset::DCRSR => {
                        self.debug.write_dcrsr(value);
                        if let Some(t) = self.debug.take_transfer() {
                            self.transfer(t);
                        }
                    }
                    offset::DCRDR => self.debug.write_dcrdr(value),
                    offset::DEMCR => self.debug.write_demcr(value),
                    o => {
                        let effect = self.scs.write(o, value, cycle, hz)?;
                        if let Some(effect) = effect {
                            self.apply(effect);
                        }
                    }
                }
                Some(())
            }
            _ => None,
        }
    }

    fn apply(&mut self, effect: Effect) {
        match effect {
            Effect::SystemReset => self.reset_request = Some(ResetRequest::System),
            Effect::CoreReset => self.reset_request = Some(ResetRequest::Core),
            Effect::Caches => self.update_caches(),
            Effect::InvalidateInstructionCache => {
                self.system.borrow_mut().caches.invalidate_instruction();
            }
            Effect::MaintainDataCache => self.system.borrow_mut().caches.maintain_data(),
            Effect::Mpu => {
                let on = self.scs.mpu_ctrl & 1 != 0;
                if !on {
                    self.rom_mpu = false;
                } else if !self.rom_mpu {
                    let mut s = self.system.borrow_mut();
                    s.note(
                        "core",
                        "MPU on: regions are stored, accesses are not checked by this model",
                    );
                }
                let rom_mpu = self.rom_mpu;
                self.system.borrow_mut().set_rom_mpu(rom_mpu);
            }
        }
    }

    /// Carries out DCRSR's transfer (ARMv7-M ARM C1.6.3).
    fn transfer(&mut self, t: RegisterTransfer) {
        let handler = self.scs.nvic.current() != 0;
        let value = self.debug.read_dcrdr();
        let read = match t.selector {
            0..=15 => {
                let index = RegisterIndex::new_main(u32::from(t.selector));
                if t.write {
                    match t.selector {
                        13 => *self.proc.registers.sp_mut() = value & !3,
                        15 => self.debugger_set_pc(value),
                        _ => self.proc.registers.set(index, value),
                    }
                }
                if t.selector == 15 {
                    self.debugger_pc()
                } else {
                    self.proc.registers[index]
                }
            }
            16 => {
                if t.write {
                    self.proc.registers.psr.set(value);
                }
                self.proc.registers.psr.get()
            }
            17 => {
                if t.write {
                    self.proc.registers.msp = value & !3;
                }
                self.proc.registers.msp
            }
            18 => {
                if t.write {
                    self.proc.registers.psp = value & !3;
                }
                self.proc.registers.psp
            }
            20 => {
                if t.write {
                    self.set_control(handler, value >> 24);
                    self.proc.registers.faultmask.set_pm(value & (1 << 16) != 0);
                    self.basepri = (value >> 8) as u8;
                    self.proc.registers.primask.set_pm(value & 1 != 0);
                }
                self.control(handler) << 24
                    | u32::from(self.proc.registers.faultmask.pm()) << 16
                    | u32::from(self.basepri) << 8
                    | u32::from(self.proc.registers.primask.pm())
            }
            33 | 64..=95 => {
                let slot = if t.selector == 33 {
                    32
                } else {
                    usize::from(t.selector - 64)
                };
                if let Some(r) = self.fp_registers.get_mut(slot) {
                    if t.write {
                        *r = value;
                    }
                    *r
                } else {
                    0
                }
            }
            _ => 0,
        };
        self.debug.transfer_done((!t.write).then_some(read));
    }
}
