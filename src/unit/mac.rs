//! MAC addresses: EUI-48 and EUI-64, from a series.

use serde::Deserialize;

use super::rule::{Letters, Order};

/// A MAC address: `base` + number of the series × `stride`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Mac {
    /// The series that gives the number.
    pub series: String,
    /// The address for the number 0, such as `00:1B:63:00:00:00`; without it, the number is the address.
    pub base: Option<String>,
    /// Distance between the addresses of two neighbouring numbers: how many addresses a unit has.
    #[serde(default = "one")]
    pub stride: u64,
    /// Bits: 48 or 64.
    #[serde(default = "eui_48")]
    pub eui: u8,
    /// As bytes, or how it is written.
    #[serde(default)]
    pub form: MacForm,
    /// Order of the octets of `bytes`; as they are transmitted (`big`) by default.
    pub order: Option<Order>,
    /// Case of the letters of text.
    #[serde(default)]
    pub letters: Letters,
    /// That the addresses are not from the IEEE is known and meant.
    #[serde(default)]
    pub locally_administered: bool,
}

/// How a MAC address is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum MacForm {
    /// Six or eight bytes.
    #[default]
    Bytes,
    /// Text with colons.
    Colons,
    /// Text with dashes.
    Dashes,
    /// Text of digits only.
    Plain,
}

const fn one() -> u64 {
    1
}

const fn eui_48() -> u8 {
    48
}
