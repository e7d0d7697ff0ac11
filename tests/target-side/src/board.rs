//! The algorithm's bus over the model: every access costs time, every violation of the model is kept.

use flexspi_nor::bus::Bus;
use std::cell::RefCell;
use std::rc::Rc;
use virtual_board::bus::Width;
use virtual_board::flexspi::{FlexSpi, Pads, Ports};
use virtual_board::nor::{Nor, Part, TimingProfile};
use virtual_board::soc::{Fuses, ResetCause, Soc, Straps};
use virtual_board::time::Time;
use virtual_board::trace::{Severity, Trace};

const FLEXSPI: std::ops::Range<u32> = 0x402A_8000..0x402A_8400;
const AIRCR: u32 = 0xE000_ED0C;
/// One peripheral access of the core, roughly.
pub const ACCESS: Time = Time::ns(60);
/// What a YIELD lets pass when the flash is not busy.
const YIELD: Time = Time::us(20);

/// Every PLL has locked this long after it was last written: until then the serial clock is worked out for every access.
const SETTLED: Time = Time::ms(1);

/// The modelled blocks.
pub struct Model {
    pub soc: Soc,
    pub flexspi: FlexSpi,
    pub nor: Nor,
    pub trace: Trace,
    pub now: Time,
    pub aircr: u32,
    pub reset_requested: bool,
    pub faults: Vec<String>,
    /// Whether somebody asks about watchdogs: looking at them at every access takes time.
    pub watches: bool,
    /// A watchdog that was not serviced in time, and when that was seen.
    pub bitten: Option<(Time, ResetCause)>,
    /// FlexSPI's root clock, once the clocks have settled, and when they were last written.
    serial_root_hz: Option<u64>,
    clocks_written: Time,
    /// The pads as they are muxed, until a register is written.
    pads: Option<Pads>,
    /// What a peripheral access costs: a slow core polls less often, which is quicker to compute.
    pub access: Time,
}

/// A shared handle: the algorithm owns one, the test another.
#[derive(Clone)]
pub struct Board(pub Rc<RefCell<Model>>);

impl Board {
    /// A board at power-on with a flash part of `targets/flash`.
    pub fn new(part: &str) -> Self {
        Board::with_part(Part::builtin(part).unwrap())
    }

    /// A board at power-on with this flash part.
    pub fn with_part(part: Part) -> Self {
        Board(Rc::new(RefCell::new(Model {
            soc: Soc::new(Straps::INTERNAL_BOOT, Fuses::default()),
            flexspi: FlexSpi::new(),
            nor: Nor::new(part, TimingProfile::Typ),
            trace: Trace::default(),
            now: Time::ZERO,
            aircr: 0x500,
            reset_requested: false,
            faults: Vec::new(),
            watches: false,
            bitten: None,
            serial_root_hz: None,
            clocks_written: Time::ZERO,
            pads: None,
            access: ACCESS,
        })))
    }

    /// Runs `f` on the model.
    pub fn with<R>(&self, f: impl FnOnce(&mut Model) -> R) -> R {
        f(&mut self.0.borrow_mut())
    }

    /// Fails if the model refused anything.
    pub fn assert_clean(&self) {
        self.with(|m| {
            let lines: Vec<_> = m
                .trace
                .lines()
                .iter()
                .filter(|l| l.severity == Severity::Violation)
                .collect();
            assert!(lines.is_empty(), "violations: {lines:#?}");
            assert!(m.faults.is_empty(), "bus faults: {:#?}", m.faults);
        });
    }
}

