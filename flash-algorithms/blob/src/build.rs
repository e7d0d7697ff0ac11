//! Builds the blob: compiler, linked file, flat binary, manifest.

use crate::toolchain::{TARGET, Toolchain};
use crate::{Manifest, Places, Problem, sources};
use mailbox::layout::{AREA_ADDRESS, AREA_BYTES, LAYOUT_DIGEST, VERSION};
use object::{Object, ObjectSection, ObjectSymbol};
use std::collections::BTreeMap;

/// The one output section of the linker script.
const SECTION: &str = ".blob";
/// Entry points that the linked file must have.
pub const ENTRIES: [&str; 8] = [
    "serve",
    "Init",
    "UnInit",
    "EraseSector",
    "EraseChip",
    "ProgramPage",
    "Verify",
    "BlankCheck",
];

/// A blob with its manifest, not yet written.
#[derive(Clone, Debug)]
pub struct Built {
    /// The bytes to load.
    pub binary: Vec<u8>,
    /// What they are.
    pub manifest: Manifest,
}

/// Builds with the first compiler found and writes binary, manifest and the probe-rs family.
///
/// # Errors
/// No compiler, a failed build, files that cannot be written.
pub fn build(places: &Places) -> Result<Built, Problem> {
    let toolchain = Toolchain::all()
        .into_iter()
        .next()
        .ok_or(Problem::NoCompiler { target: TARGET })?;
    let built = with(places, &toolchain)?;
    let write = |path: std::path::PathBuf, content: &[u8]| {
        std::fs::write(&path, content).map_err(Problem::file(path))
    };
    write(places.binary(), &built.binary)?;
    write(places.manifest(), built.manifest.to_text().as_bytes())?;
    write(
        places.probe_rs_family(),
        crate::probe_rs::render(places, &built)?.as_bytes(),
    )?;
    Ok(built)
}

/// Builds with one compiler and writes nothing.
///
/// # Errors
/// A failed build, or a linked file that lacks something.
pub fn with(places: &Places, toolchain: &Toolchain) -> Result<Built, Problem> {
    let path = toolchain.run(places)?;
    let linked = std::fs::read(&path).map_err(Problem::file(&path))?;
    let elf = object::File::parse(&*linked)?;
    let lacks = |what: &str| Problem::Linked {
        what: what.to_owned(),
    };
    let section = elf.section_by_name(SECTION).ok_or_else(|| lacks(SECTION))?;
    let binary = section.data()?.to_vec();
    let symbol = |name: &str| {
        let symbol = elf
            .symbols()
            .find(|symbol| symbol.name() == Ok(name))
            .ok_or_else(|| lacks(name))?;
        u32::try_from(symbol.address()).map_err(|_| lacks(name))
    };
    let mut entries = BTreeMap::new();
    for name in ENTRIES {
        entries.insert(name.to_owned(), symbol(name)? | 1);
    }
    let stack_top = symbol("__stack_top")?;
    let manifest = Manifest {
        name: "flexspi-nor".to_owned(),
        sha256: sources::sha256(&binary),
        size_bytes: u32::try_from(binary.len()).map_err(|_| lacks("a size of 32 bits"))?,
        sources_sha256: sources::digest(places)?,
        compiler: toolchain.version.clone(),
        core_library: toolchain.core.name().to_owned(),
        load_address: u32::try_from(section.address())
            .map_err(|_| lacks("an address of 32 bits"))?,
        stack_top,
        stack_bytes: stack_top - symbol("__stack_bottom")?,
        mailbox_address: AREA_ADDRESS,
        mailbox_bytes: AREA_BYTES,
        protocol_version: VERSION,
        layout_digest: LAYOUT_DIGEST,
        entries,
    };
    Ok(Built { binary, manifest })
}
