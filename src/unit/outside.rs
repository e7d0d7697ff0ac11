//! Values that come from outside: rows of a CSV file, and lines that another program prints.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::given::{Given, GivenForm};
use super::rule::Order;

/// A value from a CSV file, whose first row names the columns.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The file, relative to the job file.
    pub file: PathBuf,
    /// SHA-256 that the file must have, in hex; `rtflash job lock` fills it in.
    pub sha256: Option<String>,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// The program and its arguments. A program with a `/` in its name is looked for from the job file's directory.
    pub command: Vec<String>,
    /// It must have ended after this many milliseconds.
    #[serde(default = "ten_seconds")]
    pub timeout_ms: u32,
    /// What the line is.
    #[serde(default)]
    pub form: GivenForm,
    /// Order of its bytes, as for `barcode`.
    pub order: Option<Order>,
}

const fn ten_seconds() -> u32 {
    10_000
}

impl Table {
    /// How the value becomes bytes.
    pub const fn given(&self) -> Given {
        Given {
            form: self.form,
            order: self.order,
        }
    }
}

impl Program {
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
