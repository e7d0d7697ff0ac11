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
mod doctor;
mod erase;
mod evidence;
mod exit_codes;
mod headers;
mod help;
mod info;
mod job;
mod json;
mod offline;
mod read;
mod records;
mod records_line;
mod records_mutations;
mod refusals;
mod saved;
mod serve;
mod sessions;
mod station;
mod station_refusals;
mod target_auto;
mod verify;
mod winbond;
