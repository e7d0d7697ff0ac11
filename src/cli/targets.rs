//! `rtflash targets`: the chips, flash parts and boards that rtflash has data for.

use super::print;
use crate::problem::{ExitCode, Problem};
use crate::target::{Board, Chip, FlashPart};

const HZ_PER_MHZ: u32 = 1_000_000;
const BYTES_PER_KIB: u32 = 1_024;

/// Prints them, a line each.
///
/// # Errors
/// A fault of this program: data that is built in cannot be read.
pub fn run() -> Result<u8, Problem> {
    for name in Chip::names() {
        let chip = Chip::builtin(name)?;
        print(&format!("chip   {:<11} {}", name.to_lowercase(), chip.core));
    }
    for name in FlashPart::names() {
        let part = FlashPart::builtin(name)?;
        let [a, b, c] = part.jedec_id;
        print(&format!(
            "flash  {:<11} {a:02X} {b:02X} {c:02X}  {:>6} KiB  up to {} MHz  {}",
            name.to_lowercase(),
            part.size_bytes / BYTES_PER_KIB,
            part.max_hz / HZ_PER_MHZ,
            part.manufacturer,
        ));
    }
    for name in Board::names() {
        let board = Board::builtin(name)?;
        print(&format!("board  {:<11} {}", name, board.title));
    }
    Ok(ExitCode::Proven.number())
}
