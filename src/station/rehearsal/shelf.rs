//! The boards that are in no site: each with what it keeps without power, and since when it can be taken up.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::kept::Kept;
use super::script::Visit;

/// How long a site that has nothing to do lets the host rest before it looks again.
const REST: Duration = Duration::from_millis(20);

/// All boards of a rehearsal, shared by its sites.
pub struct Shelf {
    inner: Mutex<Inner>,
    changed: Condvar,
}

struct Inner {
    units: Vec<Slot>,
    sites_at_work: usize,
}

#[derive(Default)]
struct Slot {
    /// Insertions that have ended.
    visits: u32,
    /// When the last of them did.
    free_at: Duration,
    /// Nothing before the first.
    kept: Option<Kept>,
}

impl Shelf {
    /// So many boards as they come from their factory, for so many sites.
    pub fn new(units: usize, sites: usize) -> Self {
        Shelf {
            inner: Mutex::new(Inner {
                units: std::iter::repeat_with(Slot::default).take(units).collect(),
                sites_at_work: sites,
            }),
            changed: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The board of `visit`, and since when it can be had; none while it is at another site that it must visit before.
    pub fn take(&self, visit: &Visit) -> Option<(Duration, Option<Kept>)> {
        let mut inner = self.lock();
        let slot = inner.units.get_mut(visit.unit)?;
        (slot.visits == visit.of_unit).then(|| (slot.free_at, slot.kept.take()))
    }

    /// Puts it back.
    pub fn put_back(&self, visit: &Visit, free_at: Duration, kept: Kept) {
        let mut inner = self.lock();
        if let Some(slot) = inner.units.get_mut(visit.unit) {
            *slot = Slot {
                visits: visit.of_unit + 1,
                free_at,
                kept: Some(kept),
            };
        }
        self.changed.notify_all();
    }

    /// A site has made all its insertions. Says whether it was the last.
    pub fn site_is_done(&self) -> bool {
        let mut inner = self.lock();
        inner.sites_at_work = inner.sites_at_work.saturating_sub(1);
        inner.sites_at_work == 0
    }

    /// Lets the host rest until a board comes back, or a moment.
    pub fn rest(&self) {
        let inner = self.lock();
        // whether it was woken or not: the caller looks again
        drop(self.changed.wait_timeout(inner, REST));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_board_is_had_by_the_site_whose_turn_it_is() {
        let shelf = Shelf::new(1, 2);
        let visit = |of_unit| Visit {
            unit: 0,
            of_unit,
            not_before_s: 0.0,
        };
        assert!(shelf.take(&visit(1)).is_none(), "not before the first");
        assert!(
            shelf
                .take(&visit(0))
                .is_some_and(|(_, kept)| kept.is_none())
        );
        let at = Duration::from_secs(7);
        shelf.put_back(&visit(0), at, Kept::default());
        assert!(shelf.take(&visit(0)).is_none(), "not twice");
        let (free_at, kept) = shelf.take(&visit(1)).expect("its turn");
        assert_eq!((free_at, kept), (at, Some(Kept::default())));
        assert!(!shelf.site_is_done());
        assert!(shelf.site_is_done());
    }
}
