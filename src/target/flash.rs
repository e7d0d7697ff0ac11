//! The flash part: identity, geometry, commands and times, as its data sheet gives them.

use std::time::Duration;

use serde::Deserialize;

use super::builtin::{self, FLASH_PARTS};
use super::known::Known;
use super::status::{FlashRegisters, Protection, QuadEnable, StatusBits, StatusPair};
use super::{TargetError, inconsistent};

/// A flash part, as its file in `targets/flash/` describes it. The virtual board reads more of the same file.
#[derive(Clone, Debug, Deserialize)]
pub struct FlashPart {
    /// Name users give, such as `IS25WP064`.
    pub name: String,
    /// Maker.
    pub manufacturer: String,
    /// Answer to 9Fh.
    pub jedec_id: [u8; 3],
    /// Size in bytes.
    pub size_bytes: u32,
    /// Page size in bytes.
    pub page_bytes: u32,
    /// Address bytes of a command.
    pub address_bytes: u8,
    /// Whether a page may be programmed in several goes without an erase between them.
    pub partial_page_program: bool,
    /// Highest clock of any command, in Hz.
    pub max_hz: u32,
    /// Where the numbers come from.
    pub source: String,
    /// Status register bits.
    pub status: StatusBits,
    /// How QE is set.
    pub quad_enable: QuadEnable,
    /// Erase units, in ascending size.
    pub erase: Vec<EraseUnit>,
    /// Chip erase.
    pub chip_erase: ChipErase,
    /// Page program.
    pub page_program: PageProgram,
    /// 01h with two bytes, where the part takes them.
    pub status_pair: Option<StatusPair>,
    /// Registers besides status register 1.
    #[serde(default)]
    pub registers: FlashRegisters,
    /// Protection bits outside status register 1.
    pub protection: Protection,
    /// Write status register.
    pub write_status: WriteStatus,
    /// Read commands at their default settings.
    pub read: Vec<ReadCommand>,
    /// Continuous read.
    pub continuous_read: ContinuousRead,
    /// QPI, where the part has it.
    pub qpi: Option<Qpi>,
    /// Software reset 66h, 99h.
    pub software_reset: SoftwareReset,
    /// What it says of itself.
    #[serde(default)]
    pub identity: FlashIdentity,
}

/// One erase unit.
#[derive(Clone, Debug, Deserialize)]
pub struct EraseUnit {
    /// The manual's word.
    pub name: String,
    /// Opcodes, the usual one first.
    pub opcodes: Vec<u8>,
    /// Size in bytes.
    pub size_bytes: u32,
    /// Typical time in us.
    pub typ_us: u32,
    /// Data sheet maximum in us.
    pub max_us: u32,
}

/// Chip erase.
#[derive(Clone, Debug, Deserialize)]
pub struct ChipErase {
    /// Opcodes.
    pub opcodes: Vec<u8>,
    /// Typical time in us.
    pub typ_us: u32,
    /// Data sheet maximum in us.
    pub max_us: u32,
}

/// Page program.
#[derive(Clone, Debug, Deserialize)]
pub struct PageProgram {
    /// Opcode with address and data on one line.
    pub opcode_1_1_1: u8,
    /// Opcodes with data on four lines (need QE).
    pub opcodes_1_1_4: Vec<u8>,
    /// Typical time of a full page in us.
    pub typ_us: u32,
    /// Data sheet maximum in us.
    pub max_us: u32,
}

/// Write status register.
#[derive(Clone, Debug, Deserialize)]
pub struct WriteStatus {
    /// Opcode.
    pub opcode: u8,
    /// Typical time in us.
    pub typ_us: u32,
    /// Data sheet maximum in us.
    pub max_us: u32,
}

/// One read command at its default setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct ReadCommand {
    /// Opcode.
    pub opcode: u8,
    /// Lines of command, address and data.
    pub lines: [u8; 3],
    /// Clocks of the mode byte.
    pub mode_clocks: u8,
    /// Clocks between mode byte and data.
    pub dummy_clocks: u8,
    /// Highest clock in Hz.
    pub max_hz: u32,
}

impl ReadCommand {
    /// Whether it needs QE.
    pub const fn needs_quad_enable(&self) -> bool {
        self.lines[1] == 4 || self.lines[2] == 4
    }
}

/// What a part says of itself besides its JEDEC ID.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct FlashIdentity {
    /// Dummy clocks of 5Ah; none where the part has no SFDP.
    pub sfdp_dummy_clocks: Option<u8>,
}

