//! Values of a unit that come from outside: rows of CSV files, read once, and lines that programs print for each unit.

mod program;
mod table;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use table::LoadedTable;

use crate::problem::{ExitCode, Problem};
use crate::unit::{UnitFacts, UnitRules};

/// Where a job's outside values come from. Made once, when the job is loaded.
#[derive(Clone, Debug)]
pub struct Outside {
    rules: UnitRules,
    /// Name of the job, for programs.
    job: String,
    /// Where programs are started and looked for: absolute, since they are started there.
    directory: PathBuf,
    /// By name of the rule.
    tables: BTreeMap<String, LoadedTable>,
}

impl Outside {
    /// Reads and checks all CSV files that `rules` name. `job` is the job's name, `directory` that of the job file.
    ///
    /// # Errors
    /// Exit 13: a file that cannot be read, is not the pinned one or not pinned; a column that it lacks; a key that comes
    /// twice; a value that its rule does not take; fewer rows than a series has numbers; a program whose files are not there,
    /// not the pinned ones or not pinned.
    pub fn load(rules: &UnitRules, job: &str, directory: &Path) -> Result<Self, Problem> {
        let directory = &absolute(directory)?;
        let mut tables = BTreeMap::new();
        for (rule, table) in rules.tables() {
            let loaded = LoadedTable::read(rule, table, rules, directory)?;
            tables.insert(rule.to_owned(), loaded);
        }
        for (rule, program) in rules.programs() {
            program::require(rule, program, directory)?;
        }
        Ok(Outside {
            rules: rules.clone(),
            job: job.to_owned(),
            directory: directory.to_owned(),
            tables,
        })
    }

    /// The values of one unit by name of the rule, for [`UnitFacts::outside`]. Programs run one after another, each with the
    /// values that are known by then, and with whether this is a rehearsal: then nothing that they give is ever used.
    ///
    /// # Errors
    /// Exit 20 where the unit has no row, or a program refuses it, fails, or takes too long.
    pub fn values(
        &self,
        facts: &UnitFacts,
        rehearsal: bool,
    ) -> Result<BTreeMap<String, String>, Problem> {
        let serial = self.rules.serial_of(facts)?;
        let mut values = BTreeMap::new();
        for (rule, table) in self.rules.tables() {
            let loaded = self.tables.get(rule).ok_or_else(|| {
                let what = format!("the table of the rule `{rule}` was not read");
                Problem::new("table-unread", ExitCode::Internal, what)
            })?;
            let value = loaded.value(rule, table, facts, serial.as_deref())?;
            values.insert(rule.to_owned(), value);
        }
        for (rule, program) in self.rules.programs() {
            let known = program::Known {
                job: &self.job,
                rule,
                uid: format!("{:016X}", facts.uid),
                serial: serial.as_deref(),
                barcode: facts.barcode.as_deref(),
                numbers: facts
                    .numbers
                    .iter()
                    .map(|(series, number)| (series.as_str(), number.number))
                    .collect(),
                values: &values,
                now: facts.now,
                rehearsal,
            };
            let line = program::run(rule, program, &known, &self.directory)?;
            if let Err(why) = self.rules.takes(rule, &line) {
                return Err(program::unusable(rule, program, why));
            }
            values.insert(rule.to_owned(), line);
        }
        Ok(values)
    }
}

/// The directory from the root on: what is started in it must not look for it again from there.
fn absolute(directory: &Path) -> Result<PathBuf, Problem> {
    let named = match directory.as_os_str().is_empty() {
        true => Path::new("."),
        false => directory,
    };
    std::path::absolute(named).map_err(|error| {
        let what = "the job's directory cannot be found";
        Problem::new("job-unreadable", ExitCode::MalformedInput, what)
            .because(error.to_string())
            .fix("name the job file by its whole path")
    })
}

#[cfg(test)]
mod tests;
