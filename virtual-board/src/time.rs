//! Virtual time: an instant since power-on or a span, in picoseconds.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};
use std::time::Duration;

/// An instant (since the virtual board was made) or a span of virtual time, in picoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(u64);

const PS_PER_SECOND: u64 = 1_000_000_000_000;

impl Time {
    /// The instant the board was made, or an empty span.
    pub const ZERO: Time = Time(0);

    /// From picoseconds.
    pub const fn ps(ps: u64) -> Self {
        Time(ps)
    }
    /// From nanoseconds.
    pub const fn ns(ns: u64) -> Self {
        Time(ns * 1_000)
    }
    /// From microseconds.
    pub const fn us(us: u64) -> Self {
        Time(us * 1_000_000)
    }
    /// From milliseconds.
    pub const fn ms(ms: u64) -> Self {
        Time(ms * 1_000_000_000)
    }
    /// The span of `cycles` periods of a clock of `hertz` (rounded down; zero for a stopped clock).
    pub const fn cycles(cycles: u64, hertz: u64) -> Self {
        if hertz == 0 {
            return Time::ZERO;
        }
        // wide division only where it is needed: this is asked for every access
        match cycles.checked_mul(PS_PER_SECOND) {
            Some(product) => Time(product / hertz),
            None => Time((cycles as u128 * PS_PER_SECOND as u128 / hertz as u128) as u64),
        }
    }
    /// In picoseconds.
    pub const fn as_ps(self) -> u64 {
        self.0
    }
    /// In microseconds, rounded down.
    pub const fn as_us(self) -> u64 {
        self.0 / 1_000_000
    }
    /// `self - other`, or zero where `other` is later.
    pub const fn saturating_sub(self, other: Time) -> Time {
        Time(self.0.saturating_sub(other.0))
    }
}

impl Add for Time {
    type Output = Time;
    fn add(self, rhs: Time) -> Time {
        Time(self.0 + rhs.0)
    }
}

impl AddAssign for Time {
    fn add_assign(&mut self, rhs: Time) {
        self.0 += rhs.0;
    }
}

impl Sub for Time {
    type Output = Time;
    fn sub(self, rhs: Time) -> Time {
        Time(self.0 - rhs.0)
    }
}

impl From<Duration> for Time {
    fn from(d: Duration) -> Time {
        Time((d.as_nanos() * 1_000) as u64)
    }
}

impl From<Time> for Duration {
    fn from(t: Time) -> Duration {
        Duration::from_nanos(t.0 / 1_000)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6} s", self.0 as f64 / 1e12)
    }
}
