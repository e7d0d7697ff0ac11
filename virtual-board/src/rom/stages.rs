//! The ROM's decisions, in boot order: each looks at what the last script read and queues the next one.

use super::dcd;
use super::fcb::{self, Fcb, ModeCommand};
use super::flexspi;
use super::image::{BOOT_DATA_WORDS, IVT_ADDRESS, IVT_WORDS, Ivt, WINDOW};
use super::script::Action;
use super::{Outcome, ROM_VTOR, RefusalReason, Rom, RomBus, RomStep, WORKING_RAM, WORKING_RAM_END};
use crate::bus::Width;
use crate::time::Time;

/// Where the ROM is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Reset,
    ReadBootMode,
    SetUpChip,
    ChooseDevice,
    CheckFcb,
    NextCommand,
    CommandSent { flash_address: u32 },
    StatusSent { flash_address: u32 },
    StatusRead { flash_address: u32 },
    ReadIvt,
    CheckIvt,
    CheckBootData,
    CheckSignature,
    CheckDcd,
    RunDcd { address: u32, length: u32 },
    CopyImage,
    ReadVectors,
    Jump,
    EndlessLoop,
    SerialDownloader,
}

impl Stage {
    /// An address in the ROM for the debugger; only the 64 KiB page is the real chip's.
    pub fn pc(self) -> u32 {
        match self {
            Stage::Reset => 0x0020_2000,
            Stage::ReadBootMode | Stage::SetUpChip | Stage::ChooseDevice => 0x0020_2400,
            Stage::CheckFcb => 0x0020_5000,
            Stage::NextCommand | Stage::CommandSent { .. } | Stage::StatusSent { .. } | Stage::StatusRead { .. } => 0x0020_5800,
            Stage::ReadIvt | Stage::CheckIvt | Stage::CheckBootData | Stage::CheckSignature => 0x0020_7000,
            Stage::CheckDcd | Stage::RunDcd { .. } => 0x0020_7400,
            Stage::CopyImage | Stage::ReadVectors | Stage::Jump => 0x0020_7800,
            Stage::EndlessLoop => 0x0020_8000,
            // A stuck board was reported with its PC here (NXP community, serial downloader of a sister chip).
            Stage::SerialDownloader => 0x0020_EB00,
        }
    }
}

const SBMR1: u32 = 0x400F_8004;
const SBMR2: u32 = 0x400F_801C;
/// Shadow registers of the fuse words that steer the boot.
const FUSE_SHADOWS: [u32; 5] = [0x401F_4450, 0x401F_4460, 0x401F_4470, 0x401F_46D0, 0x401F_46E0];

// RTWDOG (IMXRT1060RM RTWDOG chapter).
const RTWDOG_CS: u32 = 0x400B_C000;
const RTWDOG_CNT: u32 = 0x400B_C004;
const RTWDOG_TOVAL: u32 = 0x400B_C008;
const RTWDOG_UNLOCK: u32 = 0xD928_C520;
const RTWDOG_OFF: u32 = 0x2120;
/// On, from the 32 kHz clock divided by 256.
const RTWDOG_ON: u32 = 0x3180;
const RTWDOG_UPDATE: u32 = 1 << 5;
const RTWDOG_HZ: u32 = 128;
const LONGEST_WATCHDOG_S: u32 = 64;

// Clocks (IMXRT1060RM CCM chapter).
const PLL_ARM: u32 = 0x400D_8000;
const PLL_USB1: u32 = 0x400D_8010;
const PLL_SYS: u32 = 0x400D_8030;
const PFD_480: u32 = 0x400D_80F0;
const PFD_528: u32 = 0x400D_8100;
const CACRR: u32 = 0x400F_C010;
const PLL_BYPASS: u32 = 1 << 16;
const PLL_LOCK: u32 = 1 << 31;
const PLL_ENABLE: u32 = 1 << 13;
const PLL_USB_POWER: u32 = 1 << 12;
const PFD_480_AT_BOOT: u32 = 0x0F1A_2323;
const PFD_528_AT_BOOT: u32 = 0x1813_1818;
/// PLL_ARM dividers for 396 and 528 MHz at ARM_PODF = 2.
const ARM_DIVIDERS: [u32; 2] = [66, 88];
const LOCK_LIMIT: Time = Time::ms(5);

