//! Which bytes of the board the judgement still needs: those that decide the boot and that the image does not bring.

use std::borrow::Cow;

use super::dcd::{DCD_HEADER_BYTES, DcdHeader};
use super::entry::LoadMap;
use super::fcb::Fcb;
use super::ivt::{BootData, CSF_TAG, Ivt};
use super::mcuboot;
use super::present::Present;
use super::wishes::HeaderPolicy;
use crate::address::{Address, AddressRange, FlashOffset};
use crate::image::Image;
use crate::target::{BootOffsets, Target};

/// Initial stack pointer and reset vector.
const VECTORS_BYTES: u32 = 8;
/// One Thumb instruction: that there is one.
const INSTRUCTION_BYTES: u32 = 2;
const THUMB: u32 = 1;

/// The next piece to read, as offset and length in bytes, given what is `present` already; `None` once all is known that
/// can be. Without an image: what the ROM would start now.
pub fn wanted(
    image: Option<&Image>,
    present: &Present,
    target: &Target,
    policy: HeaderPolicy,
) -> Option<(FlashOffset, u32)> {
    if policy == HeaderPolicy::DataOnly {
        return None;
    }
    let counting = image.map(|image| that_counts(image, target, policy));
    let image = counting.as_deref();
    let ask = Ask {
        held: will_hold(image.unwrap_or(&Image::nothing()), present, target, policy),
        present,
        target,
    };
    let keeps_header = policy == HeaderPolicy::KeepOfBoard;
    if keeps_header || image.is_none_or(|image| is_partial(image, target)) {
        let header = ask.header();
        if header.is_some() {
            return header;
        }
    }
    ask.pointed_to()
        .or_else(|| ask.slots_below(image.filter(|image| !is_partial(image, target))?))
}

/// The first instruction that the ROM starts with what is `present`, by its IVT; `None` without one that leads anywhere.
pub fn reset_handler(present: &Present, target: &Target) -> Option<Address> {
    let held = will_hold(
        &Image::nothing(),
        present,
        target,
        HeaderPolicy::KeepOfBoard,
    );
    let at = target.address_of(target.chip().boot.ivt_offset)?;
    let ivt = Ivt::parse(held.bytes_at(at, Ivt::SIZE_BYTES)?.first_chunk()?)?;
    if ivt.entry & THUMB != 0 {
        return Some(Address::new(ivt.entry & !THUMB));
    }
    let table = LoadMap::of(&ivt, target)?.stored_at(Address::new(ivt.entry))?;
    let reset = held.word_at(table.checked_add(4)?)?;
    Some(Address::new(reset & !THUMB))
}

/// The image, and around it what the board holds. Of the board's header only what will stay: the rest is overwritten by
/// what is inserted.
pub(super) fn will_hold(
    image: &Image,
    present: &Present,
    target: &Target,
    policy: HeaderPolicy,
) -> Image {
    let mut pieces = present.by_address(target);
    let header_stays = policy == HeaderPolicy::KeepOfBoard
        || image.segments().is_empty()
        || is_partial(image, target);
    if !header_stays {
        let header = header_ranges(target);
        pieces.retain(|(start, bytes)| {
            let last = u32::try_from(bytes.len().saturating_sub(1)).unwrap_or(u32::MAX);
            let last = start.checked_add(last).unwrap_or(*start);
            let mut ranges = header.iter();
            !ranges.any(|range| *start < end_of(*range) && last >= range.start())
        });
    }
    image.over_board(target.chip().flexspi.window_start(), pieces)
}

fn end_of(range: AddressRange) -> Address {
    Address::new(range.start().get().saturating_add(range.length_bytes()))
}

/// What of the files counts. Linkers and programmers fill gaps: where the board's header is to stay, FFh or 00h in its
/// place is no header.
pub(super) fn that_counts<'i>(
    image: &'i Image,
    target: &Target,
    policy: HeaderPolicy,
) -> Cow<'i, Image> {
    if policy != HeaderPolicy::KeepOfBoard {
        return Cow::Borrowed(image);
    }
    let window = target.flash_window();
    let table = target.chip().boot.vector_table_offset.get();
    // all that stands before the application, a DCD included, if the files bring nothing there but filler
    let whole = AddressRange::new(window.start(), table).filter(|range| is_blank(image, *range));
    let filler: Vec<AddressRange> = match whole {
        Some(whole) => vec![whole],
        None => header_ranges(target)
            .into_iter()
            .filter(|range| is_blank(image, *range))
            .collect(),
    };
    Cow::Owned(image.without(&filler))
}

