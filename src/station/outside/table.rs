//! A CSV file with values for units.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::image::FileHash;
use crate::problem::{ExitCode, Place, Problem};
use crate::unit::{Table, TableKey, UnitFacts, UnitRules};

/// What spreadsheet programs put before UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// A file that was read and checked.
#[derive(Clone, Debug)]
pub(super) struct LoadedTable {
    /// Where it is.
    path: PathBuf,
    /// The values, in the order of the rows.
    values: Vec<String>,
    /// Index of the row for each key; empty where rows are handed out.
    rows: BTreeMap<String, usize>,
}

impl LoadedTable {
    /// Reads the file of the rule `rule`.
    ///
    /// # Errors
    /// As [`super::Outside::load`].
    pub(super) fn read(
        rule: &str,
        table: &Table,
        rules: &UnitRules,
        directory: &Path,
    ) -> Result<Self, Problem> {
        let path = directory.join(&table.file);
        let content = fs::read(&path).map_err(|error| {
            malformed(
                "table-unreadable",
                &path,
                None,
                "the CSV file cannot be read",
            )
            .because(error.to_string())
            .fix("check the name, which counts from the job file, and the file's permissions")
        })?;
        let found = FileHash::of(&content);
        let Some(pinned) = table.sha256 else {
            return Err(malformed(
                "table-not-pinned",
                &path,
                None,
                "the job does not pin the CSV file",
            )
            .because("another file could take its place")
            .fix("rtflash job lock writes its SHA-256 into the job"));
        };
        if found != pinned {
            return Err(malformed(
                "table-hash",
                &path,
                None,
                "the CSV file is not the pinned one: its SHA-256 differs",
            )
            .because(format!("it has {found}, the job says {pinned}"))
            .fix("give the right file, or lock and sign the job again"));
        }
        let text = content.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&content);
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .from_reader(text);
        let broken = |error: csv::Error| {
            let line = error.position().map(|position| position.line());
            malformed("table-syntax", &path, line, "the CSV file is malformed")
                .because(error.to_string())
                .fix("let every row have as many fields as the first, which names the columns")
        };
        let columns = reader.headers().map_err(broken)?.clone();
        let value_at = column(&columns, &table.column, &path)?;
        let key_at = match &table.key_column {
            Some(key) => Some(column(&columns, key, &path)?),
            None => None,
        };
        let mut loaded = LoadedTable {
            path: path.clone(),
            values: Vec::new(),
            rows: BTreeMap::new(),
        };
        let mut lines: Vec<u64> = Vec::new();
        for record in reader.records() {
            let record = record.map_err(broken)?;
            let line = record.position().map_or(0, csv::Position::line);
            if record.iter().any(|field| field.contains(char::is_control)) {
                let what =
                    "a row of the CSV file goes over several lines, or holds control characters";
                return Err(malformed("table-syntax", &path, Some(line), what)
                    .because(
                        "a quotation mark that is not closed takes all rows below into its field",
                    )
                    .fix("close the quotation mark, or write one in a field as \"\"\"\""));
            }
            let value = record.get(value_at).unwrap_or_default();
            if let Err(why) = rules.takes(rule, value) {
                let what = format!("the value `{value}` cannot be used for the rule `{rule}`");
                return Err(malformed("table-value", &path, Some(line), what)
                    .because(why)
                    .fix("correct the row, and lock and sign the job again"));
            }
            if let Some(at) = key_at {
                let key = normal(table.key, record.get(at).unwrap_or_default());
                let earlier = loaded.rows.insert(key.clone(), loaded.values.len());
                let earlier = earlier.and_then(|row| lines.get(row));
                if key.is_empty() || earlier.is_some() {
                    let why = match earlier {
                        Some(earlier) => format!("line {earlier} has `{key}` as well"),
                        None => "it is empty".to_owned(),
                    };
                    return Err(malformed(
                        "table-key",
                        &path,
                        Some(line),
                        "the key of a row does not belong to it alone",
                    )
                    .because(why)
                    .fix("give every row a key of its own"));
                }
            }
            loaded.values.push(value.to_owned());
            lines.push(line);
        }
        loaded.require_rows(table, rules)?;
        Ok(loaded)
    }

    /// Every number of the series must be a row.
    fn require_rows(&self, table: &Table, rules: &UnitRules) -> Result<(), Problem> {
        let mut all = rules.series().iter();
        let series = all.find(|series| Some(&series.name) == table.series.as_ref());
        let rows = self.values.len();
        match series {
            Some(series) if series.largest() > rows as u64 => Err(malformed(
                "table-rows",
                &self.path,
                None,
                format!(
                    "the CSV file has {rows} rows, and the series `{}` goes to {}",
                    series.name,
                    series.largest()
                ),
            )
            .fix("let `last` of the series be the number of rows")),
            _ => Ok(()),
        }
    }

    /// The value of one unit.
    ///
    /// # Errors
    /// `table-no-row` (exit 20).
    pub(super) fn value(
        &self,
        rule: &str,
        table: &Table,
        facts: &UnitFacts,
        serial: Option<&str>,
    ) -> Result<String, Problem> {
        let (row, named) = match table.key {
            TableKey::Next => {
                let number = table
                    .series
                    .as_ref()
                    .and_then(|name| facts.numbers.get(name));
                let number = number.map(|number| number.number);
                let row = number.and_then(|number| usize::try_from(number.checked_sub(1)?).ok());
                (row, number.map(|number| format!("the row {number}")))
            }
            key => {
                let text = match key {
                    TableKey::Serial => serial.map(str::to_owned),
                    TableKey::Barcode => facts.barcode.clone(),
                    TableKey::UniqueId | TableKey::Next => Some(format!("{:016X}", facts.uid)),
                };
                let row = text
                    .as_ref()
                    .and_then(|text| self.rows.get(&normal(key, text)));
                (row.copied(), text.map(|text| format!("a row for `{text}`")))
            }
        };
        let value = row.and_then(|row| self.values.get(row)).cloned();
        value.ok_or_else(|| {
            let named = named.unwrap_or_else(|| "a row for a unit without its key".to_owned());
            Problem::new(
                "table-no-row",
                ExitCode::Refused,
                format!("the unit has no value for `{rule}`: the CSV file has not {named}"),
            )
            .at(Place::in_file(self.path.clone(), None))
            .fix("nothing on the board was changed; a file with this unit needs a job that is locked again")
        })
    }
}

