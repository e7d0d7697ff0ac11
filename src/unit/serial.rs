//! A serial number: a number of a series, alone or in a text with date and check digit.

use serde::Deserialize;

use super::check_digit::CheckDigit;
use super::rule::Order;

/// A serial number.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Serial {
    /// The series that gives the number.
    pub series: String,
    /// How it is written.
    pub format: SerialFormat,
    /// Bytes of a binary number, else digits; the number is filled up with zeros in front.
    pub width: u32,
    /// Order of the bytes; little-endian by default for `binary`, big-endian for `bcd`. Text has none.
    pub order: Option<Order>,
    /// What stands around the number: `{number}`, `{check}`, and of the day on which the number was first reserved
    /// `{yyyy}`, `{yy}`, `{mm}`, `{dd}`, `{ddd}` (day of the year), `{ww}` (ISO week) with its year `{iyyy}` or `{iyy}`;
    /// `{{` is a brace. Not for `binary`.
    #[serde(default = "number_alone")]
    pub text: String,
    /// How `{check}` is computed.
    pub check: Option<CheckDigit>,
    /// Over what.
    #[serde(default)]
    pub check_over: CheckOver,
    /// Time zone of the date: `UTC`, or a fixed distance such as `+01:00`, so that every station writes the same day.
    #[serde(default = "utc")]
    pub time_zone: String,
}

/// How a serial number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum SerialFormat {
    /// The number itself, in 1 to 8 bytes.
    Binary,
    /// Decimal digits, two in a byte.
    Bcd,
    /// Decimal digits as text.
    Decimal,
    /// Hexadecimal digits as text, with capitals.
    Hex,
    /// Hexadecimal digits as text, with small letters.
    HexLower,
    /// Digits and capitals without I, L, O, U as text (Crockford's base 32): nothing to be misread.
    Base32,
}

/// What a check digit is computed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum CheckOver {
    /// The digits of the number.
    #[default]
    Number,
    /// All of the text before it.
    Text,
}

fn number_alone() -> String {
    "{number}".to_owned()
}

pub(super) fn utc() -> String {
    "UTC".to_owned()
}
