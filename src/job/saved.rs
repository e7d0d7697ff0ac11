//! Foreign bytes of shared sectors, kept on the host from before the first erase until they are back on the board.
//!
//! One file per chip, named by its unique ID, written and synced before anything is erased and removed when the job has
//! verified everything. A job that was cut leaves it behind, and the next job on this host takes the bytes from it.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::address::FlashOffset;
use crate::plan::Foreign;
use crate::problem::{ExitCode, Place, Problem};

/// Directory override, for tests and for stations that keep state elsewhere.
const DIRECTORY_VARIABLE: &str = "RTFLASH_STATE";

/// Why foreign bytes could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum SavedError {
    /// No place to keep them.
    #[error("there is no directory to save foreign bytes in")]
    NoDirectory,
    /// Reading or writing failed.
    #[error("foreign bytes cannot be {what}")]
    Io {
        /// "saved", "read back" or "removed".
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The file is damaged.
    #[error("the file with saved foreign bytes is damaged")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

impl From<SavedError> for Problem {
    fn from(error: SavedError) -> Problem {
        let what = error.to_string();
        let problem = |code| Problem::new(code, ExitCode::Refused, what);
        match error {
            SavedError::NoDirectory => problem("saved-directory")
                .because("neither RTFLASH_STATE, XDG_STATE_HOME nor HOME is set")
                .fix("set RTFLASH_STATE to a directory that survives a power cut of this computer"),
            SavedError::Io { path, source, .. } => problem("saved-io")
                .at(Place::in_file(path, None))
                .because(source.to_string())
                .fix("make the directory writable; without it a shared sector is not erased"),
            SavedError::Damaged { path, reason } => problem("saved-damaged")
                .at(Place::in_file(path, None))
                .because(reason)
                .fix("it held bytes of a board whose last job was interrupted; move it away to go on without them"),
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    pieces: Vec<Piece>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Piece {
    /// Flash offset.
    offset: u32,
    sha256: String,
    bytes: String,
    /// Version 1 does not tell: the kind that asks for more care.
    #[serde(default)]
    of: SavedBy,
}

/// 2 since every piece tells what kind of job saved it.
const VERSION: u32 = 2;
const FIRST_VERSION: u32 = 1;

/// What kind of job saved a piece, and is unfinished as long as the piece is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SavedBy {
    /// A whole image was written: until that is finished its FCB must stay dead, for what it belongs to is half there.
    #[default]
    WholeImage,
    /// Part of the flash was erased or written: what lies around it is complete, its FCB included.
    Part,
}

/// A saved piece.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Kept {
    foreign: Foreign,
    of: SavedBy,
}

/// Saved bytes of one chip.
#[derive(Debug)]
pub struct Saved {
    /// The file; none where there is no directory, which matters only once there is something to save.
    path: Option<PathBuf>,
    pieces: Vec<Kept>,
}

impl Saved {
    /// What an interrupted job left in `directory` for the chip with `uid` (16 hex digits); usually nothing. Having no
    /// directory matters only once there is something to save.
    ///
    /// # Errors
    /// [`SavedError`].
    pub fn open(directory: Option<PathBuf>, uid: &str) -> Result<Self, SavedError> {
        let Some(directory) = directory else {
            return Ok(Saved {
                path: None,
                pieces: Vec::new(),
            });
        };
        let path = directory.join(format!("{uid}.json"));
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                return Ok(Saved {
                    path: Some(path),
                    pieces: Vec::new(),
                });
            }
            Err(source) => {
                return Err(SavedError::Io {
                    what: "read back",
                    path,
                    source,
                });
            }
        };
        match parse(&text) {
            Ok(pieces) => Ok(Saved {
                path: Some(path),
                pieces,
            }),
            Err(reason) => Err(SavedError::Damaged { path, reason }),
        }
    }

    /// True where an interrupted job left bytes.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// The saved pieces.
    pub fn pieces(&self) -> impl Iterator<Item = &Foreign> {
        self.pieces.iter().map(|piece| &piece.foreign)
    }

    /// Whether the byte at `offset` is among those that an unfinished job for a whole image saved.
    pub fn is_of_whole_image(&self, offset: FlashOffset) -> bool {
        self.pieces.iter().any(|Kept { foreign, of }| {
            let distance = offset.checked_from(foreign.offset);
            *of == SavedBy::WholeImage
                && distance.is_some_and(|distance| (distance as usize) < foreign.bytes.len())
        })
    }

    /// Saves `foreign` before the first erase, in addition to what an interrupted job left. `final_content` tells what the
    /// job leaves in its sectors: what was saved of them before becomes that, for the board may hold newer bytes by now.
    /// On return it is on disk.
    ///
    /// # Errors
    /// [`SavedError`].
    pub fn keep<'f>(
        &mut self,
        of: SavedBy,
        foreign: impl IntoIterator<Item = &'f Foreign>,
        final_content: impl Fn(FlashOffset, u32) -> Option<Vec<u8>>,
    ) -> Result<(), SavedError> {
        let before = self.pieces.clone();
        for piece in &mut self.pieces {
            let Foreign { offset, bytes } = &piece.foreign;
            if let Some(bytes) = final_content(*offset, bytes.len() as u32) {
                piece.foreign.bytes = bytes;
                piece.of = of;
            }
        }
        for piece in foreign {
            let Foreign { offset, bytes } = piece;
            // what begins there too and reaches further has these bytes by now
            let is_there =
                |old: &Kept| old.foreign.offset == *offset && old.foreign.bytes.starts_with(bytes);
            if !self.pieces.iter().any(is_there) {
                self.pieces.retain(|old| old.foreign.offset != *offset);
                let foreign = piece.clone();
                self.pieces.push(Kept { foreign, of });
            }
        }
        if self.pieces == before {
            return Ok(());
        }
        self.write()
    }

    /// Forgets the pieces that are back on the board and verified; `is_back` tells which. Pieces of sectors that this job
    /// did not concern stay for the job that does.
    ///
    /// # Errors
    /// [`SavedError`].
    pub fn forget(mut self, is_back: impl Fn(&Foreign) -> bool) -> Result<(), SavedError> {
        let before = self.pieces.len();
        self.pieces.retain(|piece| !is_back(&piece.foreign));
        if self.pieces.len() == before {
            return Ok(());
        }
        if !self.pieces.is_empty() {
            return self.write();
        }
        let path = self.path.ok_or(SavedError::NoDirectory)?;
        fs::remove_file(&path).map_err(|source| SavedError::Io {
            what: "removed",
            path,
            source,
        })
    }

    fn write(&self) -> Result<(), SavedError> {
        let path = self.path.clone().ok_or(SavedError::NoDirectory)?;
        let text = match render(&self.pieces) {
            Ok(text) => text,
            Err(e) => {
                return Err(SavedError::Damaged {
                    path,
                    reason: e.to_string(),
                });
            }
        };
        write_synced(&path, &text).map_err(|source| SavedError::Io {
            what: "saved",
            path,
            source,
        })
    }
}

