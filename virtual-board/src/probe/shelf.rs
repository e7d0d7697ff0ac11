//! Which virtual probes exist: offered by boards, listed and opened through probe-rs, put back when closed.

use std::fmt;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use probe_rs::plugin::{Plugin, register_plugin};
use probe_rs::probe::list::{Accessibility, ProbeListItem};
use probe_rs::probe::{
    DebugProbe, DebugProbeError, DebugProbeInfo, DebugProbeSelector, ProbeCreationError,
    ProbeFactory,
};

use super::{CmsisDapProbe, Interface, Profile, VirtualProbe, Wire};

/// pid.codes' vendor ID.
pub const VENDOR_ID: u16 = 0x1209;
/// pid.codes' product ID for tests, never on sale.
pub const PRODUCT_ID: u16 = 0x0001;

struct Slot {
    serial: String,
    profile: Profile,
    /// Not here while the probe is open.
    wire: Option<Box<dyn Wire>>,
    denied: bool,
}

impl Slot {
    fn plugged(&self) -> bool {
        self.wire.as_ref().is_none_or(|wire| wire.plugged())
    }
}

static SHELF: Mutex<Vec<Slot>> = Mutex::new(Vec::new());
static FACTORY: Factory = Factory;

fn shelf() -> MutexGuard<'static, Vec<Slot>> {
    SHELF.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes probe-rs know the virtual probes. Further calls do nothing.
pub fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        register_plugin(Plugin {
            probe_drivers: &[&FACTORY],
            ..Plugin::default()
        });
    });
}

/// Makes a probe with `serial` listable and openable; replaces one of the same serial.
pub fn offer(serial: &str, profile: Profile, mut wire: Box<dyn Wire>) {
    wire.set_profile(&profile);
    let slot = Slot {
        serial: serial.to_owned(),
        profile,
        wire: Some(wire),
        denied: false,
    };
    let mut shelf = shelf();
    shelf.retain(|other| other.serial != serial);
    shelf.push(slot);
}

/// Takes the probe away. Where it is open, its wire is dropped when it is closed.
pub fn withdraw(serial: &str) {
    shelf().retain(|slot| slot.serial != serial);
}

/// Lets the operating system refuse access to the probe, or no longer.
pub fn deny(serial: &str, denied: bool) {
    if let Some(slot) = shelf().iter_mut().find(|slot| slot.serial == serial) {
        slot.denied = denied;
    }
}

/// Puts the wire of a closed probe back, if the probe is still offered.
pub(super) fn put_back(serial: &str, wire: Box<dyn Wire>) {
    if let Some(slot) = shelf().iter_mut().find(|slot| slot.serial == serial) {
        slot.wire.get_or_insert(wire);
    }
}

/// The driver: lists and opens the virtual probes.
#[derive(Debug)]
pub struct Factory;

impl fmt::Display for Factory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("virtual board")
    }
}

impl Factory {
    fn info(slot: &Slot) -> DebugProbeInfo {
        DebugProbeInfo::new(
            format!("virtual {}", slot.profile.name),
            VENDOR_ID,
            PRODUCT_ID,
            Some(slot.serial.clone()),
            &FACTORY,
            None,
            false,
        )
    }

    /// Takes the wire of the probe that is meant off the shelf.
    fn take(
        selector: &DebugProbeSelector,
    ) -> Result<(String, Profile, Box<dyn Wire>), DebugProbeError> {
        let mut shelf = shelf();
        let slot = shelf
            .iter_mut()
            .find(|slot| slot.plugged() && selector.matches_probe(&Self::info(slot)))
            .ok_or(ProbeCreationError::NotFound)?;
        if slot.denied {
            return Err(DebugProbeError::Usb(
                std::io::ErrorKind::PermissionDenied.into(),
            ));
        }
        let wire = slot
            .wire
            .take()
            .ok_or_else(|| DebugProbeError::Usb(std::io::ErrorKind::ResourceBusy.into()))?;
        Ok((slot.serial.clone(), slot.profile, wire))
    }
}

impl ProbeFactory for Factory {
    fn open(&self, selector: &DebugProbeSelector) -> Result<Box<dyn DebugProbe>, DebugProbeError> {
        let (serial, profile, wire) = Self::take(selector)?;
        Ok(match profile.interface {
            Interface::RawBits { max_bits } => {
                Box::new(VirtualProbe::new(serial, profile, max_bits, wire))
            }
            Interface::CmsisDap(packets) => {
                Box::new(CmsisDapProbe::open(serial, profile, packets, wire)?)
            }
        })
    }

    fn list_probes(&self) -> Vec<ProbeListItem> {
        shelf()
            .iter()
            .filter(|slot| slot.plugged())
            .map(|slot| ProbeListItem {
                info: Self::info(slot),
                accessibility: if slot.denied {
                    Accessibility::PermissionDenied
                } else {
                    Accessibility::Accessible
                },
            })
            .collect()
    }
}
