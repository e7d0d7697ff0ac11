//! The trailer at the end of an MCUboot slot: whether the image is to be tried or has been confirmed.

use super::fixed;
use crate::address::FlashOffset;
use crate::image::Image;
use crate::target::Target;

/// `boot_img_magic` of a slot whose write alignment is at most 8 bytes (mcuboot `bootutil_misc.c`).
pub(super) const MAGIC: [u8; 16] = [
    0x77, 0xC2, 0x95, 0xF3, 0x60, 0xD2, 0xEF, 0x7F, 0x35, 0x52, 0x50, 0x0F, 0x2C, 0xB6, 0x79, 0x80,
];
/// Each field in front of the magic takes this much.
const FIELD_BYTES: usize = 8;
/// `image_ok`, and `copy_done` in front of it.
const FIELDS: usize = 2;
const FLAG_SET: u8 = 1;
/// The magic ends with the slot, and slots end with a sector.
const SECTOR_BYTES: u64 = 4096;

/// What the trailer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trailer {
    /// Offset of the magic in the flash.
    pub magic_offset: FlashOffset,
    /// Whether `image_ok` is set: the bootloader will not go back.
    pub confirmed: bool,
    /// Whether `copy_done` is set.
    pub copy_done: bool,
}

impl Trailer {
    /// In words.
    pub const fn text(self) -> &'static str {
        if self.confirmed {
            "padded, confirmed"
        } else if self.copy_done {
            "padded, swapped in, not confirmed"
        } else {
            "padded, pending: to be tried once"
        }
    }
}

/// The trailer behind an image that ends at offset `end`: at the slot's end where that is known, else the first magic
/// that ends with a sector before the next slot.
pub(super) fn find(
    image: &Image,
    target: &Target,
    end: u64,
    slot_end: Option<u32>,
) -> Option<Trailer> {
    let at_known_end = slot_end.and_then(|slot_end| at(image, target, slot_end.into()));
    if at_known_end.is_some() {
        return at_known_end;
    }
    let part_end = u64::from(target.flash().size_bytes);
    ((end / SECTOR_BYTES + 1)..=(part_end / SECTOR_BYTES))
        .map(|sector| sector * SECTOR_BYTES)
        .take_while(|sector_end| {
            let sector = sector_end - SECTOR_BYTES;
            let start = u32::try_from(sector).ok().filter(|_| sector >= end);
            let start = start.and_then(|start| target.address_of(FlashOffset::new(start)));
            start.is_none_or(|start| image.word_at(start) != Some(super::MAGIC))
        })
        .find_map(|slot_end| at(image, target, slot_end))
}

fn at(image: &Image, target: &Target, slot_end: u64) -> Option<Trailer> {
    let length = FIELDS * FIELD_BYTES + MAGIC.len();
    let start = u32::try_from(slot_end.checked_sub(length as u64)?).ok()?;
    let start = FlashOffset::new(start);
    let bytes = image.bytes_at(target.address_of(start)?, length)?;
    let [copy_done] = fixed(bytes, 0);
    let [image_ok] = fixed(bytes, FIELD_BYTES);
    (bytes.ends_with(&MAGIC)).then_some(Trailer {
        magic_offset: start.checked_add((FIELDS * FIELD_BYTES) as u32)?,
        confirmed: image_ok == FLAG_SET,
        copy_done: copy_done == FLAG_SET,
    })
}
