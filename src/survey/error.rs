//! Why a board is not the one the target describes, and how the user is told.

use super::chip::UniqueId;
use crate::link::LinkError;
use crate::problem::{ExitCode, Problem};
use crate::target::{FlashPart, Known};

/// The survey ended without an identified board.
#[derive(Debug, thiserror::Error)]
pub enum SurveyError {
    /// The debug port or its access port is another one.
    #[error(
        "the debug port is not the one of {chip}: {register} reads {found:#010x}, not {expected:#010x}"
    )]
    OtherPort {
        /// Chip of the target.
        chip: String,
        /// `DPIDR` or `AP IDR`.
        register: &'static str,
        /// What it reads.
        found: u32,
        /// What it reads on the target.
        expected: u32,
    },
    /// The core is another one.
    #[error("the core is not the one of {chip}: CPUID reads {found:#010x}, not {expected:#010x}")]
    OtherCore {
        /// Chip of the target.
        chip: String,
        /// CPUID.
        found: u32,
        /// CPUID of the target.
        expected: u32,
    },
    /// The boot ROM is another one.
    #[error(
        "the boot ROM is not the one of {chip}: its mark reads {found:#010x}, not {expected:#010x}"
    )]
    OtherRom {
        /// Chip of the target.
        chip: String,
        /// The word read.
        found: u32,
        /// The word of the target.
        expected: u32,
    },
    /// The unique ID is none.
    #[error(
        "the chip's unique ID reads {found}; expected one that is neither all zeros nor all ones"
    )]
    NoUniqueId {
        /// What the fuses read.
        found: UniqueId,
    },
    /// Nothing answers on the flash's pins.
    #[error(
        "no flash part answers: the JEDEC ID reads {}; expected {expected}",
        hex(found)
    )]
    NoFlash {
        /// The answer to 9Fh.
        found: [u8; 3],
        /// What should answer.
        expected: String,
    },
    /// Another flash part.
    #[error("found {}; expected {part} ({})", found_part(found), hex(expected))]
    OtherFlash {
        /// Flash part of the target.
        part: String,
        /// The answer to 9Fh.
        found: [u8; 3],
        /// The answer of the target's part.
        expected: [u8; 3],
    },
    /// The part's own tables give another size.
    #[error("the flash part says it has {found} bytes, and {part} has {expected}")]
    OtherSize {
        /// Flash part of the target.
        part: String,
        /// Size by SFDP in bytes.
        found: u64,
        /// Size of the target's part in bytes.
        expected: u32,
    },
    /// The part's own tables are missing or damaged, and its data sheet promises them.
    #[error("the flash part's SFDP cannot be read: {found}; expected {expected} of {part}")]
    Sfdp {
        /// Flash part with this JEDEC ID.
        part: String,
        /// What it has.
        found: String,
        /// What it should have.
        expected: String,
    },
    /// There is no data for the part that is fitted.
    #[error("found {}", found_part(found))]
    UnknownFlash {
        /// The answer to 9Fh.
        found: [u8; 3],
    },
    /// Several parts answer so.
    #[error("the flash part's ID {} and its size fit {}", hex(found), names.join(" and "))]
    AmbiguousFlash {
        /// The answer to 9Fh.
        found: [u8; 3],
        /// Their names.
        names: Vec<String>,
    },
    /// The link.
    #[error(transparent)]
    Link(#[from] LinkError),
}

const CHECK_BOARD: &str =
    "check which board is connected: rtflash has data for the i.MX RT1062 only";

impl From<SurveyError> for Problem {
    fn from(error: SurveyError) -> Problem {
        let what = error.to_string();
        let wrong = |code, fix: &str| Problem::new(code, ExitCode::WrongDevice, &what).fix(fix);
        match error {
            SurveyError::OtherPort { .. } => wrong("chip-debug-port", CHECK_BOARD),
            SurveyError::OtherCore { .. } => wrong("chip-core", CHECK_BOARD),
            SurveyError::OtherRom { .. } => wrong("chip-rom", CHECK_BOARD),
            SurveyError::NoUniqueId { .. } => wrong(
                "chip-uid",
                "check that this is the right board; what is kept for a board is kept by its unique ID",
            )
            .because("NXP gives every chip one; without it the fuses were not read, or the chip is another one"),
            SurveyError::NoFlash { .. } => wrong(
                "flash-none",
                "check power and soldering of the flash, and that it is on the primary FlexSPI pins",
            )
            .because("all lines stay at one level during the identification"),
            SurveyError::OtherFlash { found, .. } => other_flash(found, &what),
            SurveyError::OtherSize { .. } => wrong("flash-size", "choose the target with the part that is fitted")
                .because("the JEDEC ID fits, the size in the part's SFDP does not: a relabelled or newer part"),
            SurveyError::Sfdp { .. } => wrong(
                "flash-sfdp",
                "check the soldering of the flash's pins; where another part is fitted, choose the target with that part",
            )
            .because("the JEDEC ID fits, and the tables that the part's data sheet promises are missing or damaged"),
            SurveyError::UnknownFlash { found } => unknown_flash("flash-unknown", found, &what),
            SurveyError::AmbiguousFlash { .. } => {
                wrong("flash-ambiguous", "read the part's name from its case and choose it with --flash")
            }
            SurveyError::Link(error) => error.into(),
        }
    }
}

/// A part by its name, its ID, and whether anything more is known of it. An ID alone never stands for data.
fn found_part(id: &[u8; 3]) -> String {
    match (FlashPart::builtin_by(*id), Known::by(*id)) {
        (Some(name), _) => format!("{name} ({})", hex(id)),
        (None, Some(known)) => format!(
            "{} ({}), which rtflash has no data for",
            known.name,
            hex(id)
        ),
        (None, None) => format!("an unknown flash part ({})", hex(id)),
    }
}

fn other_flash(found: [u8; 3], what: &str) -> Problem {
    if let Some(name) = FlashPart::builtin_by(found) {
        let fix = format!(
            "if this is the right board: --flash {}",
            name.to_ascii_lowercase()
        );
        return Problem::new("flash-part", ExitCode::WrongDevice, what).fix(fix);
    }
    unknown_flash("flash-part", found, what)
}

fn unknown_flash(code: &'static str, found: [u8; 3], what: &str) -> Problem {
    let problem = Problem::new(code, ExitCode::WrongDevice, what);
    let too_large = Known::by(found).filter(|known| known.size_bytes > FlashPart::LARGEST_BYTES);
    let problem = match too_large {
        Some(known) => problem.because(format!(
            "it has {} MiB, and the boot ROM reads with 3-byte addresses: what lies beyond 16 MiB cannot be booted",
            known.size_bytes >> 20
        )),
        None => problem.because("commands, times and dummy clocks of a part are never guessed"),
    };
    let names: Vec<String> = FlashPart::names().map(str::to_ascii_lowercase).collect();
    problem.fix(format!(
        "check that this is the right board; parts that rtflash has data for: {}",
        names.join(", ")
    ))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    let bytes: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    bytes.join(" ")
}
