//! Why a board is not the one the target describes, and how the user is told.

use crate::link::LinkError;
use crate::problem::{ExitCode, Problem};
use crate::target::{FlashPart, Known};

/// The survey ended without an identified board.
#[derive(Debug, thiserror::Error)]
pub enum SurveyError {
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
    /// Nothing answers on the flash's pins.
    #[error("no flash part answers: the JEDEC ID reads {}", hex(found))]
    NoFlash {
        /// The answer to 9Fh.
        found: [u8; 3],
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
    /// The link.
    #[error(transparent)]
    Link(#[from] LinkError),
}

impl From<SurveyError> for Problem {
    fn from(error: SurveyError) -> Problem {
        let what = error.to_string();
        let wrong = |code, fix: &str| Problem::new(code, ExitCode::WrongDevice, &what).fix(fix);
        match error {
            SurveyError::OtherCore { .. } => wrong("chip-core", "choose the target of this board"),
            SurveyError::OtherRom { .. } => wrong("chip-rom", "choose the target of this board"),
            SurveyError::NoFlash { .. } => wrong(
                "flash-none",
                "check power and soldering of the flash, and that it is on the primary FlexSPI pins",
            )
            .because("all lines stay at one level during the identification"),
            SurveyError::OtherFlash { found, .. } => other_flash(found, &what),
            SurveyError::OtherSize { .. } => wrong("flash-size", "choose the target with the part that is fitted")
                .because("the JEDEC ID fits, the size in the part's SFDP does not: a relabelled or newer part"),
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
    let problem = Problem::new("flash-part", ExitCode::WrongDevice, what);
    if let Some(name) = FlashPart::builtin_by(found) {
        let fix = format!(
            "if this is the right board: --flash {}",
            name.to_ascii_lowercase()
        );
        return problem.fix(fix);
    }
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

fn hex(bytes: &[u8; 3]) -> String {
    let [a, b, c] = bytes;
    format!("{a:02X} {b:02X} {c:02X}")
}
