//! Broken chips, locked watchdogs, interrupted operations: each is reported as what it is.

use crate::board::Board;
use crate::host::{Session, noise, setup};
use flexspi_nor::bus::Bus;
use mailbox::Request;
use mailbox::fault::{FaultCode, Stage};
use mailbox::request::ERASE_CHECK_BLANK;
use mailbox::result::{
    FOUND_RTWDOG_LOCKED, FOUND_SUSPENDED, FOUND_WDOG1_LOCKED, IDENTITY_WORDS, Identity,
};

const ERASE_SECTOR: Request = Request::Erase {
    address: 0x3000,
    size: 0x1000,
    opcode: 0x20,
    flags: ERASE_CHECK_BLANK,
};

fn identity(s: &mut Session) -> Identity {
    let result = s.ok(Request::Identify);
    let words: [u32; IDENTITY_WORDS] = s.reply(&result).try_into().unwrap();
    Identity::from_words(&words)
}

#[test]
fn an_erase_that_never_ends_is_a_timeout_at_its_own_limit() {
    let mut s = Session::up(Board::new("is25wp064"));
    s.board.with(|m| m.nor.faults.stuck_wip = true);
    let start = s.board.with(|m| m.now);
    let fault = s.ask(ERASE_SECTOR).outcome.unwrap_err();
    let took = s.board.with(|m| m.now) - start;
    assert_eq!(
        (fault.code, fault.stage, fault.address),
        (FaultCode::Timeout, Stage::Erase, 0x3000)
    );
    assert_eq!(fault.expected, setup().erase_4k_limit_us);
    assert_eq!(fault.found & 1, 1, "WIP");
    let limit = u64::from(setup().erase_4k_limit_us);
    assert!((limit..limit * 11 / 10).contains(&took.as_us()), "{took}");
}

#[test]
fn a_bit_that_cannot_be_programmed_is_named() {
    let mut s = Session::up(Board::new("is25wp064"));
    s.board
        .with(|m| m.nor.faults.unprogrammable.push((0x4123, 0x10)));
    let fault = s.program(0x4000, &[0; 0x400]).outcome.unwrap_err();
    assert_eq!(
        (fault.code, fault.address),
        (FaultCode::ReadBackDiffers, 0x4120)
    );
    assert_eq!((fault.expected, fault.found), (0, 0x1000_0000));
}

#[test]
fn a_page_program_that_did_nothing_is_found() {
    let mut s = Session::up(Board::new("is25wp064"));
    s.board.with(|m| m.nor.faults.dropped_programs.push(2));
    let fault = s.program(0x4000, &noise(4, 0x1000)).outcome.unwrap_err();
    assert_eq!(
        (fault.code, fault.address),
        (FaultCode::ReadBackDiffers, 0x4200)
    );
}

#[test]
fn a_weak_erase_is_found_by_the_blank_check() {
    let mut s = Session::up(Board::new("is25wp064"));
    s.board.with(|m| {
        m.nor.content_mut()[0x3000..0x4000].fill(0);
        m.nor.faults.weak_erase.push((0x3ABC, 0x01));
    });
    let fault = s.ask(ERASE_SECTOR).outcome.unwrap_err();
    assert_eq!((fault.code, fault.address), (FaultCode::NotBlank, 0x3ABC));
    assert_eq!(fault.found, 0xFFFF_FFFE);
}

#[test]
fn a_missing_flash_is_identified_as_all_ones_soon() {
    let board = Board::new("is25wp064");
    board.with(|m| m.nor.faults.absent = true);
    let mut s = Session::start(board, setup());
    assert!(s.status().is_up(setup().session));
    assert_eq!(identity(&mut s).jedec_id, [0xFF; 3]);
    let took = s.board.with(|m| m.now);
    assert!(took.as_us() < 200_000, "{took}");
}

#[test]
fn a_suspended_erase_is_resumed_before_anything_else() {
    let s = Session::up(Board::new("is25wp064"));
    let mut board = s.board.clone();
    drop(s);
    board.with(|m| m.nor.content_mut()[..0x1_0000].fill(0));
    start_and_suspend(&mut board);
    let mut s = Session::up(board);
    assert_eq!(identity(&mut s).found & FOUND_SUSPENDED, FOUND_SUSPENDED);
    s.board.with(|m| {
        assert!(m.nor.content()[..0x1_0000].iter().all(|b| *b == 0xFF));
    });
}

/// WREN, D8h, 75h through the controller.
fn start_and_suspend(board: &mut Board) {
    use flexspi_nor::controller;
    use flexspi_nor::lease::Lease;
    use flexspi_nor::lut::{self, Slot};
    use flexspi_nor::machine::Machine;
    use mailbox::words::RawWords;
    let lease = Lease::new(RawWords::none(), u32::MAX);
    let mut machine = Machine::start(board.clone(), lease);
    let sequences = [
        (Slot::Erase, lut::addressed(0xD8)),
        (Slot::Bare, lut::bare(0x75)),
    ];
    controller::load(&mut machine, &sequences).unwrap();
    controller::command(&mut machine, Slot::WriteEnable, 0, Stage::Erase).unwrap();
    controller::command(&mut machine, Slot::Erase, 0, Stage::Erase).unwrap();
    machine.pause(1_000);
    controller::command(&mut machine, Slot::Bare, 0, Stage::Erase).unwrap();
    machine.pause(200);
}

#[test]
fn watchdogs_that_cannot_be_turned_off_are_serviced() {
    const WDOG1_WCR: u32 = 0x400B_8000;
    const RTWDOG_CS: u32 = 0x400B_C000;
    const RTWDOG_CNT: u32 = 0x400B_C004;
    const RTWDOG_TOVAL: u32 = 0x400B_C008;
    let mut board = Board::new("is25wp064");
    // WDOG1 with WDE and the shortest time, 0.5 s; RTWDOG at 2 s with UPDATE = 0.
    board.write16(WDOG1_WCR, 0x0034);
    board.write32(RTWDOG_CNT, 0xD928_C520);
    board.write32(RTWDOG_TOVAL, 0xFFFF);
    board.write32(RTWDOG_CS, 0x2180);
    let mut s = Session::up(board);
    let found = identity(&mut s).found;
    let locked = FOUND_WDOG1_LOCKED | FOUND_RTWDOG_LOCKED;
    assert_eq!(found & locked, locked, "{found:#x}");
    s.board.with(|m| m.nor.content_mut().fill(0));
    for block in 0..40 {
        s.ok(Request::Erase {
            address: block << 16,
            size: 0x1_0000,
            opcode: 0xD8,
            flags: ERASE_CHECK_BLANK,
        });
        let due = s.board.with(|m| m.soc.watchdog_due(m.now));
        assert_eq!(due, None, "block {block}");
    }
    assert!(s.board.with(|m| m.now).as_us() > 5_000_000);
    s.board.assert_clean();
}
