//! The Cortex-M7: armagnac executes instructions; exceptions, faults, lockup, sleep and debug are the board's own.
//!
//! What the model lacks (floating point, most DSP instructions, multi-word accesses to the private peripheral bus)
//! ends in [`State::ModelLimit`], which is a statement about this model and never about the program.

pub mod debug;
pub mod decode;
mod exception;
mod execute;
mod memory;
pub mod nvic;
mod ppb;
mod rom_call;
pub mod scs;
mod systick;
pub mod watch;

use std::cell::RefCell;
use std::rc::Rc;

use armagnac::core::{ArmVersion, Config, Processor};
use armagnac::decoder::Lut16AndGrouped32InstructionDecoder;
use armagnac::registers::CoreRegisters;

use crate::board::system::System;
use crate::rom::api::Function;
use debug::{Debug, dfsr};
use exception::Fault;
use execute::Decoded;
use scs::Scs;
use watch::{Dwt, Fpb, Itm};

/// What the core is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Executing.
    Running,
    /// In WFI or WFE.
    Sleeping,
    /// Locked up: a fault inside HardFault or NMI.
    LockedUp,
    /// In code of the boot ROM that the model does not have (an exception handler, or the start after a core-only reset):
    /// taken to loop until a reset.
    UnknownRomCode,
    /// The model cannot go on; the text names the instruction and its address.
    ModelLimit(String),
}

/// Resets that a program asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetRequest {
    /// AIRCR.SYSRESETREQ: the whole chip.
    System,
    /// AIRCR.VECTRESET: the core alone.
    Core,
}

const DECODE_SLOTS: usize = 1 << 12;

/// First address of the private peripheral bus.
pub const PPB_BASE: u32 = 0xE000_0000;
/// Last address of the private peripheral bus.
pub const PPB_END: u32 = 0xE00F_FFFF;
/// Device and peripheral memory, where unaligned accesses fault.
const DEVICE: std::ops::Range<u32> = 0x4000_0000..0x6000_0000;
/// PC values from here on are exception returns while in Handler mode.
const EXC_RETURN: u32 = 0xF000_0000;

/// Vector table of the boot ROM, in force until a program moves VTOR.
const ROM_VECTORS: std::ops::Range<u32> = 0x0020_0000..0x0020_0400;
/// The PC shown while [`State::UnknownRomCode`]; the true address is unknown.
const UNKNOWN_ROM_PC: u32 = 0x0020_0400;

/// Cortex-M7 r1p1.
pub const CPUID: u32 = 0x411F_C271;

/// The core with its private peripherals.
pub struct Cpu {
    /// What CPUID shows.
    pub cpuid: u32,
    proc: Processor,
    decoder: Lut16AndGrouped32InstructionDecoder,
    decoded: Vec<Option<Decoded>>,
    system: Rc<RefCell<System>>,
    /// System control space.
    pub scs: Scs,
    /// Watchpoints.
    pub dwt: Dwt,
    /// Breakpoints.
    pub fpb: Fpb,
    /// Trace messages of programs.
    pub itm: Itm,
    /// Debug registers.
    pub debug: Debug,
    state: State,
    basepri: u8,
    /// CONTROL of Thread mode while in Handler mode (armagnac runs handlers as privileged Thread code on MSP).
    thread_control: u32,
    reset_request: Option<ResetRequest>,
    last_pc: u32,
    fp_registers: [u32; 33],
    rom_mpu: bool,
    /// The boot ROM runs: the address it shows.
    rom_pc: Option<u32>,
    /// The core has just branched to this function of the ROM.
    rom_call: Option<Function>,
}

impl Cpu {
    /// A core out of reset, attached to `system`.
    pub fn new(system: Rc<RefCell<System>>) -> Self {
        let mut proc = Processor::new(Config::v7em());
        // The mapping is the whole space below the private peripheral bus; no other mapping overlaps it.
        let _ = proc.map_iface(
            0,
            Rc::new(RefCell::new(memory::CoreBus::new(system.clone()))),
        );
        let mut decoded = Vec::new();
        decoded.resize_with(DECODE_SLOTS, || None);
        Cpu {
            cpuid: CPUID,
            proc,
            decoder: Lut16AndGrouped32InstructionDecoder::new(ArmVersion::V7EM),
            decoded,
            system,
            scs: Scs::default(),
            dwt: Dwt::default(),
            fpb: Fpb::default(),
            itm: Itm::default(),
            debug: Debug::default(),
            state: State::Running,
            basepri: 0,
            thread_control: 0,
            reset_request: None,
            last_pc: 0,
            fp_registers: [0; 33],
            rom_mpu: false,
            rom_pc: None,
            rom_call: None,
        }
    }

    /// System reset of the core; the debug domain stays.
    pub fn system_reset(&mut self) {
        self.proc.registers = CoreRegisters::new();
        self.proc.registers.psr.set_t(true);
        self.rom_pc = None;
        self.rom_call = None;
        self.scs = Scs::default();
        self.state = State::Running;
        self.basepri = 0;
        self.thread_control = 0;
        self.reset_request = None;
        self.rom_mpu = false;
        self.debug.system_reset();
        self.update_caches();
    }

    /// Power-on reset.
    pub fn power_on(&mut self) {
        self.debug.power_on();
        self.dwt.power_on();
        self.fpb.power_on();
        self.itm = Itm::default();
        self.system_reset();
    }

    /// A reset of the core alone (AIRCR.VECTRESET). It begins in the boot ROM, which then finds a chip that was not reset:
    /// what it does there is unknown.
    pub fn core_reset(&mut self) {
        self.system_reset();
        self.set_rom_mpu(false);
        self.state = State::UnknownRomCode;
        self.last_pc = UNKNOWN_ROM_PC;
    }

