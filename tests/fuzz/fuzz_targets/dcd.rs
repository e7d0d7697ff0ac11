//! See `check::header::dcd`.
#![no_main]

libfuzzer_sys::fuzz_target!(|content: &[u8]| rtflash_fuzz::check::header::dcd(content));
