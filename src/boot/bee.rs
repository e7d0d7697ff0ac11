//! Where an encrypted image (BEE) keeps its headers. They are encrypted themselves: only that something is there shows them.

use super::fcb::Fcb;
use crate::address::{Address, AddressRange};
use crate::image::Image;
use crate::target::Target;

/// Size of a cipher block (AES). Filler of linkers, such as imxrt-rt's, repeats within one; an encrypted header does not
/// look like that.
const CIPHER_BLOCK_BYTES: usize = 16;

/// Places of BEE headers, one for each engine, that hold something other than filler.
pub(super) fn headers(image: &Image, target: &Target) -> Vec<Address> {
    let boot = &target.chip().boot;
    let has_data = |address: Address| {
        AddressRange::new(address, boot.bee_header_bytes)
            .is_some_and(|range| image.pieces_in(range).any(|(_, bytes)| !is_filler(bytes)))
    };
    boot.bee_header_offsets
        .iter()
        .filter_map(|offset| target.address_of(*offset))
        // some chips of the family have their FCB at the first of these places
        .filter(|address| image.word_at(*address) != Some(Fcb::TAG))
        .filter(|address| has_data(*address))
        .collect()
}

/// Whether an image without a readable IVT may be encrypted.
pub(super) fn may_be_encrypted(image: &Image, target: &Target) -> bool {
    !headers(image, target).is_empty()
}

/// Whether every cipher block holds the same bytes.
fn is_filler(bytes: &[u8]) -> bool {
    let first = bytes.get(..CIPHER_BLOCK_BYTES).unwrap_or(bytes);
    bytes
        .chunks(CIPHER_BLOCK_BYTES)
        .all(|block| first.starts_with(block))
}
