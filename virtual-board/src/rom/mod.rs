//! The boot ROM as a bus master: from reset to the image's first instruction, or to the serial downloader.
//!
//! It does by register accesses what the real one does: reads the boot mode, raises the clocks, muxes the FlexSPI pads,
//! reads the FCB with a plain 03h at about 30 MHz, sets the FlexSPI up again from it, reads IVT and boot data, walks the
//! DCD and jumps. It does not reset the flash, so a flash left in QPI, continuous read, 4-byte mode or deep power-down
//! is misread after a warm reset, as on the real board.
//!
//! Sources: NXP's Manufacturing User's Guide for the RT1060 (IMXRT1060MFUUG), the FlexSPI NOR driver that NXP published
//! from the ROM of the sister chips RT1050 and RT1020, boot headers that are known to boot, and measurements reported in
//! NXP's community. What none of them settles has two readings:
//!
//! | point | [`Reading::Strict`] | [`Reading::Lenient`] |
//! |---|---|---|
//! | FCB version word is not `V` 1.x | refused | accepted |
//! | FCB readSampleClkSrc 2 (SCK pad): NuttX ships it, headers do not list it | accepted up to 60 MHz | accepted up to 60 MHz |
//! | FCB readSampleClkSrc above 3 | refused | taken modulo 4 |
//! | FCB csHoldTime, csSetupTime above 31 | refused | taken modulo 32 |
//! | FCB controllerMiscOption bits 0, 1, 5, 7 and above | refused | ignored |
//! | FCB pad setting overrides without bit 5 | ignored | ignored |
//! | FCB dataValidTime (NuttX ships it) | ignored | ignored |
//! | FCB lutCustomSeq on and not empty (Teensy ships it on and empty) | refused | ignored |
//! | FCB reserved words not 0 | refused | ignored |
//! | FCB device type other than 0 and 1 | refused | accepted |
//! | FCB pad type other than 1, 2, 4 | refused | accepted |
//! | FCB serialClkFreq 0 (leave the clock) or above 9 (30 MHz) | refused | as the RT1050 driver does |
//! | IVT version outside 40h to 43h | refused | 40h to 4Fh accepted |
//! | IVT reserved words not 0 | refused | accepted |
//! | IVT self pointer is not where the IVT is | refused | accepted, pointers are taken relative to self |
//! | boot data start is neither the flash nor RAM that the ROM may fill | refused | refused |
//! | boot data length shorter than what follows (open part, XIP) | accepted | accepted: 32 bytes were seen to boot |
//! | DCD pointer without a DCD header behind it | refused | ignored: one of NXP's samples has it |
//! | DCD version other than 40h, 41h | refused | accepted |
//! | CSF pointer without a CSF behind it, open part | accepted (Teensy ships it) | accepted |
//! | entry outside the flash window, XIP | refused | accepted |
//! | boot data plugin neither 0 nor 1 | refused | accepted |
//! | vector table (even entry) not word aligned | refused | accepted |
//! | vector table not aligned to 0x400, SP outside RAM, even reset vector | SP loaded, jumped to | the same |
//! | VTOR at hand-over | stays 0x00200000 | the vector table, for an even entry |
//! | RTWDOG armed by fuse | locked (UPDATE = 0) | can be changed (UPDATE = 1) |
//! | status poll whose sequence returns no data | never ready | never ready |
//!
//! Not modelled, and refused with that reason: other boot devices, other flash types, encrypted XIP, auto-probe,
//! secondary image, JEDEC reset of the flash, parallel mode, column addresses, plugins, custom LUT sequences together with
//! mode commands, signature checks of a closed part.
//!
//! After a refusal the ROM goes on as its fuses say: recovery boot from LPSPI (this board has no such flash), SD
//! manufacturing mode (it has no card), serial downloader. Where the serial downloader is disabled by fuse too, no source
//! says what the ROM does: it is taken to loop.

pub mod api;
mod chip_setup;
mod content;
mod dcd;
mod fcb;
mod fcb_rules;
mod flexspi;
mod image;
mod image_checks;
mod refusal;
mod script;
mod stages;

use std::collections::VecDeque;

pub(crate) use content::FINGERPRINT;
pub use content::content_word;
pub use refusal::RefusalReason;

use crate::bus::Bus;
use crate::time::Time;
use fcb::Fcb;
use image::Ivt;
use script::Action;
use stages::{Pending, Stage};

/// How open questions about the ROM are answered; see the table of this module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reading {
    /// Refuse.
    #[default]
    Strict,
    /// Accept.
    Lenient,
}

/// The bus as the ROM sees it, with the means to pass time and to set the core up.
pub trait RomBus: Bus {
    /// Lets virtual time pass.
    fn spend(&mut self, span: Time);
    /// Spends core cycles.
    fn charge(&mut self, cycles: u64);
    /// Virtual time.
    fn now(&self) -> Time;
    /// Tells the board's log.
    fn note(&mut self, text: String);
    /// Turns the ROM's early MPU set-up on (only the ROM's own code works under it), or opens it before the jump.
    fn set_mpu(&mut self, on: bool);
    /// Turns both caches on or off.
    fn set_caches(&mut self, on: bool);
}

/// What one step led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RomStep {
    /// The ROM goes on.
    Continue,
    /// The ROM jumps: from now on the core runs the image.
    Boot {
        /// Stack pointer taken from the vector table; `None` leaves the ROM's own.
        sp: Option<u32>,
        /// Address jumped to, with the Thumb bit as found.
        pc: u32,
        /// VTOR at the jump.
        vtor: u32,
    },
    /// The ROM waits for a host on USB or UART.
    SerialDownloader,
}

