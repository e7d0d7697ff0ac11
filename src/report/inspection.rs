//! What `inspect` and `pack` have to say about an image, without a board.

use std::fmt;

use serde::Serialize;

use super::Verdict;
use super::inspection_parts::{
    DcdRecord, FcbRecord, FieldsRecord, OutputRecord, PartRecord, RegionRecord, SequenceRecord,
    SlotRecord,
};
use super::record::{FindingRecord, InputRecord, ProblemRecord, RECORD_VERSION, TargetRecord, hex};
use crate::boot::{self, Anatomy, BootImage, HeaderPart, Inserted, Judgement};
use crate::image::Image;
use crate::problem::{ExitCode, Problem};
use crate::target::Target;

/// Everything told about an image.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Inspection {
    /// [`RECORD_VERSION`].
    pub record_version: u32,
    /// Version of this program.
    pub rtflash_version: &'static str,
    /// `inspect` or `pack`.
    pub command: &'static str,
    /// What the image is judged for.
    pub target: TargetRecord,
    /// The input files.
    pub inputs: Vec<InputRecord>,
    /// What stands where, in ascending order.
    pub map: Vec<RegionRecord>,
    /// FCB, from the image or inserted.
    pub fcb: Option<FcbRecord>,
    /// IVT, from the image or inserted.
    pub ivt: Option<FieldsRecord>,
    /// Boot data, from the image or inserted.
    pub boot_data: Option<FieldsRecord>,
    /// DCD.
    pub dcd: Option<DcdRecord>,
    /// CSF: the image is signed (HAB).
    pub csf: Option<PartRecord>,
    /// Places that look like BEE headers.
    pub bee: Vec<String>,
    /// MCUboot images.
    pub mcuboot: Vec<SlotRecord>,
    /// What is inserted, one sentence each.
    pub inserted: Vec<String>,
    /// How the ROM enters the image, where it does.
    pub reset_handler: Option<String>,
    /// SHA-256 of the flash from its first byte to the end of the image, gaps erased, in hex.
    pub flash_sha256: Option<String>,
    /// Findings, the deciding one first.
    pub findings: Vec<FindingRecord>,
    /// What the board must hold besides the image, one sentence each.
    pub board_must_hold: Vec<String>,
    /// The file written by `pack`.
    pub output: Option<OutputRecord>,
    /// The answer.
    pub verdict: InspectionVerdict,
}

/// An inspection that came to no verdict, as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FailedInspection {
    /// [`RECORD_VERSION`].
    pub record_version: u32,
    /// Version of this program.
    pub rtflash_version: &'static str,
    /// `inspect` or `pack`.
    pub command: &'static str,
    /// What went wrong.
    pub problem: ProblemRecord,
    /// `failed`, in the shape of a verdict.
    pub verdict: Verdict,
}

impl FailedInspection {
    /// For a problem that left nothing to tell.
    pub fn new(command: &'static str, problem: &Problem) -> Self {
        FailedInspection {
            record_version: RECORD_VERSION,
            rtflash_version: env!("CARGO_PKG_VERSION"),
            command,
            problem: problem.into(),
            verdict: Verdict::failed(problem),
        }
    }
}

/// Whether the boot ROM will start the image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum InspectionVerdict {
    /// As it is.
    Boots {
        /// Codes of findings that no source settles.
        uncertain: Vec<&'static str>,
    },
    /// With what `flash` and `pack` insert.
    BootsAfterInserting {
        /// What is inserted.
        inserted: Vec<String>,
        /// Codes of findings that no source settles.
        uncertain: Vec<&'static str>,
    },
    /// Refused.
    WillNotBoot {
        /// Stable code.
        code: &'static str,
        /// The reason.
        why: String,
    },
}

impl InspectionVerdict {
    /// The process's exit code.
    pub const fn exit(&self) -> u8 {
        match self {
            InspectionVerdict::WillNotBoot { .. } => ExitCode::Refused.number(),
            _ => ExitCode::Proven.number(),
        }
    }

    fn new(judgement: &Judgement) -> Self {
        let findings = judgement.findings();
        let uncertain = findings
            .iter()
            .filter(|finding| finding.uncertain)
            .map(|finding| finding.code)
            .collect();
        let Some(boot_image) = judgement.boot_image() else {
            let first = findings.first();
            return InspectionVerdict::WillNotBoot {
                code: first.map_or("not-judged", |finding| finding.code),
                why: first.map_or_else(String::new, |finding| finding.what.clone()),
            };
        };
        let inserted: Vec<String> = boot_image.inserted().iter().map(Inserted::name).collect();
        if inserted.is_empty() {
            InspectionVerdict::Boots { uncertain }
        } else {
            InspectionVerdict::BootsAfterInserting {
                inserted,
                uncertain,
            }
        }
    }
}

impl fmt::Display for InspectionVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let uncertain = match self {
            InspectionVerdict::Boots { uncertain } => {
                write!(f, "BOOTS")?;
                uncertain
            }
            InspectionVerdict::BootsAfterInserting {
                inserted,
                uncertain,
            } => {
                write!(f, "BOOTS AFTER INSERTING {}", inserted.join(", "))?;
                uncertain
            }
            InspectionVerdict::WillNotBoot { code, why } => {
                return write!(f, "WILL NOT BOOT: {why} [{code}]");
            }
        };
        if !uncertain.is_empty() {
            write!(f, ", UNCERTAIN ({})", uncertain.join(", "))?;
        }
        Ok(())
    }
}