    /// How the program on the core has crashed, if it has.
    pub fn crash(&self) -> Option<&'static str> {
        match self.state {
            State::LockedUp => Some("locked up"),
            State::UnknownRomCode => Some("back in the boot ROM, in code that the model lacks"),
            _ if self.scs.nvic.current() == nvic::number::HARD_FAULT => Some("in HardFault"),
            _ => None,
        }
    }

    /// Starts a program: SP, PC (bit 0 = Thumb) and VTOR as the boot ROM leaves them.
    pub fn start(&mut self, sp: Option<u32>, pc: u32, vtor: u32) {
        if let Some(sp) = sp {
            self.proc.registers.msp = sp & !3;
        }
        self.scs.vtor = vtor & scs::VTOR_MASK;
        self.proc.blx_write_pc(pc);
        self.state = State::Running;
    }

    /// What the core is doing.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The address of the next instruction.
    pub fn pc(&self) -> u32 {
        self.proc.registers.pc
    }

    /// The stack pointer in use.
    pub fn sp(&self) -> u32 {
        self.proc.registers.sp()
    }

    /// The boot ROM runs and shows `pc`.
    pub fn enter_rom(&mut self, pc: u32) {
        self.rom_pc = Some(pc);
        self.last_pc = pc;
    }

    /// The boot ROM has handed over.
    pub fn leave_rom(&mut self) {
        self.rom_pc = None;
    }

    /// True while the boot ROM runs and nobody moved the PC.
    pub fn in_rom(&self) -> bool {
        self.rom_pc.is_some()
    }

    /// The PC as a debugger reads it.
    pub(crate) fn debugger_pc(&self) -> u32 {
        match self.state {
            State::UnknownRomCode => UNKNOWN_ROM_PC,
            _ => self.rom_pc.unwrap_or(self.proc.registers.pc),
        }
    }

    /// A debugger writes the PC: the boot ROM is left.
    pub(crate) fn debugger_set_pc(&mut self, pc: u32) {
        self.rom_pc = None;
        self.rom_call = None;
        if self.state == State::UnknownRomCode {
            self.state = State::Running;
        }
        self.proc.registers.pc = pc & !1;
    }

    /// A reset the program asked for, once.
    pub fn take_reset_request(&mut self) -> Option<ResetRequest> {
        self.reset_request.take()
    }

    /// The boot ROM's MPU set-up is on: nothing but ROM code may touch RAM until somebody clears MPU_CTRL.
    pub fn set_rom_mpu(&mut self, on: bool) {
        self.rom_mpu = on;
        self.scs.mpu_ctrl = u32::from(on);
        self.system.borrow_mut().set_rom_mpu(on);
    }

    /// Sets CCR.IC and CCR.DC as the boot ROM does; what the instruction cache held before a reset is invalidated first, as
    /// the Cortex-M7 TRM asks of whoever turns it on.
    pub fn set_caches(&mut self, on: bool) {
        let bits = scs::ccr::IC | scs::ccr::DC;
        if on {
            self.system.borrow_mut().caches.invalidate_instruction();
            self.scs.ccr |= bits
        } else {
            self.scs.ccr &= !bits
        }
        self.update_caches();
    }

    fn update_caches(&mut self) {
        let (ic, dc) = (
            self.scs.ccr & scs::ccr::IC != 0,
            self.scs.ccr & scs::ccr::DC != 0,
        );
        self.system.borrow_mut().caches.enable(ic, dc);
    }

    /// Wakes a sleeping core if an exception is pending, or for a debug event.
    pub fn poll_wake(&mut self) -> bool {
        let masks = self.masks();
        if self.state == State::Sleeping && (self.scs.nvic.wakes(masks) || self.debug.halted()) {
            self.state = State::Running;
        }
        self.state == State::Running
    }

    /// Advances SysTick to now.
    pub fn tick(&mut self) {
        if self.scs.systick_interrupts() {
            let (cycle, hz) = {
                let s = self.system.borrow();
                (s.core_cycle(), s.core_hz())
            };
            self.scs.tick(cycle, hz);
        }
    }

    /// Executes one instruction, or takes one exception. Call only while [`State::Running`] and not halted.
    pub fn step(&mut self) {
        if self.scs.nvic.any_pending()
            && !self.debug.interrupts_masked()
            && let Some(n) = self.scs.nvic.next(self.masks())
        {
            self.enter(n);
            return;
        }
        let pc = self.proc.registers.pc;
        if pc >= EXC_RETURN && self.scs.nvic.current() != 0 {
            self.exception_return(pc | 1);
            return;
        }
        if !self.proc.registers.psr.t() {
            self.last_pc = pc;
            self.fault(Fault::InvalidState);
            return;
        }
        if let Some(function) = Function::at(pc) {
            if !self.watched(pc) {
                self.last_pc = pc;
                self.branch_to_rom(function);
            }
            return;
        }
        let decoded = self.decode(pc);
        // an address that gives no instruction executes none: no comparator matches
        if !matches!(decoded, Err(Fault::Fetch)) && self.watched(pc) {
            return;
        }
        self.last_pc = pc;
        match decoded {
            Ok(slot) => self.execute(slot, pc),
            Err(fault) => self.fault(fault),
        }
        self.retire();
    }

    /// An instruction is done: a single step ends here.
    pub fn retire(&mut self) {
        self.debug.retired();
        if self.debug.stepping() && self.debug.enabled() {
            self.debug.halt(dfsr::HALTED);
        }
    }
}
