//! The entry: from any state of clocks and flash, nothing non-volatile changed.

use crate::board::Board;
use crate::host::{Session, setup};
use flexspi_nor::bus::Bus;
use mailbox::fault::{FaultCode, Stage};
use mailbox::result::{FOUND_BUSY, FOUND_PLLS_DOWN, IDENTITY_WORDS, Identity};
use mailbox::status::ServerState;
use mailbox::{Request, Setup};

fn identity(s: &mut Session) -> Identity {
    let result = s.ok(Request::Identify);
    let words: [u32; IDENTITY_WORDS] = s.reply(&result).try_into().unwrap();
    Identity::from_words(&words)
}

#[test]
fn from_power_on_the_plls_are_started() {
    let mut s = Session::up(Board::new("is25wp064"));
    assert_eq!(identity(&mut s).found & FOUND_PLLS_DOWN, FOUND_PLLS_DOWN);
    s.board.with(|m| {
        assert_eq!(m.soc.core_hz(m.now), 396_000_000);
        assert_eq!(m.soc.flexspi_root_hz(m.now), 80_000_000);
    });
    s.board.assert_clean();
}

#[test]
fn a_second_start_finds_the_plls_up() {
    let s = Session::up(Board::new("is25wp064"));
    let board = s.board.clone();
    drop(s);
    let mut s = Session::up(board);
    assert_eq!(identity(&mut s).found & FOUND_PLLS_DOWN, 0);
    s.board.assert_clean();
}

#[test]
fn every_mode_an_application_can_leave_is_left() {
    let modes = [
        (true, None, false),
        (false, Some(0xEB), false),
        (false, None, true),
        (false, Some(0xBB), false),
    ];
    for (qpi, continuous, powered_down) in modes {
        let board = Board::new("is25wp064");
        board.with(|m| {
            m.nor.set_status_register(0x40);
            m.nor.set_mode(qpi, continuous, powered_down);
        });
        let mut s = Session::up(board);
        assert_eq!(
            identity(&mut s).jedec_id,
            [0x9D, 0x70, 0x17],
            "{qpi} {continuous:x?} {powered_down}"
        );
        s.board.with(|m| {
            assert!(
                !m.nor.in_qpi() && m.nor.continuous_read().is_none() && !m.nor.in_deep_power_down()
            );
            assert_eq!(m.nor.status_register(), 0x40);
            assert!(m.nor.content().iter().all(|b| *b == 0xFF));
        });
    }
}

#[test]
fn an_erase_under_way_is_waited_for() {
    let mut s = Session::up(Board::new("is25wp064"));
    s.board.with(|m| m.nor.content_mut()[..0x1_0000].fill(0));
    // A request is put and the server vanishes in the middle of it: the flash goes on.
    let board = s.board.clone();
    s.put(Request::Erase {
        address: 0,
        size: 0x1_0000,
        opcode: 0xD8,
        flags: 0,
    });
    let mut other = board.clone();
    start_erase_only(&mut other);
    let mut s = Session::up(board);
    assert_eq!(identity(&mut s).found & FOUND_BUSY, FOUND_BUSY);
    assert!(
        s.board
            .with(|m| m.nor.content()[..0x1_0000].iter().all(|b| *b == 0xFF))
    );
}

/// WREN and D8h through the controller, and no wait.
fn start_erase_only(board: &mut Board) {
    use flexspi_nor::controller;
    use flexspi_nor::lease::Lease;
    use flexspi_nor::lut::{self, Slot};
    use flexspi_nor::machine::Machine;
    use mailbox::words::RawWords;
    let mut machine = Machine::start(board.clone(), Lease::new(RawWords::none(), u32::MAX));
    controller::load(&mut machine, &[(Slot::Erase, lut::addressed(0xD8))]).unwrap();
    controller::command(&mut machine, Slot::WriteEnable, 0, Stage::Erase).unwrap();
    controller::command(&mut machine, Slot::Erase, 0, Stage::Erase).unwrap();
}

