//! The manifest beside the blob: what it is, where it goes, from what and by which compiler it was made.

use crate::{Places, Problem};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `blobs/flexspi-nor.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Name of the algorithm.
    pub name: String,
    /// SHA-256 of the binary.
    pub sha256: String,
    /// Size of the binary in bytes.
    pub size_bytes: u32,
    /// SHA-256 over the sources, see [`crate::sources`].
    pub sources_sha256: String,
    /// `rustc --version` of the compiler.
    pub compiler: String,
    /// Where its core library came from.
    pub core_library: String,
    /// Bus address of the first byte; the vector table lies there.
    pub load_address: u32,
    /// Initial stack pointer of the server.
    pub stack_top: u32,
    /// Size of the server's stack in bytes.
    pub stack_bytes: u32,
    /// Bus address of the mailbox area.
    pub mailbox_address: u32,
    /// Size of the mailbox area in bytes.
    pub mailbox_bytes: u32,
    /// Protocol version.
    pub protocol_version: u32,
    /// Digest of the mailbox layout.
    pub layout_digest: u32,
    /// Bus addresses of the entry points, bit 0 set for Thumb.
    pub entries: BTreeMap<String, u32>,
}

impl Manifest {
    /// Reads the committed manifest.
    ///
    /// # Errors
    /// No such file, or malformed.
    pub fn read(places: &Places) -> Result<Self, Problem> {
        let path = places.manifest();
        let text = std::fs::read_to_string(&path).map_err(Problem::file(&path))?;
        toml::from_str(&text).map_err(|error| Problem::Toml {
            path,
            why: error.to_string(),
        })
    }

    /// The manifest's text.
    pub fn to_text(&self) -> String {
        let mut text = format!(
            "# Written by `cargo run -p blob -- build`; proven by `cargo run -p blob -- check`. Do not edit.\n\
             name = \"{}\"\nsha256 = \"{}\"\nsize_bytes = {}\nsources_sha256 = \"{}\"\ncompiler = \"{}\"\n\
             core_library = \"{}\"\nload_address = {:#010x}\nstack_top = {:#010x}\nstack_bytes = {}\n\
             mailbox_address = {:#010x}\nmailbox_bytes = {}\nprotocol_version = {:#010x}\nlayout_digest = {:#010x}\n\n[entries]\n",
            self.name,
            self.sha256,
            self.size_bytes,
            self.sources_sha256,
            self.compiler,
            self.core_library,
            self.load_address,
            self.stack_top,
            self.stack_bytes,
            self.mailbox_address,
            self.mailbox_bytes,
            self.protocol_version,
            self.layout_digest,
        );
        for (name, address) in &self.entries {
            text.push_str(&format!("{name} = {address:#010x}\n"));
        }
        text
    }
}
