//! The verdict of a job. `Pass` cannot be made without the proofs.

use std::fmt;

use serde::Serialize;

use super::FlashLeft;
use crate::problem::{ExitCode, Problem};
use crate::reset::Booted;
use crate::verify::Verified;

/// How a job ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Verdict {
    /// `flash`: every byte was read back and the ROM was seen to start the image. `reset`: the ROM was seen to start it.
    Pass(Pass),
    /// `flash`: every byte was read back, but the boot could not be proven or failed.
    BootNotProven {
        /// Stable code of the cause.
        code: String,
        /// The cause.
        why: String,
        /// Whether `--boot-proof=none` accepted that beforehand.
        accepted: bool,
    },
    /// `reset`: the boot was not seen.
    NotBooted {
        /// Stable code of the cause.
        code: String,
        /// The cause.
        why: String,
    },
    /// `verify`: the board holds the image.
    Equal,
    /// `verify`: the board holds something else.
    Differs,
    /// `info`, `read`, `erase`: done, and checked where something was changed.
    Done {
        /// What was done, in a few words.
        what: String,
    },
    /// `doctor`: nothing was found that keeps the board from working.
    Healthy {
        /// What was seen, in a few words.
        what: String,
    },
    /// `doctor`: what keeps the board from working.
    Diagnosed {
        /// Stable code of the diagnosis.
        code: String,
        /// The diagnosis.
        what: String,
        /// The process's exit code.
        exit: u8,
    },
    /// The user ended the job.
    Cancelled {
        /// What that leaves in the flash.
        left: FlashLeft,
    },
    /// The job was not begun: no board was touched.
    Refused {
        /// The problem's stable code.
        code: String,
        /// What happened.
        what: String,
        /// The process's exit code.
        exit: u8,
    },
    /// The job ended with a problem.
    Failed {
        /// The problem's stable code.
        code: String,
        /// What happened.
        what: String,
        /// The process's exit code.
        exit: u8,
    },
}

/// Proof that [`Verdict::Pass`] was earned; it can only be made in this file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Pass {
    /// Whether the content was verified as well: `flash`, not `reset`.
    verified: bool,
}

impl Verdict {
    /// `flash` has passed.
    pub fn pass(_verified: &Verified, _booted: &Booted) -> Self {
        Verdict::Pass(Pass { verified: true })
    }

    /// `reset` has passed.
    pub fn reset_pass(_booted: &Booted) -> Self {
        Verdict::Pass(Pass { verified: false })
    }

    /// `verify` found the board equal.
    pub fn equal(_verified: &Verified) -> Self {
        Verdict::Equal
    }

    /// `flash` has programmed and verified, but the boot is not proven, for the reason in `cause`.
    pub fn boot_not_proven(_verified: &Verified, cause: &Problem, accepted: bool) -> Self {
        Verdict::BootNotProven {
            code: cause.code.to_owned(),
            why: cause.what.clone(),
            accepted,
        }
    }

    /// `reset` did not see the boot, for the reason in `cause`.
    pub fn not_booted(cause: &Problem) -> Self {
        Verdict::NotBooted {
            code: cause.code.to_owned(),
            why: cause.what.clone(),
        }
    }

    /// A command that only answers, or erases, has done what was asked for.
    pub fn done(what: impl Into<String>) -> Self {
        Verdict::Done { what: what.into() }
    }

    /// `doctor` found nothing that keeps the board from working.
    pub fn healthy(what: impl Into<String>) -> Self {
        Verdict::Healthy { what: what.into() }
    }

    /// `doctor` found what keeps the board from working.
    pub fn diagnosed(diagnosis: &Problem) -> Self {
        Verdict::Diagnosed {
            code: diagnosis.code.to_owned(),
            what: diagnosis.what.clone(),
            exit: diagnosis.exit.number(),
        }
    }

    /// The job ended with a problem.
    pub fn failed(problem: &Problem) -> Self {
        Verdict::Failed {
            code: problem.code.to_owned(),
            what: problem.what.clone(),
            exit: problem.exit.number(),
        }
    }

    /// The job was not begun, for this problem.
    pub fn refused(problem: &Problem) -> Self {
        Verdict::Refused {
            code: problem.code.to_owned(),
            what: problem.what.clone(),
            exit: problem.exit.number(),
        }
    }

    /// The process's exit code.
    pub const fn exit(&self) -> u8 {
        match self {
            Verdict::Pass(_)
            | Verdict::Equal
            | Verdict::Done { .. }
            | Verdict::Healthy { .. }
            | Verdict::BootNotProven { accepted: true, .. } => ExitCode::Proven.number(),
            Verdict::BootNotProven { .. } | Verdict::NotBooted { .. } => {
                ExitCode::BootNotProven.number()
            }
            Verdict::Differs => ExitCode::Differs.number(),
            Verdict::Cancelled { .. } => ExitCode::Cancelled.number(),
            Verdict::Failed { exit, .. }
            | Verdict::Refused { exit, .. }
            | Verdict::Diagnosed { exit, .. } => *exit,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Pass(_) => write!(f, "PASS"),
            Verdict::BootNotProven { why, .. } => {
                write!(f, "PROGRAMMED AND VERIFIED, BOOT NOT PROVEN ({why})")
            }
            Verdict::NotBooted { why, .. } => write!(f, "NOT BOOTED ({why})"),
            Verdict::Equal => write!(f, "EQUAL"),
            Verdict::Differs => write!(f, "DIFFERS"),
            Verdict::Healthy { what } => write!(f, "HEALTHY: {what}"),
            Verdict::Diagnosed { code, what, .. } => write!(f, "DIAGNOSIS: {what} [{code}]"),
            Verdict::Done { what } => write!(f, "DONE: {what}"),
            Verdict::Cancelled { left } => write!(f, "CANCELLED: {left}"),
            Verdict::Failed { code, what, .. } => write!(f, "FAIL: {what} [{code}]"),
            Verdict::Refused { code, what, .. } => {
                write!(f, "REFUSED, board not touched: {what} [{code}]")
            }
        }
    }
}
