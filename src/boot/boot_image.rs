//! What the flash is to hold: the image with its boot header, judged bootable.

use std::fmt;

use sha2::{Digest, Sha256};

use super::fcb::Fcb;
use super::finding::Finding;
use super::header::NewIvt;
use super::lut::{Opcode, sequence};
use crate::address::{Address, FlashOffset};
use crate::image::Image;
use crate::problem::Place;
use crate::target::FlashPart;

/// Content of erased flash.
pub const ERASED: u8 = 0xFF;
/// A piece of erased flash for filling gaps.
const ERASED_PAGE: [u8; 256] = [ERASED; 256];

/// A gapless run of final flash bytes; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlashRun {
    /// First byte.
    pub offset: FlashOffset,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl FlashRun {
    /// Offset behind the last byte.
    pub fn end(&self) -> u64 {
        u64::from(self.offset.get()) + self.bytes.len() as u64
    }
}

/// How the ROM enters the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The IVT's entry word: even for a vector table, odd for a Thumb reset handler.
    pub ivt_entry: u32,
    /// The vector table, where the entry names one.
    pub vector_table: Option<Address>,
    /// Its initial stack pointer.
    pub initial_sp: Option<Address>,
    /// First instruction, without the Thumb bit: where a boot proof watches.
    pub reset_handler: Address,
}

/// FCB and entry that the ROM goes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// The FCB that the flash will hold.
    pub fcb: Fcb,
    /// How the ROM enters the flash.
    pub entry: Entry,
}

/// How the boot ROM comes to the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// A whole image: the ROM starts it.
    Whole(Start),
    /// A partial image: the ROM starts a bootloader that the board holds, and that is to start the image.
    Partial {
        /// What the ROM starts.
        resident: Start,
        /// First instruction of the application, where that can be told.
        application: Option<Address>,
        /// Where the slots begin, ascending; never empty.
        slots: Vec<FlashOffset>,
    },
    /// Bytes that are not meant to boot.
    Data,
}

impl Role {
    /// The word for reports.
    pub const fn name(&self) -> &'static str {
        match self {
            Role::Whole(_) => "whole image",
            Role::Partial { .. } => "partial image, under the bootloader on the board",
            Role::Data => "bytes by themselves, not judged as something that boots",
        }
    }
}

/// What makes the new content count: it dies first and lives last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommitMark {
    /// The tag word of the FCB that begins here.
    FcbTag(FlashOffset),
    /// The first sector of each slot, which holds its header.
    FirstSectors(Vec<FlashOffset>),
}

/// Why a part of the boot header is not as the files bring it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// They bring none.
    Missing,
    /// What they bring was to be replaced.
    Replaced,
    /// The user gave a file with it.
    Given,
    /// They bring none, and that of the board was to be kept.
    KeptOfBoard,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::Missing => "missing, added",
            Reason::Replaced => "replaced",
            Reason::Given => "given",
            Reason::KeptOfBoard => "kept as the board holds it",
        })
    }
}

/// A part of the boot header that the files do not bring, or not so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inserted {
    /// Which.
    pub part: HeaderPart,
    /// Why.
    pub reason: Reason,
}

/// A part of the boot header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderPart {
    /// FCB.
    Fcb {
        /// Name of the flash part that it was made or is used for.
        flash: String,
        /// The block.
        fcb: Box<Fcb>,
        /// Clock in Hz.
        clock_hz: u32,
    },
    /// IVT and boot data.
    Ivt(NewIvt),
}

impl HeaderPart {
    /// The name for reports.
    pub const fn name(&self) -> &'static str {
        match self {
            HeaderPart::Fcb { .. } => "FCB",
            HeaderPart::Ivt(_) => "IVT and boot data",
        }
    }
}

impl Inserted {
    /// Name and, unless it was just missing, the reason.
    pub fn name(&self) -> String {
        match self.reason {
            Reason::Missing => self.part.name().to_owned(),
            reason => format!("{} ({reason})", self.part.name()),
        }
    }
}

impl fmt::Display for Inserted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: ", self.part.name(), self.reason)?;
        match &self.part {
            HeaderPart::Fcb {
                flash,
                fcb,
                clock_hz,
            } => write!(
                f,
                "{flash}, {} MHz, {}, samples clocked {}",
                clock_hz / 1_000_000,
                read_text(fcb),
                match fcb.read_sample_clk_src {
                    0 => "internally",
                    1 => "through the DQS pad",
                    2 => "through the SCK pad",
                    _ => "by the flash's DQS",
                },
            ),
            HeaderPart::Ivt(NewIvt { ivt, boot_data }) => {
                let kind = if ivt.entry & 1 == 0 {
                    "vector table"
                } else {
                    "reset handler"
                };
                write!(
                    f,
                    "entry {} ({kind}), start {}, length {} bytes",
                    Address::new(ivt.entry),
                    Address::new(boot_data.start),
                    boot_data.length_bytes,
                )?;
                if ivt.dcd != 0 {
                    write!(f, ", DCD at {}", Address::new(ivt.dcd))?;
                }
                Ok(())
            }
        }
    }
}

/// The read of an FCB in words; its sequence where it has no usual form.
fn read_text(fcb: &Fcb) -> String {
    let instructions = fcb.lookup_table.sequence(sequence::READ);
    let Some(([command, address, data], opcode)) = fcb.read_lines().zip(fcb.read_opcode()) else {
        let shown: Vec<String> = instructions.iter().map(ToString::to_string).collect();
        return format!("read by {}", shown.join(", "));
    };
    let dummies: u32 = instructions
        .iter()
        .filter(|instruction| instruction.opcode == Opcode::Dummy)
        .map(|instruction| u32::from(instruction.operand))
        .sum();
    format!(
        "read {opcode:02X}h on {command}-{address}-{data} pads with {} mode and {dummies} dummy clocks",
        fcb.read_wait_clocks() - dummies,
    )
}

