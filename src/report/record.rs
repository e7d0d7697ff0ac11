//! The record of one unit: what was found, done and proven.

use serde::Serialize;

use super::{
    ContactRecord, ContactWarning, DiagnosisRecord, EraseRecord, FlashLeft, InfoRecord,
    MismatchRecord, ReadRecord, RetryRecord, Verdict,
};
use crate::address::Address;
use crate::boot::{BootImage, Finding, Role};
use crate::image::{Image, Input};
use crate::plan::Plan;
use crate::problem::Problem;
use crate::target::Target;

/// Version of the record's shape; raised when a field changes its meaning or goes away.
pub const RECORD_VERSION: u32 = 1;

/// Everything recorded about one unit. Sections that the job did not reach are absent.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Record {
    /// [`RECORD_VERSION`].
    pub record_version: u32,
    /// Version of this program.
    pub rtflash_version: &'static str,
    /// `flash`, `verify`, `reset`, `doctor`, `info`, `read` or `erase`.
    pub command: &'static str,
    /// What was to be flashed on; absent where the command line does not name it.
    pub target: Option<TargetRecord>,
    /// The probe.
    pub probe: Option<ProbeRecord>,
    /// The chip found.
    pub chip: Option<ChipRecord>,
    /// The flash part found.
    pub flash: Option<FlashRecord>,
    /// What `info` read besides.
    pub info: Option<InfoRecord>,
    /// The input files.
    pub inputs: Vec<InputRecord>,
    /// The image.
    pub image: Option<ImageRecord>,
    /// Findings on the image.
    pub findings: Vec<FindingRecord>,
    /// What was planned.
    pub plan: Option<PlanRecord>,
    /// Digests over the whole range as the target computed them at the end, one for each contiguous range.
    pub digest: Vec<String>,
    /// Where and how the content differs.
    pub mismatch: Option<MismatchRecord>,
    /// What was read.
    pub read: Option<ReadRecord>,
    /// What was erased.
    pub erase: Option<EraseRecord>,
    /// How the boot was proven, or what speaks against it.
    pub boot: Option<BootRecord>,
    /// What `doctor` looked at and what follows from it.
    pub doctor: Option<DiagnosisRecord>,
    /// What the job left in the flash; absent for commands that do not change it.
    pub left: Option<FlashLeft>,
    /// What was done again.
    pub retries: Vec<RetryRecord>,
    /// The phases in their order.
    pub phases: Vec<Phase>,
    /// Whether their seconds are those of a virtual board.
    pub virtual_time: bool,
    /// How it ended.
    pub verdict: Verdict,
    /// What went wrong or speaks against a boot.
    pub problem: Option<ProblemRecord>,
}

/// Names of the target files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TargetRecord {
    /// Chip.
    pub chip: String,
    /// Flash part.
    pub flash: String,
    /// Board.
    pub board: String,
    /// Whether the flash part was found by its ID, and not named.
    pub found_by_id: bool,
}

impl From<&Target> for TargetRecord {
    fn from(target: &Target) -> Self {
        TargetRecord {
            chip: target.chip().name.clone(),
            flash: target.flash().name.clone(),
            board: target.board().name.clone(),
            found_by_id: false,
        }
    }
}

/// A probe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ProbeRecord {
    /// Its name.
    pub name: String,
    /// Selector VID:PID[:serial], or `virtual`.
    pub selector: String,
    /// SWD clock in kHz.
    pub speed_khz: u32,
    /// The contact check, clock by clock as they were tried; empty where none was due.
    pub contact: Vec<ContactRecord>,
    /// Where the contact is not clean at the default clock.
    pub contact_warning: Option<ContactWarning>,
}

/// A chip.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ChipRecord {
    /// Its name.
    pub name: String,
    /// Unique ID, 16 hex digits.
    pub uid: String,
    /// Silicon revision word.
    pub silicon_revision: String,
}

