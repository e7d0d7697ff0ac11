//! The boot ROM on the chip: one step of its run after reset, or of a call of its API.

use super::chip::Chip;
use super::rom_port::RomPort;
use crate::rom::api::{Call, CallStep};
use crate::rom::{RomBus, RomStep};
use crate::time::Time;

impl Chip {
    /// Makes the ROM's next step, if the ROM runs.
    pub(super) fn step_rom(&mut self) -> bool {
        if let Some((function, arguments)) = self.cpu.take_rom_call() {
            self.call = Some(Call::new(function, arguments, self.rom_erase));
        }
        if !self.cpu.in_rom() {
            return false;
        }
        match self.call.take() {
            Some(call) => self.call_step(call),
            None => self.boot_step(),
        }
        self.cpu.retire();
        true
    }

    fn boot_step(&mut self) {
        let mut port = RomPort {
            system: &self.system,
            cpu: &mut self.cpu,
        };
        let before = port.now();
        match self.rom.step(&mut port) {
            RomStep::Continue => {
                // a step without a bus access still takes the ROM some instructions
                if port.now() == before {
                    port.spend(Time::ns(50));
                }
                self.cpu.enter_rom(self.rom.pc());
            }
            RomStep::Boot { sp, pc, vtor } => {
                self.system
                    .borrow_mut()
                    .note("rom", format!("starts the image at 0x{pc:08X}"));
                self.cpu.leave_rom();
                self.cpu.start(sp, pc, vtor);
            }
            RomStep::SerialDownloader => {
                self.system.borrow_mut().spend(Time::us(1));
                self.cpu.enter_rom(self.rom.pc());
            }
        }
    }

    fn call_step(&mut self, mut call: Call) {
        let mut port = RomPort {
            system: &self.system,
            cpu: &mut self.cpu,
        };
        let before = port.now();
        let step = call.step(&mut port);
        if port.now() == before {
            port.charge(1);
        }
        match step {
            CallStep::Continue => self.call = Some(call),
            CallStep::Return(status) => {
                self.cpu.return_from_rom(status);
                if self.cpu.interrupt_waits() {
                    let text = "an interrupt waited for the end of a ROM API call: the model takes it only now";
                    self.system.borrow_mut().note("rom", text);
                }
            }
            CallStep::BusFault { address } => self.cpu.fault_in_rom(address),
            CallStep::ModelLimit(what) => self.cpu.model_limit_in_rom(what),
        }
    }
}