/// How the last run of the ROM ended, or what it waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It started an image.
    Booted {
        /// Address jumped to.
        pc: u32,
        /// Vector table, where the entry names one.
        vector_table: Option<u32>,
    },
    /// It started an image, and the core crashed in it.
    Crashed {
        /// Address jumped to.
        pc: u32,
        /// Where the core is now.
        how: &'static str,
    },
    /// It fell into the serial downloader.
    SerialDownloader(RefusalReason),
    /// It loops for ever, in this step, and will never answer.
    Hangs(RefusalReason),
}

/// Stack pointer of the ROM, at the top of its working RAM.
pub const ROM_STACK: u32 = 0x2020_8000;
/// First byte behind the ROM's working RAM 0x20200000 to 0x20207FFF.
const WORKING_RAM_END: u32 = 0x2020_8000;
const WORKING_RAM: u32 = 0x2020_0000;
/// VTOR while the ROM runs.
pub const ROM_VTOR: u32 = 0x0020_0000;
/// What the ROM spends in the serial downloader between two looks at its ports.
const DOWNLOADER_POLL: Time = Time::us(10);

/// Fuse 0x6D0: recovery boot from LPSPI.
const RECOVERY_BOOT: u32 = 1 << 24;
/// Fuse 0x470: no SD manufacturing mode.
const SD_MANUFACTURING_OFF: u32 = 1 << 3;
/// Fuse 0x460: no serial downloader.
const SDP_DISABLE: u32 = 1 << 17;

/// The boot ROM.
#[derive(Clone, Debug)]
pub struct Rom {
    reading: Reading,
    stage: Stage,
    script: VecDeque<Action>,
    /// Values read by the script, in order.
    results: Vec<u32>,
    poll_since: Option<Time>,
    outcome: Option<Outcome>,
    sbmr1: u32,
    sbmr2: u32,
    /// Fuse words 0x450, 0x460, 0x470, 0x6D0, 0x6E0.
    fuses: [u32; 5],
    fcb: Option<Fcb>,
    /// Mode commands still to send.
    commands: VecDeque<Pending>,
    /// Frequency code to go to after them.
    raise_clock: Option<u8>,
    /// Since when the flash is asked whether it is ready.
    ready_since: Option<Time>,
    ivt: Option<Ivt>,
}

impl Rom {
    /// A ROM with one reading of the open questions.
    pub fn new(reading: Reading) -> Self {
        Rom {
            reading,
            stage: Stage::Reset,
            script: VecDeque::new(),
            results: Vec::new(),
            poll_since: None,
            outcome: None,
            sbmr1: 0,
            sbmr2: 0,
            fuses: [0; 5],
            fcb: None,
            commands: VecDeque::new(),
            raise_clock: None,
            ready_since: None,
            ivt: None,
        }
    }

    /// A reset: the ROM begins anew.
    pub fn start(&mut self) {
        *self = Rom::new(self.reading);
    }

    /// The program counter a debugger sees (ROM code is at 0x00200000 to 0x0021FFFF).
    pub fn pc(&self) -> u32 {
        self.stage.pc()
    }

    /// How the run ended, or what it hangs in; `None` while it goes on.
    pub fn outcome(&self) -> Option<&Outcome> {
        self.outcome.as_ref()
    }

    /// One action on the bus, or one decision.
    pub fn step(&mut self, bus: &mut dyn RomBus) -> RomStep {
        if let Some(action) = self.script.pop_front() {
            return match self.perform(action, bus) {
                Ok(()) => RomStep::Continue,
                Err(reason) => self.refuse(reason, bus),
            };
        }
        if self.stage == Stage::SerialDownloader {
            bus.spend(DOWNLOADER_POLL);
            return RomStep::SerialDownloader;
        }
        match self.decide(bus) {
            Ok(step) => step,
            Err(reason) => self.refuse(reason, bus),
        }
    }

    /// Gives up on the flash, and goes where the fuses send it.
    fn refuse(&mut self, reason: RefusalReason, bus: &mut dyn RomBus) -> RomStep {
        bus.note(format!("does not boot: {reason}"));
        self.script.clear();
        let [_, boot_config, rom_config, misc_conf0, _] = self.fuses;
        let by_boot_mode = matches!(
            reason,
            RefusalReason::StrappedToSerialDownloader { .. }
                | RefusalReason::BootFusesNotSet { .. }
                | RefusalReason::ReservedBootMode { .. }
        );
        if !by_boot_mode && misc_conf0 & RECOVERY_BOOT != 0 {
            bus.note("recovery boot from LPSPI (fuse 0x6D0[24]): no flash there".to_string());
        }
        if !by_boot_mode && rom_config & SD_MANUFACTURING_OFF == 0 {
            bus.note("SD manufacturing mode on uSDHC1: no card".to_string());
        }
        if boot_config & SDP_DISABLE != 0 {
            bus.note(
                "serial downloader disabled (fuse 0x460[17]): where the ROM goes is not settled, taken to loop"
                    .to_string(),
            );
            self.stage = Stage::EndlessLoop;
            self.outcome = Some(Outcome::Hangs(reason));
            return RomStep::Continue;
        }
        bus.note("waits in the serial downloader".to_string());
        self.stage = Stage::SerialDownloader;
        self.outcome = Some(Outcome::SerialDownloader(reason));
        RomStep::SerialDownloader
    }

    fn strict(&self) -> bool {
        self.reading == Reading::Strict
    }
}
