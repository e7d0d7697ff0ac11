//! A serial number: a number of a series, alone or in a text with date and check digit.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::check_digit::CheckDigit;
use super::date::{day, zone};
use super::digits::{BASE_32, DECIMAL, HEX, HEX_LOWER, in_digits, packed};
use super::encoded::{Encoded, number_bytes};
use super::facts::Number;
use super::rule::Order;
use super::series::Series;
use super::template::{self, Part};

/// A serial number.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
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
    #[serde(rename = "base-32")]
    Base32,
}

/// What a check digit is computed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
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

impl SerialFormat {
    /// Its digits; none for a binary number.
    const fn alphabet(self) -> Option<&'static str> {
        match self {
            SerialFormat::Binary => None,
            SerialFormat::Bcd | SerialFormat::Decimal => Some(DECIMAL),
            SerialFormat::Hex => Some(HEX),
            SerialFormat::HexLower => Some(HEX_LOWER),
            SerialFormat::Base32 => Some(BASE_32),
        }
    }
}

impl Serial {
    /// Checks the rule by itself and with the numbers that may come.
    ///
    /// # Errors
    /// Why it cannot be.
    pub(super) fn checked(&self, series: &Series) -> Result<(), String> {
        let parts = template::parse(&self.text)?;
        let count = |part: &Part| parts.iter().filter(|p| *p == part).count();
        if count(&Part::Number) != 1 {
            return Err("its text must have {number} once: units must differ".to_owned());
        }
        match (count(&Part::Check), self.check) {
            (0, None) => {}
            (1, Some(check)) => self.check_is_defined(check, &parts)?,
            (_, None) => return Err("its text has {check}, and `check` is not given".to_owned()),
            (0, Some(_)) => return Err("`check` is given, and its text has no {check}".to_owned()),
            (_, Some(_)) => return Err("its text has {check} more than once".to_owned()),
        }
        let is_text = !matches!(self.format, SerialFormat::Binary | SerialFormat::Bcd);
        if is_text && self.order.is_some() {
            return Err("text has no byte order: leave `order` out".to_owned());
        }
        if self.format == SerialFormat::Binary && parts != [Part::Number] {
            return Err("a binary number has no text around it".to_owned());
        }
        // every number that comes has as many digits as the largest has or fewer
        let largest = Number {
            number: series.largest(),
            reserved_at: Timestamp::UNIX_EPOCH,
        };
        self.encoded(&largest).map(|_| ())
    }

    fn check_is_defined(&self, check: CheckDigit, parts: &[Part]) -> Result<(), String> {
        let alphabet = self.format.alphabet().unwrap_or_default();
        let before = parts.split(|part| *part == Part::Check).next();
        let before = before.unwrap_or_default();
        if !before.contains(&Part::Number) {
            return Err("{check} stands before {number}".to_owned());
        }
        let literals = before.iter().filter_map(|part| match part {
            Part::Literal(c) if self.check_over == CheckOver::Text => Some(*c),
            _ => None,
        });
        if let Some(c) = alphabet
            .chars()
            .chain(literals)
            .find(|c| !check.accepts(*c))
        {
            return Err(format!("its check digit is not defined over `{c}`"));
        }
        if self.format == SerialFormat::Bcd && !check.is_digits() {
            return Err("its check digit may be a letter, which BCD does not have".to_owned());
        }
        Ok(())
    }

