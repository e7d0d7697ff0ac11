//! Any image in: every format, several files at once, files that say nothing of their addresses, and pinned ones.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod board;
#[path = "../fuzz/src/check.rs"]
mod check;
mod corpus;
mod files_are_merged_and_pinned;
mod files_without_addresses_are_placed;
mod malformed_files_are_told;
mod same_content_from_every_format;
mod write;

// the paths under which `check` finds them beside the fuzz targets, too
use rtflash::{address, image, problem};
