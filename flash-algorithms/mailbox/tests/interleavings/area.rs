//! The mailbox area as loom sees it: the words that change during a scenario are loom atomics, the others lie still.
//!
//! What each side's accesses are in the terms of the C11 model that loom explores:
//!
//! - **Core**: every access relaxed, the barrier a sequentially consistent fence. This is weaker than the Cortex-M7 with
//!   its DMB: the model may reorder whatever the code does not order.
//! - **Port** (the debugger's AHB-AP): one transfer after the other, each acknowledged before the next begins. So a read is
//!   an acquire, a write is a release, and the host has no barrier. This is weaker than the wire too, where a write has
//!   also reached memory before a later read of another word.
//!
//! What loom does not explore: a load that takes its value from a store of the future (load buffering), and so a store that
//! overtakes an earlier load. On the target that order comes from control dependencies: a counter that frees a slot moves
//! only after a comparison of what was read from it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use loom::sync::atomic::{AtomicU32, Ordering, fence};
use mailbox::Words;

/// The area before the two sides run: written by one thread, so nothing of it can be seen half.
#[derive(Default)]
pub struct Before(RefCell<BTreeMap<u32, u32>>);

impl Words for Before {
    fn load(&self, offset: u32) -> u32 {
        self.0.borrow().get(&offset).copied().unwrap_or_default()
    }
    fn store(&self, offset: u32, value: u32) {
        self.0.borrow_mut().insert(offset, value);
    }
}

struct Area {
    live: BTreeMap<u32, AtomicU32>,
    still: BTreeMap<u32, u32>,
}

impl Area {
    fn still(&self, offset: u32) -> u32 {
        self.still.get(&offset).copied().unwrap_or_default()
    }

    fn stays(&self, offset: u32, value: u32) {
        assert_eq!(
            self.still(offset),
            value,
            "the word at 0x{offset:X} changes and must be among the live ones"
        );
    }
}

/// The target's view.
#[derive(Clone)]
pub struct Core(Arc<Area>);

/// The host's view.
#[derive(Clone)]
pub struct Port(Arc<Area>);

/// Both views of an area in which the words of `live` change from now on.
pub fn area(before: Before, live: &[Range<u32>]) -> (Port, Core) {
    let offsets = live.iter().flat_map(|range| range.clone().step_by(4));
    let live = offsets.map(|offset| (offset, AtomicU32::new(before.load(offset))));
    let area = Arc::new(Area {
        live: live.collect(),
        still: before.0.into_inner(),
    });
    (Port(area.clone()), Core(area))
}

impl Words for Core {
    fn load(&self, offset: u32) -> u32 {
        match self.0.live.get(&offset) {
            Some(word) => word.load(Ordering::Relaxed),
            None => self.0.still(offset),
        }
    }
    fn store(&self, offset: u32, value: u32) {
        match self.0.live.get(&offset) {
            Some(word) => word.store(value, Ordering::Relaxed),
            None => self.0.stays(offset, value),
        }
    }
    fn order(&self) {
        fence(Ordering::SeqCst);
    }
}

impl Words for Port {
    fn load(&self, offset: u32) -> u32 {
        match self.0.live.get(&offset) {
            Some(word) => word.load(Ordering::Acquire),
            None => self.0.still(offset),
        }
    }
    fn store(&self, offset: u32, value: u32) {
        match self.0.live.get(&offset) {
            Some(word) => word.store(value, Ordering::Release),
            None => self.0.stays(offset, value),
        }
    }
    fn order(&self) {}
}
