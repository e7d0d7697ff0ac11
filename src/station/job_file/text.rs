//! From the bytes of a job file to its tables: the version first, then the format of that version. What is wrong with it
//! is told with its line.

use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::file::{JOB_VERSION, JobFile};
use crate::problem::{ExitCode, Place, Problem};

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
                .fix(format!(
                    "write on its first line: version = {JOB_VERSION}"
                ))),
        }
    }

    fn misunderstood(&self, error: &toml::de::Error) -> Problem {
        let line = error.span().map(|span| self.line_of(&span));
        refusal("job-syntax", "the job file is not written as a job is")
            .at(Place::in_file(self.path.clone(), line))
            .because(error.message().replace('\n', ", "))
            .fix("correct the line; docs/job.schema.json describes every key, and `rtflash job init` writes a job to begin with")
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
