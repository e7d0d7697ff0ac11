//! Ring arithmetic against queues that cannot be wrong.

use mailbox::layout::{
    self, PAYLOAD, PAYLOAD_SLOTS, PAYLOAD_STRIDE, REPLIES, REPLIES_BYTES, REPLY_MAX_BYTES,
    REQUEST_BYTES, REQUEST_SLOTS, REQUESTS, RESULT_BYTES, RESULT_SLOTS, RESULTS, reply_fits,
    reply_offset, reply_start,
};
use proptest::prelude::*;
use std::collections::VecDeque;

/// First numbers: anywhere, and often where a counter is about to wrap.
fn first_number() -> impl Strategy<Value = u32> {
    prop_oneof![any::<u32>(), (0u32..200).prop_map(|n| n.wrapping_neg())]
}

/// The slot rings: where number *n* lies, how large a slot is, how many there are, where the ring lies.
type Ring = (fn(u32) -> u32, u32, u32, u32);
const RINGS: [Ring; 3] = [
    (layout::request_slot, REQUEST_BYTES, REQUEST_SLOTS, REQUESTS),
    (layout::result_slot, RESULT_BYTES, RESULT_SLOTS, RESULTS),
    (layout::payload_slot, PAYLOAD_STRIDE, PAYLOAD_SLOTS, PAYLOAD),
];

proptest! {
    /// Puts while there is room and takes while there is something, in any order. The consumer finds in the slot what the
    /// queue has, and "how far" is a wrapping difference of the counters.
    #[test]
    fn slots_give_what_a_queue_gives(
        first in first_number(),
        ring in 0..RINGS.len(),
        steps in prop::collection::vec((any::<bool>(), 1u32..80), 1..60),
    ) {
        let (slot, bytes, slots, start) = RINGS[ring];
        let mut memory = vec![None; slots as usize];
        let mut queue = VecDeque::new();
        let (mut put, mut taken) = (first, first);
        for (puts, times) in steps {
            for _ in 0..times {
                let room = put.wrapping_sub(taken) < slots;
                prop_assert_eq!(room, queue.len() < slots as usize);
                if puts && room {
                    let offset = slot(put) - start;
                    prop_assert!(offset.is_multiple_of(bytes) && offset + bytes <= bytes * slots);
                    let place = &mut memory[(offset / bytes) as usize];
                    prop_assert_eq!(*place, None, "overwritten before it was taken");
                    *place = Some(put);
                    queue.push_back(put);
                    put = put.wrapping_add(1);
                } else if !puts && put != taken {
                    let place = &mut memory[((slot(taken) - start) / bytes) as usize];
                    prop_assert_eq!(place.take(), queue.pop_front());
                    taken = taken.wrapping_add(1);
                }
                prop_assert_eq!(put.wrapping_sub(taken) as usize, queue.len());
            }
        }
    }

    /// Replies of any length, padded to words, put while they fit and given back in order, as the target and the host do.
    #[test]
    fn replies_never_overlap_what_the_host_has_not_taken(
        first in prop_oneof![
            any::<u32>(),
            (0u32..3 * REPLIES_BYTES).prop_map(|n| n.wrapping_neg()),
        ],
        steps in prop::collection::vec(
            (prop::bool::weighted(0.7), prop_oneof![1u32..64, 1..=REPLY_MAX_BYTES, Just(REPLY_MAX_BYTES)]),
            1..200,
        ),
    ) {
        let first = first & !3;
        let (mut put, mut taken) = (first, first);
        // Ranges of the ring that are in use, oldest first, and the stream position that gives each back.
        let mut queue: VecDeque<(u32, u32, u32)> = VecDeque::new();
        for (puts, length) in steps {
            let padded = length.next_multiple_of(4);
            let start = reply_start(put, padded);
            let from = reply_offset(start) - REPLIES;
            prop_assert!(from + padded <= REPLIES_BYTES, "a reply never wraps");
            prop_assert!(start.is_multiple_of(4));
            prop_assert!(start == put || from == 0, "only the ring's start is jumped to");
            let fits = reply_fits(start, padded, taken);
            prop_assert!(fits || !queue.is_empty(), "an empty ring has room for any reply");
            if puts && fits {
                for (used, bytes, _) in &queue {
                    prop_assert!(from + padded <= *used || used + bytes <= from, "overwritten");
                }
                put = start.wrapping_add(padded);
                queue.push_back((from, padded, put));
            } else if let Some((_, _, end)) = queue.pop_front() {
                taken = end;
            }
            prop_assert!(put.wrapping_sub(taken) <= REPLIES_BYTES);
            // Room is refused only where the reply, with what is jumped over, is really longer than what is free.
            let used = put.wrapping_sub(taken);
            let next = reply_start(put, padded);
            let jumped = next.wrapping_sub(put);
            prop_assert_eq!(
                reply_fits(next, padded, taken),
                u64::from(used) + u64::from(jumped) + u64::from(padded) <= u64::from(REPLIES_BYTES)
            );
        }
    }
}
