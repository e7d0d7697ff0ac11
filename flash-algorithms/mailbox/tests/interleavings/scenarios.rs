//! The scenarios: what the area holds before, and what each side then does.

use std::ops::Range;

use mailbox::layout::{
    self, LAYOUT_DIGEST, MAGIC, PAYLOAD_SLOTS, REPLIES_BYTES, REQUEST_BYTES, REQUEST_SLOTS,
    RESULT_BYTES, VERSION,
};
use mailbox::{Fault, FaultCode, Request, ResultRecord, Stage, Words, status};

use crate::area::{Before, Core, Port, area};
use crate::sides::{
    self, CHUNK_BYTES, Host, Mistake, Target, crc, digest_request, digest_result, is_past,
    write_chunk,
};

const CHUNK_SLOT_BYTES: u32 = layout::CHUNK_HEADER_BYTES + CHUNK_BYTES;

/// Both sides over an area in which the words of `live` change.
fn sides(before: Before, live: &[Range<u32>], mistake: Mistake) -> (Host<Port>, Target<Core>) {
    let at = |offset| before.load(offset);
    let (replies_taken, payload_put, requests_put, replies_put) = (
        at(layout::HOST_REPLIES_TAKEN),
        at(layout::HOST_PAYLOAD_PUT),
        at(layout::HOST_REQUESTS_PUT),
        at(status::AT_REPLIES_PUT),
    );
    let (port, core) = area(before, live);
    let host = Host {
        words: port,
        mistake,
        replies_taken,
        payload_put,
        requests_put,
    };
    let target = Target {
        words: core,
        mistake,
        replies_put,
    };
    (host, target)
}

/// Runs both sides to their ends.
fn run(host: impl FnOnce(), target: impl FnOnce() + 'static) {
    let target = loom::thread::spawn(target);
    host();
    target.join().expect("the target's side");
}

const fn word(offset: u32) -> Range<u32> {
    offset..offset + 4
}

const fn request_slot(sequence: u32) -> Range<u32> {
    let slot = layout::request_slot(sequence);
    slot..slot + REQUEST_BYTES
}

const fn result_slot(sequence: u32) -> Range<u32> {
    let slot = layout::result_slot(sequence);
    slot..slot + RESULT_BYTES
}

const fn chunk_slot(sequence: u32) -> Range<u32> {
    let slot = layout::payload_slot(sequence);
    slot..slot + CHUNK_SLOT_BYTES
}

/// A full ring of requests from `first` on.
fn requests_put(before: &Before, first: u32) {
    for sequence in (0..REQUEST_SLOTS).map(|n| first.wrapping_add(n)) {
        let record = digest_request(sequence).to_words(sequence);
        before.store_all(layout::request_slot(sequence), &record);
    }
    let put = first.wrapping_add(REQUEST_SLOTS);
    before.store(layout::HOST_REQUESTS_PUT, put);
    before.store(status::AT_REQUESTS_TAKEN, first);
    before.store(status::AT_RESULTS_PUT, first);
}

/// Sixteen results wait; the host collects the first and asks once more, which frees both its slots.
pub fn a_result_slot_again(first: u32, mistake: Mistake) {
    let before = Before::default();
    let next = first.wrapping_add(REQUEST_SLOTS);
    requests_put(&before, first);
    for sequence in (0..REQUEST_SLOTS).map(|n| first.wrapping_add(n)) {
        let record = digest_result(sequence).to_words();
        before.store_all(layout::result_slot(sequence), &record);
    }
    before.store(status::AT_REQUESTS_TAKEN, next);
    before.store(status::AT_RESULTS_PUT, next);
    let live = [
        request_slot(next),
        result_slot(next),
        word(layout::HOST_REQUESTS_PUT),
        word(status::AT_REQUESTS_TAKEN),
        word(status::AT_RESULTS_PUT),
    ];
    let (mut host, target) = sides(before, &live, mistake);
    let host = || {
        let ask = |host: &mut Host<Port>| {
            host.write_request(digest_request(next));
            host.ring();
        };
        if mistake == Mistake::HostAsksNoRoom {
            ask(&mut host);
        }
        assert_eq!(host.collect(first), digest_result(first));
        if mistake != Mistake::HostAsksNoRoom {
            ask(&mut host);
        }
        // The results between lie still.
        assert_eq!(host.collect(next), digest_result(next));
    };
    run(host, move || {
        assert_eq!(target.take_request(next), digest_request(next));
        target.put_result(&digest_result(next));
    });
}

