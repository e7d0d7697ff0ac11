//! Files that begin as `Format::IntelHex`, as they are and with right checksums.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rtflash_fuzz::image::Format;
use rtflash_fuzz::{read_as, with_right_checksums};

fuzz_target!(|content: &[u8]| {
    read_as(Format::IntelHex, content);
    let sum = |bytes: &[u8]| {
        bytes
            .iter()
            .fold(0_u8, |a, b| a.wrapping_add(*b))
            .wrapping_neg()
    };
    read_as(Format::IntelHex, &with_right_checksums(content, 1, sum));
});
