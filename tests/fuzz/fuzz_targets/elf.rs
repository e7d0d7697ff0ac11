//! See `check::file::elf`.
#![no_main]

libfuzzer_sys::fuzz_target!(|content: &[u8]| rtflash_fuzz::check::file::elf(content));
