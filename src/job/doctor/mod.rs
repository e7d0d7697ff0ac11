//! `doctor`: everything between the host and the application is looked at, as far as it can be reached; what was seen is
//! weighed at the end. A step that fails ends only those that need it.

mod board;
mod compare;
mod content;
mod examination;
mod findings;
mod flash;
mod host;
mod reach;
mod running;

pub use host::{UDEV_RULE, UDEV_RULE_NAME};

use super::run::Run;
use super::{Bench, Job, Observer, Outcome, Request};
use crate::diagnosis::{Boot, diagnose};
use crate::problem::ExitCode;
use crate::report::{DiagnosisRecord, Verdict};
use examination::Examination;

/// What is asked of the board.
#[derive(Clone, Debug)]
pub struct Question {
    /// The image that it should hold, if one was given.
    pub image: Option<Request>,
    /// Whether it may only be looked at: then the flash is not read, for reading it takes the chip over by a reset.
    pub no_reset: bool,
    /// The command line that flashes this board, for the advice.
    pub flash_command: String,
}

/// The whole of it.
pub fn doctor(
    job: &Job<'_>,
    question: &Question,
    bench: &Bench,
    observer: &mut dyn Observer,
) -> Outcome {
    let mut run = Run::new("doctor", job, bench, observer);
    let mut examination = Examination::new(question);
    run.begin("host");
    host::look(bench, &mut examination);
    match run.examine_board(question, &mut examination) {
        Err(cancelled) if cancelled.exit == ExitCode::Cancelled => {
            return run.finish(Err(cancelled));
        }
        Err(problem) => examination.stop(problem),
        Ok(()) => {}
    }
    let examined = examination.finish();
    let diagnosis = diagnose(examined.seen, examined.boot);
    let verdict = match &diagnosis.first {
        Some(first) => Verdict::diagnosed(first),
        None => Verdict::healthy(health(examined.boot, question)),
    };
    run.record.doctor = Some(DiagnosisRecord::new(examined.checks, &diagnosis));
    run.problem = diagnosis.first;
    let outcome = run.finish(Ok(verdict));
    Outcome {
        // the diagnosis is the answer, and no complaint
        problem: None,
        ..outcome
    }
}

/// What is right about a board that nothing speaks against.
fn health(boot: Boot, question: &Question) -> &'static str {
    match (boot, &question.image) {
        (Boot::NotSeen, _) => "code runs outside of the boot ROM; nothing else was looked at",
        (Boot::ByRom, None) => "the boot ROM starts the bootloader that the flash holds",
        (Boot::ByRom, Some(_)) => {
            "the flash holds the image, and the boot ROM starts the bootloader"
        }
        (Boot::ToTheEnd, None) => "the flash holds an application, and it is started",
        (Boot::ToTheEnd, Some(_)) => "the flash holds the image, and it is started",
    }
}