/// From reset to the read of the boot mode, and from there to the first flash access: together with the flash accesses
/// this gives the 10 to 16 ms from reset to the application that NXP's community measured.
const START_UP: Time = Time::us(500);
const SET_UP: Time = Time::ms(6);
/// Hold time before the first flash access, by fuse 0x6E0 5:4.
const HOLD_TIMES: [Time; 4] = [Time::us(500), Time::ms(1), Time::ms(3), Time::ms(10)];

impl Rom {
    /// The next decision; the script is empty and the results are complete.
    pub(super) fn decide(&mut self, bus: &mut dyn RomBus) -> Result<RomStep, RefusalReason> {
        let results = std::mem::take(&mut self.results);
        let word = |index: usize| results.get(index).copied().unwrap_or(0);
        match self.stage {
            Stage::Reset => {
                let fuses = FUSE_SHADOWS.map(|address| Action::Read { address, doing: "reads its fuses" });
                self.queue([Action::Spend(START_UP)]);
                self.queue(fuses);
                self.stage = Stage::ReadBootMode;
            }
            Stage::ReadBootMode => {
                self.fuses = [word(0), word(1), word(2), word(3), word(4)];
                let [_, _, rom_config, ..] = self.fuses;
                let mpu = rom_config & 1 << 1 == 0;
                let caches = rom_config & 1 << 2 == 0;
                self.queue([
                    Action::ProtectAndCache { mpu, caches },
                    Action::Fill { address: WORKING_RAM, end: WORKING_RAM_END },
                    Action::Read { address: SBMR1, doing: "reads the boot mode" },
                    Action::Read { address: SBMR2, doing: "reads the boot mode" },
                ]);
                self.stage = Stage::SetUpChip;
            }
            Stage::SetUpChip => {
                self.sbmr1 = word(0);
                self.sbmr2 = word(1);
                self.set_up_watchdog();
                self.set_up_clocks();
                self.queue([Action::Spend(SET_UP)]);
                self.stage = Stage::ChooseDevice;
            }
            Stage::ChooseDevice => self.choose_device()?,
            Stage::CheckFcb => {
                let fcb = Fcb::new(&results, self.reading)?;
                self.configure(&fcb);
                self.fcb = Some(fcb);
                self.stage = Stage::NextCommand;
            }
            Stage::NextCommand => self.next_command(),
            Stage::CommandSent { flash_address } => {
                self.check_sequences(&results)?;
                let wait = self.fcb.as_ref().map_or(0, Fcb::wait_time_100us);
                if wait == 0 {
                    self.ready_since = Some(bus.now());
                    self.send_status_read(flash_address);
                } else {
                    self.queue([Action::Spend(Time::us(100 * u64::from(wait)))]);
                    self.stage = Stage::NextCommand;
                }
            }
            Stage::StatusSent { flash_address } => {
                self.check_sequences(&results)?;
                if flexspi::has_data(word(2)) {
                    self.queue([Action::Read { address: flexspi::RFDR0, doing: "reads the flash's status" }]);
                    self.stage = Stage::StatusRead { flash_address };
                } else {
                    self.not_ready(flash_address, bus)?;
                }
            }
            Stage::StatusRead { flash_address } => {
                if self.fcb.as_ref().is_some_and(|fcb| fcb.busy(word(0))) {
                    self.not_ready(flash_address, bus)?;
                } else {
                    self.outcome = None;
                    self.stage = Stage::NextCommand;
                }
            }
            Stage::ReadIvt => {
                self.queue(flexspi::software_reset());
                self.queue([Action::ReadMany {
                    address: IVT_ADDRESS,
                    words: IVT_WORDS,
                    doing: "reads the IVT through the FCB's read sequence",
                }]);
                self.stage = Stage::CheckIvt;
            }
            Stage::CheckIvt => {
                let ivt = Ivt::new(&results, self.reading)?;
                let address = ivt.in_flash(ivt.boot_data);
                if !WINDOW.contains(&address) || address % 4 != 0 {
                    return Err(ivt_field(0x10, "boot_data", ivt.boot_data, "points outside the flash, or is not aligned"));
                }
                self.queue([Action::ReadMany { address, words: BOOT_DATA_WORDS, doing: "reads boot data" }]);
                self.ivt = Some(ivt);
                self.stage = Stage::CheckBootData;
            }
            Stage::CheckBootData => {
                let ivt = self.ivt()?.with_boot_data(&results, self.reading)?;
                ivt.check_entry(self.reading)?;
                self.ivt = Some(ivt);
                let address = ivt.in_flash(ivt.csf);
                if ivt.csf != 0 && WINDOW.contains(&address) && address % 4 == 0 {
                    self.queue([Action::Read { address, doing: "reads the CSF" }]);
                }
                self.stage = Stage::CheckSignature;
            }
            Stage::CheckSignature => self.check_signature(&results)?,
            Stage::CheckDcd => self.check_dcd(word(0))?,
            Stage::RunDcd { address, length } => {
                let bytes: Vec<u8> = results.iter().flat_map(|w| w.to_le_bytes()).take(length as usize).collect();
                let actions = dcd::actions(&bytes, address)?;
                self.queue(actions);
                self.stage = Stage::CopyImage;
            }
            Stage::CopyImage => {
                let ivt = self.ivt()?;
                if !ivt.in_place() {
                    let bytes = ivt.length.next_multiple_of(4);
                    self.queue([Action::Copy { from: WINDOW.start, to: ivt.start, bytes }]);
                }
                self.stage = Stage::ReadVectors;
            }
            Stage::ReadVectors => {
                let ivt = self.ivt()?;
                if !ivt.entry_is_code() {
                    self.queue([Action::ReadMany { address: ivt.entry, words: 2, doing: "reads the vector table" }]);
                }
                self.stage = Stage::Jump;
            }
            Stage::Jump => return self.jump(&results, bus),
            Stage::EndlessLoop => {
                bus.spend(Time::us(10));
            }
            Stage::SerialDownloader => return Ok(RomStep::SerialDownloader),
        }
        Ok(RomStep::Continue)
    }

