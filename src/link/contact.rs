//! Contact check: a known pattern through RAM and back at rising clocks, and the judgement which clock is clean.
//!
//! An error of the wire counts even where the link mended it, so a contact is not called clean because repetition helped.
//! The clocks rise from one that a poor contact stands, with a short pattern each; the clock that is asked for gets the
//! long one. Where one is not clean, the long pattern goes down from there until a clock is.

use std::fmt;

use crate::address::Address;

use super::Link;
use super::error::LinkError;

/// Where the check begins, unless less is asked for, in kHz. Each clock is twice the one before.
const FIRST_KHZ: u32 = 1_000;
/// Words each way on the way up. A clock that is dirty but seems clean here is found by the long pattern.
const SHORT_WORDS: u32 = 32;
/// Words each way at a clock that is to be used: 1 KiB.
const LONG_WORDS: u32 = 256;

/// How the pattern fared at one clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trial {
    /// SWCLK in kHz.
    pub khz: u32,
    /// Words written, and as many read.
    pub words: u32,
    /// Words that came back wrong.
    pub wrong_words: u32,
    /// Accesses that the link had to repeat.
    pub retries: u64,
    /// Not even repetition helped: the words were not all moved.
    pub gave_up: bool,
}

impl Trial {
    /// Not one error, mended or not.
    pub const fn is_clean(&self) -> bool {
        self.wrong_words == 0 && self.retries == 0 && !self.gave_up
    }

    const fn is_long(&self) -> bool {
        self.words == LONG_WORDS
    }
}

impl fmt::Display for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.words * 4;
        write!(f, "{} kHz: {bytes} bytes each way, ", self.khz)?;
        match self {
            _ if self.is_clean() => write!(f, "clean"),
            Trial { gave_up: true, .. } => write!(f, "given up"),
            Trial {
                wrong_words,
                retries,
                ..
            } => write!(f, "{retries} repetitions, {wrong_words} words wrong"),
        }
    }
}

/// What a contact check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contact {
    trials: Vec<Trial>,
}

impl Contact {
    /// The trials in the order in which they were made.
    pub fn trials(&self) -> &[Trial] {
        &self.trials
    }

    /// The fastest clock that is clean, in kHz; none where not even the slowest is.
    pub fn clean_khz(&self) -> Option<u32> {
        let last = self.trials.last()?;
        (last.is_clean() && last.is_long()).then_some(last.khz)
    }

    /// Clock and words of the next trial on the way to `asked_khz`; none where the judgement is made.
    fn next(&self, asked_khz: u32) -> Option<(u32, u32)> {
        let words = |khz| {
            if khz == asked_khz {
                LONG_WORDS
            } else {
                SHORT_WORDS
            }
        };
        let Some(last) = self.trials.last() else {
            let khz = first_khz(asked_khz);
            return Some((khz, words(khz)));
        };
        let is_rising = self.trials.iter().all(Trial::is_clean);
        if !is_rising {
            return if last.is_clean() {
                None
            } else {
                Some((slower(last.khz, asked_khz)?, LONG_WORDS))
            };
        }
        let khz = last.khz.saturating_mul(2).min(asked_khz);
        (!last.is_long()).then(|| (khz, words(khz)))
    }
}

/// The clock at which a check for `asked_khz` begins.
pub fn first_khz(asked_khz: u32) -> u32 {
    FIRST_KHZ.min(asked_khz)
}

/// The next slower clock of the check for `asked_khz`.
fn slower(khz: u32, asked_khz: u32) -> Option<u32> {
    let clocks = std::iter::successors(Some(first_khz(asked_khz)), |khz| khz.checked_mul(2));
    clocks.take_while(|slower| *slower < khz).last()
}

/// Word `n` of the pattern in the check's trial number `turn`: in turn a walking one, a walking zero, noise, and all bits
/// alike, all of it inverted in every other turn, so that no word is what the turn before left there.
fn word(n: u32, turn: u32) -> u32 {
    let walk = 1_u32.rotate_left(n / 4);
    let word = match n % 4 {
        0 => walk,
        1 => !walk,
        // Knuth's multiplicative hash: bits without a pattern
        2 => (n + 1).wrapping_mul(0x9E37_79B1),
        _ if (n / 4).is_multiple_of(2) => 0,
        _ => u32::MAX,
    };
    if turn.is_multiple_of(2) { word } else { !word }
}

