//! Watches a job for the operator: phases, and progress as often as eyes can follow.

use std::time::Duration;

use super::event::What;
use super::shared::Shared;
use super::unit_run::Now;
use super::worker::Tell;
use crate::clock::{Clock, HostClock};
use crate::job::Observer;

/// Between two events on progress: the operator's view is drawn no more often.
const PROGRESS_PAUSE: Duration = Duration::from_millis(100);

/// Tells everybody how far a job is.
pub struct Watcher<'w> {
    shared: &'w Shared<'w>,
    tell: &'w Tell<'w>,
    now: Now<'w>,
    /// Of the operator, so the host's.
    clock: HostClock,
    last: Option<Duration>,
}

impl<'w> Watcher<'w> {
    /// Nothing was told yet.
    pub fn new(shared: &'w Shared<'w>, tell: &'w Tell<'w>, now: Now<'w>) -> Self {
        Watcher {
            shared,
            tell,
            now,
            clock: HostClock::start(),
            last: None,
        }
    }
}

impl Observer for Watcher<'_> {
    fn phase(&mut self, name: &'static str) {
        self.last = None;
        self.tell.at((self.now)(), What::Phase { phase: name });
    }

    fn progress(&mut self, done_bytes: u64, total_bytes: u64) {
        let now = self.clock.now();
        let is_due = self
            .last
            .is_none_or(|last| now.saturating_sub(last) >= PROGRESS_PAUSE);
        if is_due {
            self.last = Some(now);
            let what = What::Progress {
                done_bytes,
                total_bytes,
            };
            self.tell.at((self.now)(), what);
        }
    }

    fn note(&mut self, text: &str) {
        tracing::info!("{text}");
    }

    fn is_cancelled(&self) -> bool {
        self.shared.is_cancelled()
    }
}