    fn ivt(&self) -> Result<Ivt, RefusalReason> {
        self.ivt.ok_or_else(|| RefusalReason::NotModelled { what: "boot without an IVT".to_string() })
    }

    /// The watchdog fuse arms the RTWDOG; otherwise the ROM turns it off.
    fn set_up_watchdog(&mut self) {
        let [_, boot_config, _, misc_conf0, _] = self.fuses;
        let put = |address, value| Action::Write { address, width: Width::Word, value, doing: "sets up the watchdog" };
        let (toval, cs) = if boot_config & 1 << 21 != 0 {
            // 000 is 64 s, each step halves it.
            let seconds = LONGEST_WATCHDOG_S >> (misc_conf0 >> 13 & 7);
            let update = if self.strict() { 0 } else { RTWDOG_UPDATE };
            (seconds.max(1) * RTWDOG_HZ, RTWDOG_ON | update)
        } else {
            (0xFFFF, RTWDOG_OFF)
        };
        self.queue([put(RTWDOG_CNT, RTWDOG_UNLOCK), put(RTWDOG_TOVAL, toval), put(RTWDOG_CS, cs)]);
    }

    fn set_up_clocks(&mut self) {
        let [_, boot_config, ..] = self.fuses;
        let divider = ARM_DIVIDERS[usize::from(boot_config & 1 << 2 != 0)];
        let doing = "sets up the clocks";
        let put = |address, value| Action::Write { address, width: Width::Word, value, doing };
        let start = |address, value| {
            [
                put(address, value | PLL_BYPASS),
                Action::Poll { address, mask: PLL_LOCK, wanted: PLL_LOCK, limit: LOCK_LIMIT, what: "PLL lock" },
                put(address, value),
            ]
        };
        self.queue([put(CACRR, 1)]);
        self.queue(start(PLL_ARM, PLL_ENABLE | divider));
        self.queue(start(PLL_USB1, PLL_ENABLE | PLL_USB_POWER));
        self.queue(start(PLL_SYS, PLL_ENABLE | 1));
        self.queue([put(PFD_480, PFD_480_AT_BOOT), put(PFD_528, PFD_528_AT_BOOT)]);
    }

