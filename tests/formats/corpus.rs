//! The corpus of the fuzz targets, and every truncation of the fixtures, without libFuzzer.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::sample::Index;

use crate::board::content;
use crate::check;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus")
}

#[test]
fn the_corpus_of_every_fuzz_target_is_read_or_refused() {
    for target in ["intel_hex", "s_record", "elf", "uf2", "raw"] {
        let entries: Vec<_> = fs::read_dir(corpus().join(target)).expect(target).collect();
        assert!(!entries.is_empty(), "{target} has no corpus");
        for entry in entries {
            let content = fs::read(entry.expect("entry").path()).expect("content");
            check::read(&content, None);
            if let (true, Some((start, content))) = (target == "raw", content.split_first_chunk()) {
                check::read(content, Some(u32::from_le_bytes(*start)));
            }
        }
    }
}

const FIXTURES: [&str; 6] = [
    "blinky-xip.headerless.hex",
    "formats/blinky-xip.headerless.srec",
    "formats/blinky-xip.headerless.elf",
    "formats/blinky-xip.headerless.uf2",
    "formats/blinky-xip.headerless.bin",
    "formats/blinky-xip.complete.bin",
];

proptest! {
    #[test]
    fn a_fixture_with_other_bytes_or_without_its_end_is_read_or_refused(
        fixture in prop::sample::select(FIXTURES.to_vec()),
        changes in prop::collection::vec((any::<Index>(), any::<u8>()), 0..6),
        end in prop::option::of(any::<Index>()),
    ) {
        let mut content = content(fixture);
        for (at, byte) in changes {
            let at = at.index(content.len());
            content[at] = byte;
        }
        if let Some(end) = end {
            content.truncate(end.index(content.len()));
        }
        check::read(&content, None);
        check::read(&content, Some(0x6000_0000));
    }
}
