//! What the core did before anybody disturbed it.

use super::examination::{Examination, check};
use crate::diagnosis::{Observation, Weight};
use crate::problem::{ExitCode, Problem};
use crate::reset::{Cause, Doing, Look};

/// Tells what was seen.
pub(super) fn tell(look: &Look, examination: &mut Examination) {
    let at = look.last.map_or(String::new(), |pc| format!(" at {pc}"));
    let check = check::RUNNING;
    match look.doing {
        Doing::Running => examination.ok(check, format!("code runs{at}, outside of the boot ROM")),
        Doing::Asleep => examination.ok(check, format!("the core sleeps{at}")),
        Doing::InRom => examination.ok(check, format!("the core is in its boot ROM{at}")),
        Doing::Unknown => examination.ok(check, "the core gave no program counter sample"),
        Doing::Halted => examination.found(check, Observation::of(halted())),
        Doing::LockedUp => examination.defer(check, Observation::of(locked_up(&at))),
        Doing::ResetLoop => examination.found(check, Observation::of(reset_loop(look))),
        Doing::AsleepWithoutBus => {
            examination.found(check, Observation::new(Weight::Note, asleep()))
        }
    }
    if look.watchdog_has_bitten() && look.doing != Doing::ResetLoop {
        examination.found(check, watchdog(look));
    }
}

/// The core was in its ROM, and a reset was enough for it to start the image.
pub(super) fn not_reset(look: &Look) -> Observation {
    let at = look.last.map_or(String::new(), |pc| format!(" at {pc}"));
    Observation::of(
        Problem::new(
            "not-reset",
            ExitCode::BootNotProven,
            "the board was waiting in its boot ROM, and starts what the flash holds since it was reset",
        )
        .because(format!(
            "the program counter stayed in the boot ROM{at}; after the reset the image started. It was programmed and not \
             reset, or the flash had been left in a mode that the ROM does not read (QPI, continuous read, 4-byte addresses)"
        ))
        .fix("nothing now; after programming with other tools switch the board off and on, or run `rtflash reset`"),
    )
}

fn halted() -> Problem {
    Problem::new(
        "core-halted",
        ExitCode::BootNotProven,
        "a debugger has halted the core",
    )
    .because("DHCSR shows halting debug, and nothing runs until it is let go")
    .fix("close other debuggers of this board; it was reset now, and runs if nothing else is listed here")
}

fn locked_up(at: &str) -> Problem {
    let cause = Cause::LockedUp { finding: None };
    Problem::from(cause).because(format!("a fault happened inside a fault handler{at}"))
}

fn reset_loop(look: &Look) -> Problem {
    let srsr = look.srsr.unwrap_or_default();
    let (code, what, fix) = if look.watchdog_has_bitten() {
        (
            "reset-loop",
            "a watchdog resets the chip again and again",
            "let the image service the watchdog, or not start it; look whether it waits for something that never comes",
        )
    } else {
        (
            "image-resets",
            "the chip is reset again and again by its own program",
            "look for what makes the image ask for a reset (a fault handler, an assertion, a bootloader that finds nothing)",
        )
    };
    Problem::new(code, ExitCode::BootNotProven, what)
        .because(format!(
            "{} resets were seen within {} ms (SRC_SRSR {srsr:#x})",
            look.resets,
            look.over.as_millis()
        ))
        .fix(fix)
}

fn asleep() -> Problem {
    Problem::new(
        "asleep-in-wait-mode",
        ExitCode::LinkLost,
        "the firmware sleeps with its bus clock off, so the debug port reaches nothing",
    )
    .because("the access port answers WAIT: a core in WFI with CCM_CLPCR.LPM not 0")
    .fix("nothing, if that is its work; other commands need --connect-under-reset")
}

fn watchdog(look: &Look) -> Observation {
    let srsr = look.srsr.unwrap_or_default();
    Observation::new(
        Weight::Note,
        Problem::new(
            "watchdog-reset",
            ExitCode::BootNotProven,
            "a watchdog has reset the chip at least once since it was powered",
        )
        .because(format!("SRC_SRSR reads {srsr:#x}")),
    )
}
