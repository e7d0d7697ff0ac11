//! The one place that decides what is tried again after an error of the wire, how often, and what it cost.

use std::time::Duration;

use super::error::{Doing, LinkError};
use super::fault::Fault;

/// How often an access is tried in all.
pub(super) const ATTEMPTS: u32 = 4;
/// How often a reset is made until the core is caught in the boot ROM.
pub(super) const CATCHES: u32 = 3;
/// Pause before an access that got WAIT is tried again: the core may wake up for its next interrupt.
pub(super) const WAIT_PAUSE: Duration = Duration::from_millis(10);

/// What the link did so far. Where the probe is virtual, the board knows the exact number of transactions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Block or word reads asked for.
    pub reads: u64,
    /// Words read.
    pub words_read: u64,
    /// Block or word writes asked for.
    pub writes: u64,
    /// Words written.
    pub words_written: u64,
    /// Accesses tried again after an error of the wire.
    pub retries: u64,
    /// Of those, accesses in which bits arrived wrong: whoever sent them was there.
    pub damaged: u64,
    /// Times the debug port was woken again.
    pub reattaches: u64,
}

/// A step to control of the core that was made again, or in another way than usual, and why: for the record. Accesses that
/// were repeated are in [`Counts`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// What was done.
    pub what: &'static str,
    /// What made it necessary.
    pub why: &'static str,
    /// How often.
    pub times: u64,
}

/// What was retried so far, each kind once.
#[derive(Clone, Debug, Default)]
pub(super) struct Retries(Vec<Retry>);

impl Retries {
    /// Notes one more.
    pub fn note(&mut self, what: &'static str, why: &'static str) {
        match self.0.iter_mut().find(|r| r.what == what && r.why == why) {
            Some(known) => known.times += 1,
            None => self.0.push(Retry {
                what,
                why,
                times: 1,
            }),
        }
    }

    /// All of them, in the order in which they were first seen.
    pub fn all(&self) -> &[Retry] {
        &self.0
    }
}

/// What to do about a failed attempt.
#[derive(Debug)]
pub(super) enum Verdict {
    /// Wake the port and try again.
    Again,
    /// Wake the port, give the core time, try again.
    AgainLater,
    /// Give up.
    Fail(LinkError),
}

/// Judges attempt number `attempt` (from 1) of an access that may be repeated: reads, and writes of plain memory.
///
/// `damaged` says whether the debug port itself saw a damaged write (CTRL/STAT.WDATAERR), which makes a refusal an
/// error of the wire and not of the address.
pub(super) fn judge(fault: Fault, damaged: bool, attempt: u32, doing: Doing) -> Verdict {
    let last = attempt >= ATTEMPTS;
    match fault {
        Fault::ProbeLost(reason) => Verdict::Fail(LinkError::ProbeLost { doing, reason }),
        Fault::Refused if !damaged => Verdict::Fail(LinkError::BusFault { doing }),
        Fault::Silent if last => Verdict::Fail(LinkError::TargetLost { doing }),
        Fault::Damaged | Fault::Refused if last => Verdict::Fail(LinkError::Noise {
            doing,
            attempts: attempt,
        }),
        Fault::Wait if last => Verdict::Fail(LinkError::Asleep { doing }),
        Fault::Silent | Fault::Damaged | Fault::Refused => Verdict::Again,
        Fault::Wait => Verdict::AgainLater,
        Fault::Timeout(reason) | Fault::Other(reason) => {
            Verdict::Fail(LinkError::Driver { doing, reason })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Address;

    const DOING: Doing = Doing::Reading {
        address: Address::new(0x2020_0000),
        words: 1,
    };

    #[test]
    fn errors_of_the_wire_are_tried_again_and_errors_of_the_address_are_not() {
        assert!(matches!(
            judge(Fault::Damaged, false, 1, DOING),
            Verdict::Again
        ));
        assert!(matches!(
            judge(Fault::Silent, false, 3, DOING),
            Verdict::Again
        ));
        assert!(matches!(
            judge(Fault::Refused, true, 1, DOING),
            Verdict::Again
        ));
        assert!(matches!(
            judge(Fault::Wait, false, 1, DOING),
            Verdict::AgainLater
        ));
        assert!(matches!(
            judge(Fault::Refused, false, 1, DOING),
            Verdict::Fail(LinkError::BusFault { .. })
        ));
        assert!(matches!(
            judge(Fault::ProbeLost(String::new()), false, 1, DOING),
            Verdict::Fail(LinkError::ProbeLost { .. })
        ));
    }

    #[test]
    fn the_last_attempt_says_what_was_wrong() {
        let last = |fault, damaged| judge(fault, damaged, ATTEMPTS, DOING);
        assert!(matches!(
            last(Fault::Damaged, false),
            Verdict::Fail(LinkError::Noise {
                attempts: ATTEMPTS,
                ..
            })
        ));
        assert!(matches!(
            last(Fault::Refused, true),
            Verdict::Fail(LinkError::Noise { .. })
        ));
        assert!(matches!(
            last(Fault::Silent, false),
            Verdict::Fail(LinkError::TargetLost { .. })
        ));
        assert!(matches!(
            last(Fault::Wait, false),
            Verdict::Fail(LinkError::Asleep { .. })
        ));
    }
}
