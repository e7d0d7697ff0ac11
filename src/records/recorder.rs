//! Ledger and journal of a station as one: what is in the one is in the other, and what is not is said.

use std::collections::{BTreeMap, BTreeSet};

use super::database::LOST;
use super::journal::{Contents, Journal};
use super::line::{JOURNAL_VERSION, Told};
use super::refusals::gone;
use super::{
    Attempt, AttemptId, Begin, Claim, End, Filter, HookResult, Identity, JournalMark, JournalRead,
    Ledger, Place, RecordsError, UnitClaim, VerdictKind, postgres, read_journal, sqlite,
};
use crate::clock::Calendar;
use crate::problem::ExitCode;

/// Stable code of an attempt that its station did not live to end.
const INTERRUPTED: &str = "station-interrupted";

/// The records of one station, ready to take attempts.
///
/// Every action is on the disk when it returns. After an error of `begin`, `claim` or `end` the unit is not PASS, and what
/// the two disagree about is settled before the next attempt begins, or when the station starts again.
pub struct Records {
    ledger: Box<dyn Ledger>,
    journal: Journal,
    station: String,
    rehearsal: bool,
    calendar: Box<dyn Calendar>,
    /// Attempts that this process has begun and not ended.
    running: BTreeSet<AttemptId>,
    /// Whether ledger and journal may disagree about an attempt that is not among those.
    is_unsettled: bool,
}

/// What was found of an earlier run, and settled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Attempts without an end; they are ended as interrupted now.
    pub interrupted: Vec<AttemptId>,
    /// Attempts whose end or hook's result the journal told and the ledger did not commit.
    pub withdrawn: Vec<AttemptId>,
    /// Bytes of journal lines whose writing was cut off.
    pub torn: Option<u64>,
    /// Attempts of this station of which the ledger has something that the journal does not tell, or has withdrawn: a
    /// journal was lost or replaced. Nothing is done about them.
    pub missing: Vec<AttemptId>,
    /// Whether the clock shows less than at the journal's last line.
    pub clock_stepped_back: bool,
}

