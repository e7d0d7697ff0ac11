//! Check digits with a public definition.

use serde::{Deserialize, Serialize};

/// How a check digit is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum CheckDigit {
    /// Mod 10 with every second digit doubled (ISO/IEC 7812-1, annex B): payment cards, IMEI.
    Luhn,
    /// Mod 10 with weights 3 and 1 (GS1 General Specifications, 7.9): EAN, SSCC.
    Gs1,
    /// ISO/IEC 7064 MOD 11-2: a digit or X; ISNI, ORCID.
    #[serde(rename = "mod-11-2")]
    Mod11_2,
    /// ISO/IEC 7064 MOD 11,10: always a digit.
    #[serde(rename = "mod-11-10")]
    Mod11_10,
    /// ISO/IEC 7064 MOD 97-10: two digits, over digits and letters; IBAN.
    #[serde(rename = "mod-97-10")]
    Mod97_10,
    /// ISO/IEC 7064 MOD 37,36: a digit or letter, over digits and letters; GRid.
    #[serde(rename = "mod-37-36")]
    Mod37_36,
    /// Mod 43 of Code 39 (ISO/IEC 16388, annex A), over its 43 characters.
    #[serde(rename = "code-39")]
    Code39,
}

/// ISO/IEC 7064's letters, and Code 39's characters, by their values.
const ALPHANUMERIC: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const CODE_39: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%";

impl CheckDigit {
    /// Characters that it is defined over, by their values.
    const fn alphabet(self) -> &'static str {
        match self {
            CheckDigit::Luhn | CheckDigit::Gs1 | CheckDigit::Mod11_2 | CheckDigit::Mod11_10 => {
                super::digits::DECIMAL
            }
            CheckDigit::Mod97_10 | CheckDigit::Mod37_36 => ALPHANUMERIC,
            CheckDigit::Code39 => CODE_39,
        }
    }

    fn value(self, c: char) -> Option<u32> {
        let position = self.alphabet().find(c)?;
        u32::try_from(position).ok()
    }

    /// Whether it is defined over `c`.
    pub(super) fn accepts(self, c: char) -> bool {
        self.value(c).is_some()
    }

    /// Whether it is always made of decimal digits.
    pub(super) const fn is_digits(self) -> bool {
        !matches!(
            self,
            CheckDigit::Mod11_2 | CheckDigit::Mod37_36 | CheckDigit::Code39
        )
    }

    /// The check digit, or the two of them, behind `text`.
    ///
    /// # Errors
    /// Why it has none.
    pub(super) fn behind(self, text: &str) -> Result<String, String> {
        let values: Option<Vec<u32>> = text.chars().map(|c| self.value(c)).collect();
        let values = values.filter(|values| !values.is_empty()).ok_or_else(|| {
            format!("the check digit is not defined over all characters of `{text}`")
        })?;
        let check = match self {
            CheckDigit::Luhn => from_tens(weighted(&values, |value| {
                let doubled = value * 2;
                doubled / 10 + doubled % 10
            })),
            CheckDigit::Gs1 => from_tens(weighted(&values, |value| value * 3)),
            CheckDigit::Mod11_2 => {
                let rest = values.iter().fold(0, |rest, value| (rest + value) * 2 % 11);
                let check = (12 - rest) % 11;
                return Ok(if check == 10 {
                    "X".to_owned()
                } else {
                    check.to_string()
                });
            }
            CheckDigit::Mod11_10 => hybrid(&values, 10),
            CheckDigit::Mod37_36 => hybrid(&values, 36),
            CheckDigit::Mod97_10 => {
                // a letter counts as its two decimal digits
                let rest = values.iter().fold(0, |rest, value| {
                    let places = if *value < 10 { 10 } else { 100 };
                    (rest * places + value) % 97
                });
                return Ok(format!("{:02}", 98 - rest * 100 % 97));
            }
            CheckDigit::Code39 => values.iter().sum::<u32>() % 43,
        };
        let digit = self.alphabet().chars().nth(check as usize);
        digit
            .map(String::from)
            .ok_or_else(|| "the check digit has no character".to_owned())
    }
}

