//! Every request against the model, and its faults.

use crate::board::Board;
use crate::host::{Session, noise};
use flexspi_nor::server::Next;
use mailbox::fault::{FaultCode, Stage};
use mailbox::request::ERASE_CHECK_BLANK;
use mailbox::result::{IDENTITY_WORDS, Identity, SectorRecord};
use mailbox::status::ServerState;
use mailbox::{Request, digest};

fn session() -> Session {
    Session::up(Board::new("is25wp064"))
}

#[test]
fn identify_reports_the_part() {
    let mut s = session();
    let result = s.ok(Request::Identify);
    let words: [u32; IDENTITY_WORDS] = s.reply(&result).try_into().unwrap();
    let identity = Identity::from_words(&words);
    assert_eq!(identity.jedec_id, [0x9D, 0x70, 0x17]);
    assert_eq!(identity.status_register, 0);
    assert!(!identity.quad, "QE is 0 on a blank part");
    assert_eq!(identity.work_clock_hz, 80_000_000);
    assert_eq!(&identity.sfdp[..4], b"SFDP");
    s.board.assert_clean();
}

#[test]
fn set_status_sets_qe_and_reads_go_on_four_lines() {
    let mut s = session();
    let result = s.ok(Request::SetStatus {
        value: 0x40,
        mask: 0xFC,
    });
    assert_eq!(result.values, [0, 0x40]);
    assert_eq!(s.board.with(|m| m.nor.status_register()) & 0xFC, 0x40);
    let identity = s.ok(Request::Identify);
    let words: [u32; IDENTITY_WORDS] = s.reply(&identity).try_into().unwrap();
    assert!(Identity::from_words(&words).quad);
    s.board.assert_clean();
}

#[test]
fn erase_program_read_and_digest_agree_on_one_line_and_on_four() {
    for quad in [false, true] {
        let mut s = session();
        s.board.with(|m| m.nor.content_mut().fill(0x5A));
        if quad {
            s.ok(Request::SetStatus {
                value: 0x40,
                mask: 0xFC,
            });
        }
        for (address, size, opcode) in [
            (0x1000, 0x1000, 0x20),
            (0x8000, 0x8000, 0x52),
            (0x1_0000, 0x1_0000, 0xD8),
        ] {
            s.ok(Request::Erase {
                address,
                size,
                opcode,
                flags: ERASE_CHECK_BLANK,
            });
        }
        let data = noise(7, 0x1_0000 + 300);
        assert_eq!(s.program(0x8004, &data[..0x7FFC]).outcome, Ok(()));
        let tail = &data[..301];
        assert_eq!(s.program(0x1_0008, tail).outcome, Ok(()));
        s.board.with(|m| {
            let flash = m.nor.content();
            assert!(flash[..0x1000].iter().all(|b| *b == 0x5A));
            assert!(flash[0x1000..0x2000].iter().all(|b| *b == 0xFF));
            assert!(flash[0x2000..0x8000].iter().all(|b| *b == 0x5A));
            assert_eq!(&flash[0x8004..0x1_0000], &data[..0x7FFC]);
            assert_eq!(&flash[0x1_0008..0x1_0008 + 301], tail);
            assert!(flash[0x1_0008 + 301..0x2_0000].iter().all(|b| *b == 0xFF));
            assert!(flash[0x2_0000..].iter().all(|b| *b == 0x5A));
        });
        for (address, length) in [
            (0x8004, 0x7FFC),
            (0x1_0009, 299),
            (0, 1),
            (3, 17),
            (0x7FFF, 0x1_0002),
        ] {
            let range = address as usize..(address + length) as usize;
            let expected = s.board.with(|m| m.nor.content()[range].to_vec());
            let result = s.ok(Request::Digest {
                address,
                length,
                nonce: 0xABCD,
            });
            assert_eq!(
                result.digest(),
                digest::digest(0xABCD, &expected),
                "{address:#x} {length}"
            );
            if length <= 0x8000 {
                let result = s.ok(Request::Read { address, length });
                let words = s.reply(&result);
                let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
                assert_eq!(&bytes[..length as usize], &expected[..]);
                assert!(bytes[length as usize..].iter().all(|b| *b == 0));
            }
        }
        s.board.assert_clean();
    }
}

