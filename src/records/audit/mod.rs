//! Whether chain and ledger agree: journals line by line, then the ledger's attempts and numbers; pure.
//!
//! What is checked, in this order, so that the first broken link is the one to look at:
//!
//! 1. **The chain.** Each line is whole, carries its own hash, stands where its number says, and names the hash of the
//!    whole line before it. A line that is not whole is explained by a `torn` line behind it, with its length and hash. The
//!    first line, and no other, is `opened`, and names this ledger.
//! 2. **Each attempt**, both ways: what the journal tells of its begin, its unit, its end and its hooks is what its rows
//!    say, field by field; an end has its line at the number and with the hash that the row notes. An `ended` or
//!    `interrupted` line that no row notes is `withdrawn`, or the attempt is open with the end `unsettled`. A begin that the
//!    journal does not tell is excused where the end is told by `interrupted` (the station was cut off between the row and
//!    the line); a claim, where the end is no PASS.
//! 3. **Each number**: handed out to one chip only, by the attempt whose rows say so; committed by a PASS of that chip and
//!    by nothing else.
//!
//! What the end of a journal told and the ledger has no counterpart of (a clock that was set back) can be cut off unseen,
//! and so can an attempt that is taken out of journal *and* ledger, where it was the last. Against that, and against a
//! chain that is made anew as a whole, there is the head: a hash noted elsewhere must still be in the chain.

mod attempts;
mod chain;
mod numbers;
mod prints;

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::{AttemptId, Identity, JournalMark, Number, Reserved, VerdictKind};
use prints::Prints;

/// Where chain and ledger do not agree, or the chain with itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Break {
    /// Name of the journal, where it is about a line.
    pub journal: Option<String>,
    /// The line, from 1.
    pub line: Option<u64>,
    /// The attempt.
    pub attempt: Option<AttemptId>,
    /// The field, as the documents name it.
    pub field: Option<String>,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(attempt) = self.attempt {
            write!(f, "attempt {}, ", attempt.0)?;
        }
        if let Some(line) = self.line {
            write!(f, "line {line} ")?;
            if let Some(journal) = &self.journal {
                write!(f, "of {journal}")?;
            }
            f.write_str(": ")?;
        } else if let Some(journal) = &self.journal {
            write!(f, "{journal}: ")?;
        }
        if let Some(field) = &self.field {
            write!(f, "field `{field}`: ")?;
        }
        f.write_str(&self.what)
    }
}

/// The last whole line of a journal. Noted elsewhere, it shows later that nothing before it was made anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Head {
    /// Name of the journal.
    pub journal: String,
    /// The line and its hash.
    pub mark: JournalMark,
}

/// What came out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// Attempts of the ledger that were compared.
    pub attempts: u64,
    /// Lines of all journals.
    pub lines: u64,
    /// Attempts of stations whose journals were not looked at.
    pub elsewhere: u64,
    /// Attempts that have begun and not ended: under way, or of a station that was cut off and not started again.
    pub open: Vec<AttemptId>,
    /// Attempts that a station added to, to their numbers or hooks too, after they had been compared and while they were read
    /// again: what was added is not compared.
    pub added_to: Vec<AttemptId>,
    /// The journals' heads.
    pub heads: Vec<Head>,
    /// Where they do not agree; the first is the one to look at first. Empty where they agree.
    pub breaks: Vec<Break>,
}

/// A place in one of the journals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct At {
    journal: usize,
    line: u64,
}

/// A line that tells an end, or a hook's result.
#[derive(Debug)]
struct ToldEnd {
    at: At,
    sha256: String,
    is_interruption: bool,
    prints: Prints,
    is_withdrawn: bool,
    is_unsettled: bool,
}

/// The unit as the journal tells it.
#[derive(Debug)]
struct ToldUnit {
    at: At,
    prints: Prints,
}

/// What the journals tell of one attempt.
#[derive(Debug, Default)]
struct Story {
    begun: Option<(At, Prints)>,
    unit: Option<ToldUnit>,
    ends: Vec<ToldEnd>,
    hooks: Vec<ToldEnd>,
}

/// A journal that was read.
#[derive(Debug)]
struct Journal {
    name: String,
    station: Option<String>,
    lines: u64,
    head: Option<JournalMark>,
}

/// Takes the journals in, then the ledger, and says what does not agree.
#[derive(Debug)]
pub struct Auditor {
    identity: Identity,
    /// Whether all stations' journals are here.
    is_whole: bool,
    journals: Vec<Journal>,
    stories: BTreeMap<AttemptId, Story>,
    /// Which chip the journals give each number to, and where.
    numbers: BTreeMap<(String, u64), (String, At)>,
    /// Lines that the ledger's rows note, of ends and hooks.
    marks: BTreeMap<AttemptId, Vec<JournalMark>>,
    /// What the ledger's attempts say of their numbers.
    uses: BTreeMap<AttemptId, Use>,
    attempts: u64,
    elsewhere: u64,
    open: Vec<AttemptId>,
    of_chain: Vec<Break>,
    of_attempts: BTreeMap<AttemptId, Vec<Break>>,
    expected_heads: Vec<(JournalMark, Vec<String>)>,
}

/// What an attempt's rows say of its numbers.
#[derive(Debug)]
struct Use {
    uid: Option<String>,
    reserved: Vec<Reserved>,
    /// How it ended, and the line of its station's journal that tells it.
    end: Option<(VerdictKind, u64)>,
    station: String,
}

