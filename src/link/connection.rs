//! From a choice of probe to an answering debug port: open, speed, reset pin, debug sequence.

use std::sync::Arc;

use probe_rs::CoreType;
use probe_rs::architecture::arm::sequences::ArmDebugSequence;
use probe_rs::architecture::arm::{ArmDebugInterface, ArmError, FullyQualifiedApAddress};
use probe_rs::probe::{DebugProbeError, Probe, WireProtocol};

use crate::clock::Clock;
use crate::target::Chip;

use super::Link;
use super::contact::first_khz;
use super::debug_port::DebugPort;
use super::error::{Doing, LinkError};
use super::fault::Fault;
use super::probe_link::ProbeLink;
use super::probes::{self, Listed, ProbeSelector};
use super::retry::Retries;
use super::{sequence, under_reset};

/// SWCLK where the user asks for none. Above about 4 MHz the flash is the bottleneck, not the wire.
const DEFAULT_SPEED_KHZ: u32 = 4_000;

/// AHB-AP 0, the only access port of the chip.
const MEMORY_AP: FullyQualifiedApAddress = FullyQualifiedApAddress::v1_with_default_dp(0);
/// The Cortex-M7 in probe-rs's words.
pub(super) const CORE: CoreType = CoreType::Armv7em;

/// Which probe, and how to connect through it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// The probe; none means the only one.
    pub probe: Option<ProbeSelector>,
    /// SWCLK in kHz; none means 4 MHz, or what the probe takes by itself.
    pub speed_khz: Option<u32>,
    /// Pull the reset pin first, and halt the core before its firmware can sleep or turn SWD off.
    pub connect_under_reset: bool,
    /// Use the accesses of probe-rs's driver as they are, even where they could be joined: for comparison.
    pub plain: bool,
}

/// An answering debug port. Dropping it powers the port down and closes the probe.
pub struct Connection {
    interface: Box<dyn ArmDebugInterface>,
    sequence: Arc<dyn ArmDebugSequence>,
    clock: Arc<dyn Clock + Send + Sync>,
    probe: Listed,
    debug_port: DebugPort,
    speed_khz: u32,
    /// The clock that the contact is to be checked for, while the probe clocks slower.
    unproven_khz: Option<u32>,
    millivolts: Option<u32>,
    /// The core is to be halted as soon as memory can be written.
    halt_at_once: bool,
    under_reset: bool,
    retries: Retries,
}

impl Connection {
    /// Opens the chosen probe and wakes the debug port. Nothing on the board is changed, except by the reset pin where
    /// [`Choice::connect_under_reset`] asks for it.
    ///
    /// # Errors
    /// [`LinkError`]: no probe, several, in use, speed, no answer.
    pub fn open(
        choice: &Choice,
        chip: &Chip,
        clock: Arc<dyn Clock + Send + Sync>,
    ) -> Result<Self, LinkError> {
        Connection::open_carefully(choice, chip, clock, |_, _| false)
    }

    /// As [`Connection::open`]; but where `is_unproven` says so of the contact through this probe at this clock in kHz,
    /// the probe is told the clock and then clocks at the one that the contact check begins with. That is not done for
    /// drivers that do not speak SWD transfers themselves (ST-Link, FTDI, Black Magic Probe): with some of them the
    /// clock cannot be raised later.
    ///
    /// # Errors
    /// As [`Connection::open`].
    pub fn open_carefully(
        choice: &Choice,
        chip: &Chip,
        clock: Arc<dyn Clock + Send + Sync>,
        is_unproven: impl FnOnce(&Listed, u32) -> bool,
    ) -> Result<Self, LinkError> {
        let sequence = sequence::for_chip(&chip.name, clock.clone())?;
        let (mut probe, listed) = probes::open(choice.probe.as_ref(), choice.plain)?;
        let failed = |error: DebugProbeError| super::fault::open_error(&error, listed.to_string());
        probe.select_protocol(WireProtocol::Swd).map_err(failed)?;
        let asked_khz = set_speed(&mut probe, choice.speed_khz, &failed)?;
        let unproven_khz = asked_khz
            .filter(|_| probe.try_as_dap_probe().is_some())
            .filter(|khz| is_unproven(&listed, *khz));
        let careful_khz = unproven_khz.map(first_khz);
        if let Some(khz) = careful_khz.filter(|_| !choice.connect_under_reset) {
            set_speed(&mut probe, Some(khz), &failed)?;
        }
        probe
            .attach_to_unspecified()
            .map_err(|error| LinkError::OpenFailed {
                probe: listed.to_string(),
                reason: error.to_string(),
            })?;
        let mut retries = Retries::default();
        let mut halt_at_once = false;
        if choice.connect_under_reset {
            // After the attach: a J-Link lets the pin go there.
            let halted = under_reset::connect(&mut probe, &clock, careful_khz, &mut retries)
                .map_err(failed)?;
            halt_at_once = !halted;
        }
        let millivolts = probe
            .get_target_voltage()
            .ok()
            .flatten()
            .map(|volts| (volts * 1000.0) as u32);
        // No probe clocks faster than it was told; probe-rs's Black Magic driver reads the frequency's bytes in reverse.
        let speed_khz = probe.speed_khz().min(asked_khz.unwrap_or(u32::MAX));
        let mut interface = probe
            .try_into_arm_debug_interface(sequence.clone())
            .map_err(|(_, error)| attach_error(&error, millivolts))?;
        interface
            .select_debug_port(probe_rs::architecture::arm::dp::DpAddress::Default)
            .map_err(|error| attach_error(&error, millivolts))?;
        let debug_port = DebugPort::read(&mut *interface, &MEMORY_AP)
            .map_err(|error| attach_error(&error, millivolts))?;
        Ok(Connection {
            interface,
            sequence,
            clock,
            probe: listed,
            debug_port,
            speed_khz,
            unproven_khz,
            millivolts,
            halt_at_once,
            under_reset: choice.connect_under_reset,
            retries,
        })
    }

