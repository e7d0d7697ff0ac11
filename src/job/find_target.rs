//! `--target auto`: finds out which flash part a board has, before the job that needs to know it.
//!
//! A short job of its own, which ends with the board running: the part decides what the image must be judged for, how the
//! algorithm is set up and what is planned, so the job proper begins anew, with a target that was named for it.

use super::run::Run;
use super::{Bench, Job, Observer, Outcome};
use crate::link::Link;
use crate::problem::Problem;
use crate::report::{Phase, RetryRecord, Verdict};
use crate::survey::part_found;
use crate::target::Target;

/// Name of the phase in the record of the job proper.
const PHASE: &str = "identify";

/// A target whose flash part was found by its ID.
#[derive(Debug)]
pub struct Found {
    target: Target,
    phase: Phase,
    retries: Vec<RetryRecord>,
}

/// Finds the flash part of the board, on the chip and board of `assumed`; its flash part does not matter. Nothing
/// non-volatile changes, and the board runs afterwards.
///
/// # Errors
/// The ended job, where the part is unknown, absent or ambiguous, or could not be asked.
pub fn find_target(
    command: &'static str,
    assumed: &Target,
    bench: &Bench,
    observer: &mut dyn Observer,
) -> Result<Found, Box<Outcome>> {
    let job = Job::new(assumed);
    let mut run = Run::new(command, &job, bench, observer);
    let target = match run.find_target() {
        Ok(target) => target,
        Err(problem) => return Err(Box::new(run.finish(Err(problem)))),
    };
    let record = run
        .finish(Ok(Verdict::done("the flash part was found")))
        .record;
    let phases = record.phases.iter();
    let phase = Phase {
        name: PHASE,
        seconds: phases.clone().map(|phase| phase.seconds).sum(),
        transactions: phases.map(|phase| phase.transactions).sum(),
    };
    Ok(Found {
        target,
        phase,
        retries: record.retries,
    })
}

impl Found {
    /// The target.
    pub const fn target(&self) -> &Target {
        &self.target
    }

    /// Notes in the record of the job proper that its target was found, and what that took.
    pub fn note_in(self, mut outcome: Outcome) -> Outcome {
        let record = &mut outcome.record;
        if let Some(target) = &mut record.target {
            target.found_by_id = true;
        }
        record.phases.insert(0, self.phase);
        record.retries.splice(0..0, self.retries);
        outcome
    }

    /// The end of a job that could not be begun with this target: the image does not suit it.
    pub fn refused(
        self,
        command: &'static str,
        bench: &Bench,
        observer: &mut dyn Observer,
        problem: Problem,
    ) -> Outcome {
        let job = Job::new(&self.target);
        let outcome = Run::new(command, &job, bench, observer).finish(Err(problem));
        self.note_in(outcome)
    }
}

impl Run<'_> {
    fn find_target(&mut self) -> Result<Target, Problem> {
        // which one it is, is the question
        self.record.target = None;
        let assumed = self.job.target;
        self.go_on()?;
        let mut connection = self.connect()?;
        let mut link = connection.link(assumed.chip())?;
        let link: &mut dyn Link = &mut link;
        self.take_chip(link)?;
        let flash = self.meet_flash(link);
        self.let_run(link);
        let part = part_found(&flash?)?;
        let (chip, board) = (assumed.chip().clone(), assumed.board().clone());
        Ok(Target::new(chip, part, board)?)
    }
}
