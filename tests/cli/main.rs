//! What the user of the command line sees: every test is a promise, run as the program itself on a virtual board.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is how a test fails"
)]

mod bad_input;
mod benchmark;
#[cfg(unix)]
mod cancel;
mod contact;
mod content;
mod evidence;
mod headers;
mod help;
mod json;
mod offline;
mod refusals;
mod saved;
mod serve;
mod sessions;
mod station;
mod winbond;