impl Model {
    fn flexspi<R>(&mut self, f: impl FnOnce(&mut FlexSpi, &mut Ports<'_>) -> R) -> R {
        let serial_root_hz = self.serial_root_hz();
        let pads = *self.pads.get_or_insert_with(|| self.soc.flexspi_pads());
        let mut ports = Ports {
            now: self.now,
            serial_root_hz,
            pads,
            nor: &mut self.nor,
            trace: &mut self.trace,
        };
        f(&mut self.flexspi, &mut ports)
    }

    /// Lets time pass, and sees whether a watchdog bites.
    fn pass(&mut self, span: Time) {
        self.now += span;
        if self.watches && self.bitten.is_none() {
            self.bitten = self.soc.watchdog_due(self.now).map(|by| (self.now, by));
        }
    }

    fn serial_root_hz(&mut self) -> u64 {
        if let Some(hz) = self.serial_root_hz {
            return hz;
        }
        let hz = self.soc.flexspi_root_hz(self.now);
        self.serial_root_hz = (self.now > self.clocks_written + SETTLED).then_some(hz);
        hz
    }

    /// A reset of the chip; the flash is not reset.
    pub fn reset(&mut self, cause: ResetCause) {
        self.flexspi(|flexspi, ports| flexspi.reset(ports));
        self.soc.reset(cause, self.now);
        self.reset_requested = false;
        self.bitten = None;
        self.clocks_changed();
    }

    fn clocks_changed(&mut self) {
        self.serial_root_hz = None;
        self.clocks_written = self.now;
        self.pads = None;
    }

    fn read(&mut self, address: u32, width: Width) -> u32 {
        self.pass(self.access);
        if address == AIRCR {
            return self.aircr;
        }
        let value = if FLEXSPI.contains(&address) {
            self.flexspi(|flexspi, ports| flexspi.read(address - FLEXSPI.start, width, ports))
        } else {
            let (now, trace) = (self.now, &mut self.trace);
            self.soc
                .peripheral_read(address, width, now, trace)
                .unwrap_or(Err(virtual_board::bus::BusFault))
        };
        value.unwrap_or_else(|_| {
            self.faults.push(format!("read {address:#010x}"));
            0
        })
    }

    fn write(&mut self, address: u32, width: Width, value: u32) {
        self.pass(self.access);
        if address == AIRCR {
            assert_eq!(value >> 16, 0x05FA);
            assert_eq!(value & 0x700, self.aircr & 0x700, "PRIGROUP is kept");
            self.reset_requested |= value & 4 != 0;
            return;
        }
        let done = if FLEXSPI.contains(&address) {
            self.flexspi(|flexspi, ports| {
                flexspi.write(address - FLEXSPI.start, width, value, ports)
            })
        } else {
            self.clocks_changed();
            let (now, trace) = (self.now, &mut self.trace);
            self.soc
                .peripheral_write(address, width, value, now, trace)
                .unwrap_or(Err(virtual_board::bus::BusFault))
        };
        if done.is_err() {
            self.faults
                .push(format!("write {value:#010x} to {address:#010x}"));
        }
    }
}

impl Bus for Board {
    fn read32(&mut self, address: u32) -> u32 {
        self.0.borrow_mut().read(address, Width::Word)
    }
    fn write32(&mut self, address: u32, value: u32) {
        self.0.borrow_mut().write(address, Width::Word, value);
    }
    fn read16(&mut self, address: u32) -> u16 {
        self.0.borrow_mut().read(address, Width::Half) as u16
    }
    fn write16(&mut self, address: u32, value: u16) {
        self.0
            .borrow_mut()
            .write(address, Width::Half, u32::from(value));
    }
    fn yield_hint(&mut self) {
        let mut m = self.0.borrow_mut();
        let now = m.now;
        let next = match m.nor.busy_until() {
            // A busy flash: half of the way there, so that a lease can run out in between.
            Some(end) if end > now + YIELD => now + Time::ps((end - now).as_ps() / 2),
            _ => now + YIELD,
        };
        // not past a watchdog: the hint passes time that a core would spend in its loop
        let next = match m.soc.watchdog_deadline().filter(|_| m.watches) {
            Some(bite) if bite > now + YIELD => next.min(bite - YIELD),
            Some(_) => now + YIELD,
            None => next,
        };
        m.pass(next - now);
    }
}
