//! What one unit got.

use serde::Serialize;

use crate::image::Image;

/// One rule's bytes on one unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Field {
    /// Name of the rule.
    pub name: String,
    /// Bus address of the first byte.
    pub address: String,
    /// The bytes, in hex.
    pub bytes: String,
    /// The value as people write it.
    pub text: String,
}

/// One unit's image.
#[derive(Clone, Debug)]
pub struct Patched {
    /// The job's image with the unit's data, each byte of which knows its rule.
    pub image: Image,
    /// What each rule wrote, in the order of the rules.
    pub fields: Vec<Field>,
}
