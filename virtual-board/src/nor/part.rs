//! A flash part: everything the NOR model knows about a chip, read from `targets/flash/<part>.toml`.

use serde::Deserialize;

use super::protection::Protection;
pub use super::reads::{ContinuousRead, DummyRow, QuadIoDummies, Read};
use super::registers::{QuadEnable, Registers, StatusPair};
use crate::time::Time;

/// Why a part file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PartError {
    /// The file is not valid TOML or does not follow the schema.
    #[error("not a flash part file: {source}")]
    Schema {
        /// What the TOML parser says.
        #[from]
        source: toml::de::Error,
    },
    /// The file asks for something the model cannot do, or contradicts itself.
    #[error("flash part {name}: {why}")]
    Content {
        /// The part.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// No built-in part of this name.
    #[error("no built-in flash part is called {name}")]
    Unknown {
        /// The name asked for.
        name: String,
    },
}

/// Which column of the part's times the chip follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimingProfile {
    /// The data sheet's typical times.
    #[default]
    Typ,
    /// Typical times of a slower sibling.
    Slow,
    /// The data sheet's maxima.
    Max,
}

/// The time an operation takes, in microseconds, per profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Duration {
    /// Typical.
    pub typ_us: u64,
    /// Typical of a slower sibling.
    pub slow_us: u64,
    /// Maximum.
    pub max_us: u64,
}

impl Duration {
    /// The time under `profile`.
    pub const fn under(&self, profile: TimingProfile) -> Time {
        Time::us(match profile {
            TimingProfile::Typ => self.typ_us,
            TimingProfile::Slow => self.slow_us,
            TimingProfile::Max => self.max_us,
        })
    }
}

/// The commands the part decodes.
#[derive(Clone, Debug, Deserialize)]
pub struct Commands {
    /// Every opcode the part knows.
    pub opcodes: Vec<u8>,
    /// Those of them that need QE = 1.
    pub quad_opcodes: Vec<u8>,
}

/// Masks in the status register (05h).
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Status {
    /// Write in progress.
    pub wip_mask: u8,
    /// Write enable latch.
    pub wel_mask: u8,
    /// Block protection.
    pub bp_mask: u8,
    /// Quad enable.
    pub qe_mask: u8,
    /// Status register write disable.
    pub srwd_mask: u8,
    /// Bits that say what BP means.
    #[serde(default)]
    pub option_mask: u8,
    /// What a unit that leaves production holds.
    pub production_value: u8,
}

impl Status {
    /// The bits WRSR writes and power does not lose.
    pub const fn non_volatile_mask(&self) -> u8 {
        self.bp_mask | self.qe_mask | self.srwd_mask | self.option_mask
    }
}

/// One erase command.
#[derive(Clone, Debug, Deserialize)]
pub struct Erase {
    /// "sector", "half block", "block".
    pub name: String,
    /// Its opcodes, equal in effect.
    pub opcodes: Vec<u8>,
    /// What it erases, in bytes; aligned to itself.
    pub size_bytes: u32,
    /// Its time.
    #[serde(flatten)]
    pub duration: Duration,
}

/// The whole-chip erase.
#[derive(Clone, Debug, Deserialize)]
pub struct ChipErase {
    /// Its opcodes, equal in effect.
    pub opcodes: Vec<u8>,
    /// Its time.
    #[serde(flatten)]
    pub duration: Duration,
}

/// Page program.
#[derive(Clone, Debug, Deserialize)]
pub struct PageProgram {
    /// Single-line opcode.
    pub opcode_1_1_1: u8,
    /// Opcodes with data on four lines.
    pub opcodes_1_1_4: Vec<u8>,
    /// Highest serial clock.
    pub max_hz: u64,
    /// Its time.
    #[serde(flatten)]
    pub duration: Duration,
    /// Typical time of the first byte, in microseconds (SFDP only).
    pub first_byte_typ_us: u32,
    /// Typical time of each further byte, in microseconds (SFDP only).
    pub next_byte_typ_us: u32,
}

/// Write status register.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct WriteStatus {
    /// Its opcode.
    pub opcode: u8,
    /// Its time.
    #[serde(flatten)]
    pub duration: Duration,
}

/// Deep power-down.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct DeepPowerDown {
    /// B9h.
    pub enter_opcode: u8,
    /// ABh.
    pub exit_opcode: u8,
    /// From CS# high to deep power-down, in microseconds.
    pub enter_us: u64,
    /// From CS# high to accepting commands again, in microseconds.
    pub exit_us: u64,
}

/// Software reset.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct SoftwareReset {
    /// 66h.
    pub enable_opcode: u8,
    /// 99h.
    pub reset_opcode: u8,
    /// Recovery of an idle chip, in microseconds.
    pub recovery_us: u64,
    /// Recovery when it broke off a program or erase, in microseconds.
    pub recovery_while_busy_us: u64,
}

/// Program and erase suspend.
#[derive(Clone, Debug, Deserialize)]
pub struct Suspend {
    /// 75h, B0h.
    pub suspend_opcodes: Vec<u8>,
    /// 7Ah, 30h.
    pub resume_opcodes: Vec<u8>,
    /// Whether other sectors than the one whose erase is suspended can be programmed meanwhile.
    pub program_while_erase_suspended: bool,
    /// From the command to a readable array, in microseconds.
    pub latency_us: u64,
}

/// QPI.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Qpi {
    /// 35h.
    pub enter_opcode: u8,
    /// F5h.
    pub leave_opcode: u8,
    /// RDID in QPI, AFh.
    pub read_id_opcode: u8,
}

