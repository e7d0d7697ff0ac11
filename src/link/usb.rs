//! Which probe is connected to which USB port: a panel's sites are told apart by their cables.

use std::fmt;
use std::str::FromStr;

use nusb::MaybeFuture;

use super::error::LinkError;
use super::probes::{self, ProbeSelector};

/// A USB port as Linux names it: the bus, then the port of each hub on the way, such as `1-4.2`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UsbPort(String);

/// The text is not of the form `1-4.2`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{0}\" is not a USB port such as 1-4.2: the bus, a dash, and the port of each hub on the way"
)]
pub struct UsbPortError(pub String);

impl FromStr for UsbPort {
    type Err = UsbPortError;

    fn from_str(text: &str) -> Result<Self, UsbPortError> {
        let is_number = |part: &str| {
            part.parse::<u8>()
                .is_ok_and(|_| !part.starts_with(['+', '0']))
        };
        let is_port = text.split_once('-').is_some_and(|(bus, ports)| {
            !bus.is_empty()
                && bus.chars().all(|c| c.is_ascii_alphanumeric())
                && ports.split('.').all(is_number)
        });
        if is_port {
            Ok(UsbPort(text.to_owned()))
        } else {
            Err(UsbPortError(text.to_owned()))
        }
    }
}

impl fmt::Display for UsbPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The probe at `port`.
///
/// # Errors
/// [`LinkError::PortEmpty`], [`LinkError::Twins`].
pub(super) fn probe_at(port: &UsbPort) -> Result<ProbeSelector, LinkError> {
    let devices = devices(port)?;
    let listed = probes::list();
    let there = devices.iter().filter(|(at, _)| at == port);
    let probe = there
        .map(|(_, selector)| selector)
        .find(|selector| listed.iter().any(|probe| probe.selector() == **selector));
    let Some(probe) = probe else {
        return Err(LinkError::PortEmpty { port: port.clone() });
    };
    if devices.iter().filter(|(_, other)| other == probe).count() > 1 {
        return Err(LinkError::Twins {
            selector: probe.clone(),
        });
    }
    Ok(probe.clone())
}

/// Every USB device with the port it is connected to.
fn devices(asked: &UsbPort) -> Result<Vec<(UsbPort, ProbeSelector)>, LinkError> {
    let devices = nusb::list_devices()
        .wait()
        .map_err(|error| LinkError::NoUsbList {
            port: asked.clone(),
            reason: error.to_string(),
        })?;
    Ok(devices
        .map(|device| {
            let selector = ProbeSelector {
                vendor_id: device.vendor_id(),
                product_id: device.product_id(),
                serial: device.serial_number().map(str::to_owned),
            };
            (name(device.bus_id(), device.port_chain()), selector)
        })
        .collect())
}

/// As Linux names it in /sys/bus/usb/devices, where the bus has no leading zeros.
fn name(bus: &str, ports: &[u8]) -> UsbPort {
    let bus = bus.trim_start_matches('0');
    let ports: Vec<String> = ports.iter().map(u8::to_string).collect();
    UsbPort(format!("{bus}-{}", ports.join(".")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_named_as_linux_names_it() {
        assert_eq!(name("001", &[4, 2]).to_string(), "1-4.2");
        assert_eq!(name("010", &[1]).to_string(), "10-1");
        for right in ["1-4.2", "10-1", "2-1.1.4"] {
            assert_eq!(right.parse::<UsbPort>().expect("port").to_string(), right);
        }
        for wrong in [
            "", "1", "1-", "-1", "1-0", "1-4.", "1-4,2", "1-256", "1-+4", "1 -4",
        ] {
            assert!(wrong.parse::<UsbPort>().is_err(), "{wrong}");
        }
    }
}
