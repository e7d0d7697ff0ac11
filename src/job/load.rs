//! From a file's name to an image that the ROM will boot, before any board is touched.

use std::path::Path;

use crate::boot::{BootImage, judge};
use crate::image::Image;
use crate::problem::{ExitCode, Place, Problem};
use crate::target::Target;

/// Reads the image at `path` and judges it for `target`.
///
/// # Errors
/// A file that cannot be read or is no image (exit 13), or an image that would not boot or does not fit (exit 20).
pub fn load(path: &Path, target: &Target) -> Result<BootImage, Problem> {
    let content = std::fs::read(path).map_err(|e| {
        Problem::new(
            "input-unreadable",
            ExitCode::MalformedInput,
            "the input file cannot be read",
        )
        .at(Place::in_file(path, None))
        .because(e.to_string())
        .fix("check the name and the file's permissions")
    })?;
    let image = Image::parse(path, &content)?;
    image.require_inside(target.flash_window())?;
    Ok(judge(&image, None, target).into_boot_image()?)
}
