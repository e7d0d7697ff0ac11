//! `inspect` and `pack`: from input files to what is told or written, without a board.

use std::io::Write;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::load::{self, InputFile};
use super::pack::PackFormat;
use crate::boot::{self, BootImage, HeaderWishes};
use crate::problem::{ExitCode, Place, Problem};
use crate::report::{Inspection, OutputRecord};
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

fn fcb_file(path: &Path) -> Result<Box<boot::Fcb>, Problem> {
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

/// As [`load::load`], with wishes on the boot header.
///
/// # Errors
/// Those of [`load::load`].
pub fn load_with(
    inputs: &[InputFile],
    target: &Target,
    wishes: &HeaderWishes,
) -> Result<BootImage, Problem> {
    let image = load::read(inputs, target)?;
    image.require_inside(target.flash_window())?;
    Ok(boot::judge_with(&image, None, target, wishes).into_boot_image()?)
}

/// Tells what is in the image, whether the boot ROM will start it, and if not why.
///
/// # Errors
/// Files that cannot be read, are malformed or contradict each other (exit 13). An image that would not boot is no
/// error: the verdict says so.
pub fn inspect(
    inputs: &[InputFile],
    target: &Target,
    wishes: &HeaderWishes,
) -> Result<Inspection, Problem> {
    let image = load::read(inputs, target)?;
    let judgement = boot::judge_with(&image, None, target, wishes);
    Ok(Inspection::new("inspect", &image, &judgement, target))
}

/// Writes the complete image, boot header included, to `output` in the format of its name. An image that would not boot
/// is not written: the verdict says so.
///
/// # Errors
/// Those of [`inspect`], a name whose format is not known (exit 2), or a file that cannot be written (exit 23).
pub fn pack(
    inputs: &[InputFile],
    target: &Target,
    wishes: &HeaderWishes,
    output: &Path,
) -> Result<Inspection, Problem> {
    let format = PackFormat::of_name(output)?;
    let image = load::read(inputs, target)?;
    let judgement = boot::judge_with(&image, None, target, wishes);
    let mut inspection = Inspection::new("pack", &image, &judgement, target);
    if let Some(boot_image) = judgement.boot_image() {
        let content = format.write(boot_image, target)?;
        write_whole(output, &content)?;
        inspection.output = Some(OutputRecord::new(
            output.display().to_string(),
            format.name(),
            content.len() as u64,
            &Sha256::digest(&content).into(),
        ));
    }
    Ok(inspection)
}

/// Writes beside `path` first: no half file ever has that name.
fn write_whole(path: &Path, content: &[u8]) -> Result<(), Problem> {
    let unfinished = path.with_extension("unfinished");
    let written = std::fs::File::create(&unfinished)
        .and_then(|mut file| {
            file.write_all(content)?;
            file.sync_all()
        })
        .and_then(|()| std::fs::rename(&unfinished, path));
    written.map_err(|error| {
        Problem::new(
            "output-unwritable",
            ExitCode::RecordNotWritten,
            "the output file cannot be written",
        )
        .at(Place::in_file(path, None))
        .because(error.to_string())
        .fix("check the folder, its permissions and the space left")
    })
}
