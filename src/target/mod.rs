//! The target: chip, flash part and board, read from `targets/*.toml` and checked once.

mod board;
mod boot_config;
mod builtin;
mod chip;
mod flash;
mod known;
mod status;

pub use board::{Board, PinGroup};
pub use boot_config::{BootConfig, BootMode, BootObstacle, SecConfig};
pub use chip::{
    AlgorithmRam, BootModeValues, BootOffsets, Chip, FlexSpi, Identity, Ram, Registers, Rom,
    SerialClock, SerialClockLimits,
};
pub use flash::{
    ChipErase, ContinuousRead, EraseUnit, FlashIdentity, FlashPart, PageProgram, Qpi, ReadCommand,
    SoftwareReset, WriteStatus,
};
pub use known::Known;
pub use status::{
    FlashRegisters, FunctionRegister, FurtherStatus, Protection, QuadEnable, QuadEnableRegister,
    StatusBits, StatusPair,
};

use crate::address::{Address, AddressRange, FlashOffset};
use crate::problem::{ExitCode, Problem};

/// Why target data could not be used.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// No data of that name.
    #[error("no {kind} named \"{name}\" is known")]
    Unknown {
        /// `chip`, `flash part` or `board`.
        kind: &'static str,
        /// The name asked for.
        name: String,
        /// The names that exist.
        known: Vec<&'static str>,
    },
    /// The file is not TOML of our schema.
    #[error("the {kind} file {file} cannot be read")]
    Syntax {
        /// `chip`, `flash part` or `board`.
        kind: &'static str,
        /// File name.
        file: String,
        /// What the TOML reader said.
        source: Box<toml::de::Error>,
    },
    /// The file is readable but contradicts itself or the hardware.
    #[error("the {kind} file of {name} is inconsistent: {what}")]
    Inconsistent {
        /// `chip`, `flash part`, `board` or `target`.
        kind: &'static str,
        /// The `name` in the file.
        name: String,
        /// The contradiction.
        what: String,
    },
}

impl From<TargetError> for Problem {
    fn from(error: TargetError) -> Problem {
        let what = error.to_string();
        match error {
            TargetError::Unknown { kind, known, .. } => {
                Problem::new("target-unknown", ExitCode::Usage, what)
                    .because(format!(
                        "the built-in names for a {kind} are: {}",
                        known.join(", ")
                    ))
                    .fix("choose one of these names; to add a part, describe it in targets/ as the others are")
            }
            TargetError::Syntax { source, .. } => {
                Problem::new("target-syntax", ExitCode::MalformedInput, what)
                    .because(source.to_string().trim().to_owned())
                    .fix("correct the file; those in targets/ show the keys")
            }
            TargetError::Inconsistent { .. } => {
                Problem::new("target-inconsistent", ExitCode::MalformedInput, what)
                    .fix("correct the number against the data sheet named in `source`")
            }
        }
    }
}

/// Everything known about what is to be flashed. Only made by [`Target::new`], which checks that the three fit.
#[derive(Clone, Debug)]
pub struct Target {
    chip: Chip,
    flash: FlashPart,
    board: Board,
}

impl Target {
    /// Joins three descriptions.
    ///
    /// # Errors
    /// [`TargetError::Inconsistent`] where they do not fit one another.
    pub fn new(chip: Chip, flash: FlashPart, board: Board) -> Result<Self, TargetError> {
        if flash.size_bytes > chip.flexspi.window_bytes {
            return Err(inconsistent(
                "target",
                &flash.name,
                format!("the part is larger than the flash window of {}", chip.name),
            ));
        }
        if board.flexspi_instance != 1 {
            return Err(inconsistent(
                "target",
                &board.name,
                format!("{} boots from FlexSPI1 only", chip.name),
            ));
        }
        Ok(Target { chip, flash, board })
    }

    /// A target from the built-in data, by names without regard to case.
    ///
    /// # Errors
    /// [`TargetError::Unknown`], which lists the names.
    pub fn builtin(chip: &str, flash: &str, board: &str) -> Result<Self, TargetError> {
        Target::new(
            Chip::builtin(chip)?,
            FlashPart::builtin(flash)?,
            Board::builtin(board)?,
        )
    }

    /// The chip.
    pub const fn chip(&self) -> &Chip {
        &self.chip
    }

    /// The flash part.
    pub const fn flash(&self) -> &FlashPart {
        &self.flash
    }

    /// The board.
    pub const fn board(&self) -> &Board {
        &self.board
    }

    /// The bus addresses at which this part's bytes appear.
    pub fn flash_window(&self) -> AddressRange {
        // Both ends were checked by `Target::new`; the window itself by `Chip::from_toml`.
        AddressRange::new(self.chip.flexspi.window_start(), self.flash.size_bytes)
            .unwrap_or(self.chip.flexspi.window())
    }

    /// The bus address of a byte of the flash part, or `None` beyond its end.
    pub fn address_of(&self, offset: FlashOffset) -> Option<Address> {
        if offset.get() >= self.flash.size_bytes {
            return None;
        }
        self.chip.flexspi.window_start().checked_add(offset.get())
    }

    /// The flash offset behind a bus address, or `None` outside the part.
    pub fn offset_of(&self, address: Address) -> Option<FlashOffset> {
        let distance = address.checked_from(self.chip.flexspi.window_start())?;
        (distance < self.flash.size_bytes).then_some(FlashOffset::new(distance))
    }
}

fn inconsistent(kind: &'static str, name: &str, what: impl Into<String>) -> TargetError {
    TargetError::Inconsistent {
        kind,
        name: name.to_owned(),
        what: what.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_builtin_file_is_readable_and_fits() {
        for chip in Chip::names() {
            for flash in FlashPart::names() {
                for board in Board::names() {
                    let target = Target::builtin(chip, flash, board).expect("a consistent target");
                    assert_eq!(
                        target.flash_window().length_bytes(),
                        target.flash().size_bytes
                    );
                }
            }
        }
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let error = Target::builtin("mimxrt1062", "at45", "qspi").expect_err("no such part");
        let problem = Problem::from(error);
        assert_eq!(problem.code, "target-unknown");
        assert!(problem.why.expect("why").contains("IS25WP064"));
    }

    #[test]
    fn bus_addresses_and_flash_offsets_convert_only_inside_the_part() {
        let target = Target::builtin("mimxrt1062", "is25wp064", "qspi").expect("target");
        let last = FlashOffset::new(0x7F_FFFF);
        assert_eq!(target.address_of(last), Some(Address::new(0x607F_FFFF)));
        assert_eq!(target.offset_of(Address::new(0x607F_FFFF)), Some(last));
        assert_eq!(target.offset_of(Address::new(0x6080_0000)), None);
        assert_eq!(target.offset_of(Address::new(0x5FFF_FFFF)), None);
        assert_eq!(target.address_of(FlashOffset::new(0x80_0000)), None);
    }
}