    /// The link to memory and core. One for the whole job: making it costs eight transactions.
    ///
    /// # Errors
    /// [`LinkError`] where the access port does not answer as an AHB-AP, or the core did not halt under reset.
    pub fn link<'c>(&'c mut self, chip: &Chip) -> Result<ProbeLink<'c>, LinkError> {
        let millivolts = self.millivolts;
        let memory = self
            .interface
            .memory_interface(&MEMORY_AP)
            .map_err(|error| attach_error(&error, millivolts))?;
        let mut link = ProbeLink::new(
            memory,
            self.sequence.clone(),
            self.clock.clone(),
            chip,
            self.retries.clone(),
        );
        if std::mem::take(&mut self.halt_at_once) {
            let link: &mut dyn Link = &mut link;
            link.halt_when_awake("the core was not halted at once after the reset pin")?;
        }
        Ok(link)
    }

    /// The probe in use.
    pub fn probe(&self) -> &Listed {
        &self.probe
    }

    /// What the debug port says of itself.
    pub fn debug_port(&self) -> DebugPort {
        self.debug_port
    }

    /// SWCLK in kHz, as far as the probe tells.
    pub fn speed_khz(&self) -> u32 {
        self.speed_khz
    }

    /// The clock in kHz that the contact is to be checked for, where it is unproven.
    pub fn unproven_khz(&self) -> Option<u32> {
        self.unproven_khz
    }

    /// Whether it was made under reset, so that the core is halted.
    pub fn is_under_reset(&self) -> bool {
        self.under_reset
    }

    /// VTref in millivolts, where the probe measures it.
    pub fn millivolts(&self) -> Option<u32> {
        self.millivolts
    }
}

/// Sets SWCLK. Gives what the probe was told, if it took it.
fn set_speed(
    probe: &mut Probe,
    asked: Option<u32>,
    failed: &dyn Fn(DebugProbeError) -> LinkError,
) -> Result<Option<u32>, LinkError> {
    if asked == Some(0) {
        return Err(LinkError::Speed { khz: 0 });
    }
    let khz = asked.unwrap_or(DEFAULT_SPEED_KHZ);
    match (probe.set_speed(khz), asked) {
        (Ok(_), _) => Ok(Some(khz)),
        // Without a wish, what the probe takes by itself is good enough.
        (Err(DebugProbeError::UnsupportedSpeed(_)), None) => Ok(None),
        (Err(DebugProbeError::UnsupportedSpeed(_)), Some(khz)) => Err(LinkError::Speed { khz }),
        (Err(error), _) => Err(failed(error)),
    }
}

fn attach_error(error: &ArmError, millivolts: Option<u32>) -> LinkError {
    let doing = Doing::Attaching;
    match Fault::of(error) {
        Fault::ProbeLost(reason) => LinkError::ProbeLost { doing, reason },
        Fault::Silent | Fault::Damaged => LinkError::NoTarget { millivolts },
        Fault::Wait => LinkError::Asleep { doing },
        Fault::Refused => LinkError::BusFault { doing },
        Fault::Timeout(reason) | Fault::Other(reason) => LinkError::Driver { doing, reason },
    }
}
