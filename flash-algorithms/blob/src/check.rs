//! Proves that the committed blob belongs to the committed sources.

use crate::toolchain::Toolchain;
use crate::{Manifest, Places, Problem, build, probe_rs, sources};
use mailbox::layout::{AREA_ADDRESS, AREA_BYTES, LAYOUT_DIGEST, VERSION};

/// One thing the check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The binary is not the manifest's.
    BinaryDiffers,
    /// The sources are not the ones the blob was built from.
    SourcesChanged,
    /// Addresses or layout in the manifest are not this workspace's.
    LayoutDiffers,
    /// The probe-rs family is not what the generator writes.
    ProbeRsFamilyOutdated,
    /// The same compiler builds other bytes.
    RebuildDiffers,
    /// No compiler here: only the digests were compared.
    NotRebuilt,
    /// Only another compiler is here: it builds, but the bytes cannot be compared.
    ReblessDue {
        /// The compiler that is here.
        here: String,
    },
    /// Rebuilt, equal byte for byte.
    Rebuilt,
}

impl Finding {
    /// True if the check fails because of it.
    pub const fn is_failure(&self) -> bool {
        !matches!(
            self,
            Finding::NotRebuilt | Finding::ReblessDue { .. } | Finding::Rebuilt
        )
    }

    /// What happened, and what to do.
    pub fn message(&self) -> String {
        let build = "run `cargo run -p blob -- build` and commit the result";
        match self {
            Finding::BinaryDiffers => format!("the blob's SHA-256 is not the manifest's; {build}"),
            Finding::SourcesChanged => format!("sources changed since the blob was built; {build}"),
            Finding::LayoutDiffers => {
                format!("the manifest's mailbox is not the sources'; {build}")
            }
            Finding::ProbeRsFamilyOutdated => {
                format!("targets/probe-rs is not what the blob and targets/ give; {build}")
            }
            Finding::RebuildDiffers => {
                format!("the manifest's compiler builds other bytes from these sources; {build}")
            }
            Finding::NotRebuilt => {
                "no compiler for the target here: digests compared, not rebuilt".to_owned()
            }
            Finding::ReblessDue { here } => format!(
                "re-bless due: {here} is not the manifest's compiler; it builds these sources, the bytes were not compared"
            ),
            Finding::Rebuilt => "rebuilt: equal byte for byte".to_owned(),
        }
    }
}

/// Checks everything that can be checked on this machine.
///
/// # Errors
/// A file that cannot be read, or a build that fails.
pub fn check(places: &Places) -> Result<Vec<Finding>, Problem> {
    let mut findings = without_compiler(places)?;
    findings.push(rebuild(places)?);
    Ok(findings)
}

/// Compares digests only.
///
/// # Errors
/// A file that cannot be read.
pub fn without_compiler(places: &Places) -> Result<Vec<Finding>, Problem> {
    let manifest = Manifest::read(places)?;
    let path = places.binary();
    let binary = std::fs::read(&path).map_err(Problem::file(&path))?;
    let mut findings = Vec::new();
    if sources::sha256(&binary) != manifest.sha256 || binary.len() != manifest.size_bytes as usize {
        findings.push(Finding::BinaryDiffers);
    }
    if sources::digest(places)? != manifest.sources_sha256 {
        findings.push(Finding::SourcesChanged);
    }
    let layout = (
        manifest.mailbox_address,
        manifest.mailbox_bytes,
        manifest.protocol_version,
        manifest.layout_digest,
    );
    if layout != (AREA_ADDRESS, AREA_BYTES, VERSION, LAYOUT_DIGEST) {
        findings.push(Finding::LayoutDiffers);
    }
    let family = probe_rs::render(places, &build::Built { binary, manifest })?;
    if std::fs::read_to_string(places.probe_rs_family())
        .ok()
        .as_deref()
        != Some(&family)
    {
        findings.push(Finding::ProbeRsFamilyOutdated);
    }
    Ok(findings)
}

fn rebuild(places: &Places) -> Result<Finding, Problem> {
    let manifest = Manifest::read(places)?;
    let all = Toolchain::all();
    let same =
        |t: &&Toolchain| t.version == manifest.compiler && t.core.name() == manifest.core_library;
    if let Some(toolchain) = all.iter().find(same) {
        let built = build::with(places, toolchain)?;
        return Ok(if built.manifest == manifest {
            Finding::Rebuilt
        } else {
            Finding::RebuildDiffers
        });
    }
    let Some(other) = all.first() else {
        return Ok(Finding::NotRebuilt);
    };
    build::with(places, other)?;
    Ok(Finding::ReblessDue {
        here: other.version.clone(),
    })
}
