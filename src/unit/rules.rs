//! All rules of a job, checked by themselves.

use std::collections::BTreeSet;

use super::{Program, Rule, Series, Table, Value};
use crate::problem::{ExitCode, Problem};

/// The `[[series]]` and `[[data]]` tables of a job. Only made by [`UnitRules::new`], which checks them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnitRules {
    series: Vec<Series>,
    rules: Vec<Rule>,
}

impl UnitRules {
    /// Joins the tables of a job.
    ///
    /// # Errors
    /// Exit 13 where they contradict themselves or each other.
    pub fn new(series: Vec<Series>, rules: Vec<Rule>) -> Result<Self, Problem> {
        let unit = UnitRules { series, rules };
        unit.names_differ()?;
        unit.series.iter().try_for_each(Series::checked)?;
        Ok(unit)
    }

    /// The numbers that every unit needs, in the order of the job.
    pub fn series(&self) -> &[Series] {
        &self.series
    }

    /// The rules, in the order of the job.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Rules with a value from a file, by name.
    pub fn tables(&self) -> impl Iterator<Item = (&str, &Table)> {
        self.rules.iter().filter_map(|rule| match &rule.value {
            Value::Table(table) => Some((rule.name.as_str(), table)),
            _ => None,
        })
    }

    /// Rules with a value from a program, by name.
    pub fn programs(&self) -> impl Iterator<Item = (&str, &Program)> {
        self.rules.iter().filter_map(|rule| match &rule.value {
            Value::Program(program) => Some((rule.name.as_str(), program)),
            _ => None,
        })
    }

    fn names_differ(&self) -> Result<(), Problem> {
        let mut seen = BTreeSet::new();
        let twice = self.rules.iter().find(|rule| !seen.insert(&rule.name));
        if let Some(rule) = twice {
            return Err(malformed(
                "data-name",
                format!("two rules for per-unit data are called `{}`", rule.name),
            )
            .fix("give every [[data]] a name of its own"));
        }
        let mut seen = BTreeSet::new();
        let twice = self.series.iter().find(|series| !seen.insert(&series.name));
        if let Some(series) = twice {
            return Err(malformed(
                "series-name",
                format!("two series are called `{}`", series.name),
            )
            .fix("give every [[series]] a name of its own"));
        }
        Ok(())
    }
}

/// A job file that contradicts itself.
pub(super) fn malformed(code: &'static str, what: impl Into<String>) -> Problem {
    Problem::new(code, ExitCode::MalformedInput, what)
}
