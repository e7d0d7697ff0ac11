//! Ring arithmetic against a queue that cannot be wrong.

use mailbox::layout::{REPLIES_BYTES, REPLY_MAX_BYTES, reply_fits, reply_offset, reply_start};
use std::collections::VecDeque;

/// Replies of many lengths through the ring; the model keeps which bytes are in use.
#[test]
fn replies_never_overlap_what_the_host_has_not_taken() {
    // Start near the end of the counters: they may wrap.
    let mut put = 0u32.wrapping_sub(3 * REPLIES_BYTES);
    let mut taken = put;
    let mut waiting: VecDeque<(u32, u32)> = VecDeque::new();
    let mut in_use = vec![false; REPLIES_BYTES as usize];
    let mut x = 12345u32;
    let mut passed = 0;
    for _ in 0..20_000 {
        x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let length = (x >> 8) % REPLY_MAX_BYTES / 4 * 4 + 4;
        let start = reply_start(put, length);
        assert!(
            reply_offset(start) - reply_offset(0) + length <= REPLIES_BYTES,
            "a reply never wraps"
        );
        if reply_fits(start, length, taken) {
            let from = (reply_offset(start) - reply_offset(0)) as usize;
            let bytes = &mut in_use[from..from + length as usize];
            assert!(
                bytes.iter().all(|used| !used),
                "overwritten before it was taken"
            );
            bytes.fill(true);
            waiting.push_back((start, length));
            put = start.wrapping_add(length);
            passed += 1;
        } else {
            let (start, length) = waiting
                .pop_front()
                .expect("an empty ring has room for any reply");
            let from = (reply_offset(start) - reply_offset(0)) as usize;
            in_use[from..from + length as usize].fill(false);
            taken = start.wrapping_add(length);
        }
    }
    assert!(passed > 5_000);
}
