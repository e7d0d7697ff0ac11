//! Values that are known without a series: the chip's unique ID and the time.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::encoded::{Encoded, hex_text, number_bytes};
use super::rule::{Letters, Order};

/// A copy of the chip's unique ID.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Stamp {
    /// How it is written.
    pub form: StampForm,
    /// Order of the bytes of a number; little-endian by default.
    pub order: Option<Order>,
}

/// How a time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
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

/// Size of a unique ID in bytes.
const UID_BYTES: u32 = 8;

impl UidCopy {
    /// # Errors
    /// Why the rule cannot be.
    pub(super) fn checked(&self) -> Result<(), String> {
        match self.form {
            UidForm::Text if self.order.is_some() => {
                Err("text has no byte order: leave `order` out".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// For one unit.
    pub(super) fn encoded(&self, uid: u64) -> Result<Encoded, String> {
        let text = hex_text(&uid.to_be_bytes(), "", self.letters);
        Ok(match self.form {
            UidForm::Text => Encoded::text(text),
            UidForm::Bytes => Encoded {
                bytes: number_bytes(uid, UID_BYTES, self.order)?,
                text,
            },
        })
    }
}

impl Stamp {
    /// # Errors
    /// Why the rule cannot be.
    pub(super) fn checked(&self) -> Result<(), String> {
        match self.form {
            StampForm::Iso if self.order.is_some() => {
                Err("text has no byte order: leave `order` out".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// Of one instant.
    pub(super) fn encoded(&self, now: Timestamp) -> Result<Encoded, String> {
        let text = now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let width = match self.form {
            StampForm::Iso => return Ok(Encoded::text(text)),
            StampForm::Unix32 => 4,
            StampForm::Unix64 => 8,
        };
        let seconds = u64::try_from(now.as_second())
            .map_err(|_| format!("the station's clock says {text}, before 1970"))?;
        Ok(Encoded {
            bytes: number_bytes(seconds, width, self.order)?,
            text,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unique_id_is_copied_in_every_form() {
        let copy = |rule: &str| {
            let copy: UidCopy = toml::from_str(rule).expect("a copy");
            copy.encoded(0x0123_4567_89AB_CDEF).expect("encoded")
        };
        assert_eq!(
            copy("").bytes,
            [0xEF, 0xCD, 0xAB, 0x89, 0x67, 0x45, 0x23, 0x01]
        );
        assert_eq!(
            copy("order = 'big'").bytes,
            [0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF]
        );
        assert_eq!(copy("form = 'text'").bytes, b"0123456789ABCDEF");
        assert_eq!(
            copy("form = 'text'\nletters = 'lower'").bytes,
            b"0123456789abcdef"
        );
        assert_eq!(copy("").text, "0123456789ABCDEF");
        let text: UidCopy = toml::from_str("form = 'text'\norder = 'big'").expect("a copy");
        assert!(text.checked().is_err());
    }

    #[test]
    fn the_time_is_written_in_every_form() {
        let at = |rule: &str, now: &str| {
            let stamp: Stamp = toml::from_str(rule).expect("a stamp");
            stamp.encoded(now.parse().expect("a time"))
        };
        // 1700000000 = 0x6553F100
        let now = "2023-11-14T22:13:20.75Z";
        let bytes = |rule| at(rule, now).expect("encoded").bytes;
        assert_eq!(bytes("form = 'unix-32'"), [0x00, 0xF1, 0x53, 0x65]);
        assert_eq!(
            bytes("form = 'unix-32'\norder = 'big'"),
            [0x65, 0x53, 0xF1, 0x00]
        );
        assert_eq!(
            bytes("form = 'unix-64'"),
            [0x00, 0xF1, 0x53, 0x65, 0, 0, 0, 0]
        );
        assert_eq!(bytes("form = 'iso'"), b"2023-11-14T22:13:20Z");
        let last = at("form = 'unix-32'", "2106-02-07T06:28:15Z").expect("encoded");
        assert_eq!(last.bytes, [0xFF; 4]);
        assert!(at("form = 'unix-32'", "2106-02-07T06:28:16Z").is_err());
        assert!(at("form = 'unix-64'", "1969-12-31T23:59:59Z").is_err());
    }
}
