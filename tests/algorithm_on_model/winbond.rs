//! A part whose QE is in status register 2, and the algorithm told of the wrong part.

use mailbox::fault::FaultCode;
use mailbox::result::{FOUND_SUSPENDED, IDENTITY_WORDS, Identity};
use mailbox::{Request, Setup};
use rtflash::algorithm::setup_for;
use rtflash::target::Target;
use virtual_board::nor::{Nor, Part, TimingProfile};
use virtual_board::time::Time;
use virtual_board::trace::Severity;

use crate::board::Board;
use crate::host::Session;

/// QE, CMP and what else a write may change, as status words.
const QE: u32 = 0x0200;
const CMP: u32 = 0x4000;
const MASK: u32 = 0x64_43FC;

fn setup(part: &str) -> Setup {
    let target = Target::builtin("mimxrt1062", part, "qspi").unwrap();
    setup_for(&target, 0xC0FF_EE01)
}

/// A W25Q64JV whose status registers hold this word.
fn board(word: u32) -> Board {
    let board = Board::new("w25q64jv");
    board.with(|m| set(&mut m.nor, word));
    board
}

fn set(nor: &mut Nor, word: u32) {
    let mut registers = nor.registers();
    [registers.status, registers.status_2, registers.status_3, _] = word.to_le_bytes();
    nor.set_registers(registers);
}

fn held(board: &Board) -> u32 {
    let registers = board.with(|m| m.nor.registers());
    u32::from_le_bytes([registers.status, registers.status_2, registers.status_3, 0])
}

fn session(board: Board) -> Session {
    Session::start(board, setup("w25q64jv"))
}

fn identity(s: &mut Session) -> Identity {
    let result = s.ok(Request::Identify);
    let words: [u32; IDENTITY_WORDS] = s.reply(&result).try_into().unwrap();
    Identity::from_words(&words)
}

#[test]
fn identify_reports_all_three_status_registers() {
    let mut s = session(Board::new("w25q64jv"));
    let identity = identity(&mut s);
    assert_eq!(identity.jedec_id, [0xEF, 0x40, 0x17]);
    assert_eq!(identity.status_register, 0x60_0200);
    assert!(identity.quad, "QE is set as delivered");
    s.board.assert_clean();
}

#[test]
fn qe_is_set_in_register_2_alone_and_reads_go_on_four_lines() {
    let mut s = session(board(0x60_0820));
    assert!(!identity(&mut s).quad);
    let (value, mask) = (0x60_0020 | QE, MASK);
    let result = s.ok(Request::SetStatus { value, mask });
    assert_eq!(result.values, [0x60_0820, 0x60_0A20], "the lock bit stays");
    assert_eq!(held(&s.board), 0x60_0A20);
    assert_eq!(s.board.with(|m| m.nor.counters().register_writes), 1);
    assert!(identity(&mut s).quad);
    s.board.assert_clean();
}

#[test]
fn protection_by_bp_and_by_the_complement_is_taken_off() {
    for word in [0x60_021C, 0x60_0200 | CMP, 0x64_021C | CMP, 0x60_0004] {
        let mut s = session(board(word));
        s.board.with(|m| m.nor.content_mut()[..4096].fill(0));
        let (value, mask) = (0x60_0000 | QE, MASK);
        s.ok(Request::SetStatus { value, mask });
        assert_eq!(held(&s.board), 0x60_0200, "{word:06X}");
        s.ok(Request::Erase {
            address: 0,
            size: 4096,
            opcode: 0x20,
            flags: 1,
        });
        s.board.assert_clean();
    }
}

#[test]
fn nothing_is_written_where_nothing_differs() {
    let mut s = session(board(0x60_0200));
    let (value, mask) = (0x60_0200, MASK);
    s.ok(Request::SetStatus { value, mask });
    assert_eq!(s.board.with(|m| m.nor.counters().register_writes), 0);
}