impl Records {
    /// Opens the records of `station`, or creates them, and settles what an earlier run left.
    ///
    /// # Errors
    /// [`RecordsError`]: in use by another process, of the other kind, gone, broken, or not to be reached.
    pub fn open(
        place: &Place,
        station: &str,
        rehearsal: bool,
        calendar: Box<dyn Calendar>,
    ) -> Result<(Records, Recovered), RecordsError> {
        // without its ledger a journal's numbers would be handed out once more, be it this station's or another's
        let must_exist = tells_of_a_ledger(place);
        let (journal, contents) = Journal::open(&place.journal(station))?;
        is_sound(&contents)?;
        let must_exist = must_exist || contents.opened.is_some();
        let opened = open_ledger(place, station, rehearsal, must_exist);
        let opened = opened.and_then(|(ledger, identity)| {
            belongs(&contents, station, &identity)?;
            Ok((ledger, identity))
        });
        let (ledger, identity) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                journal.discard_if_empty();
                return Err(error);
            }
        };
        let mut records = Records {
            ledger,
            journal,
            station: station.to_owned(),
            rehearsal,
            calendar,
            running: BTreeSet::new(),
            is_unsettled: true,
        };
        if contents.opened.is_none() {
            let at = records.calendar.now();
            records.journal.mend(&contents, at)?;
            records.journal.append(
                Told::Opened {
                    journal_version: JOURNAL_VERSION,
                    station: station.to_owned(),
                    ledger: identity.id,
                    rehearsal,
                },
                at,
            )?;
        }
        let recovered = records.settle()?;
        Ok((records, recovered))
    }

    /// Puts the begin of an attempt on record.
    ///
    /// # Errors
    /// [`RecordsError`]; then the board is not touched.
    pub fn begin(&mut self, begin: &Begin) -> Result<AttemptId, RecordsError> {
        if begin.rehearsal != self.rehearsal || begin.station != self.station {
            return Err(RecordsError::new(
                "records-kind",
                "the records are those of another station, or of another kind of boards",
                format!("station `{}`, rehearsal: {}", self.station, self.rehearsal),
                "report this as a fault of rtflash",
            ));
        }
        if self.is_unsettled {
            self.settle()?;
        }
        self.is_unsettled = true;
        let attempt = self.ledger.begin(begin)?;
        self.tell(Told::Begun {
            attempt,
            begin: Box::new(begin.clone()),
        })?;
        self.is_unsettled = false;
        self.running.insert(attempt);
        Ok(attempt)
    }

    /// Claims the unit of an attempt: refuses it, or reserves its numbers. Only after it was granted may anything on the
    /// board change.
    ///
    /// # Errors
    /// [`RecordsError`]; then the unit is not flashed, and numbers that may have been reserved stay the chip's.
    pub fn claim(&mut self, attempt: AttemptId, claim: &UnitClaim) -> Result<Claim, RecordsError> {
        let answer = self.ledger.claim(attempt, claim)?;
        if let Claim::Granted {
            reserved,
            attempt_of_unit,
        } = &answer
        {
            self.tell(Told::Claimed {
                attempt,
                uid: claim.uid.clone(),
                attempt_of_unit: *attempt_of_unit,
                claimed_at: claim.claimed_at,
                reserved: reserved.clone(),
            })?;
        }
        Ok(answer)
    }

    /// Puts the end on record, in the journal and the ledger. Only when this has worked may a PASS be shown.
    ///
    /// # Errors
    /// [`RecordsError`]; then the unit is FAIL, exit 23, whatever `end` says, and its numbers stay the chip's until the
    /// attempt is settled as interrupted.
    pub fn end(&mut self, attempt: AttemptId, end: &End) -> Result<(), RecordsError> {
        self.running.remove(&attempt);
        let told = Told::Ended {
            attempt,
            end: Box::new(end.clone()),
        };
        self.put_end(attempt, end, told)
    }

    /// Adds a hook's result to an attempt that has ended.
    ///
    /// # Errors
    /// [`RecordsError`].
    pub fn hook(&mut self, attempt: AttemptId, result: &HookResult) -> Result<(), RecordsError> {
        let mark = self.tell(Told::Hook {
            attempt,
            result: result.clone(),
        });
        let done = mark.and_then(|mark| {
            self.ledger
                .hook(attempt, result, &mark)
                .inspect_err(|error| self.take_back(attempt, mark, error))
        });
        self.is_unsettled |= done.is_err();
        done
    }

    /// The attempt as the ledger has it.
    ///
    /// # Errors
    /// [`RecordsError`].
    pub fn attempt(&mut self, attempt: AttemptId) -> Result<Option<Attempt>, RecordsError> {
        let filter = Filter {
            id: Some(attempt),
            ..Filter::default()
        };
        Ok(self.ledger.attempts(&filter)?.pop())
    }

    /// The ledger, to read.
    pub fn ledger(&mut self) -> &mut dyn Ledger {
        self.ledger.as_mut()
    }

    fn tell(&mut self, told: Told) -> Result<JournalMark, RecordsError> {
        let at = self.calendar.now();
        self.journal.append(told, at)
    }

    /// Puts an end on record, and takes back what the journal has told where the ledger does not follow.
    fn put_end(&mut self, attempt: AttemptId, end: &End, told: Told) -> Result<(), RecordsError> {
        let at = self.calendar.now();
        let journal = &mut self.journal;
        let mut told = Some(told);
        let mut mark = None;
        let ended = self.ledger.end(attempt, end, &mut || {
            let told = told.take().ok_or_else(told_twice)?;
            let told = journal.append(told, at)?;
            mark = Some(told.clone());
            Ok(told)
        });
        let Err(error) = ended else { return Ok(()) };
        self.is_unsettled = true;
        if let Some(mark) = mark {
            self.take_back(attempt, mark, &error);
        }
        Err(error)
    }

    /// Says that a line does not hold, or may not hold, after the ledger has not followed it. Where this fails too, the next
    /// start finds the line in the journal and nothing in the ledger.
    fn take_back(&mut self, attempt: AttemptId, mark: JournalMark, error: &RecordsError) {
        let _ = self.tell(if error.code == LOST {
            Told::Unsettled { attempt, mark }
        } else {
            Told::Withdrawn { attempt, mark }
        });
    }

    /// Makes ledger and journal agree about every attempt that is not under way in this process.
    fn settle(&mut self) -> Result<Recovered, RecordsError> {
        let mut recovered = Recovered::default();
        let at = self.calendar.now();
        let contents = self.journal.read()?;
        is_sound(&contents)?;
        self.is_not_older(&contents)?;
        recovered.clock_stepped_back = self.journal.is_ahead_of(at);
        recovered.torn = Some(self.journal.mend(&contents, at)?).filter(|bytes| *bytes > 0);
        let mut told: BTreeMap<AttemptId, Vec<JournalMark>> = BTreeMap::new();
        for (attempt, mark) in contents.told.into_values() {
            told.entry(attempt).or_default().push(mark);
        }
        for (attempt, mark) in self.ledger.marks(&self.station)? {
            let marks = told.entry(attempt).or_default();
            let before = marks.len();
            marks.retain(|told| *told != mark);
            if marks.len() == before {
                recovered.missing.push(attempt);
            }
        }
        for (attempt, marks) in told {
            for mark in marks {
                self.tell(Told::Withdrawn { attempt, mark })?;
                recovered.withdrawn.push(attempt);
            }
        }
        for attempt in self.ledger.unfinished(&self.station)? {
            if !self.running.contains(&attempt.id) {
                self.interrupt(&attempt)?;
                recovered.interrupted.push(attempt.id);
            }
        }
        self.is_unsettled = false;
        Ok(recovered)
    }

    /// That the ledger has what was in it for certain before the journal told of it. A copy that was brought back, or one
    /// without the log beside it, would hand out numbers a second time.
    fn is_not_older(&mut self, contents: &Contents) -> Result<(), RecordsError> {
        let older = |attempt: AttemptId| RecordsError {
            fix: "bring the newest ledger back, with all files beside it; where it is lost, go on in another directory, with series that begin behind the numbers in the journal",
            ..gone(format!(
                "what is there is older than the journal, which tells of attempt {}",
                attempt.0
            ))
        };
        if let Some(begun) = contents.begun
            && self.attempt(begun)?.is_none()
        {
            return Err(older(begun));
        }
        if let Some((attempt, uid)) = &contents.claimed {
            let found = self.attempt(*attempt)?.and_then(|found| found.claimed);
            if found.is_none_or(|claimed| claimed.uid != *uid) {
                return Err(older(*attempt));
            }
        }
        Ok(())
    }

    fn interrupt(&mut self, attempt: &Attempt) -> Result<(), RecordsError> {
        let end = End {
            verdict: VerdictKind::Interrupted,
            exit: ExitCode::RecordNotWritten.number(),
            code: Some(INTERRUPTED.to_owned()),
            text: "INTERRUPTED: the station ended before the attempt was on record".to_owned(),
            uid: attempt.claimed.as_ref().map(|claimed| claimed.uid.clone()),
            serial: None,
            flash_sha256: None,
            phases: Vec::new(),
            retries: 0,
            record: serde_json::Value::Null,
            ended_at: self.calendar.now(),
        };
        let told = Told::Interrupted {
            attempt: attempt.id,
            end: Box::new(end.clone()),
        };
        self.put_end(attempt.id, &end, told)
    }
}

