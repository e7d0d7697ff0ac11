//! The `rtflash` program.

fn main() {}
