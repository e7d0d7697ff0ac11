//! What is true of a board, and whether a verdict agrees with it.
//!
//! Truth comes from the board: what is wrong with it by the script, what its flash holds when the verdict is shown, and
//! whether its boot ROM starts that. A PASS needs all of it, whatever the script says.

use std::fmt;

use super::bill::VirtualUnit;
use super::defect::Defect;
use super::site::Shown;
use super::wanted::Wanted;
use crate::problem::ExitCode;
use crate::records::VerdictKind;

/// Code of the records' refusal where enough units have passed.
const QUOTA: &str = "quota";

/// What is right to say of a board in one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Truth {
    /// PASS, and nothing else.
    Pass,
    /// Anything but PASS, with one of these exit codes and, where any are named, one of these codes.
    Not {
        /// Exit codes.
        exits: Vec<u8>,
        /// Stable codes.
        codes: Vec<&'static str>,
    },
    /// PASS if the board bears it out, else one of these exit codes: what is wrong shows itself now and then.
    Open {
        /// Exit codes.
        exits: Vec<u8>,
    },
    /// The records refuse it with this code.
    Refused(&'static str),
    /// Refused for the job's quota, or else this.
    QuotaOr(Box<Truth>),
    /// No attempt at all: nothing tells the station that a board is there.
    Nothing,
}

impl fmt::Display for Truth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |exits: &[u8]| {
            let exits: Vec<String> = exits.iter().map(u8::to_string).collect();
            exits.join(" or ")
        };
        match self {
            Truth::Pass => f.write_str("PASS"),
            Truth::Not { exits, codes } if codes.is_empty() => {
                write!(f, "not PASS (exit {})", list(exits))
            }
            Truth::Not { exits, codes } => {
                write!(f, "not PASS (exit {}) [{}]", list(exits), codes.join(", "))
            }
            Truth::Open { exits } => write!(f, "PASS where proven, else exit {}", list(exits)),
            Truth::Refused(code) => write!(f, "refused [{code}]"),
            Truth::QuotaOr(truth) => write!(f, "{truth}, or refused [{QUOTA}]"),
            Truth::Nothing => f.write_str("no attempt"),
        }
    }
}

/// What of the job decides what is right.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// A PASS does without a boot.
    pub boot_waived: bool,
    /// Bytes of others are preserved.
    pub preserves: bool,
    /// A unit that has passed is flashed again.
    pub flash_again: bool,
    /// Failed attempts after which a unit is refused.
    pub retry_limit: Option<u32>,
    /// Units that may pass.
    pub quota: Option<u64>,
    /// How the job ends on a sound board, where that is not PASS.
    pub sound: Option<(u8, String)>,
}

/// What the unit has behind it, by the verdicts it got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// It has passed.
    pub passed: bool,
    /// Attempts since then that failed after the unit was known.
    pub failed: u32,
    /// The job's quota is used up in the end, by others than this unit. When exactly depends on which site was first.
    pub quota_used: bool,
}

/// The exit codes of a board that stops answering in mid-job.
const GONE: [ExitCode; 1] = [ExitCode::LinkLost];

fn numbers(exits: &[ExitCode]) -> Vec<u8> {
    exits.iter().map(|exit| exit.number()).collect()
}

