//! The job file as it is written: one struct for each of its tables, in version 1 of the format.

use std::path::PathBuf;

use serde::Deserialize;

use crate::image::FileHash;
use crate::job::ReadMode;
use crate::records::PassedBefore;
use crate::unit::{Rule, Series};

/// The version of the format that this program writes, and the newest that it reads.
pub const JOB_VERSION: u32 = 1;

/// What a station does to every board of one product. Unknown keys are refused in every table.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(title = "rtflash job file"))]
#[serde(deny_unknown_fields)]
pub struct JobFile {
    /// Version of the format: 1.
    #[cfg_attr(test, schemars(extend("const" = JOB_VERSION)))]
    pub version: u32,
    /// What quota, retry limit and records count by: 1 to 64 letters, digits, `.`, `_` and `-`; begins with a letter or
    /// digit.
    #[cfg_attr(test, schemars(regex(pattern = NAME_PATTERN)))]
    pub name: String,
    /// What the product calls this state of the job; is put on record.
    pub revision: Option<String>,
    /// What happens to bytes of others in a sector that must be erased.
    #[serde(default)]
    pub shared_sectors: JobSharedSectors,
    /// What is compared before and after besides the image's sectors.
    #[serde(default)]
    pub guard: JobGuard,
    /// Chip, flash part and board.
    pub target: JobTarget,
    /// Which boards may be flashed, apart from the target.
    #[serde(default)]
    pub identity: JobIdentity,
    /// How the probe talks to the board.
    #[serde(default)]
    pub link: JobLink,
    /// The files of the image, merged.
    #[serde(rename = "image")]
    pub images: Vec<JobImage>,
    /// What the boot header is to be like.
    #[serde(default)]
    pub boot_header: JobBootHeader,
    /// What a PASS needs after verify.
    #[serde(default)]
    pub boot: JobBoot,
    /// How units come and go.
    #[serde(default)]
    pub unit: JobUnit,
    /// Series of numbers that units get: serial numbers, MAC addresses.
    #[serde(default)]
    pub series: Vec<Series>,
    /// What is put into each unit's image.
    #[serde(default)]
    pub data: Vec<Rule>,
}

/// `[target]`: names as `rtflash targets` lists them. There is no `auto`: which boards a job is for is stated.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct JobTarget {
    /// The chip.
    pub chip: String,
    /// The flash part.
    pub flash: String,
    /// How the flash is wired.
    pub board: String,
}

/// `[identity]`: checked when the chip is known, before anything on the board is changed. What is left out may be anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct JobIdentity {
    /// Unique IDs of chips: 16 characters each, a hexadecimal digit or `?` for any. One of them must fit.
    pub unique_ids: Option<Vec<String>>,
    /// BOOT_MODE as latched at power-on must be one of these.
    pub boot_modes: Option<Vec<JobBootMode>>,
    /// SEC_CONFIG must be one of these.
    pub security: Option<Vec<JobSecurity>>,
}

/// BOOT_MODE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum JobBootMode {
    /// 10: from pins, or from fuses with BT_FUSE_SEL.
    Internal,
    /// 01: the ROM waits for a host on USB or UART.
    SerialDownloader,
    /// 00: from the fuses.
    Fuses,
}

/// SEC_CONFIG.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum JobSecurity {
    /// As it leaves NXP's wafer test; runs what it is given.
    Fab,
    /// Runs what it is given, signed or not.
    Open,
    /// Runs images only that are signed with the fused key.
    Closed,
}

/// `[link]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct JobLink {
    /// SWD clock in kHz, 10 to 50000; left out, 4000 or what probe and contact stand.
    pub speed_khz: Option<u32>,
    /// Whether the reset pin is pulsed first, to halt the core in its boot ROM.
    #[serde(default)]
    pub connect_under_reset: bool,
}

