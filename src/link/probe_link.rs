//! The link over probe-rs: one memory interface for the whole job, below `probe_rs::Session`.

use std::sync::Arc;

use probe_rs::architecture::arm::ArmError;
use probe_rs::architecture::arm::dp::{Ctrl, DpAccess, DpAddress};
use probe_rs::architecture::arm::memory::ArmMemoryInterface;
use probe_rs::architecture::arm::sequences::ArmDebugSequence;
use probe_rs::probe::DebugProbeError;

use crate::address::Address;
use crate::clock::Clock;
use crate::target::{Chip, Registers};

use super::Link;
use super::connection::CORE;
use super::error::{Doing, LinkError};
use super::fault::Fault;
use super::retry::{CATCHES, Counts, Retries, Retry, Verdict, WAIT_PAUSE, judge};

const DP: DpAddress = DpAddress::Default;

/// A link to the board on the bench or to the virtual one.
pub struct ProbeLink<'c> {
    memory: Box<dyn ArmMemoryInterface + 'c>,
    sequence: Arc<dyn ArmDebugSequence>,
    clock: Arc<dyn Clock + Send + Sync>,
    registers: Registers,
    /// RAM of which a byte may be read at any time.
    ram: Address,
    counts: Counts,
    retries: Retries,
}

impl<'c> ProbeLink<'c> {
    pub(super) fn new(
        memory: Box<dyn ArmMemoryInterface + 'c>,
        sequence: Arc<dyn ArmDebugSequence>,
        clock: Arc<dyn Clock + Send + Sync>,
        chip: &Chip,
        retries: Retries,
    ) -> Self {
        ProbeLink {
            memory,
            sequence,
            clock,
            registers: chip.registers.clone(),
            ram: chip.algorithm_ram.address,
            counts: Counts::default(),
            retries,
        }
    }

    /// Does `access` until it succeeds or [`judge`] says no.
    fn repeat(
        &mut self,
        doing: Doing,
        mut access: impl FnMut(&mut dyn ArmMemoryInterface) -> Result<(), ArmError>,
    ) -> Result<(), LinkError> {
        let mut attempt = 1;
        loop {
            let Err(error) = access(&mut *self.memory) else {
                return Ok(());
            };
            let fault = Fault::of(&error);
            tracing::debug!("{doing}, attempt {attempt}: {fault:?}");
            let damaged = fault == Fault::Refused && self.write_was_damaged();
            self.note(&fault, damaged);
            match judge(fault, damaged, attempt, doing) {
                Verdict::Fail(error) => return Err(error),
                Verdict::Again => {}
                Verdict::AgainLater => self.clock.sleep(WAIT_PAUSE),
            }
            attempt += 1;
            self.counts.retries += 1;
            self.wake(doing)?;
        }
    }

    fn note(&mut self, fault: &Fault, damaged: bool) {
        self.counts.damaged += u64::from(damaged || *fault == Fault::Damaged);
    }

    /// Whether the debug port saw wrong parity in a write. probe-rs clears the other sticky bits, not this one.
    fn write_was_damaged(&mut self) -> bool {
        let Ok(interface) = self.memory.get_arm_debug_interface() else {
            return false;
        };
        interface
            .read_dp_register::<Ctrl>(DP)
            .is_ok_and(|ctrl| ctrl.w_data_err())
    }

    /// Wakes the debug port, and powers it up again where the board lost power.
    fn wake(&mut self, doing: Doing) -> Result<(), LinkError> {
        self.counts.reattaches += 1;
        match self.try_wake() {
            Ok(()) => Ok(()),
            Err(error) => Err(match Fault::of(&error) {
                Fault::ProbeLost(reason) => LinkError::ProbeLost { doing, reason },
                Fault::Wait => LinkError::Asleep { doing },
                _ => LinkError::TargetLost { doing },
            }),
        }
    }

    fn try_wake(&mut self) -> Result<(), ArmError> {
        let interface = self.memory.get_arm_debug_interface()?;
        let Some(probe) = interface.try_dap_probe_mut() else {
            // A probe that speaks memory, not SWD (ST-Link), wakes the port itself.
            return interface.reinitialize();
        };
        self.sequence.debug_port_setup(probe, DP)?;
        let ctrl: Ctrl = interface.read_dp_register(DP)?;
        if ctrl.csyspwrupack() && ctrl.cdbgpwrupack() {
            return Ok(());
        }
        interface.reinitialize()?;
        // The access port lost its control word, of which probe-rs keeps a copy. It is written only when the access
        // size changes: a byte access makes it so, and so does the next word access.
        self.memory.read_8(u64::from(self.ram.get()), &mut [0])
    }