fn not(exits: &[ExitCode], codes: &[&'static str]) -> Truth {
    Truth::Not {
        exits: numbers(exits),
        codes: codes.to_vec(),
    }
}

impl Truth {
    /// What is right to say of `unit` in an attempt in which its mishap `struck`. `wanted` is what the bit that may be bad
    /// is to be, where that is known.
    pub fn of(
        unit: &VirtualUnit,
        struck: bool,
        wanted: Option<bool>,
        history: History,
        rules: &Rules,
    ) -> Truth {
        let board = Self::of_board(unit, struck, wanted, rules);
        let is_met = matches!(board, Truth::Pass | Truth::Open { .. } | Truth::Not { .. })
            && !unit.is_silent()
            && !struck;
        if history.passed && !rules.flash_again && is_met && !unit.is_another_chip() {
            return Truth::Refused("passed-before");
        }
        let is_worn = rules
            .retry_limit
            .is_some_and(|limit| history.failed >= limit);
        if is_worn && is_met && !unit.is_another_chip() {
            return Truth::Refused("retry-limit");
        }
        let board = match (board, &rules.sound) {
            (Truth::Pass, Some((exit, _))) => Truth::Not {
                exits: vec![*exit],
                codes: Vec::new(),
            },
            (board, _) => board,
        };
        if history.quota_used && is_met {
            return Truth::QuotaOr(Box::new(board));
        }
        board
    }

    fn of_board(unit: &VirtualUnit, struck: bool, wanted: Option<bool>, rules: &Rules) -> Truth {
        use ExitCode::{
            BootNotProven, Differs, EraseFailed, LinkLost, NotBlank, ProgramFailed, ReadFailed,
            WrongDevice,
        };
        match unit.defect {
            Defect::Good | Defect::OlderContent | Defect::InsertedAgain => Truth::Pass,
            Defect::ForeignContent if rules.preserves || unit.foreign.is_none() => Truth::Pass,
            Defect::ForeignContent => not(&[NotBlank], &["shared-sector"]),
            // a unit's own data may want the very bit
            Defect::StuckBit if wanted == Some(true) => Truth::Pass,
            Defect::StuckBit => not(&[ProgramFailed, Differs], &[]),
            Defect::WeakErase if wanted == Some(false) => Truth::Pass,
            Defect::WeakErase => not(&[EraseFailed], &["erase-incomplete"]),
            Defect::FlakyBit => Truth::Open {
                exits: numbers(&[
                    EraseFailed,
                    ProgramFailed,
                    Differs,
                    ReadFailed,
                    BootNotProven,
                ]),
            },
            Defect::WrongPart => not(&[WrongDevice], &["flash-part"]),
            Defect::WrongChip => not(&[WrongDevice], &["chip-rom"]),
            Defect::SerialDownloader if rules.boot_waived => Truth::Open {
                exits: numbers(&[WrongDevice]),
            },
            Defect::SerialDownloader => not(
                &[BootNotProven, WrongDevice],
                &["strapped-serial-downloader", "wrong-board-boot-mode"],
            ),
            Defect::PortClosed | Defect::NoContact => not(&[LinkLost], &["target-no-answer"]),
            Defect::NoPower => Truth::Nothing,
            Defect::PoorContact => Truth::Open {
                exits: numbers(&[LinkLost]),
            },
            Defect::ContactLost | Defect::ProbePulled | Defect::PowerLost if struck => {
                not(&GONE, &[])
            }
            Defect::ContactLost | Defect::ProbePulled | Defect::PowerLost => Truth::Pass,
        }
    }

    /// Whether this truth lets `shown` be; if not, why.
    ///
    /// # Errors
    /// What is wrong with the verdict, in words.
    pub fn allows(&self, shown: &Shown) -> Result<(), String> {
        let verdict = &shown.verdict;
        let passed = verdict.verdict == VerdictKind::Pass;
        let code = verdict.code.as_deref().unwrap_or_default();
        let says = format!(
            "the verdict is {} (exit {}) [{code}]",
            verdict.verdict.name(),
            verdict.exit
        );
        let agrees = match self {
            Truth::Pass => passed,
            Truth::Not { exits, codes } => {
                !passed
                    && exits.contains(&verdict.exit)
                    && (codes.is_empty() || codes.contains(&code))
            }
            Truth::Open { exits } => passed || exits.contains(&verdict.exit),
            Truth::Refused(refusal) => verdict.verdict == VerdictKind::Refused && *refusal == code,
            Truth::QuotaOr(truth) => {
                (verdict.verdict == VerdictKind::Refused && code == QUOTA)
                    || truth.allows(shown).is_ok()
            }
            Truth::Nothing => false,
        };
        if agrees {
            Ok(())
        } else {
            Err(format!("{says}, right is: {self}"))
        }
    }
}

impl VirtualUnit {
    /// Nothing is ever heard of its chip.
    const fn is_silent(&self) -> bool {
        matches!(
            self.defect,
            Defect::PortClosed | Defect::NoContact | Defect::NoPower
        )
    }

    /// Its chip is known for another before its unique ID is asked for.
    const fn is_another_chip(&self) -> bool {
        matches!(self.defect, Defect::WrongChip)
    }
}

/// What a PASS needs of the board, whatever the script says of it.
///
/// # Errors
/// What is missing, in words.
pub fn bears_out(
    unit: &VirtualUnit,
    shown: &Shown,
    wanted: Option<&Wanted>,
    boots: bool,
    rules: &Rules,
) -> Result<(), String> {
    if shown.verdict.verdict != VerdictKind::Pass {
        return Ok(());
    }
    let Some(wanted) = wanted else {
        return Err("false PASS: the records do not say what the unit should hold".to_owned());
    };
    if let Some(at) = wanted.differs(&shown.held) {
        return Err(format!(
            "false PASS: the flash differs at offset 0x{at:06X}"
        ));
    }
    if let Some((at, bytes)) = &unit.foreign
        && let Some(at) = shown.held.differs(*at, bytes)
    {
        return Err(format!(
            "false PASS: bytes of others are lost at offset 0x{at:06X}"
        ));
    }
    if !boots && !rules.boot_waived {
        return Err("false PASS: the boot ROM does not start it".to_owned());
    }
    let uid = format!("{:016X}", unit.uid);
    if shown.verdict.uid.as_deref() != Some(&uid) {
        return Err(format!("the verdict names another chip than {uid}"));
    }
    Ok(())
}
