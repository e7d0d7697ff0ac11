//! The target files compiled into the program.

use super::TargetError;

/// One embedded file.
pub(super) struct File {
    /// The name users give; compared without regard to case.
    pub name: &'static str,
    /// The TOML text.
    pub text: &'static str,
}

/// Chips.
pub(super) const CHIPS: &[File] = &[File {
    name: "MIMXRT1062",
    text: include_str!("../../targets/chips/mimxrt1062.toml"),
}];

/// Flash parts.
pub(super) const FLASH_PARTS: &[File] = &[
    File {
        name: "IS25WP064",
        text: include_str!("../../targets/flash/is25wp064.toml"),
    },
    File {
        name: "IS25WP032",
        text: include_str!("../../targets/flash/is25wp032.toml"),
    },
    File {
        name: "IS25WP128",
        text: include_str!("../../targets/flash/is25wp128.toml"),
    },
    File {
        name: "IS25LP064",
        text: include_str!("../../targets/flash/is25lp064.toml"),
    },
    File {
        name: "W25Q64JV",
        text: include_str!("../../targets/flash/w25q64jv.toml"),
    },
];

/// Boards.
pub(super) const BOARDS: &[File] = &[File {
    name: "qspi",
    text: include_str!("../../targets/boards/qspi.toml"),
}];

/// Finds a file by name.
///
/// # Errors
/// [`TargetError::Unknown`] with the names of `files`.
pub(super) fn find(
    kind: &'static str,
    files: &'static [File],
    name: &str,
) -> Result<&'static File, TargetError> {
    files
        .iter()
        .find(|file| file.name.eq_ignore_ascii_case(name))
        .ok_or_else(|| TargetError::Unknown {
            kind,
            name: name.to_owned(),
            known: files.iter().map(|file| file.name).collect(),
        })
}
