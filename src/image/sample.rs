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
