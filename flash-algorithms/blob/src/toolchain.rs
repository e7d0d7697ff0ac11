//! Finds a compiler for the target and runs it, with nothing of this machine left in the output.

use crate::{Places, Problem};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The target: Armv7-M without FPU.
pub const TARGET: &str = "thumbv7m-none-eabi";
/// Debian's compiler for the web packages; newer than Debian's own, and its library sources are packaged.
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";

/// How the core library gets into the blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoreLibrary {
    /// An installed target brings it.
    Installed,
    /// Built along from the compiler's own sources.
    FromSource,
}

impl CoreLibrary {
    /// As the manifest has it.
    pub const fn name(self) -> &'static str {
        match self {
            CoreLibrary::Installed => "installed target",
            CoreLibrary::FromSource => "built from source",
        }
    }
}

/// A compiler that can build the blob.
#[derive(Clone, Debug)]
pub struct Toolchain {
    rustc: PathBuf,
    /// First line of `rustc --version`.
    pub version: String,
    /// Where the core library comes from.
    pub core: CoreLibrary,
    sysroot: PathBuf,
    linker: PathBuf,
}

impl Toolchain {
    /// All compilers on this machine that can build the blob, Debian's first: its build is the committed one's.
    pub fn all() -> Vec<Toolchain> {
        let mut found = Vec::new();
        for rustc in [Path::new(DEBIAN_RUSTC), Path::new("rustc")] {
            let Some(sysroot) = ask(rustc, &["--print", "sysroot"]).map(PathBuf::from) else {
                continue;
            };
            let Some(version) = ask(rustc, &["--version"]) else {
                continue;
            };
            let core = if sysroot.join("lib/rustlib").join(TARGET).is_dir() {
                CoreLibrary::Installed
            } else if sysroot.join("lib/rustlib/src/rust/library/core").is_dir() {
                CoreLibrary::FromSource
            } else {
                continue;
            };
            let Some(linker) = linker() else { continue };
            found.push(Toolchain {
                rustc: rustc.to_path_buf(),
                version,
                core,
                sysroot,
                linker,
            });
        }
        found
    }

    /// Builds the blob and returns the linked ELF's path.
    ///
    /// # Errors
    /// A compiler that fails.
    pub fn run(&self, places: &Places) -> Result<PathBuf, Problem> {
        let workspace = places.workspace();
        let output = places.build_output();
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(&workspace);
        cargo.args([
            "build",
            "--release",
            "--locked",
            "-p",
            "flexspi-nor",
            "--bin",
            "blob",
            "--target",
            TARGET,
        ]);
        if self.core == CoreLibrary::FromSource {
            cargo.arg("-Zbuild-std=core");
        }
        // Variables of an outer cargo or rustup would choose another compiler or other flags than these.
        for name in [
            "RUSTUP_TOOLCHAIN",
            "RUSTC_WRAPPER",
            "RUSTC_WORKSPACE_WRAPPER",
            "CARGO_ENCODED_RUSTFLAGS",
            "RUSTDOC",
        ] {
            cargo.env_remove(name);
        }
        let flags = format!(
            "--remap-path-prefix={}=/flash-algorithms --remap-path-prefix={}=/sysroot",
            workspace.display(),
            self.sysroot.display()
        );
        cargo
            .env("RUSTC", &self.rustc)
            .env("RUSTFLAGS", flags)
            .env("RUSTC_BOOTSTRAP", "1");
        cargo
            .env("CARGO_TARGET_DIR", &output)
            .env("CARGO_TARGET_THUMBV7M_NONE_EABI_LINKER", &self.linker);
        let failed = |why: String| Problem::Tool {
            tool: format!("{} by cargo", self.version),
            why,
        };
        let done = cargo.output().map_err(|error| failed(error.to_string()))?;
        if !done.status.success() {
            return Err(failed(String::from_utf8_lossy(&done.stderr).into_owned()));
        }
        Ok(output.join(TARGET).join("release/blob"))
    }
}

/// rust-lld of the toolchain that is on the path; Debian packages none.
fn linker() -> Option<PathBuf> {
    let sysroot = PathBuf::from(ask(Path::new("rustc"), &["--print", "sysroot"])?);
    let host = ask(Path::new("rustc"), &["--print", "host-tuple"])?;
    let linker = sysroot.join("lib/rustlib").join(host).join("bin/rust-lld");
    linker.is_file().then_some(linker)
}

fn ask(rustc: &Path, arguments: &[&str]) -> Option<String> {
    let answer = Command::new(rustc).args(arguments).output().ok()?;
    let text = String::from_utf8(answer.stdout).ok()?;
    answer.status.success().then(|| text.trim().to_owned())
}