/// Where a byte of the flash came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// An input file.
    File(Place),
    /// A part of the boot header that no file brings: "FCB", "IVT" or "boot data".
    Inserted(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::File(place) => {
                let place = Place {
                    address: None,
                    ..place.clone()
                };
                write!(f, "{place}")
            }
            Origin::Inserted(part) => write!(f, "the {part} that rtflash puts there"),
        }
    }
}

/// The final flash bytes of an image, boot header included. Only [`super::judge`] makes one.
#[derive(Clone, Debug)]
pub struct BootImage {
    pub(super) runs: Vec<FlashRun>,
    pub(super) image: Image,
    pub(super) window_start: Address,
    pub(super) inserted: Vec<Inserted>,
    pub(super) inserted_runs: Vec<(FlashOffset, u32, &'static str)>,
    pub(super) fcb_offset: FlashOffset,
    pub(super) role: Role,
    pub(super) findings: Vec<Finding>,
}

impl BootImage {
    /// The bytes, in ascending runs with gaps between them.
    pub fn runs(&self) -> &[FlashRun] {
        &self.runs
    }

    /// Number of bytes.
    pub fn len_bytes(&self) -> u64 {
        self.runs.iter().map(|run| run.bytes.len() as u64).sum()
    }

    /// Offset behind the last byte.
    pub fn end(&self) -> u64 {
        self.runs.last().map_or(0, FlashRun::end)
    }

    /// The final byte at `offset`, or `None` where the image brings none.
    pub fn byte_at(&self, offset: FlashOffset) -> Option<u8> {
        let index = self.runs.partition_point(|run| run.offset <= offset);
        let run = self.runs.get(index.checked_sub(1)?)?;
        let from = offset.checked_from(run.offset)? as usize;
        run.bytes.get(from).copied()
    }

    /// The bus address of `offset`, for messages.
    pub fn address_of(&self, offset: FlashOffset) -> Option<Address> {
        self.window_start.checked_add(offset.get())
    }

    /// Where the byte at `offset` came from.
    pub fn origin_of(&self, offset: FlashOffset) -> Option<Origin> {
        let inserted = self.inserted_runs.iter().find(|(start, length, _)| {
            offset
                .checked_from(*start)
                .is_some_and(|distance| distance < *length)
        });
        if let Some((_, _, name)) = inserted {
            return Some(Origin::Inserted(name));
        }
        let address = self.address_of(offset)?;
        self.image.place_of(address).map(Origin::File)
    }

    /// The image as the files brought it.
    pub const fn image(&self) -> &Image {
        &self.image
    }

    /// Header parts that the files do not bring, or not so.
    pub fn inserted(&self) -> &[Inserted] {
        &self.inserted
    }

    /// Where the inserted parts stand: offset, length in bytes, name.
    pub fn inserted_parts(&self) -> impl Iterator<Item = (FlashOffset, u32, &'static str)> {
        self.inserted_runs.iter().copied()
    }

    /// Where an FCB begins.
    pub const fn fcb_offset(&self) -> FlashOffset {
        self.fcb_offset
    }

    /// How the boot ROM comes to the image.
    pub const fn role(&self) -> &Role {
        &self.role
    }

    /// FCB and entry that the ROM will go by; `None` for data.
    pub const fn start(&self) -> Option<&Start> {
        match &self.role {
            Role::Whole(start) => Some(start),
            Role::Partial { resident, .. } => Some(resident),
            Role::Data => None,
        }
    }

    /// First instruction of the image, which a boot proof waits for; `None` where it is not known or not to be run.
    pub fn first_instruction(&self) -> Option<Address> {
        match &self.role {
            Role::Whole(start) => Some(start.entry.reset_handler),
            Role::Partial { application, .. } => *application,
            Role::Data => None,
        }
    }

    /// What makes the image count.
    pub fn commit_mark(&self) -> CommitMark {
        let sector = self.fcb_offset.floor_to(FlashPart::SECTOR_BYTES);
        let touches_fcb = self
            .runs
            .first()
            .is_some_and(|run| run.offset.floor_to(FlashPart::SECTOR_BYTES) == sector);
        match &self.role {
            Role::Whole(_) => CommitMark::FcbTag(self.fcb_offset),
            Role::Partial { slots, .. } => CommitMark::FirstSectors(slots.clone()),
            Role::Data if touches_fcb => CommitMark::FcbTag(self.fcb_offset),
            Role::Data => CommitMark::FirstSectors(Vec::new()),
        }
    }

    /// Whether the ROM is to read on four lines, so that QE must be set.
    pub fn needs_quad_enable(&self) -> bool {
        match &self.role {
            Role::Whole(start) => start.fcb.needs_quad_enable(),
            // a board whose bootloader cannot be read does not boot: nothing is lost by a cut in this write
            Role::Partial { resident, .. } => resident.fcb.needs_quad_enable(),
            Role::Data => false,
        }
    }

    /// Warnings and notes; an error would have refused the image.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// SHA-256 of the flash from its first byte to the end of the image, gaps counted as erased.
    pub fn sha256(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        let mut at = 0_u64;
        for run in &self.runs {
            let mut gap = u64::from(run.offset.get()).saturating_sub(at);
            while gap > 0 {
                let piece = ERASED_PAGE.get(..gap as usize).unwrap_or(&ERASED_PAGE);
                hash.update(piece);
                gap -= piece.len() as u64;
            }
            hash.update(&run.bytes);
            at = run.end();
        }
        hash.finalize().into()
    }
}
