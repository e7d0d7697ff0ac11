//! The bench of the boot ROM tests: chip, FlexSPI, flash and RAM wired together, without core and debug port.

mod fcbs;

pub use fcbs::{FCB_EVK, FcbWords, KNOWN_FCBS, fcb};

use virtual_board::bus::{Bus, BusFault, Width};
use virtual_board::flexspi::{FlexSpi, Ports};
use virtual_board::nor::{Margin, Nor, Part, TimingProfile};
use virtual_board::rom::{Outcome, Reading, Rom, RomBus, RomStep};
use virtual_board::soc::{Fuses, ResetCause, Soc, Straps};
use virtual_board::time::Time;
use virtual_board::trace::Trace;

/// Quad enable in the flash's status register.
pub const QE: u8 = 0x40;

const FLEXSPI: std::ops::Range<u32> = 0x402A_8000..0x402A_C000;
const WINDOW: std::ops::Range<u32> = 0x6000_0000..0x7000_0000;
const OCRAM: std::ops::Range<u32> = 0x2020_0000..0x202C_0000;
/// Core clocks charged per access.
const ACCESS_CYCLES: u64 = 6;
/// A boot takes some ten milliseconds; a ROM that decides nothing in this time hangs.
const PATIENCE: Time = Time::ms(3_000);

/// Flash content from offset 0; the rest of the flash is erased.
#[derive(Clone)]
pub struct Image {
    pub flash: Vec<u8>,
}

impl Image {
    /// FCB, IVT, boot data, vector table and a reset handler, laid out as NXP's SDK does.
    pub fn sdk() -> Self {
        let mut image = Image {
            flash: vec![0; 0x4000],
        };
        image.put_words(0, FCB_EVK);
        image.put_words(
            0x1000,
            &[
                0x4120_00D1,
                0x6000_2000,
                0,
                0,
                0x6000_1020,
                0x6000_1000,
                0,
                0,
            ],
        );
        image.put_words(0x1020, &[0x6000_0000, 0x0080_0000, 0, 0xFFFF_FFFF]);
        image.put_words(0x2000, &[0x2002_0000, 0x6000_2101]);
        // b . and nops
        image.put_words(0x2100, &[0xE7FE_BF00, 0xBF00_BF00]);
        image
    }

    /// The same image linked for RAM, with flash offset 0 at `start`.
    pub fn for_ram(start: u32) -> Self {
        let mut image = Image::sdk();
        image.put_words(
            0x1000,
            &[
                0x4020_00D1,
                start + 0x2000,
                0,
                0,
                start + 0x1020,
                start + 0x1000,
                0,
                0,
            ],
        );
        image.put_words(0x1020, &[start, 0x3000, 0]);
        image.put_words(0x2000, &[0x2002_0000, start + 0x2101]);
        image
    }

    pub fn with_fcb(mut self, words: &FcbWords) -> Self {
        self.put_words(0, words);
        self
    }

    pub fn entry(self, entry: u32) -> Self {
        self.ivt_word(1, entry)
    }

    pub fn ivt_word(mut self, index: usize, word: u32) -> Self {
        self.put_words(0x1000 + 4 * index, &[word]);
        self
    }

    pub fn boot_data(mut self, start: u32, length: u32, plugin: u32) -> Self {
        self.put_words(0x1020, &[start, length, plugin]);
        self
    }

    fn put_words(&mut self, at: usize, words: &[u32]) {
        for (index, word) in words.iter().enumerate() {
            self.flash[at + 4 * index..][..4].copy_from_slice(&word.to_le_bytes());
        }
    }
}

pub struct Bench {
    pub rom: Rom,
    pub soc: Soc,
    pub flexspi: FlexSpi,
    pub nor: Nor,
    pub ocram: Vec<u8>,
    pub trace: Trace,
    pub now: Time,
    pub mpu: bool,
    pub caches: bool,
    last_read: Option<u32>,
}

impl Bench {
    /// An open part strapped for internal boot, with `status` in the flash's status register. The flash keeps up with
    /// the clocks of NXP's evaluation kits, as theirs do.
    pub fn with(image: &Image, status: u8, reading: Reading) -> Self {
        Bench::with_margin(Margin::AsShipped, image, status, reading)
    }

    /// The same with a choice of how the flash behaves beyond the data sheet's clocks.
    pub fn with_margin(margin: Margin, image: &Image, status: u8, reading: Reading) -> Self {
        let part = Part::builtin("is25wp064").expect("a known part");
        let mut nor = Nor::new(part, TimingProfile::Typ);
        nor.margin = margin;
        nor.content_mut()[..image.flash.len()].copy_from_slice(&image.flash);
        nor.set_status_register(status);
        Bench {
            rom: Rom::new(reading),
            soc: Soc::new(Straps::INTERNAL_BOOT, Fuses::default()),
            flexspi: FlexSpi::new(),
            nor,
            ocram: vec![0; OCRAM.len()],
            trace: Trace::default(),
            now: Time::ZERO,
            mpu: false,
            caches: false,
            last_read: None,
        }
    }

