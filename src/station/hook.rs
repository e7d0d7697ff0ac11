//! `--hook COMMAND`: gets each attempt's record on its standard input, after the verdict.
//!
//! The command is started directly, without a shell: words between spaces, or a JSON array of strings where a word has
//! spaces itself. What a shell would do belongs into a script, which is then also the one process that a time-out ends.

use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::clock::{Clock, Deadline, HostClock};
use crate::problem::{ExitCode, Problem};

/// How long a hook may take, unless said otherwise.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Between two looks whether it has ended.
const PAUSE: Duration = Duration::from_millis(10);
/// The most that is kept of what it complains, in bytes.
const COMPLAINT_BYTES: u64 = 512;

/// A command that is given each record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    program: String,
    arguments: Vec<String>,
    timeout: Duration,
}

impl FromStr for Hook {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let refused = |why: String| {
            Problem::new("hook-command", ExitCode::Usage, "the hook is no command")
                .because(why)
                .fix("give a program and its arguments separated by spaces, or a JSON array of strings")
        };
        let words: Vec<String> = if text.trim_start().starts_with('[') {
            serde_json::from_str(text).map_err(|error| refused(error.to_string()))?
        } else {
            text.split_whitespace().map(str::to_owned).collect()
        };
        let mut words = words.into_iter();
        match words.next().filter(|program| !program.is_empty()) {
            Some(program) => Ok(Hook {
                program,
                arguments: words.collect(),
                timeout: TIMEOUT,
            }),
            None => Err(refused("it is empty".to_owned())),
        }
    }
}

/// How a hook ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookEnd {
    /// Its exit status; none where it was not started, or killed.
    pub status: Option<i32>,
    /// What went wrong; none for status 0.
    pub error: Option<String>,
    /// How long it took.
    pub took: Duration,
}

impl Hook {
    /// The same, killed after `timeout`.
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Hook { timeout, ..self }
    }

    /// The command in one line, for the record.
    pub fn command(&self) -> String {
        let words = std::iter::once(&self.program).chain(&self.arguments);
        let quoted = words.map(|word| {
            let is_plain = !word.is_empty() && !word.contains([' ', '\t', '\n', '"']);
            if is_plain {
                word.clone()
            } else {
                format!("{word:?}")
            }
        });
        quoted.collect::<Vec<_>>().join(" ")
    }

    /// Runs it with `record` on its standard input, and waits for its end. Time is the host's: no board takes part.
    pub fn run(&self, record: &str) -> HookEnd {
        let clock = HostClock::start();
        let ended = self.start(record).and_then(|(mut child, complaint)| {
            let status = wait(&mut child, &clock, self.timeout)?;
            judge(status, &complaint)
        });
        let (status, error) = match ended {
            Ok(()) => (Some(0), None),
            Err(Failed { status, why }) => (status, Some(why)),
        };
        HookEnd {
            status,
            error,
            took: clock.now(),
        }
    }

    fn start(&self, record: &str) -> Result<(Child, Complaint), Failed> {
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| Failed::not_run(format!("it cannot be started: {error}")))?;
        let complaint = Complaint::default();
        if let Some(mut stdin) = child.stdin.take() {
            let record = format!("{record}\n");
            // a hook need not read what it gets; one that reads slowly is waited for with everything else
            thread::spawn(move || stdin.write_all(record.as_bytes()));
        }
        if let Some(stderr) = child.stderr.take() {
            let complaint = complaint.clone();
            thread::spawn(move || complaint.collect(stderr));
        }
        Ok((child, complaint))
    }
}

/// What the hook writes to standard error, as far as it has come.
#[derive(Clone, Debug, Default)]
struct Complaint(Arc<Mutex<Vec<u8>>>);