    /// For one unit.
    ///
    /// # Errors
    /// Why it cannot be.
    pub(super) fn encoded(&self, number: &Number) -> Result<Encoded, String> {
        let Some(alphabet) = self.format.alphabet() else {
            return Ok(Encoded {
                bytes: number_bytes(number.number, self.width, self.order)?,
                text: number.number.to_string(),
            });
        };
        let digits = in_digits(number.number, alphabet, self.width)?;
        let date = day(number.reserved_at, zone(&self.time_zone)?);
        let mut text = String::new();
        for part in template::parse(&self.text)? {
            match part {
                Part::Literal(c) => text.push(c),
                Part::Number => text.push_str(&digits),
                Part::Date(part) => text.push_str(&part.of(date)),
                Part::Check => {
                    let check = self.check.ok_or("`check` is not given")?;
                    let over = match self.check_over {
                        CheckOver::Number => &digits,
                        CheckOver::Text => &text,
                    };
                    let check = check.behind(over)?;
                    text.push_str(&check);
                }
            }
        }
        if self.format == SerialFormat::Bcd {
            let bytes = packed(&text)?;
            let bytes = self.order.unwrap_or(Order::Big).of(bytes);
            return Ok(Encoded { bytes, text });
        }
        Ok(Encoded::text(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(last: u64) -> Series {
        Series {
            name: "sn".to_owned(),
            first: 1,
            last,
            step: 1,
            on_failure: super::super::OnFailure::Keep,
        }
    }

    /// A rule as a job has it.
    fn serial(rule: &str) -> Serial {
        toml::from_str(&format!("series = 'sn'\n{rule}")).expect("a serial")
    }

    fn on(rule: &str, number: u64, at: &str) -> Encoded {
        let serial = serial(rule);
        serial.checked(&series(number)).expect(rule);
        let number = Number {
            number,
            reserved_at: at.parse().expect("a time"),
        };
        serial.encoded(&number).expect(rule)
    }

    const DAY: &str = "2026-11-23T01:37:14Z";

    fn bytes(rule: &str, number: u64) -> Vec<u8> {
        on(rule, number, DAY).bytes
    }

    fn text(rule: &str, number: u64) -> String {
        let encoded = on(rule, number, DAY);
        assert_eq!(encoded.bytes, encoded.text.as_bytes());
        encoded.text
    }

    #[test]
    fn every_format_is_as_computed_by_hand() {
        // 1234567 = 0x12D687
        let is = |rule, expected: &[u8]| assert_eq!(bytes(rule, 1_234_567), expected, "{rule}");
        is("format = 'binary'\nwidth = 4", &[0x87, 0xD6, 0x12, 0x00]);
        is(
            "format = 'binary'\nwidth = 4\norder = 'big'",
            &[0x00, 0x12, 0xD6, 0x87],
        );
        is("format = 'binary'\nwidth = 3", &[0x87, 0xD6, 0x12]);
        is("format = 'bcd'\nwidth = 8", &[0x01, 0x23, 0x45, 0x67]);
        is("format = 'bcd'\nwidth = 7", &[0x01, 0x23, 0x45, 0x67]);
        is(
            "format = 'bcd'\nwidth = 8\norder = 'little'",
            &[0x67, 0x45, 0x23, 0x01],
        );
        is("format = 'decimal'\nwidth = 8", b"01234567");
        is("format = 'hex'\nwidth = 8", b"0012D687");
        is("format = 'hex-lower'\nwidth = 6", b"12d687");
        // 1234567 = 1·32⁴ + 5·32³ + 21·32² + 20·32 + 7
        is("format = 'base-32'\nwidth = 6", b"015NM7");
    }

    #[test]
    fn text_date_and_check_digit_stand_where_they_are_put() {
        assert_eq!(
            text(
                "format = 'decimal'\nwidth = 6\ntext = 'RT{iyy}{ww}-{number}/A'",
                42
            ),
            "RT2648-000042/A"
        );
        assert_eq!(
            text(
                "format = 'decimal'\nwidth = 10\ntext = 'SN {number}-{check}'\ncheck = 'luhn'",
                7_992_739_871
            ),
            "SN 7992739871-3"
        );
        let mod_97 =
            "format = 'decimal'\nwidth = 3\ntext = 'GB{number}{check}'\ncheck = 'mod-97-10'";
        assert_eq!(text(mod_97, 794), "GB79444");
        // GB794: 16 11 794 = 1611794; 161179400 mod 97 = 60
        let over_all = format!("{mod_97}\ncheck_over = 'text'");
        assert_eq!(
            text(&over_all, 794),
            format!("GB794{:02}", 98 - 161_179_400 % 97)
        );
        assert_eq!(
            text(
                "format = 'hex'\nwidth = 4\ntext = '{yyyy}{mm}{dd}:{ddd}:{number}{check}'\ncheck = 'code-39'",
                0xC0DE
            ),
            // 12 + 0 + 13 + 14 = 39, which is $
            "20261123:327:C0DE$"
        );
    }

    #[test]
    fn date_and_check_digit_go_into_bcd_as_well() {
        let rule =
            "format = 'bcd'\nwidth = 4\ntext = '{iyy}{ww}{number}{check}'\ncheck = 'mod-11-10'";
        // 2648 0794 5, nine digits
        assert_eq!(bytes(rule, 794), [0x02, 0x64, 0x80, 0x79, 0x45]);
    }

    #[test]
    fn the_date_is_that_of_the_reservation_in_the_rule_s_zone() {
        let rule = "format = 'decimal'\nwidth = 1\ntext = '{yyyy}{mm}{dd}-{number}'";
        let late = "2026-12-31T23:30:00Z";
        assert_eq!(on(rule, 1, late).text, "20261231-1");
        let rule = format!("{rule}\ntime_zone = '+01:00'");
        assert_eq!(on(&rule, 1, late).text, "20270101-1");
    }

    #[test]
    fn a_rule_that_cannot_work_for_every_number_is_refused() {
        let refused = |rule: &str, last: u64, word: &str| {
            let why = serial(rule).checked(&series(last)).expect_err(rule);
            assert!(why.contains(word), "{rule}: {why}");
        };
        refused("format = 'decimal'\nwidth = 3", 1000, "does not fit");
        refused("format = 'hex'\nwidth = 2", 256, "does not fit");
        refused("format = 'binary'\nwidth = 2", 0x1_0000, "does not fit");
        refused("format = 'binary'\nwidth = 9", 1, "1 to 8");
        refused(
            "format = 'binary'\nwidth = 2\ntext = 'A{number}'",
            1,
            "around",
        );
        refused("format = 'decimal'\nwidth = 3\ntext = 'A'", 1, "{number}");
        refused(
            "format = 'decimal'\nwidth = 3\ntext = '{number}{number}'",
            1,
            "{number}",
        );
        refused(
            "format = 'decimal'\nwidth = 3\norder = 'little'",
            1,
            "byte order",
        );
        refused(
            "format = 'decimal'\nwidth = 3\ncheck = 'luhn'",
            1,
            "{check}",
        );
        refused(
            "format = 'decimal'\nwidth = 3\ntext = '{number}{check}'",
            1,
            "`check`",
        );
        refused(
            "format = 'decimal'\nwidth = 3\ntext = '{check}{number}'\ncheck = 'luhn'",
            1,
            "before",
        );
        refused(
            "format = 'hex'\nwidth = 3\ntext = '{number}{check}'\ncheck = 'luhn'",
            1,
            "`A`",
        );
        refused(
            "format = 'decimal'\nwidth = 3\ntext = 'A{number}{check}'\ncheck = 'luhn'\ncheck_over = 'text'",
            1,
            "`A`",
        );
        refused(
            "format = 'bcd'\nwidth = 3\ntext = '{number}{check}'\ncheck = 'mod-11-2'",
            1,
            "BCD",
        );
        refused(
            "format = 'bcd'\nwidth = 3\ntext = 'A{number}'",
            1,
            "decimal digit",
        );
        refused(
            "format = 'decimal'\nwidth = 3\ntime_zone = 'Europe/Berlin'",
            1,
            "time zone",
        );
    }

    proptest::proptest! {
        #[test]
        fn a_number_can_be_read_back_from_every_format(number in 0_u64..1_000_000_000_000) {
            let encoded = |rule: &str| on(rule, number.max(1), DAY);
            let number = number.max(1);
            let little: [u8; 8] = encoded("format = 'binary'\nwidth = 8").bytes.try_into().expect("8 bytes");
            proptest::prop_assert_eq!(u64::from_le_bytes(little), number);
            let big = encoded("format = 'binary'\nwidth = 8\norder = 'big'").bytes;
            proptest::prop_assert_eq!(u64::from_be_bytes(big.try_into().expect("8 bytes")), number);
            proptest::prop_assert_eq!(encoded("format = 'decimal'\nwidth = 13").text.parse::<u64>(), Ok(number));
            let hex = encoded("format = 'hex'\nwidth = 12").text;
            proptest::prop_assert_eq!(u64::from_str_radix(&hex, 16), Ok(number));
            let mut bcd = encoded("format = 'bcd'\nwidth = 14\norder = 'little'").bytes;
            bcd.reverse();
            let digits: String = bcd.iter().map(|byte| format!("{byte:02x}")).collect();
            proptest::prop_assert_eq!(digits.parse::<u64>(), Ok(number));
        }
    }
}
