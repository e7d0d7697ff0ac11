//! What was seen of the boot, and the proof made of it.

use std::fmt;
use std::time::Duration;

use crate::address::Address;

/// One observation after the reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// SRC_SRSR shows the reset that was asked for.
    ResetSeen {
        /// SRC_SRSR.
        srsr: u32,
    },
    /// The core's own comparator saw the first instruction of the image executed.
    ResetHandlerExecuted {
        /// Address of the instruction.
        address: Address,
        /// Time from the reset to the first look that showed it.
        within: Duration,
    },
    /// Samples of the program counter.
    ProgramCounter {
        /// The last one.
        last: Address,
        /// How many of them.
        samples: u32,
        /// How many of these were inside the boot ROM.
        in_rom: u32,
    },
    /// The vector table register.
    VectorTable {
        /// VTOR.
        address: Address,
    },
    /// The core is stopped by a fault in a fault.
    LockedUp,
    /// The core sleeps.
    Asleep,
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Evidence::ResetSeen { srsr: 0 } => {
                write!(f, "the image has cleared the reset status (SRC_SRSR 0x0)")
            }
            Evidence::ResetSeen { srsr } => {
                write!(f, "the chip was reset by software (SRC_SRSR {srsr:#x})")
            }
            Evidence::ResetHandlerExecuted { address, within } => {
                let ms = within.as_millis();
                write!(
                    f,
                    "the reset handler at {address} was executed within {ms} ms (DWT comparator)"
                )
            }
            Evidence::ProgramCounter {
                last,
                samples,
                in_rom,
            } => {
                write!(
                    f,
                    "program counter at {last}, {in_rom} of {samples} samples in the boot ROM"
                )
            }
            Evidence::VectorTable { address } => write!(f, "vector table at {address}"),
            Evidence::LockedUp => f.write_str("the core has locked up"),
            Evidence::Asleep => f.write_str("the core sleeps"),
        }
    }
}

/// Proof that the ROM was seen to start the image. Only made by [`super::prove_boot`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booted {
    evidence: Vec<Evidence>,
}

impl Booted {
    pub(super) fn new(evidence: Vec<Evidence>) -> Self {
        Booted { evidence }
    }

    /// What was seen, the proof first.
    pub fn evidence(&self) -> &[Evidence] {
        &self.evidence
    }

    /// Whether the proof is the executed reset handler, and not program counter samples alone.
    pub fn is_by_reset_handler(&self) -> bool {
        self.evidence
            .iter()
            .any(|e| matches!(e, Evidence::ResetHandlerExecuted { .. }))
    }

    /// Whether the image locked the core up after it was started.
    pub fn locked_up(&self) -> bool {
        self.evidence.contains(&Evidence::LockedUp)
    }

    /// Whether the core was found in the boot ROM again after the image was started: a fault before the image had set
    /// its own vector table.
    pub fn back_in_rom(&self) -> bool {
        self.evidence.iter().any(
            |e| matches!(e, Evidence::ProgramCounter { samples, in_rom, .. } if samples == in_rom),
        )
    }
}
