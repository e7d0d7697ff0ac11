//! Whether a board is connected to a probe, found out without the board noticing.

use probe_rs::architecture::arm::dp::DpAddress;
use probe_rs::architecture::arm::sequences::DefaultArmSequence;
use probe_rs::probe::{DebugProbeError, Probe, WireProtocol};

use super::error::{Doing, LinkError};
use super::fault::{Fault, open_error};
use super::probes::{self, ProbeSelector};
use super::sequence::greet;
use super::usb::{self, UsbPort};

/// VTref from which on a board is there, in millivolts: below every I/O supply, above what an open input picks up.
const SEATED_MILLIVOLTS: f32 = 1_000.0;
/// SWCLK of a look, in kHz: slow enough for a contact that a job would refuse.
const LOOK_KHZ: u32 = 1_000;
/// How often the debug port is asked in one look before its silence counts.
const ATTEMPTS: u32 = 3;

/// Where a site's probe is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbePlace {
    /// Wherever it is connected.
    Named(ProbeSelector),
    /// Whatever probe is connected to this port.
    Port(UsbPort),
}

impl ProbePlace {
    /// The probe that is there.
    ///
    /// # Errors
    /// [`LinkError`] where a port has none, or one that cannot be told from another.
    pub fn selector(&self) -> Result<ProbeSelector, LinkError> {
        match self {
            ProbePlace::Named(selector) => Ok(selector.clone()),
            ProbePlace::Port(port) => usb::probe_at(port),
        }
    }
}

impl std::fmt::Display for ProbePlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ProbePlace::Named(selector) => selector.fmt(f),
            ProbePlace::Port(port) => write!(f, "USB port {port}"),
        }
    }
}

/// What tells that a board is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SeatSign {
    /// Its supply at VTref, where the probe measures it; else its debug port.
    #[default]
    Supply,
    /// Its debug port, for fixtures that feed VTref themselves and probes on the board of a development kit.
    DebugPort,
}

/// Looks at one probe's target again and again. The probe stays open in between; [`SeatWatch::close`] gives it to a job.
pub struct SeatWatch {
    place: ProbePlace,
    sign: SeatSign,
    open: Option<Open>,
}

struct Open {
    probe: Probe,
    attached: bool,
}

impl SeatWatch {
    /// Nothing is opened yet.
    pub fn new(place: ProbePlace, sign: SeatSign) -> Self {
        SeatWatch {
            place,
            sign,
            open: None,
        }
    }

    /// Whether a board is there. At most a line reset and a read of DPIDR: nothing is powered up, halted or reset. Through
    /// probes that form the SWD transfers themselves (Black Magic Probe) the debug port is powered up as well.
    ///
    /// # Errors
    /// [`LinkError`] where the probe cannot be used; the next look opens it anew.
    pub fn look(&mut self) -> Result<bool, LinkError> {
        let mut open = match self.open.take() {
            Some(open) => open,
            None => open_probe(&self.place)?,
        };
        match open.look(self.sign)? {
            Some(seated) => {
                self.open = Some(open);
                Ok(seated)
            }
            None => answers_to_connecting(open.probe),
        }
    }

    /// Closes the probe.
    pub fn close(&mut self) {
        self.open = None;
    }
}

fn open_probe(place: &ProbePlace) -> Result<Open, LinkError> {
    let selector = place.selector()?;
    let (mut probe, listed) = probes::open(Some(&selector), true)?;
    let failed = |error: DebugProbeError| open_error(&error, listed.to_string());
    probe.select_protocol(WireProtocol::Swd).map_err(failed)?;
    match probe.set_speed(LOOK_KHZ) {
        Ok(_) | Err(DebugProbeError::UnsupportedSpeed(_)) => {}
        Err(error) => return Err(failed(error)),
    }
    Ok(Open {
        probe,
        attached: false,
    })
}

/// Whether a debug port answers to probe-rs's own way of connecting. The probe is closed again.
fn answers_to_connecting(probe: Probe) -> Result<bool, LinkError> {
    let mut port = match probe.try_into_arm_debug_interface(DefaultArmSequence::create()) {
        Ok(port) => port,
        Err((_, error)) => return is_silence(Fault::of(&error)),
    };
    match port.select_debug_port(DpAddress::Default) {
        Ok(()) => Ok(true),
        Err(error) => is_silence(Fault::of(&error)),
    }
}

/// A board that is not there, where it is not the probe that is gone.
fn is_silence(fault: Fault) -> Result<bool, LinkError> {
    match fault {
        Fault::ProbeLost(reason) => Err(LinkError::ProbeLost {
            doing: Doing::Attaching,
            reason,
        }),
        // lines that nobody drives give all kinds of answers
        _ => Ok(false),
    }
}

impl Open {
    /// `None` where the probe does not let its lines be used.
    fn look(&mut self, sign: SeatSign) -> Result<Option<bool>, LinkError> {
        if sign == SeatSign::Supply
            && let Some(volts) = self.probe.get_target_voltage().map_err(lost)?
        {
            return Ok(Some(volts * 1_000.0 >= SEATED_MILLIVOLTS));
        }
        if !self.attached {
            self.probe.attach_to_unspecified().map_err(lost)?;
            self.attached = true;
        }
        let Some(port) = self.probe.try_as_dap_probe() else {
            return Ok(None);
        };
        for _ in 0..ATTEMPTS {
            match greet(port) {
                Ok(_) => return Ok(Some(true)),
                Err(error) => is_silence(Fault::of(&error))?,
            };
        }
        Ok(Some(false))
    }
}

fn lost(error: impl std::fmt::Display) -> LinkError {
    LinkError::ProbeLost {
        doing: Doing::Attaching,
        reason: error.to_string(),
    }
}