impl Complaint {
    fn collect(&self, mut stderr: impl Read) {
        let mut buffer = [0; COMPLAINT_BYTES as usize];
        while let Ok(count @ 1..) = stderr.read(&mut buffer) {
            let mut text = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let room = (COMPLAINT_BYTES as usize).saturating_sub(text.len());
            text.extend(buffer.iter().take(count.min(room)));
        }
    }

    fn last_line(&self) -> Option<String> {
        let text = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&text);
        let line = text
            .lines()
            .rev()
            .map(str::trim)
            .find(|line| !line.is_empty());
        line.map(str::to_owned)
    }
}

struct Failed {
    status: Option<i32>,
    why: String,
}

impl Failed {
    fn not_run(why: String) -> Self {
        Failed { status: None, why }
    }
}

fn wait(child: &mut Child, clock: &dyn Clock, timeout: Duration) -> Result<ExitStatus, Failed> {
    let deadline = Deadline::after(clock, timeout);
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) if deadline.is_over(clock) => {
                let killed = child.kill().and_then(|()| child.wait());
                let how = match killed {
                    Ok(_) => "killed".to_owned(),
                    Err(error) => format!("could not be killed: {error}"),
                };
                let seconds = timeout.as_secs_f64();
                return Err(Failed::not_run(format!(
                    "not ended after {seconds} s, {how}"
                )));
            }
            Ok(None) => clock.sleep(PAUSE),
            Err(error) => return Err(Failed::not_run(error.to_string())),
        }
    }
}

fn judge(status: ExitStatus, complaint: &Complaint) -> Result<(), Failed> {
    if status.success() {
        return Ok(());
    }
    let why = match complaint.last_line() {
        Some(line) => format!("{status}: {line}"),
        None => status.to_string(),
    };
    Err(Failed {
        status: status.code(),
        why,
    })
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Hook {
        let words = serde_json::to_string(&["sh", "-c", script]).expect("json");
        words.parse().expect("hook")
    }

    #[test]
    fn a_hook_is_words_or_a_json_array() {
        let hook: Hook = "logger --tag  line".parse().expect("hook");
        assert_eq!(hook.command(), "logger --tag line");
        let hook: Hook = r#"["/opt/my hook", "x"]"#.parse().expect("hook");
        assert_eq!(hook.program, "/opt/my hook");
        assert_eq!(hook.command(), "\"/opt/my hook\" x");
        for wrong in ["", "  ", "[]", "[1]", "[\"\"]"] {
            assert_eq!(
                wrong.parse::<Hook>().expect_err(wrong).exit,
                ExitCode::Usage
            );
        }
    }

    #[test]
    fn the_record_is_on_its_standard_input() {
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join("record");
        let end = sh(&format!("cat > {}", file.display())).run("{\"a\":1}");
        assert_eq!((end.status, end.error), (Some(0), None));
        let record = std::fs::read_to_string(file).expect("file");
        assert_eq!(record, "{\"a\":1}\n");
    }

    #[test]
    fn a_hook_that_reads_nothing_ends_well_all_the_same() {
        let end = sh("exit 0").run(&"x".repeat(1 << 20));
        assert_eq!(end.error, None);
    }

    #[test]
    fn how_it_failed_is_told_with_its_last_words() {
        let end =
            sh("echo first >&2; echo the printer is out of labels >&2; sleep 0.05; exit 3").run("");
        assert_eq!(end.status, Some(3));
        let why = end.error.expect("error");
        assert!(why.contains("out of labels") && why.contains('3'), "{why}");
        let end = "/nowhere/hook".parse::<Hook>().expect("hook").run("");
        assert_eq!(end.status, None);
        assert!(end.error.expect("error").contains("cannot be started"));
    }

    #[test]
    fn one_that_hangs_is_killed() {
        let hook = sh("exec sleep 60").with_timeout(Duration::from_millis(100));
        let end = hook.run("");
        assert_eq!(end.status, None);
        assert!(end.error.expect("error").contains("killed"));
        assert!(end.took < Duration::from_secs(30));
    }
}
