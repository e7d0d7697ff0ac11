//! What a job does again, what it does not, and how it ends early at the user's wish.
//!
//! | what fails | done again |
//! |---|---|
//! | an access of the debug port: damaged, WAIT, no answer | three times, the port woken before each (`link::retry`) |
//! | the reset that is to be caught in the boot ROM | twice; and again after the core was halted as soon as it woke up (`link::ladder`) |
//! | a record of the algorithm's mailbox that arrives damaged | three times (`algorithm::exchange`) |
//! | a boot proof whose comparator match may have been lost | once |
//! | bytes that read back wrong after they were programmed | once |
//! | bytes that `read` brought and that are not what the target digests | once |
//! | wrong chip or part, an erase, a status register, a time-out, bytes outside the image that have changed | never |

use super::run::Run;
use crate::algorithm::Algorithm;
use crate::problem::{ExitCode, Problem};
use crate::report::{FlashLeft, RetryRecord};

/// Codes of problems after which the flash holds other bytes than were programmed.
const PROGRAMMED_WRONG: [&str; 2] = ["program-differs", "verify-differs"];
/// Code of a job that the user ended.
const CANCELLED: &str = "cancelled";

/// Whether programming once more may help.
pub(super) fn may_program_again(problem: &Problem) -> bool {
    PROGRAMMED_WRONG.contains(&problem.code)
}

impl Run<'_> {
    /// Notes in the record that something was done again.
    pub(super) fn note_retry(&mut self, retry: RetryRecord) {
        self.observer.note(&format!("warning: {retry}"));
        self.record.retries.push(retry);
    }

    /// The retries of the exchange with the algorithm, which are counted there.
    pub(super) fn note_records_read_again(&mut self, algorithm: &Algorithm<'_, '_>) {
        let times = algorithm.records_read_again();
        if times != 0 {
            self.record.retries.push(RetryRecord {
                what: "records of the flash algorithm arrived damaged and were read again",
                times,
                why: None,
            });
        }
    }

    /// The retries of the link, which are counted there, and the steps to control of the core besides the usual one.
    pub(super) fn note_link_retries(&mut self) {
        let steps = self.meter.retries().iter().map(|retry| RetryRecord {
            what: retry.what,
            times: retry.times,
            why: Some(retry.why.to_owned()),
        });
        self.record.retries.extend(steps);
        let counts = self.meter.counts();
        let times = counts.retries.saturating_sub(self.retries_before);
        if times != 0 {
            let damaged = counts.damaged;
            self.record.retries.push(RetryRecord {
                what: "accesses of the debug port were repeated",
                times,
                why: Some(format!(
                    "in the whole job {damaged} were damaged on the wire, the others got WAIT or no answer"
                )),
            });
        }
    }

    /// Asks whether the user wants the job to go on.
    ///
    /// # Errors
    /// `cancelled` (exit 130) where not.
    pub(super) fn go_on(&self) -> Result<(), Problem> {
        if self.observer.is_cancelled() {
            return Err(Problem::new(CANCELLED, ExitCode::Cancelled, "cancelled")
                .because("the user asked for it"));
        }
        Ok(())
    }

    /// A problem, and what it leaves on the board where the user ended the job.
    pub(super) fn with_what_is_left(&self, problem: Problem) -> Problem {
        match &self.record.left {
            Some(left) if problem.exit == ExitCode::Cancelled => problem
                .because(format!("the user asked for it; {left}"))
                .fix(match left {
                    FlashLeft::Unchanged => "start again when it suits",
                    FlashLeft::Incomplete | FlashLeft::Unproven => {
                        "run `rtflash flash` again: it goes on from here, and puts back what it saved"
                    }
                    FlashLeft::PartlyErased | FlashLeft::PartlyErasedFcbKept => {
                        "give the same `rtflash erase` again: it leaves out what is blank"
                    }
                    FlashLeft::Erased => "there is nothing left to do",
                    FlashLeft::Complete => "run `rtflash reset` to see whether it boots",
                }),
            _ => problem,
        }
    }
}
