//! Raw binary: the flash from its first byte to the end of the image.

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
