//! See `check::merge::merge`.
#![no_main]

libfuzzer_sys::fuzz_target!(|content: &[u8]| rtflash_fuzz::check::merge::merge(content));
