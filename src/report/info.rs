//! What `info` tells: chip, boot configuration, fuses, RAM split, state in which the board was found, flash part.

use serde::Serialize;

use crate::link::{CoreState, DebugPort};
use crate::survey::{ChipFound, FlashFound, FlexRam, Fuses, ResetCauses, RomApi, Sfdp, Standing};
use crate::target::{BootConfig, BootMode, BootObstacle, Chip, FlashPart};

const BYTES_PER_KIB: u64 = 1024;

/// Everything that `info` reads, as far as it came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct InfoRecord {
    /// VTref in millivolts, where the probe measures it.
    pub vtref_millivolts: Option<u32>,
    /// DPIDR of the debug port.
    pub dpidr: String,
    /// IDR of access port 0.
    pub ap_idr: String,
    /// What the board did before it was reset.
    pub found: Option<FoundRecord>,
    /// CPUID.
    pub cpuid: Option<String>,
    /// The word of the boot ROM that tells chips of the family apart.
    pub rom_mark: Option<String>,
    /// Where the ROM's API tree stands.
    pub rom_api_tree: Option<String>,
    /// Its version word.
    pub rom_api_version: Option<String>,
    /// Boot configuration.
    pub boot: Option<BootConfigRecord>,
    /// Fuses.
    pub fuses: Option<FusesRecord>,
    /// FlexRAM split that was in force.
    pub flexram: Option<FlexRamRecord>,
    /// The flash part.
    pub flash: Option<FlashDetails>,
}

/// The state in which the board was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FoundRecord {
    /// `running`, `asleep`, `asleep, bus clock off`, `halted` or `locked up`.
    pub core: &'static str,
    /// A sample of the program counter.
    pub program_counter: Option<String>,
    /// Whether that is in the boot ROM.
    pub in_boot_rom: bool,
    /// VTOR.
    pub vector_table: Option<String>,
    /// SRC_SRSR.
    pub srsr: Option<String>,
    /// The reset causes in it, in words.
    pub reset_causes: Vec<&'static str>,
}

/// Boot mode registers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BootConfigRecord {
    /// SRC_SBMR1.
    pub sbmr1: String,
    /// SRC_SBMR2.
    pub sbmr2: String,
    /// BOOT_MODE in two binary digits.
    pub boot_mode: &'static str,
    /// BOOT_MODE in words.
    pub boot_mode_text: String,
    /// BT_FUSE_SEL: the fuses, not the pins, choose the boot device.
    pub bt_fuse_sel: bool,
    /// Whether BOOT_CFG comes from fuses.
    pub boot_cfg_from_fuses: bool,
    /// BOOT_CFG1.
    pub boot_cfg1: String,
    /// BOOT_CFG2.
    pub boot_cfg2: String,
    /// The boot device in words.
    pub device: String,
    /// BOOT_CFG1[1]: the ROM decrypts the image.
    pub encrypted_xip: bool,
    /// BOOT_CFG2[3]: the ROM loops for a debugger and does not boot.
    pub endless_loop: bool,
    /// SEC_CONFIG: `fab`, `open` or `closed`.
    pub sec_config: String,
    /// HAB runs signed images only.
    pub hab_closed: bool,
    /// What keeps the ROM from the flash, whatever that holds.
    pub obstacle: Option<String>,
}

/// Fuses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FusesRecord {
    /// Fuse addresses and words.
    pub words: Vec<(&'static str, String)>,
    /// Any bit of the SRK hash is blown.
    pub srk_hash_set: bool,
    /// What the fuses leave of the debug port.
    pub debug_access: String,
    /// Code of the time-out with which the ROM starts RTWDOG, where it does.
    pub watchdog_timeout_code: Option<u32>,
    /// Where the ROM looks for a second image, in bytes from the start of the flash.
    pub secondary_image_offset: Option<u32>,
    /// What else is blown and changes how the chip boots, one phrase each.
    pub notable: Vec<&'static str>,
}

/// A FlexRAM split.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FlexRamRecord {
    /// Size of the ITCM in bytes, where known.
    pub itcm_bytes: Option<u32>,
    /// Size of the DTCM in bytes.
    pub dtcm_bytes: Option<u32>,
    /// Size of the FlexRAM part of the OCRAM in bytes.
    pub ocram_bytes: Option<u32>,
    /// The whole in words.
    pub text: String,
}

