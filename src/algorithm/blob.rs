//! The committed blob, compiled in: the bytes to load and where they go.

use serde::Deserialize;

use crate::address::Address;

const BINARY: &[u8] = include_bytes!("../../flash-algorithms/blobs/flexspi-nor.bin");
const MANIFEST: &str = include_str!("../../flash-algorithms/blobs/flexspi-nor.toml");

/// Code for the target and its addresses.
#[derive(Clone, Debug)]
pub struct Blob {
    /// The bytes as words.
    pub words: Vec<u32>,
    /// Where the first one goes; the vector table lies there.
    pub load_address: Address,
    /// Entry of the server.
    pub entry: Address,
    /// Its initial stack pointer, where no faster RAM is found.
    pub stack_top: Address,
    /// Most that it puts on the stack.
    pub stack_bytes: u32,
    /// SHA-256 of the bytes, in hex, for the record.
    pub sha256: String,
}

/// What the host needs of the manifest.
#[derive(Deserialize)]
struct Manifest {
    sha256: String,
    load_address: u32,
    stack_top: u32,
    stack_bytes: u32,
    entries: Entries,
}

#[derive(Deserialize)]
struct Entries {
    serve: u32,
}

impl Blob {
    /// The committed blob; `None` if its manifest cannot be read, which a test rules out.
    pub fn committed() -> Option<Self> {
        let manifest: Manifest = toml::from_str(MANIFEST).ok()?;
        let (words, _) = BINARY.as_chunks::<4>();
        let words = words.iter().copied().map(u32::from_le_bytes);
        Some(Blob {
            words: words.collect(),
            load_address: Address::new(manifest.load_address),
            entry: Address::new(manifest.entries.serve),
            stack_top: Address::new(manifest.stack_top),
            stack_bytes: manifest.stack_bytes,
            sha256: manifest.sha256,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mailbox::layout::{AREA_ADDRESS, LAYOUT_DIGEST};
    use sha2::{Digest, Sha256};

    #[test]
    fn the_committed_blob_is_whole_and_speaks_our_protocol() {
        let blob = Blob::committed().expect("a readable manifest");
        let hex: String = Sha256::digest(BINARY)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(hex, blob.sha256);
        let manifest: toml::Table = toml::from_str(MANIFEST).expect("TOML");
        let number = |key: &str| manifest.get(key).and_then(toml::Value::as_integer);
        assert_eq!(number("layout_digest"), Some(LAYOUT_DIGEST.into()));
        assert_eq!(number("mailbox_address"), Some(AREA_ADDRESS.into()));
    }
}
