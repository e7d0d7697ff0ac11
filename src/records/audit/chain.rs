//! The chain of one journal: each line whole, in its place, and naming the one before.

use super::prints::Prints;
use super::{At, Auditor, Journal, Story, ToldEnd, ToldUnit};
use crate::records::{
    AttemptId, JOURNAL_VERSION, JournalMark, JournalRead, Line, Reserved, Told, Wrong,
};

/// Takes one journal in, line by line. Only the first break of a chain is told: what comes behind it follows from it.
#[derive(Debug)]
pub struct ChainReader<'a> {
    auditor: &'a mut Auditor,
    journal: usize,
    line: u64,
    /// Lines whose writing was cut off, as the reader of the journal found them explained.
    torn: Vec<(u64, u64, String)>,
    is_opened: bool,
    is_broken: bool,
}

impl Auditor {
    /// Begins a journal, which reports call `name`.
    pub fn journal(&mut self, name: &str) -> ChainReader<'_> {
        self.journals.push(Journal {
            name: name.to_owned(),
            station: None,
            lines: 0,
            head: None,
        });
        ChainReader {
            journal: self.journals.len() - 1,
            auditor: self,
            line: 0,
            torn: Vec::new(),
            is_opened: false,
            is_broken: false,
        }
    }
}

impl ChainReader<'_> {
    /// The next line of the file.
    pub fn line(&mut self, read: JournalRead) {
        self.line = read.number;
        for (head, found) in &mut self.auditor.expected_heads {
            if head.line == self.line {
                found.push(read.sha256.clone());
            }
        }
        let mark = read.mark();
        match read.wrong {
            Some(Wrong::Torn) => self.torn.push((read.number, read.bytes, read.sha256)),
            Some(wrong) => self.broken(self.line, in_words(&wrong)),
            None => {}
        }
        let Some(line) = read.line else {
            return;
        };
        if !matches!(line.told, Told::Torn { .. }) {
            if matches!(line.told, Told::Opened { .. }) == self.is_opened {
                let what = "the first line of a journal, and no other, tells that it was opened";
                self.broken(self.line, what);
            }
            self.is_opened = true;
        }
        if let Some(journal) = self.auditor.journals.get_mut(self.journal) {
            journal.head = Some(mark.clone());
        }
        self.take(line, mark.sha256);
    }

    /// The end of the file.
    pub fn end(mut self) {
        if self.line == 0 {
            let what = "the journal is empty: it does not even say that it was opened";
            self.broken(1, what);
        }
        if let Some(journal) = self.auditor.journals.get_mut(self.journal) {
            journal.lines = self.line;
        }
    }

    fn broken(&mut self, line: u64, what: impl Into<String>) {
        if !self.is_broken {
            let at = At {
                journal: self.journal,
                line,
            };
            let found = self.auditor.at(at, what);
            self.auditor.of_chain.push(found);
        }
        self.is_broken = true;
    }

    /// Keeps what the line tells, for the ledger to be compared with.
    fn take(&mut self, line: Line, sha256: String) {
        let at = At {
            journal: self.journal,
            line: self.line,
        };
        let told = |prints, is_interruption| ToldEnd {
            at,
            sha256,
            is_interruption,
            prints,
            is_withdrawn: false,
            is_unsettled: false,
        };
        match line.told {
            Told::Opened {
                journal_version,
                station,
                ledger,
                rehearsal,
            } => self.opened(journal_version, station, &ledger, rehearsal),
            Told::Begun { attempt, begin } => {
                let twice = self.story(attempt).begun.replace((at, Prints::of(&begin)));
                if twice.is_some() {
                    self.broken(
                        self.line,
                        format!("attempt {} begins a second time", attempt.0),
                    );
                }
            }
            Told::Claimed {
                attempt,
                uid,
                attempt_of_unit,
                reserved,
                claimed_at,
            } => {
                let prints = unit_prints(&uid, attempt_of_unit, claimed_at, &reserved);
                self.numbers(&uid, &reserved);
                let twice = self.story(attempt).unit.replace(ToldUnit { at, prints });
                if twice.is_some() {
                    let what = format!("attempt {} claims its unit a second time", attempt.0);
                    self.broken(self.line, what);
                }
            }
            Told::Ended { attempt, end } => {
                let end = told(Prints::of(&end), false);
                self.story(attempt).ends.push(end);
            }
            Told::Interrupted { attempt, end } => {
                let end = told(Prints::of(&end), true);
                self.story(attempt).ends.push(end);
            }
            Told::Hook { attempt, result } => {
                let hook = told(Prints::of(&result), false);
                self.story(attempt).hooks.push(hook);
            }
            Told::Withdrawn { attempt, mark } => match self.told_at(attempt, &mark) {
                Some(end) => end.is_withdrawn = true,
                None => self.no_such(&mark),
            },
            Told::Unsettled { attempt, mark } => match self.told_at(attempt, &mark) {
                Some(end) => end.is_unsettled = true,
                None => self.no_such(&mark),
            },
            Told::Torn {
                torn,
                bytes,
                sha256,
            } => {
                if !self.torn.contains(&(torn, bytes, sha256)) {
                    let what = format!(
                        "it says that line {torn} is torn, and no such line stands before it"
                    );
                    self.broken(self.line, what);
                }
            }
            Told::ClockSteppedBack { .. } => {}
        }
    }

    fn story(&mut self, attempt: AttemptId) -> &mut Story {
        self.auditor.stories.entry(attempt).or_default()
    }

    /// The line of this journal that `mark` names, where it tells an end or a hook of `attempt`.
    fn told_at(&mut self, attempt: AttemptId, mark: &JournalMark) -> Option<&mut ToldEnd> {
        let journal = self.journal;
        let story = self.story(attempt);
        let mut told = story.ends.iter_mut().chain(&mut story.hooks);
        told.find(|end| {
            end.at.journal == journal && end.at.line == mark.line && end.sha256 == mark.sha256
        })
    }

    fn no_such(&mut self, mark: &JournalMark) {
        let what = format!(
            "it speaks of line {}, which does not tell an end of that attempt with that hash",
            mark.line
        );
        self.broken(self.line, what);
    }

    fn opened(&mut self, version: u32, station: String, ledger: &str, rehearsal: bool) {
        let identity = self.auditor.identity.clone();
        if version != JOURNAL_VERSION {
            let what =
                format!("it is of version {version}, and this program reads {JOURNAL_VERSION}");
            self.broken(self.line, what);
        }
        if ledger != identity.id {
            let what = format!(
                "it belongs to the ledger {ledger}, and this one is {}",
                identity.id
            );
            self.broken(self.line, what);
        }
        if rehearsal != identity.rehearsal {
            let what = "journal and ledger: one is of a rehearsal, and one is not";
            self.broken(self.line, what);
        }
        if self.auditor.has_journal_of(&station) {
            let what = format!("another journal is of station {station} too");
            self.broken(self.line, what);
        }
        if let Some(journal) = self.auditor.journals.get_mut(self.journal) {
            journal.station = Some(station);
        }
    }

    /// Numbers that the line gives to a chip: no other chip may have them.
    fn numbers(&mut self, uid: &str, reserved: &[Reserved]) {
        let at = At {
            journal: self.journal,
            line: self.line,
        };
        for it in reserved {
            let key = (it.series.clone(), it.number);
            let owner = self.auditor.numbers.entry(key);
            let (owner, first) = owner.or_insert_with(|| (uid.to_owned(), at)).clone();
            if owner != uid {
                let journal = self.auditor.name(first.journal).unwrap_or_default();
                let what = format!(
                    "number {} of series {} goes to chip {uid}, and line {} of {journal} gave it to chip {owner}",
                    it.number, it.series, first.line
                );
                self.broken(self.line, what);
            }
        }
    }
}

/// The unit of an attempt, as line and row tell it.
pub fn unit_prints(
    uid: &str,
    attempt_of_unit: u32,
    claimed_at: jiff::Timestamp,
    reserved: &[Reserved],
) -> Prints {
    Prints::of(&serde_json::json!({
        "uid": uid,
        "attempt_of_unit": attempt_of_unit,
        "claimed_at": claimed_at,
        "reserved": reserved,
    }))
}

fn in_words(wrong: &Wrong) -> String {
    match wrong {
        Wrong::NotALine(why) => format!("it is no whole line of a journal: {why}"),
        Wrong::Cut => "its writing was cut off, and no line behind it says so".to_owned(),
        Wrong::Number { says } => {
            format!("its number is {says}: lines are missing, doubled or in another order")
        }
        Wrong::Previous { says, is } => {
            format!("it follows a line with the hash {says}, and the line before it has {is}")
        }
        Wrong::Torn => "its writing was cut off".to_owned(),
        Wrong::Unfinished => {
            "its writing was cut off, and its station has not started again".to_owned()
        }
    }
}