/// Checks the contact up to `asked_khz`, through RAM at `ram` that nobody uses (1 KiB, core halted). The probe clocks at
/// [`first_khz`] before, and afterwards at [`Contact::clean_khz`] or, without one, at the slowest clock tried.
///
/// # Errors
/// The probe is lost or does not set a clock; the target does not answer at a clock that is clean or the slowest.
pub fn check_contact(
    link: &mut (dyn Link + '_),
    ram: Address,
    asked_khz: u32,
) -> Result<Contact, LinkError> {
    let mut contact = Contact::default();
    let mut set_khz = first_khz(asked_khz);
    while let Some((khz, words)) = contact.next(asked_khz) {
        if khz != set_khz {
            link.set_speed_khz(khz)?;
            set_khz = khz;
        }
        if contact.trials.last().is_some_and(|last| !last.is_clean()) {
            // whatever the port took the disturbed bits for
            link.reattach()?;
        }
        let turn = contact.trials.len() as u32;
        contact
            .trials
            .push(try_pattern(link, ram, khz, words, turn)?);
    }
    Ok(contact)
}

fn try_pattern(
    link: &mut (dyn Link + '_),
    ram: Address,
    khz: u32,
    words: u32,
    turn: u32,
) -> Result<Trial, LinkError> {
    let before = link.counts().retries;
    let pattern: Vec<u32> = (0..words).map(|n| word(n, turn)).collect();
    let mut back = vec![0; pattern.len()];
    let moved = link
        .write(ram, &pattern)
        .and_then(|()| link.read(ram, &mut back));
    let gave_up = match moved {
        Ok(()) => false,
        Err(error @ LinkError::ProbeLost { .. }) => return Err(error),
        Err(error) => {
            tracing::debug!("contact at {khz} kHz: {error}");
            true
        }
    };
    let wrong = pattern.iter().zip(&back).filter(|(sent, got)| sent != got);
    Ok(Trial {
        khz,
        words,
        wrong_words: if gave_up { 0 } else { wrong.count() as u32 },
        retries: link.counts().retries - before,
        gave_up,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a check finds where every clock from `dirty_khz` on is dirty, and short patterns show it if `shows`.
    fn found(asked_khz: u32, dirty_khz: u32, shows: bool) -> Contact {
        let mut contact = Contact::default();
        while let Some((khz, words)) = contact.next(asked_khz) {
            let is_dirty = khz >= dirty_khz && (shows || words == LONG_WORDS);
            contact.trials.push(Trial {
                khz,
                words,
                wrong_words: 0,
                retries: is_dirty.into(),
                gave_up: false,
            });
            assert!(contact.trials.len() < 20, "{contact:?}");
        }
        contact
    }

    fn clocks(contact: &Contact) -> Vec<u32> {
        contact.trials().iter().map(|trial| trial.khz).collect()
    }

    #[test]
    fn clocks_rise_to_the_one_asked_for_which_alone_gets_the_long_pattern() {
        let contact = found(15_000, u32::MAX, true);
        assert_eq!(clocks(&contact), [1000, 2000, 4000, 8000, 15_000]);
        let long: Vec<bool> = contact.trials().iter().map(Trial::is_long).collect();
        assert_eq!(long, [false, false, false, false, true]);
        assert_eq!(contact.clean_khz(), Some(15_000));
        assert_eq!(clocks(&found(4000, u32::MAX, true)), [1000, 2000, 4000]);
    }

    #[test]
    fn a_clock_slower_than_the_first_is_the_only_one() {
        for asked in [10, 999, 1000] {
            let contact = found(asked, u32::MAX, true);
            assert_eq!(clocks(&contact), [asked]);
            assert_eq!(contact.clean_khz(), Some(asked));
            assert_eq!(found(asked, 0, true).clean_khz(), None);
        }
    }

    #[test]
    fn behind_a_dirty_clock_the_next_slower_one_is_proven_and_no_faster_one_tried() {
        let contact = found(15_000, 3000, true);
        assert_eq!(clocks(&contact), [1000, 2000, 4000, 2000]);
        assert_eq!(contact.clean_khz(), Some(2000));
    }

    #[test]
    fn what_only_the_long_pattern_shows_leads_down_to_a_clock_that_stands_it() {
        let contact = found(15_000, 2000, false);
        let tried = [1000, 2000, 4000, 8000, 15_000, 8000, 4000, 2000, 1000];
        assert_eq!(clocks(&contact), tried);
        assert_eq!(contact.clean_khz(), Some(1000));
    }

    #[test]
    fn where_the_slowest_is_dirty_none_is_clean() {
        for shows in [true, false] {
            assert_eq!(found(15_000, 0, shows).clean_khz(), None);
        }
        assert_eq!(Contact::default().clean_khz(), None);
    }

    #[test]
    fn mended_errors_wrong_words_and_giving_up_are_all_dirty() {
        let clean = Trial {
            khz: 1000,
            words: LONG_WORDS,
            wrong_words: 0,
            retries: 0,
            gave_up: false,
        };
        assert!(clean.is_clean());
        let dirty = [
            Trial {
                retries: 1,
                ..clean
            },
            Trial {
                wrong_words: 1,
                ..clean
            },
            Trial {
                gave_up: true,
                ..clean
            },
        ];
        assert!(dirty.iter().all(|trial| !trial.is_clean()));
    }

    #[test]
    fn the_pattern_moves_every_line_and_repeats_nothing_of_the_turn_before() {
        for words in [SHORT_WORDS, LONG_WORDS] {
            let pattern = |turn| (0..words).map(move |n| word(n, turn));
            assert!(pattern(0).zip(pattern(1)).all(|(a, b)| a != b));
            assert_eq!(pattern(0).fold(0, |all, word| all | word), u32::MAX);
            assert_eq!(pattern(0).fold(u32::MAX, |all, word| all & word), 0);
            assert!(pattern(0).any(|word| word == 0) && pattern(0).any(|word| word == u32::MAX));
        }
        for bit in 0..u32::BITS {
            let walks = (0..LONG_WORDS).any(|n| word(n, 0) == 1 << bit);
            assert!(walks, "bit {bit} does not walk alone");
        }
    }
}
