//! One attempt of the ledger against what the journals tell of it.

use super::chain::unit_prints;
use super::prints::Prints;
use super::{At, Auditor, Story, ToldEnd, Use};
use crate::records::{Attempt, VerdictKind};

const CUT_OFF: &str = "(where its station was cut off there, its next start settles it)";

impl Auditor {
    /// The next attempt of the ledger, oldest first. All journals were shown before.
    pub fn attempt(&mut self, attempt: &Attempt) {
        let id = attempt.id;
        let uid = attempt.claimed.as_ref().map(|claimed| claimed.uid.clone());
        let verdict = attempt.end.as_ref().map(|end| end.verdict);
        let told_at = attempt.journal.as_ref().map(|mark| mark.line);
        self.uses.insert(
            id,
            Use {
                uid,
                reserved: attempt.reserved.clone(),
                end: verdict.zip(told_at),
                station: attempt.begin.station.clone(),
            },
        );
        if let Some(damage) = &attempt.damage {
            let what = format!("its rows do not agree with each other: {damage}");
            self.attempt_break(id, None, what);
        }
        if !attempt.reserved.is_empty() && attempt.claimed.is_none() {
            self.attempt_break(id, None, "it has numbers and no unit");
        }
        let Some(story) = self.stories.remove(&id) else {
            self.untold(attempt);
            return;
        };
        self.attempts += 1;
        self.begin(attempt, &story);
        self.unit(attempt, &story);
        self.end(attempt, &story);
        self.hooks(attempt, &story);
    }

    /// An attempt that no journal speaks of.
    fn untold(&mut self, attempt: &Attempt) {
        let station = &attempt.begin.station;
        if !self.is_whole && !self.has_journal_of(station) {
            self.elsewhere += 1;
            return;
        }
        self.attempts += 1;
        let what = if self.has_journal_of(station) {
            format!("no line of the journal tells of it {CUT_OFF}")
        } else {
            format!("there is no journal of station {station}")
        };
        self.attempt_break(attempt.id, None, what);
    }

    fn begin(&mut self, attempt: &Attempt, story: &Story) {
        let id = attempt.id;
        let Some((at, told)) = &story.begun else {
            if !story
                .ends
                .iter()
                .any(|end| end.is_interruption && !end.is_withdrawn)
            {
                let what = format!("the journal does not tell its begin {CUT_OFF}");
                self.attempt_break(id, story.first(), what);
            }
            return;
        };
        if let Some(field) = told.differs_in(&Prints::of(&attempt.begin)) {
            let what = "the journal tells another begin than the ledger";
            self.field_break(id, Some(*at), Some(field), what);
        }
        let of_journal = self.journals.get(at.journal);
        let station = of_journal.and_then(|journal| journal.station.clone());
        if let Some(station) = station.filter(|station| *station != attempt.begin.station) {
            let what = format!("it is told in the journal of station {station}");
            self.field_break(id, Some(*at), Some("station".to_owned()), what);
        }
    }

    fn unit(&mut self, attempt: &Attempt, story: &Story) {
        let id = attempt.id;
        match (&attempt.claimed, &story.unit) {
            (None, None) => {}
            (None, Some(unit)) => {
                let what = "the journal tells its unit, and the ledger does not know it";
                self.attempt_break(id, Some(unit.at), what);
            }
            (Some(_), None) => {
                let is_excused = attempt
                    .end
                    .as_ref()
                    .is_some_and(|end| end.verdict != VerdictKind::Pass);
                if !is_excused {
                    let what = format!(
                        "the ledger knows its unit, and the journal does not tell it {CUT_OFF}"
                    );
                    self.attempt_break(id, story.first(), what);
                }
            }
            (Some(claimed), Some(unit)) => {
                let row = unit_prints(
                    &claimed.uid,
                    claimed.attempt_of_unit,
                    claimed.claimed_at,
                    &attempt.reserved,
                );
                if let Some(field) = unit.prints.differs_in(&row) {
                    let what = "the journal tells another unit than the ledger";
                    self.field_break(id, Some(unit.at), Some(field), what);
                }
            }
        }
    }

