//! What goes wrong where a rule is broken: each of these is found, so each of the rules is tested.

use mailbox::layout::REPLIES_BYTES;

use crate::scenarios::{
    a_fault, a_reply, a_request_slot_again, a_result_slot_again, a_start, payload,
    payload_slot_again,
};
use crate::sides::Mistake;
use crate::{MOST_PREEMPTIONS, explore};

/// One test a mistake: a scenario with it, and what that must say.
macro_rules! found {
    ($($name:ident: $scenario:expr => $message:literal;)*) => {$(
        #[test]
        #[should_panic(expected = $message)]
        fn $name() {
            explore(MOST_PREEMPTIONS, || $scenario);
        }
    )*};
}

found! {
    a_result_counted_without_a_barrier:
        a_result_slot_again(64, Mistake::TargetOrdersNothing) => "a result is whole";
    a_result_counted_before_it_is_written:
        a_result_slot_again(64, Mistake::TargetCountsFirst) => "a result is whole";
    a_result_read_without_looking:
        a_request_slot_again(64, Mistake::HostAsksNoResult) => "a result is whole";
    a_request_rung_for_before_it_is_written:
        a_result_slot_again(64, Mistake::HostRingsFirst) => "a request is whole";
    a_request_read_without_a_barrier:
        a_result_slot_again(64, Mistake::TargetReadsAtOnce) => "a request is whole";
    a_request_more_than_slots_over_a_result:
        a_result_slot_again(64, Mistake::HostAsksNoRoom) => "a result is whole";
    a_request_more_than_slots_over_a_request:
        a_request_slot_again(64, Mistake::HostAsksNoRoom) => "a request is whole";
    a_chunk_rung_for_before_it_is_written:
        payload(64, Mistake::HostRingsFirst) => "is whole";
    a_chunk_read_without_a_barrier:
        payload(64, Mistake::ChunkReadAtOnce) => "a chunk is whole";
    a_chunk_freed_after_its_result:
        payload(64, Mistake::TargetFreesLate) => "chunks count before their end";
    a_chunk_freed_before_it_is_read:
        payload_slot_again(64, Mistake::TargetFreesFirst) => "a chunk is whole";
    a_chunk_more_than_slots:
        payload_slot_again(64, Mistake::HostAsksNoRoom) => "a chunk is whole";
    a_reply_counted_without_a_barrier:
        a_reply(REPLIES_BYTES, 0, Mistake::TargetOrdersNothing) => "is whole";
    a_reply_without_room:
        a_reply(REPLIES_BYTES, 4, Mistake::TargetAsksNoRoom) => "a reply is whole";
    a_reply_given_back_before_it_is_read:
        a_reply(REPLIES_BYTES, 0, Mistake::HostFreesFirst) => "a reply is whole";
    a_fault_line_without_a_barrier:
        a_fault(64, Mistake::FaultLineUnordered) => "a fault line is whole";
    a_failure_counted_before_its_fault:
        a_fault(64, Mistake::FaultAfterResult) => "a failure is not taken for done";
    a_status_read_from_its_end:
        a_fault(64, Mistake::HostReadsBackwards) => "a failure is not taken for done";
    a_session_that_is_up_without_a_barrier:
        a_start(Mistake::TargetOrdersNothing) => "nothing old is seen";
}