/// Sum of the values, of which every second one, beginning with the last, counts as `heavy` says.
fn weighted(values: &[u32], heavy: impl Fn(u32) -> u32) -> u32 {
    let from_last = values.iter().rev().enumerate();
    from_last
        .map(|(index, value)| {
            if index % 2 == 0 {
                heavy(*value)
            } else {
                *value
            }
        })
        .sum()
}

/// What fills up `sum` to a multiple of ten.
const fn from_tens(sum: u32) -> u32 {
    (10 - sum % 10) % 10
}

/// A hybrid system of ISO/IEC 7064 with modulus `m` and `m` + 1.
fn hybrid(values: &[u32], m: u32) -> u32 {
    let product = values.iter().fold(m, |product, value| {
        let sum = (product + value) % m;
        let sum = if sum == 0 { m } else { sum };
        sum * 2 % (m + 1)
    });
    (m + 1 - product) % m
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_examples_come_out() {
        for (kind, text, check) in [
            // the usual example of the Luhn algorithm; an IMEI (GSMA TS.06); a test card number
            (CheckDigit::Luhn, "7992739871", "3"),
            (CheckDigit::Luhn, "49015420323751", "8"),
            (CheckDigit::Luhn, "411111111111111", "1"),
            // GS1: how to calculate a check digit, GTIN-13; an EAN-8
            (CheckDigit::Gs1, "629104150021", "3"),
            (CheckDigit::Gs1, "7351353", "7"),
            // ORCID: structure of the identifier
            (CheckDigit::Mod11_2, "000000021825009", "7"),
            (CheckDigit::Mod11_2, "000000029079593", "X"),
            // ISO/IEC 7064's own example 0794
            (CheckDigit::Mod11_2, "0794", "0"),
            (CheckDigit::Mod11_10, "0794", "5"),
            (CheckDigit::Mod97_10, "794", "44"),
            // IBAN GB82 WEST 1234 5698 7654 32, rearranged
            (CheckDigit::Mod97_10, "WEST12345698765432GB", "82"),
            // GRid A1-2425G-ABC1234002-M
            (CheckDigit::Mod37_36, "A12425GABC1234002", "M"),
            // Code 39 with check character: 12345ABCDE/ sums to 115
            (CheckDigit::Code39, "12345ABCDE/", "T"),
            (CheckDigit::Code39, "CODE39", "W"),
        ] {
            assert_eq!(kind.behind(text).as_deref(), Ok(check), "{kind:?} {text}");
        }
    }

    #[test]
    fn characters_without_a_value_are_refused() {
        assert!(CheckDigit::Luhn.behind("12A").is_err());
        assert!(CheckDigit::Mod37_36.behind("12a").is_err());
        assert!(CheckDigit::Code39.behind("AB_").is_err());
        assert!(CheckDigit::Luhn.behind("").is_err());
        assert!(!CheckDigit::Luhn.accepts('A'));
        assert!(CheckDigit::Code39.accepts('%'));
    }

    proptest::proptest! {
        /// What check digits are for.
        #[test]
        fn one_wrong_digit_changes_the_check_digit(
            text in "[0-9]{1,20}", at in 0_usize..20, by in 1_u8..10,
        ) {
            let at = at % text.len();
            let mut wrong = text.clone().into_bytes();
            wrong[at] = b'0' + (wrong[at] - b'0' + by) % 10;
            let wrong = String::from_utf8(wrong).expect("digits");
            for kind in [
                CheckDigit::Luhn, CheckDigit::Gs1, CheckDigit::Mod11_2, CheckDigit::Mod11_10,
                CheckDigit::Mod97_10, CheckDigit::Mod37_36, CheckDigit::Code39,
            ] {
                proptest::prop_assert_ne!(kind.behind(&text), kind.behind(&wrong), "{:?}", kind);
            }
        }
    }
}
