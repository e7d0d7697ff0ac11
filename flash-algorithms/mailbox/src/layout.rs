//! Where every word of the mailbox area lies, as byte offsets from the area's start.

use crate::crc::crc32_words;

/// First word of the status block: "RTF1", read as a little-endian word.
pub const MAGIC: u32 = 0x3146_5452;
/// Protocol version: the high half breaks compatibility, the low half adds.
pub const VERSION: u32 = 0x0001_0001;

/// Bus address of the area. OCRAM2, above the blob and its stack, clear of the boot ROM's working RAM
/// (0x20200000–0x20208FFF).
pub const AREA_ADDRESS: u32 = 0x2021_8000;
/// Debug accesses auto-increment inside blocks of this size only (ADIv5, AHB-AP TAR).
pub const WINDOW_BYTES: u32 = 1024;

/// Status block: written by the target only.
pub const STATUS: u32 = 0;
/// Size of the status block.
pub const STATUS_BYTES: u32 = 256;
/// Result ring: written by the target only; in the same window as the status block, after it.
pub const RESULTS: u32 = STATUS + STATUS_BYTES;
/// Records in the result ring; a power of two, so that counters may wrap.
pub const RESULT_SLOTS: u32 = 16;
/// Size of one result record.
pub const RESULT_BYTES: u32 = 48;

/// Setup block: written by the host before the start, then left alone.
pub const SETUP: u32 = 0x400;
/// Size of the setup block.
pub const SETUP_BYTES: u32 = 256;
/// Request ring: written by the host only.
pub const REQUESTS: u32 = 0x500;
/// Records in the request ring; a power of two, equal to [`RESULT_SLOTS`], so that no result can be overwritten unread.
pub const REQUEST_SLOTS: u32 = 16;
/// Size of one request record.
pub const REQUEST_BYTES: u32 = 32;
/// The host's live words: written by the host only.
pub const HOST: u32 = 0x700;
/// Size of the host's live words.
pub const HOST_BYTES: u32 = 16;

/// Lease: any change renews it.
pub const HOST_LEASE: u32 = HOST;
/// Bytes of the reply ring the host has done with.
pub const HOST_REPLIES_TAKEN: u32 = HOST + 4;
/// Chunks put into the payload ring.
pub const HOST_PAYLOAD_PUT: u32 = HOST + 8;
/// Requests put into the request ring: the doorbell, last word of the burst.
pub const HOST_REQUESTS_PUT: u32 = HOST + 12;

/// Reply ring: bytes from the target to the host.
pub const REPLIES: u32 = 0x1000;
/// Size of the reply ring; a power of two.
pub const REPLIES_BYTES: u32 = 0x1_0000;
/// Longest single reply. A reply never wraps; half of the ring always fits, wherever the last one ended.
pub const REPLY_MAX_BYTES: u32 = REPLIES_BYTES / 2;

/// Payload ring: slots of one chunk each, header first.
pub const PAYLOAD: u32 = REPLIES + REPLIES_BYTES;
/// Slots in the payload ring; a power of two.
pub const PAYLOAD_SLOTS: u32 = 64;
/// Size of a chunk's header.
pub const CHUNK_HEADER_BYTES: u32 = 16;
/// Most data bytes in one chunk: a flash sector.
pub const CHUNK_DATA_BYTES: u32 = 4096;
/// Distance of one payload slot from the next.
pub const PAYLOAD_STRIDE: u32 = CHUNK_HEADER_BYTES + CHUNK_DATA_BYTES;

/// Size of the whole area.
pub const AREA_BYTES: u32 = PAYLOAD + PAYLOAD_SLOTS * PAYLOAD_STRIDE;

/// Digest of everything above: host and target that disagree about one offset do not start.
pub const LAYOUT_DIGEST: u32 = crc32_words(&[
    VERSION,
    AREA_ADDRESS,
    STATUS,
    STATUS_BYTES,
    RESULTS,
    RESULT_SLOTS,
    RESULT_BYTES,
    SETUP,
    SETUP_BYTES,
    REQUESTS,
    REQUEST_SLOTS,
    REQUEST_BYTES,
    HOST,
    HOST_BYTES,
    REPLIES,
    REPLIES_BYTES,
    PAYLOAD,
    PAYLOAD_SLOTS,
    CHUNK_HEADER_BYTES,
    CHUNK_DATA_BYTES,
    AREA_BYTES,
]);

const _: () = {
    assert!(RESULTS + RESULT_SLOTS * RESULT_BYTES <= STATUS + WINDOW_BYTES);
    assert!(AREA_ADDRESS.is_multiple_of(WINDOW_BYTES));
    assert!(REQUESTS + REQUEST_SLOTS * REQUEST_BYTES <= HOST);
    assert!(HOST / WINDOW_BYTES == (HOST + HOST_BYTES - 1) / WINDOW_BYTES);
    assert!(RESULT_SLOTS == REQUEST_SLOTS && RESULT_SLOTS.is_power_of_two());
    assert!(PAYLOAD_SLOTS.is_power_of_two() && REPLIES_BYTES.is_power_of_two());
    // End of OCRAM2 (IMXRT1060RM memory map).
    assert!(AREA_ADDRESS + AREA_BYTES <= 0x2028_0000);
};

/// Offset of the record of request `sequence`.
pub const fn request_slot(sequence: u32) -> u32 {
    REQUESTS + sequence % REQUEST_SLOTS * REQUEST_BYTES
}

/// Offset of the record of result `sequence`.
pub const fn result_slot(sequence: u32) -> u32 {
    RESULTS + sequence % RESULT_SLOTS * RESULT_BYTES
}

/// Offset of the slot of chunk `sequence`, its header first.
pub const fn payload_slot(sequence: u32) -> u32 {
    PAYLOAD + sequence % PAYLOAD_SLOTS * PAYLOAD_STRIDE
}

/// Offset of the byte with absolute position `position` of the reply stream.
pub const fn reply_offset(position: u32) -> u32 {
    REPLIES + position % REPLIES_BYTES
}

/// Where a reply of `length` bytes starts, if the stream stands at `put`: there, or at the ring's start if it would wrap.
pub const fn reply_start(put: u32, length: u32) -> u32 {
    let left = REPLIES_BYTES - put % REPLIES_BYTES;
    if length <= left {
        put
    } else {
        put.wrapping_add(left)
    }
}

/// True if a reply from `start` of `length` bytes does not overwrite what the host has not taken.
pub const fn reply_fits(start: u32, length: u32, taken: u32) -> bool {
    start.wrapping_add(length).wrapping_sub(taken) <= REPLIES_BYTES
}
