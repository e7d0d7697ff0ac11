//! Why an input file cannot be used, with the line or offset at fault.

use std::fmt;
use std::path::{Path, PathBuf};

use super::fault::{BinaryFault, RecordFault};
use super::format::{self, Format};
use super::{FileHash, Image, Position, RomPlaces};
use crate::address::{Address, AddressRange};
use crate::problem::{ExitCode, Place, Problem};

/// Why input files cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// No file was given.
    #[error("no image was given")]
    NoInput,
    /// The file has no content but blanks.
    #[error("the file is empty")]
    Empty {
        /// File.
        path: PathBuf,
    },
    /// The content is of no format that can be read, and does not show where it belongs.
    #[error("the format of the file is not recognised: it looks like {guess}")]
    UnknownFormat {
        /// File.
        path: PathBuf,
        /// First line with content, in a text.
        line: Option<u32>,
        /// What it looks like.
        guess: RawGuess,
    },
    /// An address was given for a file that brings its own.
    #[error("an address was given for a file that says itself where its data belongs")]
    AddressGiven {
        /// File.
        path: PathBuf,
        /// Its format.
        format: Format,
    },
    /// A raw binary would run over the end of the bus.
    #[error("the file runs over the end of the address space")]
    RawTooLong {
        /// File.
        path: PathBuf,
        /// Where its first byte was to go.
        start: Address,
    },
    /// The file is not the one that was pinned.
    #[error("the file is not the pinned one: its SHA-256 differs")]
    OtherFile {
        /// File.
        path: PathBuf,
        /// What it has.
        found: FileHash,
        /// What it must have.
        pinned: FileHash,
    },
    /// A record is malformed.
    #[error("{fault}")]
    Record {
        /// File.
        path: PathBuf,
        /// Intel HEX or S-record.
        format: Format,
        /// Line, counted from 1.
        line: u32,
        /// What is wrong with it.
        fault: RecordFault,
    },
    /// The file ends without the record that says so.
    #[error("the end-of-file record is missing")]
    WithoutEnd {
        /// File.
        path: PathBuf,
        /// Intel HEX or S-record.
        format: Format,
        /// Last line with content.
        line: u32,
    },
    /// An ELF or UF2 file is malformed or not for this chip.
    #[error("{fault}")]
    Binary {
        /// File.
        path: PathBuf,
        /// ELF or UF2.
        format: Format,
        /// Byte in the file, counted from 0.
        offset: Option<u64>,
        /// What is wrong with it.
        fault: BinaryFault,
    },
    /// Two parts of one file bring the same address.
    #[error("two parts of the file bring data for the same address")]
    OverlapInFile {
        /// File.
        path: PathBuf,
        /// Its format.
        format: Format,
        /// First address brought twice.
        address: Address,
        /// The part that stands earlier in the file.
        first: Position,
        /// The later one.
        second: Position,
    },
    /// The file is well-formed and brings nothing.
    #[error("the file holds no data")]
    NoData {
        /// File.
        path: PathBuf,
    },
    /// Two files bring different bytes for one address.
    #[error("two files bring different data for the same address")]
    Conflict {
        /// First address at which they differ.
        address: Address,
        /// Both sides.
        conflict: Box<Conflict>,
    },
    /// Data that is not for the flash.
    #[error("the image holds data outside the flash")]
    OutsideWindow {
        /// First address outside.
        address: Address,
        /// Addresses at which the flash part appears.
        window: AddressRange,
        /// File and line of that byte.
        place: Place,
    },
}

/// Both sides of a difference between two files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conflict {
    /// The file given first, and line.
    pub first: Place,
    /// Its byte.
    pub first_byte: u8,
    /// The file given later, and line.
    pub second: Place,
    /// Its byte.
    pub second_byte: u8,
}

/// What a file without addresses looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RawGuess {
    /// Text.
    Text,
    /// An application signed for MCUboot.
    Mcuboot,
    /// Code whose start address is not certain.
    VectorTable,
    /// Anything.
    Nothing,
}

/// First word of an MCUboot image header (mcu-tools/mcuboot `image.h`).
const MCUBOOT_MAGIC: u32 = 0x96F3_B83D;

impl RawGuess {
    /// Looks at a raw binary, which `image` holds at address 0.
    pub(super) fn of(image: &Image, places: &RomPlaces) -> Self {
        if image.word_at(Address::new(0)) == Some(MCUBOOT_MAGIC) {
            RawGuess::Mcuboot
        } else if places.begins_with_vector_table(image) {
            RawGuess::VectorTable
        } else {
            RawGuess::Nothing
        }
    }

    const fn fix(self) -> &'static str {
        match self {
            RawGuess::Text => "convert it, for instance with `objcopy -O ihex`",
            RawGuess::Mcuboot => "say which slot it is for: FILE@ADDRESS, such as FILE@0x60020000",
            RawGuess::VectorTable => {
                "say where it is linked: FILE@ADDRESS, such as FILE@0x60002000"
            }
            RawGuess::Nothing => "say where it belongs: FILE@ADDRESS, such as FILE@0x60040000",
        }
    }
}

