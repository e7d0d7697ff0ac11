//! Whether a path still leads to the very file that was opened by it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A file as the system knows it, whatever its name.
#[cfg(unix)]
type Node = (u64, u64);
/// Elsewhere only that it is there.
#[cfg(not(unix))]
type Node = ();

/// A path, and the file that it led to when it was opened.
#[derive(Clone, Debug)]
pub(super) struct SameFile {
    path: PathBuf,
    node: Node,
}

impl SameFile {
    /// Looks at what is at `path` now.
    pub fn at(path: &Path) -> io::Result<Self> {
        Ok(SameFile {
            path: path.to_owned(),
            node: node(&fs::metadata(path)?),
        })
    }

    /// Whether `file`, just opened, is the one.
    pub fn is(&self, file: &fs::File) -> io::Result<bool> {
        Ok(node(&file.metadata()?) == self.node)
    }

    /// Why it is not the same any more, if so.
    pub fn gone(&self) -> Option<String> {
        match fs::metadata(&self.path) {
            Ok(metadata) if node(&metadata) == self.node => None,
            Ok(_) => Some(format!("{} is another file now", self.path.display())),
            Err(error) => Some(format!("{}: {error}", self.path.display())),
        }
    }
}

#[cfg(unix)]
fn node(metadata: &fs::Metadata) -> Node {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}

#[cfg(not(unix))]
fn node(_: &fs::Metadata) -> Node {}

/// Makes a directory, with those above it, that lasts through a power cut.
pub(super) fn make_directories(directory: &Path) -> io::Result<()> {
    let above = directory.ancestors();
    let made: Vec<&Path> = above
        .take_while(|path| !path.as_os_str().is_empty() && !path.exists())
        .collect();
    fs::create_dir_all(directory)?;
    made.into_iter().try_for_each(sync_directory_of)
}

/// Makes a file's name in its directory last through a power cut.
pub(super) fn sync_directory_of(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        let directory = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        fs::File::open(directory)?.sync_all()?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}
