//! A journal read line by line, with what is wrong with each.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Take};
use std::path::Path;

use super::line::{Line, NO_LINE_BEFORE, Told, sha256_hex};
use super::{JournalMark, RecordsError};

/// A line of the file, whole or not.
#[derive(Clone, Debug, PartialEq)]
pub struct JournalRead {
    /// Which line of the file, from 1.
    pub number: u64,
    /// Its length in bytes without the line feed.
    pub bytes: u64,
    /// SHA-256 of these bytes, in hex.
    pub sha256: String,
    /// What it says, where it can be read.
    pub line: Option<Line>,
    /// What is wrong with it; none for a good one.
    pub wrong: Option<Wrong>,
}

impl JournalRead {
    /// As the ledger names it.
    pub fn mark(&self) -> JournalMark {
        JournalMark {
            line: self.number,
            sha256: self.sha256.clone(),
        }
    }
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// It is no line of a journal, or its own hash is not that of its bytes.
    NotALine(String),
    /// It ends too early, and no later line says why.
    Cut,
    /// It says that it is another line.
    Number {
        /// Which.
        says: u64,
    },
    /// It does not follow the line before.
    Previous {
        /// The hash that it names.
        says: String,
        /// That of the line before.
        is: String,
    },
    /// Its writing was cut off, and a later line says so: no fault of the journal.
    Torn,
    /// The last line lacks its line feed: its writing was cut off, and the station has not started again.
    Unfinished,
}

impl Wrong {
    /// Whether something was changed or is missing, other than a line whose writing was cut off.
    pub fn is_break(&self) -> bool {
        !matches!(self, Wrong::Torn | Wrong::Unfinished)
    }
}

/// Reads a journal from its beginning.
///
/// # Errors
/// The file cannot be opened.
pub fn read_journal(path: &Path) -> Result<JournalReader, RecordsError> {
    File::open(path)
        .and_then(JournalReader::new)
        .map_err(|error| {
            RecordsError::new(
                "records-none",
                format!("there is no journal at {}", path.display()),
                error.to_string(),
                "name the records that the station was given",
            )
        })
}

/// The lines of a journal.
pub struct JournalReader {
    lines: BufReader<Take<File>>,
    /// Lines of the file that were read.
    number: u64,
    /// Hash of the last good line.
    previous: String,
    /// Read ahead and not judged yet.
    ahead: Option<Raw>,
    /// Judged and not given yet.
    ready: VecDeque<JournalRead>,
}

/// Bytes between two line feeds.
struct Raw {
    number: u64,
    bytes: Vec<u8>,
    is_ended: bool,
}

impl JournalReader {
    /// The lines that the file has now; what comes later is not read.
    pub(super) fn new(file: File) -> std::io::Result<Self> {
        let length = file.metadata()?.len();
        Ok(JournalReader {
            lines: BufReader::new(file.take(length)),
            number: 0,
            previous: NO_LINE_BEFORE.to_owned(),
            ahead: None,
            ready: VecDeque::new(),
        })
    }

    fn raw(&mut self) -> Result<Option<Raw>, RecordsError> {
        if let Some(raw) = self.ahead.take() {
            return Ok(Some(raw));
        }
        let mut bytes = Vec::new();
        let length = self.lines.read_until(b'\n', &mut bytes).map_err(|error| {
            RecordsError::new(
                "records-io",
                "the journal cannot be read",
                error.to_string(),
                "check the disk with the records",
            )
        })?;
        if length == 0 {
            return Ok(None);
        }
        self.number += 1;
        let is_ended = bytes.pop_if(|byte| *byte == b'\n').is_some();
        Ok(Some(Raw {
            number: self.number,
            bytes,
            is_ended,
        }))
    }

    /// Judges a line by itself and by the last good one.
    fn judge(&self, raw: &Raw) -> JournalRead {
        let mut read = JournalRead {
            number: raw.number,
            bytes: raw.bytes.len() as u64,
            sha256: sha256_hex(&raw.bytes),
            line: None,
            wrong: None,
        };
        match Line::read(&raw.bytes) {
            Err(_) if !raw.is_ended => read.wrong = Some(Wrong::Unfinished),
            Err(error) if error.is_eof() => read.wrong = Some(Wrong::Cut),
            Err(error) => read.wrong = Some(Wrong::NotALine(error.to_string())),
            Ok(line) => {
                if line.line != raw.number {
                    read.wrong = Some(Wrong::Number { says: line.line });
                } else if line.prev != self.previous {
                    read.wrong = Some(Wrong::Previous {
                        says: line.prev.clone(),
                        is: self.previous.clone(),
                    });
                } else if !raw.is_ended {
                    read.wrong = Some(Wrong::Unfinished);
                }
                read.line = Some(line);
            }
        }
        read
    }

    /// Reads on after a bad line: the lines that follow it may say that it, and those directly after it, were torn.
    fn run_of_bad_lines(&mut self, first: JournalRead) -> Result<(), RecordsError> {
        self.ready.push_back(first);
        while let Some(raw) = self.raw()? {
            let read = self.judge(&raw);
            let unreadable = read.line.is_none();
            let named = read.line.as_ref().and_then(|line| match &line.told {
                Told::Torn {
                    torn,
                    bytes,
                    sha256,
                } if matches!(read.wrong, None | Some(Wrong::Unfinished)) => {
                    Some((*torn, *bytes, sha256.clone()))
                }
                _ => None,
            });
            if let Some((torn, bytes, sha256)) = named {
                if let Some(evidence) = self
                    .ready
                    .iter_mut()
                    .find(|read| read.number == torn && read.wrong.is_some())
                    && (evidence.bytes, evidence.sha256.as_str()) == (bytes, sha256.as_str())
                {
                    evidence.wrong = Some(Wrong::Torn);
                }
                self.previous.clone_from(&read.sha256);
                self.ready.push_back(read);
            } else if unreadable {
                self.ready.push_back(read);
            } else {
                self.ahead = Some(raw);
                break;
            }
        }
        Ok(())
    }
}

impl Iterator for JournalReader {
    type Item = Result<JournalRead, RecordsError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(ready) = self.ready.pop_front() {
            return Some(Ok(ready));
        }
        let raw = match self.raw() {
            Ok(raw) => raw?,
            Err(error) => return Some(Err(error)),
        };
        let read = self.judge(&raw);
        if read.line.is_some() {
            // after a break the chain is taken up again at what can be read
            self.previous.clone_from(&read.sha256);
            return Some(Ok(read));
        }
        match self.run_of_bad_lines(read) {
            Ok(()) => self.ready.pop_front().map(Ok),
            Err(error) => Some(Err(error)),
        }
    }
}
