//! Check digits with a public definition.

use serde::Deserialize;

/// How a check digit is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
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
    Code39,
}
