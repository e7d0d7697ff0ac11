//! The corpus of every fuzz target, without libFuzzer: what a fuzzer once found stays found.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::check::TARGETS;

/// Larger inputs are for the fuzzer's own folder: this one is in the repository.
const LARGEST_BYTES: u64 = 8192;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz")
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("entry").path()).collect();
    files.sort();
    files
}

fn names(files: &[PathBuf]) -> BTreeSet<String> {
    let stems = files.iter().filter_map(|file| file.file_stem()?.to_str());
    stems.map(str::to_owned).collect()
}

#[test]
fn the_corpus_of_every_fuzz_target_is_replayed() {
    for (target, check) in TARGETS {
        let inputs = files_in(&fuzz().join("corpus").join(target));
        assert!(!inputs.is_empty(), "{target} has no corpus");
        for input in inputs {
            let size = fs::metadata(&input).expect("size").len();
            assert!(size <= LARGEST_BYTES, "{input:?} is too large to keep");
            let content = fs::read(&input).expect("content");
            if std::panic::catch_unwind(|| check(&content)).is_err() {
                panic!("{input:?} fails");
            }
        }
    }
}

#[test]
fn every_fuzz_target_has_its_check_its_corpus_and_its_program() {
    let known: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names(&files_in(&fuzz().join("corpus"))), known);
    assert_eq!(names(&files_in(&fuzz().join("fuzz_targets"))), known);
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).expect("manifest");
    for name in &known {
        let path = format!("path = \"fuzz_targets/{name}.rs\"");
        assert!(manifest.contains(&path), "{name} is not built");
    }
}
