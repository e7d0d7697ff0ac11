//! A document's fields as hashes: enough to find the field that differs, in memory that does not grow with the documents.

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Name and SHA-256 of each field of a document.
#[derive(Debug, PartialEq, Eq)]
pub struct Prints(Vec<(Box<str>, [u8; 32])>);

impl Prints {
    /// Of a document that is one JSON object.
    pub fn of(document: &impl Serialize) -> Prints {
        let fields = match serde_json::to_value(document) {
            Ok(Value::Object(fields)) => fields,
            // types of this program are objects; anything else has no field in common with them
            Ok(_) | Err(_) => serde_json::Map::new(),
        };
        let prints = fields.into_iter().map(|(name, value)| {
            let hash = Sha256::digest(value.to_string().as_bytes());
            (name.into_boxed_str(), hash.into())
        });
        Prints(prints.collect())
    }

    /// The first field that differs.
    pub fn differs_in(&self, other: &Prints) -> Option<String> {
        let missing = |(name, print): &&(Box<str>, [u8; 32]), other: &Prints| {
            let same = |(n, p): &(Box<str>, [u8; 32])| n == name && p == print;
            !other.0.iter().any(same)
        };
        let mine = self.0.iter().find(|field| missing(field, other));
        let field = mine.or_else(|| other.0.iter().find(|field| missing(field, self)));
        field.map(|(name, _)| name.to_string())
    }
}