#[test]
fn an_older_die_that_does_not_know_31h_takes_both_registers_with_01h() {
    let mut part = Part::builtin("w25q64jv").unwrap();
    part.commands.opcodes.retain(|opcode| *opcode != 0x31);
    part.status_pair.as_mut().unwrap().one_byte_clears = true;
    for word in [0x60_0000, 0x60_021C, 0x60_0004 | CMP] {
        let board = Board::new("w25q64jv");
        board.with(|m| {
            m.nor = Nor::new(part.clone(), TimingProfile::Typ);
            set(&mut m.nor, word);
        });
        let mut s = session(board);
        let (value, mask) = (0x60_0200, MASK);
        s.ok(Request::SetStatus { value, mask });
        assert_eq!(held(&s.board), 0x60_0200, "{word:06X}");
    }
}

#[test]
fn a_register_that_stays_as_it_is_is_told() {
    let mut s = session(board(0x60_0100));
    let (value, mask) = (0x60_0200, MASK);
    let fault = s.ask(Request::SetStatus { value, mask }).outcome;
    assert_eq!(fault.map_err(|f| f.code), Err(FaultCode::StatusDiffers));
    assert_eq!(held(&s.board), 0x60_0100, "SRL: until the power was off");
}

#[test]
fn a_suspended_erase_is_found_by_its_own_register_and_ended() {
    let board = board(0x60_0200);
    board.with(|m| {
        m.nor.content_mut()[..0x1_0000].fill(0);
        let (now, trace) = (Time::us(1), &mut m.trace);
        let mut send = |bytes: &[u8], at: Time| {
            m.nor.select(at, 30_000_000, trace);
            for byte in bytes {
                m.nor
                    .shift_out(*byte, virtual_board::nor::Lines::One, false, trace);
            }
            m.nor.deselect(at + Time::us(2), trace);
        };
        send(&[0x06], now);
        send(&[0xD8, 0, 0, 0], now + Time::us(10));
        send(&[0x75], now + Time::ms(10));
        m.now = Time::ms(12);
    });
    let mut s = session(board);
    assert_eq!(identity(&mut s).found & FOUND_SUSPENDED, FOUND_SUSPENDED);
    s.board
        .with(|m| assert!(m.nor.content()[..0x1_0000].iter().all(|b| *b == 0xFF)));
    s.board.assert_clean();
}

#[test]
fn another_part_than_the_one_named_is_not_asked_for_registers_it_may_not_have() {
    for (named, fitted, id) in [
        ("w25q64jv", "is25wp064", [0x9D, 0x70, 0x17]),
        ("is25wp064", "w25q64jv", [0xEF, 0x40, 0x17]),
    ] {
        let board = Board::new(fitted);
        // QE set: 35h would take the ISSI part into QPI.
        board.with(|m| set(&mut m.nor, 0x60_0240));
        let mut s = Session::start(board, setup(named));
        let identity = identity(&mut s);
        assert_eq!(identity.jedec_id, id);
        assert!(!identity.quad);
        s.ok(Request::Stop);
        s.board.with(|m| {
            assert!(!m.nor.in_qpi());
            assert_eq!(m.nor.counters().register_writes, 0);
            // The wait after 99h is that of the part named; the other one may take longer, and is polled until it answers.
            let strange = m.trace.lines().iter().find(|line| {
                line.severity == Severity::Violation && !line.text.contains("recovering")
            });
            assert_eq!(strange.map(|line| &line.text), None);
        });
    }
}

#[test]
fn every_mode_that_the_part_has_is_left() {
    for (continuous, powered_down) in [(Some(0xEB), false), (Some(0xBB), false), (None, true)] {
        let board = Board::new("w25q64jv");
        board.with(|m| m.nor.set_mode(false, continuous, powered_down));
        let mut s = session(board);
        assert_eq!(identity(&mut s).jedec_id, [0xEF, 0x40, 0x17]);
    }
}
