//! The chip around the core: register blocks as the boot ROM, flash algorithms and small applications touch them.
//!
//! What is not listed here faults and is reported as *not modelled*; nothing answers zero by default.

mod access;
pub mod clock_registers;
pub mod clocks;
mod events;
pub mod gpio;
pub mod gpt;
pub mod iomuxc;
pub mod lpuart;
pub mod map;
pub mod ocotp;
pub mod pit;
pub mod plain_registers;
pub mod registers;
pub mod reset_controller;
pub mod rtwdog;
pub mod straps;
pub mod ticker;
pub mod wdog;

pub use clocks::{Clocks, LowPowerMode};
pub use gpio::GpioEdge;
pub use iomuxc::FlexRam;
pub use lpuart::UartByte;
pub use reset_controller::ResetCause;
pub use straps::{Fuses, SecConfig, Straps};

use crate::bus::{BusFault, Width};
use crate::flexspi::Pads;
use crate::time::Time;
use crate::trace::Trace;
use gpio::Gpio;
use gpt::Gpt;
use iomuxc::Iomuxc;
use lpuart::Lpuart;
use map::locate;
use ocotp::Ocotp;
use pit::Pit;
use plain_registers as plain;
use registers::{Access, Bank};
use reset_controller::ResetController;
use rtwdog::RtWdog;
use wdog::Wdog;

/// Edges kept of the outputs; later ones are counted only.
pub const GPIO_EDGE_LIMIT: usize = 100_000;

/// The chip's peripherals, without the core, its memories and the FlexSPI.
#[derive(Clone, Debug)]
pub struct Soc {
    straps: Straps,
    /// As latched at the last power-on.
    fuses: Fuses,
    clocks: Clocks,
    iomuxc: Iomuxc,
    reset_controller: ResetController,
    ocotp: Ocotp,
    wdogs: [Wdog; 2],
    rtwdog: RtWdog,
    gpts: [Gpt; 2],
    pit: Pit,
    gpios: [Gpio; 9],
    lpuarts: [Lpuart; 8],
    aipstz: [Bank; 4],
    dcdc: Bank,
    flexram: Bank,
    snvs: Bank,
    gpc: Bank,
    semc: Bank,
    edges: Vec<GpioEdge>,
    edges_dropped: u64,
}

impl Soc {
    /// A chip at power-on, time zero.
    pub fn new(straps: Straps, fuses: Fuses) -> Self {
        let clocks = Clocks::new();
        let bus_hz = clocks.ipg_hz(Time::ZERO);
        let mut soc = Soc {
            straps,
            clocks,
            iomuxc: Iomuxc::new(),
            reset_controller: ResetController::power_on(straps, &fuses),
            ocotp: Ocotp::new(),
            wdogs: [Wdog::new("wdog1"), Wdog::new("wdog2")],
            rtwdog: RtWdog::new(Time::ZERO, bus_hz),
            gpts: [Gpt::new("gpt1"), Gpt::new("gpt2")],
            pit: Pit::new(),
            gpios: Default::default(),
            lpuarts: Default::default(),
            aipstz: ["aipstz1", "aipstz2", "aipstz3", "aipstz4"]
                .map(|name| Bank::new(name, plain::AIPSTZ)),
            dcdc: Bank::new("dcdc", plain::DCDC),
            flexram: Bank::new("flexram", plain::FLEXRAM),
            snvs: Bank::new("snvs", plain::SNVS),
            gpc: Bank::new("gpc", plain::GPC),
            semc: Bank::new("semc", plain::SEMC),
            fuses,
            edges: Vec::new(),
            edges_dropped: 0,
        };
        soc.distribute_clocks(Time::ZERO);
        soc
    }

    /// Changes the boot pins; they count from the next power-on.
    pub fn set_straps(&mut self, straps: Straps) {
        self.straps = straps;
    }

    /// The boot pins as strapped now.
    pub fn straps(&self) -> Straps {
        self.straps
    }

    /// The fuses.
    pub fn fuses(&self) -> &Fuses {
        &self.fuses
    }

    /// The fuses, for making a board; boot fuses count from the next power-on.
    pub fn fuses_mut(&mut self) -> &mut Fuses {
        &mut self.fuses
    }

