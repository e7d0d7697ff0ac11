//! A counter driven by a clock in virtual time: it is read lazily and keeps its count when the clock changes or stops.

use crate::time::Time;

const PS_PER_SECOND: u128 = 1_000_000_000_000;

/// A free-running count of ticks of `hertz / divider`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ticker {
    ticks: u64,
    since: Time,
    hertz: u64,
    divider: u64,
}

impl Ticker {
    /// The count at `now`.
    pub fn at(&self, now: Time) -> u64 {
        if self.hertz == 0 || self.divider == 0 {
            return self.ticks;
        }
        let elapsed = u128::from(now.saturating_sub(self.since).as_ps());
        let ticks = elapsed * u128::from(self.hertz) / (PS_PER_SECOND * u128::from(self.divider));
        self.ticks.saturating_add(ticks as u64)
    }

    /// Changes the clock; `hertz` 0 stops the count. The fraction of the current tick is lost.
    pub fn set_clock(&mut self, now: Time, hertz: u64, divider: u64) {
        if (hertz, divider) == (self.hertz, self.divider) {
            return;
        }
        self.ticks = self.at(now);
        self.since = now;
        self.hertz = hertz;
        self.divider = divider;
    }

    /// Sets the count.
    pub fn set(&mut self, now: Time, ticks: u64) {
        self.ticks = ticks;
        self.since = now;
    }

    /// Whether the clock runs.
    pub fn running(&self) -> bool {
        self.hertz != 0 && self.divider != 0
    }

    /// The first instant at which the count is `ticks` or more; `None` for a stopped clock.
    pub fn when(&self, ticks: u64) -> Option<Time> {
        if ticks <= self.ticks {
            return Some(self.since);
        }
        if !self.running() {
            return None;
        }
        let wanted = u128::from(ticks - self.ticks) * PS_PER_SECOND * u128::from(self.divider);
        let ps = wanted.div_ceil(u128::from(self.hertz));
        Some(self.since + Time::ps(ps as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_24_mhz_tick_is_counted_exactly() {
        let mut t = Ticker::default();
        t.set_clock(Time::ZERO, 24_000_000, 1);
        assert_eq!(t.at(Time::us(1)), 24);
        let when = t.when(24).unwrap();
        assert_eq!(t.at(when), 24);
        assert_eq!(t.at(Time::ps(when.as_ps() - 1)), 23);
    }

    #[test]
    fn a_stopped_clock_keeps_the_count() {
        let mut t = Ticker::default();
        t.set_clock(Time::ZERO, 1_000_000, 1);
        t.set_clock(Time::us(5), 0, 1);
        assert_eq!(t.at(Time::ms(5)), 5);
        assert_eq!(t.when(6), None);
    }
}
