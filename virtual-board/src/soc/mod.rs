//! The chip around the core: register blocks as the boot ROM, flash algorithms and small applications touch them.
//!
//! What is not listed here faults and is reported as *not modelled*; nothing answers zero by default.

pub mod clock_registers;
pub mod clocks;
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
use gpt::{Gpt, GptClocks};
use iomuxc::Iomuxc;
use lpuart::Lpuart;
use map::{Block, locate};
use ocotp::Ocotp;
use pit::Pit;
use plain_registers as plain;
use registers::{Access, Bank};
use reset_controller::ResetController;
use rtwdog::RtWdog;
use wdog::Wdog;

/// Edges kept of the outputs; later ones are counted only.
pub const GPIO_EDGE_LIMIT: usize = 100_000;

const SEMC_INTR: u32 = 0x3C;
const SEMC_IPCMD: u32 = 0x9C;
const SEMC_INTR_IPCMDDONE: u32 = 1;
/// Upper half of a SEMC command word that makes it count.
const SEMC_COMMAND_KEY: u32 = 0xA55A;

// Interrupt numbers (IMXRT1060RM interrupt chapter).
const IRQ_LPUART1: u16 = 20;
const IRQ_GPIO1_COMBINED: u16 = 80;
const IRQ_GPIO5_COMBINED: u16 = 88;
const IRQ_GPT1: u16 = 100;
const IRQ_PIT: u16 = 122;
const IRQ_GPIO_FAST: u16 = 157;

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
            aipstz: ["aipstz1", "aipstz2", "aipstz3", "aipstz4"].map(|name| Bank::new(name, plain::AIPSTZ)),
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
    pub fn peripheral_read(&mut self, address: u32, width: Width, now: Time, trace: &mut Trace) -> Option<Result<u32, BusFault>> {
        let (block, offset) = locate(address)?;
        let access = &mut Access { now, trace };
        Some(self.check(block, address, access).and_then(|()| self.read_block(block, offset, width, access)))
    }

    /// Writes a peripheral register. `None` as for [`Soc::peripheral_read`].
    pub fn peripheral_write(&mut self, address: u32, width: Width, value: u32, now: Time, trace: &mut Trace) -> Option<Result<(), BusFault>> {
        let (block, offset) = locate(address)?;
        let access = &mut Access { now, trace };
        Some(self.check(block, address, access).and_then(|()| self.write_block(block, offset, width, value, access)))
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

    /// Whether the debug port is closed by fuse.
    pub fn debug_port_closed(&self) -> bool {
        self.fuses.debug_port_closed() || self.fuses.debug_port_wants_response()
    }

    /// The core entered or left debug halt: counters that stop in debug stop.
    pub fn set_debug_halted(&mut self, now: Time, halted: bool) {
        self.wdogs.iter_mut().for_each(|w| w.set_debug_halted(now, halted));
        self.rtwdog.set_debug_halted(now, halted);
        self.gpts.iter_mut().for_each(|g| g.set_debug_halted(now, halted));
        self.pit.set_debug_halted(now, halted);
    }

    /// A watchdog that bites at `now`. The caller then resets the chip with that cause.
    pub fn watchdog_due(&self, now: Time) -> Option<ResetCause> {
        let wdogs = self.wdogs.iter().filter_map(|w| w.due(now));
        wdogs.chain(self.rtwdog.due(now)).find(|cause| self.reset_controller.lets_through(*cause))
    }

    /// When a watchdog next bites if nobody services it.
    pub fn watchdog_deadline(&self) -> Option<Time> {
        let lets = |cause| self.reset_controller.lets_through(cause);
        let wdogs = self.wdogs.iter().filter(|_| lets(ResetCause::Watchdog)).filter_map(Wdog::deadline);
        wdogs.chain(self.rtwdog.deadline().filter(|_| lets(ResetCause::RtWatchdog))).min()
    }

    /// The active interrupt lines, by number.
    pub fn interrupts(&mut self, now: Time) -> Vec<u16> {
        let mut lines = Vec::new();
        for (number, uart) in (IRQ_LPUART1..).zip(&mut self.lpuarts) {
            if uart.interrupt(now) {
                lines.push(number);
            }
        }
        for (index, gpio) in self.gpios.iter().enumerate() {
            let active = gpio.interrupts();
            let base = match index {
                0..=3 => IRQ_GPIO1_COMBINED + 2 * index as u16,
                4 => IRQ_GPIO5_COMBINED,
                _ if active != 0 => {
                    lines.push(IRQ_GPIO_FAST);
                    continue;
                }
                _ => continue,
            };
            if active & 0xFFFF != 0 {
                lines.push(base);
            }
            if active >> 16 != 0 {
                lines.push(base + 1);
            }
        }
        for (number, gpt) in (IRQ_GPT1..).zip(&mut self.gpts) {
            if gpt.interrupt(now) {
                lines.push(number);
            }
        }
        if self.pit.interrupt(now) {
            lines.push(IRQ_PIT);
        }
        lines.dedup();
        lines
    }

    /// When something next happens by itself: a timer or transmitter interrupt, or a watchdog.
    pub fn next_event(&mut self, now: Time) -> Option<Time> {
        let mut next = self.watchdog_deadline();
        let timers = self.gpts.iter_mut().filter_map(|g| g.next_interrupt(now));
        let uarts = self.lpuarts.iter_mut().filter_map(|u| u.next_interrupt(now));
        for at in timers.chain(uarts).chain(self.pit.next_interrupt(now)) {
            next = Some(next.map_or(at, |n| n.min(at)));
        }
        next
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
        n.checked_sub(1).and_then(|i| self.lpuarts.get(i)).map_or(&[], Lpuart::output)
    }

    /// Refuses blocks that are not modelled or whose clock gate is closed.
    fn check(&self, block: Block, address: u32, access: &mut Access) -> Result<(), BusFault> {
        if let Block::NotModelled(name) = block {
            return Err(access.refuse("soc", format!("not modelled: {address:#010X} ({name})")));
        }
        match block.clock_gate() {
            Some((register, gate)) if !self.clocks.gate_open(register, gate) => {
                Err(access.refuse("soc", format!("{address:#010X}: clock gated by CCGR{register}.CG{gate}")))
            }
            _ => Ok(()),
        }
    }

    fn read_block(&mut self, block: Block, offset: u32, width: Width, access: &mut Access) -> Result<u32, BusFault> {
        match block {
            Block::Ccm => self.clocks.read_ccm(offset, width, access),
            Block::Analog => self.clocks.read_analog(offset, width, access),
            Block::Iomuxc => self.iomuxc.read_pad(offset, width, access),
            Block::IomuxcGpr => self.iomuxc.gpr().read(offset, width, access),
            Block::IomuxcSnvs => self.iomuxc.snvs_mut().read(offset, width, access),
            Block::IomuxcSnvsGpr => self.iomuxc.snvs_gpr_mut().read(offset, width, access),
            Block::Src => self.reset_controller.read(offset, width, access),
            Block::Ocotp => self.ocotp.read(offset, width, &self.fuses, access),
            Block::Wdog(i) => self.wdogs.get(i).ok_or(BusFault)?.read(offset, width, access),
            Block::RtWdog => self.rtwdog.read(offset, width, access),
            Block::Gpt(i) => {
                self.distribute_clocks(access.now);
                self.gpts.get_mut(i).ok_or(BusFault)?.read(offset, width, access)
            }
            Block::Pit => {
                self.distribute_clocks(access.now);
                self.pit.read(offset, width, access)
            }
            Block::Gpio(i) => self.gpios.get(i).ok_or(BusFault)?.read(offset, width, access),
            Block::Lpuart(i) => self.lpuarts.get_mut(i).ok_or(BusFault)?.read(offset, width, access),
            _ => self.bank(block).ok_or(BusFault)?.read(offset, width, access),
        }
    }

    fn write_block(&mut self, block: Block, offset: u32, width: Width, value: u32, access: &mut Access) -> Result<(), BusFault> {
        match block {
            Block::Ccm | Block::Analog => {
                if block == Block::Ccm {
                    self.clocks.write_ccm(offset, width, value, access)?;
                } else {
                    self.clocks.write_analog(offset, width, value, access)?;
                }
                self.distribute_clocks(access.now);
                Ok(())
            }
            Block::Iomuxc => self.iomuxc.write_pad(offset, width, value, access),
            Block::IomuxcGpr => self.iomuxc.gpr_mut().write(offset, width, value, access).map(|_| ()),
            Block::IomuxcSnvs => self.iomuxc.snvs_mut().write(offset, width, value, access).map(|_| ()),
            Block::IomuxcSnvsGpr => self.iomuxc.snvs_gpr_mut().write(offset, width, value, access).map(|_| ()),
            Block::Src => self.reset_controller.write(offset, width, value, access),
            Block::Ocotp => self.ocotp.write(offset, width, value, access),
            Block::Wdog(i) => self.wdogs.get_mut(i).ok_or(BusFault)?.write(offset, width, value, access),
            Block::RtWdog => {
                let bus_hz = self.clocks.ipg_hz(access.now);
                self.rtwdog.write(offset, width, value, bus_hz, access)
            }
            Block::Gpt(i) => {
                self.distribute_clocks(access.now);
                self.gpts.get_mut(i).ok_or(BusFault)?.write(offset, width, value, access)
            }
            Block::Pit => {
                self.distribute_clocks(access.now);
                self.pit.write(offset, width, value, access)
            }
            Block::Gpio(i) => {
                let (changed, levels) = self.gpios.get_mut(i).ok_or(BusFault)?.write(offset, width, value, access)?;
                self.log_edges(i + 1, changed, levels, access.now);
                Ok(())
            }
            Block::Lpuart(i) => {
                self.distribute_clocks(access.now);
                self.lpuarts.get_mut(i).ok_or(BusFault)?.write(offset, width, value, access)
            }
            _ => {
                let written = self.bank(block).ok_or(BusFault)?.write(offset, width, value, access)?;
                // A SEMC command is done at once: enough for a DCD that waits for IPCMDDONE.
                if block == Block::Semc && written.offset == SEMC_IPCMD && value >> 16 == SEMC_COMMAND_KEY {
                    self.semc.put(SEMC_INTR, self.semc.get(SEMC_INTR) | SEMC_INTR_IPCMDDONE);
                }
                Ok(())
            }
        }
    }

    fn bank(&mut self, block: Block) -> Option<&mut Bank> {
        match block {
            Block::Aipstz(i) => self.aipstz.get_mut(i),
            Block::Dcdc => Some(&mut self.dcdc),
            Block::FlexRam => Some(&mut self.flexram),
            Block::Snvs => Some(&mut self.snvs),
            Block::Gpc => Some(&mut self.gpc),
            Block::Semc => Some(&mut self.semc),
            _ => None,
        }
    }

    fn log_edges(&mut self, port: usize, changed: u32, levels: u32, at: Time) {
        for pin in (0..32).filter(|pin| changed >> pin & 1 == 1) {
            // GPIO1..4 share their pads with GPIO6..9; GPR26 to GPR29 choose.
            let (slow, wants_fast) = if port >= 6 { (port - 5, true) } else { (port, false) };
            if port != 5 && self.iomuxc.fast_gpio(slow, pin) != wants_fast {
                continue;
            }
            if self.edges.len() < GPIO_EDGE_LIMIT {
                self.edges.push(GpioEdge { at, port, pin, level: levels >> pin & 1 == 1 });
            } else {
                self.edges_dropped += 1;
            }
        }
    }

    /// Tells the clocked blocks what the tree now gives them.
    fn distribute_clocks(&mut self, now: Time) {
        let perclk_hz = self.clocks.perclk_hz(now);
        for (index, gpt) in self.gpts.iter_mut().enumerate() {
            let (register, gate) = Block::GPT_SERIAL_GATES.get(index).copied().unwrap_or((0, 0));
            gpt.set_clocks(now, GptClocks { perclk_hz, gate_open: self.clocks.gate_open(register, gate) });
        }
        self.pit.set_clock(now, perclk_hz);
        let uart_hz = self.clocks.uart_hz(now);
        self.lpuarts.iter_mut().for_each(|u| u.set_clock(uart_hz));
    }
}
