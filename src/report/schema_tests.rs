//! The published schemas of the records: what the types say, and what is validated elsewhere.

use std::fs;
use std::path::{Path, PathBuf};

use schemars::{JsonSchema, schema_for};

use super::{Inspection, Record};

/// Set to 1, the schema files are written anew.
const BLESS: &str = "RTFLASH_BLESS";

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("docs")
        .join(name)
}

/// Asserts that the file holds the schema of `T`.
pub(crate) fn is_published<T: JsonSchema>(name: &str) {
    let schema = serde_json::to_string_pretty(&schema_for!(T)).expect("schema") + "\n";
    if std::env::var(BLESS).is_ok_and(|value| value == "1") {
        fs::write(file(name), &schema).expect("written");
    }
    let published = fs::read_to_string(file(name)).unwrap_or_default();
    assert!(
        published == schema,
        "docs/{name} is not what the types give; if the change is meant (and the version raised where a field has changed \
         its meaning or gone away): {BLESS}=1 cargo test --lib schema"
    );
}

#[test]
fn the_schema_of_the_record_is_published() {
    is_published::<Record>("record.schema.json");
}

#[test]
fn the_schema_of_an_inspection_is_published() {
    is_published::<Inspection>("inspection.schema.json");
}
