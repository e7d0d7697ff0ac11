//! See `check::flash::mcuboot`.
#![no_main]

libfuzzer_sys::fuzz_target!(|content: &[u8]| rtflash_fuzz::check::flash::mcuboot(content));
