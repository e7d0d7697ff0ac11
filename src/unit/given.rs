//! Values that somebody else gives as text: a scanned code, a CSV file, a program.

use serde::Deserialize;

use super::rule::Order;

/// How given text becomes bytes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// What the text is.
    #[serde(default)]
    pub form: GivenForm,
    /// Order of the bytes of a number or of hexadecimal digits; little-endian by default for a number, as written for
    /// digits. Text has none.
    pub order: Option<Order>,
}

/// What given text is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum GivenForm {
    /// Text, which goes into the flash as it is, in UTF-8.
    #[default]
    Text,
    /// Hexadecimal digits, two for each byte; `:`, `-` and blanks between them do not count.
    Hex,
    /// A decimal number, or a hexadecimal one that begins with 0x, of `length` bytes.
    Number,
}

/// The bytes that `digits` are, two for each.
///
/// # Errors
/// Why they are none.
pub(super) fn hex_bytes(digits: &str) -> Result<Vec<u8>, String> {
    let is_between = |c: char| matches!(c, ':' | '-') || c.is_whitespace();
    let nibbles: Option<Vec<u32>> = digits
        .chars()
        .filter(|c| !is_between(*c))
        .map(|c| c.to_digit(16))
        .collect();
    let nibbles = nibbles.ok_or("something in it is no hexadecimal digit")?;
    let (pairs, rest) = nibbles.as_chunks::<2>();
    if !rest.is_empty() {
        return Err("it has an odd number of digits".to_owned());
    }
    Ok(pairs
        .iter()
        .filter_map(|[high, low]| u8::try_from(high << 4 | low).ok())
        .collect())
}
