//! The image that is measured, and what lies in the flash before: noise, which no tool can make smaller.

use std::path::Path;

use super::Before;
use crate::address::Address;
use crate::image::{Image, ImageError};
use crate::target::{FlashPart, Target};

/// Where the image proper begins: behind the places of FCB and IVT.
const IMAGE_OFFSET: u32 = 0x2000;
/// Words in the vector table of a Cortex-M core without interrupts.
const VECTORS: usize = 16;
/// `b .`
const LOOP: u16 = 0xE7FE;

/// An application that takes `bytes` of the flash from its start, its boot header not included. It boots, and loops.
///
/// # Errors
/// [`ImageError`] where `bytes` leave no room for it.
pub fn image(bytes: u32, target: &Target) -> Result<Image, ImageError> {
    let window = target.flash_window().start();
    let start = Address::new(window.get() + IMAGE_OFFSET);
    let handler = start.get() + 4 * VECTORS as u32;
    let stack = target.chip().algorithm_ram.address.get();
    let mut content: Vec<u8> = Vec::with_capacity(bytes as usize);
    let thumb = handler | 1;
    content.extend(stack.to_le_bytes());
    for _ in 1..VECTORS {
        content.extend(thumb.to_le_bytes());
    }
    content.extend(LOOP.to_le_bytes());
    let rest = (bytes.saturating_sub(IMAGE_OFFSET) as usize).saturating_sub(content.len());
    content.extend(noise(1, rest));
    Image::raw(Path::new("benchmark.bin"), &content, start)
}

/// What the flash holds before, given what it shall hold.
pub fn before(before: Before, after: &[u8]) -> Vec<u8> {
    let mut content = after.to_vec();
    match before {
        Before::Blank => content.fill(0xFF),
        Before::Other => content = noise(7, after.len()),
        Before::Same => {}
        Before::OneSector => {
            let sector = FlashPart::SECTOR_BYTES as usize;
            let middle = used(after) / 2 / sector * sector;
            let other = noise(11, sector);
            for (to, from) in content.iter_mut().skip(middle).zip(other) {
                *to = from;
            }
        }
    }
    content
}

/// Bytes up to the last that is not blank.
fn used(content: &[u8]) -> usize {
    content
        .iter()
        .rposition(|byte| *byte != 0xFF)
        .map_or(0, |at| at + 1)
}

/// Bytes that no compression makes smaller (xorshift, Marsaglia).
fn noise(seed: u32, bytes: usize) -> Vec<u8> {
    let mut x = seed;
    (0..bytes)
        .map(|_| {
            x ^= x << 13;
            x ^= x >> 17;
            x ^= x << 5;
            (x >> 24) as u8
        })
        .collect()
}