/// The directory for boards on real probes, where the environment names one.
pub fn host_directory() -> Option<PathBuf> {
    directory_named_by(|name| env::var_os(name))
}

/// As the XDG Base Directory Specification has it: a variable that is set to nothing counts as not set.
fn directory_named_by(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let path = |name| variable(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let home = || Some(path("HOME")?.join(".local").join("state"));
    let state = || Some(path("XDG_STATE_HOME").or_else(home)?.join("rtflash"));
    path(DIRECTORY_VARIABLE).or_else(state)
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for nibble in [byte >> 4, byte & 0xF] {
            text.extend(char::from_digit(nibble.into(), 16));
        }
    }
    text
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(text.get(i..i + 2)?, 16).ok())
        .collect()
}

fn render(pieces: &[Kept]) -> Result<String, serde_json::Error> {
    let pieces = pieces
        .iter()
        .map(|Kept { foreign, of }| Piece {
            offset: foreign.offset.get(),
            sha256: hex(&Sha256::digest(&foreign.bytes)),
            bytes: hex(&foreign.bytes),
            of: *of,
        })
        .collect();
    serde_json::to_string_pretty(&Document {
        version: VERSION,
        pieces,
    })
}

fn parse(text: &str) -> Result<Vec<Kept>, String> {
    let document: Document = serde_json::from_str(text).map_err(|e| e.to_string())?;
    if !(FIRST_VERSION..=VERSION).contains(&document.version) {
        let version = document.version;
        return Err(format!(
            "version {version} is not {FIRST_VERSION} to {VERSION}"
        ));
    }
    document
        .pieces
        .into_iter()
        .map(|p| {
            let bytes = unhex(&p.bytes).ok_or("bytes are not hexadecimal")?;
            if hex(&Sha256::digest(&bytes)) != p.sha256 {
                return Err(format!(
                    "the bytes at offset {:#x} do not have their hash",
                    p.offset
                ));
            }
            Ok(Kept {
                foreign: Foreign {
                    offset: FlashOffset::new(p.offset),
                    bytes,
                },
                of: p.of,
            })
        })
        .collect()
}

