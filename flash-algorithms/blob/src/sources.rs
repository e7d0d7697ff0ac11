//! A digest of everything the blob is made from, so that a change without a rebuild is seen without a compiler.

use crate::{Places, Problem};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// Files and folders below the target workspace that go into the blob.
const INPUTS: [&str; 9] = [
    "Cargo.toml",
    "Cargo.lock",
    "mailbox/Cargo.toml",
    "mailbox/src",
    "flexspi-nor/Cargo.toml",
    "flexspi-nor/build.rs",
    "flexspi-nor/link.x",
    "flexspi-nor/src",
    "blob/src/toolchain.rs",
];

/// SHA-256 over names, lengths and contents of all inputs, as lower-case hex.
///
/// # Errors
/// An input that cannot be read.
pub fn digest(places: &Places) -> Result<String, Problem> {
    let root = places.workspace();
    let mut files = Vec::new();
    for input in INPUTS {
        collect(&root.join(input), &mut files)?;
    }
    let mut names: Vec<(String, PathBuf)> = files
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(&root).unwrap_or(&path).components();
            (
                name.map(|part| part.as_os_str().to_string_lossy())
                    .collect::<Vec<_>>()
                    .join("/"),
                path,
            )
        })
        .collect();
    names.sort();
    let mut hash = Sha256::new();
    for (name, path) in names {
        let content = std::fs::read(&path).map_err(Problem::file(&path))?;
        hash.update((name.len() as u64).to_le_bytes());
        hash.update(name.as_bytes());
        hash.update((content.len() as u64).to_le_bytes());
        hash.update(&content);
    }
    Ok(hex(&hash.finalize()))
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Problem> {
    if !path.is_dir() {
        files.push(path.to_path_buf());
        return Ok(());
    }
    for entry in std::fs::read_dir(path).map_err(Problem::file(path))? {
        collect(&entry.map_err(Problem::file(path))?.path(), files)?;
    }
    Ok(())
}

/// SHA-256 of bytes, as lower-case hex.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
