//! From what was seen to the verdict: booted, or the stage that failed.

use super::cause::{Cause, NotBooted};
use super::content;
use super::evidence::{Booted, Evidence};
use super::latched::Latched;
use super::prove::{BootResult, FlashContent};
use super::watch::{End, Watch};
use crate::address::Address;
use crate::link::registers::FAULT_EXCEPTIONS;
use crate::link::{CoreState, LinkError};
use crate::target::Target;

/// SRC_SRSR: WDOG1 and WDOG2, WDOG3 (IMXRT1060RM SRC chapter).
const SRSR_WATCHDOGS: u32 = 1 << 4 | 1 << 7;

/// What is known apart from what was seen.
pub(super) struct Known<'a> {
    pub target: &'a Target,
    pub content: &'a FlashContent,
    pub latched: &'a Latched,
}

/// The verdict.
pub(super) fn conclude(
    mut watch: Watch<'_>,
    end: End,
    known: &Known<'_>,
) -> Result<BootResult, LinkError> {
    let mut evidence: Vec<Evidence> = watch.proof.iter().map(|(_, seen)| *seen).collect();
    match end {
        End::Asleep | End::TimeOverAsleep => evidence.push(Evidence::AsleepWithoutBus),
        End::Silent => evidence.push(Evidence::DebugPortSilent),
        _ => match add_what_is_seen(&mut watch, &mut evidence) {
            // the verdict stands: it has gone to sleep, or taken the pins, since
            Err(LinkError::Asleep { .. }) => evidence.push(Evidence::AsleepWithoutBus),
            Err(LinkError::TargetLost { .. }) => evidence.push(Evidence::DebugPortSilent),
            seen => seen?,
        },
    }
    let nonsense = content::entry_nonsense(known.content, known.target);
    match (end, watch.proof) {
        // it runs, but what runs is not what anybody put there
        (End::Settled | End::Asleep, Some(_)) if let Some(finding) = nonsense => {
            let cause = Cause::EntryElsewhere(Box::new(finding));
            Ok(BootResult::NotBooted(NotBooted { cause, evidence }))
        }
        (End::Settled, Some((proof, _))) => {
            let span = watch.quiet();
            evidence.push(Evidence::Settled { span });
            Ok(BootResult::Booted(Booted::new(proof, evidence)))
        }
        (End::Asleep, Some((proof, _))) => Ok(BootResult::Booted(Booted::new(proof, evidence))),
        (End::Silent, Some((proof, _))) if watch.started => {
            Ok(BootResult::Booted(Booted::new(proof, evidence)))
        }
        _ => {
            let cause = cause(&mut watch, end, known)?;
            Ok(BootResult::NotBooted(NotBooted { cause, evidence }))
        }
    }
}

fn add_what_is_seen(watch: &mut Watch<'_>, evidence: &mut Vec<Evidence>) -> Result<(), LinkError> {
    let srsr = watch.read_srsr()?;
    evidence.push(Evidence::ResetSeen { srsr });
    if watch.own_resets() > 0 {
        evidence.push(Evidence::ResetAgain {
            times: watch.own_resets(),
            srsr: watch.srsr,
        });
    }
    if let Some(last) = watch.last {
        evidence.push(Evidence::ProgramCounter {
            last,
            samples: watch.samples,
            in_rom: watch.in_rom,
        });
    }
    let address = watch.vector_table()?;
    evidence.push(Evidence::VectorTable { address });
    if FAULT_EXCEPTIONS.contains(&watch.exception) {
        evidence.push(Evidence::InFault(watch.fault_status()?));
    }
    match watch.state {
        CoreState::LockedUp => evidence.push(Evidence::LockedUp),
        CoreState::Asleep => evidence.push(Evidence::Asleep),
        CoreState::Halted | CoreState::Running => {}
    }
    Ok(())
}

fn cause(watch: &mut Watch<'_>, end: End, known: &Known<'_>) -> Result<Cause, LinkError> {
    let was_started = watch.proof.is_some();
    let finding = || content::entry_finding(known.content, known.target).map(Box::new);
    Ok(match end {
        End::Silent => Cause::DebugPortSilent,
        End::Asleep | End::TimeOverAsleep => Cause::AsleepWithoutBus,
        End::NoReset => Cause::NoReset {
            srsr: watch.read_srsr()?,
        },
        End::Halted => Cause::Halted { at: watch.last },
        End::LockedUp if was_started => Cause::ImageCrashed {
            at: watch.last,
            fault: None,
        },
        End::LockedUp => Cause::LockedUp { finding: finding() },
        End::InFault if was_started => Cause::ImageCrashed {
            at: watch.last,
            fault: Some(watch.fault_status()?),
        },
        End::InFault => Cause::EntryFault {
            fault: watch.fault_status()?,
            finding: finding(),
        },
        End::Resets if watch.srsr & SRSR_WATCHDOGS != 0 => Cause::ResetLoop { srsr: watch.srsr },
        End::Resets => Cause::Resets {
            started: was_started,
            srsr: watch.srsr,
        },
        End::TimeOver | End::Settled if was_started && watch.own_resets() > 0 => {
            Cause::NotStartedAgain { srsr: watch.srsr }
        }
        End::TimeOver | End::Settled if was_started => Cause::ImageLeft { at: watch.last },
        End::TimeOver | End::Settled => never_started(watch, known),
    })
}

/// The reset handler was not seen, and the core neither crashed nor reset.
fn never_started(watch: &Watch<'_>, known: &Known<'_>) -> Cause {
    if watch.srsr & SRSR_WATCHDOGS != 0 {
        return Cause::ResetLoop { srsr: watch.srsr };
    }
    if let Some(obstacle) = known.latched.obstacle() {
        return obstacle;
    }
    let expected = watch.expected.reset_handler;
    let in_rom = |at: &Address| watch.chip.rom_range().contains(*at);
    match watch.last {
        Some(at) if !in_rom(&at) && watch.expected.started_by_bootloader => {
            Cause::SlotNotStarted { at, expected }
        }
        Some(at) if !in_rom(&at) => Cause::OtherCode { at, expected },
        at => rom_did_not_boot(at, known),
    }
}

fn rom_did_not_boot(at: Option<Address>, known: &Known<'_>) -> Cause {
    let Known {
        target,
        content,
        latched,
    } = known;
    let has_dcd = content::has_dcd(content, target);
    let refused = at.map(|at| Cause::RomRefused { at, has_dcd });
    content::obstacle(content, target, latched)
        .or_else(|| content::doubt(content, target, latched))
        .or_else(|| refused.clone().filter(|_| has_dcd))
        .or_else(|| content::warning(content, target))
        .or(refused)
        .unwrap_or(Cause::NothingSeen)
}