/// Continuous read: the mode byte decides whether the next read comes without opcode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct ContinuousRead {
    /// Upper four mode bits that enter or keep it.
    pub enter_high_nibble: u8,
    /// Which of those four bits count.
    pub enter_nibble_mask: u8,
    /// A mode byte that leaves it.
    pub leave_mode_byte: u8,
}

/// QPI: command, address and data on four lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Qpi {
    /// Opcode that leaves it, on four lines.
    pub leave_opcode: u8,
}

/// Software reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct SoftwareReset {
    /// First opcode.
    pub enable_opcode: u8,
    /// Second opcode.
    pub reset_opcode: u8,
    /// Recovery when idle, in us.
    pub recovery_us: u32,
    /// Recovery when it breaks off an erase, in us.
    pub recovery_while_busy_us: u32,
}

impl FlashPart {
    /// Size of the smallest erase unit in bytes: the manual's sector.
    pub const SECTOR_BYTES: u32 = 4096;
    /// The most that 3-byte addresses reach, in bytes; the boot ROM uses no others.
    pub const LARGEST_BYTES: u32 = 16 << 20;

    /// Names of the built-in parts.
    pub fn names() -> impl Iterator<Item = &'static str> {
        FLASH_PARTS.iter().map(|file| file.name)
    }

    /// The name of the part with this JEDEC ID, whether built in or only known by its ID.
    pub fn named_by(jedec_id: [u8; 3]) -> Option<&'static str> {
        FlashPart::builtin_by(jedec_id).or_else(|| Some(Known::by(jedec_id)?.name.as_str()))
    }

    /// The name of the built-in part with this JEDEC ID.
    pub fn builtin_by(jedec_id: [u8; 3]) -> Option<&'static str> {
        FLASH_PARTS
            .iter()
            .map(|file| file.name)
            .find(|name| FlashPart::builtin(name).is_ok_and(|part| part.jedec_id == jedec_id))
    }

    /// The built-in parts with this JEDEC ID.
    pub fn all_with(jedec_id: [u8; 3]) -> Vec<Self> {
        let parts = FlashPart::names().filter_map(|name| FlashPart::builtin(name).ok());
        parts.filter(|part| part.jedec_id == jedec_id).collect()
    }

    /// Whether its data sheet promises SFDP.
    pub const fn has_sfdp(&self) -> bool {
        self.identity.sfdp_dummy_clocks.is_some()
    }

    /// A built-in part by name, without regard to case.
    ///
    /// # Errors
    /// [`TargetError::Unknown`].
    pub fn builtin(name: &str) -> Result<Self, TargetError> {
        let file = builtin::find("flash part", FLASH_PARTS, name)?;
        FlashPart::from_toml(file.name, file.text)
    }

    /// Parses and checks a flash part file.
    ///
    /// # Errors
    /// [`TargetError::Syntax`], [`TargetError::Inconsistent`].
    pub fn from_toml(file: &str, text: &str) -> Result<Self, TargetError> {
        let part: FlashPart = toml::from_str(text).map_err(|source| TargetError::Syntax {
            kind: "flash part",
            file: file.to_owned(),
            source: Box::new(source),
        })?;
        part.check()
            .map_err(|what| inconsistent("flash part", &part.name, what))?;
        Ok(part)
    }

    /// Number of 4 KiB sectors.
    pub const fn sectors(&self) -> u32 {
        self.size_bytes / Self::SECTOR_BYTES
    }

    /// The read command with this opcode.
    pub fn read_command(&self, opcode: u8) -> Option<&ReadCommand> {
        self.read.iter().find(|read| read.opcode == opcode)
    }

    /// The erase unit of this size.
    pub fn erase_unit(&self, size_bytes: u32) -> Option<&EraseUnit> {
        self.erase.iter().find(|unit| unit.size_bytes == size_bytes)
    }

    /// Typical time in us of one erase of so many bytes; the whole part is the chip erase. 0 for a size without a command.
    pub fn erase_typ_us(&self, size_bytes: u32) -> u32 {
        if size_bytes == self.size_bytes {
            return self.chip_erase.typ_us;
        }
        self.erase_unit(size_bytes).map_or(0, |unit| unit.typ_us)
    }

    /// Data sheet maximum in us of one erase of so many bytes; the whole part is the chip erase. 0 for a size without a
    /// command.
    pub fn erase_max_us(&self, size_bytes: u32) -> u32 {
        if size_bytes == self.size_bytes {
            return self.chip_erase.max_us;
        }
        self.erase_unit(size_bytes).map_or(0, |unit| unit.max_us)
    }

    /// The longest that any single operation short of a chip erase may take by the data sheet.
    pub fn longest_operation(&self) -> Duration {
        let longest_us = self
            .erase
            .iter()
            .map(|unit| unit.max_us)
            .chain([self.page_program.max_us, self.write_status.max_us])
            .max()
            .unwrap_or(0);
        Duration::from_micros(longest_us.into())
    }

    /// JEDEC ID as people write it, such as `9D 70 17`.
    pub fn jedec_id_text(&self) -> String {
        let [a, b, c] = self.jedec_id;
        format!("{a:02X} {b:02X} {c:02X}")
    }

    fn check(&self) -> Result<(), String> {
        if !self.size_bytes.is_power_of_two() || self.size_bytes < Self::SECTOR_BYTES {
            return Err("size_bytes is no power of two of at least one sector".to_owned());
        }
        if !self.page_bytes.is_power_of_two() || self.page_bytes > Self::SECTOR_BYTES {
            return Err("page_bytes is no power of two within a sector".to_owned());
        }
        if !self.erase.is_sorted_by(|a, b| a.size_bytes < b.size_bytes) {
            return Err("the erase units must ascend in size".to_owned());
        }
        if self.erase.first().map(|unit| unit.size_bytes) != Some(Self::SECTOR_BYTES) {
            return Err("the smallest erase unit must be the 4 KiB sector".to_owned());
        }
        for unit in &self.erase {
            if !unit.size_bytes.is_power_of_two() || unit.size_bytes > self.size_bytes {
                return Err(format!("erase unit {} has an impossible size", unit.name));
            }
            if unit.opcodes.is_empty() || unit.typ_us == 0 || unit.typ_us > unit.max_us {
                return Err(format!(
                    "erase unit {} lacks an opcode or its times contradict",
                    unit.name
                ));
            }
        }
        if self.page_program.typ_us > self.page_program.max_us
            || self.write_status.typ_us > self.write_status.max_us
        {
            return Err("a typical time is above its maximum".to_owned());
        }
        if self.address_bytes != 3 || self.size_bytes > Self::LARGEST_BYTES {
            return Err(
                "the boot ROM reads with 3-byte addresses: a part beyond 16 MiB is not supported"
                    .to_owned(),
            );
        }
        self.check_status()?;
        for read in &self.read {
            if read.max_hz > self.max_hz {
                return Err(format!("read {:02X}h is faster than the part", read.opcode));
            }
        }
        let ContinuousRead {
            enter_high_nibble: enter,
            enter_nibble_mask: counts,
            leave_mode_byte: leave,
        } = self.continuous_read;
        if ((leave >> 4) ^ enter) & counts == 0 {
            return Err("leave_mode_byte would stay in continuous read".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(from: &str, to: &str) -> String {
        let text = include_str!("../../targets/flash/is25wp064.toml");
        assert!(text.contains(from), "the test looks for {from}");
        FlashPart::from_toml("test", &text.replacen(from, to, 1))
            .expect_err("a broken file")
            .to_string()
    }

    #[test]
    fn a_part_file_that_contradicts_itself_is_refused_with_the_reason() {
        assert!(
            broken("size_bytes = 8_388_608", "size_bytes = 8_388_607").contains("power of two")
        );
        assert!(broken("production_value = 0x40", "production_value = 0x44").contains("protects"));
        assert!(broken("typ_us = 70_000", "typ_us = 700_000").contains("times contradict"));
        assert!(broken("page_bytes = 256\n", "").contains("cannot be read"));
        assert!(
            broken("size_bytes = 8_388_608", "size_bytes = 33_554_432").contains("beyond 16 MiB")
        );
    }

    #[test]
    fn the_part_of_the_evk_is_described() {
        let part = FlashPart::builtin("is25wp064").expect("part");
        assert_eq!(part.jedec_id_text(), "9D 70 17");
        assert_eq!(part.sectors(), 2048);
        assert!(part.read_command(0xEB).expect("EBh").needs_quad_enable());
        assert!(!part.read_command(0x03).expect("03h").needs_quad_enable());
        assert_eq!(part.longest_operation(), Duration::from_secs(1));
    }
}