/// Whether there is a journal in the directory that belongs to a ledger, or one that cannot be read.
fn tells_of_a_ledger(place: &Place) -> bool {
    let Place::Directory(_) = place else {
        return false;
    };
    place.journals().iter().any(|path| {
        let Ok(mut lines) = read_journal(path) else {
            return true;
        };
        let is_opened = |read: &JournalRead| {
            let line = read.line.as_ref();
            line.is_some_and(|line| matches!(line.told, Told::Opened { .. }))
        };
        lines.any(|read| read.as_ref().is_ok_and(is_opened))
    })
}

fn told_twice() -> RecordsError {
    RecordsError::new(
        "records-order",
        "an end was told to the journal twice",
        "the ledger asked for it again",
        "report this as a fault of rtflash",
    )
}

fn open_ledger(
    place: &Place,
    station: &str,
    rehearsal: bool,
    must_exist: bool,
) -> Result<(Box<dyn Ledger>, Identity), RecordsError> {
    match place {
        Place::Directory(_) => {
            let file = place.ledger_file().unwrap_or_default();
            let (ledger, identity) = sqlite::open(&file, rehearsal, must_exist)?;
            Ok((Box::new(ledger), identity))
        }
        Place::Server { url, .. } => {
            let (ledger, identity) = postgres::open(url, station, rehearsal, must_exist)?;
            Ok((Box::new(ledger), identity))
        }
    }
}

/// Opens a ledger to read. Nothing is created or changed.
///
/// # Errors
/// [`RecordsError`]: there is none, it is of a newer version, or cannot be reached.
pub fn open_to_read(place: &Place) -> Result<Box<dyn Ledger>, RecordsError> {
    match place {
        Place::Directory(_) => {
            let file = place.ledger_file().unwrap_or_default();
            Ok(Box::new(sqlite::open_to_read(&file)?))
        }
        Place::Server { url, .. } => Ok(Box::new(postgres::open_to_read(url)?)),
    }
}

/// That nothing in the journal was changed and no line is missing.
fn is_sound(contents: &Contents) -> Result<(), RecordsError> {
    match &contents.broken {
        None => Ok(()),
        Some(broken) => Err(RecordsError::new(
            "journal-broken",
            "the journal was changed, or lacks lines",
            broken,
            "keep the file elsewhere as evidence, and start the station again: it begins a new one",
        )),
    }
}

/// That a journal is this station's, and belongs to this ledger.
fn belongs(contents: &Contents, station: &str, identity: &Identity) -> Result<(), RecordsError> {
    let Some((is_of, ledger, _)) = &contents.opened else {
        return Ok(());
    };
    if is_of != station {
        return Err(RecordsError::new(
            "records-journal",
            format!("the journal is that of station `{is_of}`"),
            format!("this station is `{station}`"),
            "give every station a journal of its own",
        ));
    }
    if *ledger != identity.id {
        return Err(gone(format!(
            "the journal belongs to ledger {ledger}, what is there is {}",
            identity.id
        )));
    }
    Ok(())
}
