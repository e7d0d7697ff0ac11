//! CRCs by their names in the catalogue of parametrised CRC algorithms.

use serde::{Deserialize, Serialize};

use super::crc_catalogue::{CATALOGUE, Known};
use super::encoded::{Encoded, number_bytes};
use super::near::near;
use super::rule::Order;
use crate::address::{Address, AddressRange};

/// A CRC over what the unit's flash will hold.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Crc {
    /// Name in the catalogue, such as `CRC-32/ISO-HDLC`: 8, 16, 24, 32 or 64 bits.
    pub algorithm: String,
    /// Bus address of the first byte that it covers.
    pub start: u32,
    /// Bus address behind the last.
    pub end: u32,
    /// Order of its bytes; little-endian by default.
    pub order: Option<Order>,
    /// Bytes of the range that the image does not bring are written with this value. Without it they are refused: what the
    /// flash holds there is not known.
    pub fill: Option<u8>,
}

/// Names of all CRCs that a rule may ask for.
pub fn algorithm_names() -> impl Iterator<Item = &'static str> {
    CATALOGUE.iter().map(|(name, _)| *name)
}

impl Crc {
    /// The algorithm, its range, or why there is none.
    pub(super) fn checked(&self) -> Result<(Known, AddressRange), String> {
        let known = Known::named(&self.algorithm).ok_or_else(|| {
            let near = near(&self.algorithm, algorithm_names());
            let near = if near.is_empty() {
                "CRC-32/ISO-HDLC, CRC-16/IBM-3740 (CCITT), CRC-8/SMBUS".to_owned()
            } else {
                near.join(", ")
            };
            format!(
                "`{}` is no CRC of the catalogue; there are {near} and others",
                self.algorithm
            )
        })?;
        let (start, end) = (Address::new(self.start), Address::new(self.end));
        let length = end.checked_from(start).filter(|length| *length != 0);
        let length = length.ok_or("its range ends before it begins")?;
        let range = AddressRange::new(start, length).ok_or("its range leaves the bus")?;
        Ok((known, range))
    }

    /// The CRC over `bytes`, of an algorithm that was [checked](Crc::checked).
    pub(super) fn over(&self, bytes: &[u8]) -> Result<Encoded, String> {
        let (known, _) = self.checked()?;
        let value = known.checksum(bytes);
        let digits = known.bytes() as usize * 2;
        Ok(Encoded {
            bytes: number_bytes(value, known.bytes(), self.order)?,
            text: format!("0x{value:0digits$X}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHECK: &[u8] = b"123456789";

    #[test]
    fn every_name_gives_the_check_value_of_the_catalogue() {
        for (name, known) in CATALOGUE {
            let check = match known {
                Known::U8(algorithm) => u64::from(algorithm.check),
                Known::U16(algorithm) => algorithm.check.into(),
                Known::U32(algorithm) => algorithm.check.into(),
                Known::U64(algorithm) => algorithm.check,
            };
            assert_eq!(known.checksum(CHECK), check, "{name}");
        }
        assert_eq!(CATALOGUE.len(), 79);
    }

    #[test]
    fn names_belong_to_their_numbers() {
        // https://reveng.sourceforge.io/crc-catalogue/all.htm, `check=`, copied apart from the crate
        for (name, check) in [
            ("CRC-8/SMBUS", 0xF4),
            ("CRC-8/MAXIM-DOW", 0xA1),
            ("CRC-16/ARC", 0xBB3D),
            ("CRC-16/IBM-3740", 0x29B1),
            ("CRC-16/MODBUS", 0x4B37),
            ("CRC-16/XMODEM", 0x31C3),
            ("CRC-16/KERMIT", 0x2189),
            ("CRC-24/OPENPGP", 0x21CF02),
            ("CRC-32/ISO-HDLC", 0xCBF4_3926),
            ("CRC-32/ISCSI", 0xE306_9283),
            ("crc-32/mpeg-2", 0x0376_E6E7),
            ("CRC-32/BZIP2", 0xFC89_1918),
            ("CRC-64/XZ", 0x995D_C9BB_DF19_39FA),
        ] {
            let known = Known::named(name).expect(name);
            assert_eq!(known.checksum(CHECK), check, "{name}");
        }
    }

    fn crc(algorithm: &str, order: Option<Order>) -> Crc {
        Crc {
            algorithm: algorithm.to_owned(),
            start: 0x6000_2000,
            end: 0x6000_3000,
            order,
            fill: None,
        }
    }

    #[test]
    fn its_bytes_stand_in_the_order_asked_for() {
        let bytes = |name, order| crc(name, order).over(CHECK).expect("crc").bytes;
        assert_eq!(bytes("CRC-32/ISO-HDLC", None), [0x26, 0x39, 0xF4, 0xCB]);
        let big = Some(Order::Big);
        assert_eq!(bytes("CRC-32/ISO-HDLC", big), [0xCB, 0xF4, 0x39, 0x26]);
        assert_eq!(bytes("CRC-24/OPENPGP", big), [0x21, 0xCF, 0x02]);
    }

    #[test]
    fn an_unknown_name_is_told_its_neighbours() {
        let why = crc("CRC-32/ISO-HLDC", None).checked().expect_err("unknown");
        assert!(why.contains("CRC-32/ISO-HDLC"), "{why}");
        let backwards = Crc {
            end: 0x6000_2000,
            ..crc("CRC-8/SMBUS", None)
        };
        assert!(backwards.checked().is_err());
    }
}
