//! A failure as the user meets it: stable code, exit code, what happened, where, why, and what to do.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::address::Address;

/// Process exit codes, after the programmer standard STAPL (JESD71) where that has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ExitCode {
    /// The command's own question is answered yes, with proof.
    Proven = 0,
    /// A fault of this program.
    Internal = 1,
    /// The command line cannot be understood.
    Usage = 2,
    /// Wrong or unknown chip or flash part.
    WrongDevice = 6,
    /// Erasing failed.
    EraseFailed = 8,
    /// Not blank where it must be.
    NotBlank = 9,
    /// Programming failed.
    ProgramFailed = 10,
    /// Verified, and differs.
    Differs = 11,
    /// Reading failed: could not find out.
    ReadFailed = 12,
    /// Input file malformed, or its hash is not the pinned one.
    MalformedInput = 13,
    /// Programmed and verified, but the boot is not proven or failed.
    BootNotProven = 16,
    /// Well-formed, but would not boot or does not fit: refused before the board was touched.
    Refused = 20,
    /// No probe, or several and none chosen.
    NoProbe = 21,
    /// Probe or target lost on the way, or their contact poor.
    LinkLost = 22,
    /// The record could not be written.
    RecordNotWritten = 23,
    /// Cancelled by the user.
    Cancelled = 130,
}

impl ExitCode {
    /// The number the process ends with.
    pub const fn number(self) -> u8 {
        self as u8
    }
}

/// Where a problem was found; every part is optional.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Input file.
    pub file: Option<PathBuf>,
    /// Line in the file, counted from 1.
    pub line: Option<u32>,
    /// Section of the file, where it has sections.
    pub section: Option<String>,
    /// Byte in the file, counted from 0, where it has no lines.
    pub offset: Option<u64>,
    /// Bus address.
    pub address: Option<Address>,
    /// Number of the 4 KiB flash sector, counted from 0.
    pub sector: Option<u32>,
}

impl Place {
    /// Stands for a file where a byte is not from one, but what a board holds.
    pub const BOARD: &str = "the board";

    /// Whether it is what a board holds.
    pub fn is_of_board(&self) -> bool {
        self.file.as_deref() == Some(Path::new(Self::BOARD))
    }

    /// A place known by bus address alone.
    pub fn at(address: Address) -> Self {
        Place {
            address: Some(address),
            ..Place::default()
        }
    }

    /// A line of an input file.
    pub fn in_file(file: impl Into<PathBuf>, line: Option<u32>) -> Self {
        Place {
            file: Some(file.into()),
            line,
            ..Place::default()
        }
    }

    fn is_empty(&self) -> bool {
        *self == Place::default()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut gap = "";
        if let Some(file) = &self.file {
            write!(f, "{}", file.display())?;
            if let Some(line) = self.line {
                write!(f, ":{line}")?;
            }
            gap = ", ";
        } else if let Some(line) = self.line {
            write!(f, "line {line}")?;
            gap = ", ";
        }
        if let Some(section) = &self.section {
            write!(f, "{gap}section {section}")?;
            gap = ", ";
        }
        if let Some(offset) = self.offset {
            write!(f, "{gap}offset 0x{offset:X}")?;
            gap = ", ";
        }
        if let Some(address) = self.address {
            write!(f, "{gap}address {address}")?;
            gap = ", ";
        }
        if let Some(sector) = self.sector {
            write!(f, "{gap}sector {sector}")?;
        }
        Ok(())
    }
}

/// A failure with everything the user needs. Messages are lower case and blame nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Stable code such as `hex-checksum`, for scripts and searches.
    pub code: &'static str,
    /// Exit code of the process.
    pub exit: ExitCode,
    /// What happened.
    pub what: String,
    /// Where. Boxed to keep results small.
    pub place: Box<Place>,
    /// Why, where known.
    pub why: Option<String>,
    /// What to do.
    pub fix: Option<String>,
}

impl Problem {
    /// A problem with code, exit code and what happened.
    pub fn new(code: &'static str, exit: ExitCode, what: impl Into<String>) -> Self {
        Problem {
            code,
            exit,
            what: what.into(),
            place: Box::default(),
            why: None,
            fix: None,
        }
    }

    /// Adds the reason.
    pub fn because(mut self, why: impl Into<String>) -> Self {
        self.why = Some(why.into());
        self
    }

    /// Adds the reason, where there is one.
    pub fn because_if_known(mut self, why: Option<String>) -> Self {
        self.why = why;
        self
    }

    /// Adds what the user can do.
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    /// Adds the place.
    pub fn at(mut self, place: Place) -> Self {
        *self.place = place;
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]", self.what, self.code)?;
        if !self.place.is_empty() {
            write!(f, "\n  where: {}", self.place)?;
        }
        if let Some(why) = &self.why {
            write!(f, "\n  why:   {why}")?;
        }
        if let Some(fix) = &self.fix {
            write!(f, "\n  do:    {fix}")?;
        }
        Ok(())
    }
}

impl Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_what_where_why_and_what_to_do() {
        let problem = Problem::new(
            "hex-checksum",
            ExitCode::MalformedInput,
            "the checksum of a record is wrong",
        )
        .at(Place::in_file("app.hex", Some(7)))
        .because("the line says 12, its bytes sum to 34")
        .fix("build or copy the file again");
        assert_eq!(
            problem.to_string(),
            "the checksum of a record is wrong [hex-checksum]\n  where: app.hex:7\n  \
             why:   the line says 12, its bytes sum to 34\n  do:    build or copy the file again"
        );
        assert_eq!(problem.exit.number(), 13);
    }

    #[test]
    fn a_place_joins_what_is_known() {
        let place = Place {
            line: Some(3),
            address: Some(Address::new(0x6000_2000)),
            sector: Some(2),
            ..Place::default()
        };
        assert_eq!(place.to_string(), "line 3, address 0x60002000, sector 2");
    }
}
