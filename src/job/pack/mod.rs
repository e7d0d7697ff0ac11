//! The complete image as a file for any programmer.

mod binary;
mod hex;
mod s_record;
mod uf2;

use std::path::Path;

use crate::address::Address;
use crate::boot::BootImage;
use crate::problem::{ExitCode, Place, Problem};
use crate::target::Target;

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