/// `[[image]]`: a file of the image.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct JobImage {
    /// The file, below the job file's folder: never absolute, never with `..`, so that a job is a folder that can be copied.
    pub file: PathBuf,
    /// Bus address of the first byte of a raw binary that does not show where it belongs.
    pub address: Option<u32>,
    /// SHA-256 of the file in hex; `rtflash job lock` fills it in. A station runs no job that lacks one.
    #[cfg_attr(test, schemars(with = "Option<String>", regex(pattern = SHA256_PATTERN)))]
    pub sha256: Option<FileHash>,
}

/// A file that a job names, with its hash.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct JobPinnedFile {
    /// The file, below the job file's folder.
    pub file: PathBuf,
    /// SHA-256 of the file in hex; `rtflash job lock` fills it in.
    #[cfg_attr(test, schemars(with = "Option<String>", regex(pattern = SHA256_PATTERN)))]
    pub sha256: Option<FileHash>,
}

/// What a name looks like.
#[cfg(test)]
const NAME_PATTERN: &str = "^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$";
/// What a SHA-256 looks like.
#[cfg(test)]
const SHA256_PATTERN: &str = "^[0-9A-Fa-f]{64}$";

/// `[boot_header]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct JobBootHeader {
    /// What happens to FCB, IVT and boot data.
    #[serde(default)]
    pub policy: JobHeaderPolicy,
    /// A raw binary that begins with an FCB (512 bytes), used in place of the image's or a new one.
    pub fcb: Option<JobPinnedFile>,
    /// How a new FCB reads the flash; left out, quad I/O where four lines are wired.
    pub read_mode: Option<ReadMode>,
    /// Clock of a new FCB in MHz; left out, what board and part surely stand.
    pub clock_mhz: Option<u32>,
}

/// What happens to FCB, IVT and boot data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum JobHeaderPolicy {
    /// What the image lacks is made and inserted.
    #[default]
    Insert,
    /// What the image lacks stays as the board holds it.
    Keep,
    /// All is made anew, as far as it is not signed.
    Replace,
}

/// `[boot]`: what a PASS needs after verify.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct JobBoot {
    /// Whether the ROM must be seen to start the image.
    #[serde(default)]
    pub boot_proof: JobBootProof,
    /// Why a PASS does without the proof; must be said, and only with `boot_proof = "none"`.
    pub reason: Option<String>,
    /// Longest time in ms from the reset to the image's first instruction; left out, as `rtflash flash` has it. 10 to 120000.
    pub boot_timeout_ms: Option<u32>,
    /// How long in ms the image must then run without a crash or a reset; left out, 20. 10 to 120000.
    pub boot_watch_ms: Option<u32>,
}

/// Whether the boot must be proven.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum JobBootProof {
    /// The ROM must be seen to start the image.
    #[default]
    Required,
    /// The boot is watched all the same; where it is not seen, verified content is a PASS, and the record says so.
    None,
}

/// What happens to bytes of others in a sector that must be erased.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum JobSharedSectors {
    /// The unit is refused.
    #[default]
    Refuse,
    /// They are saved on the station's disk and written back.
    Preserve,
}

/// What is compared before and after besides the image's sectors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum JobGuard {
    /// The blocks around what is changed.
    #[default]
    Near,
    /// The whole flash.
    Whole,
}

/// `[unit]`: how units come and go.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct JobUnit {
    /// Attempts that did not pass after which a unit must go to rework, at least 1; left out, they are not limited.
    pub attempts: Option<u32>,
    /// What happens to a unit that has passed this job before.
    #[serde(default)]
    pub passed_before: PassedBefore,
    /// What begins a unit.
    #[serde(default)]
    pub start: JobStart,
    /// Regular expression that must fit the whole scanned code; with `start = "barcode"`, and only then.
    pub barcode: Option<String>,
    /// Seconds that an attempt may take from its begin to its verdict; more is said, and is no failure. What comes before, the
    /// look at the seat, key or scan, is not in it.
    pub cycle_budget_s: Option<f64>,
    /// Units that may pass this job, all stations of a ledger together, at least 1.
    pub quota: Option<u64>,
}

/// What begins a unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum JobStart {
    /// A board is seated.
    #[default]
    Insertion,
    /// The site's key is pressed.
    Key,
    /// A code that fits is scanned.
    Barcode,
}