#[test]
fn a_map_names_the_programmed_pages_of_every_sector() {
    let mut s = session();
    s.board
        .with(|m| m.nor.content_mut()[0x3000 + 5 * 256 + 9] = 0);
    let result = s.ok(Request::Map {
        address: 0x2000,
        length: 0x3000,
        nonce: 1,
    });
    let words = s.reply(&result);
    let records: Vec<SectorRecord> = words
        .as_chunks::<3>()
        .0
        .iter()
        .map(|w| SectorRecord::from_words(*w))
        .collect();
    assert_eq!(
        records
            .iter()
            .map(|r| r.programmed_pages)
            .collect::<Vec<_>>(),
        [0, 1 << 5, 0]
    );
    assert_eq!(records[0].digest, digest::digest(1, &[0xFF; 4096]));
    let sector = s.board.with(|m| m.nor.content()[0x3000..0x4000].to_vec());
    assert_eq!(records[1].digest, digest::digest(1, &sector));
    s.board.assert_clean();
}

#[test]
fn many_replies_go_round_the_ring() {
    let mut s = session();
    let content = noise(3, 0x8000);
    s.board
        .with(|m| m.nor.content_mut()[..0x8000].copy_from_slice(&content));
    for i in 0..40u32 {
        let (address, length) = (i * 12, 0x7001 - i * 100);
        let result = s.ok(Request::Read { address, length });
        let bytes: Vec<u8> = s
            .reply(&result)
            .iter()
            .flat_map(|w| w.to_le_bytes())
            .collect();
        assert_eq!(
            &bytes[..length as usize],
            &content[address as usize..(address + length) as usize]
        );
    }
}

#[test]
fn programming_over_old_data_is_found_and_stops_what_follows() {
    let mut s = session();
    s.board.with(|m| m.nor.content_mut()[0x2108] = 0x0F);
    let outcome = s.program(0x2000, &[0xFF; 0x200]).outcome;
    let fault = outcome.unwrap_err();
    assert_eq!(
        (fault.code, fault.stage),
        (FaultCode::ReadBackDiffers, Stage::ReadBack)
    );
    assert_eq!(
        (fault.address, fault.expected, fault.found),
        (0x2108, 0xFFFF_FFFF, 0xFFFF_FF0F)
    );
    assert_eq!(s.status().fault, Some((0, fault)));
    let refused = s.ask(Request::Erase {
        address: 0x2000,
        size: 0x1000,
        opcode: 0x20,
        flags: 0,
    });
    assert_eq!(refused.outcome.unwrap_err().code, FaultCode::AfterFault);
    assert_eq!(s.board.with(|m| m.nor.content()[0x2108]), 0x0F);
    s.ok(Request::Digest {
        address: 0,
        length: 16,
        nonce: 0,
    });
    s.ok(Request::ClearFault);
    assert_eq!(s.status().fault, None);
    s.ok(Request::Erase {
        address: 0x2000,
        size: 0x1000,
        opcode: 0x20,
        flags: 0,
    });
    assert_eq!(s.program(0x2000, &noise(1, 0x200)).outcome, Ok(()));
}

#[test]
fn a_tag_word_is_programmed_to_zero_over_data() {
    let mut s = session();
    s.board
        .with(|m| m.nor.content_mut()[..512].copy_from_slice(&noise(9, 512)));
    assert_eq!(s.program(0, &[0; 4]).outcome, Ok(()));
    s.board.with(|m| {
        assert_eq!(&m.nor.content()[..4], &[0; 4]);
        assert_eq!(&m.nor.content()[4..512], &noise(9, 512)[4..]);
    });
}

