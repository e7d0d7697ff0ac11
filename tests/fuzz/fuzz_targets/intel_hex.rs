//! See `check::file::intel_hex`.
#![no_main]

libfuzzer_sys::fuzz_target!(|content: &[u8]| rtflash_fuzz::check::file::intel_hex(content));
