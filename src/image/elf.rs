//! ELF for 32-bit Arm: what a loader copies to the flash, by physical address, read with the `object` crate.
//!
//! As `objcopy -O ihex` does, only the sections with content inside the loaded segments count: linkers stretch the first
//! segment over the ELF header itself, which is no part of the program. A file without sections is taken by segments.

use std::ops::Range;
use std::path::Path;

use object::elf::{
    EM_ARM, ET_EXEC, FileHeader32, PT_LOAD, ProgramHeader32, SHF_ALLOC, SHT_NOBITS, SectionHeader32,
};
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader, SectionTable};
use object::{LittleEndian, ReadRef};

use super::fault::BinaryFault;
use super::segment::Segment;
use super::source::Source;
use super::symbols::Symbols;
use super::{Format, ImageError};
use crate::address::Address;

/// First bytes of every ELF file.
pub(super) const MAGIC: &[u8] = b"\x7FELF";
/// `EI_CLASS`, `EI_DATA` and their values (System V ABI, chapter 4).
const CLASS_AT: usize = 4;
const CLASS_32: u8 = 1;
const CLASS_64: u8 = 2;
const ENDIANNESS_AT: usize = 5;
const LITTLE_ENDIAN: u8 = 1;
const BIG_ENDIAN: u8 = 2;
const ENDIAN: LittleEndian = LittleEndian;

/// A section that brings bytes, so that a place in the file has a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Section {
    /// Name as the linker gave it.
    pub name: String,
    /// Its bytes in the file.
    pub offsets: Range<u64>,
}

/// What is read of a program.
pub(super) struct Program {
    /// What is to be loaded.
    pub pieces: Vec<Segment>,
    /// The sections it is in.
    pub sections: Vec<Section>,
    /// Its symbols.
    pub symbols: Symbols,
}

/// A piece of the file that goes to `address`.
struct Loaded<'c> {
    address: u32,
    offset: u64,
    bytes: &'c [u8],
}

/// Reads what is to be loaded, the sections it is in, and the program's symbols.
///
/// # Errors
/// [`ImageError`] with what is wrong and the offset in the file where there is one.
pub(super) fn read(path: &Path, content: &[u8]) -> Result<Program, ImageError> {
    let malformed = |fault| ImageError::Binary {
        path: path.to_owned(),
        format: Format::Elf,
        offset: None,
        fault,
    };
    let because = |error: object::read::Error| malformed(BinaryFault::Structure(error.to_string()));
    check_ident(content).map_err(malformed)?;
    let header = FileHeader32::<LittleEndian>::parse(content).map_err(because)?;
    match (header.e_machine(ENDIAN), header.e_type(ENDIAN)) {
        (EM_ARM, ET_EXEC) => {}
        (EM_ARM, _) => return Err(malformed(BinaryFault::ElfNotLinked)),
        (machine, _) => return Err(malformed(BinaryFault::ElfMachine { machine })),
    }
    let segments = header.program_headers(ENDIAN, content).map_err(because)?;
    let table = header.sections(ENDIAN, content).map_err(because)?;
    let with_content: Vec<&SectionHeader32<LittleEndian>> = table
        .iter()
        .filter(|section| {
            section.sh_flags(ENDIAN) & SHF_ALLOC != 0
                && section.sh_type(ENDIAN) != SHT_NOBITS
                && section.sh_size(ENDIAN) != 0
        })
        .collect();
    // as BFD has it: a linker that knows no physical addresses leaves them all zero
    let has_physical = segments.iter().any(|segment| segment.p_paddr(ENDIAN) != 0);
    let mut loaded = Vec::new();
    for segment in segments {
        if segment.p_type(ENDIAN) != PT_LOAD || segment.p_filesz(ENDIAN) == 0 {
            continue;
        }
        let start = if has_physical {
            segment.p_paddr(ENDIAN)
        } else {
            segment.p_vaddr(ENDIAN)
        };
        let pieces = pieces_of(segment, start, &table, &with_content, content);
        loaded.extend(pieces.map_err(|(offset, fault)| ImageError::Binary {
            path: path.to_owned(),
            format: Format::Elf,
            offset: Some(offset),
            fault,
        })?);
    }
    // two segments of the same bytes: no linker does that, and a hostile file could ask for its size many times
    let bytes: u64 = loaded.iter().map(|piece| piece.bytes.len() as u64).sum();
    if bytes > content.len() as u64 {
        let reason = "its segments hold more bytes than the file".to_owned();
        return Err(malformed(BinaryFault::Structure(reason)));
    }
    refuse_overlap(path, &mut loaded)?;
    let mut pieces = Vec::new();
    for piece in loaded {
        let source = Source::offset(piece.offset);
        let segment = Segment::new(Address::new(piece.address), piece.bytes.to_vec(), source);
        pieces.push(segment.ok_or_else(|| ImageError::Binary {
            path: path.to_owned(),
            format: Format::Elf,
            offset: Some(piece.offset),
            fault: BinaryFault::AddressOverflow,
        })?);
    }
    let sections = with_content
        .iter()
        .filter_map(|section| {
            let name = table.section_name(ENDIAN, section).ok()?;
            let (offset, size) = section.file_range(ENDIAN)?;
            Some(Section {
                name: String::from_utf8_lossy(name).into_owned(),
                offsets: offset..offset.checked_add(size)?,
            })
        })
        .collect();
    Ok(Program {
        pieces,
        sections,
        symbols: Symbols::read(content, &table, segments, has_physical),
    })
}