#[test]
fn a_setup_of_another_layout_or_with_a_damaged_word_is_refused() {
    use mailbox::words::Words;
    let whole = setup().to_words();
    let seal = whole.len() - 1;
    for (word, sealed) in [(0, true), (1, true), (2, false), (seal, false)] {
        let s = Session::up(Board::new("is25wp064"));
        let mut words = whole;
        words[word] ^= 1;
        if sealed {
            words[seal] = mailbox::crc::crc32_words(&words[..seal]);
        }
        s.words.store_all(mailbox::layout::SETUP, &words);
        let server = flexspi_nor::server::Server::start(s.board.clone(), s.words);
        let status = s.status();
        assert_eq!(status.state, Some(ServerState::Failed), "word {word}");
        assert_eq!(status.fault.map(|(_, f)| f.code), Some(FaultCode::BadSetup));
        drop(server);
    }
}

#[test]
fn without_the_dqs_pad_the_clock_stays_at_60_mhz() {
    let setup = Setup {
        flags: setup().flags & !mailbox::setup::FLAG_DQS_LOOPBACK,
        ..setup()
    };
    let mut s = Session::start(Board::new("is25wp064"), setup);
    assert_eq!(identity(&mut s).work_clock_hz, 60_000_000);
    s.board.with(|m| assert!(!m.soc.flexspi_pads().dqs));
    s.board.assert_clean();
}

#[test]
fn the_entry_writes_nothing_non_volatile() {
    let s = Session::up(Board::new("is25wp064"));
    s.board.with(|m| {
        let counters = m.nor.counters();
        assert_eq!((counters.erases, counters.programs), (0, 0));
        assert_eq!(m.nor.status_register(), 0);
    });
    s.board.assert_clean();
}

/// One way in which software may have left the FlexSPI.
type Left = fn(&mut Board);

#[test]
fn every_state_that_the_controller_may_have_been_left_in_is_left() {
    const MCR0: u32 = 0x402A_8000;
    const LUTKEY: u32 = 0x402A_8018;
    const LUTCR: u32 = 0x402A_801C;
    const INTEN: u32 = 0x402A_8010;
    const IPCR0: u32 = 0x402A_80A0;
    const IPCR1: u32 = 0x402A_80A4;
    const IPCMD: u32 = 0x402A_80B0;
    const LUT: u32 = 0x402A_8200;
    const CCGR6: u32 = 0x400F_C080;
    const FLEXSPI_GATE: u32 = 3 << 10;
    /// An IP read of more than the FIFO holds, with nobody at its other end.
    fn stalled_read(b: &mut Board) {
        b.write32(IPCR0, 0);
        b.write32(IPCR1, 1024);
        b.write32(IPCMD, 1);
    }
    fn locked_empty_table(b: &mut Board) {
        b.write32(LUTKEY, 0x5AF0_5AF0);
        b.write32(LUTCR, 2);
        (0..64).for_each(|word| b.write32(LUT + 4 * word, 0));
        b.write32(LUTKEY, 0x5AF0_5AF0);
        b.write32(LUTCR, 1);
    }
    let states: [(&str, Left); 9] = [
        ("as the algorithm left it", |_| {}),
        ("MDIS", |b| b.modify32(MCR0, 0, 2)),
        ("software reset pending", |b| b.modify32(MCR0, 0, 1)),
        ("look-up table empty and locked", locked_empty_table),
        ("an IP read under way", stalled_read),
        ("interrupts enabled", |b| b.write32(INTEN, 0xFFF)),
        ("FIFOs given to AHB", |b| b.modify32(MCR0, 0, 3 << 6)),
        ("clock gate closed", |b| b.modify32(CCGR6, FLEXSPI_GATE, 0)),
        ("clock gate closed in an IP read", |b| {
            stalled_read(b);
            b.modify32(CCGR6, FLEXSPI_GATE, 0);
        }),
    ];
    for (name, leave) in states {
        let before = Session::up(Board::new("is25wp064"));
        let mut board = before.board.clone();
        drop(before);
        leave(&mut board);
        let mut s = Session::up(board);
        assert_eq!(identity(&mut s).jedec_id, [0x9D, 0x70, 0x17], "{name}");
        println!("{name}");
    }
}
