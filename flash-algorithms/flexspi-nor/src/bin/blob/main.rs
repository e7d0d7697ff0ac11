//! The blob: vector table, entry table and entry points of the algorithm on the target.
//!
//! Built for `thumbv7m-none-eabi` only; on any other target it is an empty program, so that the workspace's tests build.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod target;

#[cfg(not(target_os = "none"))]
fn main() {}
