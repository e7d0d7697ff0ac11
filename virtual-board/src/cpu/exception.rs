//! Exception entry and return, faults and lockup (ARMv7-M ARM B1.5), and the system instructions.

use armagnac::registers::RegisterIndex;

use super::debug::dfsr;
use super::decode::Class;
use super::nvic::{Masks, number};
use super::scs::ccr;
use super::{Cpu, ROM_VECTORS, State, UNKNOWN_ROM_PC};
use crate::bus::Width;

/// Why an instruction did not complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Instruction fetch got a bus error.
    Fetch,
    /// Data access got a bus error.
    Data {
        /// The address accessed.
        address: u32,
    },
    /// The MPU refused a data access.
    Protection {
        /// The address accessed.
        address: u32,
    },
    /// Undefined instruction.
    Undefined,
    /// Thumb bit clear.
    InvalidState,
    /// Coprocessor disabled.
    NoCoprocessor,
    /// Unaligned access where it is not allowed.
    Unaligned,
    /// BKPT with debug disabled.
    Breakpoint,
    /// The model does not have it.
    Model(&'static str),
}

mod cfsr {
    pub const DACCVIOL: u32 = 1 << 1;
    pub const MMARVALID: u32 = 1 << 7;
    pub const IBUSERR: u32 = 1 << 8;
    pub const PRECISERR: u32 = 1 << 9;
    pub const STKERR: u32 = 1 << 12;
    pub const BFARVALID: u32 = 1 << 15;
    pub const UNDEFINSTR: u32 = 1 << 16;
    pub const INVSTATE: u32 = 1 << 17;
    pub const INVPC: u32 = 1 << 18;
    pub const NOCP: u32 = 1 << 19;
    pub const UNALIGNED: u32 = 1 << 24;
}
const HFSR_VECTTBL: u32 = 1 << 1;
const HFSR_FORCED: u32 = 1 << 30;
const HFSR_DEBUGEVT: u32 = 1 << 31;
const SHCSR_MEMFAULTENA: u32 = 1 << 16;
const SHCSR_BUSFAULTENA: u32 = 1 << 17;
const SHCSR_USGFAULTENA: u32 = 1 << 18;
const XPSR_ALIGNED: u32 = 1 << 9;
/// The next power of two above 4 bytes for each of 16 + 160 exceptions (ARMv7-M ARM B3.2.5).
const VECTOR_TABLE_ALIGNMENT: u32 = 0x400;
const FRAME_BYTES: u32 = 0x20;

impl Cpu {
    pub(super) fn masks(&self) -> Masks {
        Masks {
            primask: self.proc.registers.primask.pm(),
            faultmask: self.proc.registers.faultmask.pm(),
            basepri: self.basepri,
        }
    }

    /// Turns a fault into its exception, escalating as the architecture says.
    pub(super) fn fault(&mut self, fault: Fault) {
        let pc = self.proc.registers.pc;
        self.system
            .borrow_mut()
            .note("core", format!("fault at 0x{pc:08X}: {fault:?}"));
        let (exception, enable) = match fault {
            Fault::Model(what) => {
                self.state = State::ModelLimit(format!("{what} at 0x{pc:08X}"));
                return;
            }
            Fault::Fetch => {
                self.scs.cfsr |= cfsr::IBUSERR;
                (number::BUS_FAULT, SHCSR_BUSFAULTENA)
            }
            Fault::Data { address } => {
                self.scs.cfsr |= cfsr::PRECISERR | cfsr::BFARVALID;
                self.scs.bfar = address;
                (number::BUS_FAULT, SHCSR_BUSFAULTENA)
            }
            Fault::Protection { address } => {
                self.scs.cfsr |= cfsr::DACCVIOL | cfsr::MMARVALID;
                self.scs.mmfar = address;
                (number::MEM_MANAGE, SHCSR_MEMFAULTENA)
            }
            Fault::Breakpoint => {
                self.scs.hfsr |= HFSR_DEBUGEVT;
                (number::HARD_FAULT, 0)
            }
            Fault::Undefined => self.usage(cfsr::UNDEFINSTR),
            Fault::InvalidState => self.usage(cfsr::INVSTATE),
            Fault::NoCoprocessor => self.usage(cfsr::NOCP),
            Fault::Unaligned => self.usage(cfsr::UNALIGNED),
        };
        let current = self.scs.nvic.execution_priority(self.masks());
        let priority = if exception == number::HARD_FAULT {
            -1
        } else {
            i16::from(self.scs.nvic.priority(exception))
        };
        if exception != number::HARD_FAULT && self.scs.shcsr & enable != 0 && priority < current {
            self.enter(exception);
        } else if current > -1 {
            if exception != number::HARD_FAULT {
                self.scs.hfsr |= HFSR_FORCED;
            }
            self.enter(number::HARD_FAULT);
        } else {
            self.lock_up(pc);
        }
    }