/// Writes a file so that after a power cut it is there whole or not at all.
pub(super) fn write_synced(path: &Path, text: &str) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(directory)?;
    let temporary = path.with_extension("tmp");
    let mut file = File::create(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    // the rename itself lives in the directory; not every system can sync one
    if let Ok(handle) = File::open(directory) {
        let _ = handle.sync_all();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn foreign(offset: u32, bytes: &[u8]) -> Foreign {
        Foreign {
            offset: FlashOffset::new(offset),
            bytes: bytes.to_vec(),
        }
    }

    #[test]
    fn the_directory_is_the_one_the_environment_names_first() {
        const NONE: [(&str, &str); 0] = [];
        let named = |variables: &[(&str, &str)]| {
            directory_named_by(|name| {
                let (_, value) = variables.iter().find(|(known, _)| *known == name)?;
                Some(OsString::from(value))
            })
        };
        let own = (DIRECTORY_VARIABLE, "/own");
        let state = ("XDG_STATE_HOME", "/state");
        let home = ("HOME", "/home/me");
        assert_eq!(named(&[home, state, own]), Some("/own".into()));
        assert_eq!(named(&[home, state]), Some("/state/rtflash".into()));
        let at_home = Some("/home/me/.local/state/rtflash".into());
        assert_eq!(named(&[home]), at_home);
        let set_to_nothing = [(DIRECTORY_VARIABLE, ""), ("XDG_STATE_HOME", ""), home];
        assert_eq!(named(&set_to_nothing), at_home);
        assert_eq!(named(&NONE), None);
    }

    fn open(directory: &tempfile::TempDir) -> Saved {
        Saved::open(Some(directory.path().to_owned()), "00").expect("open")
    }

    fn pieces(saved: &Saved) -> Vec<Foreign> {
        saved.pieces().cloned().collect()
    }

    /// A job that has to do with none of the sectors in which something was saved before.
    fn elsewhere(_offset: FlashOffset, _length_bytes: u32) -> Option<Vec<u8>> {
        None
    }

    #[test]
    fn bytes_survive_until_they_are_forgotten() {
        let directory = tempfile::tempdir().expect("directory");
        let mut saved = open(&directory);
        assert!(saved.is_empty());
        let piece = foreign(0x3010, &[1, 2, 3]);
        saved
            .keep(SavedBy::Part, [&piece], elsewhere)
            .expect("keep");
        let again = open(&directory);
        assert_eq!(pieces(&again), [piece]);
        again
            .forget(|piece| piece.offset.get() < 0x4000)
            .expect("forget");
        assert!(open(&directory).is_empty());
    }

    #[test]
    fn bytes_of_sectors_that_a_job_does_not_concern_stay() {
        let directory = tempfile::tempdir().expect("directory");
        let mut saved = open(&directory);
        let both = [foreign(0x3010, &[1]), foreign(0x9000, &[2])];
        saved.keep(SavedBy::Part, &both, elsewhere).expect("keep");
        saved
            .forget(|piece| piece.offset.get() < 0x4000)
            .expect("forget");
        assert_eq!(pieces(&open(&directory)), [foreign(0x9000, &[2])]);
    }

    #[test]
    fn what_was_saved_before_becomes_what_the_next_job_leaves_there() {
        let directory = tempfile::tempdir().expect("directory");
        let mut saved = open(&directory);
        let both = [foreign(0x3010, &[1, 2]), foreign(0x9000, &[3])];
        saved.keep(SavedBy::Part, &both, elsewhere).expect("keep");
        let mut saved = open(&directory);
        let leaves = |offset: FlashOffset, length: u32| {
            (offset.get() < 0x4000).then(|| vec![7; length as usize])
        };
        // nothing more to save, and a piece that the one before contains
        for more in [vec![], vec![foreign(0x3010, &[7])]] {
            saved
                .keep(SavedBy::WholeImage, &more, leaves)
                .expect("keep");
            let now = open(&directory);
            assert_eq!(
                pieces(&now),
                [foreign(0x3010, &[7, 7]), foreign(0x9000, &[3])]
            );
            let is_of_whole_image = |at| now.is_of_whole_image(FlashOffset::new(at));
            assert!(is_of_whole_image(0x3010) && is_of_whole_image(0x3011));
            assert!(!is_of_whole_image(0x300F) && !is_of_whole_image(0x3012));
            assert!(!is_of_whole_image(0x9000));
        }
    }

    #[test]
    fn a_file_of_version_1_is_read_as_one_of_a_whole_image() {
        let directory = tempfile::tempdir().expect("directory");
        let piece = foreign(0x3010, &[0xAA]);
        let digest = hex(&Sha256::digest(&piece.bytes));
        let text = format!(
            r#"{{"version": 1, "pieces": [{{"offset": 12304, "sha256": "{digest}", "bytes": "aa"}}]}}"#
        );
        fs::write(directory.path().join("00.json"), text).expect("write");
        let saved = open(&directory);
        assert!(saved.is_of_whole_image(piece.offset));
        assert_eq!(pieces(&saved), [piece]);
    }

    #[test]
    fn a_damaged_file_is_named_and_not_trusted() {
        let directory = tempfile::tempdir().expect("directory");
        let mut saved = Saved::open(Some(directory.path().to_owned()), "02").expect("open");
        let piece = foreign(0, &[0xAA]);
        saved
            .keep(SavedBy::Part, [&piece], elsewhere)
            .expect("keep");
        let path = directory.path().join("02.json");
        let text = fs::read_to_string(&path)
            .expect("text")
            .replace("\"aa\"", "\"ab\"");
        fs::write(&path, text).expect("write");
        let problem = Problem::from(
            Saved::open(Some(directory.path().to_owned()), "02").expect_err("damaged"),
        );
        assert_eq!(problem.code, "saved-damaged");
    }
}
