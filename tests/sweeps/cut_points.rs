//! One job on the desk, recorded for its cuts.

use rtflash::job::Request;
use target_side::cuts::{Cut, Kept, every_cut};
use virtual_board::nor::operation::Operation;

use crate::desk::{Desk, Done};

/// A job's operations, and what the flash held before the first of them and after the last.
pub struct Recorded {
    pub before: Kept,
    pub after: Kept,
    pub operations: Vec<Operation>,
    pub done: Done,
}

impl Recorded {
    /// Runs a job to its end and records it. Nothing beyond `extent` may change.
    pub fn new(desk: &Desk, request: &Request, extent: usize) -> Self {
        let before = desk.nor(|nor| {
            nor.recorder.start();
            Kept::of(nor, extent)
        });
        let done = desk.flash(request);
        let operations = desk.nor(|nor| nor.recorder.take());
        for operation in &operations {
            let end = operation.area().map_or(0, |(start, length)| start + length);
            assert!(end as usize <= extent, "{operation:?} is beyond the extent");
        }
        Recorded {
            before,
            after: desk.nor(|nor| Kept::of(nor, extent)),
            operations,
            done,
        }
    }

    /// Hands every cut to `each`.
    pub fn every_cut(&self, tears: u64, each: impl FnMut(Cut<'_>)) {
        let now = every_cut(&self.before, &self.operations, tears, each);
        assert!(now == self.after, "what was replayed is what happened");
    }
}
