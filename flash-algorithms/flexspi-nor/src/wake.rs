//! Bringing the flash into its reset state from whatever state an application or a cut left it in.

use crate::bus::Bus;
use crate::controller::{self, Result};
use crate::lut::Slot;
use crate::machine::Duty;
use crate::nor::{Nor, WIP};
use mailbox::fault::{Fault, FaultCode, Stage};
use mailbox::result::{FOUND_BUSY, FOUND_SUSPENDED};
use mailbox::setup::FLAG_QPI;

/// Release from deep power-down.
const RELEASE_POWER_DOWN: u8 = 0xAB;
/// Resume a suspended program or erase.
const RESUME: u8 = 0x7A;
/// Enable reset, then reset.
const RESET: [u8; 2] = [0x66, 0x99];
/// What an input reads that nobody drives: the pads have pull-ups.
const NOBODY: u8 = 0xFF;

/// Wakes, waits, resumes, resets. Returns `FOUND_*`.
///
/// # Errors
/// A flash that stays busy beyond the part's longest operation.
pub fn wake<B: Bus, D: Duty>(nor: &mut Nor<B, D>) -> Result<u32> {
    let stage = Stage::Wake;
    controller::command(&mut nor.machine, Slot::EndContinuousRead, 0, stage)?;
    nor.bare(RELEASE_POWER_DOWN, stage)?;
    nor.machine.pause(nor.setup.power_down_release_us);
    let Some(mut found) = wait_in_any_mode(nor)? else {
        return Ok(0);
    };
    leave_modes(nor, stage)?;
    nor.know_part()?;
    let flags = nor.suspend_register(stage)?;
    // All ones or zeros: no such register here, nothing to resume.
    if flags != NOBODY && flags & nor.setup.suspend.mask != 0 {
        nor.bare(RESUME, stage)?;
        nor.wait_ready(nor.setup.erase_chip_limit_us, stage, 0)?;
        found |= FOUND_SUSPENDED;
    }
    reset_flash(nor, stage)?;
    Ok(found)
}

/// Leaves continuous read and QPI, then resets the flash. It must not be busy.
///
/// # Errors
/// A flash that stays busy after its reset.
pub fn reset_flash<B: Bus, D: Duty>(nor: &mut Nor<B, D>, stage: Stage) -> Result<()> {
    leave_modes(nor, stage)?;
    for opcode in RESET {
        nor.bare(opcode, stage)?;
    }
    nor.machine.pause(nor.setup.reset_recovery_us);
    nor.wait_ready(nor.setup.reset_recovery_us, stage, 0)?;
    Ok(())
}

fn leave_modes<B: Bus, D: Duty>(nor: &mut Nor<B, D>, stage: Stage) -> Result<()> {
    controller::command(&mut nor.machine, Slot::EndContinuousRead, 0, stage)?;
    if nor.setup.flags & FLAG_QPI != 0 {
        controller::command(&mut nor.machine, Slot::LeaveQpi, 0, stage)?;
    }
    Ok(())
}

/// Waits for WIP = 0 without knowing whether the flash listens on one line or on four. `None` if nothing answers.
fn wait_in_any_mode<B: Bus, D: Duty>(nor: &mut Nor<B, D>) -> Result<Option<u32>> {
    let stage = Stage::Wake;
    let qpi_possible = nor.setup.flags & FLAG_QPI != 0;
    let limit_us = nor.setup.erase_chip_limit_us;
    let deadline = nor.machine.deadline(limit_us);
    // A flash that is busy answers. All ones on one line and on four for this long: there is none, or it is broken; the
    // JEDEC ID will say so to the host.
    let silence = nor.machine.deadline(nor.setup.write_status_limit_us);
    let mut found = 0;
    loop {
        let spi = nor.read_register(Slot::ReadStatus, stage)?;
        if spi & WIP == 0 {
            return Ok(Some(found));
        }
        let qpi = if spi == NOBODY && qpi_possible {
            nor.read_register(Slot::ReadStatusQpi, stage)?
        } else {
            NOBODY
        };
        if qpi & WIP == 0 {
            return Ok(Some(found));
        }
        if spi != NOBODY || qpi != NOBODY {
            found |= FOUND_BUSY;
        } else if nor.machine.is_over(silence) {
            return Ok(None);
        }
        if nor.machine.is_over(deadline) {
            return Err(Fault::new(FaultCode::Timeout, stage).values(limit_us, u32::from(spi)));
        }
        nor.machine.idle();
    }
}
