//! Raw binaries, recognised or with an address: the first four bytes of the input.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rtflash_fuzz::check;

fuzz_target!(|content: &[u8]| {
    check::read(content, None);
    if let Some((start, content)) = content.split_first_chunk() {
        check::read(content, Some(u32::from_le_bytes(*start)));
    }
});