impl Inspection {
    /// Tells all about `image` and what was judged of it.
    pub fn new(
        command: &'static str,
        image: &Image,
        judgement: &Judgement,
        target: &Target,
    ) -> Self {
        let boot_image = judgement.boot_image();
        let anatomy = Anatomy::of(image, boot_image, target);
        let missing = judgement.missing();
        Inspection {
            record_version: RECORD_VERSION,
            rtflash_version: env!("CARGO_PKG_VERSION"),
            command,
            target: target.into(),
            inputs: image.inputs().iter().map(Into::into).collect(),
            map: anatomy.map.iter().map(Into::into).collect(),
            fcb: fcb_record(judgement, &anatomy, target),
            ivt: ivt_record(judgement, &anatomy, target),
            boot_data: boot_data_record(judgement, &anatomy, target),
            dcd: anatomy.dcd.as_ref().map(|dcd| {
                let (steps, fault) = match &dcd.value.steps {
                    Ok(steps) => (steps.iter().map(ToString::to_string).collect(), None),
                    Err(fault) => (Vec::new(), Some(fault.to_string())),
                };
                DcdRecord {
                    address: dcd.address.to_string(),
                    length_bytes: dcd.value.header.length_bytes,
                    version: dcd.value.header.version,
                    steps,
                    fault,
                }
            }),
            csf: anatomy.csf.as_ref().map(|csf| PartRecord {
                address: csf.address.to_string(),
                length_bytes: csf.value.into(),
            }),
            bee: anatomy.bee.iter().map(ToString::to_string).collect(),
            mcuboot: anatomy.slots.iter().map(Into::into).collect(),
            inserted: boot_image
                .map(|boot_image| {
                    boot_image
                        .inserted()
                        .iter()
                        .map(ToString::to_string)
                        .collect()
                })
                .unwrap_or_default(),
            reset_handler: boot_image
                .and_then(BootImage::first_instruction)
                .map(|address| address.to_string()),
            flash_sha256: boot_image.map(|image| hex(&image.sha256())),
            findings: judgement
                .findings()
                .into_iter()
                .chain(&missing)
                .map(Into::into)
                .collect(),
            board_must_hold: board_must_hold(judgement, &anatomy),
            output: None,
            verdict: InspectionVerdict::new(judgement),
        }
    }
}

fn fcb_record(judgement: &Judgement, anatomy: &Anatomy, target: &Target) -> Option<FcbRecord> {
    let new = judgement.boot_image().and_then(|image| {
        image
            .inserted()
            .iter()
            .find_map(|inserted| match &inserted.part {
                HeaderPart::Fcb { fcb, .. } => Some(fcb.as_ref()),
                HeaderPart::Ivt(_) => None,
            })
    });
    let fcb = new.or(anatomy.fcb.as_ref().map(|part| &part.value))?;
    let offset = target.chip().boot.fcb_offset;
    let sequences = boot::sequences(fcb).into_iter();
    Some(FcbRecord {
        block: FieldsRecord::new(
            target.address_of(offset)?.to_string(),
            new.is_some(),
            boot::fcb_fields(fcb, target.chip()),
        ),
        lookup_table: sequences
            .map(|(sequence, instructions)| SequenceRecord {
                sequence,
                instructions,
            })
            .collect(),
    })
}

fn new_ivt(judgement: &Judgement) -> Option<&boot::NewIvt> {
    let inserted = judgement.boot_image()?.inserted();
    inserted.iter().find_map(|inserted| match &inserted.part {
        HeaderPart::Ivt(new) => Some(new),
        HeaderPart::Fcb { .. } => None,
    })
}

fn ivt_record(judgement: &Judgement, anatomy: &Anatomy, target: &Target) -> Option<FieldsRecord> {
    let new = new_ivt(judgement).map(|new| &new.ivt);
    let ivt = new.or(anatomy.ivt.as_ref().map(|part| &part.value))?;
    let address = target.address_of(target.chip().boot.ivt_offset)?;
    let fields = boot::ivt_fields(ivt);
    Some(FieldsRecord::new(
        address.to_string(),
        new.is_some(),
        fields,
    ))
}

fn boot_data_record(
    judgement: &Judgement,
    anatomy: &Anatomy,
    target: &Target,
) -> Option<FieldsRecord> {
    if let Some(new) = new_ivt(judgement) {
        let address = target.address_of(target.chip().boot.boot_data_offset)?;
        let fields = boot::boot_data_fields(&new.boot_data);
        return Some(FieldsRecord::new(address.to_string(), true, fields));
    }
    let part = anatomy.boot_data.as_ref()?;
    let fields = boot::boot_data_fields(&part.value);
    Some(FieldsRecord::new(part.address.to_string(), false, fields))
}

/// What only the board can bring.
fn board_must_hold(judgement: &Judgement, anatomy: &Anatomy) -> Vec<String> {
    let mut sentences = Vec::new();
    match judgement.boot_image() {
        Some(boot_image) => {
            if boot_image.needs_quad_enable() {
                sentences.push(
                    "QE set in the flash's status register: the FCB reads on four lines; `rtflash flash` sets it, another \
                     programmer must"
                        .to_owned(),
                );
            }
            if anatomy.is_bootloader && anatomy.slots.is_empty() {
                sentences.push("a signed application in the bootloader's slot".to_owned());
            }
        }
        None if judgement.needs_board() => sentences.push(match anatomy.slots.first() {
            Some(slot) => format!(
                "FCB, IVT and a bootloader below {} that starts this slot",
                slot.address
            ),
            None => "FCB, IVT and what they start".to_owned(),
        }),
        None => {}
    }
    sentences
}