/// The flash part in detail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FlashDetails {
    /// Whether there is data for the part: it can be flashed.
    pub is_known: bool,
    /// `absent`, `damaged`, or the revision such as `1.6`.
    pub sfdp: String,
    /// Size in bytes by SFDP.
    pub sfdp_size_bytes: Option<u64>,
    /// The status registers, register 1 in the lowest byte.
    pub status: String,
    /// What they mean; absent for an unknown part.
    pub status_bits: Option<StatusRecord>,
    /// What the entry met, one phrase each: busy, suspended, watchdogs that cannot be disabled.
    pub on_entry: Vec<&'static str>,
}

/// Status registers taken apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StatusRecord {
    /// QE.
    pub quad_enable: bool,
    /// Block protection bits, in their places.
    pub block_protection: u8,
    /// Whether any protection bit is set.
    pub protected: bool,
    /// Status register write disable.
    pub srwd: bool,
    /// Write enable latch.
    pub wel: bool,
    /// Write in progress.
    pub wip: bool,
}

impl InfoRecord {
    /// With what is known before memory is touched.
    pub fn new(port: DebugPort, vtref_millivolts: Option<u32>) -> Self {
        InfoRecord {
            vtref_millivolts,
            dpidr: word(port.dpidr),
            ap_idr: word(port.ap_idr),
            found: None,
            cpuid: None,
            rom_mark: None,
            rom_api_tree: None,
            rom_api_version: None,
            boot: None,
            fuses: None,
            flexram: None,
            flash: None,
        }
    }

    /// Notes what the board did; `None` where it slept with its bus clock off.
    pub fn note_standing(&mut self, standing: Option<&Standing>, chip: &Chip) {
        let Some(standing) = standing else {
            self.found = Some(FoundRecord {
                core: "asleep, bus clock off",
                program_counter: None,
                in_boot_rom: false,
                vector_table: None,
                srsr: None,
                reset_causes: Vec::new(),
            });
            return;
        };
        self.found = Some(FoundRecord {
            core: match standing.core {
                CoreState::Halted => "halted",
                CoreState::LockedUp => "locked up",
                CoreState::Asleep => "asleep",
                CoreState::Running => "running",
            },
            program_counter: standing.program_counter.map(|pc| pc.to_string()),
            in_boot_rom: standing.is_in_rom(chip),
            vector_table: standing.vector_table.map(|address| address.to_string()),
            srsr: standing.reset_causes.map(|causes| word(causes.0)),
            reset_causes: standing
                .reset_causes
                .map_or_else(Vec::new, |causes| causes.names().collect()),
        });
    }

    /// Notes the chip.
    pub fn note_chip(&mut self, chip: &ChipFound) {
        self.cpuid = Some(word(chip.cpuid));
        self.rom_mark = Some(word(chip.rom_fingerprint));
        self.boot = Some((&chip.boot).into());
    }

    /// Notes ROM, fuses and RAM.
    pub fn note_rom_and_fuses(&mut self, rom: Option<RomApi>, fuses: &Fuses, flexram: FlexRam) {
        self.rom_api_tree = rom.map(|rom| rom.tree.to_string());
        self.rom_api_version = rom.and_then(|rom| rom.version).map(word);
        self.fuses = Some(fuses.into());
        let sizes = flexram.sizes();
        self.flexram = Some(FlexRamRecord {
            itcm_bytes: sizes.map(|sizes| sizes.itcm_bytes),
            dtcm_bytes: sizes.map(|sizes| sizes.dtcm_bytes),
            ocram_bytes: sizes.map(|sizes| sizes.ocram_bytes),
            text: flexram.to_string(),
        });
    }

    /// Labels and lines for people.
    pub(super) fn lines(&self) -> Vec<(&'static str, String)> {
        let mut lines = Vec::new();
        if let Some(millivolts) = self.vtref_millivolts {
            lines.push(("vtref", format!("{millivolts} mV")));
        }
        let port = format!("DPIDR {}, AP IDR {}", self.dpidr, self.ap_idr);
        lines.push(("port", port));
        if let Some(found) = &self.found {
            lines.extend(found.lines());
        }
        if let Some(cpuid) = &self.cpuid {
            lines.push(("core", format!("CPUID {cpuid}")));
        }
        if let Some(mark) = &self.rom_mark {
            let api = match (&self.rom_api_tree, &self.rom_api_version) {
                (Some(tree), Some(version)) => format!(", API tree at {tree}, version {version}"),
                (Some(tree), None) => {
                    format!(", API tree at {tree}, its version cannot be read")
                }
                (None, _) => String::new(),
            };
            lines.push(("boot rom", format!("mark {mark}{api}")));
        }
        if let Some(boot) = &self.boot {
            lines.extend(boot.lines());
        }
        if let Some(fuses) = &self.fuses {
            lines.extend(fuses.lines());
        }
        if let Some(flexram) = &self.flexram {
            lines.push(("flexram", flexram.text.clone()));
        }
        if let Some(flash) = &self.flash {
            lines.extend(flash.lines());
        }
        lines
    }
}

