//! `pack`: from input files to the complete image as a file for any programmer, without a board.

mod binary;
mod hex;
mod s_record;
mod uf2;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process;

use sha2::{Digest, Sha256};

use super::load::{self, InputFile};
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
        write_whole(output, &content)?;
        inspection.output = Some(OutputRecord::new(
            output.display().to_string(),
            format.name(),
            content.len() as u64,
            format.brings_bytes(boot_image, &content) - boot_image.len_bytes(),
            &Sha256::digest(&content).into(),
        ));
    }
    Ok(inspection)
}

/// Writes beside `path` first, under a name that nothing else has: no half file ever has the name asked for.
fn write_whole(path: &Path, content: &[u8]) -> Result<(), Problem> {
    let written = create_beside(path).and_then(|(mut file, unfinished)| {
        let written = file
            .write_all(content)
            .and_then(|()| file.sync_all())
            .and_then(|()| fs::rename(&unfinished, path));
        if written.is_err() {
            // the first error is the one to tell
            let _ = fs::remove_file(&unfinished);
        }
        written
    });
    written.map_err(|error| {
        Problem::new(
            "output-unwritable",
            ExitCode::RecordNotWritten,
            "the output file cannot be written",
        )
        .at(Place::in_file(path, None))
        .because(error.to_string())
        .fix("check the folder, its permissions and the space left")
    })
}

/// A new file in the folder of `path`.
fn create_beside(path: &Path) -> io::Result<(File, PathBuf)> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut attempt = 0_u32;
    loop {
        let unfinished = format!(".{name}.{}-{attempt}.unfinished", process::id());
        let unfinished = path.with_file_name(unfinished);
        match File::create_new(&unfinished) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => attempt += 1,
            created => return created.map(|file| (file, unfinished)),
        }
    }
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
const ENDINGS: [(&str, PackFormat); 7] = [
    ("hex", PackFormat::IntelHex),
    ("ihex", PackFormat::IntelHex),
    ("bin", PackFormat::Binary),
    ("srec", PackFormat::SRecord),
    ("s19", PackFormat::SRecord),
    ("s37", PackFormat::SRecord),
    ("uf2", PackFormat::Uf2),
];

/// A run of final bytes with its bus address.
struct Run<'a> {
    start: Address,
    bytes: &'a [u8],
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

    /// How many bytes of the flash a file with this content brings.
    fn brings_bytes(self, boot_image: &BootImage, content: &[u8]) -> u64 {
        match self {
            PackFormat::Binary => content.len() as u64,
            PackFormat::Uf2 => uf2::brings_bytes(content),
            PackFormat::IntelHex | PackFormat::SRecord => boot_image.len_bytes(),
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
        let content = match self {
            PackFormat::Binary => Some(binary::write(boot_image)),
            PackFormat::IntelHex => runs.and_then(|runs| hex::write(&runs)),
            PackFormat::SRecord => runs.map(|runs| s_record::write(&runs)),
            PackFormat::Uf2 => runs.map(|runs| uf2::write(&runs)),
        };
        content.ok_or_else(|| {
            Problem::new(
                "output-address",
                ExitCode::Internal,
                "the image does not fit the output format",
            )
        })
    }
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
