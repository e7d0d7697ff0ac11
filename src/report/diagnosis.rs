//! What `doctor` looked at, what follows from it, and what else was seen: in the record and as lines.

use serde::Serialize;

use super::ProblemRecord;
use crate::diagnosis::{Diagnosis, Observation};

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum CheckResult {
    /// As it should be.
    Ok,
    /// Worth a look.
    Warning,
    /// Keeps the board from working, or is part of that.
    Problem,
    /// It could not be made, or was not asked for; the text says why.
    NotChecked,
}

impl CheckResult {
    /// The label of its line.
    const fn label(self) -> &'static str {
        match self {
            CheckResult::Ok => "ok",
            CheckResult::Warning => "warning",
            CheckResult::Problem => "problem",
            CheckResult::NotChecked => "-",
        }
    }
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CheckRecord {
    /// What was looked at.
    pub name: &'static str,
    /// How it ended.
    pub result: CheckResult,
    /// What was found, or why it was not looked for.
    pub text: String,
}

/// Something else that was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OtherRecord {
    /// `cause`, `symptom`, `suspicion` or `note`.
    pub weight: &'static str,
    /// What it is, and what to do about it.
    #[serde(flatten)]
    pub problem: ProblemRecord,
}

impl From<&Observation> for OtherRecord {
    fn from(observation: &Observation) -> Self {
        OtherRecord {
            weight: observation.weight.name(),
            problem: (&observation.problem).into(),
        }
    }
}

/// The section of `doctor` in the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DiagnosisRecord {
    /// The checks, in the order in which a board comes to life.
    pub checks: Vec<CheckRecord>,
    /// Why the board does not work, the most likely reason; none where nothing keeps it from working.
    pub diagnosis: Option<ProblemRecord>,
    /// What else was seen, the most likely cause first.
    pub others: Vec<OtherRecord>,
}

impl DiagnosisRecord {
    /// From the checks and what follows from them.
    pub fn new(checks: Vec<CheckRecord>, diagnosis: &Diagnosis) -> Self {
        DiagnosisRecord {
            checks,
            diagnosis: diagnosis.first.as_ref().map(Into::into),
            others: diagnosis.others.iter().map(Into::into).collect(),
        }
    }

    /// The section as lines: checks, diagnosis with its reason and fix, then the rest.
    pub(super) fn say(&self, say: &mut impl FnMut(&str, String)) {
        // what was not checked for one reason is one line
        let same = |a: &CheckRecord, b: &CheckRecord| {
            let is_unmade = |check: &CheckRecord| check.result == CheckResult::NotChecked;
            is_unmade(a) && is_unmade(b) && a.text == b.text
        };
        for checks in self.checks.chunk_by(same) {
            let names: Vec<&str> = checks.iter().map(|check| check.name).collect();
            if let Some(check) = checks.first() {
                say(
                    check.result.label(),
                    format!("{}: {}", names.join(", "), check.text),
                );
            }
        }
        if let Some(diagnosis) = &self.diagnosis {
            say(
                "diagnosis",
                format!("{} [{}]", diagnosis.what, diagnosis.code),
            );
            for (label, text) in [
                ("where", &diagnosis.place),
                ("why", &diagnosis.why),
                ("do", &diagnosis.fix),
            ] {
                if let Some(text) = text {
                    say(label, text.clone());
                }
            }
        }
        for other in &self.others {
            let problem = &other.problem;
            // what was advised above need not be said again
            let advised = self.diagnosis.as_ref().and_then(|d| d.fix.as_ref());
            let fix = problem.fix.as_ref().filter(|fix| Some(*fix) != advised);
            let fix = fix.map(|fix| format!("; do: {fix}"));
            say(
                "also",
                format!(
                    "{} [{}]{}",
                    problem.what,
                    problem.code,
                    fix.unwrap_or_default()
                ),
            );
        }
    }
}
