//! A file that is written whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process;

use crate::problem::{ExitCode, Place, Problem};

/// A file to come. It is begun beside its place, under a name that nothing else has: no half file ever has the name asked
/// for, and a folder that cannot be written to is found out at once.
#[derive(Debug)]
pub struct OutputFile {
    file: File,
    unfinished: PathBuf,
    path: PathBuf,
}

impl OutputFile {
    /// Begins the file that is to be `path`.
    ///
    /// # Errors
    /// `output-unwritable` (exit 23).
    pub fn begin(path: &Path) -> Result<Self, Problem> {
        if path.is_dir() {
            let error = io::Error::from(io::ErrorKind::IsADirectory);
            return Err(unwritable(path, &error));
        }
        let (file, unfinished) = create_beside(path).map_err(|error| unwritable(path, &error))?;
        Ok(OutputFile {
            file,
            unfinished,
            path: path.to_owned(),
        })
    }

    /// The name it is to have.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes all of it, behind what has been written of it already, and gives it its name; a file that has the name is
    /// replaced.
    ///
    /// # Errors
    /// `output-unwritable` (exit 23).
    pub fn finish(mut self, content: &[u8]) -> Result<(), Problem> {
        let written = self
            .file
            .write_all(content)
            .and_then(|()| self.file.sync_all())
            .and_then(|()| fs::rename(&self.unfinished, &self.path));
        written.map_err(|error| unwritable(&self.path, &error))
    }
}

/// Piece by piece; [`OutputFile::finish`] makes it a file.
impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for OutputFile {
    fn drop(&mut self) {
        // where it has its name, there is nothing left to remove
        let _ = fs::remove_file(&self.unfinished);
    }
}

/// An output that cannot be written.
pub fn unwritable(path: &Path, error: &io::Error) -> Problem {
    Problem::new(
        "output-unwritable",
        ExitCode::RecordNotWritten,
        "the output file cannot be written",
    )
    .at(Place::in_file(path, None))
    .because(error.to_string())
    .fix("check the folder, its permissions and the space left")
}

/// A new file in the folder of `path`.
fn create_beside(path: &Path) -> io::Result<(File, PathBuf)> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut attempt = 0_u32;
    loop {
        let unfinished = format!(".{name}.{}-{attempt}.unfinished", process::id());
        let unfinished = path.with_file_name(unfinished);
        match File::create_new(&unfinished) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => attempt += 1,
            created => return created.map(|file| (file, unfinished)),
        }
    }
}
