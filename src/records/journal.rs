//! The journal of one station: lines that are only ever added, each on the disk before anything is done that relies on it.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use super::journal_read::{JournalRead, JournalReader, Wrong};
use super::line::{Line, NO_LINE_BEFORE, Told, sha256_hex};
use super::same_file::{SameFile, make_directories, sync_directory_of};
use super::{AttemptId, JournalMark, RecordsError};
use crate::clock::{Clock, Deadline, HostClock};

/// So long a journal that another process has open is waited for.
const LOCK_PATIENCE: Duration = Duration::from_millis(500);
/// Between two looks at it.
const LOCK_LOOK: Duration = Duration::from_millis(10);

/// The journal, open to this process alone.
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    opened: SameFile,
    /// Lines of the file.
    line: u64,
    /// Hash of the last good one.
    previous: String,
    /// What the clock showed at it.
    at: Option<Timestamp>,
    /// Whether the file ends with a good line, as far as is known; not after a failed write.
    is_whole: bool,
}

/// What a journal tells, in short.
#[derive(Default)]
pub(super) struct Contents {
    /// Its first line: station, ledger, and whether the boards are virtual.
    pub opened: Option<(String, String, bool)>,
    /// What it tells of ends and hooks' results and has not withdrawn, by line.
    pub told: BTreeMap<u64, (AttemptId, JournalMark)>,
    /// The last attempt that it tells the begin of.
    pub begun: Option<AttemptId>,
    /// The last attempt that it tells the claim of, and the chip.
    pub claimed: Option<(AttemptId, String)>,
    /// The first line that shows that something was changed or is missing.
    pub broken: Option<String>,
    /// Lines at its end whose writing was cut off.
    cut: Vec<JournalRead>,
    /// Its last line, where that is good but for its line feed.
    lacks_line_feed: bool,
}

impl Contents {
    fn take(&mut self, read: &JournalRead) {
        // cut lines before a good one were not at the end
        if !self.cut.is_empty() && read.line.is_some() {
            let first = self.cut.drain(..).next();
            self.break_at(first.as_ref());
        }
        match &read.wrong {
            Some(Wrong::Cut | Wrong::Unfinished) if read.line.is_none() => {
                self.cut.push(read.clone());
            }
            Some(Wrong::Unfinished) => self.lacks_line_feed = true,
            Some(wrong) if wrong.is_break() => self.break_at(Some(read)),
            _ => {}
        }
        let Some(line) = &read.line else { return };
        match &line.told {
            Told::Opened {
                station,
                ledger,
                rehearsal,
                ..
            } if self.opened.is_none() => {
                self.opened = Some((station.clone(), ledger.clone(), *rehearsal));
            }
            Told::Ended { attempt, .. }
            | Told::Interrupted { attempt, .. }
            | Told::Hook { attempt, .. } => {
                self.told.insert(read.number, (*attempt, read.mark()));
            }
            Told::Begun { attempt, .. } => self.begun = Some(*attempt),
            Told::Claimed { attempt, uid, .. } => self.claimed = Some((*attempt, uid.clone())),
            Told::Withdrawn { mark, .. } => {
                self.told.remove(&mark.line);
            }
            _ => {}
        }
    }

    fn break_at(&mut self, read: Option<&JournalRead>) {
        if let Some(read) = read {
            self.broken.get_or_insert_with(|| match &read.wrong {
                Some(wrong) => format!("line {}: {wrong:?}", read.number),
                None => format!("line {}", read.number),
            });
        }
    }
}

impl Journal {
    /// Opens the journal at `path`, which is created where there is none, and keeps every other process from it.
    ///
    /// # Errors
    /// `records-in-use` where another process has it, `records-full`, `records-io`.
    pub fn open(path: &Path) -> Result<(Journal, Contents), RecordsError> {
        let failed = |error: io::Error| told(path, &error);
        if let Some(directory) = path.parent() {
            make_directories(directory).map_err(failed)?;
        }
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(path)
            .map_err(failed)?;
        lock(&file, path)?;
        sync_directory_of(path).map_err(failed)?;
        let opened = SameFile::at(path).map_err(failed)?;
        if !opened.is(&file).map_err(failed)? {
            return Err(in_use(&path.display().to_string()));
        }
        let mut journal = Journal {
            path: path.to_owned(),
            file,
            opened,
            line: 0,
            previous: NO_LINE_BEFORE.to_owned(),
            at: None,
            is_whole: false,
        };
        let contents = journal.read()?;
        Ok((journal, contents))
    }

    /// Removes the file where nothing was ever written to it: nobody need wonder what it was to tell.
    pub fn discard_if_empty(self) {
        if self
            .file
            .metadata()
            .is_ok_and(|metadata| metadata.len() == 0)
        {
            // left behind, it is empty again at the next start
            let _ = fs::remove_file(&self.path);
        }
    }

