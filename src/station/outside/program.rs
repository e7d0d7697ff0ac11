//! A program that is asked for a value of one unit.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use jiff::Timestamp;
use serde::Serialize;

use crate::image::FileHash;
use crate::problem::{ExitCode, Place, Problem};
use crate::station::child::{self, OUTPUT_LIMIT, Running};
use crate::unit::{Program, ProgramFile};

/// Version of what a program gets; grows when a field changes its meaning or goes away.
const FACTS_VERSION: u32 = 1;

/// What the program gets on its standard input.
#[derive(Serialize)]
pub(super) struct Known<'k> {
    /// Name of the job.
    pub job: &'k str,
    /// Name of the rule that asks.
    pub rule: &'k str,
    /// The chip's unique ID, 16 hexadecimal digits.
    pub uid: String,
    /// The unit's serial number as text.
    pub serial: Option<&'k str>,
    /// The scanned code.
    pub barcode: Option<&'k str>,
    /// The unit's numbers, by name of the series.
    pub numbers: BTreeMap<&'k str, u64>,
    /// Values that tables and earlier programs gave, by name of the rule.
    pub values: &'k BTreeMap<String, String>,
    /// The station's clock.
    pub now: Timestamp,
    /// Whether the board is a virtual one: nothing that is asked for now is ever used.
    pub rehearsal: bool,
}

#[derive(Serialize)]
struct Facts<'k> {
    facts_version: u32,
    #[serde(flatten)]
    known: &'k Known<'k>,
}

/// Makes sure that the program's files are the pinned ones, and that nothing else of the job's directory is run.
///
/// # Errors
/// `program-missing`, `program-hash`, `program-not-pinned` (exit 13).
pub(super) fn require(rule: &str, program: &Program, directory: &Path) -> Result<(), Problem> {
    for own in &program.files {
        is_the_pinned_one(rule, own, directory)?;
    }
    let mut words = program.command.iter().map(Path::new).enumerate();
    let not_pinned = words.find(|(place, word)| {
        let may_be_a_file = match place {
            0 => is_path(word),
            _ => directory.join(word).is_file(),
        };
        let is_pinned = || {
            program
                .files
                .iter()
                .any(|own| plain(&own.file) == plain(word))
        };
        may_be_a_file && !word.is_absolute() && !is_pinned()
    });
    let Some((_, word)) = not_pinned else {
        return Ok(());
    };
    let what = format!("the job does not pin {}, which is run", word.display());
    Err(of_rule("program-not-pinned", rule, what)
        .because("another program could take its place")
        .fix(format!(
            "add `files = [{{ file = \"{}\" }}]` to the program, and `rtflash job lock` writes its SHA-256",
            plain(word).display()
        )))
}

fn is_the_pinned_one(rule: &str, own: &ProgramFile, directory: &Path) -> Result<(), Problem> {
    let path = directory.join(&own.file);
    let place = || Place::in_file(path.clone(), None);
    let content = fs::read(&path).map_err(|error| {
        let what = "a file of the program cannot be read";
        of_rule("program-missing", rule, what.to_owned())
            .at(place())
            .because(error.to_string())
            .fix("check the name, which counts from the job file, and the file's permissions")
    })?;
    let found = FileHash::of(&content);
    if own.sha256 == Some(found) {
        return Ok(());
    }
    let pinned = own
        .sha256
        .map_or("nothing".to_owned(), |hash| hash.to_string());
    let what = "a file of the program is not the pinned one: its SHA-256 differs";
    Err(of_rule("program-hash", rule, what.to_owned())
        .at(place())
        .because(format!("it has {found}, the job says {pinned}"))
        .fix("put the released file in its place, or lock and sign the job again"))
}

fn of_rule(code: &'static str, rule: &str, what: String) -> Problem {
    Problem::new(
        code,
        ExitCode::MalformedInput,
        format!("{what} (rule `{rule}`)"),
    )
}

fn is_path(name: &Path) -> bool {
    name.components().count() > 1 || name.starts_with(".")
}

/// The path without `.` in it.
fn plain(path: &Path) -> PathBuf {
    let parts = path.components();
    parts.filter(|part| *part != Component::CurDir).collect()
}

/// A name with a `/` is a path from the job file; any other is looked for by the system.
fn path_of(program: &Program, directory: &Path) -> PathBuf {
    let name = program.command.first().map_or(Path::new(""), Path::new);
    match is_path(name) {
        true => directory.join(plain(name)),
        false => name.to_owned(),
    }
}

/// Runs the program, and gives the line that it prints.
///
/// # Errors
/// As [`require`], for files that were changed meanwhile; `program-start`, `program-refused`, `program-timeout`,
/// `program-output` (exit 20).
pub(super) fn run(
    rule: &str,
    program: &Program,
    known: &Known<'_>,
    directory: &Path,
) -> Result<String, Problem> {
    let failed = |code, what: &str, why: String| refused(code, rule, program, what, why);
    require(rule, program, directory)?;
    let facts = Facts {
        facts_version: FACTS_VERSION,
        known,
    };
    let facts = serde_json::to_string(&facts)
        .map_err(|error| failed("program-start", "cannot be asked", error.to_string()))?;
    let mut command = Command::new(path_of(program, directory));
    command
        .args(program.command.get(1..).unwrap_or_default())
        .current_dir(directory);
    let mut running = Running::start(&mut command, facts)
        .map_err(|error| failed("program-start", "cannot be started", error.to_string()))?;
    let status = running
        .wait(program.timeout())
        .map_err(|error| failed("program-start", "cannot be waited for", error.to_string()))?;
    let status = status.ok_or_else(|| {
        let why = format!("it had {} ms", program.timeout_ms);
        failed("program-timeout", "did not end in time", why)
    })?;
    if !status.success() {
        let why = child::in_words(status, &running.complained);
        return Err(failed("program-refused", "refuses the unit", why));
    }
    let wrong = |why: &str| failed("program-output", "did not print one line", why.to_owned());
    let printed = running.printed.to_the_end();
    let printed = printed.ok_or_else(|| wrong("its output has not ended"))?;
    if printed.len() > OUTPUT_LIMIT {
        return Err(wrong("it printed more than 64 KiB"));
    }
    let text =
        String::from_utf8(printed).map_err(|_| wrong("it printed something that is no text"))?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() || line.contains(['\n', '\r']) {
        return Err(wrong(if line.is_empty() {
            "it printed nothing"
        } else {
            "it printed several"
        }));
    }
    Ok(line.to_owned())
}

/// A line that the rule does not take.
pub(super) fn unusable(rule: &str, program: &Program, why: String) -> Problem {
    refused(
        "program-output",
        rule,
        program,
        "printed what cannot be used",
        why,
    )
}

fn refused(code: &'static str, rule: &str, program: &Program, what: &str, why: String) -> Problem {
    let name = program.command.first().map_or("", String::as_str);
    Problem::new(
        code,
        ExitCode::Refused,
        format!("the program `{name}` for the unit's data `{rule}` {what}"),
    )
    .because(why)
    .fix("nothing on the board was changed; find out why the program does so, and start the unit again")
}