    fn choose_device(&mut self) -> Result<(), RefusalReason> {
        let (sbmr1, sbmr2) = (self.sbmr1, self.sbmr2);
        let [_, boot_config, _, _, misc_conf1] = self.fuses;
        let bt_fuse_sel = sbmr2 & 1 << 4 != 0;
        let force_internal = boot_config & 1 << 16 != 0;
        match sbmr2 >> 24 & 3 {
            _ if force_internal => {}
            0 if bt_fuse_sel => {}
            0 => return Err(RefusalReason::BootFusesNotSet { sbmr2 }),
            1 => return Err(RefusalReason::StrappedToSerialDownloader { sbmr2 }),
            2 => {}
            _ => return Err(RefusalReason::ReservedBootMode { sbmr2 }),
        }
        if sbmr1 & 0xF0 != 0 {
            return Err(RefusalReason::OtherBootDevice { sbmr1 });
        }
        if sbmr1 & 1 << 11 != 0 {
            self.outcome = Some(Outcome::Hangs(RefusalReason::EndlessLoop { sbmr1 }));
            self.stage = Stage::EndlessLoop;
            return Ok(());
        }
        let not_modelled = |what: &str| Err(RefusalReason::NotModelled { what: what.to_string() });
        if sbmr1 & 1 << 1 != 0 {
            return not_modelled("encrypted XIP (BOOT_CFG1[1])");
        }
        if sbmr1 & 1 != 0 {
            return not_modelled("auto-probe of the flash (fuse 0x450[0])");
        }
        if misc_conf1 & 0x00FF_0040 != 0 {
            return not_modelled("secondary image or JEDEC reset (fuse 0x6E0)");
        }
        let four_byte_address = match sbmr1 >> 8 & 7 {
            0 => false,
            1 => true,
            _ => return not_modelled("flash type in BOOT_CFG2[2:0] other than QSPI NOR"),
        };
        let hold = HOLD_TIMES[(misc_conf1 >> 4 & 3) as usize];
        self.queue(flexspi::pads());
        self.queue(flexspi::clock(flexspi::PROBE_FREQUENCY));
        self.queue(flexspi::probe(four_byte_address));
        self.queue([
            Action::Spend(hold),
            Action::ReadMany { address: WINDOW.start, words: fcb::WORDS as u32, doing: "reads the FCB" },
        ]);
        self.stage = Stage::CheckFcb;
        Ok(())
    }

    /// Sets the FlexSPI up from the FCB and lists the commands to send, once per chip that has a size.
    fn configure(&mut self, fcb: &Fcb) {
        let commands = fcb.mode_commands();
        let slow_first = fcb.safe_frequency() && !commands.is_empty();
        let code = if slow_first { flexspi::PROBE_FREQUENCY } else { fcb.frequency_code() };
        if code != 0 {
            self.queue(flexspi::clock(code));
        }
        self.queue(flexspi::configure(fcb));
        let mut base = 0u32;
        for size in fcb.sizes() {
            if size != 0 {
                self.commands.extend(commands.iter().map(|command| (*command, base)));
            }
            base = base.wrapping_add(size);
        }
        self.raise_clock = slow_first.then(|| fcb.frequency_code());
    }

    fn next_command(&mut self) {
        if let (Some((command, flash_address)), Some(fcb)) = (self.commands.pop_front(), &self.fcb) {
            let script = flexspi::mode_command(command, flash_address, fcb);
            self.queue(script);
            self.stage = Stage::CommandSent { flash_address };
            return;
        }
        if let Some(code) = self.raise_clock.take().filter(|code| *code != 0) {
            self.queue(flexspi::clock(code));
        }
        self.stage = Stage::ReadIvt;
    }

    fn send_status_read(&mut self, flash_address: u32) {
        let bytes = self.fcb.as_ref().map_or(1, Fcb::status_bytes);
        self.queue(flexspi::read_status(flash_address, bytes));
        self.stage = Stage::StatusSent { flash_address };
    }

    /// Polls on, until the FCB's time-out; without one, for ever.
    fn not_ready(&mut self, flash_address: u32, bus: &mut dyn RomBus) -> Result<(), RefusalReason> {
        const HANG_AFTER: Time = Time::ms(500);
        let timeout_ms = self.fcb.as_ref().map_or(0, Fcb::timeout_ms);
        let waited = bus.now().saturating_sub(self.ready_since.unwrap_or_default());
        if timeout_ms != 0 && waited >= Time::ms(timeout_ms.into()) {
            return Err(RefusalReason::NeverReady { timeout_ms });
        }
        if timeout_ms == 0 && waited >= HANG_AFTER && self.outcome.is_none() {
            let reason = RefusalReason::NeverReady { timeout_ms };
            bus.note(format!("hangs: {reason}"));
            self.outcome = Some(Outcome::Hangs(reason));
        }
        self.queue([Action::Spend(Time::us(10))]);
        self.send_status_read(flash_address);
        Ok(())
    }

