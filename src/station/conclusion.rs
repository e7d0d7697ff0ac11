//! From how a job ended to the verdict on the unit, in words, with what the operator shall do.

use jiff::Timestamp;

use super::unit_image::Known;
use crate::problem::{ExitCode, Problem};
use crate::records::{End, VerdictKind};
use crate::report::{Record, Verdict};

/// The verdict on one attempt, before it is on record.
#[derive(Clone, Debug)]
pub struct Conclusion {
    verdict: VerdictKind,
    exit: u8,
    code: Option<String>,
    text: String,
    /// What the operator shall do with the board.
    pub to_do: String,
    known: Known,
    /// Of the job, where one was begun.
    record: Option<Record>,
}

impl Conclusion {
    /// The attempt ended before the job began, or without an end of the job.
    pub fn of_problem(problem: &Problem) -> Self {
        Conclusion {
            verdict: VerdictKind::Fail,
            exit: problem.exit.number(),
            code: Some(problem.code.to_owned()),
            text: in_words(problem),
            to_do: to_do(problem),
            known: Known::default(),
            record: None,
        }
    }

    /// The same with what became known of the unit.
    pub fn with(self, known: Known) -> Self {
        Conclusion { known, ..self }
    }

    /// The job ended. PASS needs its proofs, or that the job itself does without one and says why.
    pub fn of_outcome(record: &Record, problem: Option<&Problem>, known: Known) -> Self {
        let verdict = match &record.verdict {
            Verdict::Pass(_) | Verdict::BootNotProven { accepted: true, .. } => VerdictKind::Pass,
            Verdict::Cancelled { .. } => VerdictKind::Cancelled,
            _ if known.refused || problem.is_some_and(is_wrong_board) => VerdictKind::Refused,
            _ => VerdictKind::Fail,
        };
        let exit = record.verdict.exit();
        let conclusion = match (verdict, problem) {
            (VerdictKind::Pass, _) => Conclusion {
                verdict,
                exit,
                code: None,
                text: match &record.verdict {
                    Verdict::BootNotProven { why, .. } => {
                        format!(
                            "programmed and verified; the boot is not proven, which the job allows ({why})"
                        )
                    }
                    _ => "programmed, verified and started".to_owned(),
                },
                to_do: "take the board out".to_owned(),
                known,
                record: None,
            },
            (_, Some(problem)) => Conclusion {
                verdict,
                exit,
                ..Conclusion::of_problem(problem).with(known)
            },
            // no command ends so, and what nobody explains is no PASS
            (_, None) => Conclusion {
                verdict,
                exit: if exit == ExitCode::Proven.number() {
                    ExitCode::Internal.number()
                } else {
                    exit
                },
                code: Some("unexplained".to_owned()),
                text: record.verdict.to_string(),
                to_do: TELL.to_owned(),
                known,
                record: None,
            },
        };
        Conclusion {
            record: Some(record.clone()),
            ..conclusion
        }
    }

    /// As it goes on record.
    pub fn end(&self, ended_at: Timestamp) -> End {
        let record = self.record.as_ref();
        let chip = record.and_then(|record| record.chip.as_ref());
        let image = record.and_then(|record| record.image.as_ref());
        let is_written = record.is_some_and(|record| {
            matches!(
                record.verdict,
                Verdict::Pass(_) | Verdict::BootNotProven { .. }
            )
        });
        let phases = record
            .map(|record| record.phases.as_slice())
            .unwrap_or_default();
        let retries = record
            .map(|record| record.retries.as_slice())
            .unwrap_or_default();
        let retries: u64 = retries.iter().map(|retry| retry.times).sum();
        End {
            verdict: self.verdict,
            exit: self.exit,
            code: self.code.clone(),
            text: self.text.clone(),
            uid: self
                .known
                .uid
                .clone()
                .or_else(|| chip.map(|chip| chip.uid.clone())),
            serial: self.known.serial.clone(),
            flash_sha256: image
                .filter(|_| is_written)
                .map(|image| image.flash_sha256.clone()),
            phases: phases
                .iter()
                .map(|phase| (phase.name.to_owned(), phase.seconds))
                .collect(),
            retries: u32::try_from(retries).unwrap_or(u32::MAX),
            // plain data, which has no way to fail
            record: serde_json::to_value(record).unwrap_or_default(),
            ended_at,
        }
    }
}

/// Another chip, or another flash part; not one that should answer and does not.
fn is_wrong_board(problem: &Problem) -> bool {
    const SILENT: [&str; 3] = ["chip-uid", "flash-none", "flash-sfdp"];
    problem.exit == ExitCode::WrongDevice && !SILENT.contains(&problem.code)
}

fn in_words(problem: &Problem) -> String {
    match &problem.why {
        Some(why) => format!("{}: {why}", problem.what),
        None => problem.what.clone(),
    }
}

const TELL: &str = "stop: tell who looks after the station";
const RESEAT: &str = "reseat the board and try again; if it stays, clean the contacts of the site, then send the board to rework";
const REWORK: &str = "send the board to rework";

/// What an operator can do, who has boards and no command line.
pub fn to_do(problem: &Problem) -> String {
    match (problem.code, problem.exit) {
        // what the station refuses says it already in the operator's words
        (_, ExitCode::Refused) | ("image-changed" | "job-changed", _) => {
            return problem.fix.clone().unwrap_or_else(|| TELL.to_owned());
        }
        ("probe-lost", _) | (_, ExitCode::NoProbe) => {
            "check the USB cable of the site's probe, then try again"
        }
        ("target-unpowered", _) => "switch the board's supply on, reseat the board and try again",
        ("chip-uid" | "flash-none" | "flash-sfdp", _) => REWORK,
        (_, ExitCode::WrongDevice) => "wrong board: take it out, and check what the job is for",
        (_, ExitCode::LinkLost | ExitCode::ReadFailed) => RESEAT,
        (
            _,
            ExitCode::EraseFailed
            | ExitCode::NotBlank
            | ExitCode::ProgramFailed
            | ExitCode::Differs,
        ) => "try once more; if it fails again, send the board to rework",
        (_, ExitCode::BootNotProven) => {
            "programmed, but it does not start: try once more, then send the board to rework"
        }
        (_, ExitCode::RecordNotWritten) => {
            "stop: do not ship the board; the records need care, then do it again"
        }
        (_, ExitCode::Cancelled) => "start the board again, or take it out",
        _ => TELL,
    }
    .to_owned()
}
