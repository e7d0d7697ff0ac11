//! Pinning a job: the SHA-256 of every file that it names is written into it; comments and order stay.

use std::fs;
use std::path::{Path, PathBuf};

use toml_edit::{DocumentMut, Item, Value};

use super::load;
use super::rules;
use super::signature::signature_path;
use super::text::{JobText, SHA256};
use crate::image::FileHash;
use crate::job::{InputFile, OutputFile};
use crate::problem::{ExitCode, Place, Problem};

/// A file's pin, as it was and as it is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The file, as the job names it.
    pub name: String,
    /// What the job pinned.
    pub before: Option<FileHash>,
    /// What the file has.
    pub now: FileHash,
}

impl Pin {
    /// Whether the job must change.
    pub fn is_new(&self) -> bool {
        self.before != Some(self.now)
    }
}

/// A job whose files were hashed, not yet written.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    text: String,
    pins: Vec<Pin>,
}

impl Lock {
    /// Hashes the files that the job file at `path` names. The job must be one, but for its pins.
    ///
    /// # Errors
    /// Exit 13: what keeps the job from being understood, `input-unreadable`.
    pub fn of(path: &Path) -> Result<Self, Problem> {
        let text = JobText::new(path, &load::content(path)?)?;
        rules::check(&text.parse()?, &text)?;
        let mut document: DocumentMut = text.as_str().parse().map_err(not_edited)?;
        let mut pins = Vec::new();
        for input in text.inputs() {
            let file = InputFile {
                path: input.path,
                start: None,
                pin: None,
            };
            let pin = Pin {
                name: input.name,
                before: input.sha256,
                now: FileHash::of(&file.content()?),
            };
            if pin.is_new() {
                let table = table_at(document.as_item_mut(), &input.table)
                    .ok_or_else(|| not_edited(&input.table))?;
                set(table, &pin.now.to_string());
            }
            pins.push(pin);
        }
        Ok(Lock {
            path: path.to_owned(),
            text: with_line_ends_of(text.as_str(), document.to_string()),
            pins,
        })
    }

    /// Every file's pin.
    pub fn pins(&self) -> &[Pin] {
        &self.pins
    }

    /// Writes the job file, unless it has all the pins. A signature beside it would be one of another job: it is taken away
    /// first, if `may_void` says so. Gives the signature's path where that was done.
    ///
    /// # Errors
    /// `job-signed` (exit 2), `output-unwritable` (exit 23).
    pub fn write(&self, may_void: bool) -> Result<Option<PathBuf>, Problem> {
        if !self.pins.iter().any(Pin::is_new) {
            return Ok(None);
        }
        let signature = signature_path(&self.path);
        let is_signed = signature.exists();
        if is_signed && !may_void {
            return Err(Problem::new(
                "job-signed",
                ExitCode::Usage,
                "the job is signed, and new pins would void its signature",
            )
            .at(Place::in_file(signature, None))
            .because("files have other hashes than those that were released")
            .fix("put the released files in their places; or, if these are to be released, add --void-signature and sign again"));
        }
        let output = OutputFile::begin(&self.path)?;
        if is_signed {
            fs::remove_file(&signature)
                .map_err(|error| crate::job::unwritable(&signature, &error))?;
        }
        output.finish(self.text.as_bytes())?;
        Ok(is_signed.then_some(signature))
    }
}

/// `edited` with the line ends of `text`: the editor knows only those of Unix.
fn with_line_ends_of(text: &str, edited: String) -> String {
    let is_of_windows = text.contains("\r\n") && !text.replace("\r\n", "").contains('\n');
    match is_of_windows {
        true => edited.replace("\r\n", "\n").replace('\n', "\r\n"),
        false => edited,
    }
}

/// A fault of this program: the job was read before.
fn not_edited(what: impl ToString) -> Problem {
    Problem::new(
        "job-edit",
        ExitCode::Internal,
        "the pins cannot be put into the job file",
    )
    .because(what.to_string())
}

/// The table at `path`, such as `image.0`.
fn table_at<'d>(document: &'d mut Item, path: &str) -> Option<&'d mut Item> {
    let mut item = document;
    for step in path.split('.') {
        item = match step.parse::<usize>() {
            Ok(number) if !item.is_table_like() => item.get_mut(number)?,
            _ => item.get_mut(step)?,
        };
    }
    item.is_table_like().then_some(item)
}

/// Sets the hash; what stands around it stays.
fn set(table: &mut Item, hash: &str) {
    if let Some(Item::Value(value)) = table.get_mut(SHA256) {
        let decor = value.decor().clone();
        *value = Value::from(hash);
        *value.decor_mut() = decor;
        return;
    }
    match table {
        Item::Value(Value::InlineTable(table)) => {
            // the blank before the closing brace belongs to the last value
            let last = table.iter_mut().last();
            let blank = last.and_then(|(_, value)| {
                let blank = value.decor().suffix().cloned();
                value.decor_mut().set_suffix("");
                blank
            });
            let mut value = Value::from(hash);
            value.decor_mut().set_prefix(" ");
            value.decor_mut().set_suffix(blank.unwrap_or_default());
            table.insert(SHA256, value);
        }
        table => {
            if let Some(table) = table.as_table_like_mut() {
                table.insert(SHA256, toml_edit::value(hash));
            }
        }
    }
}