impl Auditor {
    /// Of the ledger with this identity. `is_whole` says that every station's journal will be shown; else attempts of
    /// others are only counted.
    pub fn new(identity: Identity, is_whole: bool) -> Self {
        Auditor {
            identity,
            is_whole,
            journals: Vec::new(),
            stories: BTreeMap::new(),
            numbers: BTreeMap::new(),
            marks: BTreeMap::new(),
            uses: BTreeMap::new(),
            attempts: 0,
            elsewhere: 0,
            open: Vec::new(),
            of_chain: Vec::new(),
            of_attempts: BTreeMap::new(),
            expected_heads: Vec::new(),
        }
    }

    /// A head that was noted earlier: one of the journals must still have it.
    pub fn expect_head(&mut self, head: JournalMark) {
        self.expected_heads.push((head, Vec::new()));
    }

    /// Labels of the stations whose journals were shown.
    pub fn stations(&self) -> Vec<String> {
        let stations = self.journals.iter().map(|journal| journal.station.clone());
        stations.flatten().collect()
    }

    /// The lines that the rows of a station note, after its journal and before the attempts.
    pub fn marks(&mut self, marks: Vec<(AttemptId, JournalMark)>) {
        for (attempt, mark) in marks {
            self.marks.entry(attempt).or_default().push(mark);
        }
    }

    /// What came out, once the journals, the marks, the attempts and then `numbers` were shown.
    pub fn finish(mut self, numbers: &[Number]) -> Audit {
        self.unseen_stories();
        let of_numbers = self.number_breaks(numbers);
        self.came_out(of_numbers)
    }

    /// What came out where the ledger could be read up to here only.
    pub fn finish_with(self, unreadable: Break) -> Audit {
        self.came_out(vec![unreadable])
    }

    fn came_out(self, last: Vec<Break>) -> Audit {
        let mut breaks = self.of_chain;
        let lost = self.expected_heads.iter();
        let lost = lost.filter(|(head, found)| !found.contains(&head.sha256));
        breaks.extend(lost.map(|(head, found)| lost_head(head, found)));
        breaks.extend(self.of_attempts.into_values().flatten());
        breaks.extend(last);
        let lines = self.journals.iter().map(|journal| journal.lines).sum();
        let heads = self.journals.into_iter().filter_map(|journal| {
            let (journal, mark) = (journal.name, journal.head?);
            Some(Head { journal, mark })
        });
        Audit {
            attempts: self.attempts,
            lines,
            elsewhere: self.elsewhere,
            open: self.open,
            added_to: Vec::new(),
            heads: heads.collect(),
            breaks,
        }
    }

    fn name(&self, journal: usize) -> Option<String> {
        self.journals
            .get(journal)
            .map(|journal| journal.name.clone())
    }

    fn at(&self, at: At, what: impl Into<String>) -> Break {
        Break {
            journal: self.name(at.journal),
            line: Some(at.line),
            attempt: None,
            field: None,
            what: what.into(),
        }
    }

    /// A break of an attempt, at a line where one is known.
    fn attempt_break(&mut self, id: AttemptId, at: Option<At>, what: impl Into<String>) {
        self.field_break(id, at, None, what);
    }

    fn field_break(
        &mut self,
        id: AttemptId,
        at: Option<At>,
        field: Option<String>,
        what: impl Into<String>,
    ) {
        let found = Break {
            journal: at.and_then(|at| self.name(at.journal)),
            line: at.map(|at| at.line),
            attempt: Some(id),
            field,
            what: what.into(),
        };
        self.of_attempts.entry(id).or_default().push(found);
    }

    fn has_journal_of(&self, station: &str) -> bool {
        self.journals
            .iter()
            .any(|journal| journal.station.as_deref() == Some(station))
    }

    /// What the journals tell of attempts that the ledger does not have.
    fn unseen_stories(&mut self) {
        for (id, story) in std::mem::take(&mut self.stories) {
            let what = "the journal tells of it, and the ledger has no such attempt";
            self.attempt_break(id, story.first(), what);
        }
    }
}

impl Story {
    fn first(&self) -> Option<At> {
        let ends = self.ends.iter().chain(&self.hooks).map(|end| end.at);
        let begun = self.begun.iter().map(|(at, _)| *at);
        let unit = self.unit.iter().map(|unit| unit.at);
        begun.chain(unit).chain(ends).min()
    }
}

fn lost_head(head: &JournalMark, found: &[String]) -> Break {
    let what = match found.first() {
        None => format!(
            "no journal has that many lines, and the head {} was noted",
            head.sha256
        ),
        Some(other) => format!(
            "the head {} was noted, and the line's hash is {other}: the journal was made anew",
            head.sha256
        ),
    };
    Break {
        journal: None,
        line: Some(head.line),
        attempt: None,
        field: None,
        what,
    }
}

impl Audit {
    /// Whether everything agrees.
    pub fn agrees(&self) -> bool {
        self.breaks.is_empty()
    }

    /// The verdict in one line.
    pub fn verdict(&self) -> String {
        match self.breaks.first() {
            None => format!(
                "RECORDS AGREE: {} attempts, {} lines",
                self.attempts, self.lines
            ),
            Some(first) => format!("RECORDS DO NOT AGREE: {first}"),
        }
    }
}
