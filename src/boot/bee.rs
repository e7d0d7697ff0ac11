//! Where an encrypted image (BEE) keeps its headers. They are encrypted themselves: only that something is there shows them.

use crate::address::{Address, AddressRange};
use crate::image::Image;
use crate::target::Target;

/// Places of BEE headers, one for each engine, that hold something other than all FFh or all 00h.
pub(super) fn headers(image: &Image, target: &Target) -> Vec<Address> {
    let boot = &target.chip().boot;
    let has_data = |address: Address| {
        AddressRange::new(address, boot.bee_header_bytes).is_some_and(|range| {
            let mut bytes = image.pieces_in(range).flat_map(|(_, bytes)| bytes);
            bytes.any(|byte| *byte != 0 && *byte != super::ERASED)
        })
    };
    boot.bee_header_offsets
        .iter()
        .filter_map(|offset| target.address_of(*offset))
        .filter(|address| has_data(*address))
        .collect()
}

/// Whether an image without a readable IVT may be encrypted.
pub(super) fn may_be_encrypted(image: &Image, target: &Target) -> bool {
    !headers(image, target).is_empty()
}
