//! What the flash is to hold: the image with its boot header, judged bootable.

use std::fmt;

use sha2::{Digest, Sha256};

use super::fcb::Fcb;
use super::finding::Finding;
use super::header::{NewFcb, NewIvt};
use crate::address::{Address, FlashOffset};
use crate::image::Image;
use crate::problem::Place;

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

/// A part of the boot header that the input lacked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// FCB made for the target.
    Fcb {
        /// Name of the flash part it is for.
        part: String,
        /// The block and its choices.
        new: Box<NewFcb>,
    },
    /// IVT and boot data made for the image.
    Ivt(NewIvt),
}

impl fmt::Display for Inserted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Inserted::Fcb { part, new } => {
                let [command, address, data] = new.read.lines;
                write!(
                    f,
                    "FCB missing, added: {part}, {} MHz, read {:02X}h on {command}-{address}-{data} pads with {} mode and {} \
                     dummy clocks, samples clocked {}",
                    new.clock.hz / 1_000_000,
                    new.read.opcode,
                    new.read.mode_clocks,
                    new.read.dummy_clocks,
                    if new.dqs_loopback {
                        "through the DQS pad"
                    } else {
                        "internally"
                    },
                )
            }
            Inserted::Ivt(new) => write!(
                f,
                "IVT and boot data missing, added: entry {} (vector table), start {}, length {} bytes",
                Address::new(new.ivt.entry),
                Address::new(new.boot_data.start),
                new.boot_data.length_bytes,
            ),
        }
    }
}

/// Where a byte of the flash came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// An input file.
    File(Place),
    /// A part of the boot header that we inserted: "FCB" or "IVT and boot data".
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
            Origin::Inserted(part) => write!(f, "the {part} that rtflash adds"),
        }
    }
}

/// The final flash bytes of a whole image, boot header included. Only [`super::judge`] makes one.
#[derive(Clone, Debug)]
pub struct BootImage {
    pub(super) runs: Vec<FlashRun>,
    pub(super) image: Image,
    pub(super) window_start: Address,
    pub(super) inserted: Vec<Inserted>,
    pub(super) inserted_runs: Vec<(FlashOffset, u32, &'static str)>,
    pub(super) fcb_offset: FlashOffset,
    pub(super) fcb: Fcb,
    pub(super) entry: Entry,
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

    /// What was inserted.
    pub fn inserted(&self) -> &[Inserted] {
        &self.inserted
    }

    /// Where the inserted parts stand: offset, length in bytes, name.
    pub fn inserted_parts(&self) -> impl Iterator<Item = (FlashOffset, u32, &'static str)> {
        self.inserted_runs.iter().copied()
    }

    /// The FCB that the flash will hold.
    pub const fn fcb(&self) -> &Fcb {
        &self.fcb
    }

    /// Where that FCB begins; its tag word there is the commit mark.
    pub const fn fcb_offset(&self) -> FlashOffset {
        self.fcb_offset
    }

    /// Whether the ROM will read on four lines, so that QE must be set.
    pub fn needs_quad_enable(&self) -> bool {
        self.fcb.needs_quad_enable()
    }

    /// How the ROM enters the image.
    pub const fn entry(&self) -> Entry {
        self.entry
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
