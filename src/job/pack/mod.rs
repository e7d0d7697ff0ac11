//! `pack`: from input files to the complete image as a file for any programmer, without a board.

mod binary;
mod hex;
mod s_record;
mod uf2;

use std::path::Path;

use sha2::{Digest, Sha256};

use super::load::{self, InputFile};
use super::output::OutputFile;
use crate::address::Address;
use crate::boot::{self, BootImage, HeaderWishes};
use crate::problem::{ExitCode, Place, Problem};
use crate::report::{Inspection, OutputRecord};
use crate::target::Target;

/// Writes the complete image, boot header included, to `output` in the format of its name. An image that would not boot
/// is not written: the verdict says so.
///
/// # Errors
/// Those of [`inspect`](super::inspect()), a name whose format is not known (exit 2), or a file that cannot be written (exit 23).
pub fn pack(
    inputs: &[InputFile],
    target: &Target,
    wishes: &HeaderWishes,
    output: &Path,
) -> Result<Inspection, Problem> {
    let format = PackFormat::of_name(output)?;
    let image = load::read(inputs, target)?;
    let judgement = boot::judge_with(&image, None, target, wishes);
    load::require_effect(wishes, &judgement)?;
    let mut inspection = Inspection::new("pack", &image, &judgement, target);
    if let Some(boot_image) = judgement.boot_image() {
        let content = format.write(boot_image, target)?;
        OutputFile::begin(output)?.finish(&content)?;
        inspection.output = Some(OutputRecord::new(
            output.display().to_string(),
            format.name(),
            content.len() as u64,
            format.brings_bytes(boot_image.len_bytes(), &content) - boot_image.len_bytes(),
            &Sha256::digest(&content).into(),
        ));
    }
    Ok(inspection)
}

/// A file format that can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PackFormat {
    /// Intel HEX with bus addresses.
    IntelHex,
    /// The flash from its first byte, gaps FFh.
    Binary,
    /// Motorola S-record with bus addresses.
    SRecord,
    /// UF2 for the i.MX RT10xx family, bus addresses.
    Uf2,
}

/// Endings of names and what they mean.
const ENDINGS: [(&str, PackFormat); 8] = [
    ("hex", PackFormat::IntelHex),
    ("ihex", PackFormat::IntelHex),
    ("bin", PackFormat::Binary),
    ("srec", PackFormat::SRecord),
    ("s19", PackFormat::SRecord),
    ("s37", PackFormat::SRecord),
    ("mot", PackFormat::SRecord),
    ("uf2", PackFormat::Uf2),
];

/// A run of final bytes with its bus address.
pub(super) struct Run<'a> {
    pub(super) start: Address,
    pub(super) bytes: &'a [u8],
}

impl PackFormat {
    /// The format that a file's name asks for.
    ///
    /// # Errors
    /// `output-format` (exit 2).
    pub fn of_name(path: &Path) -> Result<Self, Problem> {
        let ending = path.extension().unwrap_or_default().to_string_lossy();
        ENDINGS
            .iter()
            .find(|(known, _)| ending.eq_ignore_ascii_case(known))
            .map(|(_, format)| *format)
            .ok_or_else(|| {
                Problem::new(
                    "output-format",
                    ExitCode::Usage,
                    "the name of the output file does not say which format it is to have",
                )
                .at(Place::in_file(path, None))
                .fix("let it end in .hex, .bin, .srec or .uf2")
            })
    }

    /// The name for reports.
    pub const fn name(self) -> &'static str {
        match self {
            PackFormat::IntelHex => "Intel HEX",
            PackFormat::Binary => "raw binary of the flash from offset 0",
            PackFormat::SRecord => "Motorola S-record",
            PackFormat::Uf2 => "UF2",
        }
    }

    /// How many bytes of the flash a file with this content brings, of which `given_bytes` were given.
    pub(super) const fn brings_bytes(self, given_bytes: u64, content: &[u8]) -> u64 {
        match self {
            PackFormat::Binary => content.len() as u64,
            PackFormat::Uf2 => uf2::brings_bytes(content),
            PackFormat::IntelHex | PackFormat::SRecord => given_bytes,
        }
    }

    /// The file's content.
    ///
    /// # Errors
    /// A fault of this program: the image does not fit the bus.
    pub fn write(self, boot_image: &BootImage, target: &Target) -> Result<Vec<u8>, Problem> {
        let runs: Option<Vec<Run<'_>>> = boot_image
            .runs()
            .iter()
            .map(|run| {
                Some(Run {
                    start: target.address_of(run.offset)?,
                    bytes: &run.bytes,
                })
            })
            .collect();
        match (self, runs) {
            (PackFormat::Binary, _) => Ok(binary::write(boot_image)),
            (format, Some(runs)) => format.content(&runs),
            (_, None) => format_fault(),
        }
    }

    /// The content of a file that holds `runs`; a binary begins with the first of them.
    ///
    /// # Errors
    /// A fault of this program: the runs do not fit the bus.
    pub(super) fn content(self, runs: &[Run<'_>]) -> Result<Vec<u8>, Problem> {
        let content = match self {
            PackFormat::Binary => Some(binary::joined(runs)),
            PackFormat::IntelHex => hex::write(runs),
            PackFormat::SRecord => Some(s_record::write(runs)),
            PackFormat::Uf2 => Some(uf2::write(runs)),
        };
        content.map_or_else(format_fault, Ok)
    }
}

fn format_fault() -> Result<Vec<u8>, Problem> {
    Err(Problem::new(
        "output-address",
        ExitCode::Internal,
        "the image does not fit the output format",
    ))
}

/// The pieces of `runs` that a record of at most `unit` bytes holds, none crossing a multiple of `unit`.
fn pieces<'a>(runs: &'a [Run<'a>], unit: u32) -> impl Iterator<Item = (u32, &'a [u8])> {
    runs.iter().flat_map(move |run| {
        let start = run.start.get();
        let first = ((unit - start % unit) as usize).min(run.bytes.len());
        let (head, tail) = run.bytes.split_at(first);
        let behind = start.wrapping_add(first as u32);
        let rest = tail
            .chunks(unit as usize)
            .zip((behind..).step_by(unit as usize))
            .map(|(bytes, at)| (at, bytes));
        std::iter::once((start, head)).chain(rest)
    })
}

#[cfg(test)]
mod tests;
