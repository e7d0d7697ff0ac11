//! Sorts probe-rs's errors into the few kinds that the retry policy tells apart.

use std::error::Error;
use std::io;

use probe_rs::architecture::arm::{ArmError, DapError};
use probe_rs::probe::{DebugProbeError, ProbeCreationError};

use super::error::LinkError;

/// What an error of probe-rs means for the link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The probe itself does not work any more.
    ProbeLost(String),
    /// No acknowledgement from the target.
    Silent,
    /// A transfer was damaged on the wire.
    Damaged,
    /// The access was refused: a bus error, or a damaged write (CTRL/STAT tells).
    Refused,
    /// WAIT until probe-rs gave up.
    Wait,
    /// A poll inside probe-rs took too long.
    Timeout(String),
    /// Anything else.
    Other(String),
}

impl Fault {
    /// What the target did, for the record.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Fault::ProbeLost(_) => "the probe was lost",
            Fault::Silent => "no acknowledge",
            Fault::Damaged => "bits arrived damaged",
            Fault::Refused => "refused",
            Fault::Wait => "the bus answered WAIT",
            Fault::Timeout(_) => "a poll took too long",
            Fault::Other(_) => "an error of the driver",
        }
    }

    /// Looks through the error and its sources for the one that started it.
    pub(super) fn of(error: &ArmError) -> Fault {
        let timeout = matches!(error, ArmError::Timeout);
        let mut next: Option<&(dyn Error + 'static)> = Some(error);
        while let Some(error) = next {
            if let Some(dap) = error.downcast_ref::<DapError>() {
                return match dap {
                    DapError::NoAcknowledge => Fault::Silent,
                    DapError::Protocol(_) | DapError::IncorrectParity => Fault::Damaged,
                    DapError::FaultResponse => Fault::Refused,
                    DapError::WaitResponse => Fault::Wait,
                };
            }
            if let Some(probe) = error.downcast_ref::<DebugProbeError>() {
                return Fault::ProbeLost(chain(probe));
            }
            if matches!(error.downcast_ref::<ArmError>(), Some(ArmError::Timeout)) {
                break;
            }
            next = error.source();
        }
        if timeout {
            Fault::Timeout(chain(error))
        } else {
            Fault::Other(chain(error))
        }
    }
}

/// The error with all its sources in one line, each once.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        let part = error.to_string();
        if !text.ends_with(&part) {
            text = format!("{text}: {part}");
        }
        next = error.source();
    }
    text
}

/// Why a probe could not be opened.
pub(super) fn open_error(error: &DebugProbeError, probe: String) -> LinkError {
    let reason = chain(error);
    let lower = reason.to_lowercase();
    let kind = match error {
        DebugProbeError::Usb(e)
        | DebugProbeError::ProbeCouldNotBeCreated(ProbeCreationError::Usb(e)) => e.kind(),
        _ => io::ErrorKind::Other,
    };
    // Some drivers wrap the cause in text only.
    if kind == io::ErrorKind::PermissionDenied
        || lower.contains("denied")
        || lower.contains("permission")
    {
        LinkError::Permission { probe }
    } else if kind == io::ErrorKind::ResourceBusy || lower.contains("busy") {
        LinkError::Busy { probe }
    } else {
        LinkError::OpenFailed { probe, reason }
    }
}