/// Sixteen requests wait; the host wants to put the next into the slot that the target is about to read.
pub fn a_request_slot_again(first: u32, mistake: Mistake) {
    let before = Before::default();
    let next = first.wrapping_add(REQUEST_SLOTS);
    requests_put(&before, first);
    let live = [
        request_slot(next),
        result_slot(next),
        word(layout::HOST_REQUESTS_PUT),
        word(status::AT_REQUESTS_TAKEN),
        word(status::AT_RESULTS_PUT),
    ];
    let (mut host, target) = sides(before, &live, mistake);
    let host = || {
        if mistake != Mistake::HostAsksNoRoom {
            assert_eq!(host.collect(first), digest_result(first));
        }
        host.write_request(digest_request(next));
        host.ring();
    };
    run(host, move || {
        assert_eq!(target.take_request(first), digest_request(first));
        target.put_result(&digest_result(first));
    });
}

/// A request for two chunks: one is there before it, one comes after it. Both slots hold what was taken a round ago.
pub fn payload(first: u32, mistake: Mistake) {
    let before = Before::default();
    let (second, end) = (first.wrapping_add(1), first.wrapping_add(2));
    for old in [first, second].map(|sequence| sequence.wrapping_sub(PAYLOAD_SLOTS)) {
        write_chunk(&before, old);
    }
    before.store(layout::HOST_PAYLOAD_PUT, first);
    before.store(status::AT_PAYLOAD_TAKEN, first);
    before.store(layout::HOST_REQUESTS_PUT, first);
    before.store(status::AT_REQUESTS_TAKEN, first);
    before.store(status::AT_RESULTS_PUT, first);
    let live = [
        chunk_slot(first),
        chunk_slot(second),
        request_slot(first),
        result_slot(first),
        word(layout::HOST_PAYLOAD_PUT),
        word(layout::HOST_REQUESTS_PUT),
        word(status::AT_PAYLOAD_TAKEN),
        word(status::AT_REQUESTS_TAKEN),
        word(status::AT_RESULTS_PUT),
    ];
    let request = Request::Program {
        address: sides::address(first),
        length: 2 * CHUNK_BYTES,
        first_chunk: first,
        chunks: 2,
    };
    let (mut host, target) = sides(before, &live, mistake);
    let host = || {
        host.write_chunk();
        host.write_request(request);
        host.ring();
        host.write_chunk();
        host.ring();
        let status = host.wait(|status| {
            assert!(!is_past(status.payload_taken, end), "more than there are");
            is_past(status.results_put, first)
        });
        assert_eq!(status.payload_taken, end, "chunks count before their end");
    };
    run(host, move || {
        assert_eq!(target.take_request(first), request);
        target.take_chunk(first);
        target.take_chunk(second);
        target.put_result(&ResultRecord::new(first, Ok(())));
        if mistake == Mistake::TargetFreesLate {
            target.free_payload(end);
        }
    });
}

/// Sixty-four chunks wait; the host wants to put the next into the slot that the target is about to read.
pub fn payload_slot_again(first: u32, mistake: Mistake) {
    let before = Before::default();
    for sequence in (0..PAYLOAD_SLOTS).map(|n| first.wrapping_add(n)) {
        write_chunk(&before, sequence);
    }
    before.store(layout::HOST_PAYLOAD_PUT, first.wrapping_add(PAYLOAD_SLOTS));
    before.store(status::AT_PAYLOAD_TAKEN, first);
    let live = [
        chunk_slot(first),
        word(layout::HOST_PAYLOAD_PUT),
        word(status::AT_PAYLOAD_TAKEN),
    ];
    let (mut host, target) = sides(before, &live, mistake);
    let host = || {
        if mistake != Mistake::HostAsksNoRoom {
            let put = host.payload_put;
            host.wait(|status| put.wrapping_sub(status.payload_taken) < PAYLOAD_SLOTS);
        }
        host.write_chunk();
        host.ring();
    };
    run(host, move || {
        target.take_chunk(first);
        target.take_chunk(first.wrapping_add(1));
    });
}

