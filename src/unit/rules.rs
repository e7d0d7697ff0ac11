//! All rules of a job, checked by themselves.

use std::collections::BTreeSet;

use super::facts::{Number, UnitFacts};
use super::{Field, Program, Rule, Series, Table, Value};
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
        for rule in &unit.rules {
            let checked = rule.checked(&unit).and_then(|()| rule.length_bytes(&unit));
            checked.map_err(|why| unusable(&rule.name, why))?;
        }
        unit.series_are_used()?;
        unit.addresses_differ()?;
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

    /// The unit's serial number as text: the value of the first `serial` rule. It needs the unit's numbers only.
    ///
    /// # Errors
    /// `unit-data` where it cannot be made.
    pub fn serial_of(&self, facts: &UnitFacts) -> Result<Option<String>, Problem> {
        let Some(rule) = self.serial_rule() else {
            return Ok(None);
        };
        let encoded = rule.encoded(facts, 0);
        let encoded = encoded.map_err(|why| not_made(&rule.name, why))?;
        Ok(Some(encoded.text))
    }

    /// The same, from what was written.
    pub fn serial(&self, fields: &[Field]) -> Option<String> {
        let name = &self.serial_rule()?.name;
        let field = fields.iter().find(|field| field.name == *name)?;
        Some(field.text.clone())
    }

    /// Whether `value` can be what a file or a program gives for `rule`.
    ///
    /// # Errors
    /// Why not.
    pub fn takes(&self, rule: &str, value: &str) -> Result<(), String> {
        let mut rules = self.rules.iter();
        let rule = rules.find(|own| own.name == rule);
        let rule = rule.ok_or("there is no such rule")?;
        let length = rule.length_bytes(self)?;
        let given = rule.given().ok_or("the rule takes no value")?;
        let encoded = given.encoded(value, length)?;
        rule.padded(encoded, length).map(|_| ())
    }

    pub(super) fn series_named(&self, name: &str) -> Result<&Series, String> {
        let mut all = self.series.iter();
        let found = all.find(|series| series.name == name);
        found.ok_or_else(|| format!("there is no [[series]] `{name}`"))
    }

    pub(super) fn serial_rule(&self) -> Option<&Rule> {
        let mut rules = self.rules.iter();
        rules.find(|rule| matches!(rule.value, Value::Serial(_)))
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

    /// A series that nothing uses would be used up all the same.
    fn series_are_used(&self) -> Result<(), Problem> {
        let uses = |name: &str| self.rules.iter().any(|rule| rule.series() == Some(name));
        match self.series.iter().find(|series| !uses(&series.name)) {
            None => Ok(()),
            Some(series) => Err(malformed(
                "series-unused",
                format!("no rule uses the series `{}`", series.name),
            )
            .fix("name it in a [[data]] rule, or take it out")),
        }
    }

    /// No MAC address may come from two rules.
    fn addresses_differ(&self) -> Result<(), Problem> {
        let macs: Vec<_> = self
            .rules
            .iter()
            .filter_map(|rule| match &rule.value {
                Value::Mac(mac) => Some((rule, mac, self.series_named(&mac.series).ok()?)),
                _ => None,
            })
            .collect();
        for (index, (rule, mac, series)) in macs.iter().enumerate() {
            for (other_rule, other, others) in macs.iter().skip(index + 1) {
                // the same address in two places of one unit
                let is_copy = mac.series == other.series
                    && (&mac.base, mac.stride) == (&other.base, other.stride);
                if is_copy {
                    continue;
                }
                if let Some(address) = mac.shared_with(series, other, others) {
                    return Err(malformed(
                        "mac-twice",
                        format!(
                            "the rules `{}` and `{}` would both give the address {address}",
                            rule.name, other_rule.name
                        ),
                    )
                    .because("two units, or two ports of one, would have the same address")
                    .fix("let the `stride` of both be the number of addresses that a unit has"));
                }
            }
        }
        Ok(())
    }
}

impl UnitRules {
    /// A unit that could be, with the largest numbers.
    pub(super) fn sample(&self) -> UnitFacts {
        let number = |series: &Series| Number {
            number: series.largest(),
            reserved_at: jiff::Timestamp::UNIX_EPOCH,
        };
        let series = self.series.iter();
        UnitFacts {
            uid: 0,
            numbers: series.map(|s| (s.name.clone(), number(s))).collect(),
            now: jiff::Timestamp::UNIX_EPOCH,
            barcode: None,
            outside: std::collections::BTreeMap::new(),
        }
    }
}

/// A job file that contradicts itself.
pub(super) fn malformed(code: &'static str, what: impl Into<String>) -> Problem {
    Problem::new(code, ExitCode::MalformedInput, what)
}

/// A rule that no unit could be given data by.
fn unusable(rule: &str, why: String) -> Problem {
    malformed(
        "data-rule",
        format!("the rule `{rule}` for per-unit data cannot be used"),
    )
    .because(why)
    .fix("correct its [[data]] table in the job file")
}

/// Data that this unit cannot be given.
pub(super) fn not_made(rule: &str, why: String) -> Problem {
    Problem::new(
        "unit-data",
        ExitCode::Refused,
        format!("the unit's data `{rule}` cannot be made"),
    )
    .because(why)
    .fix("nothing on the board was changed; give the unit what the rule needs, and start it again")
}
