//! Where things lie in the repository.

use std::path::{Path, PathBuf};

/// The folders and files this tool works on.
#[derive(Clone, Debug)]
pub struct Places {
    /// The repository.
    pub repository: PathBuf,
}

impl Places {
    /// Of the repository this tool was compiled in.
    pub fn of_this_repository() -> Self {
        let tool = Path::new(env!("CARGO_MANIFEST_DIR"));
        Places {
            repository: tool.ancestors().nth(2).unwrap_or(tool).to_path_buf(),
        }
    }
    /// The workspace of the crates that run on the target.
    pub fn workspace(&self) -> PathBuf {
        self.repository.join("flash-algorithms")
    }
    /// The committed blob.
    pub fn binary(&self) -> PathBuf {
        self.workspace().join("blobs/flexspi-nor.bin")
    }
    /// Its manifest.
    pub fn manifest(&self) -> PathBuf {
        self.workspace().join("blobs/flexspi-nor.toml")
    }
    /// Compiler output of this tool's builds.
    pub fn build_output(&self) -> PathBuf {
        self.repository.join("target/blob")
    }
    /// Flash parts.
    pub fn flash_parts(&self) -> PathBuf {
        self.repository.join("targets/flash")
    }
    /// The generated chip family for probe-rs.
    pub fn probe_rs_family(&self) -> PathBuf {
        self.repository
            .join("targets/probe-rs/rtflash-mimxrt1062.yaml")
    }
}