impl fmt::Display for RawGuess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RawGuess::Text => "some other text",
            RawGuess::Mcuboot => "a raw binary signed for MCUboot",
            RawGuess::VectorTable => {
                "a raw binary that begins with a vector table, and its start address is not certain"
            }
            RawGuess::Nothing => "a raw binary",
        })
    }
}

impl ImageError {
    /// The error for `content` that is of no known format, or empty.
    pub(super) fn unknown(path: &Path, content: &[u8], guess: RawGuess) -> Self {
        let path = path.to_owned();
        if format::first_line(content).is_none() {
            return ImageError::Empty { path };
        }
        let text = format::is_text(
            content
                .strip_prefix(format::BYTE_ORDER_MARK)
                .unwrap_or(content),
        );
        ImageError::UnknownFormat {
            path,
            line: text.then(|| format::first_line_number(content)),
            guess: if text { RawGuess::Text } else { guess },
        }
    }
}

pub(super) const BUILD_AGAIN: &str = "build or copy the file again";

impl From<ImageError> for Problem {
    fn from(error: ImageError) -> Problem {
        let what = error.to_string();
        let malformed = |code| Problem::new(code, ExitCode::MalformedInput, what.clone());
        match error {
            ImageError::NoInput => {
                Problem::new("no-input", ExitCode::Usage, what).fix("give at least one file")
            }
            ImageError::Empty { path } => malformed("input-empty")
                .at(Place::in_file(path, Some(1)))
                .fix(BUILD_AGAIN),
            ImageError::UnknownFormat { path, line, guess } => malformed("input-format")
                .at(Place::in_file(path, line))
                .because(
                    "Intel HEX, ELF, S-record and UF2 files are recognised by how they begin, and raw binaries by an \
                     FCB, IVT or vector table",
                )
                .fix(guess.fix()),
            ImageError::AddressGiven { path, format } => malformed("input-address")
                .at(Place::in_file(path, None))
                .because(format!(
                    "it is {}; only a raw binary needs an address",
                    format.name()
                ))
                .fix("leave @ADDRESS away"),
            ImageError::RawTooLong { path, start } => malformed("input-address")
                .at(Place {
                    address: Some(start),
                    ..Place::in_file(path, None)
                })
                .fix("check the address behind the @"),
            ImageError::OtherFile {
                path,
                found,
                pinned,
            } => malformed("input-hash")
                .at(Place::in_file(path, None))
                .because(format!("it has {found}, and pinned is {pinned}"))
                .fix("get the released file, or pin the hash of this one"),
            ImageError::Record {
                path,
                format,
                line,
                fault,
            } => malformed(fault.code(format))
                .at(Place::in_file(path, Some(line)))
                .because_if_known(fault.why(format))
                .fix(BUILD_AGAIN),
            ImageError::WithoutEnd { path, format, line } => malformed(match format {
                Format::SRecord => "srec-no-end",
                _ => "hex-no-end",
            })
            .at(Place::in_file(path, Some(line)))
            .because(match format {
                Format::SRecord => {
                    "the file may have been cut off: an S7, S8 or S9 record must come last"
                }
                _ => "the file may have been cut off: the record :00000001FF must come last",
            })
            .fix(BUILD_AGAIN),
            ImageError::Binary {
                path,
                format,
                offset,
                fault,
            } => malformed(fault.code(format))
                .at(Place {
                    offset,
                    ..Place::in_file(path, None)
                })
                .because_if_known(fault.why())
                .fix(fault.fix()),
            ImageError::OverlapInFile {
                path,
                format,
                address,
                first,
                second,
            } => malformed(match format {
                Format::SRecord => "srec-overlap",
                Format::Elf => "elf-overlap",
                Format::Uf2 => "uf2-overlap",
                Format::IntelHex | Format::Raw => "hex-overlap",
            })
            .at(Place {
                address: Some(address),
                offset: second.offset(),
                ..Place::in_file(path, second.line())
            })
            .because(match first {
                Position::Line(line) => format!("line {line} brings the same address"),
                Position::Offset(offset) => {
                    format!("the data at offset 0x{offset:X} goes to the same address")
                }
            })
            .fix("build the file again; if files were pasted together, give them as separate files"),
            ImageError::NoData { path } => malformed("input-no-data")
                .at(Place::in_file(path, None))
                .fix(BUILD_AGAIN),
            ImageError::Conflict { address, conflict } => malformed("input-conflict")
                .at(Place {
                    address: Some(address),
                    ..conflict.second.clone()
                })
                .because(format!(
                    "{} brings 0x{:02X}, {} brings 0x{:02X}",
                    conflict.first, conflict.first_byte, conflict.second, conflict.second_byte
                ))
                .fix("give files that belong together"),
            ImageError::OutsideWindow { window, place, .. } => Problem::new(
                "outside-flash",
                ExitCode::Refused,
                what,
            )
            .at(place)
            .because(format!("the flash part appears at {window}"))
            .fix(
                "link the image for the flash, or leave sections that live in RAM out of the file",
            ),
        }
    }
}
