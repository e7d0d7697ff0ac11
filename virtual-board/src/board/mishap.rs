//! What befalls a board while it is worked on, as data: the next one is told beforehand, and happens by itself.

use super::Board;

/// Something that happens once the work has come so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// The probe's cable is pulled before the transaction with this number, as [`Board::transactions`] counts them.
    Unplugged {
        /// The transaction.
        transaction: u64,
    },
    /// The power fails before the first transaction that finds so many page programs taken, as [`crate::nor::Counters`]
    /// counts them: the last of them may still be under way.
    PowerLost {
        /// Page programs.
        programs: u64,
        /// Draws what becomes of an operation that is torn, and of the RAM.
        seed: u64,
    },
}

impl Board {
    /// What will happen next; none where all goes well.
    pub fn set_mishap(&mut self, mishap: Option<Mishap>) {
        self.mishap = mishap;
    }

    /// The mishap that has not happened yet.
    pub fn mishap(&self) -> Option<Mishap> {
        self.mishap
    }

    /// Lets the mishap happen if it is its time.
    pub(super) fn befall(&mut self) {
        match self.mishap {
            Some(Mishap::Unplugged { transaction }) if self.transactions >= transaction => {
                self.mishap = None;
                self.set_plugged(false);
            }
            Some(Mishap::PowerLost { programs, seed }) if self.programs() >= programs => {
                self.mishap = None;
                self.chip.power_off(seed);
            }
            _ => {}
        }
    }

    fn programs(&self) -> u64 {
        self.chip.system.borrow().nor.counters().programs
    }
}
