//! The protocol's bytes of version 1.1, frozen: a change here is a new version. (1.0 had one status register of eight bits; it
//! was never released.)

use mailbox::fault::{Fault, FaultCode, Stage};
use mailbox::layout::{self, LAYOUT_DIGEST};
use mailbox::result::{IDENTITY_WORDS, Identity, SectorRecord};
use mailbox::setup::{StatusAccess, SuspendFlags};
use mailbox::{
    Chunk, Digest, Request, ResultRecord, ServerState, Setup, Status, crc, digest, status,
};

#[test]
fn the_layout_is_frozen() {
    assert_eq!(LAYOUT_DIGEST, 0xA995_9EDF);
    assert_eq!(layout::AREA_ADDRESS, 0x2021_8000);
    assert_eq!(layout::AREA_BYTES, 0x5_1400);
    assert_eq!(layout::request_slot(17), 0x520);
    assert_eq!(layout::result_slot(17), 0x130);
    assert_eq!(layout::payload_slot(65), 0x1_2010);
    assert_eq!(layout::HOST_REQUESTS_PUT, 0x70C);
}

#[test]
fn requests_are_frozen() {
    let golden = [
        (Request::Identify, [1, 5, 0, 0, 0, 0, 0]),
        (
            Request::Map {
                address: 0x1000,
                length: 0x2000,
                nonce: 7,
            },
            [2, 5, 0x1000, 0x2000, 7, 0, 0],
        ),
        (
            Request::Digest {
                address: 1,
                length: 3,
                nonce: 9,
            },
            [3, 5, 1, 3, 9, 0, 0],
        ),
        (
            Request::Erase {
                address: 0x1_0000,
                size: 0x1_0000,
                opcode: 0xD8,
                flags: 1,
            },
            [4, 5, 0x1_0000, 0x1_0000, 0xD8, 1, 0],
        ),
        (
            Request::Program {
                address: 0x2000,
                length: 300,
                first_chunk: 4,
                chunks: 1,
            },
            [5, 5, 0x2000, 300, 4, 1, 0],
        ),
        (
            Request::Read {
                address: 8,
                length: 9,
            },
            [6, 5, 8, 9, 0, 0, 0],
        ),
        (
            Request::SetStatus {
                value: 0x40,
                mask: 0xFC,
            },
            [7, 5, 0, 0, 0x40, 0xFC, 0],
        ),
        (
            Request::SetStatus {
                value: 0x60_0200,
                mask: 0x64_43FC,
            },
            [7, 5, 0, 0, 0x60_0200, 0x64_43FC, 0],
        ),
        (Request::ClearFault, [8, 5, 0, 0, 0, 0, 0]),
        (Request::Stop, [9, 5, 0, 0, 0, 0, 0]),
    ];
    for (request, words) in golden {
        let record = request.to_words(5);
        assert_eq!(record[..7], words, "{request:?}");
        assert_eq!(record[7], crc::crc32_words(&words));
        assert_eq!(Request::from_words(&record, 5), Some(request));
        assert_eq!(Request::from_words(&record, 6), None, "another number");
        for word in 0..8 {
            let mut damaged = record;
            damaged[word] ^= 0x400;
            assert_eq!(Request::from_words(&damaged, 5), None);
        }
    }
    assert_eq!(Request::Identify.to_words(0)[7], 0x81C5_8AF4);
}

#[test]
fn results_are_frozen() {
    let fault = Fault {
        code: FaultCode::NotBlank,
        stage: Stage::Erase,
        address: 0x1000,
        expected: !0,
        found: 0xFFFF_FF7F,
    };
    let result = ResultRecord {
        sequence: 3,
        outcome: Err(fault),
        values: [1, 2],
        reply_start: 0x40,
        reply_length: 12,
        reply_crc: 0x99,
    };
    let words = result.to_words();
    assert_eq!(
        words[..11],
        [
            3,
            5,
            7,
            0x1000,
            0xFFFF_FFFF,
            0xFFFF_FF7F,
            1,
            2,
            0x40,
            12,
            0x99
        ]
    );
    assert_eq!(ResultRecord::from_words(&words, 3), Some(result));
    for word in 0..12 {
        let mut damaged = words;
        damaged[word] ^= 1;
        assert_eq!(ResultRecord::from_words(&damaged, 3), None);
    }
}

#[test]
fn the_status_block_is_frozen() {
    let words = [
        0x3146_5452,
        0x0001_0001,
        LAYOUT_DIGEST,
        77,
        12,
        3,
        5,
        6,
        7,
        8,
        9,
        1,
        5,
        4,
        8,
        0x1_0000,
        2_000_000,
        3,
        0,
        0,
    ];
    let status = Status::from_words(&words);
    assert!(status.is_up(77) && !status.is_up(78));
    assert_eq!(status.state, Some(ServerState::Busy));
    assert_eq!(
        (status.alive, status.results_put, status.requests_taken),
        (12, 5, 6)
    );
    assert_eq!(
        (status.payload_taken, status.replies_put, status.progress),
        (7, 8, 9)
    );
    let fault = Fault {
        code: FaultCode::Timeout,
        stage: Stage::Program,
        address: 0x1_0000,
        expected: 2_000_000,
        found: 3,
    };
    assert_eq!(status.fault, Some((5, fault)));
    assert_eq!(
        (status::AT_ALIVE, status::AT_RESULTS_PUT, status::AT_FAULTS),
        (16, 24, 44)
    );
}

