//! Values that somebody else gives as text: a scanned code, a CSV file, a program.

use serde::{Deserialize, Serialize};

use super::encoded::{Encoded, number_bytes};
use super::rule::Order;

/// How given text becomes bytes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
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

impl Given {
    /// # Errors
    /// Why the rule cannot be.
    pub(super) fn checked(&self) -> Result<(), String> {
        match self.form {
            GivenForm::Text if self.order.is_some() => {
                Err("text has no byte order: leave `order` out".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// The bytes of `value`, for `length` of them: a number fills them, hexadecimal digits must be exactly as many, text may
    /// be shorter.
    ///
    /// # Errors
    /// Why the value is none.
    pub(super) fn encoded(&self, value: &str, length: u32) -> Result<Encoded, String> {
        if value.is_empty() {
            return Err("it is empty".to_owned());
        }
        let bytes = match self.form {
            GivenForm::Text => value.as_bytes().to_vec(),
            GivenForm::Hex => {
                let bytes = hex_bytes(value)?;
                if bytes.len() != length as usize {
                    return Err(format!("it has {} bytes, not {length}", bytes.len()));
                }
                self.order.unwrap_or(Order::Big).of(bytes)
            }
            GivenForm::Number => {
                let number = number(value).ok_or("it is no number")?;
                number_bytes(number, length, self.order)?
            }
        };
        Ok(Encoded {
            bytes,
            text: value.to_owned(),
        })
    }

    /// A value that the rule takes, for trying it out.
    pub(super) fn sample(&self, length: u32) -> String {
        match self.form {
            GivenForm::Text => "x".to_owned(),
            GivenForm::Hex => "00".repeat(length as usize),
            GivenForm::Number => "0".to_owned(),
        }
    }
}

/// Decimal, or hexadecimal with 0x in front.
fn number(text: &str) -> Option<u64> {
    let (digits, radix) = match text.strip_prefix("0x").or(text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None => (text, 10),
    };
    let is_number = digits.chars().all(|c| c.is_digit(radix));
    u64::from_str_radix(digits, radix)
        .ok()
        .filter(|_| is_number)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(rule: &str, value: &str, length: u32) -> Result<Vec<u8>, String> {
        let given: Given = toml::from_str(rule).expect("a rule");
        Ok(given.encoded(value, length)?.bytes)
    }

    #[test]
    fn given_values_are_taken_as_the_rule_says() {
        assert_eq!(bytes("", "AB-1", 8), Ok(b"AB-1".to_vec()));
        let hex = "form = 'hex'";
        assert_eq!(
            bytes(hex, "de:ad BE-EF", 4),
            Ok(vec![0xDE, 0xAD, 0xBE, 0xEF])
        );
        let little = "form = 'hex'\norder = 'little'";
        assert_eq!(
            bytes(little, "DEADBEEF", 4),
            Ok(vec![0xEF, 0xBE, 0xAD, 0xDE])
        );
        let number = "form = 'number'";
        assert_eq!(bytes(number, "258", 4), Ok(vec![2, 1, 0, 0]));
        let big = "form = 'number'\norder = 'big'";
        assert_eq!(bytes(big, "0x102", 2), Ok(vec![1, 2]));
    }

    #[test]
    fn a_value_that_is_none_is_refused() {
        assert!(bytes("", "", 8).is_err());
        let hex = "form = 'hex'";
        for value in ["DEADBEE", "DEADBE", "DEADBEEFAA", "xx", ""] {
            assert!(bytes(hex, value, 4).is_err(), "{value}");
        }
        let number = "form = 'number'";
        for value in ["-1", "+1", "1.5", "0x", "256", " 1", "18446744073709551616"] {
            assert!(bytes(number, value, 1).is_err(), "{value}");
        }
    }
}
