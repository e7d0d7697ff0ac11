//! Values that are known without a series: the chip's unique ID and the time.

use serde::Deserialize;

use super::rule::{Letters, Order};

/// A copy of the chip's unique ID.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct UidCopy {
    /// As bytes or as text.
    #[serde(default)]
    pub form: UidForm,
    /// Order of the eight bytes; by default `little`, as firmware reads the two fuse words.
    pub order: Option<Order>,
    /// Case of the letters of text.
    #[serde(default)]
    pub letters: Letters,
}

/// How a unique ID is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum UidForm {
    /// Eight bytes.
    #[default]
    Bytes,
    /// 16 hexadecimal digits, as `rtflash info` prints it.
    Text,
}

/// When the unit was flashed: the station's clock when the unit was claimed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Stamp {
    /// How it is written.
    pub form: StampForm,
    /// Order of the bytes of a number; little-endian by default.
    pub order: Option<Order>,
}

/// How a time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum StampForm {
    /// Seconds since 1970 in four bytes, without sign: good until 2106.
    #[serde(rename = "unix-32")]
    Unix32,
    /// Seconds since 1970 in eight bytes.
    #[serde(rename = "unix-64")]
    Unix64,
    /// Text such as `2026-11-23T01:37:14Z`, always UTC.
    Iso,
}
