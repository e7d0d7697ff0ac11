//! The few words of the ROM's content that tools read.

/// Where the Black Magic Probe looks for the RT1060's ROM, and what it finds there.
pub(crate) const FINGERPRINT: (u32, u32) = (0x0020_A000, 0x80DB_F000);
/// Pointer to the ROM API tree, as NXP's flash algorithms follow it. Its value is made up.
const API_TREE_POINTER: (u32, u32) = (0x0020_001C, super::api::TREE);
/// Initial stack pointer and reset vector of the ROM's own vector table; the values are made up.
const VECTORS: [(u32, u32); 2] = [(0x0020_0000, super::ROM_STACK), (0x0020_0004, 0x0020_2001)];

/// The ROM's word at `address` where the model knows it. Elsewhere the content of the ROM is unknown.
pub fn content_word(address: u32) -> Option<u32> {
    let known = [FINGERPRINT, API_TREE_POINTER];
    known
        .into_iter()
        .chain(VECTORS)
        .find(|(at, _)| *at == address)
        .map(|(_, word)| word)
        .or_else(|| super::api::table_word(address))
}