    fn end(&mut self, attempt: &Attempt, story: &Story) {
        let id = attempt.id;
        let (end, mark) = match (&attempt.end, &attempt.journal) {
            (Some(end), Some(mark)) => (end, mark),
            (None, _) => {
                self.open.push(id);
                self.ends_without_row(attempt, story, None);
                return;
            }
            (Some(_), None) => {
                let what = "its end does not say which line of the journal tells it";
                self.attempt_break(id, None, what);
                return;
            }
        };
        let noted = |told: &&ToldEnd| told.at.line == mark.line;
        let Some(told) = story.ends.iter().find(noted) else {
            let what = match self.last_line_of(&attempt.begin.station) {
                // says nothing that changes while the journal grows
                Some(last) if last < mark.line => format!(
                    "its end is told by line {}, and the journal does not have that many",
                    mark.line
                ),
                _ => format!(
                    "its end is told by line {}, and no such line of the journal tells it",
                    mark.line
                ),
            };
            self.field_break(id, None, Some("journal.line".to_owned()), what);
            return;
        };
        if told.sha256 != mark.sha256 {
            let what = format!(
                "the ledger notes the hash {} for it, and the line has {}",
                mark.sha256, told.sha256
            );
            self.field_break(id, Some(told.at), Some("journal.sha256".to_owned()), what);
        }
        if told.is_withdrawn {
            let what = "the journal withdraws this end, and the ledger has it";
            self.attempt_break(id, Some(told.at), what);
        }
        if let Some(field) = told.prints.differs_in(&Prints::of(end)) {
            let what = "the journal tells another end than the ledger";
            self.field_break(id, Some(told.at), Some(field), what);
        }
        self.ends_without_row(attempt, story, Some(told.at));
    }

    /// Lines that tell an end which the ledger does not have.
    fn ends_without_row(&mut self, attempt: &Attempt, story: &Story, noted: Option<At>) {
        for told in &story.ends {
            let is_open = noted.is_none() && told.is_unsettled;
            if Some(told.at) != noted && !told.is_withdrawn && !is_open {
                let what = format!(
                    "it tells an end that the ledger does not have, and nothing withdraws it {CUT_OFF}"
                );
                self.attempt_break(attempt.id, Some(told.at), what);
            }
        }
    }

    fn hooks(&mut self, attempt: &Attempt, story: &Story) {
        let id = attempt.id;
        let told: Vec<&ToldEnd> = story
            .hooks
            .iter()
            .filter(|hook| !hook.is_withdrawn)
            .collect();
        for (told, row) in told.iter().zip(&attempt.hooks) {
            if let Some(field) = told.prints.differs_in(&Prints::of(row)) {
                let what = "the journal tells another result of the hook than the ledger";
                let field = Some(format!("hooks.{field}"));
                self.field_break(id, Some(told.at), field, what);
            }
        }
        let marks = self.marks.remove(&id).unwrap_or_default();
        let of_hooks = marks
            .iter()
            .filter(|mark| attempt.journal.as_ref() != Some(mark));
        for mark in of_hooks {
            let is_it = |hook: &ToldEnd| hook.at.line == mark.line && hook.sha256 == mark.sha256;
            if !told.iter().any(|hook| is_it(hook)) {
                let what = format!(
                    "a hook's result is told by line {} with the hash {}, and no such line tells it",
                    mark.line, mark.sha256
                );
                self.field_break(id, None, Some("hooks.journal".to_owned()), what);
            }
        }
        let field = || Some("hooks".to_owned());
        if let Some(more) = told.get(attempt.hooks.len()) {
            let what = "it tells a hook's result that the ledger does not have";
            self.field_break(id, Some(more.at), field(), what);
        } else if attempt.hooks.len() > told.len() {
            let what = "the ledger has a hook's result that the journal does not tell";
            self.field_break(id, None, field(), what);
        }
    }

    fn last_line_of(&self, station: &str) -> Option<u64> {
        let journal = self
            .journals
            .iter()
            .find(|journal| journal.station.as_deref() == Some(station))?;
        Some(journal.lines)
    }
}
