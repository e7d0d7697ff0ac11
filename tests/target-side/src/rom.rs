//! What the boot ROM makes of a flash, without a core: the ROM model over the desk's chip, FlexSPI and flash.

use virtual_board::bus::{Bus, BusFault, Width};
use virtual_board::flexspi::{FlexSpi, Ports};
use virtual_board::rom::{Outcome, Reading, Rom, RomBus, RomStep};
use virtual_board::soc::{Fuses, ResetCause, Soc, Straps};
use virtual_board::time::Time;
use virtual_board::trace::Trace;

use crate::board::Model;

const FLEXSPI: std::ops::Range<u32> = 0x402A_8000..0x402A_C000;
const WINDOW: std::ops::Range<u32> = 0x6000_0000..0x7000_0000;
const OCRAM: std::ops::Range<u32> = 0x2020_0000..0x202C_0000;
/// Core clocks charged per access.
const ACCESS_CYCLES: u64 = 6;
/// A boot takes some ten milliseconds; a ROM that decides nothing in this time hangs.
const PATIENCE: Time = Time::ms(3_000);

/// Power-on of a chip with the model's flash, strapped for internal boot, until the ROM has decided. The flash has just got
/// its power too: what was under way in it was torn before.
pub fn boot(model: &mut Model, reading: Reading) -> Outcome {
    model.nor.power_cut(model.now, 0);
    let mut chip = PoweredUp {
        soc: Soc::new(Straps::INTERNAL_BOOT, Fuses::default()),
        flexspi: FlexSpi::new(),
        trace: Trace::default(),
        now: model.now,
        ocram: vec![0; OCRAM.len()],
        model,
    };
    chip.soc.reset(ResetCause::PowerOn, chip.now);
    let mut rom = Rom::new(reading);
    let end = chip.now + PATIENCE;
    while rom.outcome().is_none() {
        match rom.step(&mut chip) {
            RomStep::Boot { pc, .. } => assert!(rom.outcome().is_some(), "booted {pc:#x}"),
            RomStep::Continue | RomStep::SerialDownloader => {}
        }
        assert!(chip.now < end, "the ROM decides nothing at {:#X}", rom.pc());
    }
    chip.model.now = chip.now;
    // it leaves the flash as it likes; the next power-on does not know
    chip.model.nor.power_cut(chip.now, 0);
    rom.outcome().expect("decided").clone()
}

struct PoweredUp<'m> {
    model: &'m mut Model,
    soc: Soc,
    flexspi: FlexSpi,
    trace: Trace,
    now: Time,
    ocram: Vec<u8>,
}

impl PoweredUp<'_> {
    fn with_flexspi<T>(&mut self, f: impl FnOnce(&mut FlexSpi, &mut Ports<'_>) -> T) -> T {
        let mut ports = Ports {
            now: self.now,
            serial_root_hz: self.soc.flexspi_root_hz(self.now),
            pads: self.soc.flexspi_pads(),
            nor: &mut self.model.nor,
            trace: &mut self.trace,
        };
        f(&mut self.flexspi, &mut ports)
    }

    fn spend_access(&mut self) {
        self.now += Time::cycles(ACCESS_CYCLES, self.soc.core_hz(self.now));
    }
}

impl Bus for PoweredUp<'_> {
    fn read(&mut self, address: u32, width: Width) -> Result<u32, BusFault> {
        self.spend_access();
        let bytes = width.bytes() as usize;
        let mut word = [0; 4];
        if FLEXSPI.contains(&address) {
            return self.with_flexspi(|f, p| f.read(address - FLEXSPI.start, width, p));
        }
        if WINDOW.contains(&address) {
            let out = &mut word[..bytes];
            let stall = self.with_flexspi(|f, p| f.ahb_read(address - WINDOW.start, out, p))?;
            self.now += stall;
            return Ok(u32::from_le_bytes(word));
        }
        if OCRAM.contains(&address) {
            let at = (address - OCRAM.start) as usize;
            word[..bytes].copy_from_slice(&self.ocram[at..at + bytes]);
            return Ok(u32::from_le_bytes(word));
        }
        let read = self
            .soc
            .peripheral_read(address, width, self.now, &mut self.trace);
        read.unwrap_or(Err(BusFault))
    }

    fn write(&mut self, address: u32, width: Width, value: u32) -> Result<(), BusFault> {
        self.spend_access();
        if FLEXSPI.contains(&address) {
            return self.with_flexspi(|f, p| f.write(address - FLEXSPI.start, width, value, p));
        }
        if OCRAM.contains(&address) {
            let at = (address - OCRAM.start) as usize;
            let bytes = width.bytes() as usize;
            self.ocram[at..at + bytes].copy_from_slice(&value.to_le_bytes()[..bytes]);
            return Ok(());
        }
        let written = self
            .soc
            .peripheral_write(address, width, value, self.now, &mut self.trace);
        written.unwrap_or(Err(BusFault))
    }
}

impl RomBus for PoweredUp<'_> {
    fn spend(&mut self, span: Time) {
        self.now += span;
    }
    fn charge(&mut self, cycles: u64) {
        self.now += Time::cycles(cycles, self.soc.core_hz(self.now));
    }
    fn now(&self) -> Time {
        self.now
    }
    fn note(&mut self, text: String) {
        self.trace.note(self.now, "rom", text);
    }
    fn set_mpu(&mut self, _on: bool) {}
    fn set_caches(&mut self, _on: bool) {}
}