impl FoundRecord {
    fn lines(&self) -> Vec<(&'static str, String)> {
        let mut state = self.core.to_owned();
        if let Some(pc) = &self.program_counter {
            let place = if self.in_boot_rom {
                " in the boot ROM"
            } else {
                ""
            };
            state += &format!(", program counter {pc}{place}");
        }
        if let Some(vtor) = &self.vector_table {
            state += &format!(", VTOR {vtor}");
        }
        let mut lines = vec![("found", state)];
        if let Some(srsr) = &self.srsr {
            let causes = if self.reset_causes.is_empty() {
                ResetCauses(0).to_string()
            } else {
                self.reset_causes.join(", ")
            };
            lines.push(("reset by", format!("{causes} (SRC_SRSR {srsr})")));
        }
        lines
    }
}

impl From<&BootConfig> for BootConfigRecord {
    fn from(boot: &BootConfig) -> Self {
        BootConfigRecord {
            sbmr1: word(boot.sbmr1),
            sbmr2: word(boot.sbmr2),
            boot_mode: match boot.mode {
                BootMode::Fuses => "00",
                BootMode::SerialDownloader => "01",
                BootMode::Internal => "10",
                BootMode::Reserved => "11",
            },
            boot_mode_text: boot.mode.to_string(),
            bt_fuse_sel: boot.bt_fuse_sel,
            boot_cfg_from_fuses: boot.is_from_fuses(),
            boot_cfg1: format!("{:#04x}", boot.boot_cfg1()),
            boot_cfg2: format!("{:#04x}", boot.boot_cfg2()),
            device: if boot.from_flexspi_nor {
                format!("FlexSPI NOR ({})", boot.flash_type())
            } else {
                let code = boot.boot_cfg1() >> 4;
                format!("another device than the FlexSPI NOR (BOOT_CFG1[7:4] {code:04b})")
            },
            encrypted_xip: boot.encrypted_xip(),
            endless_loop: boot.endless_loop(),
            sec_config: boot.security.to_string(),
            hab_closed: boot.is_closed(),
            obstacle: boot.obstacle().map(obstacle),
        }
    }
}

fn obstacle(obstacle: BootObstacle) -> String {
    let text = match obstacle {
        BootObstacle::SerialDownloader => "the ROM goes to the serial downloader",
        BootObstacle::FusesNotSet => {
            "BT_FUSE_SEL is not blown, so the ROM goes to the serial downloader"
        }
        BootObstacle::ReservedMode => "the boot mode pins have the reserved value",
        BootObstacle::OtherDevice { from_fuses: true } => "the fuses select another boot device",
        BootObstacle::OtherDevice { from_fuses: false } => "the pins select another boot device",
    };
    text.to_owned()
}

impl BootConfigRecord {
    fn lines(&self) -> Vec<(&'static str, String)> {
        let source = if self.boot_cfg_from_fuses {
            "fuses"
        } else {
            "pins"
        };
        let mut device = format!(
            "{}, BOOT_CFG1 {}, BOOT_CFG2 {} from {source} (SRC_SBMR1 {})",
            self.device, self.boot_cfg1, self.boot_cfg2, self.sbmr1
        );
        if self.encrypted_xip {
            device += ", image encrypted";
        }
        if self.endless_loop {
            device += ", the ROM loops and does not boot";
        }
        let mode = format!(
            "BOOT_MODE {}, {} (SRC_SBMR2 {})",
            self.boot_mode, self.boot_mode_text, self.sbmr2
        );
        let mut lines = vec![("boot mode", mode), ("boot from", device)];
        if let Some(obstacle) = &self.obstacle {
            lines.push(("no boot", obstacle.clone()));
        }
        let hab = if self.hab_closed {
            "signed images only"
        } else {
            "images need no signature"
        };
        lines.push(("hab", format!("{}, {hab}", self.sec_config)));
        lines
    }
}

