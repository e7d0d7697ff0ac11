//! Host and target side by side in every interleaving, with every stale read that the rules of PROTOCOL.md leave open.
//!
//! The rings are the real ones. A scenario begins where something can go wrong (a ring full, a counter before it wraps), so
//! that a few steps of each side reach it. Two scenarios are too long to be explored whole: there [`MOST_PREEMPTIONS`] bounds
//! how often a side is interrupted between two accesses, beyond its own waits; which of the possible values a read gives is
//! never bounded.

#![allow(clippy::expect_used, reason = "a panic is how a test fails")]

mod area;
mod mistakes;
mod scenarios;
mod sides;

use mailbox::layout::REPLIES_BYTES;
use scenarios::{
    a_fault, a_reply, a_request_slot_again, a_result_slot_again, a_start, payload,
    payload_slot_again,
};
use sides::Mistake;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const MOST_PREEMPTIONS: Option<usize> = Some(3);

/// First numbers of a scenario: in the middle of their range, and such that the counters wrap on the way.
const NUMBERS: [u32; 3] = [64, u32::MAX - 15, u32::MAX];

/// Runs a scenario in every interleaving with so many preemptions at most.
fn explore(most_preemptions: Option<usize>, scenario: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = most_preemptions;
    model.max_branches = 10_000;
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = runs.clone();
    model.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        scenario();
    });
    let runs = runs.load(Ordering::Relaxed);
    println!("{runs} interleavings");
    assert!(runs > 10, "{runs} interleavings only: nothing was explored");
}

#[test]
fn a_result_is_overwritten_only_after_it_was_collected() {
    for first in NUMBERS {
        explore(None, move || a_result_slot_again(first, Mistake::None));
    }
}

#[test]
fn a_request_is_overwritten_only_after_it_was_taken() {
    for first in NUMBERS {
        explore(None, move || a_request_slot_again(first, Mistake::None));
    }
}

#[test]
fn chunks_and_the_request_about_them_arrive_whole_and_once() {
    for first in [64, u32::MAX] {
        explore(MOST_PREEMPTIONS, move || payload(first, Mistake::None));
    }
}

#[test]
fn a_chunk_is_overwritten_only_after_it_was_taken() {
    for first in NUMBERS {
        explore(None, move || payload_slot_again(first, Mistake::None));
    }
}

#[test]
fn a_reply_is_overwritten_only_after_it_was_read() {
    // The next reply follows at once, or skips the word that is left before the ring's end.
    for (taken, left) in [
        (5 * REPLIES_BYTES, 0),
        (5 * REPLIES_BYTES, 4),
        (0u32.wrapping_sub(REPLIES_BYTES), 0),
        (0u32.wrapping_sub(REPLIES_BYTES), 4),
    ] {
        explore(None, move || a_reply(taken, left, Mistake::None));
    }
}

#[test]
fn a_fault_is_whole_and_stands_before_its_result_counts() {
    for first in [64, u32::MAX] {
        explore(MOST_PREEMPTIONS, move || a_fault(first, Mistake::None));
    }
}

#[test]
fn nothing_of_an_earlier_session_is_seen_once_the_session_is_up() {
    explore(None, || a_start(Mistake::None));
}