#[test]
fn a_protected_sector_is_reported_and_not_changed() {
    let board = Board::new("is25wp064");
    board.with(|m| {
        m.nor.set_status_register(0x3C);
        m.nor.content_mut()[..16].fill(0x11);
    });
    let mut s = Session::up(board);
    let erase = Request::Erase {
        address: 0,
        size: 0x1000,
        opcode: 0x20,
        flags: ERASE_CHECK_BLANK,
    };
    let fault = s.ask(erase).outcome.unwrap_err();
    assert!(
        matches!(fault.code, FaultCode::Rejected | FaultCode::NotBlank),
        "{fault:?}"
    );
    assert_eq!(
        s.board.with(|m| m.nor.status_register()) & 0x3C,
        0x3C,
        "the status register is not touched"
    );
}

#[test]
fn damaged_payload_is_refused_before_it_is_programmed() {
    let mut s = session();
    s.put_chunk(0x4000, &noise(2, 4096));
    use mailbox::words::Words;
    let slot = mailbox::layout::payload_slot(0) + 16 + 400;
    s.words.store(slot, s.words.load(slot) ^ 0x100);
    let program = Request::Program {
        address: 0x4000,
        length: 4096,
        first_chunk: 0,
        chunks: 1,
    };
    let fault = s.ask(program).outcome.unwrap_err();
    assert_eq!(
        (fault.code, fault.stage),
        (FaultCode::BadPayload, Stage::Payload)
    );
    assert!(s.board.with(|m| m.nor.content().iter().all(|b| *b == 0xFF)));
}

#[test]
fn requests_that_contradict_themselves_change_nothing() {
    let mut s = session();
    let bad = [
        Request::Erase {
            address: 0x800,
            size: 0x1000,
            opcode: 0x20,
            flags: 0,
        },
        Request::Erase {
            address: 0,
            size: 0x1000,
            opcode: 0xC7,
            flags: 0,
        },
        Request::Erase {
            address: 0x80_0000,
            size: 0x1000,
            opcode: 0x20,
            flags: 0,
        },
        Request::Digest {
            address: 0x7F_FFFF,
            length: 2,
            nonce: 0,
        },
        Request::Read {
            address: 0,
            length: 0x8001,
        },
        Request::Map {
            address: 4,
            length: 0x1000,
            nonce: 0,
        },
    ];
    for request in bad {
        assert!(s.ask(request).outcome.is_err(), "{request:?}");
        s.ok(Request::ClearFault);
    }
    assert_eq!(
        s.board
            .with(|m| (m.nor.counters().erases, m.nor.counters().programs)),
        (0, 0)
    );
    s.board.assert_clean();
}

#[test]
fn stop_leaves_the_flash_as_the_rom_needs_it() {
    let mut s = session();
    s.ok(Request::SetStatus {
        value: 0x40,
        mask: 0xFC,
    });
    let result = s.ok(Request::Stop);
    assert_eq!(result.values, [0x0017_709D, 0x40]);
    assert_eq!(s.status().state, Some(ServerState::Stopped));
    s.board.with(|m| {
        assert!(
            !m.nor.in_qpi() && m.nor.continuous_read().is_none() && !m.nor.in_deep_power_down()
        );
        assert!(m.nor.busy_until().is_none_or(|end| end <= m.now));
    });
    s.board.assert_clean();
}

#[test]
fn a_lost_lease_ends_in_a_reset_with_an_idle_flash() {
    let mut s = session();
    s.board.with(|m| m.nor.content_mut().fill(0));
    s.renew();
    // Four blocks of 150 ms are within the lease; sixteen are not.
    for block in 0..16 {
        s.put(Request::Erase {
            address: block << 16,
            size: 0x1_0000,
            opcode: 0xD8,
            flags: 0,
        });
    }
    let mut polls = 0;
    while s.server.poll() == Next::GoOn {
        polls += 1;
        assert!(polls < 1_000_000);
    }
    assert_eq!(s.status().state, Some(ServerState::LeaseLost));
    assert!(
        s.status().results_put < 16,
        "no further request was started"
    );
    s.board.with(|m| {
        assert!(m.reset_requested);
        assert!(m.nor.busy_until().is_none_or(|end| end <= m.now));
    });
    s.board.assert_clean();
}