#[test]
fn the_setup_is_frozen() {
    let setup = Setup {
        session: 1,
        lease_ms: 2,
        flash_bytes: 3,
        page_program_limit_us: 4,
        erase_4k_limit_us: 5,
        erase_32k_limit_us: 6,
        erase_64k_limit_us: 7,
        erase_chip_limit_us: 8,
        write_status_limit_us: 9,
        reset_recovery_us: 10,
        power_down_release_us: 11,
        flags: 12,
        quad_enable_mask: 0x200,
        quad_program_opcode: 0x32,
        quad_read_opcode: 0xEB,
        quad_read_dummy_clocks: 4,
        fast_read_dummy_clocks: 8,
        work_clock_mhz: 16,
        further_status: [
            StatusAccess {
                read_opcode: 0x35,
                write_opcode: 0x31,
            },
            StatusAccess {
                read_opcode: 0x15,
                write_opcode: 0x11,
            },
        ],
        suspend: SuspendFlags {
            read_opcode: 0x48,
            mask: 0x0C,
        },
        jedec_id: [0xEF, 0x40, 0x17],
    };
    let words = setup.to_words();
    let expected = [
        0x3146_5452,
        LAYOUT_DIGEST,
        1,
        2,
        3,
        4,
        5,
        6,
        7,
        8,
        9,
        10,
        11,
        12,
        0x200,
        0x0804_EB32,
        16,
        0x1115_3135,
        0x0C48,
        0x0017_40EF,
    ];
    assert_eq!(words[..20], expected);
    assert_eq!(words[20..23], [0; 3]);
    assert_eq!(Setup::from_words(&words), Some(setup));
    for word in 0..24 {
        let mut damaged = words;
        damaged[word] ^= 1;
        assert_eq!(Setup::from_words(&damaged), None);
    }
}

#[test]
fn chunks_are_frozen() {
    let words: Vec<u32> = Chunk::new(2, 0x2000, &[1, 2, 3, 4, 5])
        .unwrap()
        .words()
        .collect();
    assert_eq!(words[..3], [2, 0x2000, 5]);
    assert_eq!(words[4..], [0x0403_0201, 0xFFFF_FF05]);
    let covered = [2, 0x2000, 5, 0x0403_0201, 0xFFFF_FF05];
    assert_eq!(words[3], crc::crc32_words(&covered));
    assert!(Chunk::new(0, 0, &[]).is_none());
    assert!(Chunk::new(0, 0, &[0; 4097]).is_none());
}

#[test]
fn replies_are_frozen() {
    let record = SectorRecord {
        programmed_pages: 0x8001,
        digest: Digest([4, 5]),
    };
    assert_eq!(record.to_words(), [0x8001, 4, 5]);
    let mut sfdp = [0xFF; 256];
    sfdp[..4].copy_from_slice(b"SFDP");
    let identity = Identity {
        jedec_id: [0x9D, 0x70, 0x17],
        status_register: 0x60_0240,
        suspend_register: 2,
        found: 5,
        work_clock_hz: 80_000_000,
        quad: true,
        sfdp,
    };
    let words = identity.to_words();
    assert_eq!(
        words[..9],
        [
            0x0017_709D,
            0x60_0240,
            2,
            5,
            80_000_000,
            1,
            0,
            0,
            0x5044_4653
        ]
    );
    assert_eq!(words.len(), IDENTITY_WORDS);
    assert_eq!(Identity::from_words(&words), identity);
}

#[test]
fn the_crc_is_the_well_known_one() {
    assert_eq!(crc::crc32(b"123456789"), 0xCBF4_3926);
    let mut by_words = crc::Crc32::new();
    by_words.word(u32::from_le_bytes(*b"1234"));
    by_words.word(u32::from_le_bytes(*b"5678"));
    by_words.byte(b'9');
    assert_eq!(by_words.finish(), 0xCBF4_3926);
    assert_eq!(
        crc::crc32_words(&[u32::from_le_bytes(*b"1234")]),
        crc::crc32(b"1234")
    );
}

#[test]
fn the_digest_is_murmur3_x86_128() {
    let hex = |nonce, text: &[u8]| {
        let mut digester = digest::Digester::new(nonce);
        digester.bytes(text);
        digester
            .finish_128()
            .map(|word| format!("{word:08x}"))
            .concat()
    };
    // Published vectors of the algorithm (murmurhash3js).
    assert_eq!(hex(0, b""), "00000000000000000000000000000000");
    assert_eq!(
        hex(0, b"I will not buy this tobacconist's, it is scratched."),
        "9b5b7ba2ef3f7866889adeaf00f3f98e"
    );
    // In pieces it is the same.
    let data: Vec<u8> = (0..1000u32).map(|i| (i * 7) as u8).collect();
    for split in [1, 15, 16, 17, 333] {
        let mut digester = digest::Digester::new(3);
        data.chunks(split).for_each(|piece| digester.bytes(piece));
        assert_eq!(digester.finish(), digest::digest(3, &data));
    }
    assert_ne!(
        digest::digest(3, &data),
        digest::digest(4, &data),
        "the nonce counts"
    );
}