    fn usage(&mut self, bit: u32) -> (u16, u32) {
        self.scs.cfsr |= bit;
        (number::USAGE_FAULT, SHCSR_USGFAULTENA)
    }

    fn lock_up(&mut self, pc: u32) {
        self.state = State::LockedUp;
        let mut s = self.system.borrow_mut();
        s.note(
            "core",
            format!("lockup: fault at 0x{pc:08X} inside HardFault or NMI"),
        );
    }

    /// Enters exception `n`.
    pub(super) fn enter(&mut self, n: u16) {
        if n == number::HARD_FAULT && self.debug.catches_hard_fault() {
            self.debug.halt(dfsr::VCATCH);
        }
        let handler_before = self.scs.nvic.current() != 0;
        let stacked = self.push_frame();
        if !handler_before {
            self.thread_control = self.proc.registers.control.read();
        }
        let exc_return = match (handler_before, self.thread_control & 2 != 0) {
            (true, _) => 0xFFFF_FFF1,
            (false, false) => 0xFFFF_FFF9,
            (false, true) => 0xFFFF_FFFD,
        };
        self.proc.registers.control.set_spsel(false);
        self.proc.registers.control.set_privileged_bit(false);
        self.scs.nvic.enter(n);
        let vector_address = self.scs.vtor.wrapping_add(u32::from(n) * 4);
        if ROM_VECTORS.contains(&vector_address) {
            self.state = State::UnknownRomCode;
            self.last_pc = UNKNOWN_ROM_PC;
            let text = format!(
                "exception {n} goes through the boot ROM's vector table; its handler is taken to loop"
            );
            self.system.borrow_mut().note("core", text);
            return;
        }
        if !self.scs.vtor.is_multiple_of(VECTOR_TABLE_ALIGNMENT) {
            let text = format!(
                "exception {n} with VTOR 0x{:08X}, not aligned to 0x400: the vector taken is unpredictable",
                self.scs.vtor
            );
            self.system.borrow_mut().violation("core", text);
        }
        let vector = self
            .system
            .borrow_mut()
            .core_read(vector_address, Width::Word);
        match vector {
            Ok(vector) if stacked => {
                self.proc.registers.lr = exc_return;
                self.proc.registers.pc = vector & !1;
                self.proc
                    .registers
                    .psr
                    .set_exception_number(n)
                    .set_t(vector & 1 != 0)
                    .set_ici_it(0);
                self.proc.registers.event = true;
                self.proc.clear_exclusive_local();
                self.system.borrow_mut().charge(12);
            }
            _ => {
                self.scs.hfsr |= HFSR_VECTTBL;
                if !stacked {
                    self.scs.cfsr |= cfsr::STKERR;
                }
                if n == number::HARD_FAULT || n == number::NMI {
                    let pc = self.proc.registers.pc;
                    self.lock_up(pc);
                } else {
                    self.enter(number::HARD_FAULT);
                }
            }
        }
    }

    fn push_frame(&mut self) -> bool {
        let r = &mut self.proc.registers;
        let aligned = self.scs.ccr & ccr::STKALIGN != 0 && r.sp() & 4 != 0;
        let mut frame = r.sp().wrapping_sub(FRAME_BYTES);
        if self.scs.ccr & ccr::STKALIGN != 0 {
            frame &= !4;
        }
        *r.sp_mut() = frame;
        let xpsr = (r.psr.get() & !XPSR_ALIGNED) | if aligned { XPSR_ALIGNED } else { 0 };
        let words = [r.r0, r.r1, r.r2, r.r3, r.r12, r.lr, r.pc, xpsr];
        let mut system = self.system.borrow_mut();
        (0u32..).zip(words).all(|(i, word)| {
            system
                .core_write(frame.wrapping_add(i * 4), Width::Word, word)
                .is_ok()
        })
    }