    /// A reset of the whole chip at `now`. After [`ResetCause::PowerOn`] pins and fuses are latched anew; after the
    /// others SBMR1, SBMR2, SRC general registers, SNVS, GPR16 and GPR17 keep their value.
    pub fn reset(&mut self, cause: ResetCause, now: Time) {
        if cause == ResetCause::PowerOn {
            self.reset_controller = ResetController::power_on(self.straps, &self.fuses);
            self.iomuxc = Iomuxc::new();
            self.snvs.reset();
            self.wdogs = [Wdog::new("wdog1"), Wdog::new("wdog2")];
        } else {
            self.reset_controller.warm_reset(cause);
            self.iomuxc.warm_reset();
            for wdog in &mut self.wdogs {
                let by_this = cause == ResetCause::Watchdog && wdog.due(now).is_some();
                wdog.warm_reset(by_this);
            }
        }
        self.clocks.reset();
        self.ocotp = Ocotp::new();
        self.rtwdog = RtWdog::new(now, self.clocks.ipg_hz(now));
        self.gpts.iter_mut().for_each(Gpt::reset);
        self.pit.reset();
        self.gpios.iter_mut().for_each(Gpio::reset);
        self.lpuarts.iter_mut().for_each(Lpuart::reset);
        self.aipstz.iter_mut().for_each(Bank::reset);
        self.dcdc.reset();
        self.flexram.reset();
        self.gpc.reset();
        self.semc.reset();
        self.distribute_clocks(now);
    }

    /// Reads a peripheral register. `None`: not in the peripheral space, or the FlexSPI, which the board owns.
    pub fn peripheral_read(
        &mut self,
        address: u32,
        width: Width,
        now: Time,
        trace: &mut Trace,
    ) -> Option<Result<u32, BusFault>> {
        let (block, offset) = locate(address)?;
        let access = &mut Access { now, trace };
        Some(
            self.check(block, address, access)
                .and_then(|()| self.read_block(block, offset, width, access)),
        )
    }

    /// Writes a peripheral register. `None` as for [`Soc::peripheral_read`].
    pub fn peripheral_write(
        &mut self,
        address: u32,
        width: Width,
        value: u32,
        now: Time,
        trace: &mut Trace,
    ) -> Option<Result<(), BusFault>> {
        let (block, offset) = locate(address)?;
        let access = &mut Access { now, trace };
        Some(
            self.check(block, address, access)
                .and_then(|()| self.write_block(block, offset, width, value, access)),
        )
    }

    /// The clock tree.
    pub fn clocks(&self) -> &Clocks {
        &self.clocks
    }

    /// Core clock in hertz; 0 while its source does not run.
    pub fn core_hz(&self, now: Time) -> u64 {
        self.clocks.core_hz(now)
    }

    /// FLEXSPI_CLK_ROOT in hertz; 0 while gated or stopped.
    pub fn flexspi_root_hz(&self, now: Time) -> u64 {
        self.clocks.flexspi_root_hz(now)
    }

    /// Which FlexSPI A signals reach GPIO_SD_B1.
    pub fn flexspi_pads(&self) -> Pads {
        self.iomuxc.flexspi_pads()
    }

    /// The FlexRAM split; `None` for a fuse value whose split is unknown.
    pub fn flexram(&self) -> Option<FlexRam> {
        self.iomuxc.flexram(self.fuses.flexram_split())
    }

    /// Where the core takes its first vectors after reset (GPR16.CM7_INIT_VTOR).
    pub fn initial_vtor(&self) -> u32 {
        self.iomuxc.initial_vtor()
    }

    /// SRC_SRSR.
    pub fn srsr(&self) -> u32 {
        self.reset_controller.srsr()
    }

    /// What WFI does (CLPCR.LPM).
    pub fn low_power_mode(&self) -> LowPowerMode {
        self.clocks.low_power_mode()
    }

    /// Whether a program has taken SWDIO or SWCLK away from the debug port.
    pub fn debug_pads(&self) -> bool {
        self.iomuxc.debug_pads()
    }

    /// Whether the debug port is closed by fuse.
    pub fn debug_port_closed(&self) -> bool {
        self.fuses.debug_port_closed() || self.fuses.debug_port_wants_response()
    }

    /// The core entered or left debug halt: counters that stop in debug stop.
    pub fn set_debug_halted(&mut self, now: Time, halted: bool) {
        self.wdogs
            .iter_mut()
            .for_each(|w| w.set_debug_halted(now, halted));
        self.rtwdog.set_debug_halted(now, halted);
        self.gpts
            .iter_mut()
            .for_each(|g| g.set_debug_halted(now, halted));
        self.pit.set_debug_halted(now, halted);
    }

    /// What the GPIO outputs did, oldest first (at most [`GPIO_EDGE_LIMIT`]).
    pub fn gpio_edges(&self) -> &[GpioEdge] {
        &self.edges
    }

    /// Edges beyond [`GPIO_EDGE_LIMIT`].
    pub fn gpio_edges_dropped(&self) -> u64 {
        self.edges_dropped
    }

    /// Applies a level to an input pin of port 1 to 9.
    pub fn apply_gpio_input(&mut self, port: usize, pin: u32, level: bool) {
        if let Some(gpio) = port.checked_sub(1).and_then(|i| self.gpios.get_mut(i)) {
            gpio.apply(pin, level);
        }
    }

    /// What LPUART `n` (1 to 8) sent.
    pub fn uart_output(&self, n: usize) -> &[UartByte] {
        n.checked_sub(1)
            .and_then(|i| self.lpuarts.get(i))
            .map_or(&[], Lpuart::output)
    }
}
