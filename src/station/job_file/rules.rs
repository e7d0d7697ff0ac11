//! What a job file must keep to besides its format: values in their ranges, and nothing that contradicts itself.

use std::path::{Component, Path};

use regex::Regex;

use super::file::{JobBootProof, JobFile, JobHeaderPolicy, JobStart};
use super::identity::is_uid_pattern;
use super::text::JobText;
use crate::problem::Problem;
use crate::unit::{TableKey, Value};

/// Longest name and revision, in characters: they stand in every record and on the operator's view.
const LONGEST_NAME: usize = 64;
/// SWD clocks in kHz that a probe may be asked for.
const SPEEDS_KHZ: std::ops::RangeInclusive<u32> = 10..=50_000;
/// Times in ms that a boot may be given. With those of programs they keep an attempt well below the ten minutes after which
/// the records take a station that says nothing more for dead.
const BOOT_MS: std::ops::RangeInclusive<u32> = 10..=120_000;
/// Time in ms that all programs of a unit may take together.
const PROGRAMS_MS: u64 = 120_000;

/// What a scanned code must look like.
#[derive(Clone, Debug)]
pub struct BarcodePattern(Regex);

impl BarcodePattern {
    /// Whether the whole of `code` fits.
    pub fn fits(&self, code: &str) -> bool {
        self.0.is_match(code)
    }
}

/// Checks all rules that need no other file; gives the barcode's pattern, where there is one.
///
/// # Errors
/// Exit 13, with the line: `job-name`, `job-value`, `job-path`, `job-identity`, `job-proof-reason`, `job-barcode`,
/// `job-contradiction`.
pub fn check(job: &JobFile, text: &JobText) -> Result<Option<BarcodePattern>, Problem> {
    name_and_revision(job, text)?;
    files(job, text)?;
    identity(job, text)?;
    boot_header(job, text)?;
    boot(job, text)?;
    ranges(job, text)?;
    programs(job, text)?;
    scanned_data(job, text)?;
    barcode(job, text)
}

fn name_and_revision(job: &JobFile, text: &JobText) -> Result<(), Problem> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let begins_well = job.name.starts_with(|c: char| c.is_ascii_alphanumeric());
    if !begins_well || job.name.len() > LONGEST_NAME || !job.name.chars().all(is_plain) {
        return Err(text
            .refusal("job-name", "name", format!("{:?} is no name for a job", job.name))
            .because("quota, retry limit and records count by it, in databases, file names and reports")
            .fix(format!(
                "use 1 to {LONGEST_NAME} letters, digits, dots, underscores and dashes, with a letter or digit in front"
            )));
    }
    match &job.revision {
        Some(revision)
            if revision.trim().is_empty()
                || revision.chars().count() > LONGEST_NAME
                || revision.chars().any(char::is_control) =>
        {
            Err(text
                .refusal("job-value", "revision", "that is no revision")
                .because(format!("it is one line of 1 to {LONGEST_NAME} characters"))
                .fix("shorten it, or leave it out"))
        }
        _ => Ok(()),
    }
}

fn files(job: &JobFile, text: &JobText) -> Result<(), Problem> {
    if job.images.is_empty() {
        return Err(text
            .refusal("job-value", "image", "the job has no image")
            .fix("name a file under [[image]]"));
    }
    for input in text.inputs() {
        require_below(&input.name, &format!("{}.file", input.table), text)?;
    }
    Ok(())
}

/// A job is a folder that can be copied to a station, whatever system that runs: its files are in it.
fn require_below(name: &str, key: &str, text: &JobText) -> Result<(), Problem> {
    let is_below = Path::new(name)
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    let is_plain = !name.is_empty() && name != "-" && !name.contains(['\\', ':', '\0']);
    if is_below && is_plain && !name.ends_with('/') {
        return Ok(());
    }
    Err(text
        .refusal(
            "job-path",
            key,
            format!("{name:?} does not name a file in the job's folder"),
        )
        .because(
            "a job is a folder that is copied as a whole: its files lie beside the job file or below, and are named \
             from there with / between folders, without .. and \\",
        )
        .fix("copy the file into the job's folder and name it from there"))
}

