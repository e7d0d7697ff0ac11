//! Which debug probes there are, and which one is meant.

use std::any::Any;
use std::fmt;
use std::str::FromStr;

use probe_rs::probe::jlink::{JLink, JLinkFactory};
use probe_rs::probe::list::{Accessibility, Lister};
use probe_rs::probe::{
    DebugProbe, DebugProbeError, DebugProbeInfo, DebugProbeSelector, JtagAccess, Probe,
    ProbeFactory, RawSwdIo,
};

use super::error::LinkError;
use super::fault::open_error;
use super::joined::Joined;

/// Chooses a probe: `VID:PID` or `VID:PID:serial`, numbers in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeSelector {
    /// USB vendor ID.
    pub vendor_id: u16,
    /// USB product ID.
    pub product_id: u16,
    /// USB serial number.
    pub serial: Option<String>,
}

/// The text is not of the form `VID:PID[:serial]`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not VID:PID or VID:PID:serial with hexadecimal numbers, such as 1366:0101")]
pub struct SelectorError(pub String);

impl FromStr for ProbeSelector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        let error = || SelectorError(text.to_owned());
        let number = |part: Option<&str>| {
            let part = part.filter(|p| (1..=4).contains(&p.len()) && !p.starts_with('+'));
            part.and_then(|p| u16::from_str_radix(p, 16).ok())
                .ok_or_else(error)
        };
        // The serial may hold colons.
        let mut parts = text.splitn(3, ':');
        Ok(ProbeSelector {
            vendor_id: number(parts.next())?,
            product_id: number(parts.next())?,
            serial: parts.next().map(str::to_owned),
        })
    }
}

impl fmt::Display for ProbeSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04x}:{:04x}", self.vendor_id, self.product_id)?;
        match &self.serial {
            Some(serial) => write!(f, ":{serial}"),
            None => Ok(()),
        }
    }
}

/// One probe that is connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// What the probe calls itself.
    pub name: String,
    /// The kind of driver, such as `J-Link` or `CMSIS-DAP`.
    pub driver: String,
    /// USB vendor ID.
    pub vendor_id: u16,
    /// USB product ID.
    pub product_id: u16,
    /// USB serial number.
    pub serial: Option<String>,
    /// Whether the operating system lets this user open it.
    pub accessible: bool,
}

impl Listed {
    /// The selector that means exactly this probe.
    pub fn selector(&self) -> ProbeSelector {
        ProbeSelector {
            vendor_id: self.vendor_id,
            product_id: self.product_id,
            serial: self.serial.clone(),
        }
    }
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.selector(), self.name)
    }
}

/// All probes that are connected, in the driver's order, each once.
pub fn list() -> Vec<Listed> {
    found(None).into_iter().map(|(listed, _)| listed).collect()
}

/// Whether `selector` means a probe that can be opened: one that is connected, or one behind a network address, which is in
/// no list.
pub fn is_there(selector: &ProbeSelector) -> bool {
    !found(Some(selector)).is_empty()
}

/// Opens the probe that `selector` means, or the only one; `plain` leaves its memory accesses as probe-rs has them.
///
/// # Errors
/// [`LinkError`] where there is none, where there are several, or where it cannot be opened.
pub(super) fn open(
    selector: Option<&ProbeSelector>,
    plain: bool,
) -> Result<(Probe, Listed), LinkError> {
    let mut candidates = found(selector);
    let (listed, info) = match (candidates.pop(), selector) {
        (None, None) => return Err(LinkError::NoProbe),
        (None, Some(selector)) => {
            return Err(LinkError::ProbeNotFound {
                selector: selector.clone(),
                listed: list(),
            });
        }
        (Some(only), _) if candidates.is_empty() => only,
        (Some(last), _) => {
            candidates.push(last);
            let listed = candidates.into_iter().map(|(listed, _)| listed).collect();
            return Err(LinkError::SeveralProbes { listed });
        }
    };
    if !listed.accessible {
        return Err(LinkError::Permission {
            probe: listed.to_string(),
        });
    }
    let opened = if plain {
        info.open()
    } else {
        open_joined(&info)
    };
    match opened {
        Ok(probe) => Ok((probe, listed)),
        Err(error) => Err(open_error(&error, listed.to_string())),
    }
}

/// Opens a probe; one that takes raw SWD bits with its memory accesses joined.
fn open_joined(info: &DebugProbeInfo) -> Result<Probe, DebugProbeError> {
    let selector = DebugProbeSelector::from(info);
    if info.is_probe_type::<JLinkFactory>() {
        return joined::<JLink>(JLinkFactory.open(&selector)?);
    }
    #[cfg(feature = "virtual-board")]
    if info.is_probe_type::<virtual_board::probe::Factory>() {
        let opened = virtual_board::probe::Factory.open(&selector)?;
        let plain: &dyn Any = &*opened;
        return if plain.is::<virtual_board::probe::VirtualProbe>() {
            joined::<virtual_board::probe::VirtualProbe>(opened)
        } else {
            Ok(Probe::from_specific_probe(opened))
        };
    }
    info.open()
}

fn joined<P: RawSwdIo + JtagAccess>(opened: Box<dyn DebugProbe>) -> Result<Probe, DebugProbeError> {
    let opened: Box<dyn Any> = opened;
    match opened.downcast::<P>() {
        Ok(probe) => Ok(Probe::new(Joined::new(*probe))),
        // a factory that gives another type than its own is not the one this was written for
        Err(_) => Err(DebugProbeError::NotImplemented {
            function_name: "open",
        }),
    }
}

fn found(selector: Option<&ProbeSelector>) -> Vec<(Listed, DebugProbeInfo)> {
    let selector = selector.map(|s| DebugProbeSelector {
        vendor_id: s.vendor_id,
        product_id: s.product_id,
        interface: None,
        serial_number: s.serial.clone(),
    });
    let mut found: Vec<(Listed, DebugProbeInfo)> = Vec::new();
    for item in Lister::new().list_with_access(selector.as_ref()) {
        let listed = Listed {
            name: item.info.identifier.clone(),
            driver: item.info.probe_type(),
            vendor_id: item.info.vendor_id,
            product_id: item.info.product_id,
            serial: item.info.serial_number.clone(),
            accessible: item.accessibility == Accessibility::Accessible,
        };
        // A CMSIS-DAP probe with two interfaces is listed twice; the driver itself takes the better one.
        if !found
            .iter()
            .any(|(other, _)| other.selector() == listed.selector())
        {
            found.push((listed, item.info));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::ProbeSelector;

    #[test]
    fn a_selector_is_two_hexadecimal_numbers_and_perhaps_a_serial() {
        let selector: ProbeSelector = "1366:0101:00:11".parse().expect("selector");
        assert_eq!((selector.vendor_id, selector.product_id), (0x1366, 0x0101));
        assert_eq!(selector.serial.as_deref(), Some("00:11"));
        assert_eq!(selector.to_string(), "1366:0101:00:11");
        for wrong in [
            "",
            "1366",
            "J-Link",
            "1366:",
            "13660:1",
            "+1:2",
            ":1366:0101",
        ] {
            assert!(wrong.parse::<ProbeSelector>().is_err(), "{wrong}");
        }
    }
}
