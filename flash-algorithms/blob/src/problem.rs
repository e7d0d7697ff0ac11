//! What can go wrong here.

use std::path::PathBuf;

/// Why a build or a check could not be done.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// No compiler for the target.
    #[error(
        "no compiler for {target} found: run `rustup target add {target}`, or install Debian's rustc-web and rust-web-src"
    )]
    NoCompiler {
        /// The target's name.
        target: &'static str,
    },
    /// A tool could not be started or failed.
    #[error("{tool} failed: {why}")]
    Tool {
        /// Which tool.
        tool: String,
        /// What it said.
        why: String,
    },
    /// The linked file is not what was expected.
    #[error("the linked blob lacks {what}")]
    Linked {
        /// What is missing.
        what: String,
    },
    /// The ELF could not be read.
    #[error("the linked blob is no readable ELF file: {0}")]
    Elf(#[from] object::Error),
    /// A TOML file is malformed.
    #[error("{}: {why}", path.display())]
    Toml {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

impl Problem {
    /// A file error with its path.
    pub fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Problem {
        let path = path.into();
        move |source| Problem::File { path, source }
    }
}
