//! `--hook COMMAND`: gets each attempt's record on its standard input, after the verdict.
//!
//! The command is started directly, without a shell: words between spaces, or a JSON array of strings where a word has
//! spaces itself. What a shell would do belongs into a script.

use std::process::Command;
use std::str::FromStr;
use std::time::Duration;

use super::child::{self, Running};
use crate::clock::{Clock, HostClock};
use crate::problem::{ExitCode, Problem};

/// How long a hook may take, unless said otherwise.
const TIMEOUT: Duration = Duration::from_secs(30);

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
        let ended = self.ended(record);
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

    fn ended(&self, record: &str) -> Result<(), Failed> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments);
        let mut running = Running::start(&mut command, record.to_owned())
            .map_err(|error| Failed::not_run(format!("it cannot be started: {error}")))?;
        let status = running
            .wait(self.timeout)
            .map_err(|error| Failed::not_run(error.to_string()))?;
        let status = status.ok_or_else(|| {
            let seconds = self.timeout.as_secs_f64();
            Failed::not_run(format!("not ended after {seconds} s, killed"))
        })?;
        match status.success() {
            true => Ok(()),
            false => Err(Failed {
                status: status.code(),
                why: child::in_words(status, &running.complained),
            }),
        }
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
        let end = sh("echo first >&2; echo the printer is out of labels >&2; exit 3").run("");
        assert_eq!(end.status, Some(3));
        let why = end.error.expect("error");
        assert!(why.contains("out of labels") && why.contains('3'), "{why}");
        let end = "/nowhere/hook".parse::<Hook>().expect("hook").run("");
        assert_eq!(end.status, None);
        assert!(end.error.expect("error").contains("cannot be started"));
    }

    #[test]
    fn one_that_hangs_is_killed() {
        let folder = tempfile::tempdir().expect("folder");
        let late = folder.path().join("late");
        // neither does a program live on that it has started
        let script = format!("(sleep 0.5; touch {0}) & sleep 60", late.display());
        let hook = sh(&script).with_timeout(Duration::from_millis(100));
        let end = hook.run("");
        assert_eq!(end.status, None);
        assert!(end.error.expect("error").contains("killed"));
        assert!(end.took < Duration::from_secs(30));
        HostClock::start().sleep(Duration::from_secs(1));
        assert!(!late.exists(), "what the hook had started lives on");
    }

    #[test]
    fn what_it_says_never_stops_it() {
        let much = "yes a long complaint | head -c 1000000 >&2; yes | head -c 1000000";
        assert_eq!(sh(much).run("").error, None);
        let why = sh(&format!("{much}; echo >&2; echo at last >&2; exit 1")).run("");
        assert!(why.error.expect("error").ends_with(": at last"));
    }
}