impl From<&Fuses> for FusesRecord {
    fn from(fuses: &Fuses) -> Self {
        FusesRecord {
            words: vec![
                ("0x450", word(fuses.boot_cfg)),
                ("0x460", word(fuses.boot_config_0x460)),
                ("0x470", word(fuses.boot_config_0x470)),
                ("0x6D0", word(fuses.misc_conf_0x6d0)),
                ("0x6E0", word(fuses.misc_conf_0x6e0)),
            ],
            srk_hash_set: fuses.srk_hash_set,
            debug_access: fuses.debug_access().to_string(),
            watchdog_timeout_code: fuses.watchdog(),
            secondary_image_offset: fuses.secondary_image_offset(),
            notable: fuses.notable(),
        }
    }
}

impl FusesRecord {
    fn lines(&self) -> Vec<(&'static str, String)> {
        let words: Vec<String> = self
            .words
            .iter()
            .map(|(address, word)| format!("{address} {word}"))
            .collect();
        let srk = if self.srk_hash_set { "set" } else { "not set" };
        let watchdog = self.watchdog_timeout_code.map_or_else(
            || "off".to_owned(),
            |code| format!("started by the ROM, time-out code {code}"),
        );
        let mut meaning = vec![
            format!("debug port {}", self.debug_access),
            format!("SRK hash {srk}"),
            format!("watchdog {watchdog}"),
        ];
        if let Some(offset) = self.secondary_image_offset {
            meaning.push(format!("second image at flash offset {offset:#x}"));
        }
        meaning.extend(self.notable.iter().map(|text| (*text).to_owned()));
        vec![("fuses", words.join(", ")), ("", meaning.join(", "))]
    }
}

impl FlashDetails {
    /// From what was found; with the part's data and all its status registers where it is known.
    pub fn of(flash: &FlashFound, known: Option<(&FlashPart, u32)>) -> Self {
        let status = known.map_or(flash.status_register, |(_, status)| status);
        FlashDetails {
            is_known: known.is_some(),
            sfdp: match flash.sfdp() {
                Sfdp::Absent => "absent".to_owned(),
                Sfdp::Damaged => "damaged".to_owned(),
                Sfdp::Tables {
                    revision: [major, minor],
                    ..
                } => format!("{major}.{minor}"),
            },
            sfdp_size_bytes: flash.sfdp_size_bytes(),
            status: format!("0x{status:02X}"),
            status_bits: known.map(|(part, status)| StatusRecord::of(part, status)),
            on_entry: flash.on_entry().collect(),
        }
    }

    fn lines(&self) -> Vec<(&'static str, String)> {
        let sfdp = self.sfdp_size_bytes.map_or_else(
            || self.sfdp.clone(),
            |bytes| format!("revision {}, {} KiB", self.sfdp, bytes / BYTES_PER_KIB),
        );
        let status = self.status_bits.as_ref().map_or_else(
            || format!("{}; what its bits mean is not known", self.status),
            |bits| format!("{}: {}", self.status, bits.text()),
        );
        let mut lines = vec![("sfdp", sfdp), ("status", status)];
        if !self.on_entry.is_empty() {
            lines.push(("on entry", self.on_entry.join(", ")));
        }
        lines
    }
}

impl StatusRecord {
    fn of(part: &FlashPart, status: u32) -> Self {
        let [first, ..] = status.to_le_bytes();
        let bits = part.status;
        StatusRecord {
            quad_enable: status & part.quad_enable_mask() != 0,
            block_protection: first & bits.bp_mask,
            protected: status & part.protection_mask() != 0,
            srwd: first & bits.srwd_mask != 0,
            wel: first & bits.wel_mask != 0,
            wip: first & bits.wip_mask != 0,
        }
    }

    fn text(&self) -> String {
        let protection = if self.protected {
            "blocks are protected"
        } else {
            "nothing protected"
        };
        let bit = u8::from;
        format!(
            "QE {}, BP 0x{:02X} ({protection}), SRWD {}, WEL {}, WIP {}",
            bit(self.quad_enable),
            self.block_protection,
            bit(self.srwd),
            bit(self.wel),
            bit(self.wip)
        )
    }
}

fn word(value: u32) -> String {
    format!("{value:#010x}")
}
