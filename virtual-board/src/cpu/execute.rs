//! One instruction: fetched, decoded, executed by armagnac or by the board itself.

use std::rc::Rc;

use armagnac::core::{Condition, Effect, ItState, RunError};
use armagnac::decoder::{InstructionDecode, InstructionDecodeError};
use armagnac::instructions::{Instruction, InstructionSize};
use armagnac::registers::{CoreRegisters, Mode, RegisterIndex};

use super::debug::dfsr;
use super::decode::{self, Access, Class};
use super::exception::Fault;
use super::watch::Kind;
use super::{Cpu, DECODE_SLOTS, DEVICE, PPB_BASE, PPB_END, scs};
use crate::bus::Width;

/// An instruction as it was decoded last at its address.
pub(super) struct Decoded {
    pc: u32,
    raw: u32,
    it: u8,
    size: u32,
    class: Class,
    instruction: Rc<dyn Instruction>,
}

impl Cpu {
    /// True where a breakpoint or instruction watchpoint halts the core before `pc`.
    pub(super) fn watched(&mut self, pc: u32) -> bool {
        if self.fpb.active() && self.fpb.hits(pc) && self.debug.halt(dfsr::BKPT) {
            return true;
        }
        self.debug.trace_enabled()
            && self.dwt.watches_instructions()
            && self.dwt.observe(Kind::Instruction, pc)
            && self.debug.halt(dfsr::DWTTRAP)
    }

    pub(super) fn decode(&mut self, pc: u32) -> Result<usize, Fault> {
        let mut system = self.system.borrow_mut();
        let first = system.fetch(pc).map_err(|_| Fault::Fetch)?;
        let wide = InstructionSize::from_halfword(first) == InstructionSize::Ins32;
        let raw = if wide {
            let second = system.fetch(pc.wrapping_add(2)).map_err(|_| Fault::Fetch)?;
            (u32::from(first) << 16) | u32::from(second)
        } else {
            u32::from(first)
        };
        system.charge(1);
        drop(system);
        let it = self.proc.registers.psr.it_state();
        let slot = (pc >> 1) as usize % DECODE_SLOTS;
        if let Some(Some(d)) = self.decoded.get(slot)
            && d.pc == pc
            && d.raw == raw
            && d.it == it.0
        {
            return Ok(slot);
        }
        let (size, class) = if wide {
            (InstructionSize::Ins32, decode::classify32(raw))
        } else {
            (InstructionSize::Ins16, decode::classify16(first))
        };
        match class {
            Class::Udf => return Err(Fault::Undefined),
            Class::Coprocessor if !self.scs.fpu_enabled() => return Err(Fault::NoCoprocessor),
            Class::Coprocessor => {
                return Err(Fault::Model("floating-point or coprocessor instruction"));
            }
            _ => {}
        }
        let instruction = self
            .decoder
            .try_decode(raw, size, it)
            .map_err(|e| match e {
                InstructionDecodeError::Undefined => Fault::Undefined,
                InstructionDecodeError::Unknown => Fault::Model("instruction not in the emulator"),
                InstructionDecodeError::Unpredictable => Fault::Model("unpredictable encoding"),
            })?;
        if let Some(d) = self.decoded.get_mut(slot) {
            *d = Some(Decoded {
                pc,
                raw,
                it: it.0,
                size: if wide { 4 } else { 2 },
                class,
                instruction,
            });
        }
        Ok(slot)
    }

