//! The chip's debug sequence with our own way to wake the debug port: time from the job's clock, no dormant state.

use std::sync::Arc;
use std::time::Duration;

use probe_rs::architecture::arm::dp::{Abort, DPIDR, DpAddress, DpRegister, SelectV1};
use probe_rs::architecture::arm::memory::ArmMemoryInterface;
use probe_rs::architecture::arm::sequences::ArmDebugSequence;
use probe_rs::architecture::arm::{
    ArmDebugInterface, ArmError, DapAccess, DapProbe, FullyQualifiedApAddress, RegisterAddress,
};
use probe_rs::vendor::nxp::sequences::nxp_armv7m::MIMXRT10xx;
use probe_rs::{CoreType, Permissions};

use crate::clock::{Clock, Deadline};

use super::error::LinkError;
use super::fault::Fault;

/// How long the debug port may stay silent: a reset of the RT1062 takes a few milliseconds, a board's reset supervisor
/// up to 280 ms (NXP m-p/1343772).
pub(super) const SILENCE: Duration = Duration::from_millis(500);
/// Between two tries to wake it.
const PAUSE: Duration = Duration::from_millis(5);

/// SWDIO high for at least 50 clocks, then at least two low (ADIv5 B4.3.3).
const LINE_RESET: (u8, u64) = (51 + 3, (1 << 51) - 1);
/// SWDIO high for at least 50 clocks before the switch code.
const BEFORE_SWITCH: (u8, u64) = (51, (1 << 51) - 1);
/// JTAG-to-SWD (ADIv5 B5.2.1).
const JTAG_TO_SWD: (u8, u64) = (16, 0xE79E);

/// Names of the chips whose sequence catches the boot ROM at its read of SRC_SBMR1.
const FAMILY: &str = "MIMXRT10";

/// The sequence that probe-rs has for `chip`, woken our way.
///
/// # Errors
/// [`LinkError::UnsupportedChip`] outside the family: probe-rs's default reset sequence does not fit it.
pub(super) fn for_chip(
    chip: &str,
    clock: Arc<dyn Clock + Send + Sync>,
) -> Result<Arc<dyn ArmDebugSequence>, LinkError> {
    if !chip.starts_with(FAMILY) {
        return Err(LinkError::UnsupportedChip {
            chip: chip.to_owned(),
        });
    }
    Ok(Arc::new(Sequence {
        chip: MIMXRT10xx::create(),
        clock,
    }))
}

struct Sequence {
    chip: Arc<dyn ArmDebugSequence>,
    clock: Arc<dyn Clock + Send + Sync>,
}

impl std::fmt::Debug for Sequence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Sequence").field(&self.chip).finish()
    }
}

/// Switches to SWD, resets the line, reads DPIDR, gives up what hangs and clears errors, selects AP 0 and bank 0.
pub(super) fn wake(probe: &mut dyn DapProbe) -> Result<(), ArmError> {
    greet(probe)?;
    let mut abort = Abort(0);
    abort.set_dapabort(true);
    abort.set_orunerrclr(true);
    abort.set_wderrclr(true);
    abort.set_stkerrclr(true);
    abort.set_stkcmpclr(true);
    probe.raw_write_register(Abort::ADDRESS.into(), abort.0)?;
    probe.raw_write_register(SelectV1::ADDRESS.into(), 0)
}

/// Switches to SWD, resets the line and reads DPIDR: the least that shows whether a debug port is there. It powers nothing
/// up and reaches nothing behind the port.
pub(super) fn greet(probe: &mut dyn DapProbe) -> Result<u32, ArmError> {
    for (bits, sequence) in [BEFORE_SWITCH, JTAG_TO_SWD, LINE_RESET] {
        probe.swj_sequence(bits, sequence)?;
    }
    probe.raw_read_register(RegisterAddress::DpRegister(DPIDR::ADDRESS))
}

impl ArmDebugSequence for Sequence {
    fn debug_port_setup(&self, probe: &mut dyn DapProbe, _dp: DpAddress) -> Result<(), ArmError> {
        let deadline = Deadline::after(&*self.clock, SILENCE);
        loop {
            let Err(error) = wake(probe) else {
                return Ok(());
            };
            if deadline.is_over(&*self.clock) || matches!(Fault::of(&error), Fault::ProbeLost(_)) {
                return Err(error);
            }
            self.clock.sleep(PAUSE);
        }
    }

    fn debug_port_connect(&self, probe: &mut dyn DapProbe, dp: DpAddress) -> Result<(), ArmError> {
        self.debug_port_setup(probe, dp)
    }

    // All else is the chip's own.

    fn debug_port_start(
        &self,
        interface: &mut dyn DapAccess,
        dp: DpAddress,
    ) -> Result<(), ArmError> {
        self.chip.debug_port_start(interface, dp)
    }

    fn debug_port_stop(&self, probe: &mut dyn DapProbe, dp: DpAddress) -> Result<(), ArmError> {
        self.chip.debug_port_stop(probe, dp)
    }

    fn debug_device_unlock(
        &self,
        interface: &mut dyn ArmDebugInterface,
        ap: &FullyQualifiedApAddress,
        permissions: &Permissions,
    ) -> Result<(), ArmError> {
        self.chip.debug_device_unlock(interface, ap, permissions)
    }

    fn debug_core_start(
        &self,
        interface: &mut dyn ArmDebugInterface,
        ap: &FullyQualifiedApAddress,
        core_type: CoreType,
        debug_base: Option<u64>,
        cti_base: Option<u64>,
    ) -> Result<(), ArmError> {
        self.chip
            .debug_core_start(interface, ap, core_type, debug_base, cti_base)
    }

    fn reset_catch_set(
        &self,
        memory: &mut dyn ArmMemoryInterface,
        core_type: CoreType,
        debug_base: Option<u64>,
    ) -> Result<(), ArmError> {
        self.chip.reset_catch_set(memory, core_type, debug_base)
    }

    fn reset_catch_clear(
        &self,
        memory: &mut dyn ArmMemoryInterface,
        core_type: CoreType,
        debug_base: Option<u64>,
    ) -> Result<(), ArmError> {
        self.chip.reset_catch_clear(memory, core_type, debug_base)
    }

    fn reset_system(
        &self,
        memory: &mut dyn ArmMemoryInterface,
        core_type: CoreType,
        debug_base: Option<u64>,
    ) -> Result<(), ArmError> {
        self.chip.reset_system(memory, core_type, debug_base)
    }
}