/// A flash part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FlashRecord {
    /// Its name.
    pub part: String,
    /// JEDEC ID, three hex bytes.
    pub jedec_id: String,
    /// Size in bytes, where the part says it or is known.
    pub size_bytes: Option<u64>,
    /// Status register as found.
    pub status_before: u32,
    /// Status register as left.
    pub status_after: Option<u32>,
}

/// An input file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct InputRecord {
    /// Name as given.
    pub path: String,
    /// Format.
    pub format: &'static str,
    /// SHA-256 of the file, in hex.
    pub sha256: String,
    /// Size of the file in bytes.
    pub size_bytes: u64,
    /// How it came to its addresses, where the file does not say them itself.
    pub placement: Option<String>,
}

impl From<&Input> for InputRecord {
    fn from(input: &Input) -> Self {
        InputRecord {
            path: input.path.display().to_string(),
            format: input.format.name(),
            sha256: input.sha256_text(),
            size_bytes: input.size_bytes,
            placement: input.placement.note(),
        }
    }
}

/// The image as it was to be in the flash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ImageRecord {
    /// Bytes that the files bring.
    pub file_bytes: u64,
    /// Segments of the files: start address and length in bytes.
    pub segments: Vec<(String, u64)>,
    /// Bytes with the boot header.
    pub flash_bytes: u64,
    /// SHA-256 of the flash from its first byte to the end of the image, gaps erased, in hex.
    pub flash_sha256: String,
    /// Whether the ROM starts it, a bootloader on the board, or nothing: a whole or partial image, or data.
    pub role: &'static str,
    /// Header parts that the files do not bring, or not so, one sentence each.
    pub inserted: Vec<String>,
    /// The entry of the IVT that the ROM goes by; none for data.
    pub entry: Option<String>,
    /// First instruction that the ROM starts; none for data.
    pub reset_handler: Option<String>,
    /// First instruction of an application that a bootloader on the board starts.
    pub application: Option<String>,
}

impl From<&BootImage> for ImageRecord {
    fn from(boot_image: &BootImage) -> Self {
        let entry = boot_image.start().map(|start| start.entry);
        let application = match boot_image.role() {
            Role::Partial { application, .. } => *application,
            Role::Whole(_) | Role::Data => None,
        };
        let segments = boot_image.image().segments().iter();
        ImageRecord {
            file_bytes: boot_image.image().len_bytes(),
            segments: segments
                .map(|s| (s.start().to_string(), s.bytes().len() as u64))
                .collect(),
            flash_bytes: boot_image.len_bytes(),
            flash_sha256: hex(&boot_image.sha256()),
            role: boot_image.role().name(),
            inserted: boot_image
                .inserted()
                .iter()
                .map(ToString::to_string)
                .collect(),
            entry: entry.map(|entry| Address::new(entry.ivt_entry).to_string()),
            reset_handler: entry.map(|entry| entry.reset_handler.to_string()),
            application: application.map(|address| address.to_string()),
        }
    }
}

/// A finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FindingRecord {
    /// Stable code.
    pub code: &'static str,
    /// `note`, `warning` or `error`.
    pub severity: &'static str,
    /// Whether no source settles what the boot ROM does.
    pub uncertain: bool,
    /// File and line, or address, where it was found.
    pub place: Option<String>,
    /// What was found.
    pub what: String,
    /// Why it matters.
    pub why: Option<String>,
    /// What to do.
    pub fix: Option<String>,
}