/// The reply ring is full but for `left` bytes; the next reply goes where the oldest lies, once the host has read that.
pub fn a_reply(taken: u32, left: u32, mistake: Mistake) {
    const OLD: [u32; 2] = [0xA0A0_A0A0, 0xA1A1_A1A1];
    const NEW: [u32; 2] = [0xB0B0_B0B0, 0xB1B1_B1B1];
    let before = Before::default();
    let length = 4 * OLD.len() as u32;
    before.store_all(layout::reply_offset(taken), &OLD);
    let old = ResultRecord {
        reply_start: taken,
        reply_length: length,
        reply_crc: crc(&OLD),
        ..digest_result(0)
    };
    before.store_all(layout::result_slot(0), &old.to_words());
    before.store(status::AT_RESULTS_PUT, 1);
    before.store(layout::HOST_REPLIES_TAKEN, taken);
    let put = taken.wrapping_add(REPLIES_BYTES - left);
    before.store(status::AT_REPLIES_PUT, put);
    let reply = layout::reply_offset(taken);
    let live = [
        reply..reply + length,
        result_slot(1),
        word(layout::HOST_REPLIES_TAKEN),
        word(status::AT_REPLIES_PUT),
        word(status::AT_RESULTS_PUT),
    ];
    let (mut host, mut target) = sides(before, &live, mistake);
    let host = || {
        let record = host.collect(0);
        assert_eq!(host.take_reply(&record), OLD);
        // The replies between lie still.
        let record = host.collect(1);
        assert_eq!(host.take_reply(&record), NEW);
    };
    run(host, move || target.put_reply(1, &NEW));
}

/// A request fails; the host looks at the status only.
pub fn a_fault(first: u32, mistake: Mistake) {
    let fault = Fault {
        code: FaultCode::ReadBackDiffers,
        stage: Stage::ReadBack,
        address: 0x1000,
        expected: 0x5A,
        found: 0xFF,
    };
    let before = Before::default();
    before.store(status::AT_RESULTS_PUT, first);
    let live = [
        result_slot(first),
        word(status::AT_RESULTS_PUT),
        status::AT_FAULTS..status::AT_FAULT_LINE + 24,
    ];
    let (host, target) = sides(before, &live, mistake);
    let host = || {
        host.wait(|status| {
            let ended = is_past(status.results_put, first);
            assert!(
                !ended || status.fault.is_some(),
                "a failure is not taken for done"
            );
            if let Some(seen) = status.fault {
                assert_eq!(seen, (first, fault), "a fault line is whole once it counts");
            }
            ended
        });
    };
    run(host, move || {
        target.put_fault(first, &fault);
        target.put_result(&ResultRecord::new(first, Err(fault)));
    });
}

/// The target starts over what an earlier session left; the host has written 0 to the session word.
pub fn a_start(mistake: Mistake) {
    const SESSION: u32 = 0xC0FF_EE01;
    let before = Before::default();
    before.store_all(status::AT_MAGIC, &[MAGIC, VERSION, LAYOUT_DIGEST, 0]);
    before.store(status::AT_RESULTS_PUT, 7);
    before.store(status::AT_PAYLOAD_TAKEN, 9);
    before.store(status::AT_FAULTS, 1);
    let live = [
        word(status::AT_SESSION),
        word(status::AT_RESULTS_PUT),
        word(status::AT_PAYLOAD_TAKEN),
        word(status::AT_FAULTS),
    ];
    let (host, target) = sides(before, &live, mistake);
    let host = || {
        let status = host.wait(|status| status.is_up(SESSION));
        assert_eq!(
            (status.results_put, status.payload_taken, status.fault),
            (0, 0, None),
            "nothing old is seen once the session is up"
        );
    };
    run(host, move || {
        target.start(SESSION);
    });
}
