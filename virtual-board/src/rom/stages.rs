//! The ROM's decisions, in boot order: each looks at what the last script read and queues the next one.

use super::dcd;
use super::fcb::{Fcb, ModeCommand};
use super::flexspi;
use super::image::{BOOT_DATA_WORDS, IVT_ADDRESS, IVT_WORDS, Ivt, WINDOW};
use super::image_checks::ivt_field;
use super::script::Action;
use super::{Outcome, RefusalReason, Rom, RomBus, RomStep, WORKING_RAM, WORKING_RAM_END};
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
            Stage::NextCommand
            | Stage::CommandSent { .. }
            | Stage::StatusSent { .. }
            | Stage::StatusRead { .. } => 0x0020_5800,
            Stage::ReadIvt | Stage::CheckIvt | Stage::CheckBootData | Stage::CheckSignature => {
                0x0020_7000
            }
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
const FUSE_SHADOWS: [u32; 5] = [
    0x401F_4450,
    0x401F_4460,
    0x401F_4470,
    0x401F_46D0,
    0x401F_46E0,
];

/// From reset to the read of the boot mode, and from there to the first flash access: together with the flash accesses
/// this gives the 10 to 16 ms from reset to the application that NXP's community measured.
const START_UP: Time = Time::us(500);
const SET_UP: Time = Time::ms(6);

impl Rom {
    /// The next decision; the script is empty and the results are complete.
    pub(super) fn decide(&mut self, bus: &mut dyn RomBus) -> Result<RomStep, RefusalReason> {
        let results = std::mem::take(&mut self.results);
        let word = |index: usize| results.get(index).copied().unwrap_or(0);
        match self.stage {
            Stage::Reset => {
                let fuses = FUSE_SHADOWS.map(|address| Action::Read {
                    address,
                    doing: "reads its fuses",
                });
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
                    Action::Fill {
                        address: WORKING_RAM,
                        end: WORKING_RAM_END,
                    },
                    Action::Read {
                        address: SBMR1,
                        doing: "reads the boot mode",
                    },
                    Action::Read {
                        address: SBMR2,
                        doing: "reads the boot mode",
                    },
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
                for point in fcb.unsettled() {
                    bus.note(format!("not settled, ignored: {point}"));
                }
                fcb.remarks().into_iter().for_each(|text| bus.note(text));
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
                    self.queue([Action::Read {
                        address: flexspi::RFDR0,
                        doing: "reads the flash's status",
                    }]);
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
                    return Err(ivt_field(
                        0x10,
                        "boot_data",
                        ivt.boot_data,
                        "points outside the flash, or is not aligned",
                    ));
                }
                self.queue([Action::ReadMany {
                    address,
                    words: BOOT_DATA_WORDS,
                    doing: "reads boot data",
                }]);
                self.ivt = Some(ivt);
                self.stage = Stage::CheckBootData;
            }
            Stage::CheckBootData => {
                let ivt = self.ivt()?.with_boot_data(&results, self.reading)?;
                ivt.check_entry(self.reading)?;
                self.ivt = Some(ivt);
                let address = ivt.in_flash(ivt.csf);
                if ivt.csf != 0 && WINDOW.contains(&address) && address % 4 == 0 {
                    self.queue([Action::Read {
                        address,
                        doing: "reads the CSF",
                    }]);
                }
                self.stage = Stage::CheckSignature;
            }
            Stage::CheckSignature => self.check_signature(&results)?,
            Stage::CheckDcd => self.check_dcd(word(0))?,
            Stage::RunDcd { address, length } => {
                let bytes: Vec<u8> = results
                    .iter()
                    .flat_map(|w| w.to_le_bytes())
                    .take(length as usize)
                    .collect();
                let actions = dcd::actions(&bytes, address)?;
                self.queue(actions);
                self.stage = Stage::CopyImage;
            }
            Stage::CopyImage => {
                let ivt = self.ivt()?;
                if !ivt.in_place() {
                    let bytes = ivt.length.next_multiple_of(4);
                    self.queue([Action::Copy {
                        from: WINDOW.start,
                        to: ivt.start,
                        bytes,
                    }]);
                }
                self.stage = Stage::ReadVectors;
            }
            Stage::ReadVectors => {
                let ivt = self.ivt()?;
                if !ivt.entry_is_code() {
                    self.queue([Action::ReadMany {
                        address: ivt.entry,
                        words: 2,
                        doing: "reads the vector table",
                    }]);
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

    fn next_command(&mut self) {
        if let (Some((command, flash_address)), Some(fcb)) = (self.commands.pop_front(), &self.fcb)
        {
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
        let waited = bus
            .now()
            .saturating_sub(self.ready_since.unwrap_or_default());
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
                return Err(RefusalReason::SequenceFailed {
                    sequence: (sts1 >> 16 & 0xF) as u8,
                    intr,
                    sts1,
                });
            }
        }
        Ok(())
    }
}

/// A mode command and the flash address it is sent to.
pub(super) type Pending = (ModeCommand, u32);
