//! Renders the chip family for probe-rs, so that stock tools can use the same blob.

use crate::build::Built;
use crate::{Manifest, Places, Problem};
use base64::Engine;
use serde::Deserialize;
use std::fmt::Write as _;
use std::path::Path;

/// Bytes that one call of `ProgramPage` takes: a sector, so that a call's fixed cost is shared by sixteen pages.
const PAGE_BYTES: u32 = 4096;
const SECTOR_BYTES: u32 = 4096;
/// Stack of the CMSIS functions; the deepest path needs less than 1 KiB.
const STACK_BYTES: u32 = 4096;
/// Time-outs of the caller stand above ours, so that the algorithm's own verdict arrives first.
const MARGIN: u32 = 4;

#[derive(Deserialize)]
struct Chip {
    name: String,
    flexspi: FlexSpi,
    ram: Vec<Ram>,
}

#[derive(Deserialize)]
struct FlexSpi {
    window_address: u32,
}

#[derive(Deserialize)]
struct Ram {
    name: String,
    address: u32,
    default_bytes: u32,
}

#[derive(Deserialize)]
struct Part {
    name: String,
    size_bytes: u32,
    erase: Vec<Erase>,
    page_program: PageProgram,
}

#[derive(Deserialize)]
struct Erase {
    size_bytes: u32,
    max_us: u32,
}

#[derive(Deserialize)]
struct PageProgram {
    max_us: u32,
}

/// The chip family's text: one variant and one algorithm for each flash part in `targets/flash`.
///
/// # Errors
/// A target file that cannot be read.
pub fn render(places: &Places, built: &Built) -> Result<String, Problem> {
    let chip: Chip = read(&places.repository.join("targets/chips/mimxrt1062.toml"))?;
    let parts = parts(places)?;
    let mut text = String::from(
        "# Written by `cargo run -p blob -- build` from targets/ and the committed blob. Do not edit.\n\
         name: MIMXRT1062 with QSPI NOR (rtflash)\n\
         manufacturer:\n  id: 0x15\n  cc: 0x0\nvariants:\n",
    );
    for part in &parts {
        variant(&mut text, &chip, part);
    }
    text.push_str("flash_algorithms:\n");
    let code = base64::engine::general_purpose::STANDARD.encode(&built.binary);
    for part in &parts {
        algorithm(&mut text, &chip, part, &built.manifest, &code);
    }
    Ok(text)
}

fn algorithm_name(part: &Part) -> String {
    format!("rtflash-{}", part.name.to_lowercase())
}

/// `write!` to a `String` cannot fail.
fn put(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    let _ = text.write_fmt(arguments);
}

fn variant(text: &mut String, chip: &Chip, part: &Part) {
    put(text, format_args!("- name: {}-{}\n", chip.name, part.name));
    text.push_str("  cores:\n  - name: main\n    type: armv7em\n    core_access_options: !Arm\n      ap: !v1 0\n");
    text.push_str("  memory_map:\n");
    for ram in chip.ram.iter().filter(|ram| ram.default_bytes > 0) {
        region(text, "Ram", &ram.name, ram.address, ram.default_bytes);
    }
    region(
        text,
        "Nvm",
        "FlexSPI1",
        chip.flexspi.window_address,
        part.size_bytes,
    );
    text.push_str("    access:\n      boot: true\n");
    put(
        text,
        format_args!("  flash_algorithms:\n  - {}\n", algorithm_name(part)),
    );
}

fn region(text: &mut String, kind: &str, name: &str, start: u32, bytes: u32) {
    let end = start + bytes;
    put(
        text,
        format_args!(
            "  - !{kind}\n    name: {name}\n    range:\n      start: {start:#x}\n      end: {end:#x}\n    cores:\n    - main\n"
        ),
    );
}

fn algorithm(text: &mut String, chip: &Chip, part: &Part, manifest: &Manifest, code: &str) {
    put(
        text,
        format_args!(
            "- name: {}\n  description: FlexSPI1 registers, {}, every page read back\n  default: true\n  instructions: {code}\n  load_address: {:#x}\n",
            algorithm_name(part),
            part.name,
            manifest.load_address
        ),
    );
    let functions = [
        ("pc_init", "Init"),
        ("pc_uninit", "UnInit"),
        ("pc_program_page", "ProgramPage"),
        ("pc_erase_sector", "EraseSector"),
        ("pc_erase_all", "EraseChip"),
        ("pc_verify", "Verify"),
        ("pc_blank_check", "BlankCheck"),
    ];
    for (key, entry) in functions {
        if let Some(address) = manifest.entries.get(entry) {
            put(
                text,
                format_args!("  {key}: {:#x}\n", address - manifest.load_address),
            );
        }
    }
    let start = chip.flexspi.window_address;
    let end = start + part.size_bytes;
    let program_ms = PAGE_BYTES / 256 * part.page_program.max_us * MARGIN / 1000;
    let sector_us = part
        .erase
        .iter()
        .filter(|erase| erase.size_bytes == SECTOR_BYTES)
        .map(|erase| erase.max_us)
        .max();
    let erase_ms = sector_us.unwrap_or_default() * MARGIN / 1000;
    put(
        text,
        format_args!(
            "  data_section_offset: {:#x}\n  flash_properties:\n    address_range:\n      start: {start:#x}\n      end: {end:#x}\n    page_size: {PAGE_BYTES:#x}\n    erased_byte_value: 0xff\n    program_page_timeout: {program_ms}\n    erase_sector_timeout: {erase_ms}\n    sectors:\n    - size: {SECTOR_BYTES:#x}\n      address: 0x0\n  cores:\n  - main\n  stack_size: {STACK_BYTES}\n",
            manifest.size_bytes
        ),
    );
}

fn parts(places: &Places) -> Result<Vec<Part>, Problem> {
    let folder = places.flash_parts();
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(Problem::file(&folder))? {
        let path = entry.map_err(Problem::file(&folder))?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            paths.push(path);
        }
    }
    paths.sort();
    paths.iter().map(|path| read(path)).collect()
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, Problem> {
    let text = std::fs::read_to_string(path).map_err(Problem::file(path))?;
    toml::from_str(&text).map_err(|error| Problem::Toml {
        path: path.to_path_buf(),
        why: error.to_string(),
    })
}