impl From<&Finding> for FindingRecord {
    fn from(finding: &Finding) -> Self {
        FindingRecord {
            code: finding.code,
            severity: finding.severity.name(),
            uncertain: finding.uncertain,
            place: Some(finding.place.to_string()).filter(|place| !place.is_empty()),
            what: finding.what.clone(),
            why: finding.why.clone(),
            fix: finding.fix.clone(),
        }
    }
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ProblemRecord {
    /// Stable code.
    pub code: &'static str,
    /// The process's exit code.
    pub exit: u8,
    /// File and line, or address.
    pub place: Option<String>,
    /// What happened.
    pub what: String,
    /// Why.
    pub why: Option<String>,
    /// What to do.
    pub fix: Option<String>,
}

impl From<&Problem> for ProblemRecord {
    fn from(problem: &Problem) -> Self {
        ProblemRecord {
            code: problem.code,
            exit: problem.exit.number(),
            place: Some(problem.place.to_string()).filter(|place| !place.is_empty()),
            what: problem.what.clone(),
            why: problem.why.clone(),
            fix: problem.fix.clone(),
        }
    }
}

/// What was planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PlanRecord {
    /// Sectors that held their final content.
    pub sectors_kept: u32,
    /// Sectors programmed without an erase.
    pub sectors_programmed: u32,
    /// Sectors erased and programmed.
    pub sectors_erased: u32,
    /// Erase commands.
    pub erase_commands: u32,
    /// Bytes programmed.
    pub programmed_bytes: u64,
    /// Bytes of others that were saved and restored.
    pub foreign_bytes: u64,
    /// Whether the status register was written.
    pub sets_status: bool,
    /// Sectors outside the image that were compared before and after.
    pub guarded_sectors: u32,
}

impl From<&Plan> for PlanRecord {
    fn from(plan: &Plan) -> Self {
        let summary = plan.summary();
        PlanRecord {
            sectors_kept: summary.kept,
            sectors_programmed: summary.programmed,
            sectors_erased: summary.erased,
            erase_commands: summary.erase_commands,
            programmed_bytes: summary.programmed_bytes,
            foreign_bytes: summary.foreign_bytes,
            sets_status: summary.sets_status,
            guarded_sectors: 0,
        }
    }
}

/// How the boot was proven, or what speaks against it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BootRecord {
    /// Whether it is proven.
    pub proven: bool,
    /// By what: `reset-handler` (its execution was seen by the core's comparator), `samples` (the image took the
    /// comparator for itself; program counter and vector table are the image's), `sleep` (the core went from the boot ROM
    /// to a sleep with its bus clock off, which the ROM does not have).
    pub proof: Option<&'static str>,
    /// The evidence, one sentence each.
    pub evidence: Vec<String>,
}

/// One phase of the job.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Phase {
    /// Name of the stage.
    pub name: &'static str,
    /// Seconds by the job's clock; virtual ones on a virtual board.
    pub seconds: f64,
    /// Probe transactions.
    pub transactions: u64,
}

impl Record {
    /// A record that knows no more than its command, target and verdict.
    pub fn new(command: &'static str, target: &Target, verdict: Verdict) -> Self {
        Record {
            target: Some(target.into()),
            ..Record::empty(command, verdict)
        }
    }

    /// A job that was not begun: no board was touched.
    pub fn refused(command: &'static str, problem: &Problem) -> Self {
        Record {
            problem: Some(problem.into()),
            ..Record::empty(command, Verdict::refused(problem))
        }
    }

    fn empty(command: &'static str, verdict: Verdict) -> Self {
        Record {
            record_version: RECORD_VERSION,
            rtflash_version: env!("CARGO_PKG_VERSION"),
            command,
            target: None,
            probe: None,
            chip: None,
            flash: None,
            info: None,
            inputs: Vec::new(),
            image: None,
            findings: Vec::new(),
            plan: None,
            digest: Vec::new(),
            mismatch: None,
            read: None,
            erase: None,
            boot: None,
            doctor: None,
            left: None,
            retries: Vec::new(),
            phases: Vec::new(),
            virtual_time: false,
            verdict,
            problem: None,
        }
    }

    /// Notes the input files.
    pub fn note_inputs(&mut self, image: &Image) {
        self.inputs = image.inputs().iter().map(Into::into).collect();
    }

    /// Notes the image: inputs, content, what was inserted, findings.
    pub fn note_image(&mut self, boot_image: &BootImage) {
        self.note_inputs(boot_image.image());
        self.findings = boot_image.findings().iter().map(Into::into).collect();
        self.image = Some(boot_image.into());
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
