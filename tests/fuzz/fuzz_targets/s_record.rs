//! See `check::file::s_record`.
#![no_main]

libfuzzer_sys::fuzz_target!(|content: &[u8]| rtflash_fuzz::check::file::s_record(content));
