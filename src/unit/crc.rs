//! CRCs by their names in the catalogue of parametrised CRC algorithms.

use serde::Deserialize;

use super::rule::Order;

/// A CRC over what the unit's flash will hold.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
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
