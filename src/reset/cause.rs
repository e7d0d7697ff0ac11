//! Why the image was not seen to start.

use std::fmt;

use super::evidence::Evidence;
use crate::address::Address;
use crate::boot::Finding;

/// The fault that the core is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultStatus {
    /// Exception number: 3 to 6.
    pub exception: u32,
    /// Configurable fault status register.
    pub cfsr: u32,
    /// HardFault status register.
    pub hfsr: u32,
}

impl fmt::Display for FaultStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FaultStatus {
            exception,
            cfsr,
            hfsr,
        } = self;
        let name = match exception {
            3 => "HardFault",
            4 => "MemManage",
            5 => "BusFault",
            6 => "UsageFault",
            _ => "an exception",
        };
        write!(f, "{name} (CFSR {cfsr:#010x}, HFSR {hfsr:#010x})")
    }
}

/// The boot was not proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotBooted {
    /// The most likely cause.
    pub cause: Cause,
    /// What was seen.
    pub evidence: Vec<Evidence>,
}

/// Causes, in the order in which they are looked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// SRC_SRSR does not show the reset.
    #[error("the chip was not reset")]
    NoReset {
        /// SRC_SRSR.
        srsr: u32,
    },
    /// A debugger holds the core.
    #[error("the core was halted after the reset")]
    Halted {
        /// Where, if it could be read.
        at: Option<Address>,
    },
    /// A watchdog reset the chip again.
    #[error("the chip was reset again by a watchdog")]
    ResetLoop {
        /// SRC_SRSR.
        srsr: u32,
    },
    /// The core locked up before the reset handler was seen.
    #[error("the core locked up before the image's reset handler was executed")]
    LockedUp {
        /// What is wrong with entry, vector table or stack pointer, if that is known.
        finding: Option<Box<Finding>>,
    },
    /// BOOT_MODE 01.
    #[error("the board is strapped to the serial downloader")]
    StrappedToSerialDownloader {
        /// SRC_SBMR2.
        sbmr2: u32,
    },
    /// BOOT_MODE 00 without boot fuses.
    #[error("the board is strapped to boot from fuses, and the boot fuses are not set")]
    BootFusesNotSet {
        /// SRC_SBMR2.
        sbmr2: u32,
    },
    /// BOOT_MODE 11.
    #[error("the boot mode pins have the reserved value 11")]
    ReservedBootMode {
        /// SRC_SBMR2.
        sbmr2: u32,
    },
    /// BOOT_CFG selects something else.
    #[error("the boot configuration selects another device than the FlexSPI flash")]
    OtherBootDevice {
        /// SRC_SBMR1.
        sbmr1: u32,
        /// Whether it comes from fuses.
        from_fuses: bool,
    },
    /// No FCB tag.
    #[error("the flash has no FCB")]
    NoFcb {
        /// The first four bytes of the flash.
        found: [u8; 4],
    },
    /// No IVT header.
    #[error("the flash has no IVT")]
    NoIvt {
        /// The first four bytes at the IVT's place.
        found: [u8; 4],
    },
    /// Something in FCB, IVT, boot data, DCD or entry, by the rules that judge images.
    #[error("the boot ROM did not start the image{}: {}", if .0.uncertain { ", and the likely cause is this" } else { "" }, .0.what)]
    Header(Box<Finding>),
    /// Pins or fuses ask the ROM for something else than a plain boot.
    #[error("the boot configuration asks for {what}")]
    BootConfig {
        /// What.
        what: String,
        /// SRC_SBMR1.
        sbmr1: u32,
    },
    /// The FCB reads on four lines and QE is off.
    #[error("the flash's quad enable bit is off, and the FCB reads on four lines")]
    QuadEnableOff {
        /// Status register.
        status: u32,
    },
    /// Closed part, no signature.
    #[error("the chip runs signed images only, and the image is not signed")]
    Closed {
        /// SRC_SBMR2.
        sbmr2: u32,
    },
    /// Closed part, signed image.
    #[error("the chip runs signed images only, and did not take this image's signature")]
    SignatureRefused {
        /// SRC_SBMR2.
        sbmr2: u32,
    },
    /// The core runs something that is not the image.
    #[error("the boot ROM jumped to memory that the image does not fill: {}", .0.what)]
    EntryElsewhere(Box<Finding>),
    /// A fault before the reset handler ran.
    #[error("the core took a fault before the image's reset handler was executed")]
    EntryFault {
        /// The fault.
        fault: FaultStatus,
        /// What is wrong with entry, vector table or stack pointer, if that is known.
        finding: Option<Box<Finding>>,
    },
    /// The reset handler ran, and a fault followed at once.
    #[error("the boot ROM started the image, and the image crashed at once")]
    ImageCrashed {
        /// Last program counter sample.
        at: Option<Address>,
        /// The fault, unless the core has locked up.
        fault: Option<FaultStatus>,
    },
    /// The chip resets itself, and not by a watchdog.
    #[error("the chip resets itself again and again")]
    Resets {
        /// Whether the image was seen to start in between.
        started: bool,
        /// SRC_SRSR.
        srsr: u32,
    },
    /// The image ran, the chip was reset once more, and then the ROM stayed.
    #[error(
        "the boot ROM started the image once, the chip was reset again, and it did not start it again"
    )]
    NotStartedAgain {
        /// SRC_SRSR.
        srsr: u32,
    },
    /// The image ran and is back in the ROM.
    #[error("the boot ROM started the image, and the image went back into the boot ROM")]
    ImageLeft {
        /// Last program counter sample.
        at: Option<Address>,
    },
    /// The ROM does not like what looks right.
    #[error("the boot ROM did not start the image, though its header looks right")]
    RomRefused {
        /// Last program counter sample.
        at: Address,
        /// Whether the ROM performs a DCD before it starts the image.
        has_dcd: bool,
    },
    /// Something else than the image runs.
    #[error("other code runs than the image that was expected")]
    OtherCode {
        /// Last program counter sample.
        at: Address,
        /// Where the reset handler is.
        expected: Address,
    },
    /// The bootloader on the board runs, or something it started, and not the image.
    #[error("the bootloader on the board did not start the image in time")]
    SlotNotStarted {
        /// Last program counter sample.
        at: Address,
        /// Where the image's reset handler is.
        expected: Address,
    },
    /// The core sleeps in WAIT or STOP mode, where the debug port reaches nothing.
    #[error("the core sleeps with its bus clock off, and nothing can be seen of it")]
    AsleepWithoutBus,
    /// The debug port was lost by the reset.
    #[error("the debug port does not answer since the reset")]
    DebugPortSilent,
    /// Nothing was seen.
    #[error("nothing was seen of the image")]
    NothingSeen,
}
