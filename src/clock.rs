//! Time as the job sees it: the only place that reads a clock or sleeps, so that a virtual board can be the clock.

use std::time::{Duration, Instant};

use jiff::Timestamp;

/// A monotonic clock that can also wait. For a virtual probe the board itself is the clock.
pub trait Clock {
    /// Time since the clock was started.
    fn now(&self) -> Duration;

    /// Waits for at least `span`.
    fn sleep(&self, span: Duration);
}

/// The host's own clock, for real probes.
#[derive(Clone, Copy, Debug)]
pub struct HostClock {
    started: Instant,
}

impl HostClock {
    /// Starts counting now.
    pub fn start() -> Self {
        HostClock {
            started: Instant::now(),
        }
    }
}

impl Clock for HostClock {
    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    fn sleep(&self, span: Duration) {
        std::thread::sleep(span);
    }
}

/// The time of day. It may be set, forwards and backwards: nothing may be ordered by it.
pub trait Calendar: Send {
    /// The time of day.
    fn now(&self) -> Timestamp;
}

/// The host's own time of day.
#[derive(Clone, Copy, Debug)]
pub struct HostCalendar;

impl Calendar for HostCalendar {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// A point in time after which waiting has failed. Its span comes from the part's or the chip's maxima.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Duration);

impl Deadline {
    /// `span` from now.
    pub fn after(clock: &dyn Clock, span: Duration) -> Self {
        Deadline(clock.now().saturating_add(span))
    }

    /// Whether the point has been passed.
    pub fn is_over(self, clock: &dyn Clock) -> bool {
        clock.now() >= self.0
    }
}
