//! What was seen of the boot, and the proof made of it.

use std::fmt;
use std::time::Duration;

use super::cause::FaultStatus;
use crate::address::Address;

/// One observation after the reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// SRC_SRSR shows the reset that was asked for.
    ResetSeen {
        /// SRC_SRSR.
        srsr: u32,
    },
    /// The chip was reset again, by itself.
    ResetAgain {
        /// How often this was seen.
        times: u32,
        /// SRC_SRSR after the last.
        srsr: u32,
    },
    /// The core's own comparator saw the first instruction of the image executed.
    ResetHandlerExecuted {
        /// Address of the instruction.
        address: Address,
        /// Time from the reset to the first look that showed it.
        within: Duration,
    },
    /// The image took the comparator for itself, and its code was seen to run.
    CodeSampled {
        /// How often the program counter was seen outside the boot ROM, at least.
        samples: u32,
        /// The vector table register.
        vector_table: Address,
    },
    /// Code that sleeps with the bus clock off, which the boot ROM does not.
    LeftRomForSleep {
        /// Time from the reset to the first access that got no answer.
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
    /// The core is in a fault handler.
    InFault(FaultStatus),
    /// How long the image was watched without a crash or a reset.
    Settled {
        /// At least so long.
        span: Duration,
    },
    /// The core is stopped by a fault in a fault.
    LockedUp,
    /// The core sleeps.
    Asleep,
    /// The core sleeps with its bus clock off: nothing answers.
    AsleepWithoutBus,
    /// The debug port gives no answer any more.
    DebugPortSilent,
    /// The comparator could not be taken away.
    StillWatched,
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
            Evidence::ResetAgain { times, srsr } => {
                let often = match times {
                    1 => "once".to_owned(),
                    2 => "twice".to_owned(),
                    times => format!("{times} times"),
                };
                write!(
                    f,
                    "the chip was reset again by itself, {often} (DHCSR.S_RESET_ST, SRC_SRSR {srsr:#x})"
                )
            }
            Evidence::ResetHandlerExecuted { address, within } => {
                let ms = within.as_millis();
                write!(
                    f,
                    "the reset handler at {address} was executed within {ms} ms (DWT comparator)"
                )
            }
            Evidence::CodeSampled {
                samples,
                vector_table,
            } => {
                write!(
                    f,
                    "the image has turned the comparator off and runs: {samples} program counter samples outside the boot ROM, \
                     vector table at {vector_table}"
                )
            }
            Evidence::LeftRomForSleep { within } => {
                let ms = within.as_millis();
                write!(
                    f,
                    "the core sleeps with its bus clock off since {ms} ms after the reset: the boot ROM does not do that, so it \
                     has started the image (no access to the DWT comparator)"
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
            Evidence::InFault(fault) => write!(f, "the core is in {fault}"),
            Evidence::Settled { span } => {
                let ms = span.as_millis();
                write!(f, "no crash and no further reset in the {ms} ms after that")
            }
            Evidence::LockedUp => f.write_str("the core has locked up"),
            Evidence::Asleep => f.write_str("the core sleeps"),
            Evidence::AsleepWithoutBus => {
                f.write_str("the core sleeps with its bus clock off: nothing can be seen of it")
            }
            Evidence::DebugPortSilent => f.write_str("the debug port does not answer any more"),
            Evidence::StillWatched => f.write_str(
                "the DWT comparator could not be turned off: it stays on until power-off, and halts nothing",
            ),
        }
    }
}

/// What a boot was proven by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The comparator saw the image's first instruction executed.
    ResetHandler,
    /// The comparator was taken by the image, and program counter and VTOR are the image's.
    Samples,
    /// The core went from the boot ROM to a sleep that the ROM does not have.
    Sleep,
}

impl Proof {
    /// Stable name for records.
    pub const fn name(self) -> &'static str {
        match self {
            Proof::ResetHandler => "reset-handler",
            Proof::Samples => "samples",
            Proof::Sleep => "sleep",
        }
    }
}

/// Proof that the ROM was seen to start the image. Only made by [`super::prove_boot`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booted {
    proof: Proof,
    evidence: Vec<Evidence>,
}

impl Booted {
    pub(super) const fn new(proof: Proof, evidence: Vec<Evidence>) -> Self {
        Booted { proof, evidence }
    }

    /// What it was proven by.
    pub const fn proof(&self) -> Proof {
        self.proof
    }

    /// What was seen, the proof first.
    pub fn evidence(&self) -> &[Evidence] {
        &self.evidence
    }

    pub(super) fn add(&mut self, evidence: Evidence) {
        self.evidence.push(evidence);
    }
}
