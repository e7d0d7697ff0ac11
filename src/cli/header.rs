//! Arguments about the boot header and about the target of commands that need no board.

use std::path::PathBuf;

use clap::Args;

use crate::job::{HeaderChoice, HeaderPolicy, ReadMode};
use crate::problem::Problem;
use crate::target::Target;

/// Over these arguments in the help.
const HEADING: &str = "Boot header";
const HZ_PER_MHZ: u32 = 1_000_000;

/// What the boot header is to be like, where the defaults are not wanted.
#[derive(Debug, Args)]
pub struct HeaderArgs {
    /// Use the FCB that this raw binary file begins with (512 bytes) in place of the image's or a new one
    #[arg(long, help_heading = HEADING, value_name = "FILE")]
    fcb: Option<PathBuf>,
    /// Make FCB, IVT and boot data anew even where the image brings them; entry and DCD stay, and so does the IVT of an
    /// image that is signed or copied to RAM
    #[arg(long, help_heading = HEADING)]
    replace_boot_header: bool,
    /// How a new FCB reads the flash (default: quad I/O where four lines are wired)
    #[arg(long, help_heading = HEADING, value_name = "MODE", conflicts_with = "fcb")]
    read_mode: Option<ReadMode>,
    /// Clock of a new FCB in MHz: 30, 50, 60, 75, 80, 100, 120, 133 or 166, as far as the read allows (default: what
    /// board and part surely stand)
    #[arg(long, help_heading = HEADING, value_name = "MHZ", conflicts_with = "fcb")]
    clock: Option<u32>,
}

/// What of the board's own boot header counts; for commands that have a board.
#[derive(Debug, Args)]
pub struct BoardHeaderArgs {
    /// Where the image brings no FCB or IVT (or only FFh or 00h there), keep the board's if it has one, in place of
    /// making new ones
    #[arg(long, help_heading = HEADING, conflicts_with_all = ["fcb", "replace_boot_header", "read_mode", "clock"])]
    keep_boot_header: bool,
    /// The bytes are not meant to boot: ask nothing of FCB, IVT and vector table, insert nothing; the record says so.
    /// Over code that the board starts, a power cut can leave half of each
    #[arg(long, help_heading = HEADING, conflicts_with_all = ["fcb", "replace_boot_header", "read_mode", "clock", "keep_boot_header"])]
    data: bool,
}

impl HeaderArgs {
    /// The choice typed.
    pub fn choice(&self) -> HeaderChoice {
        HeaderChoice {
            policy: if self.replace_boot_header {
                HeaderPolicy::Replace
            } else {
                HeaderPolicy::InsertMissing
            },
            fcb: self.fcb.clone(),
            read_opcode: self.read_mode.map(ReadMode::opcode),
            clock_hz: self.clock.map(|mhz| mhz.saturating_mul(HZ_PER_MHZ)),
        }
    }
}

impl BoardHeaderArgs {
    /// The choice typed, together with the arguments that all commands have.
    pub fn choice(&self, header: &HeaderArgs) -> HeaderChoice {
        let choice = header.choice();
        HeaderChoice {
            policy: match self {
                BoardHeaderArgs { data: true, .. } => HeaderPolicy::DataOnly,
                BoardHeaderArgs {
                    keep_boot_header: true,
                    ..
                } => HeaderPolicy::KeepOfBoard,
                _ => choice.policy,
            },
            ..choice
        }
    }
}

/// What an image is judged for.
#[derive(Debug, Args)]
pub struct TargetArgs {
    /// Flash part on the board: is25wp032, is25wp064, is25wp128, is25lp064 or w25q64jv
    #[arg(long, value_name = "PART", default_value = "is25wp064")]
    flash: String,
    /// How the flash is wired
    #[arg(long, value_name = "BOARD", default_value = "qspi")]
    board: String,
}

impl TargetArgs {
    /// The target named.
    ///
    /// # Errors
    /// Exit 2 for a name that is not known.
    pub fn target(&self) -> Result<Target, Problem> {
        Ok(Target::builtin(super::CHIP, &self.flash, &self.board)?)
    }
}
