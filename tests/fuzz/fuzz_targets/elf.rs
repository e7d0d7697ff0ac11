//! Files that begin as `Format::Elf`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rtflash_fuzz::image::Format;
use rtflash_fuzz::read_as;

fuzz_target!(|content: &[u8]| read_as(Format::Elf, content));
