//! Recognising an input file by its content, never by its name.

use std::path::Path;

use super::ImageError;

/// A file format that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Intel HEX with linear or segment addresses.
    IntelHex,
}

impl Format {
    /// The name for reports.
    pub const fn name(self) -> &'static str {
        match self {
            Format::IntelHex => "Intel HEX",
        }
    }

    /// Tells the format from the first bytes.
    ///
    /// # Errors
    /// [`ImageError::Empty`], or [`ImageError::UnknownFormat`] with what the file looks like.
    pub fn detect(path: &Path, content: &[u8]) -> Result<Self, ImageError> {
        let text = content.strip_prefix(BYTE_ORDER_MARK).unwrap_or(content);
        let visible = text.trim_ascii_start();
        let Some(first) = visible.first() else {
            return Err(ImageError::Empty {
                path: path.to_owned(),
            });
        };
        if *first == b':' {
            return Ok(Format::IntelHex);
        }
        let skipped = text.len() - visible.len();
        let lines_before = text
            .iter()
            .take(skipped)
            .filter(|byte| **byte == b'\n')
            .count();
        Err(ImageError::UnknownFormat {
            path: path.to_owned(),
            line: u32::try_from(lines_before)
                .unwrap_or(u32::MAX)
                .saturating_add(1),
            looks_like: looks_like(content, visible),
        })
    }
}

/// UTF-8 byte order mark that some editors put in front.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

fn looks_like(content: &[u8], visible: &[u8]) -> &'static str {
    if content.starts_with(b"\x7FELF") {
        "an ELF file"
    } else if content.starts_with(b"UF2\n") {
        "a UF2 file"
    } else if visible.starts_with(b"S0") || visible.starts_with(b"S3") {
        "a Motorola S-record file"
    } else if content.starts_with(b"FCFB") {
        "a raw binary that starts with an FCB"
    } else if visible
        .iter()
        .take(256)
        .all(|byte| (b'\t'..=b'~').contains(byte))
    {
        "some other text"
    } else {
        "binary data"
    }
}
