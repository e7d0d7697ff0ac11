//! What is wrong inside a file: with one record of a text format, or with the structure of a binary one.

use object::elf::EM_ARM;

use super::{Format, uf2};

/// What is wrong with a record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordFault {
    /// The line does not begin as a record does.
    #[error("the line is no record: it does not begin with '{expected}'")]
    NoStartCode {
        /// What a record begins with.
        expected: char,
    },
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
    /// The format has no such record.
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
    /// A count record contradicts the file.
    #[error("data records are missing, or there are too many")]
    Count {
        /// Data records that the file should have up to here.
        written: u32,
        /// Data records that it has.
        found: u32,
    },
}

impl RecordFault {
    pub(super) const fn code(&self, format: Format) -> &'static str {
        let [record, checksum, record_type, address, after_end, count] = match format {
            Format::SRecord => [
                "srec-record",
                "srec-checksum",
                "srec-record-type",
                "srec-address",
                "srec-after-end",
                "srec-count",
            ],
            _ => [
                "hex-record",
                "hex-checksum",
                "hex-record-type",
                "hex-address",
                "hex-after-end",
                "hex-count",
            ],
        };
        match self {
            RecordFault::NoStartCode { .. } | RecordFault::NotHexadecimal | RecordFault::Length => {
                record
            }
            RecordFault::Checksum { .. } => checksum,
            RecordFault::UnknownType { .. } => record_type,
            RecordFault::AddressOverflow => address,
            RecordFault::AfterEnd { .. } => after_end,
            RecordFault::Count { .. } => count,
        }
    }

    pub(super) fn why(&self, format: Format) -> Option<String> {
        match self {
            RecordFault::Checksum { computed, written } => Some(format!(
                "the line ends in {written:02X}, its bytes need {computed:02X}"
            )),
            RecordFault::UnknownType { .. } => Some(
                match format {
                    Format::SRecord => "S-record files have the types S0 to S3 and S5 to S9",
                    _ => "Intel HEX has the types 00 to 05",
                }
                .to_owned(),
            ),
            RecordFault::AfterEnd { end_line } => Some(format!(
                "line {end_line} ends the file; several files in one are not {}",
                format.name()
            )),
            RecordFault::Count { written, found } => Some(format!(
                "the count record says {written}, before it stand {found}"
            )),
            _ => None,
        }
    }
}

/// What is wrong with an ELF or UF2 file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BinaryFault {
    /// Header, program headers or sections cannot be read.
    #[error("the structure of the file is damaged")]
    Structure(String),
    /// Content that the headers promise is not there.
    #[error("the file is cut off")]
    CutOff,
    /// The data would wrap around.
    #[error("the data runs over the end of the address space")]
    AddressOverflow,
    /// A 64-bit file.
    #[error("the ELF file is for a 64-bit machine")]
    ElfClass,
    /// A big-endian file.
    #[error("the ELF file is big-endian")]
    ElfEndianness,
    /// A file for another processor.
    #[error("the ELF file is not for Arm")]
    ElfMachine {
        /// `e_machine`.
        machine: u16,
    },
    /// An object file, a shared library or a core dump.
    #[error("the ELF file is no linked program")]
    ElfNotLinked,
    /// A block does not begin or end as UF2 blocks do.
    #[error("the block does not begin and end as a UF2 block does")]
    Uf2Magic,
    /// A block says that it holds more than fits.
    #[error("the block says that it holds {length} bytes")]
    Uf2Length {
        /// What it says.
        length: u32,
    },
    /// The file is for another family of chips, or does not say for which.
    #[error("the UF2 file is not for this chip family")]
    Uf2Family {
        /// The family of its first block.
        family: Option<u32>,
    },
    /// Blocks disagree about how many there are.
    #[error("the blocks disagree about how many there are")]
    Uf2Count {
        /// What the first one says.
        first: u32,
        /// What this one says.
        here: u32,
    },
    /// A block has a number that is too high.
    #[error("the block has number {number} of {count}")]
    Uf2Number {
        /// Its number, counted from 0.
        number: u32,
        /// How many there are.
        count: u32,
    },
    /// A block comes twice.
    #[error("block {number} comes twice")]
    Uf2Repeated {
        /// Its number, counted from 0.
        number: u32,
    },
    /// A block is not there.
    #[error("block {number} of {count} is missing")]
    Uf2Missing {
        /// Its number, counted from 0.
        number: u32,
        /// How many there should be.
        count: u32,
    },
}

impl BinaryFault {
    pub(super) const fn code(&self, format: Format) -> &'static str {
        match (self, format) {
            (BinaryFault::Structure(_), _) => "elf-structure",
            (BinaryFault::CutOff, Format::Uf2) => "uf2-cut-off",
            (BinaryFault::CutOff, _) => "elf-cut-off",
            (BinaryFault::AddressOverflow, Format::Uf2) => "uf2-address",
            (BinaryFault::AddressOverflow, _) => "elf-address",
            (BinaryFault::ElfClass, _) => "elf-class",
            (BinaryFault::ElfEndianness, _) => "elf-endianness",
            (BinaryFault::ElfMachine { .. }, _) => "elf-machine",
            (BinaryFault::ElfNotLinked, _) => "elf-not-linked",
            (BinaryFault::Uf2Family { .. }, _) => "uf2-family",
            (BinaryFault::Uf2Missing { .. }, _) => "uf2-missing-block",
            (
                BinaryFault::Uf2Magic
                | BinaryFault::Uf2Length { .. }
                | BinaryFault::Uf2Count { .. }
                | BinaryFault::Uf2Number { .. }
                | BinaryFault::Uf2Repeated { .. },
                _,
            ) => "uf2-block",
        }
    }

    pub(super) fn why(&self) -> Option<String> {
        let text = match self {
            BinaryFault::Structure(reason) => reason.clone(),
            BinaryFault::ElfClass | BinaryFault::ElfEndianness => {
                "the Cortex-M7 runs 32-bit little-endian code".to_owned()
            }
            BinaryFault::ElfMachine { machine } => {
                format!("its machine number is {machine}, Arm has {EM_ARM}")
            }
            BinaryFault::ElfNotLinked => {
                "an object file or library has no addresses yet".to_owned()
            }
            BinaryFault::Uf2Length { .. } => "a block has room for 476 bytes".to_owned(),
            BinaryFault::Uf2Family { family: None } => {
                "its blocks do not say for which family they are".to_owned()
            }
            BinaryFault::Uf2Family {
                family: Some(family),
            } => format!(
                "it is for family 0x{family:08X} ({}), i.MX RT10xx is 0x{:08X}",
                uf2::family_name(*family),
                uf2::FAMILY_IMXRT10XX
            ),
            BinaryFault::Uf2Count { first, here } => {
                format!("the first says {first}, this one {here}")
            }
            _ => return None,
        };
        Some(text)
    }

    pub(super) const fn fix(&self) -> &'static str {
        match self {
            BinaryFault::ElfNotLinked => "give the program that the linker made",
            BinaryFault::ElfClass
            | BinaryFault::ElfEndianness
            | BinaryFault::ElfMachine { .. }
            | BinaryFault::Uf2Family { family: Some(_) } => "give the file built for the RT1062",
            BinaryFault::Uf2Family { family: None } => {
                "convert it again with `uf2conv.py -f MIMXRT10XX`"
            }
            _ => super::error::BUILD_AGAIN,
        }
    }
}
