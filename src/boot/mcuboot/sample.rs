//! Signed applications for the tests, built as imgtool builds them.

use sha2::{Digest, Sha256};

use super::{Header, MAGIC, trailer};

const HEADER_BYTES: u16 = 0x400;

/// A vector table linked for `slot`, header in front, SHA-256 and an (empty) ECDSA signature behind.
pub(crate) fn signed(slot: u32, stack_pointer: u32, length: usize) -> Vec<u8> {
    let reset = slot + u32::from(HEADER_BYTES) + 0x101;
    let app = crate::image::sample::application(stack_pointer, reset, length);
    let mut bytes = Vec::new();
    bytes.extend(MAGIC.to_le_bytes());
    bytes.extend(0_u32.to_le_bytes());
    bytes.extend(HEADER_BYTES.to_le_bytes());
    bytes.extend(0_u16.to_le_bytes());
    bytes.extend((app.len() as u32).to_le_bytes());
    bytes.extend(0_u32.to_le_bytes());
    bytes.extend([1, 2, 3, 0, 4, 0, 0, 0]);
    bytes.resize(usize::from(HEADER_BYTES), 0);
    assert!(bytes.len() > Header::SIZE_BYTES);
    bytes.extend(app);
    let hash = Sha256::digest(&bytes);
    let tlvs: [(u16, Vec<u8>); 3] = [
        (0x10, hash.to_vec()),
        (0x01, vec![0x5A; 32]),
        (0x22, vec![0x30; 70]),
    ];
    let total: usize = 4 + tlvs.iter().map(|(_, value)| 4 + value.len()).sum::<usize>();
    bytes.extend(0x6907_u16.to_le_bytes());
    bytes.extend((total as u16).to_le_bytes());
    for (kind, value) in tlvs {
        bytes.extend(kind.to_le_bytes());
        bytes.extend((value.len() as u16).to_le_bytes());
        bytes.extend(value);
    }
    bytes
}

/// The same padded to `slot_bytes` with a trailer.
pub(crate) fn padded(mut image: Vec<u8>, slot_bytes: usize, confirmed: bool) -> Vec<u8> {
    image.resize(slot_bytes - 16, 0xFF);
    if confirmed {
        image[slot_bytes - 24] = 1;
    }
    image.extend(trailer::MAGIC);
    image
}

/// Bytes that a bootloader's constants contain.
pub(crate) fn bootloader_constants() -> Vec<u8> {
    let mut bytes = MAGIC.to_le_bytes().to_vec();
    bytes.extend(trailer::MAGIC);
    bytes
}
