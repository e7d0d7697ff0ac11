//! What must hold for arbitrary flash content: slots, the verdict and the map of every byte.

use std::path::Path;
use std::sync::LazyLock;

use super::Input;
use crate::address::Address;
use crate::boot::mcuboot::{self, HashCheck};
use crate::boot::{
    Anatomy, BootImage, ERASED, HeaderPolicy, HeaderWishes, Judgement, Present, Region, Severity,
    judge_with, wanted,
};
use crate::image::Image;
use crate::problem::{ExitCode, Problem};
use crate::target::Target;

const WINDOW: u32 = 0x6000_0000;
const SLOT: u32 = WINDOW + 0x2_0000;
const BEE: u32 = WINDOW + 0x400;
const IVT: u32 = WINDOW + 0x1000;
const APPLICATION: u32 = WINDOW + 0x2000;
const MAGIC: [u8; 4] = 0x96F3_B83D_u32.to_le_bytes();

static TARGET: LazyLock<Target> =
    LazyLock::new(|| Target::builtin("mimxrt1062", "is25wp064", "qspi").expect("target"));

fn raw(content: &[u8], start: u32) -> Option<Image> {
    Image::raw(Path::new("flash.bin"), content, Address::new(start)).ok()
}

/// Slots behind each other from a slot's place on, as they are and with the magic at the front.
pub fn mcuboot(content: &[u8]) {
    slots(content);
    let mut begun = MAGIC.to_vec();
    begun.extend(content);
    slots(&begun);
}

fn slots(content: &[u8]) {
    let target = &*TARGET;
    let Some(image) = raw(content, SLOT) else {
        return;
    };
    let end = image.segments().last().map_or(0, |segment| segment.end());
    let mut free = 0;
    for slot in mcuboot::slots(&image, target) {
        let start = u64::from(slot.offset.get());
        assert!(start >= free, "slots do not overlap");
        assert_eq!(target.address_of(slot.offset), Some(slot.address));
        let header = slot.header;
        let application = u64::from(header.header_bytes) + u64::from(header.image_bytes);
        assert!(slot.end >= start + application);
        let tlv_bytes: usize = slot.tlvs.iter().map(|tlv| 4 + tlv.value.len()).sum();
        assert!(tlv_bytes <= content.len());
        if slot.hash == HashCheck::Fits {
            assert!(start + application <= end);
        }
        if let Some(trailer) = slot.trailer {
            let magic = target.address_of(trailer.magic_offset).expect("address");
            assert!(u64::from(magic.get()) + 16 <= end);
        }
        assert!(slot.vectors.is_none() || !header.is_encrypted());
        assert!(!header.version.to_string().is_empty() && !slot.signature_text().is_empty());
        assert!(slot.runs_in_place().is_none() || !header.is_loaded_to_ram());
        free = slot.end;
    }
    mcuboot::is_bootloader(&image, target);
    the_whole_verdict(&image, None, HeaderPolicy::InsertMissing);
}

/// What the first byte of flash content for [`judged`] says.
mod flag {
    pub const PICTURE: u8 = 1;
    pub const NO_FCB: u8 = 1 << 1;
    pub const NO_IVT: u8 = 1 << 2;
    /// The application's length follows, and what stands behind it belongs to a slot.
    pub const SLOT: u8 = 1 << 3;
    pub const BEE: u8 = 1 << 4;
    /// Half of the input is what the board holds.
    pub const BOARD: u8 = 1 << 5;
    pub const POLICY_SHIFT: u8 = 6;
}

const POLICIES: [HeaderPolicy; 4] = [
    HeaderPolicy::InsertMissing,
    HeaderPolicy::Replace,
    HeaderPolicy::KeepOfBoard,
    HeaderPolicy::DataOnly,
];

/// An image, and perhaps what the board holds.
pub fn judged(content: &[u8]) {
    let flags = content.first().copied().unwrap_or_default();
    let policy = POLICIES[usize::from(flags >> flag::POLICY_SHIFT)];
    let has_board = flags & flag::BOARD != 0;
    let (ours, board) = content.split_at(content.len() / if has_board { 2 } else { 1 });
    let Some(image) = flash_content(ours) else {
        return;
    };
    let present = has_board.then(|| survey(&image, flash_content(board).as_ref(), policy));
    the_whole_verdict(&image, present.as_ref(), policy);
}

/// A picture of the flash from its first byte on, or its parts one behind the other, which leaves out the gaps.
fn flash_content(content: &[u8]) -> Option<Image> {
    let mut input = Input::new(content);
    let flags = input.byte().unwrap_or_default();
    let has = |flag| flags & flag != 0;
    if has(flag::PICTURE) {
        return raw(input.bytes(usize::MAX), WINDOW);
    }
    let application = if has(flag::SLOT) {
        input.byte().unwrap_or_default().into()
    } else {
        0x1000
    };
    let mut images = Vec::new();
    let mut put = |wanted: bool, length: usize, start: u32| {
        if wanted {
            images.extend(raw(input.bytes(length), start));
        }
    };
    put(!has(flag::NO_FCB), 0x200, WINDOW);
    put(has(flag::BEE), 0x20, BEE);
    put(!has(flag::NO_IVT), 0x60, IVT);
    put(true, application, APPLICATION);
    put(true, usize::MAX, SLOT);
    Image::merge(images).ok()
}

