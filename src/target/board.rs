//! The board: how the flash part is wired and how fast the wires are trusted.

use serde::Deserialize;

use super::builtin::{self, BOARDS};
use super::{TargetError, inconsistent};

/// Which pads the boot ROM uses for the flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PinGroup {
    /// GPIO_SD_B1_05..11 on FlexSPI1.
    Primary,
    /// GPIO_AD_B1_09..15 on FlexSPI1.
    Secondary,
}

/// A board's wiring.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Board {
    /// Name users give.
    pub name: String,
    /// One line on what it is.
    pub title: String,
    /// 1 or 2.
    pub flexspi_instance: u8,
    /// Port and chip select, such as `A1`.
    pub port: String,
    /// Pads in use.
    pub pin_group: PinGroup,
    /// Data lines that are wired: 1, 2 or 4.
    pub data_lines: u8,
    /// Whether the DQS pad is unconnected, so that its loopback may clock the samples.
    pub dqs_pad_free: bool,
    /// Highest serial clock that the wiring is trusted with, in Hz.
    pub max_hz: u32,
    /// Where the numbers come from.
    pub source: String,
}

impl Board {
    /// Names of the built-in boards.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BOARDS.iter().map(|file| file.name)
    }

    /// A built-in board by name, without regard to case.
    ///
    /// # Errors
    /// [`TargetError::Unknown`].
    pub fn builtin(name: &str) -> Result<Self, TargetError> {
        let file = builtin::find("board", BOARDS, name)?;
        Board::from_toml(file.name, file.text)
    }

    /// Parses and checks a board file.
    ///
    /// # Errors
    /// [`TargetError::Syntax`], [`TargetError::Inconsistent`].
    pub fn from_toml(file: &str, text: &str) -> Result<Self, TargetError> {
        let board: Board = toml::from_str(text).map_err(|source| TargetError::Syntax {
            kind: "board",
            file: file.to_owned(),
            source: Box::new(source),
        })?;
        if !matches!(board.data_lines, 1 | 2 | 4) {
            return Err(inconsistent(
                "board",
                &board.name,
                "data_lines must be 1, 2 or 4",
            ));
        }
        if board.port != "A1" {
            return Err(inconsistent(
                "board",
                &board.name,
                "only port A1 is supported",
            ));
        }
        if board.max_hz == 0 {
            return Err(inconsistent("board", &board.name, "max_hz is zero"));
        }
        Ok(board)
    }
}
