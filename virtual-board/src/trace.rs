//! The board's log: what it had to refuse, and what a person debugging it wants to know.

use crate::time::Time;

/// How serious a trace line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Expected behaviour worth telling (ROM decisions, resets).
    Note,
    /// The user of the board did what the manual forbids or leaves open, or touched what is not modelled.
    Violation,
}

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Virtual time of the event.
    pub at: Time,
    /// How serious it is.
    pub severity: Severity,
    /// The block that speaks ("flexspi", "nor", "rom", "bus", …).
    pub source: &'static str,
    /// What happened, in one line.
    pub text: String,
}

/// The log. Lines beyond [`Trace::LIMIT`] are counted, not kept.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    lines: Vec<Line>,
    violations: u64,
    dropped: u64,
}

impl Trace {
    /// The most lines kept.
    pub const LIMIT: usize = 10_000;

    /// Adds a note.
    pub fn note(&mut self, at: Time, source: &'static str, text: impl Into<String>) {
        self.push(at, Severity::Note, source, text.into());
    }

    /// Adds a violation.
    pub fn violation(&mut self, at: Time, source: &'static str, text: impl Into<String>) {
        self.violations += 1;
        self.push(at, Severity::Violation, source, text.into());
    }

    /// All lines kept, oldest first.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The number of violations since power-on, kept or not.
    pub fn violations(&self) -> u64 {
        self.violations
    }

    /// The number of lines that were not kept.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    fn push(&mut self, at: Time, severity: Severity, source: &'static str, text: String) {
        if self.lines.len() < Self::LIMIT {
            self.lines.push(Line {
                at,
                severity,
                source,
                text,
            });
        } else {
            self.dropped += 1;
        }
    }
}