/// Whether what the image brings in `range`, if anything, is all FFh or all 00h.
pub(super) fn is_blank(image: &Image, range: AddressRange) -> bool {
    let all = |value: u8| {
        image
            .pieces_in(range)
            .all(|(_, bytes)| bytes.iter().all(|byte| *byte == value))
    };
    all(super::ERASED) || all(0)
}

/// FCB, IVT and boot data at their usual places.
pub(super) fn header_ranges(target: &Target) -> Vec<AddressRange> {
    let BootOffsets {
        fcb_offset,
        ivt_offset,
        boot_data_offset,
        ..
    } = target.chip().boot;
    [
        (fcb_offset, Fcb::SIZE_BYTES),
        (ivt_offset, Ivt::SIZE_BYTES),
        (boot_data_offset, BootData::BUILT_BYTES),
    ]
    .into_iter()
    .filter_map(|(offset, length)| AddressRange::new(target.address_of(offset)?, length as u32))
    .collect()
}

/// Whether the image brings nothing of what the ROM needs: no byte of a header, and no vector table where one is looked
/// for. Only something that is on the board already can start it.
pub fn is_partial(image: &Image, target: &Target) -> bool {
    let brings_header = header_ranges(target)
        .into_iter()
        .any(|range| image.pieces_in(range).next().is_some());
    let table = target.address_of(target.chip().boot.vector_table_offset);
    let brings_vectors = table.is_some_and(|table| image.word_at(table).is_some());
    !brings_header && !brings_vectors
}

struct Ask<'a> {
    held: Image,
    present: &'a Present,
    target: &'a Target,
}

impl Ask<'_> {
    /// FCB, IVT and boot data.
    fn header(&self) -> Option<(FlashOffset, u32)> {
        header_ranges(self.target)
            .into_iter()
            .find_map(|range| self.missing(range.start(), range.length_bytes()))
    }

    /// What the IVT points to.
    fn pointed_to(&self) -> Option<(FlashOffset, u32)> {
        let boot = &self.target.chip().boot;
        let at = self.target.address_of(boot.ivt_offset)?;
        let ivt = Ivt::parse(self.held.bytes_at(at, Ivt::SIZE_BYTES)?.first_chunk()?)?;
        let map = LoadMap::of(&ivt, self.target)?;
        let stored = |pointer: u32| (pointer != 0).then(|| map.stored_at(Address::new(pointer)))?;
        let piece = |pointer, length| self.missing(stored(pointer)?, length);
        let dcd = stored(ivt.dcd)
            .and_then(|at| self.held.bytes_at(at, DCD_HEADER_BYTES)?.first_chunk())
            .and_then(|bytes| DcdHeader::parse(*bytes));
        let entry = ivt.entry & !THUMB;
        let reset = stored(entry)
            .filter(|_| ivt.entry & THUMB == 0)
            .and_then(|table| self.held.word_at(table.checked_add(4)?));
        let vectors = (ivt.entry & THUMB == 0).then_some((entry, VECTORS_BYTES));
        let code = match vectors {
            Some(_) => reset.map(|reset| reset & !THUMB),
            None => Some(entry),
        };
        [
            Some((ivt.boot_data, BootData::SIZE_BYTES as u32)),
            Some((ivt.dcd, DCD_HEADER_BYTES as u32)),
            dcd.map(|header| (ivt.dcd, header.length_bytes.into())),
            Some((ivt.csf, size_of_val(&CSF_TAG) as u32)),
            vectors,
            code.map(|code| (code, INSTRUCTION_BYTES)),
        ]
        .into_iter()
        .flatten()
        .find_map(|(pointer, length)| piece(pointer, length))
    }

    /// Headers in the slots that a bootloader in the image may start.
    fn slots_below(&self, image: &Image) -> Option<(FlashOffset, u32)> {
        let is_lone_bootloader = mcuboot::slots(image, self.target).is_empty()
            && mcuboot::is_bootloader(image, self.target);
        if !is_lone_bootloader {
            return None;
        }
        mcuboot::known_slots()
            .filter_map(|offset| self.target.address_of(offset))
            .find_map(|at| self.missing(at, mcuboot::Header::SIZE_BYTES as u32))
    }

    /// The piece, unless it is known, was asked for already, or lies outside the part.
    fn missing(&self, at: Address, length_bytes: u32) -> Option<(FlashOffset, u32)> {
        let offset = self.target.offset_of(at)?;
        let last = offset.checked_add(length_bytes.checked_sub(1)?)?;
        self.target.address_of(last)?;
        let known = self.held.bytes_at(at, length_bytes as usize).is_some();
        (!known && !self.present.has(offset, length_bytes)).then_some((offset, length_bytes))
    }
}
