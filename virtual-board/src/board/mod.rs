//! The virtual board: chip, flash, wire and probe clock, on a thread of its own.

mod caches;
mod chip;
mod costs;
mod dap;
mod file;
mod flexspi_clock;
mod handle;
mod identity;
mod mishap;
mod ram;
mod remote;
mod rom_port;
mod rom_run;
pub mod system;

use std::path::PathBuf;

pub use chip::{Chip, Supply};
pub use costs::AccessCosts;
pub use file::FlashFileError;
pub use handle::BoardHandle;
pub use identity::{ChipIdentity, RomIdentity};
pub use mishap::Mishap;

use crate::activity::{Activity, Span, What};
use crate::flexspi;
use crate::nor::{self, Nor, Part, TimingProfile};
use crate::probe::cmsis_dap::Firmware;
use crate::probe::{self, Profile, WireError};
use crate::rom::Reading;
use crate::rom::api::RomErase;
use crate::soc::{Fuses, Soc, Straps};
use crate::swd::{IoItem, SwDp, WireFaults};
use crate::time::Time;
use system::System;

/// Everything that makes one board different from another.
#[derive(Clone, Debug)]
pub struct BoardConfig {
    /// The flash part.
    pub part: Part,
    /// How fast this flash is within its data sheet.
    pub timing: TimingProfile,
    /// Whether it has power from the beginning.
    pub powered: bool,
    /// Boot pins.
    pub straps: Straps,
    /// Fuses.
    pub fuses: Fuses,
    /// How the boot ROM decides what no source settles.
    pub reading: Reading,
    /// How the boot ROM's API erases: with the defect of NXP's published driver, or without.
    pub rom_erase: RomErase,
    /// The probe.
    pub probe: Profile,
    /// What accesses cost the core.
    pub costs: AccessCosts,
    /// Divides the core clock (2 = half rate).
    pub core_divider: u64,
    /// Skip virtual time in busy waits (status polls, YIELD). Results are the same without, only slower to compute.
    pub skips: bool,
    /// Keep the flash content in this file; created blank where missing.
    pub flash_file: Option<PathBuf>,
    /// How the flash behaves beyond the data sheet's clocks.
    pub flash_margin: nor::Margin,
    /// How the flash listens when the board is made, as if software had left it so and the chip had been reset since.
    pub flash_mode: nor::Mode,
    /// Defects of the flash.
    pub nor_faults: nor::Faults,
    /// Defects of the flash controller and of the lines to the flash.
    pub flexspi_faults: flexspi::Faults,
    /// Defects of the wire.
    pub wire_faults: WireFaults,
    /// What the chip says of itself.
    pub identity: ChipIdentity,
}

impl BoardConfig {
    /// A sound board with a blank flash of `part`, strapped for internal boot.
    pub fn new(part: Part) -> Self {
        BoardConfig {
            part,
            timing: TimingProfile::Typ,
            powered: true,
            straps: Straps::default(),
            fuses: Fuses::default(),
            reading: Reading::Strict,
            rom_erase: RomErase::default(),
            probe: probe::JLINK,
            costs: AccessCosts::default(),
            core_divider: 1,
            skips: true,
            flash_file: None,
            flash_margin: nor::Margin::AsShipped,
            flash_mode: nor::Mode::default(),
            nor_faults: nor::Faults::default(),
            flexspi_faults: flexspi::Faults::default(),
            wire_faults: WireFaults::default(),
            identity: ChipIdentity::default(),
        }
    }
}