fn check_ident(content: &[u8]) -> Result<(), BinaryFault> {
    match content.get(CLASS_AT) {
        Some(&CLASS_32) => {}
        Some(&CLASS_64) => return Err(BinaryFault::ElfClass),
        _ => return Err(BinaryFault::Structure("no known file class".to_owned())),
    }
    match content.get(ENDIANNESS_AT) {
        Some(&LITTLE_ENDIAN) => Ok(()),
        Some(&BIG_ENDIAN) => Err(BinaryFault::ElfEndianness),
        _ => Err(BinaryFault::Structure("no known byte order".to_owned())),
    }
}

/// The pieces of one segment, whose first byte goes to `start`.
fn pieces_of<'c>(
    segment: &ProgramHeader32<LittleEndian>,
    start: u32,
    table: &SectionTable<'c, FileHeader32<LittleEndian>>,
    with_content: &[&SectionHeader32<LittleEndian>],
    content: &'c [u8],
) -> Result<Vec<Loaded<'c>>, (u64, BinaryFault)> {
    let offset = u64::from(segment.p_offset(ENDIAN));
    let end = offset + u64::from(segment.p_filesz(ENDIAN));
    let piece = |from: u64, size: u64| {
        let bytes = content
            .read_bytes_at(from, size)
            .map_err(|()| (from, BinaryFault::CutOff))?;
        let address = u64::from(start) + (from - offset);
        let address = u32::try_from(address).map_err(|_| (from, BinaryFault::AddressOverflow))?;
        Ok(Loaded {
            address,
            offset: from,
            bytes,
        })
    };
    // the first section is the null section that every table begins with
    if table.len() <= 1 {
        return Ok(vec![piece(offset, end - offset)?]);
    }
    with_content
        .iter()
        .filter_map(|section| section.file_range(ENDIAN))
        .filter(|(from, size)| *from >= offset && *from < end && size <= &(end - from))
        .map(|(from, size)| piece(from, size))
        .collect()
}

/// Refuses pieces for one address, and names both.
fn refuse_overlap(path: &Path, loaded: &mut [Loaded<'_>]) -> Result<(), ImageError> {
    loaded.sort_by_key(|piece| piece.address);
    for two in loaded.windows(2) {
        let [a, b] = two else { continue };
        if u64::from(a.address) + a.bytes.len() as u64 > u64::from(b.address) {
            let inside_a = a.offset + u64::from(b.address - a.address);
            return Err(ImageError::OverlapInFile {
                path: path.to_owned(),
                format: Format::Elf,
                address: Address::new(b.address),
                first: super::Position::Offset(inside_a.min(b.offset)),
                second: super::Position::Offset(inside_a.max(b.offset)),
            });
        }
    }
    Ok(())
}