    fn try_caught_reset(&mut self) -> Result<(), ArmError> {
        let memory = &mut *self.memory;
        self.sequence.reset_catch_set(memory, CORE, None)?;
        self.sequence.reset_system(memory, CORE, None)?;
        self.sequence.reset_catch_clear(memory, CORE, None)
    }
}

/// Writes, and waits until the target has it: probe-rs keeps single writes back for CMSIS-DAP probes until the next read,
/// and a reset that is never sent looks like a board that does not obey.
fn write_now(
    memory: &mut dyn ArmMemoryInterface,
    address: Address,
    words: &[u32],
) -> Result<(), ArmError> {
    memory.write_32(u64::from(address.get()), words)?;
    memory.flush()
}

impl Link for ProbeLink<'_> {
    fn read(&mut self, address: Address, words: &mut [u32]) -> Result<(), LinkError> {
        self.counts.reads += 1;
        self.counts.words_read += words.len() as u64;
        let doing = Doing::Reading {
            address,
            words: words.len(),
        };
        self.repeat(doing, |memory| {
            memory.read_32(u64::from(address.get()), words)
        })
    }

    fn write(&mut self, address: Address, words: &[u32]) -> Result<(), LinkError> {
        self.counts.writes += 1;
        self.counts.words_written += words.len() as u64;
        let doing = Doing::Writing {
            address,
            words: words.len(),
        };
        self.repeat(doing, |memory| write_now(memory, address, words))
    }

    fn write_in_order(&mut self, pieces: &[(Address, Vec<u32>)]) -> Result<(), LinkError> {
        let Some((first, _)) = pieces.first() else {
            return Ok(());
        };
        let words = pieces.iter().map(|(_, words)| words.len()).sum();
        self.counts.writes += pieces.len() as u64;
        self.counts.words_written += words as u64;
        let doing = Doing::Writing {
            address: *first,
            words,
        };
        self.repeat(doing, |memory| {
            for (address, words) in pieces {
                memory.write_32(u64::from(address.get()), words)?;
            }
            memory.flush()
        })
    }

    fn write_once(&mut self, address: Address, word: u32) -> Result<(), LinkError> {
        self.counts.writes += 1;
        self.counts.words_written += 1;
        let doing = Doing::Writing { address, words: 1 };
        match write_now(&mut *self.memory, address, &[word]) {
            Ok(()) => Ok(()),
            Err(error) => Err(
                match judge(Fault::of(&error), false, super::retry::ATTEMPTS, doing) {
                    Verdict::Fail(error) => error,
                    Verdict::Again | Verdict::AgainLater => LinkError::TargetLost { doing },
                },
            ),
        }
    }

    fn caught_reset(&mut self) -> Result<(), LinkError> {
        let doing = Doing::Resetting;
        let mut attempt = 1;
        loop {
            let Err(error) = self.try_caught_reset() else {
                return Ok(());
            };
            let fault = Fault::of(&error);
            tracing::debug!("caught reset, attempt {attempt}: {fault:?}");
            let damaged = fault == Fault::Refused && self.write_was_damaged();
            self.note(&fault, damaged);
            let why = fault.name();
            if let Fault::Timeout(reason) = fault {
                // probe-rs allows 100 ms of the host's time, which a busy host may sleep through
                if attempt >= CATCHES {
                    return Err(LinkError::NotCaught { reason });
                }
            } else if let Verdict::Fail(error) = judge(fault, damaged, attempt, doing) {
                return Err(error);
            }
            attempt += 1;
            self.counts.retries += 1;
            self.retries.note("the caught reset was made again", why);
            self.wake(doing)?;
        }
    }

    fn reattach(&mut self) -> Result<(), LinkError> {
        self.wake(Doing::Attaching)
    }

    fn set_speed_khz(&mut self, khz: u32) -> Result<(), LinkError> {
        let lost = |error: DebugProbeError| LinkError::ProbeLost {
            doing: Doing::SettingSpeed { khz },
            reason: error.to_string(),
        };
        let interface = self.memory.get_arm_debug_interface().map_err(lost)?;
        let Some(probe) = interface.try_dap_probe_mut() else {
            return Err(LinkError::Speed { khz });
        };
        match probe.set_speed(khz) {
            Ok(_) => Ok(()),
            Err(DebugProbeError::UnsupportedSpeed(_)) => Err(LinkError::Speed { khz }),
            Err(error) => Err(lost(error)),
        }
    }

    fn registers(&self) -> &Registers {
        &self.registers
    }

    fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    fn counts(&self) -> Counts {
        self.counts
    }

    fn retries(&self) -> &[Retry] {
        self.retries.all()
    }

    fn note_retry(&mut self, what: &'static str, why: &'static str) {
        self.retries.note(what, why);
    }
}
