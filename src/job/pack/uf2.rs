//! UF2: 512-byte blocks with 256 data bytes each (github.com/microsoft/uf2).

use std::collections::BTreeMap;

use super::{Run, pieces};
use crate::boot::ERASED;

const BLOCK_BYTES: usize = 512;
const DATA_AT: usize = 32;
const PAYLOAD_BYTES: u32 = 256;
const MAGIC_START: [u32; 2] = [0x0A32_4655, 0x9E5D_5157];
const MAGIC_END: u32 = 0x0AB1_6F30;
const FLAG_FAMILY: u32 = 0x2000;
/// `MIMXRT10XX` of the family list.
const FAMILY: u32 = 0x4FB2_D5BD;

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
            MAGIC_START[0],
            MAGIC_START[1],
            FLAG_FAMILY,
            *address,
            PAYLOAD_BYTES,
            number,
            total,
            FAMILY,
        ];
        content.extend(head.into_iter().flat_map(u32::to_le_bytes));
        debug_assert_eq!(content.len() - block, DATA_AT);
        content.extend(page);
        content.resize(block + BLOCK_BYTES - size_of::<u32>(), 0);
        content.extend(MAGIC_END.to_le_bytes());
    }
    content
}
