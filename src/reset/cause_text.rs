//! What each cause means, and what the user can do.

use super::cause::{Cause, FaultStatus, NotBooted};
use crate::address::Address;
use crate::boot::Finding;
use crate::problem::{ExitCode, Place, Problem};

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
            Cause::BootConfig { sbmr1, .. } => not_proven(
                "boot-config",
                format!("pins or fuses say so (SRC_SBMR1 {sbmr1:#010x}), and rtflash makes plain images for a QSPI NOR with an FCB"),
            )
            .fix("set the BOOT_CFG switches low and switch the board off and on; where fuses say so it cannot be changed"),
            Cause::Header(finding) | Cause::EntryElsewhere(finding) => header(&what, *finding),
            Cause::SignatureRefused { sbmr2 } => {
                not_proven("signature-refused", format!("SEC_CONFIG is closed (SRC_SBMR2 {sbmr2:#010x})"))
                    .fix("sign the image with the key whose hash is fused, over all that the boot ROM and the image need, and flash it unchanged")
            }
            Cause::EntryFault { fault, finding } => entry_fault(&what, fault, finding),
            Cause::Resets { started, srsr } => resets(&what, started, srsr),
            Cause::NotStartedAgain { srsr } => not_proven(
                "not-started-again",
                format!("SRC_SRSR reads {srsr:#x}; a reset of the chip does not reset the flash, which may be in a mode that the boot ROM cannot read; a reset of the core alone (VECTRESET) resets nothing else"),
            )
            .fix("let the image leave the flash as the boot ROM needs it (no QPI, no continuous read) before it resets the chip; switch the board off and on"),
            Cause::ImageLeft { at } => {
                let at = at.map_or(String::new(), |at| format!(" at {at}"));
                not_proven("image-left", format!("the program counter stays in the boot ROM{at}, outside of any exception"))
                    .fix("check whether the image calls the boot ROM (runBootloader), or resets the core without the chip")
            }
            Cause::DebugPortSilent => not_proven(
                "debug-port-silent",
                "it answered until then; an image may take the pins SWDIO and SWCLK (GPIO_AD_B0_06, _07) for itself, or cut its own supply".into(),
            )
            .fix("check cable and supply; if the image is meant to close the port, accept that with --boot-proof=none"),
            Cause::ResetLoop { srsr } => not_proven("reset-loop", format!("SRC_SRSR reads {srsr:#x}"))
                .fix("look at the image's watchdog set-up"),
            Cause::LockedUp { finding } => not_proven("core-locked-up", format!("a fault happened inside a fault handler{}", known(finding)))
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
            Cause::QuadEnableOff { status } => {
                not_proven("qe-clear", format!("the status register reads {status:#04x}")).fix("run `rtflash flash`; it sets the bit")
            }
            Cause::Closed { sbmr2 } => not_proven("part-closed", format!("SEC_CONFIG is closed (SRC_SBMR2 {sbmr2:#010x})"))
                .fix("sign the image with the key whose hash is fused"),
            Cause::ImageCrashed { at, fault } => image_crashed(&what, at, fault),
            Cause::RomRefused { at, has_dcd } => rom_refused(&what, at, has_dcd),
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

fn header(what: &str, finding: Finding) -> Problem {
    let mut problem = Problem::from(finding);
    problem.exit = ExitCode::BootNotProven;
    problem.what = what.to_owned();
    if problem.why.is_none() {
        problem.why = Some("the boot ROM stays in its serial downloader, or hangs".to_owned());
    }
    if problem.fix.is_none() {
        problem.fix = Some(
            "correct the boot header, or flash the application without one: rtflash adds one that this board boots with"
                .to_owned(),
        );
    }
    problem
}

fn entry_fault(what: &str, fault: FaultStatus, finding: Option<Box<Finding>>) -> Problem {
    Problem::new("entry-fault", ExitCode::BootNotProven, what)
        .because(format!("the core is in {fault}{}", known(finding)))
        .fix("check the IVT's entry, and stack pointer and reset vector of the vector table that it points to")
}

fn known(finding: Option<Box<Finding>>) -> String {
    finding.map_or(String::new(), |finding| format!("; {}", finding.what))
}

fn image_crashed(what: &str, at: Option<Address>, fault: Option<FaultStatus>) -> Problem {
    let how = match fault {
        Some(fault) => format!("the core stays in {fault}"),
        None => "the core has locked up".to_owned(),
    };
    let at = at.map_or(String::new(), |at| {
        format!(", the program counter is at {at}")
    });
    Problem::new("image-crashed", ExitCode::BootNotProven, what)
        .because(format!("its reset handler was executed, and then {how}{at}"))
        .fix("check the image's first instructions and its stack; if it runs elsewhere: a slower FCB clock, nothing else on the DQS pad")
}

fn resets(what: &str, started: bool, srsr: u32) -> Problem {
    let (why, fix) = if started {
        (
            "the image was started each time",
            "look for what makes the image reset the chip (SYSRESETREQ): its fault handlers, and checks in its start-up code",
        )
    } else {
        (
            "the image's first instruction was not executed in between",
            "look for what resets the chip: the bootloader on the board, or its supply",
        )
    };
    Problem::new("image-resets", ExitCode::BootNotProven, what)
        .because(format!(
            "{why} (SRC_SRSR {srsr:#x}); one reset of its own would be allowed"
        ))
        .fix(fix)
}

fn rom_refused(what: &str, at: Address, has_dcd: bool) -> Problem {
    let dcd = if has_dcd {
        "; it performs the image's DCD first, which may fail or never end"
    } else {
        ""
    };
    Problem::new("rom-refused", ExitCode::BootNotProven, what)
        .because(format!("the program counter stays in the boot ROM at {at}: in its serial downloader, or waiting for the flash{dcd}"))
        .at(Place::at(at))
        .fix("switch the board off and on; if it stays: a slower FCB clock, nothing else on the DQS pad (GPIO_SD_B1_05), another FCB")
}

fn hex(bytes: [u8; 4]) -> String {
    let [a, b, c, d] = bytes;
    format!("{a:02X} {b:02X} {c:02X} {d:02X}")
}