/// Sizes of the identity commands.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Identity {
    /// Length of the unique ID, in bytes.
    pub unique_id_bytes: u32,
    /// Dummy clocks of 4Bh.
    pub unique_id_dummy_clocks: u32,
    /// Dummy clocks of 5Ah.
    pub sfdp_dummy_clocks: u32,
}

/// One flash part.
#[derive(Clone, Debug, Deserialize)]
pub struct Part {
    /// Its name, as sold.
    pub name: String,
    /// Who makes it.
    pub manufacturer: String,
    /// The answer to 9Fh.
    pub jedec_id: [u8; 3],
    /// The array, in bytes; a power of two.
    pub size_bytes: u32,
    /// The program page, in bytes.
    pub page_bytes: u32,
    /// Address bytes of every command.
    pub address_bytes: u8,
    /// Whether a 4-byte address mode exists.
    pub four_byte_addresses: bool,
    /// Whether fewer bytes than a page may be programmed, and a page more than once.
    pub partial_page_program: bool,
    /// Highest serial clock of any command without its own limit.
    pub max_hz: u64,
    /// Commands.
    pub commands: Commands,
    /// Status register.
    pub status: Status,
    /// Quad enable.
    pub quad_enable: QuadEnable,
    /// 01h with two bytes, where the part takes them.
    pub status_pair: Option<StatusPair>,
    /// Registers besides status register 1.
    #[serde(default)]
    pub registers: Registers,
    /// Block protection.
    pub protection: Protection,
    /// Erases, smallest first.
    #[serde(rename = "erase")]
    pub erases: Vec<Erase>,
    /// Whole-chip erase.
    pub chip_erase: ChipErase,
    /// Page program.
    pub page_program: PageProgram,
    /// Write status register.
    pub write_status: WriteStatus,
    /// Reads.
    #[serde(rename = "read")]
    pub reads: Vec<Read>,
    /// Dummy table of the quad I/O read.
    pub quad_io_dummies: QuadIoDummies,
    /// Deep power-down.
    pub deep_power_down: DeepPowerDown,
    /// Software reset.
    pub software_reset: SoftwareReset,
    /// Suspend.
    pub suspend: Suspend,
    /// Continuous read.
    pub continuous_read: ContinuousRead,
    /// QPI, where the part has it.
    pub qpi: Option<Qpi>,
    /// Identity.
    pub identity: Identity,
}

const BUILTIN: [(&str, &str); 5] = [
    (
        "is25wp064",
        include_str!("../../../targets/flash/is25wp064.toml"),
    ),
    (
        "is25wp032",
        include_str!("../../../targets/flash/is25wp032.toml"),
    ),
    (
        "is25wp128",
        include_str!("../../../targets/flash/is25wp128.toml"),
    ),
    (
        "is25lp064",
        include_str!("../../../targets/flash/is25lp064.toml"),
    ),
    (
        "w25q64jv",
        include_str!("../../../targets/flash/w25q64jv.toml"),
    ),
];

impl Part {
    /// The names [`Part::builtin`] knows.
    pub fn builtin_names() -> impl Iterator<Item = &'static str> {
        BUILTIN.iter().map(|(name, _)| *name)
    }

    /// A part of this repository's `targets/flash/`, by file name without `.toml`.
    ///
    /// # Errors
    /// [`PartError::Unknown`], or as [`Part::from_toml`].
    pub fn builtin(name: &str) -> Result<Part, PartError> {
        let (_, text) = BUILTIN
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .ok_or_else(|| PartError::Unknown {
                name: name.to_owned(),
            })?;
        Part::from_toml(text)
    }

    /// Reads a part file.
    ///
    /// # Errors
    /// The schema is not followed, or the part needs what the model does not do.
    pub fn from_toml(text: &str) -> Result<Part, PartError> {
        let part: Part = toml::from_str(text)?;
        part.check()?;
        Ok(part)
    }

    /// The fastest clock at which the part reads at all, with as many dummies as that takes, in hertz.
    pub fn fastest_read_hz(&self) -> u64 {
        self.quad_io_dummies
            .rows
            .iter()
            .map(|row| row.max_hz)
            .max()
            .unwrap_or(0)
    }

    /// The erase that `opcode` starts.
    pub fn erase_by_opcode(&self, opcode: u8) -> Option<&Erase> {
        self.erases
            .iter()
            .find(|erase| erase.opcodes.contains(&opcode))
    }

    /// The read that `opcode` starts.
    pub fn read_by_opcode(&self, opcode: u8) -> Option<&Read> {
        self.reads.iter().find(|read| read.opcode == opcode)
    }

    fn check(&self) -> Result<(), PartError> {
        let fail = |why: &str| {
            Err(PartError::Content {
                name: self.name.clone(),
                why: why.to_owned(),
            })
        };
        if !self.size_bytes.is_power_of_two() {
            return fail("size_bytes is not a power of two");
        }
        if !self.page_bytes.is_power_of_two() || self.page_bytes > self.size_bytes {
            return fail("page_bytes is not a power of two within the array");
        }
        if self.four_byte_addresses || self.address_bytes != 3 {
            return fail("4-byte addresses are not modelled");
        }
        if self
            .erases
            .iter()
            .any(|erase| !erase.size_bytes.is_power_of_two())
        {
            return fail("an erase size is not a power of two");
        }
        if self.erases.is_empty() || self.erases.len() > 4 {
            return fail("one to four erase sizes are expected (JESD216)");
        }
        Ok(())
    }
}