    /// Returns from the active exception.
    pub(super) fn exception_return(&mut self, exc_return: u32) {
        let n = self.scs.nvic.current();
        self.scs.nvic.leave(n);
        if n != number::NMI {
            self.proc.registers.faultmask.set_pm(false);
        }
        let to_thread = match exc_return & 0xF {
            0x1 => false,
            0x9 | 0xD => true,
            _ => {
                self.scs.cfsr |= cfsr::INVPC;
                self.enter(number::HARD_FAULT);
                return;
            }
        };
        if to_thread {
            self.proc
                .registers
                .control
                .set_privileged_bit(self.thread_control & 1 != 0);
            self.proc
                .registers
                .control
                .set_spsel(exc_return & 0xF == 0xD);
        }
        let frame = self.proc.registers.sp();
        let mut words = [0u32; 8];
        {
            let mut system = self.system.borrow_mut();
            for (i, word) in (0u32..).zip(words.iter_mut()) {
                match system.core_read(frame.wrapping_add(i * 4), Width::Word) {
                    Ok(value) => *word = value,
                    Err(_) => {
                        drop(system);
                        self.fault(Fault::Data { address: frame });
                        return;
                    }
                }
            }
            system.charge(10);
        }
        let [r0, r1, r2, r3, r12, lr, pc, xpsr] = words;
        let align = if xpsr & XPSR_ALIGNED != 0 { 4 } else { 0 };
        let r = &mut self.proc.registers;
        (r.r0, r.r1, r.r2, r.r3, r.r12, r.lr) = (r0, r1, r2, r3, r12, lr);
        r.pc = pc & !1;
        *r.sp_mut() = frame.wrapping_add(FRAME_BYTES) | align;
        r.psr.set(xpsr);
        r.psr.set_exception_number(self.scs.nvic.current());
        r.event = true;
        if !to_thread && self.scs.nvic.current() == 0 {
            self.fault(Fault::InvalidState);
        }
    }

    /// Executes the instructions that armagnac leaves open.
    pub(super) fn system_instruction(&mut self, class: Class) {
        let handler = self.scs.nvic.current() != 0;
        match class {
            Class::Svc => self.supervisor_call(),
            Class::Yield => self.system.borrow_mut().idle_hint(),
            Class::Wfi if !self.scs.nvic.wakes(self.masks()) => self.state = State::Sleeping,
            Class::Wfe if !std::mem::take(&mut self.proc.registers.event) => {
                self.state = State::Sleeping
            }
            Class::Cps { enable, i, f } if self.proc.is_privileged() => {
                if i {
                    self.proc.registers.primask.set_pm(!enable);
                }
                if f {
                    self.proc.registers.faultmask.set_pm(!enable);
                }
            }
            Class::Mrs { rd, sysm } => {
                let control = self.control(handler);
                let r = &self.proc.registers;
                let value = match sysm {
                    16 => u32::from(r.primask.pm()),
                    17 | 18 => u32::from(self.basepri),
                    19 => u32::from(r.faultmask.pm()),
                    20 => control,
                    _ => 0,
                };
                self.proc
                    .registers
                    .set(RegisterIndex::new_main(u32::from(rd)), value);
            }
            Class::Msr { rn, sysm } if self.proc.is_privileged() => {
                let value = self.proc.registers[RegisterIndex::new_main(u32::from(rn))];
                match sysm {
                    16 => self.proc.registers.primask.set_pm(value & 1 != 0),
                    17 => self.basepri = value as u8,
                    18 if value as u8 != 0
                        && (self.basepri == 0 || (value as u8) < self.basepri) =>
                    {
                        self.basepri = value as u8;
                    }
                    19 => self.proc.registers.faultmask.set_pm(value & 1 != 0),
                    20 => self.set_control(handler, value),
                    _ => {}
                }
            }
            _ => {}
        }
    }

    fn supervisor_call(&mut self) {
        let current = self.scs.nvic.execution_priority(self.masks());
        if i16::from(self.scs.nvic.priority(number::SV_CALL)) < current {
            self.enter(number::SV_CALL);
        } else {
            self.scs.hfsr |= HFSR_FORCED;
            self.enter(number::HARD_FAULT);
        }
    }

    /// CONTROL as a program or the debugger sees it.
    pub(super) fn control(&self, handler: bool) -> u32 {
        if handler {
            self.thread_control & 1
        } else {
            self.proc.registers.control.read() & 3
        }
    }

    /// Writes CONTROL; SPSEL is ignored in Handler mode.
    pub(super) fn set_control(&mut self, handler: bool, value: u32) {
        if handler {
            self.thread_control = (self.thread_control & 2) | (value & 1);
        } else {
            self.proc
                .registers
                .control
                .set_privileged_bit(value & 1 != 0);
            self.proc.registers.control.set_spsel(value & 2 != 0);
        }
    }
}
