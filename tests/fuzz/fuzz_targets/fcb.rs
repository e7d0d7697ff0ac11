//! See `check::header::fcb`.
#![no_main]

libfuzzer_sys::fuzz_target!(|content: &[u8]| rtflash_fuzz::check::header::fcb(content));
