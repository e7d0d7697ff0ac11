//! From the bytes of a job file to its tables: the version first, then the format of that version. What is wrong with it
//! is told with its line.

use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::file::{JOB_VERSION, JobFile};
use crate::image::FileHash;
use crate::problem::{ExitCode, Place, Problem};

/// In every table that names a file: the file, and its hash.
const FILE: &str = "file";
/// See [`FILE`].
pub const SHA256: &str = "sha256";

/// A file that a job names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobInput {
    /// As the job names it.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// The table that names it, such as `image.0`.
    pub table: String,
    /// Its SHA-256, where the job pins it.
    pub sha256: Option<FileHash>,
}

/// The text of a job file.
#[derive(Clone, Debug)]
pub struct JobText {
    path: PathBuf,
    text: String,
}

impl JobText {
    /// The text in `content`, read from `path`.
    ///
    /// # Errors
    /// `job-unreadable` (exit 13) where it is no UTF-8.
    pub fn new(path: &Path, content: &[u8]) -> Result<Self, Problem> {
        match std::str::from_utf8(content) {
            Ok(text) => Ok(JobText {
                path: path.to_owned(),
                text: text.to_owned(),
            }),
            Err(error) => {
                let before = content.get(..error.valid_up_to()).unwrap_or_default();
                Err(refusal("job-unreadable", "the job file is no text in UTF-8")
                    .at(Place::in_file(path, Some(line_behind(before))))
                    .because(error.to_string())
                    .fix("write it with a text editor; `rtflash job init` writes one to begin with"))
            }
        }
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The tables, whatever version of the format the file has. What they say is not weighed here.
    ///
    /// # Errors
    /// `job-syntax`, `job-version`, `job-newer` (exit 13).
    pub fn parse(&self) -> Result<JobFile, Problem> {
        match self.version()? {
            // where a version 2 comes, the types of version 1 stay, and its tables are converted here
            JOB_VERSION => toml::from_str(&self.text).map_err(|error| self.misunderstood(&error)),
            newer => Err(self
                .refusal(
                    "job-newer",
                    "version",
                    format!("the job file is of version {newer}, which is newer than this rtflash"),
                )
                .because(format!(
                    "rtflash {} reads job files up to version {JOB_VERSION}",
                    env!("CARGO_PKG_VERSION")
                ))
                .fix(
                    "install a newer rtflash, or ask whoever made the job for one of an older version",
                )),
        }
    }

    /// The version of the format, which comes first: keys of a newer one would look like mistakes.
    fn version(&self) -> Result<u32, Problem> {
        let table = DeTable::parse(&self.text).map_err(|error| self.misunderstood(&error))?;
        let version = value_in(table.get_ref(), "version");
        let number = version.and_then(|version| {
            let integer = version.get_ref().as_integer()?;
            u32::from_str_radix(integer.as_str(), integer.radix()).ok()
        });
        match (number, version) {
            (Some(number), _) if number != 0 => Ok(number),
            (_, Some(_)) => Err(self
                .refusal("job-version", "version", "the job file's version is none")
                .fix(format!("write: version = {JOB_VERSION}"))),
            (_, None) => Err(self
                .refusal("job-version", "", "the job file does not say its version")
                .because("the version says what the other keys mean")
                .fix(format!("write on its first line: version = {JOB_VERSION}"))),
        }
    }

    fn misunderstood(&self, error: &toml::de::Error) -> Problem {
        let line = error.span().map(|span| self.line_of(&span));
        refusal("job-syntax", "the job file is not written as a job is")
            .at(Place::in_file(self.path.clone(), line))
            .because(error.message().replace('\n', ", "))
            .fix("correct the line; docs/job.schema.json describes every key, and `rtflash job init` writes a job to begin with")
    }

    /// The files that the job names: in whatever table, under the key `file`, with `sha256` beside it.
    pub fn inputs(&self) -> Vec<JobInput> {
        let mut found = Vec::new();
        if let Ok(table) = DeTable::parse(&self.text) {
            self.inputs_in(table.get_ref(), "", &mut found);
        }
        found
    }

    fn inputs_in(&self, table: &DeTable<'_>, at: &str, found: &mut Vec<JobInput>) {
        let text_of = |key| value_in(table, key)?.get_ref().as_str();
        if let Some(name) = text_of(FILE) {
            found.push(JobInput {
                name: name.to_owned(),
                path: self.beside(Path::new(name)),
                table: at.to_owned(),
                sha256: text_of(SHA256).and_then(|text| text.parse().ok()),
            });
        }
        for (key, value) in table.iter() {
            let at = match at {
                "" => key.get_ref().to_string(),
                _ => format!("{at}.{}", key.get_ref()),
            };
            match value.get_ref() {
                DeValue::Table(table) => self.inputs_in(table, &at, found),
                DeValue::Array(array) => {
                    for (number, value) in array.iter().enumerate() {
                        if let DeValue::Table(table) = value.get_ref() {
                            self.inputs_in(table, &format!("{at}.{number}"), found);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// The job file's folder; empty where the file is named without one.
    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    /// Where a file is that the job names.
    pub fn beside(&self, name: &Path) -> PathBuf {
        self.folder().join(name)
    }

    /// A refusal of what stands at `key`; see [`JobText::place`].
    pub fn refusal(&self, code: &'static str, key: &str, what: impl Into<String>) -> Problem {
        refusal(code, what).at(self.place(key))
    }

    /// Where `key` stands, such as `unit.barcode` or `image.0.file` (the first `[[image]]`); where it is left out, the
    /// table that it belongs to.
    pub fn place(&self, key: &str) -> Place {
        let line = DeTable::parse(&self.text).ok().and_then(|table| {
            let mut steps = key.split('.');
            let mut value = value_in(table.get_ref(), steps.next()?)?;
            for step in steps {
                let next = match value.get_ref() {
                    DeValue::Table(table) => value_in(table, step),
                    DeValue::Array(array) => step.parse().ok().and_then(|n: usize| array.get(n)),
                    _ => None,
                };
                match next {
                    Some(next) => value = next,
                    None => break,
                }
            }
            Some(self.line_of(&value.span()))
        });
        Place::in_file(self.path.clone(), line)
    }

    fn line_of(&self, span: &Range<usize>) -> u32 {
        let before = self.text.as_bytes().get(..span.start);
        line_behind(before.unwrap_or_default())
    }
}

fn refusal(code: &'static str, what: impl Into<String>) -> Problem {
    Problem::new(code, ExitCode::MalformedInput, what)
}

/// The line that begins, or goes on, behind `text`, from 1.
fn line_behind(text: &[u8]) -> u32 {
    let ends = text.iter().filter(|byte| **byte == b'\n').count();
    u32::try_from(ends).unwrap_or(u32::MAX).saturating_add(1)
}

fn value_in<'t, 'i>(table: &'t DeTable<'i>, key: &str) -> Option<&'t Spanned<DeValue<'i>>> {
    let mut entries = table.iter();
    entries.find_map(|(name, value)| (name.get_ref() == key).then_some(value))
}