fn identity(job: &JobFile, text: &JobText) -> Result<(), Problem> {
    let rules = &job.identity;
    let empty = [
        (
            "identity.unique_ids",
            rules.unique_ids.as_ref().map(Vec::len),
        ),
        (
            "identity.boot_modes",
            rules.boot_modes.as_ref().map(Vec::len),
        ),
        ("identity.security", rules.security.as_ref().map(Vec::len)),
    ];
    for (key, length) in empty {
        if length == Some(0) {
            return Err(text
                .refusal(
                    "job-identity",
                    key,
                    "the list is empty, which no board can fit",
                )
                .fix("name what is allowed, or leave the key out to allow all"));
        }
    }
    let patterns = rules.unique_ids.iter().flatten();
    for (number, pattern) in patterns.enumerate() {
        if !is_uid_pattern(pattern) {
            return Err(text
                .refusal(
                    "job-identity",
                    &format!("identity.unique_ids.{number}"),
                    format!("{pattern:?} can fit no unique ID"),
                )
                .because("a unique ID has 16 hexadecimal digits, as `rtflash info` prints it")
                .fix("write 16 characters: hexadecimal digits, or ? where any will do"));
        }
    }
    Ok(())
}

fn boot_header(job: &JobFile, text: &JobText) -> Result<(), Problem> {
    let header = &job.boot_header;
    let shapes = header.read_mode.is_some() || header.clock_mhz.is_some();
    let contradiction = if header.fcb.is_some() && shapes {
        "an FCB is given, and read_mode or clock_mhz shape a new one"
    } else if header.policy == JobHeaderPolicy::Keep && (header.fcb.is_some() || shapes) {
        "the board's header is to be kept, and fcb, read_mode or clock_mhz shape another"
    } else {
        return Ok(());
    };
    Err(text
        .refusal("job-contradiction", "boot_header", contradiction)
        .fix("leave out one or the other"))
}

fn boot(job: &JobFile, text: &JobText) -> Result<(), Problem> {
    let reason = job.boot.reason.as_deref().map(str::trim);
    match (job.boot.boot_proof, reason) {
        (JobBootProof::None, None | Some("")) => Err(text
            .refusal(
                "job-proof-reason",
                "boot",
                "the job does without the boot proof, and does not say why",
            )
            .because(
                "without it, a board that does not start is a PASS; the reason is put on record",
            )
            .fix("add reason = \"...\" below [boot], or leave boot_proof out")),
        (JobBootProof::Required, Some(_)) => Err(text
            .refusal(
                "job-contradiction",
                "boot.reason",
                "a reason to do without the boot proof, which is required",
            )
            .fix("leave the reason out, or say boot_proof = \"none\"")),
        _ => Ok(()),
    }
}

fn ranges(job: &JobFile, text: &JobText) -> Result<(), Problem> {
    let none = |key, what: String| {
        Err(text
            .refusal("job-value", key, what)
            .fix("correct the number, or leave the line out"))
    };
    if let Some(khz) = job.link.speed_khz
        && !SPEEDS_KHZ.contains(&khz)
    {
        let (first, last) = (SPEEDS_KHZ.start(), SPEEDS_KHZ.end());
        let what = format!("{khz} kHz is no SWD clock from {first} to {last} kHz");
        return none("link.speed_khz", what);
    }
    for (key, ms) in [
        ("boot.boot_timeout_ms", job.boot.boot_timeout_ms),
        ("boot.boot_watch_ms", job.boot.boot_watch_ms),
    ] {
        if let Some(ms) = ms.filter(|ms| !BOOT_MS.contains(ms)) {
            let (first, last) = (BOOT_MS.start(), BOOT_MS.end());
            return none(key, format!("{ms} ms is no time from {first} to {last} ms"));
        }
    }
    if job.unit.attempts == Some(0) {
        return none(
            "unit.attempts",
            "0 attempts: no unit could be flashed".into(),
        );
    }
    if job.unit.quota == Some(0) {
        return none("unit.quota", "a quota of 0: no unit could pass".into());
    }
    match job.unit.cycle_budget_s {
        Some(seconds) if !seconds.is_finite() || seconds <= 0.0 => none(
            "unit.cycle_budget_s",
            format!("{seconds} is no time that a unit may take"),
        ),
        _ => Ok(()),
    }
}

