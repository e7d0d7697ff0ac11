//! Progress for people: a bar on a terminal, plain lines otherwise; both on stderr.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::interrupt;
use crate::job::Observer;

/// Plain output says how far it is at every such part of the whole.
const PLAIN_STEPS: u64 = 4;
/// Plain output says so often that what is under way goes on.
const PLAIN_WAIT: Duration = Duration::from_secs(5);
/// Where only time tells how far it is.
const WAITING: &str = "{msg}";
const TEMPLATE: &str = "{msg:<12} [{wide_bar}] {bytes}/{total_bytes}";

/// Shows the phases of a job and how far they are.
pub struct Progress {
    bar: Option<ProgressBar>,
    phase: &'static str,
    shown: u64,
    waits: bool,
    wait_shown: Duration,
}

impl Progress {
    /// A bar where stderr is a terminal.
    pub fn new() -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        Progress {
            bar,
            phase: "",
            shown: 0,
            waits: false,
            wait_shown: Duration::ZERO,
        }
    }

    fn style(&self, template: &str) {
        if let Some(bar) = &self.bar
            && let Ok(style) = ProgressStyle::with_template(template)
        {
            bar.set_style(style);
        }
    }

    /// Takes the bar away before the report is printed.
    pub fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

/// A line on stderr; a closed stderr is nobody's loss.
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

impl Observer for Progress {
    fn phase(&mut self, name: &'static str) {
        self.phase = name;
        self.shown = 0;
        self.wait_shown = Duration::ZERO;
        if std::mem::take(&mut self.waits) {
            self.style(TEMPLATE);
        }
        match &self.bar {
            Some(bar) => {
                bar.set_message(name);
                bar.set_position(0);
            }
            None => say(name),
        }
    }

    fn progress(&mut self, done_bytes: u64, total_bytes: u64) {
        if let Some(bar) = &self.bar {
            bar.set_length(total_bytes);
            bar.set_position(done_bytes);
            return;
        }
        let step = done_bytes * PLAIN_STEPS / total_bytes.max(1);
        if step > self.shown {
            self.shown = step;
            say(&format!("{} {done_bytes}/{total_bytes} bytes", self.phase));
        }
    }

    fn waiting(&mut self, elapsed: Duration, typical: Duration, longest: Duration) {
        let text = format!(
            "{}: {} s, usually {} s, {} s at most",
            self.phase,
            elapsed.as_secs(),
            typical.as_secs(),
            longest.as_secs()
        );
        if let Some(bar) = &self.bar {
            if !std::mem::replace(&mut self.waits, true) {
                self.style(WAITING);
            }
            bar.set_message(text);
        } else if elapsed >= self.wait_shown + PLAIN_WAIT {
            self.wait_shown = elapsed;
            say(&text);
        }
    }

    fn note(&mut self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => say(text),
        }
    }

    fn is_cancelled(&self) -> bool {
        interrupt::is_asked()
    }
}
