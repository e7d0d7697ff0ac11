//! Any image in: every format, several files at once, files that say nothing of their addresses, and pinned ones.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod board;
#[allow(
    dead_code,
    reason = "the fuzz targets and the replay of their corpus need more of it"
)]
#[path = "../fuzz/src/check/file.rs"]
mod check;
mod damaged_fixtures;
mod files_are_merged_and_pinned;
mod files_without_addresses_are_placed;
mod malformed_files_are_told;
mod same_content_from_every_format;
mod several_files_are_one_image;
mod write;

// the paths under which `check` finds them beside the fuzz targets, too
use rtflash::{address, image, problem};
