//! Which probe is which site: a map that somebody has stated, since USB itself has no places.

use serde::Deserialize;

use crate::link::{Listed, ProbePlace, ProbeSelector, SeatSign};
use crate::problem::{ExitCode, Problem};

/// The most sites of a station: each has its key.
pub const MOST_SITES: usize = 9;

/// A station's sites, as the file behind `--sites` has them.
#[derive(Clone, Debug, PartialEq)]
pub struct SiteMap {
    /// The station's label.
    pub station: Option<String>,
    /// Who operates it.
    pub operator: Option<String>,
    /// The sites, in the order of their keys.
    pub sites: Vec<SiteEntry>,
}

/// One site and its probe.
#[derive(Clone, Debug, PartialEq)]
pub struct SiteEntry {
    /// The label, as it stands on the fixture.
    pub label: String,
    /// Where its probe is.
    pub place: ProbePlace,
    /// What tells that a board is seated.
    pub sign: SeatSign,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    station: Option<String>,
    operator: Option<String>,
    #[serde(default)]
    site: Vec<FileSite>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileSite {
    label: String,
    probe: Option<String>,
    usb: Option<String>,
    #[serde(default)]
    seat: FileSeat,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum FileSeat {
    #[default]
    Supply,
    DebugPort,
}

impl SiteMap {
    /// Reads the file's text.
    ///
    /// # Errors
    /// Exit 2 for what is no site map, and for sites that cannot be told apart.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let file: File = toml::from_str(text).map_err(|error| refused(error.to_string()))?;
        let sites = file.site.into_iter().map(FileSite::entry);
        let map = SiteMap {
            station: file.station,
            operator: file.operator,
            sites: sites.collect::<Result<_, _>>()?,
        };
        map.checked()
    }

    /// The sites that `--site LABEL=PROBE` names, each with a probe by its selector or, as `usb:1-4.2`, by its port.
    ///
    /// # Errors
    /// As [`SiteMap::parse`].
    pub fn of_options(options: &[String]) -> Result<Self, Problem> {
        let entry = |option: &String| {
            let (label, probe) = option
                .split_once('=')
                .ok_or_else(|| refused(format!("\"{option}\" is not LABEL=PROBE")))?;
            Ok(SiteEntry {
                label: label.to_owned(),
                place: place(probe)?,
                sign: SeatSign::default(),
            })
        };
        let map = SiteMap {
            station: None,
            operator: None,
            sites: options.iter().map(entry).collect::<Result<_, Problem>>()?,
        };
        map.checked()
    }

    fn checked(self) -> Result<Self, Problem> {
        if self.sites.is_empty() {
            return Err(refused("it names no site".to_owned()));
        }
        if self.sites.len() > MOST_SITES {
            let why = format!(
                "it names {} sites; a station has at most {MOST_SITES}",
                self.sites.len()
            );
            return Err(refused(why));
        }
        for (n, site) in self.sites.iter().enumerate() {
            check_label(&site.label)?;
            for other in self.sites.iter().take(n) {
                if other.label == site.label {
                    return Err(refused(format!("two sites are called \"{}\"", site.label)));
                }
                if is_same_probe(&other.place, &site.place) {
                    let why = format!(
                        "sites {} and {} name the same probe, {}",
                        other.label, site.label, site.place
                    );
                    return Err(refused(why));
                }
            }
        }
        Ok(self)
    }

    /// What of `listed` belongs to no site: it is not used. Probes at ports are taken as `port_of` finds them.
    pub fn strangers(&self, listed: &[Listed]) -> Vec<Listed> {
        let ours: Vec<ProbeSelector> = self
            .sites
            .iter()
            .filter_map(|site| site.place.selector().ok())
            .collect();
        let is_ours = |probe: &Listed| {
            ours.iter()
                .any(|selector| covers(selector, &probe.selector()))
        };
        listed
            .iter()
            .filter(|probe| !is_ours(probe))
            .cloned()
            .collect()
    }
}

impl FileSite {
    fn entry(self) -> Result<SiteEntry, Problem> {
        let place = match (self.probe, self.usb) {
            (Some(probe), None) => named(&probe)?,
            (None, Some(port)) => at_port(&port)?,
            (Some(_), Some(_)) | (None, None) => {
                let why = format!("site {} needs either probe or usb", self.label);
                return Err(refused(why));
            }
        };
        let sign = match self.seat {
            FileSeat::Supply => SeatSign::Supply,
            FileSeat::DebugPort => SeatSign::DebugPort,
        };
        Ok(SiteEntry {
            label: self.label,
            place,
            sign,
        })
    }
}

/// What stands before a USB port on the command line.
const PORT: &str = "usb:";

fn place(text: &str) -> Result<ProbePlace, Problem> {
    match text.strip_prefix(PORT) {
        Some(port) => at_port(port),
        None => named(text),
    }
}

fn named(text: &str) -> Result<ProbePlace, Problem> {
    let selector = text
        .parse()
        .map_err(|error: crate::link::SelectorError| refused(error.to_string()))?;
    Ok(ProbePlace::Named(selector))
}

fn at_port(text: &str) -> Result<ProbePlace, Problem> {
    let port = text
        .parse()
        .map_err(|error: crate::link::UsbPortError| refused(error.to_string()))?;
    Ok(ProbePlace::Port(port))
}

/// Labels stand in records, file names and commands typed by operators.
fn check_label(label: &str) -> Result<(), Problem> {
    let is_sound = (1..=16).contains(&label.chars().count())
        && label
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if is_sound {
        return Ok(());
    }
    Err(refused(format!(
        "\"{label}\" is no label: 1 to 16 letters, digits, '-', '_' or '.'"
    )))
}

/// Whether `selector` may mean the probe that is called `probe`.
fn covers(selector: &ProbeSelector, probe: &ProbeSelector) -> bool {
    (selector.vendor_id, selector.product_id) == (probe.vendor_id, probe.product_id)
        && (selector.serial.is_none() || selector.serial == probe.serial)
}

fn is_same_probe(a: &ProbePlace, b: &ProbePlace) -> bool {
    match (a, b) {
        (ProbePlace::Named(a), ProbePlace::Named(b)) => covers(a, b) || covers(b, a),
        (ProbePlace::Port(a), ProbePlace::Port(b)) => a == b,
        // found out when both are connected
        (ProbePlace::Named(_), ProbePlace::Port(_))
        | (ProbePlace::Port(_), ProbePlace::Named(_)) => false,
    }
}

fn refused(why: String) -> Problem {
    Problem::new("site-map", ExitCode::Usage, "the sites are not stated clearly")
        .because(why)
        .fix("name each site once, with its probe: `rtflash probes` lists VID:PID:serial of those connected")
}