/// Reads of the board what the judgement asks for, which comes to an end.
fn survey(image: &Image, board: Option<&Image>, policy: HeaderPolicy) -> Present {
    const LONGEST_SURVEY: usize = 64;
    let mut present = Present::default();
    for _ in 0..LONGEST_SURVEY {
        let Some((offset, length)) = wanted(Some(image), &present, &TARGET, policy) else {
            return present;
        };
        let byte_at = |at| {
            let address = TARGET.address_of(offset.checked_add(at)?)?;
            board?.bytes_at(address, 1)?.first().copied()
        };
        let bytes = (0..length).map(|at| byte_at(at).unwrap_or(ERASED));
        present.add(offset, bytes.collect());
    }
    panic!("the survey does not end");
}

fn the_whole_verdict(image: &Image, present: Option<&Present>, policy: HeaderPolicy) {
    let target = &*TARGET;
    let judgement = judge_with(image, present, target, &HeaderWishes::only(policy));
    well_told(&judgement);
    assert!(!judgement.needs_board() || present.is_none());
    // of an accepted image the bytes that count: filler in the place of a header that the board keeps does not
    let counting = judgement.boot_image().map_or(image, BootImage::image);
    let anatomy = Anatomy::of(counting, judgement.boot_image(), target);
    match judgement.into_boot_image() {
        Ok(boot_image) => {
            covers(&anatomy.map, boot_image.len_bytes());
            keeps(image, &boot_image, target);
            if present.is_none() && policy != HeaderPolicy::DataOnly {
                stays_accepted(&boot_image, target);
            }
        }
        Err(refusal) => {
            assert_eq!(refusal.first().severity, Severity::Error);
            let problem = Problem::from(refusal);
            assert_eq!(problem.exit, ExitCode::Refused);
            assert_ne!(problem.code, "not-judged", "{problem}");
            covers(&anatomy.map, image.len_bytes());
        }
    }
}

fn well_told(judgement: &Judgement) {
    for finding in judgement.findings().into_iter().chain(&judgement.missing()) {
        assert!(!finding.code.is_empty() && !finding.what.is_empty());
        let why = finding.why.as_deref().unwrap_or_default();
        assert!(
            !finding.uncertain || why.starts_with("uncertain"),
            "{finding}"
        );
    }
}

/// Every byte has one meaning.
fn covers(map: &[Region], bytes: u64) {
    assert!(map.iter().all(|region| region.length_bytes > 0));
    let end = |region: &Region| u64::from(region.start.get()) + region.length_bytes;
    let apart = |two: &[Region]| end(&two[0]) <= u64::from(two[1].start.get());
    assert!(map.windows(2).all(apart));
    let told: u64 = map.iter().map(|region| region.length_bytes).sum();
    assert_eq!(told, bytes);
}

/// What is not inserted is as the file brought it.
fn keeps(image: &Image, boot_image: &BootImage, target: &Target) {
    let runs = boot_image.runs();
    assert!(
        runs.windows(2)
            .all(|two| two[0].end() < u64::from(two[1].offset.get()))
    );
    let mut inserted = 0;
    for run in runs {
        for (index, byte) in run.bytes.iter().enumerate() {
            let offset = run.offset.checked_add(index as u32).expect("in the flash");
            let new = boot_image.inserted_parts().any(|(start, length, _)| {
                offset
                    .checked_from(start)
                    .is_some_and(|distance| distance < length)
            });
            inserted += u64::from(new);
            let address = target.address_of(offset).expect("in the flash");
            let brought = image.bytes_at(address, 1).and_then(|bytes| bytes.first());
            assert!(new || brought == Some(byte), "{address}");
        }
    }
    let parts = boot_image
        .inserted_parts()
        .map(|(_, length, _)| u64::from(length));
    assert_eq!(parts.sum::<u64>(), inserted);
}

/// What `pack` writes needs nothing more, and starts the same code.
fn stays_accepted(boot_image: &BootImage, target: &Target) {
    let runs = boot_image.runs().iter();
    let pieces = runs.filter_map(|run| raw(&run.bytes, WINDOW + run.offset.get()));
    let complete = Image::merge(pieces.collect()).expect("runs do not overlap");
    let judgement = judge_with(&complete, None, target, &HeaderWishes::default());
    let codes: Vec<_> = judgement.findings().iter().map(|f| f.code).collect();
    let again = judgement
        .boot_image()
        .unwrap_or_else(|| panic!("then refused: {codes:?}"));
    assert!(again.inserted().is_empty());
    assert_eq!(again.start(), boot_image.start());
    assert_eq!(again.sha256(), boot_image.sha256());
}
