//! A finding: something about the boot header or the image that the user should know, with a stable code.

use std::fmt;

use crate::problem::{ExitCode, Place, Problem};

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// May keep the board from booting, but no source settles it, or working images do it too.
    Warning,
    /// The board would not boot, or the image does not fit.
    Error,
}

impl Severity {
    /// The word for texts.
    pub const fn name(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Stable code such as `ivt-self`.
    pub code: &'static str,
    /// Weight.
    pub severity: Severity,
    /// Whether no source settles what the boot ROM does: it may or may not boot.
    pub uncertain: bool,
    /// Where.
    pub place: Place,
    /// What was found.
    pub what: String,
    /// Why it matters.
    pub why: Option<String>,
    /// What to do.
    pub fix: Option<String>,
}

impl Finding {
    fn new(severity: Severity, code: &'static str, what: impl Into<String>) -> Self {
        Finding {
            code,
            severity,
            uncertain: false,
            place: Place::default(),
            what: what.into(),
            why: None,
            fix: None,
        }
    }

    /// A finding that refuses the image.
    pub(super) fn error(code: &'static str, what: impl Into<String>) -> Self {
        Finding::new(Severity::Error, code, what)
    }

    /// A finding that lets the image pass.
    pub(super) fn warning(code: &'static str, what: impl Into<String>) -> Self {
        Finding::new(Severity::Warning, code, what)
    }

    /// A warning about something that no source settles; `why` follows the word "uncertain" that users look for.
    pub(super) fn uncertain(code: &'static str, what: impl Into<String>, why: &str) -> Self {
        Finding {
            uncertain: true,
            ..Finding::warning(code, what).because(format!("uncertain: {why}"))
        }
    }

    /// A finding worth knowing.
    pub(super) fn note(code: &'static str, what: impl Into<String>) -> Self {
        Finding::new(Severity::Note, code, what)
    }

    pub(super) fn at(mut self, place: Place) -> Self {
        self.place = place;
        self
    }

    pub(super) fn because(mut self, why: impl Into<String>) -> Self {
        self.why = Some(why.into());
        self
    }

    pub(super) fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }
}

impl From<Finding> for Problem {
    fn from(finding: Finding) -> Problem {
        Problem {
            code: finding.code,
            exit: ExitCode::Refused,
            what: finding.what,
            place: Box::new(finding.place),
            why: finding.why,
            fix: finding.fix,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {}",
            self.severity.name(),
            Problem::from(self.clone())
        )
    }
}

/// Why an image was not accepted: at least one finding is an error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the image would not boot or does not fit")]
pub struct Refusal {
    first: Box<Finding>,
    others: Vec<Finding>,
}

impl Refusal {
    /// From all findings; `None` if no finding is an error.
    pub(super) fn from_findings(findings: Vec<Finding>) -> Option<Self> {
        let first = findings
            .iter()
            .position(|finding| finding.severity == Severity::Error)?;
        let mut others = findings;
        let first = Box::new(others.remove(first));
        Some(Refusal { first, others })
    }

    /// For an image that no rule accepted or refused: a fault of the rules, told as such rather than passed.
    pub(super) fn unexplained(mut findings: Vec<Finding>) -> Self {
        let first = Box::new(Finding::error(
            "not-judged",
            "no rule accepts or refuses the image",
        ));
        findings.retain(|finding| finding.severity != Severity::Error);
        Refusal {
            first,
            others: findings,
        }
    }

    /// The first error, which the exit names.
    pub const fn first(&self) -> &Finding {
        &self.first
    }

    /// All other findings.
    pub fn others(&self) -> &[Finding] {
        &self.others
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Problem {
        Problem::from(*refusal.first)
    }
}
