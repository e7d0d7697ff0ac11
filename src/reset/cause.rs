//! Why the image was not seen to start, and what the user can do.

use super::evidence::Evidence;
use crate::address::Address;
use crate::problem::{ExitCode, Place, Problem};

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
    #[error("the core locked up before the image's reset handler")]
    LockedUp,
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
    /// A word of the IVT or of the boot data that keeps the ROM from booting.
    #[error("the {field} is {found:#010x}")]
    BadHeader {
        /// Field name.
        field: &'static str,
        /// Its value.
        found: u32,
        /// The rule.
        rule: &'static str,
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
    /// The reset handler ran, and a fault followed at once.
    #[error("the boot ROM started the image, and the image crashed at once")]
    ImageCrashed {
        /// Last program counter sample.
        at: Option<Address>,
    },
    /// The ROM does not like what looks right.
    #[error("the boot ROM did not start the image, though its header looks right")]
    RomRefused {
        /// Last program counter sample.
        at: Address,
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
    /// Nothing was seen.
    #[error("nothing was seen of the image")]
    NothingSeen,
}

const POWER_CYCLE: &str = "set the boot mode switches to internal boot (BOOT_MODE 10) and switch the board off and on: the pins count only then";

impl From<NotBooted> for Problem {
    fn from(not_booted: NotBooted) -> Problem {
        Problem::from(not_booted.cause)
    }
}

impl From<Cause> for Problem {
    fn from(cause: Cause) -> Problem {
        let what = cause.to_string();
        let not_proven =
            |code, why: String| Problem::new(code, ExitCode::BootNotProven, &what).because(why);
        match cause {
            Cause::NoReset { srsr } => not_proven("reset-not-seen", format!("SRC_SRSR reads {srsr:#x}"))
                .fix("press the board's reset button, or start again with --connect-under-reset"),
            Cause::Halted { at } => {
                let at = at.map_or(String::new(), |at| format!(" at {at}"));
                not_proven("core-halted", format!("DHCSR shows halting debug{at}"))
                    .fix("close other debuggers of this board, then run `rtflash reset`")
            }
            Cause::ResetLoop { srsr } => not_proven("reset-loop", format!("SRC_SRSR reads {srsr:#x}"))
                .fix("look at the image's watchdog set-up"),
            Cause::LockedUp => not_proven("core-locked-up", "a fault happened inside a fault handler".into())
                .fix("check stack pointer and vectors of the image"),
            Cause::StrappedToSerialDownloader { sbmr2 } => {
                not_proven("strapped-serial-downloader", format!("BOOT_MODE is 01 (SRC_SBMR2 {sbmr2:#010x})")).fix(POWER_CYCLE)
            }
            Cause::BootFusesNotSet { sbmr2 } => not_proven(
                "boot-fuses-not-set",
                format!("BOOT_MODE is 00 and BT_FUSE_SEL is not blown (SRC_SBMR2 {sbmr2:#010x}): the ROM goes to the serial downloader"),
            )
            .fix(POWER_CYCLE),
            Cause::ReservedBootMode { sbmr2 } => {
                not_proven("boot-mode-reserved", format!("SRC_SBMR2 reads {sbmr2:#010x}")).fix(POWER_CYCLE)
            }
            Cause::OtherBootDevice { sbmr1, from_fuses } => other_device(&what, sbmr1, from_fuses),
            Cause::NoFcb { found } => not_proven("fcb-missing", format!("flash offset 0x0 holds {}, not 46 43 46 42", hex(found)))
                .fix("run `rtflash flash` with the whole image; the FCB is inserted"),
            Cause::NoIvt { found } => not_proven("ivt-missing", format!("flash offset 0x1000 holds {}, not D1 00 20 4x", hex(found)))
                .fix("run `rtflash flash` with the whole image; the IVT is inserted"),
            Cause::BadHeader { rule, .. } => {
                not_proven("boot-header", rule.to_owned()).fix("build the image with a boot header as the manual gives it, or leave the header out: rtflash adds one")
            }
            Cause::QuadEnableOff { status } => {
                not_proven("qe-clear", format!("the status register reads {status:#04x}")).fix("run `rtflash flash`; it sets the bit")
            }
            Cause::Closed { sbmr2 } => not_proven("part-closed", format!("SEC_CONFIG is closed (SRC_SBMR2 {sbmr2:#010x})"))
                .fix("sign the image with the key whose hash is fused"),
            Cause::ImageCrashed { at } => {
                let at = at.map_or(String::new(), |at| format!(", the program counter is at {at}"));
                not_proven("image-crashed", format!("its reset handler was executed and a fault followed{at}")).fix(
                    "check the image's first instructions and its stack; if it runs elsewhere: a slower FCB clock, nothing else on the DQS pad",
                )
            }
            Cause::RomRefused { at } => rom_refused(&what, at),
            Cause::OtherCode { at, expected } => {
                not_proven("other-code-runs", format!("the program counter is at {at}; the reset handler at {expected} was not executed"))
                    .fix("give it more time with --boot-timeout; if it is the image after all, its vector table names another reset handler")
            }
            Cause::SlotNotStarted { at, expected } => {
                not_proven("slot-not-started", format!("the program counter is at {at}; the image's reset handler at {expected} was not executed"))
                    .fix("give it more time with --boot-timeout; else the bootloader refuses the image (key, version, slot), or its slot is started after an upgrade only")
            }
            Cause::AsleepWithoutBus => not_proven(
                "asleep-without-bus",
                "code runs that executes WFI with CCM_CLPCR.LPM not 0; the boot ROM is not known to do that".into(),
            )
            .fix("let the image set CCM_CLPCR.LPM to 0 while it starts, or accept it with --boot-proof=none"),
            Cause::NothingSeen => not_proven("boot-not-seen", "the debug port gave no usable sample".into())
                .fix("switch the board off and on, then run `rtflash reset -vv`"),
        }
    }
}

fn other_device(what: &str, sbmr1: u32, from_fuses: bool) -> Problem {
    let (source, fix) = if from_fuses {
        (
            "fuses (BT_FUSE_SEL is blown: the pins do not count)",
            "this chip is fused for another boot device; it cannot be changed",
        )
    } else {
        (
            "pins",
            "set the BOOT_CFG switches for FlexSPI NOR (BOOT_CFG1[7:4] low) and switch the board off and on",
        )
    };
    Problem::new("boot-device", ExitCode::BootNotProven, what)
        .because(format!("SRC_SBMR1 reads {sbmr1:#010x}, from {source}"))
        .fix(fix)
}

fn rom_refused(what: &str, at: Address) -> Problem {
    Problem::new("rom-refused", ExitCode::BootNotProven, what)
        .because(format!("the program counter stays in the boot ROM at {at}: in its serial downloader, or waiting for the flash"))
        .at(Place::at(at))
        .fix("switch the board off and on; if it stays: a slower FCB clock, nothing else on the DQS pad (GPIO_SD_B1_05), another FCB")
}

fn hex(bytes: [u8; 4]) -> String {
    let [a, b, c, d] = bytes;
    format!("{a:02X} {b:02X} {c:02X} {d:02X}")
}
