//! The table of causes, in the order in which a board comes to life: what stands above hides what stands below.
//!
//! Within a stage the order is that of how often the cause is reported for boards that were programmed over SWD and do
//! not boot: a missing FCB or IVT before everything else.

/// How far a board has come when a cause stops it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// The host has no probe that it can use.
    Probe,
    /// Nothing, or nothing reliable, comes over the wire.
    Wire,
    /// It is not the chip that was expected.
    Chip,
    /// The boot ROM does not look at the flash, or does not find the part.
    BootSource,
    /// The boot ROM does not accept what the flash holds.
    Header,
    /// What the boot ROM starts cannot run.
    Image,
    /// The bootloader starts, and not its application.
    Slot,
    /// It does not go on running, or not by itself.
    Running,
    /// It works, and is not what was asked for.
    Wanted,
}

/// A stage with its codes; one that ends in a dash stands for all codes that begin so.
type Row = (Stage, &'static [&'static str]);

const TABLE: &[Row] = &[
    (
        Stage::Probe,
        &[
            "probe-none",
            "probe-not-found",
            "probe-several",
            "probe-permission",
            "probe-busy",
            "probe-open",
            "probe-",
        ],
    ),
    (
        Stage::Wire,
        &[
            "target-unpowered",
            "swd-pins-off",
            "target-no-answer",
            "contact-poor",
            "wire-noise",
            "target-asleep",
            "target-",
            "core-not-halted",
            "core-register",
            "rom-not-caught",
            "link-driver",
        ],
    ),
    (Stage::Chip, &["chip-"]),
    (
        Stage::BootSource,
        &[
            "reset-not-seen",
            "strapped-serial-downloader",
            "boot-fuses-not-set",
            "boot-mode-reserved",
            "boot-device",
            "boot-config",
            "flash-none",
            "flash-part",
            "flash-size",
        ],
    ),
    (
        Stage::Header,
        &[
            "flash-blank",
            "flash-interrupted",
            "bootloader-missing",
            "first-block-erased",
            "vector-table-at-start",
            "maybe-encrypted",
            "fcb-missing",
            "fcb-wrong-place",
            "ivt-missing",
            "qe-clear",
            "fcb-",
            "ivt-",
            "boot-data-",
            "dcd-",
            "csf-",
            "entry-",
            "plugin",
            "part-closed",
            "signature-refused",
            "boot-header",
            "partial-image",
            "rom-refused",
            "boot-not-seen",
        ],
    ),
    (
        Stage::Image,
        &[
            "stack-pointer",
            "stack-pointer-",
            "reset-not-thumb",
            "reset-outside",
            "vector-table-alignment",
            "entry-fault",
            "other-code-runs",
            "asleep-without-bus",
        ],
    ),
    (
        Stage::Slot,
        &[
            "bootloader-without-application",
            "mcuboot-hash",
            "mcuboot-incomplete",
            "mcuboot-header",
            "mcuboot-second-slot",
            "mcuboot-linked-elsewhere",
            "mcuboot-",
            "slot-not-started",
        ],
    ),
    (
        Stage::Running,
        &[
            "image-crashed",
            "image-left",
            "core-locked-up",
            "reset-loop",
            "image-resets",
            "not-started-again",
            "debug-port-silent",
            "core-halted",
            "not-reset",
            "flash-unstable",
        ],
    ),
    (
        Stage::Wanted,
        &[
            "image-without-header",
            "image-half",
            "image-absent",
            "image-other",
            "image-differs",
        ],
    ),
];

/// What happened, not why.
const SYMPTOMS: &[&str] = &[
    "rom-refused",
    "boot-not-seen",
    "boot-header",
    "partial-image",
    "other-code-runs",
    "slot-not-started",
    "asleep-without-bus",
    "image-crashed",
    "image-left",
    "entry-fault",
    "core-locked-up",
    "rom-not-caught",
    "not-reset",
];

/// The rows that can be the reason for a symptom, by the stages from the first to the last.
const EXPLAINED: &[(&str, Stage, Stage)] = &[
    ("rom-refused", Stage::BootSource, Stage::Image),
    ("boot-not-seen", Stage::BootSource, Stage::Image),
    ("boot-header", Stage::Header, Stage::Image),
    ("partial-image", Stage::Header, Stage::Header),
    ("other-code-runs", Stage::BootSource, Stage::Slot),
    ("slot-not-started", Stage::Slot, Stage::Slot),
    ("image-crashed", Stage::Image, Stage::Slot),
    ("image-left", Stage::Image, Stage::Slot),
    ("entry-fault", Stage::Header, Stage::Image),
    ("core-locked-up", Stage::BootSource, Stage::Running),
    ("rom-not-caught", Stage::Wire, Stage::Chip),
    ("not-reset", Stage::Running, Stage::Running),
];

/// What the first says already: without a first block, FCB and IVT are missing as well.
const IMPLIED: &[(&str, &[&str])] = &[
    ("flash-blank", &["fcb-missing", "ivt-missing"]),
    ("first-block-erased", &["fcb-missing", "ivt-missing"]),
    ("bootloader-missing", &["fcb-missing", "ivt-missing"]),
    ("flash-interrupted", &["fcb-missing"]),
];

/// Whether `first` says what `code` says, and more.
pub(super) fn implies(first: &str, code: &str) -> bool {
    IMPLIED
        .iter()
        .any(|(name, codes)| *name == first && codes.contains(&code))
}

/// Whether `code` names what happened, and not why.
pub(super) fn is_symptom(code: &str) -> bool {
    SYMPTOMS.contains(&code)
}

/// Whether what `code` names can be the reason for `symptom`. A note on how a file is linked together is none.
pub(super) fn explains(code: &str, symptom: &str) -> bool {
    code != symptom
        && EXPLAINED
            .iter()
            .filter(|(name, ..)| *name == symptom)
            .any(|(_, first, last)| (*first..=*last).contains(&stage_of(code)))
}

/// Where `code` stands in the table. A code that is not in it is a rule of the image, which stands behind those that are.
pub(super) fn place_of(code: &str) -> usize {
    let all = || {
        TABLE
            .iter()
            .flat_map(|(stage, codes)| codes.iter().map(|code| (*stage, *code)))
    };
    let exact = all().position(|(_, listed)| listed == code);
    let begun = || all().position(|(_, listed)| listed.ends_with('-') && code.starts_with(listed));
    let behind_images = || all().take_while(|(stage, _)| *stage <= UNKNOWN).count();
    exact.or_else(begun).unwrap_or_else(behind_images)
}

/// The stage in which `code` stops a board.
pub(super) fn stage_of(code: &str) -> Stage {
    let listed = |row: &&Row, exact: bool| {
        row.1.iter().any(|listed| {
            if exact {
                *listed == code
            } else {
                listed.ends_with('-') && code.starts_with(listed)
            }
        })
    };
    TABLE
        .iter()
        .find(|row| listed(row, true))
        .or_else(|| TABLE.iter().find(|row| listed(row, false)))
        .map_or(UNKNOWN, |(stage, _)| *stage)
}

/// Codes that the table does not name come from the rules for images.
const UNKNOWN: Stage = Stage::Image;
