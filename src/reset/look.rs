//! What a core does, seen without disturbing it: DHCSR, program counter samples and reset status, no halt and no reset.

use std::time::Duration;

use crate::address::Address;
use crate::link::registers::{
    DEMCR, DEMCR_TRCENA, DHCSR, DHCSR_S_HALT, DHCSR_S_LOCKUP, DHCSR_S_RESET_ST, DHCSR_S_SLEEP,
    DWT_PCSR,
};
use crate::link::{Link, LinkError};
use crate::target::Chip;

/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(2);
/// So long is looked: longer than the boot ROM needs, so that a chip that has just been powered gets to its image.
const WINDOW: Duration = Duration::from_millis(60);
/// So long is looked where one reset was seen: a program that resets itself gets round in less.
const WINDOW_FOR_A_LOOP: Duration = Duration::from_millis(250);
/// So long is looked where SRC_SRSR says that a watchdog has bitten: the shortest time of WDOG1 is half a second.
const WINDOW_FOR_A_WATCHDOG: Duration = Duration::from_millis(2_500);
/// Resets within the window that are taken for a loop.
const LOOP: u32 = 2;
/// DWT_PCSR while the core is halted, or where it has no sample.
const NO_SAMPLE: u32 = u32::MAX;
/// SRC_SRSR: WDOG1 or WDOG2, and RTWDOG (IMXRT1060RM SRC chapter).
const SRSR_WATCHDOGS: u32 = 1 << 4 | 1 << 7;

/// What the core does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// A debugger holds it.
    Halted,
    /// It is stopped by a fault in a fault.
    LockedUp,
    /// It is reset again and again.
    ResetLoop,
    /// It sleeps with its bus clock off: the debug port reaches nothing.
    AsleepWithoutBus,
    /// It sleeps.
    Asleep,
    /// It is in the boot ROM.
    InRom,
    /// It executes code outside of the boot ROM.
    Running,
    /// It gave no sample.
    Unknown,
}

/// What was seen of a core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// What it does.
    pub doing: Doing,
    /// The last program counter sample.
    pub last: Option<Address>,
    /// Resets while it was looked at.
    pub resets: u32,
    /// How long it was looked at.
    pub over: Duration,
    /// SRC_SRSR, where it could be read.
    pub srsr: Option<u32>,
}

impl Look {
    /// Whether a watchdog has reset the chip since SRC_SRSR was cleared.
    pub fn watchdog_has_bitten(&self) -> bool {
        self.srsr.is_some_and(|srsr| srsr & SRSR_WATCHDOGS != 0)
    }
}

/// Looks at the core for some tens of milliseconds, longer where it is being reset. Nothing is changed but the DWT's clock
/// (DEMCR.TRCENA), which is set back.
///
/// # Errors
/// [`LinkError`]; a core that sleeps without bus clock is no error.
pub fn look(link: &mut dyn Link, chip: &Chip) -> Result<Look, LinkError> {
    match look_awake(link, chip) {
        Err(LinkError::Asleep { .. }) => Ok(Look {
            doing: Doing::AsleepWithoutBus,
            last: None,
            resets: 0,
            over: Duration::ZERO,
            srsr: None,
        }),
        looked => looked,
    }
}

fn look_awake(link: &mut dyn Link, chip: &Chip) -> Result<Look, LinkError> {
    let demcr = link.read_word(DEMCR)?;
    let tracing = demcr & DEMCR_TRCENA != 0;
    if !tracing {
        link.write_word(DEMCR, demcr | DEMCR_TRCENA)?;
    }
    let begun = link.clock().now();
    // a reset before this one is history
    let mut dhcsr = link.read_word(DHCSR)?;
    let mut srsr = link.read_word(chip.registers.src_srsr)?;
    let mut last = None;
    let mut resets = 0;
    let patience = |resets: u32, srsr: u32| match resets {
        0 if srsr & SRSR_WATCHDOGS != 0 => WINDOW_FOR_A_WATCHDOG,
        0 | LOOP.. => WINDOW,
        _ if srsr & SRSR_WATCHDOGS != 0 => WINDOW_FOR_A_WATCHDOG,
        _ => WINDOW_FOR_A_LOOP,
    };
    let still = |dhcsr: u32| dhcsr & (DHCSR_S_HALT | DHCSR_S_LOCKUP) != 0;
    let over = loop {
        let pc = link.read_word(DWT_PCSR)?;
        if pc != NO_SAMPLE && pc != 0 {
            last = Some(Address::new(pc));
        }
        let deadline = patience(resets, srsr);
        let over = link.clock().now().saturating_sub(begun);
        if over >= deadline || (still(dhcsr) && resets == 0 && over >= PAUSE) {
            break over;
        }
        link.clock().sleep(PAUSE);
        dhcsr = link.read_word(DHCSR)?;
        if dhcsr & DHCSR_S_RESET_ST != 0 {
            resets += 1;
            srsr = link.read_word(chip.registers.src_srsr)?;
            if !tracing {
                // most resets leave it on; one by the reset pin does not
                link.write_word(DEMCR, demcr | DEMCR_TRCENA)?;
            }
        }
    };
    if !tracing {
        link.write_word(DEMCR, demcr)?;
    }
    let in_rom = |pc: Address| chip.rom_range().contains(pc);
    let doing = match last {
        _ if resets >= LOOP || (resets > 0 && srsr & SRSR_WATCHDOGS != 0) => Doing::ResetLoop,
        _ if dhcsr & DHCSR_S_HALT != 0 => Doing::Halted,
        _ if dhcsr & DHCSR_S_LOCKUP != 0 => Doing::LockedUp,
        Some(pc) if in_rom(pc) => Doing::InRom,
        _ if dhcsr & DHCSR_S_SLEEP != 0 => Doing::Asleep,
        Some(_) => Doing::Running,
        None => Doing::Unknown,
    };
    Ok(Look {
        doing,
        last,
        resets,
        over,
        srsr: Some(srsr),
    })
}