/// Why a board could not be made or asked.
#[derive(Debug, thiserror::Error)]
pub enum BoardError {
    /// The flash file.
    #[error(transparent)]
    File(#[from] FlashFileError),
    /// The thread could not be started.
    #[error("the virtual board's thread could not be started: {0}")]
    Thread(#[from] std::io::Error),
    /// The board's thread has ended.
    #[error("the virtual board has stopped")]
    Stopped,
}

/// The board itself, as its thread owns it.
pub struct Board {
    /// The chip with its flash.
    pub chip: Chip,
    dp: SwDp,
    probe: Profile,
    /// Of a CMSIS-DAP probe, from its first packet on.
    dap: Option<Firmware>,
    swclk_khz: u32,
    transactions: u64,
    activity: Activity,
    plugged: bool,
    mishap: Option<Mishap>,
    flash_file: Option<file::FlashFile>,
    stopped: bool,
}

impl Board {
    fn new(config: BoardConfig) -> Result<Self, BoardError> {
        let mut nor = Nor::new(config.part, config.timing);
        nor.faults = config.nor_faults;
        nor.margin = config.flash_margin;
        nor.enter(config.flash_mode);
        let flash_file = config
            .flash_file
            .map(|path| file::FlashFile::open(path, &mut nor))
            .transpose()?;
        let soc = Soc::new(config.straps, config.fuses);
        let mut system = System::new(soc, nor, config.costs, config.core_divider, config.skips);
        system.flexspi.faults = config.flexspi_faults;
        let mut dp = SwDp::new();
        *dp.faults_mut() = config.wire_faults;
        dp.set_ids(config.identity.ports);
        let mut chip = Chip::new(system, config.reading);
        chip.rom_erase = config.rom_erase;
        if !config.powered {
            // nothing is under way that a seed would decide about
            chip.power_off(0);
        }
        chip.cpu.cpuid = config.identity.cpuid;
        chip.system.borrow_mut().rom_identity = config.identity.rom;
        dp.set_swclk_khz(config.probe.default_khz);
        Ok(Board {
            chip,
            dp,
            probe: config.probe,
            dap: None,
            swclk_khz: config.probe.default_khz,
            transactions: 0,
            activity: Activity::default(),
            plugged: true,
            mishap: None,
            flash_file,
            stopped: false,
        })
    }

    /// USB transactions of the probe since the board was made.
    pub fn transactions(&self) -> u64 {
        self.transactions
    }

    /// Begins to record what link and flash are busy with.
    pub fn record_activity(&mut self) {
        self.activity.record();
        self.chip.system.borrow_mut().nor.activity.record();
    }

    /// What link and flash were busy with since [`Board::record_activity`]: transactions first, then what the flash did.
    pub fn activity(&self) -> Vec<Span> {
        let system = self.chip.system.borrow();
        [self.activity.spans(), system.nor.activity.spans()].concat()
    }

    /// The debug port and its faults.
    pub fn dp_mut(&mut self) -> &mut SwDp {
        &mut self.dp
    }

    /// Virtual time.
    pub fn now(&self) -> Time {
        self.chip.now()
    }

    /// Lets the board run for `span` without the probe.
    pub fn wait(&mut self, span: Time) {
        let end = self.now() + span;
        self.chip.run_until(end);
    }

    /// Pulls the probe's cable, or plugs it in again. Without it the probe has no power and drives nothing.
    pub fn set_plugged(&mut self, plugged: bool) {
        self.plugged = plugged;
        if !plugged {
            self.dap = None;
            self.set_reset_pin(true);
        }
    }

    /// Drives POR_B. It resets the debug logic too, the debug port included: a probe has to connect anew.
    pub fn set_reset_pin(&mut self, level: bool) {
        self.chip.set_reset_pin(level);
        if !level {
            self.dp.power_on();
        }
    }

    /// Takes the power away and gives it back.
    pub fn power_cycle(&mut self, seed: u64) {
        self.chip.power_off(seed);
        self.wait(Time::ms(100));
        self.chip.power_on();
        self.dp.power_on();
    }

    /// Writes the flash content to its file, if it has one and changed.
    ///
    /// # Errors
    /// [`FlashFileError`].
    pub fn save(&mut self) -> Result<(), FlashFileError> {
        let now = self.now();
        let mut system = self.chip.system.borrow_mut();
        system.nor.settle(now);
        match &mut self.flash_file {
            Some(file) => file.save(&system.nor),
            None => Ok(()),
        }
    }

    fn set_swclk(&mut self, khz: u32) {
        self.swclk_khz = khz;
        self.dp.set_swclk_khz(khz);
    }

    fn transaction<R>(&mut self, bits: impl FnOnce(&mut Self) -> R) -> Result<R, WireError> {
        self.befall();
        if !self.plugged {
            return Err(WireError::Unplugged);
        }
        self.transactions += 1;
        let begin = self.now();
        let half = Time::from(self.probe.round_trip / 2);
        self.chip.wire_now = self.now() + half;
        let result = bits(self);
        let end = self.chip.wire_now + half;
        self.chip.run_until(end);
        self.activity.add(begin, end, What::Transaction);
        Ok(result)
    }

    fn swd_io(&mut self, items: &[IoItem]) -> Result<Vec<bool>, WireError> {
        self.transaction(|board| {
            let period = Time::cycles(1_000, u64::from(board.swclk_khz) * 1_000_000);
            items
                .iter()
                .map(|item| {
                    board.chip.wire_now += period;
                    let driven = match item {
                        IoItem::Drive(level) => Some(*level),
                        IoItem::Sample => None,
                    };
                    board.dp.clock(driven, &mut board.chip)
                })
                .collect()
        })
    }
}

impl Board {
    fn stop(&mut self) {
        if let Err(e) = self.save() {
            tracing::error!("{e}");
        }
        self.plugged = false;
        self.stopped = true;
    }
}
