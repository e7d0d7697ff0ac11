//! `rtflash job init`.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use clap::Args;

use super::super::{CHIP, print};
use super::already_there;
use crate::job::{FileHash, InputFile, OutputFile};
use crate::problem::{ExitCode, Place, Problem};
use crate::station::NewJob;

/// Arguments of `job init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Files of the image, in the job's folder or below; FILE@0xADDRESS for a raw binary that does not show where it belongs
    #[arg(value_name = "IMAGE", required = true)]
    images: Vec<PathBuf>,
    /// The job file to write
    #[arg(short, long, value_name = "JOB", default_value = "job.toml")]
    output: PathBuf,
    /// The job's name (default: that of the first image, up to its first dot)
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Flash part on the boards: is25wp032, is25wp064, is25wp128, is25lp064 or w25q64jv
    #[arg(long, value_name = "PART", default_value = "is25wp064")]
    flash: String,
    /// How the flash is wired
    #[arg(long, value_name = "BOARD", default_value = "qspi")]
    board: String,
}

/// Writes a job file to begin with.
///
/// # Errors
/// `output-exists`, `job-path` (exit 2), `input-unreadable` (exit 13), `output-unwritable` (exit 23).
pub fn run(args: &InitArgs) -> Result<(), Problem> {
    if args.output.exists() {
        return Err(already_there(&args.output));
    }
    let mut images = Vec::new();
    for typed in &args.images {
        let input = InputFile::named(typed.as_os_str());
        let hash = FileHash::of(&input.content()?);
        images.push((name_from(&args.output, &input.path)?, input.start, hash));
    }
    let name = match &args.name {
        Some(name) => name.clone(),
        None => name_of(images.first().map(|(name, _, _)| Path::new(name))),
    };
    let job = NewJob {
        name: &name,
        target: [CHIP, &args.flash, &args.board],
        images: &images,
    };
    OutputFile::begin(&args.output)?.finish(job.text().as_bytes())?;
    print(&format!(
        "WRITTEN: {}; adapt it, then run `rtflash job check` on it",
        args.output.display()
    ));
    Ok(())
}

/// What a job at `job` calls the file at `file`.
fn name_from(job: &Path, file: &Path) -> Result<String, Problem> {
    let folder = match job.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let outside = || {
        Problem::new("job-path", ExitCode::Usage, "the image is not in the job's folder")
            .at(Place::in_file(file, None))
            .because("a job is a folder that is copied as a whole: its files lie beside the job file or below")
            .fix("copy the file into the job's folder, or write the job beside it with -o")
    };
    let whole = |path: &Path| path.canonicalize().map_err(|_| outside());
    let (folder, file) = (whole(folder)?, whole(file)?);
    let below = file.strip_prefix(&folder).map_err(|_| outside())?;
    let parts: Option<Vec<&str>> = below
        .components()
        .map(|part| match part {
            Component::Normal(name) => name.to_str(),
            _ => None,
        })
        .collect();
    Ok(parts.ok_or_else(outside)?.join("/"))
}

fn name_of(image: Option<&Path>) -> String {
    let name = image.and_then(Path::file_name).and_then(OsStr::to_str);
    let stem = name.and_then(|name| name.split('.').next());
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let stem: String = stem.unwrap_or_default().chars().map(plain).collect();
    let stem = stem.trim_matches('-');
    if stem.is_empty() { "job" } else { stem }.to_owned()
}
