//! Which bytes of an image must stay as they are: headers that the boot ROM reads, and what a signature or a hash covers.

use super::anatomy::Anatomy;
use super::bee;
use super::dcd::DCD_HEADER_BYTES;
use super::entry::LoadMap;
use super::ivt::BootData;
use super::mcuboot;
use super::wanted::header_ranges;
use crate::address::{Address, AddressRange};
use crate::image::Image;
use crate::target::Target;

/// Why bytes must stay as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seal {
    /// FCB, IVT, boot data or DCD: the boot ROM goes by them, and rtflash may write them itself.
    BootHeader,
    /// In a signed image, from the IVT on: HAB checks a signature over it.
    Hab,
    /// From the header of an MCUboot image to the end of its TLVs: its hash and its signature cover it.
    McuBoot,
    /// The image may be encrypted (BEE): whatever is written is decrypted when it is read.
    Bee,
}

impl Seal {
    /// Why, as the end of a sentence that begins with the address.
    pub const fn reason(self) -> &'static str {
        match self {
            Seal::BootHeader => {
                "lies in the boot header (FCB, IVT, boot data, DCD), by which the boot ROM starts the board"
            }
            Seal::Hab => {
                "lies in the signed part of the image (HAB), which begins with the IVT: a closed part refuses it when a byte changes"
            }
            Seal::McuBoot => {
                "lies in an MCUboot image, from its header to the end of its TLVs: hash and signature cover it, and the bootloader refuses it when a byte changes"
            }
            Seal::Bee => {
                "may be decrypted when it is read: the image has a BEE header, and what it covers is not known here"
            }
        }
    }
}

/// Bytes that must stay as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// First byte on the bus.
    pub start: Address,
    /// Address behind the last one, as 33-bit number.
    pub end: u64,
    /// Why.
    pub seal: Seal,
}

impl Sealed {
    fn new(start: Address, length_bytes: u64, seal: Seal) -> Self {
        Sealed {
            start,
            end: u64::from(start.get()) + length_bytes,
            seal,
        }
    }

    /// The first address of `range` that is sealed.
    pub fn first_in(&self, range: AddressRange) -> Option<Address> {
        let range_start = u64::from(range.start().get());
        let range_end = range_start + u64::from(range.length_bytes());
        let first = range_start.max(self.start.get().into());
        let is_inside = first < range_end.min(self.end);
        is_inside.then(|| u32::try_from(first).ok().map(Address::new))?
    }
}

/// What must not be changed in `image`, whether it brings the bytes or not.
pub fn sealed(image: &Image, target: &Target) -> Vec<Sealed> {
    let anatomy = Anatomy::of(image, None, target);
    let mut sealed: Vec<Sealed> = header_ranges(target)
        .into_iter()
        .map(|range| {
            let length = range.length_bytes().into();
            Sealed::new(range.start(), length, Seal::BootHeader)
        })
        .collect();
    if let Some(data) = &anatomy.boot_data {
        let length = BootData::BUILT_BYTES as u64;
        sealed.push(Sealed::new(data.address, length, Seal::BootHeader));
    }
    if let Some(dcd) = &anatomy.dcd {
        let length = usize::from(dcd.value.header.length_bytes).max(DCD_HEADER_BYTES);
        sealed.push(Sealed::new(dcd.address, length as u64, Seal::BootHeader));
    }
    sealed.extend(hab(image, &anatomy, target).unwrap_or_default());
    for slot in mcuboot::slots(image, target) {
        let length = slot.end.saturating_sub(slot.offset.get().into());
        sealed.push(Sealed::new(slot.address, length, Seal::McuBoot));
    }
    if bee::may_be_encrypted(image, target) {
        let window = target.flash_window();
        let length = window.length_bytes().into();
        sealed.push(Sealed::new(window.start(), length, Seal::Bee));
    }
    sealed
}

/// From the IVT to the end of the CSF, and what the image brings behind that as far as the boot data says: which of these
/// blocks the CSF signs is not looked at. An IVT that names a CSF that no file brings counts, too: it may be added later.
fn hab(image: &Image, anatomy: &Anatomy, target: &Target) -> Option<Vec<Sealed>> {
    let ivt = anatomy.ivt.as_ref().filter(|ivt| ivt.value.csf != 0)?;
    let map = LoadMap::of(&ivt.value, target)?;
    let stored = map.stored_at(Address::new(ivt.value.csf))?;
    if anatomy.csf.is_none() && image.covers(stored) {
        return None;
    }
    let csf_bytes = anatomy.csf.as_ref().map_or(1, |csf| csf.value.max(1));
    let csf_end = stored.checked_add(csf_bytes.into())?;
    let to_csf = u64::from(csf_end.checked_from(ivt.address)?);
    let mut sealed = vec![Sealed::new(ivt.address, to_csf, Seal::Hab)];
    let window = target.flash_window();
    let covered = anatomy
        .boot_data
        .as_ref()
        .and_then(|data| window.start().checked_add(data.value.length_bytes))
        .and_then(|end| AddressRange::new(csf_end, end.checked_from(csf_end)?));
    for (start, bytes) in covered.into_iter().flat_map(|range| image.pieces_in(range)) {
        sealed.push(Sealed::new(start, bytes.len() as u64, Seal::Hab));
    }
    Some(sealed)
}
