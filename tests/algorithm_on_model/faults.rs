//! Broken chips, locked watchdogs, interrupted operations: each is reported as what it is.

use crate::board::Board;
use crate::host::{Session, noise, setup};
use flexspi_nor::bus::Bus;
use mailbox::Request;
use mailbox::fault::{FaultCode, Stage};
use mailbox::request::ERASE_CHECK_BLANK;
use mailbox::result::{
    FOUND_RTWDOG_LOCKED, FOUND_SUSPENDED, FOUND_WDOG1_LOCKED, FOUND_WDOG2_LOCKED, IDENTITY_WORDS,
    Identity,
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

/// A watchdog that is on and cannot be turned off.
struct Locked {
    name: &'static str,
    found: u32,
    set_up: fn(&mut Board),
}

const LOCKED: [Locked; 5] = [
    Locked {
        name: "WDOG1, 0.5 s",
        found: FOUND_WDOG1_LOCKED,
        set_up: |b| b.write16(0x400B_8000, 0x0034),
    },
    Locked {
        name: "WDOG2, 0.5 s",
        found: FOUND_WDOG2_LOCKED,
        set_up: |b| b.write16(0x400D_0000, 0x0034),
    },
    Locked {
        name: "RTWDOG, 2 s",
        found: FOUND_RTWDOG_LOCKED,
        set_up: |b| lock_rtwdog(b, 0xFFFF),
    },
    Locked {
        name: "RTWDOG, 10 ms",
        found: FOUND_RTWDOG_LOCKED,
        set_up: |b| lock_rtwdog(b, 328),
    },
    Locked {
        name: "all of them at their shortest",
        found: FOUND_WDOG1_LOCKED | FOUND_WDOG2_LOCKED | FOUND_RTWDOG_LOCKED,
        set_up: |b| {
            b.write16(0x400B_8000, 0x0034);
            b.write16(0x400D_0000, 0x0034);
            lock_rtwdog(b, 328);
        },
    },
];

/// On, from the 32 kHz clock, UPDATE = 0: no configuration is taken any more.
fn lock_rtwdog(b: &mut Board, ticks: u32) {
    b.write32(0x400B_C004, 0xD928_C520);
    b.write32(0x400B_C008, ticks);
    b.write32(0x400B_C000, 0x2180);
}

#[test]
fn watchdogs_that_cannot_be_turned_off_are_serviced() {
    for Locked {
        name,
        found,
        set_up,
    } in LOCKED
    {
        let mut board = Board::new("is25wp064");
        board.with(|m| m.watches = true);
        set_up(&mut board);
        let mut s = Session::up(board);
        let all = FOUND_WDOG1_LOCKED | FOUND_WDOG2_LOCKED | FOUND_RTWDOG_LOCKED;
        assert_eq!(identity(&mut s).found & all, found, "{name}");
        s.board.with(|m| m.nor.content_mut().fill(0));
        for block in 0..20 {
            s.ok(Request::Erase {
                address: block << 16,
                size: 0x1_0000,
                opcode: 0xD8,
                flags: ERASE_CHECK_BLANK,
            });
        }
        s.program(0x4000, &noise(4, 0x1000)).outcome.unwrap();
        s.ok(Request::Map {
            address: 0,
            length: 0x2_0000,
            nonce: 1,
        });
        s.ok(Request::Digest {
            address: 0,
            length: 0x4_0000,
            nonce: 2,
        });
        // an idle host that keeps its lease
        for _ in 0..200 {
            s.renew();
            assert_eq!(s.server.poll(), flexspi_nor::server::Next::GoOn);
        }
        s.ok(Request::Stop);
        assert!(s.board.with(|m| m.now).as_us() > 2_500_000, "{name}");
        let bitten = s.board.with(|m| m.bitten);
        assert_eq!(bitten, None, "{name}");
        println!("{name}: not bitten in {}", s.board.with(|m| m.now));
        s.board.assert_clean();
    }
}
