//! A program that is asked for a value of one unit.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use crate::clock::{Clock, Deadline, HostClock};
use crate::problem::{ExitCode, Problem};
use crate::unit::Program;

/// How often it is looked whether the program has ended.
const POLL: Duration = Duration::from_millis(5);
/// What it has printed before it ended is there at once, unless it left somebody who still holds its output.
const LAST_OUTPUT: Duration = Duration::from_secs(1);
/// More than any line needs.
const OUTPUT_LIMIT: u64 = 64 * 1024;
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
}

#[derive(Serialize)]
struct Facts<'k> {
    facts_version: u32,
    #[serde(flatten)]
    known: &'k Known<'k>,
}

/// Makes sure that a program with a path is there.
///
/// # Errors
/// `program-missing` (exit 13).
pub(super) fn require(rule: &str, program: &Program, directory: &Path) -> Result<(), Problem> {
    let path = path_of(program, directory);
    if path.components().count() > 1 && !path.is_file() {
        return Err(Problem::new(
            "program-missing",
            ExitCode::MalformedInput,
            format!(
                "the program of the rule `{rule}` is not there: {}",
                path.display()
            ),
        )
        .fix("check its name, which counts from the job file's directory"));
    }
    Ok(())
}

/// A name with a `/` is a path from the job file; any other is looked for by the system.
fn path_of(program: &Program, directory: &Path) -> PathBuf {
    let name = program.command.first().map_or("", String::as_str);
    if name.contains('/') {
        directory.join(name)
    } else {
        PathBuf::from(name)
    }
}

/// Runs the program, and gives the line that it prints.
///
/// # Errors
/// `program-start`, `program-refused`, `program-timeout`, `program-output` (exit 20).
pub(super) fn run(
    rule: &str,
    program: &Program,
    known: &Known<'_>,
    directory: &Path,
) -> Result<String, Problem> {
    let clock = HostClock::start();
    let deadline = Deadline::after(&clock, program.timeout());
    let failed = |code, what: &str, why: String| refused(code, rule, program, what, why);
    let facts = Facts {
        facts_version: FACTS_VERSION,
        known,
    };
    let facts = serde_json::to_string(&facts)
        .map_err(|error| failed("program-start", "cannot be asked", error.to_string()))?;
    let mut child = Command::new(path_of(program, directory))
        .args(program.command.get(1..).unwrap_or_default())
        .current_dir(directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed("program-start", "cannot be started", error.to_string()))?;
    if let Some(mut stdin) = child.stdin.take() {
        // a program that does not read must not stop us; neither must one that has ended
        thread::spawn(move || {
            stdin
                .write_all(facts.as_bytes())
                .and_then(|()| stdin.write_all(b"\n"))
        });
    }
    let printed = collected(child.stdout.take());
    let complained = collected(child.stderr.take());
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if deadline.is_over(&clock) => {
                end(&mut child);
                let why = format!("it had {} ms", program.timeout_ms);
                return Err(failed("program-timeout", "did not end in time", why));
            }
            Ok(None) => clock.sleep(POLL),
            Err(error) => {
                end(&mut child);
                return Err(failed(
                    "program-start",
                    "cannot be waited for",
                    error.to_string(),
                ));
            }
        }
    };
    let printed = printed.recv_timeout(LAST_OUTPUT);
    if !status.success() {
        let complained = complained.recv_timeout(LAST_OUTPUT).unwrap_or_default();
        let complained = String::from_utf8_lossy(&complained).into_owned();
        let last = complained
            .trim_end()
            .lines()
            .next_back()
            .unwrap_or_default();
        let why = if last.is_empty() {
            status.to_string()
        } else {
            format!("{status}: {last}")
        };
        return Err(failed("program-refused", "refuses the unit", why));
    }
    let wrong = |why: &str| failed("program-output", "did not print one line", why.to_owned());
    let printed = printed.map_err(|_| wrong("its output has not ended"))?;
    if printed.len() as u64 > OUTPUT_LIMIT {
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

fn end(child: &mut Child) {
    // it may have ended by itself meanwhile
    let _gone = child.kill();
    let _status = child.wait();
}

/// What is printed to `pipe`, once it is closed; a little more than the limit where there is too much.
fn collected(pipe: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let limited = pipe.by_ref().take(OUTPUT_LIMIT + 1);
            let mut limited = limited;
            let _count = limited.read_to_end(&mut bytes);
        }
        // nobody waits any longer where the program was too slow
        let _sent = sender.send(bytes);
    });
    receiver
}