/// Nobody waits for ever at a site, nor do the records.
fn programs(job: &JobFile, text: &JobText) -> Result<(), Problem> {
    let mut all_ms = 0;
    for (number, rule) in job.data.iter().enumerate() {
        let Value::Program(program) = &rule.value else {
            continue;
        };
        all_ms += u64::from(program.timeout_ms);
        if all_ms > PROGRAMS_MS {
            return Err(text
                .refusal(
                    "job-value",
                    &format!("data.{number}.program.timeout_ms"),
                    format!("the programs of a unit may take {all_ms} ms, and {PROGRAMS_MS} at most are allowed"),
                )
                .because("the records take a station that says nothing for ten minutes for dead")
                .fix("give them less time"));
        }
    }
    Ok(())
}

/// Data that come from the scanned code need one.
fn scanned_data(job: &JobFile, text: &JobText) -> Result<(), Problem> {
    let is_scanned = |value: &Value| match value {
        Value::Barcode(_) => true,
        Value::Table(table) => table.key == TableKey::Barcode,
        _ => false,
    };
    let rule = job.data.iter().position(|rule| is_scanned(&rule.value));
    match rule {
        Some(number) if job.unit.start != JobStart::Barcode => Err(text
            .refusal(
                "job-contradiction",
                &format!("data.{number}"),
                "a unit's data come from its barcode, and units do not begin with one",
            )
            .fix("say start = \"barcode\" below [unit], and what the code looks like")),
        _ => Ok(()),
    }
}

fn barcode(job: &JobFile, text: &JobText) -> Result<Option<BarcodePattern>, Problem> {
    const KEY: &str = "unit.barcode";
    let refusal = |what: &str| text.refusal("job-barcode", KEY, what);
    let wanted = job.unit.start == JobStart::Barcode;
    let pattern = match &job.unit.barcode {
        None if wanted => {
            return Err(refusal(
                "units begin with a barcode, and no pattern says what it looks like",
            )
            .because("any code that is scanned by mistake would begin a unit")
            .fix("add a pattern below [unit], such as barcode = 'SN[0-9]{8}'"));
        }
        None => return Ok(None),
        Some(_) if !wanted => {
            return Err(refusal(
                "there is a pattern for barcodes, and units do not begin with one",
            )
            .fix("say start = \"barcode\", or leave the pattern out"));
        }
        Some(pattern) => pattern,
    };
    let not_understood = |error: regex::Error| {
        refusal("the pattern for barcodes is no regular expression")
            .because(
                error
                    .to_string()
                    .split_whitespace()
                    .collect::<Vec<_>>()
                    .join(" "),
            )
            .fix("correct it; '...' in place of \"...\" keeps TOML from reading its backslashes")
    };
    // by itself first, so that it cannot close the bracket that is put around it
    Regex::new(pattern).map_err(not_understood)?;
    let whole = Regex::new(&format!(r"\A(?:{pattern})\z")).map_err(not_understood)?;
    if whole.is_match("") {
        return Err(refusal("the pattern fits an empty code")
            .because("a key pressed by mistake would begin a unit")
            .fix("make it demand at least one character"));
    }
    Ok(Some(BarcodePattern(whole)))
}