    /// Reads the whole file.
    ///
    /// # Errors
    /// `records-gone`, `records-io`.
    pub fn read(&mut self) -> Result<Contents, RecordsError> {
        self.is_still_there()?;
        let reader = File::open(&self.path)
            .and_then(JournalReader::new)
            .map_err(|error| told(&self.path, &error))?;
        let mut contents = Contents::default();
        (self.line, self.at) = (0, None);
        NO_LINE_BEFORE.clone_into(&mut self.previous);
        for read in reader {
            let read = read?;
            contents.take(&read);
            self.line = read.number;
            if let Some(line) = &read.line {
                self.previous.clone_from(&read.sha256);
                self.at = Some(line.at);
            }
        }
        self.is_whole = contents.cut.is_empty() && !contents.lacks_line_feed;
        Ok(contents)
    }

    /// Where the last line's writing was cut off: leaves its bytes as they are and says so in a line of its own. Returns
    /// how many bytes there are of such.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub fn mend(&mut self, contents: &Contents, at: Timestamp) -> Result<u64, RecordsError> {
        if contents.lacks_line_feed || contents.cut.iter().any(is_open) {
            self.write(b"\n")?;
        }
        for cut in &contents.cut {
            self.add(
                Told::Torn {
                    torn: cut.number,
                    bytes: cut.bytes,
                    sha256: cut.sha256.clone(),
                },
                at,
            )?;
        }
        self.is_whole = true;
        Ok(contents.cut.iter().map(|cut| cut.bytes).sum())
    }

    /// Whether its last line was written at a later time than `at`.
    pub fn is_ahead_of(&self, at: Timestamp) -> bool {
        self.at.is_some_and(|last| at < last)
    }

    /// Adds a line; when it returns, the line is on the disk.
    ///
    /// # Errors
    /// `records-gone`, `records-full`, `records-io`. Then it may be there or not, in part or whole.
    pub fn append(&mut self, told: Told, at: Timestamp) -> Result<JournalMark, RecordsError> {
        self.is_still_there()?;
        if !self.is_whole {
            let contents = self.read()?;
            self.mend(&contents, at)?;
        }
        if let Some(was) = self.at.filter(|was| at < *was) {
            self.add(Told::ClockSteppedBack { was }, at)?;
        }
        self.add(told, at)
    }

    fn add(&mut self, told: Told, at: Timestamp) -> Result<JournalMark, RecordsError> {
        let line = Line {
            line: self.line + 1,
            prev: self.previous.clone(),
            at,
            told,
        };
        let mut text = line.text().map_err(|error| {
            RecordsError::new(
                "records-io",
                "a line of the journal cannot be written as JSON",
                error.to_string(),
                "report this as a fault of rtflash",
            )
        })?;
        let sha256 = sha256_hex(text.as_bytes());
        text.push('\n');
        self.write(text.as_bytes())?;
        self.line = line.line;
        self.previous.clone_from(&sha256);
        self.at = Some(at);
        Ok(JournalMark {
            line: self.line,
            sha256,
        })
    }

    /// One write, so that a crash leaves the beginning of a line and never its end.
    fn write(&mut self, bytes: &[u8]) -> Result<(), RecordsError> {
        let was_whole = std::mem::replace(&mut self.is_whole, false);
        self.file
            .write_all(bytes)
            .and_then(|()| self.file.sync_data())
            .map_err(|error| told(&self.path, &error))?;
        // a line in a file without a name is on no disk
        self.is_still_there()?;
        self.is_whole = was_whole;
        Ok(())
    }

    fn is_still_there(&self) -> Result<(), RecordsError> {
        match self.opened.gone() {
            None => Ok(()),
            Some(why) => Err(RecordsError::new(
                "records-gone",
                "the journal is gone",
                why,
                "bring the journal back, and start the station again",
            )),
        }
    }
}

/// Keeps every other process from the file. A program that is being started holds for a moment what its starter had open, and
/// so the lock of a journal that was closed meanwhile.
fn lock(file: &File, path: &Path) -> Result<(), RecordsError> {
    let clock = HostClock::start();
    let patience = Deadline::after(&clock, LOCK_PATIENCE);
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if !patience.is_over(&clock) => clock.sleep(LOCK_LOOK),
            Err(TryLockError::WouldBlock) => return Err(in_use(&path.display().to_string())),
            Err(TryLockError::Error(error)) => return Err(told(path, &error)),
        }
    }
}

fn is_open(read: &JournalRead) -> bool {
    read.wrong == Some(Wrong::Unfinished)
}

/// Another process works with these records under the same label.
pub(super) fn in_use(what: &str) -> RecordsError {
    RecordsError::new(
        "records-in-use",
        "another station of this label is working with these records",
        format!("it has {what} open"),
        "end the other one, or give this station a label of its own with `--station`",
    )
}

fn told(path: &Path, error: &io::Error) -> RecordsError {
    let why = format!("{}: {error}", path.display());
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            RecordsError::new(
                "records-full",
                "the disk with the journal is full",
                why,
                "make room on the disk with the records",
            )
        }
        _ => RecordsError::new(
            "records-io",
            "the journal cannot be read or written",
            why,
            "check the disk with the records",
        ),
    }
}