    /// Results are pairs of INTR and STS1, perhaps followed by one more word.
    fn check_sequences(&self, results: &[u32]) -> Result<(), RefusalReason> {
        for pair in results.chunks_exact(2) {
            if let [intr, sts1] = *pair
                && intr & flexspi::INTR_FAILED != 0
            {
                return Err(RefusalReason::SequenceFailed { sequence: (sts1 >> 16 & 0xF) as u8, intr, sts1 });
            }
        }
        Ok(())
    }

    fn check_signature(&mut self, results: &[u32]) -> Result<(), RefusalReason> {
        const CSF_TAG: u8 = 0xD4;
        let ivt = self.ivt()?;
        let signed = results.first().is_some_and(|word| word.to_le_bytes()[0] == CSF_TAG);
        let closed = self.sbmr2 & 2 != 0;
        if closed && !signed {
            return Err(RefusalReason::NotSigned { csf: ivt.csf });
        }
        if closed {
            return Err(RefusalReason::NotModelled { what: "signature check of a closed part".to_string() });
        }
        let dcd = ivt.in_flash(ivt.dcd);
        self.stage = Stage::CopyImage;
        if ivt.dcd != 0 {
            if !WINDOW.contains(&dcd) || dcd % 4 != 0 {
                return self.bad_dcd(ivt.dcd, "points outside the flash, or is not aligned");
            }
            self.queue([Action::Read { address: dcd, doing: "reads the DCD" }]);
            self.stage = Stage::CheckDcd;
        }
        Ok(())
    }

    fn check_dcd(&mut self, header: u32) -> Result<(), RefusalReason> {
        let ivt = self.ivt()?;
        let address = ivt.in_flash(ivt.dcd);
        let Some((length, version)) = dcd::length(header) else {
            self.stage = Stage::CopyImage;
            return self.bad_dcd(ivt.dcd, "no DCD header (D2) there");
        };
        let refuse = |why: &str| Err(RefusalReason::Dcd { address, at: 0, why: why.to_string() });
        if !(4..=dcd::LONGEST).contains(&length) {
            return refuse("length is not 4 to 1768");
        }
        if self.strict() && !matches!(version, 0x40 | 0x41) {
            return refuse("version is not 40h or 41h");
        }
        self.queue([Action::ReadMany { address, words: length.div_ceil(4), doing: "reads the DCD" }]);
        self.stage = Stage::RunDcd { address, length };
        Ok(())
    }

    /// One of NXP's own samples has a DCD pointer with nothing behind it.
    fn bad_dcd(&mut self, pointer: u32, why: &'static str) -> Result<(), RefusalReason> {
        if self.strict() { Err(ivt_field(0x0C, "dcd", pointer, why)) } else { Ok(()) }
    }

    fn jump(&mut self, results: &[u32], bus: &mut dyn RomBus) -> Result<RomStep, RefusalReason> {
        let ivt = self.ivt()?;
        let vectors = match *results {
            [sp, pc, ..] if !ivt.entry_is_code() => Some((sp, pc)),
            _ => None,
        };
        if let Some((sp, pc)) = vectors {
            let refuse = |why| Err(RefusalReason::VectorTable { table: ivt.entry, sp, pc, why });
            if pc == 0 || pc == u32::MAX {
                return refuse("no reset vector");
            }
            if self.strict() && pc & 1 == 0 {
                return refuse("the reset vector is even, so not Thumb code");
            }
        }
        let pc = vectors.map_or(ivt.entry, |(_, pc)| pc);
        let vector_table = vectors.map(|_| ivt.entry);
        let vtor = vector_table.filter(|_| !self.strict()).unwrap_or(ROM_VTOR);
        bus.set_mpu(false);
        self.outcome = Some(Outcome::Booted { pc, vector_table });
        Ok(RomStep::Boot { sp: vectors.map(|(sp, _)| sp), pc, vtor })
    }
}

fn ivt_field(offset: u32, field: &'static str, found: u32, why: &'static str) -> RefusalReason {
    RefusalReason::IvtField { address: IVT_ADDRESS + offset, field, found, why }
}

/// A mode command and the flash address it is sent to.
pub(super) type Pending = (ModeCommand, u32);
