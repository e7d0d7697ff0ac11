//! Values that come from outside: rows of a CSV file, and lines that another program prints.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::given::{Given, GivenForm};
use super::rule::Order;
use super::series::Series;
use crate::image::FileHash;

/// A value from a CSV file, whose first row names the columns.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The file, relative to the job file.
    pub file: PathBuf,
    /// SHA-256 that the file must have, in hex; `rtflash job lock` fills it in.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub sha256: Option<FileHash>,
    /// The column with the value.
    pub column: String,
    /// How a unit's row is found.
    pub key: TableKey,
    /// The column that is compared with the key; not with `key = "next"`.
    pub key_column: Option<String>,
    /// With `key = "next"`: the series whose numbers are rows, counted from 1 below the row with the names.
    pub series: Option<String>,
    /// What the value is.
    #[serde(default)]
    pub form: GivenForm,
    /// Order of its bytes, as for `barcode`.
    pub order: Option<Order>,
}

/// How a unit's row is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum TableKey {
    /// By the unit's serial number as text.
    Serial,
    /// By the chip's unique ID, 16 hexadecimal digits.
    UniqueId,
    /// By the scanned code.
    Barcode,
    /// The next row that no unit has had.
    Next,
}

/// A line that another program prints. It gets what is known of the unit on its standard input, as one JSON object.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// The program and its arguments, started in the job file's directory. A name without a `/` (`python3`) and an absolute
    /// path are the station's own program; what is in the job's directory must be among `files`.
    pub command: Vec<String>,
    /// The program's own files: the program itself or its script, and everything that it reads from the job's directory.
    #[serde(default)]
    pub files: Vec<ProgramFile>,
    /// It must have ended after this many milliseconds, 120000 at most for all programs of a unit together.
    #[serde(default = "ten_seconds")]
    pub timeout_ms: u32,
    /// What the line is.
    #[serde(default)]
    pub form: GivenForm,
    /// Order of its bytes, as for `barcode`.
    pub order: Option<Order>,
}

/// A file that a program is made of.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ProgramFile {
    /// The file, relative to the job file.
    pub file: PathBuf,
    /// SHA-256 that the file must have, in hex; `rtflash job lock` fills it in.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub sha256: Option<FileHash>,
}

const fn ten_seconds() -> u32 {
    10_000
}

impl Table {
    /// Checks the rule by itself; `series` is that of the rows, where it names one.
    ///
    /// # Errors
    /// Why it cannot be.
    pub(super) fn checked(&self, series: Option<&Series>, has_serial: bool) -> Result<(), String> {
        self.given().checked()?;
        match (self.key, series, &self.key_column) {
            (TableKey::Next, None, _) => Err("`key = \"next\"` needs a `series`".to_owned()),
            (TableKey::Next, _, Some(_)) => {
                Err("`key = \"next\"` compares no `key_column`".to_owned())
            }
            (TableKey::Next, Some(series), None) if series.first == 0 => {
                Err("rows are counted from 1, and its series begins with 0".to_owned())
            }
            (TableKey::Next, ..) => Ok(()),
            (_, Some(_), _) => Err("only `key = \"next\"` has a `series`".to_owned()),
            (_, _, None) => Err("it has no `key_column` to be compared with the key".to_owned()),
            (TableKey::Serial, ..) if !has_serial => {
                Err("its key is the serial number, and no rule makes one".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// How the value becomes bytes.
    pub const fn given(&self) -> Given {
        Given {
            form: self.form,
            order: self.order,
        }
    }
}

impl Program {
    /// # Errors
    /// Why the rule cannot be.
    pub(super) fn checked(&self) -> Result<(), String> {
        self.given().checked()?;
        if self.command.first().is_none_or(String::is_empty) {
            return Err("its command is empty".to_owned());
        }
        if self.timeout_ms == 0 {
            return Err("its `timeout_ms` is 0: it could never end in time".to_owned());
        }
        Ok(())
    }

    /// How the line becomes bytes.
    pub const fn given(&self) -> Given {
        Given {
            form: self.form,
            order: self.order,
        }
    }

    /// It must have ended after this.
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms.into())
    }
}