    /// Power-on, until the ROM decided.
    pub fn boot(&mut self) -> Outcome {
        self.soc.reset(ResetCause::PowerOn, self.now);
        self.run_rom_again()
    }

    /// SYSRESETREQ, until the ROM decided.
    pub fn warm_reset(&mut self) -> Outcome {
        self.soc.reset(ResetCause::SystemRequest, self.now);
        self.run_rom_again()
    }

    /// Runs the ROM after a reset of the chip.
    pub fn run_rom_again(&mut self) -> Outcome {
        self.flexspi = FlexSpi::new();
        self.rom.start();
        self.run();
        self.rom.outcome().expect("decided").clone()
    }

    pub fn power_cycle_flash(&mut self) {
        self.nor.power_cut(self.now, 1);
    }

    /// Runs the ROM until it boots, refuses or hangs.
    pub fn run(&mut self) -> RomStep {
        let end = self.now + PATIENCE;
        loop {
            let step = self.step();
            if step != RomStep::Continue || self.rom.outcome().is_some() {
                return step;
            }
            assert!(
                self.now < end,
                "the ROM decides nothing at {:#X}",
                self.rom.pc()
            );
        }
    }

    /// Runs until `end`, whatever happens.
    pub fn run_until(&mut self, end: Time) {
        while self.now < end {
            self.step();
        }
    }

    /// Runs until the ROM reads `address`; the time of it.
    pub fn run_to_read_of(&mut self, address: u32) -> Option<Time> {
        self.last_read = None;
        while self.now < PATIENCE {
            self.step();
            if self.last_read == Some(address) {
                return Some(self.now);
            }
        }
        None
    }

    pub fn core_hz(&self) -> u64 {
        self.soc.core_hz(self.now)
    }

    /// Reads a word over the bus.
    pub fn word(&mut self, address: u32) -> u32 {
        self.read(address, Width::Word).expect("modelled")
    }

    fn step(&mut self) -> RomStep {
        let mut rom = std::mem::replace(&mut self.rom, Rom::new(Reading::Strict));
        let step = rom.step(self);
        self.rom = rom;
        step
    }

    fn charge(&mut self) {
        self.now += Time::cycles(ACCESS_CYCLES, self.soc.core_hz(self.now));
    }

    fn with_flexspi<T>(&mut self, f: impl FnOnce(&mut FlexSpi, &mut Ports<'_>) -> T) -> T {
        let mut ports = Ports {
            now: self.now,
            serial_root_hz: self.soc.flexspi_root_hz(self.now),
            pads: self.soc.flexspi_pads(),
            nor: &mut self.nor,
            trace: &mut self.trace,
        };
        f(&mut self.flexspi, &mut ports)
    }
}

impl Bus for Bench {
    fn read(&mut self, address: u32, width: Width) -> Result<u32, BusFault> {
        self.charge();
        self.last_read = Some(address);
        let mut word = [0; 4];
        if FLEXSPI.contains(&address) {
            return self.with_flexspi(|f, p| f.read(address - FLEXSPI.start, width, p));
        }
        if WINDOW.contains(&address) {
            let out = &mut word[..width.bytes() as usize];
            let stall = self.with_flexspi(|f, p| f.ahb_read(address - WINDOW.start, out, p))?;
            self.now += stall;
            return Ok(u32::from_le_bytes(word));
        }
        if OCRAM.contains(&address) {
            let at = (address - OCRAM.start) as usize;
            word[..width.bytes() as usize]
                .copy_from_slice(&self.ocram[at..][..width.bytes() as usize]);
            return Ok(u32::from_le_bytes(word));
        }
        self.soc
            .peripheral_read(address, width, self.now, &mut self.trace)
            .unwrap_or(Err(BusFault))
    }

    fn write(&mut self, address: u32, width: Width, value: u32) -> Result<(), BusFault> {
        self.charge();
        if FLEXSPI.contains(&address) {
            return self.with_flexspi(|f, p| f.write(address - FLEXSPI.start, width, value, p));
        }
        if OCRAM.contains(&address) {
            let at = (address - OCRAM.start) as usize;
            let n = width.bytes() as usize;
            self.ocram[at..][..n].copy_from_slice(&value.to_le_bytes()[..n]);
            return Ok(());
        }
        self.soc
            .peripheral_write(address, width, value, self.now, &mut self.trace)
            .unwrap_or(Err(BusFault))
    }
}

impl RomBus for Bench {
    fn spend(&mut self, span: Time) {
        self.now += span;
    }
    fn charge(&mut self, cycles: u64) {
        self.now += Time::cycles(cycles, 396_000_000);
    }
    fn now(&self) -> Time {
        self.now
    }
    fn note(&mut self, text: String) {
        self.trace.note(self.now, "rom", text);
    }
    fn set_mpu(&mut self, on: bool) {
        self.mpu = on;
    }
    fn set_caches(&mut self, on: bool) {
        self.caches = on;
    }
}
