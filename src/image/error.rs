//! Why an input file cannot be used, with the line at fault.

use std::path::PathBuf;

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
    /// The content is of no format that can be read.
    #[error("the file is no Intel HEX file: it looks like {looks_like}")]
    UnknownFormat {
        /// File.
        path: PathBuf,
        /// First line with content.
        line: u32,
        /// What it looks like.
        looks_like: &'static str,
    },
    /// A record is malformed.
    #[error("{fault}")]
    HexRecord {
        /// File.
        path: PathBuf,
        /// Line, counted from 1.
        line: u32,
        /// What is wrong with it.
        fault: RecordFault,
    },
    /// The file ends without the record that says so.
    #[error("the end-of-file record is missing")]
    HexWithoutEnd {
        /// File.
        path: PathBuf,
        /// Last line with content.
        line: u32,
    },
    /// Two records of one file bring the same address.
    #[error("two records bring data for the same address")]
    OverlapInFile {
        /// File.
        path: PathBuf,
        /// First address brought twice.
        address: Address,
        /// Line of the later record.
        line: Option<u32>,
        /// Line of the earlier record.
        earlier_line: Option<u32>,
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

/// What is wrong with a record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordFault {
    /// The line does not begin with a colon.
    #[error("the line is no record: it does not begin with ':'")]
    NoStartCode,
    /// The line holds something that is no hexadecimal digit.
    #[error("the record holds a character that is no hexadecimal digit")]
    NotHexadecimal,
    /// The length byte and the line contradict each other.
    #[error("the record is shorter or longer than it says")]
    Length,
    /// The checksum is wrong.
    #[error("the checksum of the record is wrong")]
    Checksum {
        /// What the bytes sum to.
        computed: u8,
        /// What the line says.
        written: u8,
    },
    /// The type is none of 00 to 05.
    #[error("the record has the unknown type {record_type:02X}")]
    UnknownType {
        /// The type.
        record_type: u8,
    },
    /// The data would wrap around.
    #[error("the record runs over the end of its address space")]
    AddressOverflow,
    /// Something follows the end-of-file record.
    #[error("the record stands behind the end-of-file record")]
    AfterEnd {
        /// Line of the end-of-file record.
        end_line: u32,
    },
}

impl RecordFault {
    const fn code(&self) -> &'static str {
        match self {
            RecordFault::NoStartCode | RecordFault::NotHexadecimal | RecordFault::Length => {
                "hex-record"
            }
            RecordFault::Checksum { .. } => "hex-checksum",
            RecordFault::UnknownType { .. } => "hex-record-type",
            RecordFault::AddressOverflow => "hex-address",
            RecordFault::AfterEnd { .. } => "hex-after-end",
        }
    }

    fn why(&self) -> Option<String> {
        match self {
            RecordFault::Checksum { computed, written } => Some(format!(
                "the line ends in {written:02X}, its bytes need {computed:02X}"
            )),
            RecordFault::UnknownType { .. } => Some("Intel HEX has the types 00 to 05".to_owned()),
            RecordFault::AfterEnd { end_line } => Some(format!(
                "line {end_line} ends the file; several files in one are not Intel HEX"
            )),
            _ => None,
        }
    }
}

const BUILD_AGAIN: &str = "build or copy the file again";

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
            ImageError::UnknownFormat { path, line, .. } => malformed("input-format")
                .at(Place::in_file(path, Some(line)))
                .because("an Intel HEX file begins with ':'")
                .fix("convert it, for instance with `objcopy -O ihex`"),
            ImageError::HexRecord { path, line, fault } => {
                let problem = malformed(fault.code())
                    .at(Place::in_file(path, Some(line)))
                    .fix(BUILD_AGAIN);
                match fault.why() {
                    Some(why) => problem.because(why),
                    None => problem,
                }
            }
            ImageError::HexWithoutEnd { path, line } => malformed("hex-no-end")
                .at(Place::in_file(path, Some(line)))
                .because("the file may have been cut off: the record :00000001FF must come last")
                .fix(BUILD_AGAIN),
            ImageError::OverlapInFile {
                path,
                address,
                line,
                earlier_line,
            } => {
                let problem = malformed("hex-overlap")
                    .at(Place {
                        address: Some(address),
                        ..Place::in_file(path, line)
                    })
                    .fix("build the file again; if files were pasted together, join them with mergehex or srec_cat");
                match earlier_line {
                    Some(earlier) => {
                        problem.because(format!("line {earlier} brings the same address"))
                    }
                    None => problem,
                }
            }
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
