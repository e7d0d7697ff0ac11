//! Images and previous flash contents for tests at both depths.

use std::path::Path;

use proptest::prelude::*;
use rtflash::boot::{BootImage, judge};
use rtflash::image::Image;
use rtflash::target::Target;

/// The first bytes of an application that runs: vector table and a reset handler that loops.
pub const APPLICATION: u32 = 0x6000_2000;

/// The target that the boards of these tests are.
pub fn target() -> Target {
    Target::builtin("mimxrt1062", "is25wp064", "qspi").expect("target")
}

/// An image of a running application without boot header, with further segments at bus addresses.
pub fn image(segments: &[(u32, Vec<u8>)]) -> BootImage {
    image_for(&target(), segments)
}

/// The same for another target.
pub fn image_for(target: &Target, segments: &[(u32, Vec<u8>)]) -> BootImage {
    let mut all = vec![(APPLICATION, application())];
    all.extend_from_slice(segments);
    let text = intel_hex(&all);
    let image = Image::parse(Path::new("test.hex"), text.as_bytes()).expect("image");
    judge(&image, None, target)
        .into_boot_image()
        .expect("a bootable image")
}

/// Vector table with 16 entries, then `b .`.
fn application() -> Vec<u8> {
    let handler = APPLICATION + 64;
    let mut words = vec![0x2001_0000, handler | 1];
    words.resize(16, handler | 1);
    let mut bytes: Vec<u8> = words.iter().flat_map(|w: &u32| w.to_le_bytes()).collect();
    bytes.extend(0xE7FE_u16.to_le_bytes());
    bytes
}

/// Segments as Intel HEX.
pub fn intel_hex(segments: &[(u32, Vec<u8>)]) -> String {
    use ihex::Record;
    let mut records = Vec::new();
    for (start, bytes) in segments {
        let mut at = *start;
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let room = (0x1_0000 - at % 0x1_0000).min(16) as usize;
            let (piece, left) = rest.split_at(room.min(rest.len()));
            records.push(Record::ExtendedLinearAddress((at >> 16) as u16));
            records.push(Record::Data {
                offset: at as u16,
                value: piece.to_vec(),
            });
            at += piece.len() as u32;
            rest = left;
        }
    }
    records.push(Record::EndOfFile);
    ihex::create_object_file_representation(&records).expect("hex")
}

/// Bytes without a pattern.
pub fn noise(seed: u32, bytes: usize) -> Vec<u8> {
    let mut x = seed | 1;
    (0..bytes)
        .map(|_| {
            x ^= x << 13;
            x ^= x >> 17;
            x ^= x << 5;
            (x >> 24) as u8
        })
        .collect()
}

/// Where the flash appears on the bus.
pub const WINDOW: u32 = 0x6000_0000;
/// Where further segments may lie: behind the application, in the first half megabyte.
const ROOM: std::ops::Range<u32> = 0x6000_3000..0x6008_0000;

/// What the flash held before.
#[derive(Clone, Debug)]
pub enum Before {
    Blank,
    Full(u32),
    Patches(Vec<(u32, u32, u16)>),
}

impl Before {
    /// Hands every piece of it to `fill`, as flash offset and bytes.
    pub fn each(&self, mut fill: impl FnMut(usize, &[u8])) {
        match self {
            Before::Blank => {}
            Before::Full(seed) => fill(0, &noise(*seed, 0x10_0000)),
            Before::Patches(patches) => {
                for (at, seed, length) in patches {
                    fill(*at as usize, &noise(*seed, (*length).into()));
                }
            }
        }
    }
}

/// QE and protection bits as they may be found.
pub fn status() -> impl Strategy<Value = u8> {
    prop_oneof![Just(0x00), Just(0x40), Just(0x3C), Just(0x7C)]
}

/// Any previous content.
pub fn before() -> impl Strategy<Value = Before> {
    let patch = (0..0x8_0000u32, any::<u32>(), 1..6000u16);
    prop_oneof![
        Just(Before::Blank),
        any::<u32>().prop_map(Before::Full),
        prop::collection::vec(patch, 1..5).prop_map(Before::Patches),
    ]
}

/// Segments that do not overlap.
pub fn segments() -> impl Strategy<Value = Vec<(u32, Vec<u8>)>> {
    let segment = (ROOM, any::<u32>(), 1..9000usize)
        .prop_map(|(start, seed, length)| (start, noise(seed, length)));
    prop::collection::vec(segment, 0..4).prop_map(|mut segments| {
        segments.sort_by_key(|(start, _)| *start);
        let mut end = ROOM.start;
        segments.retain(|(start, bytes)| {
            let fits = *start >= end;
            if fits {
                end = start + bytes.len() as u32;
            }
            fits
        });
        segments
    })
}
