//! What the user chose about the boot header, as wishes to the boot stage.

use std::path::{Path, PathBuf};

use crate::boot::{Fcb, HeaderWishes};
use crate::problem::{ExitCode, Place, Problem};
use crate::target::Target;

/// What the user typed about the boot header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderChoice {
    /// File with an FCB of the user's own.
    pub fcb: Option<PathBuf>,
    /// Put new headers in the place of those in the image.
    pub replace: bool,
    /// Read command of a new FCB.
    pub read_opcode: Option<u8>,
    /// Highest clock of a new FCB in Hz.
    pub clock_hz: Option<u32>,
}

impl HeaderChoice {
    /// What it asks of the boot stage, the FCB file read.
    ///
    /// # Errors
    /// An FCB file that cannot be read or is none (exit 13), or a read command that the flash part lacks (exit 2).
    pub fn wishes(&self, target: &Target) -> Result<HeaderWishes, Problem> {
        if let Some(opcode) = self.read_opcode
            && target.flash().read_command(opcode).is_none()
        {
            return Err(Problem::new(
                "read-mode",
                ExitCode::Usage,
                format!("{} has no read {opcode:02X}h", target.flash().name),
            )
            .fix("choose another --read-mode"));
        }
        let fcb = match &self.fcb {
            Some(path) => Some(fcb_file(path)?),
            None => None,
        };
        Ok(HeaderWishes {
            replace: self.replace,
            fcb,
            read_opcode: self.read_opcode,
            clock_hz: self.clock_hz,
        })
    }
}

fn fcb_file(path: &Path) -> Result<Box<Fcb>, Problem> {
    let content = std::fs::read(path).map_err(|error| {
        Problem::new(
            "fcb-file",
            ExitCode::MalformedInput,
            "the FCB file cannot be read",
        )
        .at(Place::in_file(path, None))
        .because(error.to_string())
        .fix("check the name and the file's permissions")
    })?;
    HeaderWishes::fcb_of(&content).map_err(|problem| problem.at(Place::in_file(path, None)))
}
