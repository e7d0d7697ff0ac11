//! armagnac's view of memory: everything below the private peripheral bus is the board's system bus.

use std::cell::RefCell;
use std::rc::Rc;

use armagnac::memory::{
    Env, MemoryAccessError, MemoryInterface, MemoryReadResult, MemoryWriteResult,
};

use super::PPB_BASE;
use crate::board::system::System;
use crate::bus::Width;

pub struct CoreBus {
    system: Rc<RefCell<System>>,
}

impl CoreBus {
    pub fn new(system: Rc<RefCell<System>>) -> Self {
        CoreBus { system }
    }

    fn read(&mut self, address: u32, width: Width) -> MemoryReadResult<u32> {
        self.system
            .borrow_mut()
            .core_read(address, width)
            .map_err(|_| MemoryAccessError::HardwareError)
    }

    fn write(&mut self, address: u32, width: Width, value: u32) -> MemoryWriteResult {
        self.system
            .borrow_mut()
            .core_write(address, width, value)
            .map_err(|_| MemoryAccessError::HardwareError)
    }
}

impl MemoryInterface for CoreBus {
    fn size(&self) -> u32 {
        PPB_BASE
    }
    fn read_u8(&mut self, address: u32, _env: &mut Env) -> MemoryReadResult<u8> {
        self.read(address, Width::Byte).map(|v| v as u8)
    }
    fn read_u16le(&mut self, address: u32, _env: &mut Env) -> MemoryReadResult<u16> {
        self.read(address, Width::Half).map(|v| v as u16)
    }
    fn read_u32le(&mut self, address: u32, _env: &mut Env) -> MemoryReadResult<u32> {
        self.read(address, Width::Word)
    }
    fn write_u8(&mut self, address: u32, value: u8, _env: &mut Env) -> MemoryWriteResult {
        self.write(address, Width::Byte, u32::from(value))
    }
    fn write_u16le(&mut self, address: u32, value: u16, _env: &mut Env) -> MemoryWriteResult {
        self.write(address, Width::Half, u32::from(value))
    }
    fn write_u32le(&mut self, address: u32, value: u32, _env: &mut Env) -> MemoryWriteResult {
        self.write(address, Width::Word, value)
    }
}
