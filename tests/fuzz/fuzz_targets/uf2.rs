//! Files that begin as `Format::Uf2`, as they are and with right magic words.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rtflash_fuzz::image::Format;
use rtflash_fuzz::read_as;

fuzz_target!(|content: &[u8]| {
    read_as(Format::Uf2, content);
    let mut repaired = content.to_vec();
    for block in repaired.chunks_exact_mut(512) {
        block[..8].copy_from_slice(b"UF2\nWQ]\x9E");
        block[508..].copy_from_slice(&0x0AB1_6F30_u32.to_le_bytes());
    }
    read_as(Format::Uf2, &repaired);
});
