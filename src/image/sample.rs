//! Images for the tests of the stages.

use std::path::Path;

use super::Image;

/// An image made of pieces, each a bus address and bytes, by way of Intel HEX text.
pub(crate) fn image_of(pieces: &[(u32, Vec<u8>)]) -> Image {
    const RECORD_BYTES: usize = 16;
    let mut records = Vec::new();
    for (start, bytes) in pieces {
        for (index, chunk) in bytes.chunks(RECORD_BYTES).enumerate() {
            let address = start + (index * RECORD_BYTES) as u32;
            records.push(ihex::Record::ExtendedLinearAddress((address >> 16) as u16));
            records.push(ihex::Record::Data {
                offset: address as u16,
                value: chunk.to_vec(),
            });
        }
    }
    records.push(ihex::Record::EndOfFile);
    let text = ihex::create_object_file_representation(&records).expect("records");
    Image::parse(Path::new("app.hex"), text.as_bytes()).expect("image")
}

/// A vector table with this stack pointer and reset vector, padded with code to `length` bytes.
pub(crate) fn application(stack_pointer: u32, reset: u32, length: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> = [stack_pointer, reset]
        .into_iter()
        .flat_map(u32::to_le_bytes)
        .collect();
    bytes.extend(
        (0..)
            .map(|i: usize| (i * 7) as u8)
            .take(length - bytes.len()),
    );
    bytes
}

/// A segment of an ELF program.
pub(crate) struct Segment<'s> {
    pub linked: u32,
    pub stored: u32,
    pub bytes: &'s [u8],
    /// Bytes behind `bytes` that startup code clears.
    pub cleared: u32,
}

/// A symbol: name, value, size, and whether it is local.
pub(crate) type Symbol<'s> = (&'s str, u32, u32, bool);

/// An ELF program as a linker writes it, each segment with a section.
pub(crate) fn elf(segments: &[Segment<'_>], symbols: &[Symbol<'_>]) -> Vec<u8> {
    const HEADER: usize = 52;
    const PROGRAM_HEADER: usize = 32;
    const SECTION_HEADER: u32 = 40;
    let words = |words: &[u32]| -> Vec<u8> { words.iter().flat_map(|w| w.to_le_bytes()).collect() };
    let mut names = b"\0.load\0.symtab\0.strtab\0".to_vec();
    let mut table = vec![0; 16];
    for (name, value, size, local) in symbols {
        table.extend(words(&[names.len() as u32, *value, *size]));
        // an object, in the first section
        table.extend([if *local { 0x01 } else { 0x11 }, 0, 1, 0]);
        names.extend(name.bytes().chain([0]));
    }
    let mut file = vec![0; HEADER + PROGRAM_HEADER * segments.len()];
    let mut programs = Vec::new();
    let mut sections = vec![0; SECTION_HEADER as usize];
    for segment in segments {
        let (at, size) = (file.len() as u32, segment.bytes.len() as u32);
        programs.extend(words(&[1, at, segment.linked, segment.stored, size]));
        programs.extend(words(&[size + segment.cleared, 6, 4]));
        sections.extend(words(&[1, 1, 3, segment.linked, at, size, 0, 0, 4, 0]));
        file.extend(segment.bytes);
    }
    let count = segments.len() as u32;
    for (name, kind, link, entry, bytes) in [(7, 2, count + 2, 16, &table), (15, 3, 0, 0, &names)] {
        let (at, size) = (file.len() as u32, bytes.len() as u32);
        sections.extend(words(&[name, kind, 0, 0, at, size, link, 1, 1, entry]));
        file.extend(bytes);
    }
    let sections_at = file.len() as u32;
    file.extend(sections);
    let mut header = b"\x7FELF\x01\x01\x01".to_vec();
    header.resize(16, 0);
    header.extend([2, 0, 40, 0]);
    header.extend(words(&[1, 0, HEADER as u32, sections_at, 0x0500_0000]));
    for half in [
        HEADER as u32,
        PROGRAM_HEADER as u32,
        count,
        SECTION_HEADER,
        count + 3,
        count + 2,
    ] {
        header.extend((half as u16).to_le_bytes());
    }
    file.splice(..HEADER, header);
    file.splice(HEADER..HEADER + programs.len(), programs);
    file
}
