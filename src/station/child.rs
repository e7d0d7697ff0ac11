//! Another program as a child: what it gets, what it says, and that it has ended in time, with everything it has started.

use std::io::{self, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::clock::{Clock, Deadline, HostClock};

/// Between two looks whether it has ended.
const POLL: Duration = Duration::from_millis(5);
/// The most that a program may print, in bytes; of its complaints, so many of the last are kept.
pub const OUTPUT_LIMIT: usize = 64 * 1024;
/// What it has said before it ended is there at once, unless it left somebody who still holds its output.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A program that runs. Keys that end the station do not reach it: boards in work are finished first, and they may need it.
#[derive(Debug)]
pub struct Running {
    process: Child,
    /// Its standard output.
    pub printed: Said,
    /// Its standard error.
    pub complained: Said,
}

impl Running {
    /// Starts `command` with `input` and a line feed on its standard input.
    ///
    /// # Errors
    /// What the system says where it cannot be started.
    pub fn start(command: &mut Command, input: String) -> io::Result<Self> {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        if let Some(mut stdin) = process.stdin.take() {
            // a program need not read what it gets; one that reads slowly is waited for with everything else
            thread::spawn(move || {
                stdin
                    .write_all(input.as_bytes())
                    .and_then(|()| stdin.write_all(b"\n"))
            });
        }
        Ok(Running {
            printed: Said::by(process.stdout.take()),
            complained: Said::by(process.stderr.take()),
            process,
        })
    }

    /// Waits for its end; none where it took longer than `limit`, and was killed with everything that it had started. Time
    /// is the host's: no board takes part.
    ///
    /// # Errors
    /// What the system says where it cannot be waited for.
    pub fn wait(&mut self, limit: Duration) -> io::Result<Option<ExitStatus>> {
        let clock = HostClock::start();
        let deadline = Deadline::after(&clock, limit);
        loop {
            match self.process.try_wait() {
                Ok(None) if !deadline.is_over(&clock) => clock.sleep(POLL),
                Ok(None) => {
                    self.kill();
                    return Ok(None);
                }
                ended => return ended,
            }
        }
    }

    fn kill(&mut self) {
        // what has ended by itself meanwhile is not there to be killed
        #[cfg(unix)]
        let _ = rustix::process::kill_process_group(
            rustix::process::Pid::from_child(&self.process),
            rustix::process::Signal::KILL,
        );
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What a program says. All of it is taken, so that it never waits for a reader; the last of it is kept: more than
/// [`OUTPUT_LIMIT`] where there was more.
#[derive(Debug)]
pub struct Said {
    kept: Arc<Mutex<Vec<u8>>>,
    closed: Receiver<()>,
}

impl Said {
    fn by(pipe: Option<impl Read + Send + 'static>) -> Self {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let (close, closed) = mpsc::channel();
        if let Some(mut pipe) = pipe {
            let kept = Arc::clone(&kept);
            thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(count @ 1..) = pipe.read(&mut buffer) {
                    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                    kept.extend(buffer.iter().take(count));
                    if kept.len() > 2 * OUTPUT_LIMIT {
                        let too_much = kept.len() - OUTPUT_LIMIT - 1;
                        kept.drain(..too_much);
                    }
                }
                let _ = close.send(());
            });
        }
        Said { kept, closed }
    }

    /// All of it, where its end comes soon.
    pub fn to_the_end(&self) -> Option<Vec<u8>> {
        self.closed.recv_timeout(LAST_WORDS).ok()?;
        Some(self.so_far())
    }

    /// Its last line that is not empty, as far as it has come.
    pub fn last_line(&self) -> Option<String> {
        let _ = self.closed.recv_timeout(LAST_WORDS);
        let said = self.so_far();
        let said = String::from_utf8_lossy(&said);
        let line = said.lines().map(str::trim).rfind(|line| !line.is_empty());
        line.map(str::to_owned)
    }

    fn so_far(&self) -> Vec<u8> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clone()
    }
}

/// How a program ended that was not content: its status, and its last words.
pub fn in_words(status: ExitStatus, complained: &Said) -> String {
    match complained.last_line() {
        Some(line) => format!("{status}: {line}"),
        None => status.to_string(),
    }
}
