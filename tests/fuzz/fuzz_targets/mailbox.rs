//! See `check::mailbox::mailbox`.
#![no_main]

libfuzzer_sys::fuzz_target!(|content: &[u8]| rtflash_fuzz::check::mailbox::mailbox(content));
