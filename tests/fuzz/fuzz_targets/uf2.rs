//! See `check::file::uf2`.
#![no_main]

libfuzzer_sys::fuzz_target!(|content: &[u8]| rtflash_fuzz::check::file::uf2(content));
