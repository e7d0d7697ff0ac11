//! What is known of one unit when its data is made.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// A number that the unit has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    /// The number.
    pub number: u64,
    /// When it was first reserved for this unit: the date that a serial number shows.
    pub reserved_at: Timestamp,
}

/// What is known of one unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitFacts {
    /// The chip's unique ID.
    pub uid: u64,
    /// Its numbers, by name of the series.
    pub numbers: BTreeMap<String, Number>,
    /// The station's clock.
    pub now: Timestamp,
    /// The scanned code.
    pub barcode: Option<String>,
    /// What files and programs give, by name of the rule.
    pub outside: BTreeMap<String, String>,
}