    pub(super) fn execute(&mut self, slot: usize, pc: u32) {
        let Some(Some(d)) = self.decoded.get(slot) else {
            return;
        };
        let (class, size, instruction) = (d.class, d.size, d.instruction.clone());
        let before = self.proc.registers;
        let mut it: ItState = self.proc.registers.psr.it_state();
        let condition = instruction
            .condition()
            .or(it.current_condition())
            .unwrap_or(Condition::Always);
        it.advance();
        self.proc.registers.psr.set_it_state(it);
        if !self.proc.registers.psr.test(condition) {
            self.proc.registers.pc = pc.wrapping_add(size);
            return;
        }
        let outcome = match class {
            Class::Plain => self.run(&*instruction, pc, size),
            Class::MoveToPc => {
                let result = self.run(&*instruction, pc, size);
                self.proc.registers.psr.set_t(true);
                result
            }
            Class::Access(access) => self.load_store(access, &*instruction, pc, size, &before),
            Class::Several { rn } => {
                let base = before[RegisterIndex::new_main(u32::from(rn))];
                if (PPB_BASE..=PPB_END).contains(&base) {
                    Err(Fault::Model(
                        "multi-word access to the private peripheral bus",
                    ))
                } else {
                    self.run(&*instruction, pc, size)
                }
            }
            other => {
                self.proc.registers.pc = pc.wrapping_add(size);
                self.system_instruction(other);
                Ok(())
            }
        };
        if let Err(fault) = outcome {
            self.proc.registers = before;
            self.fault(fault);
        }
    }

    /// Lets armagnac execute `instruction`.
    fn run(&mut self, instruction: &dyn Instruction, pc: u32, size: u32) -> Result<(), Fault> {
        self.proc.registers.pc = pc.wrapping_add(4);
        let effect = instruction.execute(&mut self.proc).map_err(|e| match e {
            RunError::MemRead { address, .. } | RunError::MemWrite { address, .. } => {
                if self.system.borrow_mut().take_protection_fault() {
                    Fault::Protection { address }
                } else {
                    Fault::Data { address }
                }
            }
            RunError::InstructionUndefined => Fault::Undefined,
            _ => Fault::Model("unpredictable execution"),
        })?;
        if self.proc.registers.mode == Mode::Handler {
            // armagnac takes its own UsageFault for an unaligned access; the caller restores the registers
            return Err(Fault::Unaligned);
        }
        match effect {
            Effect::Branch => {}
            _ if size == 2 => self.proc.registers.pc = self.proc.registers.pc.wrapping_sub(2),
            _ => {}
        }
        if let Effect::Break(_) = effect {
            self.proc.registers.pc = pc;
            if !self.debug.halt(dfsr::BKPT) {
                return Err(Fault::Breakpoint);
            }
        }
        Ok(())
    }

    fn load_store(
        &mut self,
        access: Access,
        instruction: &dyn Instruction,
        pc: u32,
        size: u32,
        before: &CoreRegisters,
    ) -> Result<(), Fault> {
        let (address, base) = access.effective(before);
        let aligned = address.is_multiple_of(access.width.bytes());
        if !aligned && (DEVICE.contains(&address) || self.scs.ccr & scs::ccr::UNALIGN_TRP != 0) {
            return Err(Fault::Unaligned);
        }
        let result = if (PPB_BASE..=PPB_END).contains(&address) {
            self.ppb_load_store(access, address, base, pc.wrapping_add(size))
        } else {
            self.run(instruction, pc, size)
        };
        if self.debug.trace_enabled() && self.dwt.watches_data() {
            let kind = if access.load { Kind::Read } else { Kind::Write };
            if self.dwt.observe(kind, address) {
                self.debug.halt(dfsr::DWTTRAP);
            }
        }
        result
    }

    fn ppb_load_store(
        &mut self,
        access: Access,
        address: u32,
        base: u32,
        next: u32,
    ) -> Result<(), Fault> {
        let rt = RegisterIndex::new_main(u32::from(access.rt));
        let fault = Fault::Data { address };
        if access.load {
            let value = self
                .ppb_read(address, access.width, false)
                .map_err(|_| fault)?;
            let value = match (access.signed, access.width) {
                (true, Width::Byte) => value as u8 as i8 as u32,
                (true, Width::Half) => value as u16 as i16 as u32,
                _ => value,
            };
            self.proc.registers.set(rt, value);
        } else {
            let value = self.proc.registers[rt];
            self.ppb_write(address, access.width, value, false)
                .map_err(|_| fault)?;
        }
        if access.write_back {
            self.proc
                .registers
                .set(RegisterIndex::new_main(u32::from(access.rn)), base);
        }
        self.proc.registers.pc = next;
        Ok(())
    }
}
