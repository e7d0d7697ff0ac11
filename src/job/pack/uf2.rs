//! UF2: 512-byte blocks with 256 data bytes each (github.com/microsoft/uf2).

use std::collections::BTreeMap;

use super::{Run, pieces};
use crate::boot::ERASED;
use crate::image::uf2::{
    BLOCK_BYTES, DATA_AT, FAMILY_IMXRT10XX, FINAL_MAGIC, FLAG_FAMILY, MAGIC, SECOND_MAGIC,
};

const PAYLOAD_BYTES: u32 = 256;

/// How many bytes of the flash a file with this content brings.
pub(super) const fn brings_bytes(content: &[u8]) -> u64 {
    (content.len() / BLOCK_BYTES) as u64 * PAYLOAD_BYTES as u64
}

/// The file's content. Blocks are whole pages: a page that the image brings in part is filled with FFh, what erased flash
/// holds.
pub(super) fn write(runs: &[Run<'_>]) -> Vec<u8> {
    let mut pages: BTreeMap<u32, [u8; PAYLOAD_BYTES as usize]> = BTreeMap::new();
    for (address, bytes) in pieces(runs, PAYLOAD_BYTES) {
        let start = address & !(PAYLOAD_BYTES - 1);
        let page = pages
            .entry(start)
            .or_insert([ERASED; PAYLOAD_BYTES as usize]);
        let from = (address - start) as usize;
        for (to, byte) in page.iter_mut().skip(from).zip(bytes) {
            *to = *byte;
        }
    }
    let total = pages.len() as u32;
    let mut content = Vec::with_capacity(pages.len() * BLOCK_BYTES);
    for (number, (address, page)) in (0_u32..).zip(&pages) {
        let block = content.len();
        let head = [
            u32::from_le_bytes(*MAGIC),
            SECOND_MAGIC,
            FLAG_FAMILY,
            *address,
            PAYLOAD_BYTES,
            number,
            total,
            FAMILY_IMXRT10XX,
        ];
        content.extend(head.into_iter().flat_map(u32::to_le_bytes));
        debug_assert_eq!(content.len() - block, DATA_AT);
        content.extend(page);
        content.resize(block + BLOCK_BYTES - size_of::<u32>(), 0);
        content.extend(FINAL_MAGIC.to_le_bytes());
    }
    content
}
