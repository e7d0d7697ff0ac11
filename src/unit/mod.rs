//! Per-unit data: what of the flash is different on every unit, from the job's rules to the patched image.
//!
//! [`UnitRules`] are the `[[series]]` and `[[data]]` tables of a job. [`UnitRules::fit`] finds their places in the job's
//! image and refuses what must not be, before any board is touched; [`FittedRules::apply`] then makes one unit's image.

mod apply;
mod check_digit;
mod crc;
mod crc_catalogue;
mod date;
mod digits;
mod encoded;
mod facts;
mod field;
mod fit;
mod given;
mod mac;
mod near;
mod outside;
mod place;
mod rule;
mod rules;
mod serial;
mod series;
mod template;
mod unique_id;
mod value;

pub use apply::FittedRules;
pub use check_digit::CheckDigit;
pub use crc::{Crc, algorithm_names};
pub use facts::{Number, UnitFacts};
pub use field::{Field, Patched};
pub use given::{Given, GivenForm};
pub use mac::{Mac, MacForm};
pub use outside::{Program, ProgramFile, Table, TableKey};
pub use place::Where;
pub use rule::{Letters, Order, Rule, Value};
pub use rules::UnitRules;
pub use serial::{CheckOver, Serial, SerialFormat};
pub use series::{OnFailure, Series};
pub use unique_id::{Stamp, StampForm, UidCopy, UidForm};

#[cfg(test)]
mod tests;
