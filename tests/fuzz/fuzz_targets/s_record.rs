//! Files that begin as `Format::SRecord`, as they are and with right checksums.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rtflash_fuzz::image::Format;
use rtflash_fuzz::{read_as, with_right_checksums};

fuzz_target!(|content: &[u8]| {
    read_as(Format::SRecord, content);
    let sum = |bytes: &[u8]| !bytes.iter().fold(0_u8, |a, b| a.wrapping_add(*b));
    read_as(Format::SRecord, &with_right_checksums(content, 2, sum));
});
