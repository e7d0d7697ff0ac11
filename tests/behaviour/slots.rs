//! A bootloader and its applications as imgtool writes them, for tests at both depths.

use std::path::Path;

use rtflash::image::Image;
use rtflash::job::Request;
use sha2::{Digest, Sha256};

use crate::images::{APPLICATION, intel_hex};

/// Where the bootloader looks for an application.
pub const SLOT: u32 = 0x6002_0000;
/// First word of an MCUboot image.
pub const MAGIC: u32 = 0x96F3_B83D;
const HEADER_BYTES: u32 = 0x400;

/// A request for these pieces, at bus addresses, with the default header.
pub fn request(pieces: &[(u32, Vec<u8>)]) -> Request {
    let text = intel_hex(pieces);
    Request::new(Image::parse(Path::new("test.hex"), text.as_bytes()).expect("image"))
}

/// A bootloader that starts the slot if its header has the magic, and waits for ever if not.
pub fn bootloader() -> (u32, Vec<u8>) {
    let handler = APPLICATION + 64;
    let mut words = vec![0x2001_0000, handler | 1];
    words.resize(16, handler | 1);
    let code: [u16; 14] = [
        0x4806, // ldr r0, slot
        0x4907, // ldr r1, magic
        0x6802, // ldr r2, [r0]
        0x4291, // cmp r1, r2
        0xD106, // bne wait
        0x8903, // ldrh r3, [r0, #8]: header size
        0x18C0, // adds r0, r0, r3: vector table
        0x6801, // ldr r1, [r0]
        0xF381, 0x8808, // msr msp, r1
        0x6842, // ldr r2, [r0, #4]
        0x4710, // bx r2
        0xE7FE, // wait: b wait
        0xBF00,
    ];
    let mut bytes: Vec<u8> = words.iter().flat_map(|w: &u32| w.to_le_bytes()).collect();
    bytes.extend(code.iter().flat_map(|half| half.to_le_bytes()));
    bytes.extend(SLOT.to_le_bytes());
    bytes.extend(MAGIC.to_le_bytes());
    (APPLICATION, bytes)
}

/// A running application for `slot` as imgtool writes it, with `tail` behind its code.
pub fn application(slot: u32, tail: &[u8]) -> (u32, Vec<u8>) {
    application_of(slot, &[0xE7FE, 0], tail)
}

/// The same whose reset handler is `code`.
pub fn application_of(slot: u32, code: &[u16], tail: &[u8]) -> (u32, Vec<u8>) {
    let handler = slot + HEADER_BYTES + 64;
    let mut words = vec![0x2001_0000, handler | 1];
    words.resize(16, handler | 1);
    let mut payload: Vec<u8> = words.iter().flat_map(|w: &u32| w.to_le_bytes()).collect();
    payload.extend(code.iter().flat_map(|half| half.to_le_bytes()));
    payload.extend(tail);
    let header = [
        MAGIC,
        0,
        HEADER_BYTES,
        payload.len() as u32,
        0,
        0x0001_0001,
        0,
    ];
    let mut bytes: Vec<u8> = header.iter().flat_map(|w| w.to_le_bytes()).collect();
    bytes.resize(HEADER_BYTES as usize, 0);
    bytes.extend(payload);
    let tlvs = hash_tlv(&bytes);
    bytes.extend(tlvs);
    (slot, bytes)
}

/// The TLV area with the SHA-256 of an MCUboot image.
fn hash_tlv(image: &[u8]) -> Vec<u8> {
    let mut tlvs: Vec<u8> = [0x6907_u16, 4 + 36, 0x10, 32]
        .iter()
        .flat_map(|half| half.to_le_bytes())
        .collect();
    tlvs.extend(Sha256::digest(image));
    tlvs
}
