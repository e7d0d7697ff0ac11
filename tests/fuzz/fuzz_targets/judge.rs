//! See `check::flash::judged`.
#![no_main]

libfuzzer_sys::fuzz_target!(|content: &[u8]| rtflash_fuzz::check::flash::judged(content));
