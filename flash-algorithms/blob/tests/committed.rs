//! The committed blob is its sources' blob, and stock probe-rs can read what we generate.

use blob::{Finding, Manifest, Places, check, sources};
use probe_rs_target::ChipFamily;
use std::path::Path;

#[test]
fn the_committed_blob_belongs_to_the_committed_sources() {
    let findings = check::without_compiler(&Places::of_this_repository()).unwrap();
    assert_eq!(
        findings,
        [],
        "{:?}",
        findings.iter().map(Finding::message).collect::<Vec<_>>()
    );
}

#[test]
fn one_changed_line_makes_the_check_fail() {
    let real = Places::of_this_repository();
    let copy = Places {
        repository: std::env::temp_dir().join(format!("rtflash-blob-{}", std::process::id())),
    };
    copy_folder(&real.workspace(), &copy.workspace());
    copy_folder(
        &real.repository.join("targets"),
        &copy.repository.join("targets"),
    );
    assert_eq!(check::without_compiler(&copy).unwrap(), []);
    let source = copy.workspace().join("flexspi-nor/src/wake.rs");
    let text = std::fs::read_to_string(&source).unwrap();
    std::fs::write(&source, text + "// one line\n").unwrap();
    assert_eq!(
        check::without_compiler(&copy).unwrap(),
        [Finding::SourcesChanged]
    );
    let mut binary = std::fs::read(copy.binary()).unwrap();
    binary[0x100] ^= 1;
    std::fs::write(copy.binary(), binary).unwrap();
    assert!(
        check::without_compiler(&copy)
            .unwrap()
            .contains(&Finding::BinaryDiffers)
    );
    std::fs::remove_dir_all(&copy.repository).unwrap();
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_name() == "target" {
            continue;
        }
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn probe_rs_reads_the_generated_family() {
    let places = Places::of_this_repository();
    let text = std::fs::read_to_string(places.probe_rs_family()).unwrap();
    let family: ChipFamily = serde_yaml::from_str(&text).unwrap();
    family.validate().unwrap();
    let manifest = Manifest::read(&places).unwrap();
    let binary = std::fs::read(places.binary()).unwrap();
    assert!(
        family
            .variants
            .iter()
            .all(|variant| variant.name.starts_with("MIMXRT10")),
        "or probe-rs resets it wrongly"
    );
    assert!(!family.flash_algorithms.is_empty());
    for algorithm in &family.flash_algorithms {
        assert_eq!(algorithm.instructions, binary);
        assert_eq!(
            algorithm.load_address,
            Some(u64::from(manifest.load_address))
        );
        let init = u64::from(manifest.entries["Init"] - manifest.load_address);
        assert_eq!(algorithm.pc_init, Some(init));
        assert_eq!(init & 1, 1, "Thumb");
    }
}

#[test]
fn the_blob_lies_where_the_manifest_says() {
    let places = Places::of_this_repository();
    let manifest = Manifest::read(&places).unwrap();
    let binary = std::fs::read(places.binary()).unwrap();
    let word = |index: usize| u32::from_le_bytes(binary[index * 4..][..4].try_into().unwrap());
    assert_eq!(word(0), manifest.stack_top);
    assert_eq!(word(1), manifest.entries["serve"]);
    assert!(
        manifest.load_address + manifest.size_bytes <= manifest.stack_top - manifest.stack_bytes
    );
    assert_eq!(manifest.stack_top, manifest.mailbox_address);
    assert_eq!(sources::sha256(&binary), manifest.sha256);
}