/// A key as it is compared.
fn normal(key: TableKey, text: &str) -> String {
    match key {
        TableKey::UniqueId => text.to_ascii_uppercase(),
        TableKey::Serial | TableKey::Barcode | TableKey::Next => text.to_owned(),
    }
}

/// Index of the only column with this name.
fn column(columns: &csv::StringRecord, name: &str, path: &Path) -> Result<usize, Problem> {
    let mut found = columns.iter().enumerate().filter(|(_, own)| *own == name);
    match (found.next(), found.next()) {
        (Some((index, _)), None) => Ok(index),
        (first, _) => {
            let how = if first.is_none() {
                "no column"
            } else {
                "several columns"
            };
            let names: Vec<&str> = columns.iter().collect();
            Err(malformed(
                "table-column",
                path,
                Some(1),
                format!("the CSV file has {how} `{name}`"),
            )
            .because(format!("its first row names: {}", names.join(", ")))
            .fix("correct the job's `column` or `key_column`; fields are parted by commas"))
        }
    }
}

fn malformed(
    code: &'static str,
    path: &Path,
    line: Option<u64>,
    what: impl Into<String>,
) -> Problem {
    let line = line.and_then(|line| u32::try_from(line).ok());
    Problem::new(code, ExitCode::MalformedInput, what).at(Place::in_file(path, line))
}
