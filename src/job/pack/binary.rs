//! Raw binary: the flash from its first byte, or from the first one given.

use super::Run;
use crate::boot::{BootImage, ERASED};

/// The file's content.
pub(super) fn write(boot_image: &BootImage) -> Vec<u8> {
    let mut content = Vec::new();
    for run in boot_image.runs() {
        content.resize(run.offset.index(), ERASED);
        content.extend(&run.bytes);
    }
    content
}

/// The bytes of `runs` from the first one on, gaps erased.
pub(super) fn joined(runs: &[Run<'_>]) -> Vec<u8> {
    let mut content = Vec::new();
    let Some(first) = runs.first() else {
        return content;
    };
    for run in runs {
        let distance = run.start.checked_from(first.start).unwrap_or_default();
        content.resize(distance as usize, ERASED);
        content.extend(run.bytes);
    }
    content
}
