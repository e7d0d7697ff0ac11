//! Connecting under reset: the pin is pulsed, and the core is halted while the boot ROM still runs.
//!
//! On the RT1062 the reset pin is POR_B, a power-on reset: the debug logic is reset with everything else, and what a
//! debugger sets while the pin is low is lost (Cortex-M7 TRM, nPORESET; NXP's and Arm's debug firmware for the family uses
//! the pin to get out of low power and changed pads, and connects afterwards; medium confidence, no source measures it).
//! So there is no catch that survives, only a race against the firmware, which the ROM's 10 to 16 ms before the jump
//! decide for us if few transactions are needed: these here, below probe-rs's own attach, which takes several times as many.

use std::sync::Arc;
use std::time::Duration;

use probe_rs::architecture::arm::dp::{Ctrl, DpRegister};
use probe_rs::architecture::arm::{ArmError, DapProbe, RegisterAddress};
use probe_rs::probe::{DebugProbeError, Probe};

use crate::clock::{Clock, Deadline};

use super::fault::Fault;
use super::registers::{DHCSR, DHCSR_C_DEBUGEN, DHCSR_C_HALT, DHCSR_DBGKEY, DHCSR_S_HALT};
use super::retry::Retries;
use super::sequence::{SILENCE, wake};

/// How long the reset pin is held; a reset supervisor sees it and stretches it.
const RESET_PULSE: Duration = Duration::from_millis(20);
/// How often the pin is pulsed where the firmware was faster.
const PULSES: u32 = 3;
/// Pause between two tries to halt the core.
const PAUSE: Duration = Duration::from_millis(1);

/// MEM-AP registers (ADIv5.2 C2.6).
const CSW: RegisterAddress = RegisterAddress::ApRegister(0x00);
const TAR: RegisterAddress = RegisterAddress::ApRegister(0x04);
const DRW: RegisterAddress = RegisterAddress::ApRegister(0x0C);
/// Privileged data accesses of a debugger, words, no increment.
const CSW_WORDS: u32 = 0x2300_0002;

/// Pulses the pin and halts the core. False where the probe gives no access to the debug port's registers, so that the
/// core is still to be halted, or where the firmware was faster every time.
///
/// The probe clocks as fast as it is to in the end: the race is not won at the slow clock that a contact check begins
/// with. Where that contact is bad, the last pulse is at `careful_khz`.
///
/// # Errors
/// The probe, or its pin.
pub(super) fn connect(
    probe: &mut Probe,
    clock: &Arc<dyn Clock + Send + Sync>,
    careful_khz: Option<u32>,
    retries: &mut Retries,
) -> Result<bool, DebugProbeError> {
    for pulse in 1..=PULSES {
        retries.note(
            "the reset pin was pulsed",
            "--connect-under-reset asks for it",
        );
        probe.target_reset_assert()?;
        clock.sleep(RESET_PULSE);
        probe.target_reset_deassert()?;
        let Some(probe) = probe.try_as_dap_probe() else {
            return Ok(false);
        };
        let slow = |probe: &mut dyn DapProbe| match careful_khz {
            Some(khz) => probe.set_speed(khz).map(drop),
            None => Ok(()),
        };
        let is_last = pulse == PULSES;
        if is_last {
            slow(probe)?;
        }
        let halted = halt_soon(probe, &**clock);
        if halted && !is_last {
            slow(probe)?;
        }
        if halted {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Tries to halt the core until the debug port answers, and a little longer.
fn halt_soon(probe: &mut dyn DapProbe, clock: &dyn Clock) -> bool {
    let deadline = Deadline::after(clock, SILENCE);
    loop {
        match halt(probe) {
            Ok(true) => return true,
            Err(error) if matches!(Fault::of(&error), Fault::ProbeLost(_) | Fault::Wait) => {
                // nothing there, or the firmware already sleeps
                return false;
            }
            Ok(false) | Err(_) if deadline.is_over(clock) => return false,
            Ok(false) | Err(_) => clock.sleep(PAUSE),
        }
    }
}

/// Wakes the debug port, powers it up and writes the halt request, and nothing else.
fn halt(probe: &mut dyn DapProbe) -> Result<bool, ArmError> {
    wake(probe)?;
    let mut power = Ctrl(0);
    power.set_csyspwrupreq(true);
    power.set_cdbgpwrupreq(true);
    // a data phase follows every acknowledge, WAIT too: probe-rs's drivers count on it
    power.set_orun_detect(true);
    probe.raw_write_register(Ctrl::ADDRESS.into(), power.0)?;
    let state = Ctrl(probe.raw_read_register(Ctrl::ADDRESS.into())?);
    if !state.csyspwrupack() || !state.cdbgpwrupack() {
        return Ok(false);
    }
    probe.raw_write_register(CSW, CSW_WORDS)?;
    probe.raw_write_register(TAR, DHCSR.get())?;
    probe.raw_write_register(DRW, DHCSR_DBGKEY | DHCSR_C_DEBUGEN | DHCSR_C_HALT)?;
    probe.raw_flush()?;
    Ok(probe.raw_read_register(DRW)? & DHCSR_S_HALT != 0)
}
