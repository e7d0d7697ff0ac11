//! The boot ROM's FlexSPI NOR API as a program on the core calls it, through the tree at 0x0020001C.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

use virtual_board::board::{Board, BoardConfig, BoardHandle};
use virtual_board::bus::{Bus, Width};
use virtual_board::cpu::State;
use virtual_board::nor::Part;
use virtual_board::rom::api::RomErase;
use virtual_board::swd::ApTarget;
use virtual_board::time::Time;

const TREE_POINTER: u32 = 0x0020_001C;
const TREE_NOR_DRIVER: u32 = 0x10;
// Offsets in the driver table.
const INIT: u32 = 0x04;
const PAGE_PROGRAM: u32 = 0x08;
const ERASE_ALL: u32 = 0x0C;
const ERASE: u32 = 0x10;
const READ: u32 = 0x14;
const GET_CONFIG: u32 = 0x24;

// The caller's RAM.
const CODE: u32 = 0x2021_0000;
const RESULT: u32 = 0x2021_0100;
const OPTION: u32 = 0x2021_0104;
const CONFIG: u32 = 0x2021_0400;
const BUFFER: u32 = 0x2021_1000;
const STACK: u32 = 0x2021_8000;
/// The option of the stock algorithm: SFDP, 100 MHz.
const ANY_QUAD_FLASH: u32 = 0xC000_0006;
const NOT_RETURNED: u32 = 0x4E4F_5445;
/// ldr r0 to r3 and r4 from the literals at +1Ch; blx r4; ldr r5; str r0, [r5]; b .
const CALLER: [u32; 7] = [
    0x4907_4806,
    0x4B08_4A07,
    0x47A0_4C08,
    0x6028_4D08,
    0x0000_E7FE,
    0,
    0,
];
const ROM: std::ops::Range<u32> = 0x0020_0000..0x0022_0000;
const DHCSR: u32 = 0xE000_EDF0;
const DCRSR: u32 = 0xE000_EDF4;
const DCRDR: u32 = 0xE000_EDF8;

fn read(b: &mut Board, address: u32) -> u32 {
    let mut system = b.chip.system.borrow_mut();
    system.read(address, Width::Word).expect("read")
}

fn write(b: &mut Board, address: u32, value: u32) {
    let mut system = b.chip.system.borrow_mut();
    system.write(address, Width::Word, value).expect("write");
}

/// Lets the core call the function at `offset` of the driver table.
fn start(b: &mut Board, offset: u32, r1: u32, r2: u32, r3: u32, fifth: u32) {
    let tree = read(b, TREE_POINTER);
    let table = read(b, tree + TREE_NOR_DRIVER);
    let function = read(b, table + offset);
    assert!(ROM.contains(&function), "{function:08X} lies in the ROM");
    let literals = [0, r1, r2, r3, function, RESULT];
    for (address, word) in (CODE..).step_by(4).zip(CALLER.into_iter().chain(literals)) {
        write(b, address, word);
    }
    write(b, RESULT, NOT_RETURNED);
    write(b, STACK, fifth);
    b.chip.cpu.start(Some(STACK), CODE | 1, CODE);
}

/// Waits for the call's end: its status and how long it took.
fn finish(b: &mut Board) -> (u32, Time) {
    let begun = b.now();
    while read(b, RESULT) == NOT_RETURNED {
        assert_eq!(*b.chip.cpu.state(), State::Running);
        assert!(b.now().saturating_sub(begun) < Time::ms(60_000), "returns");
        // fine steps for what is short
        let so_far = b.now().saturating_sub(begun);
        let fine = so_far < Time::ms(1);
        b.wait(Time::us(if fine { 2 } else { 100 }));
    }
    (read(b, RESULT), b.now().saturating_sub(begun))
}

fn call(b: &mut Board, offset: u32, arguments: [u32; 4]) -> (u32, Time) {
    let [r1, r2, r3, fifth] = arguments;
    start(b, offset, r1, r2, r3, fifth);
    finish(b)
}

fn set_up(b: &mut Board) {
    write(b, OPTION, ANY_QUAD_FLASH);
    assert_eq!(call(b, GET_CONFIG, [CONFIG, OPTION, 0, 0]).0, 0);
    assert_eq!(call(b, INIT, [CONFIG, 0, 0, 0]).0, 0);
}

/// A board whose ROM has given up on the blank flash, at the mercy of the core's code.
fn board(name: &str, change: impl FnOnce(&mut BoardConfig)) -> BoardHandle {
    let mut config = BoardConfig::new(Part::builtin("is25wp064").expect("part"));
    change(&mut config);
    let board = BoardHandle::start(config, &format!("rom-api-{name}")).expect("board");
    board
        .with(|b| {
            b.wait(Time::ms(50));
            b.chip.cpu.leave_rom();
            b.chip.cpu.set_rom_mpu(false);
            b.chip.cpu.set_caches(false);
        })
        .expect("board");
    board
}

fn no_violations(board: &BoardHandle) {
    let violations = board.violations().expect("violations");
    assert_eq!(violations, Vec::<String>::new());
}

#[test]
fn get_config_finds_by_sfdp_the_block_that_nxp_ships_for_this_flash() {
    let board = board("config", |_| ());
    let words = board
        .with(|b| {
            write(b, OPTION, ANY_QUAD_FLASH);
            assert_eq!(call(b, GET_CONFIG, [CONFIG, OPTION, 0, 0]).0, 0);
            let words = (0..0x200u32).step_by(4);
            words
                .map(|offset| (offset, read(b, CONFIG + offset)))
                .filter(|(_, word)| *word != 0)
                .collect::<Vec<_>>()
        })
        .expect("board");
    // NXP's evkmimxrt1060_flexspi_nor_config.c, at 100 instead of 120 MHz, and the QE command
    let expected = [
        (0x000, 0x4246_4346),
        (0x004, 0x5601_0400),
        (0x00C, 0x0003_0301),
        (0x010, 0x0000_0101),
        (0x014, 0x0000_0401),
        (0x018, 0x0000_0040),
        (0x040, 0x0000_0010),
        (0x044, 0x0006_0401),
        (0x050, 0x0080_0000),
        (0x080, 0x0A18_04EB),
        (0x084, 0x2604_3206),
        (0x090, 0x2404_0405),
        (0x0B0, 0x0000_0406),
        (0x0C0, 0x2001_0401),
        (0x0D0, 0x0818_0420),
        (0x100, 0x0818_04D8),
        (0x110, 0x0818_0402),
        (0x114, 0x0000_2004),
        (0x130, 0x0000_0460),
        (0x1C0, 256),
        (0x1C4, 4096),
        (0x1C8, 1),
        (0x1D0, 65_536),
    ];
    assert_eq!(words, expected);
    no_violations(&board);
}

#[test]
fn a_page_program_costs_its_wire_time_on_one_line_and_two_clock_switches() {
    let board = board("program", |_| ());
    let (time, written, back) = board
        .with(|b| {
            set_up(b);
            let source: Vec<u32> = (0..64).map(|i: u32| i.wrapping_mul(0x9E37_79B9)).collect();
            for (address, word) in (BUFFER..).step_by(4).zip(&source) {
                write(b, address, *word);
            }
            let (status, time) = call(b, PAGE_PROGRAM, [CONFIG, 0x0012_3400, BUFFER, 0]);
            assert_eq!(status, 0);
            let bytes: Vec<u8> = source.iter().flat_map(|w| w.to_le_bytes()).collect();
            assert_eq!(
                b.chip
                    .system
                    .borrow()
                    .nor
                    .content()
                    .get(0x12_3400..0x12_3500),
                Some(&bytes[..])
            );
            // the fifth argument is on the stack; 250 bytes end in a partial word
            let to = BUFFER + 0x400;
            write(b, to + 248, 0);
            assert_eq!(call(b, READ, [CONFIG, to, 0x0012_3400, 250]).0, 0);
            let back: Vec<u32> = (0..64).map(|i| read(b, to + 4 * i)).collect();
            (time, source, back)
        })
        .expect("board");
    assert_eq!(back.get(..62), written.get(..62), "248 bytes in words");
    let last = written.get(62).map(|word| word & 0xFFFF);
    assert_eq!(back.get(62).copied(), last, "and two bytes");
    // 2080 clocks at 31.76 MHz and tPP are 265.5 us; the rest is the driver's register accesses at 396 MHz
    let us = time.as_us();
    println!("page program: {us} us");
    assert!((266..340).contains(&us), "{us} us");
    no_violations(&board);
}

#[test]
fn the_published_erase_takes_blocks_only_at_the_first_two_of_them() {
    let erases = |name: &str, variant| {
        let board = board(name, |config| config.rom_erase = variant);
        let counts = board
            .with(|b| {
                set_up(b);
                let mut erase = |start, length| {
                    let before = b.chip.system.borrow().nor.counters();
                    let (status, time) = call(b, ERASE, [CONFIG, start, length, 0]);
                    assert_eq!(status, 0);
                    let after = b.chip.system.borrow().nor.counters();
                    (
                        after.block_erases - before.block_erases,
                        after.sector_erases - before.sector_erases,
                        time.as_us() / 1000,
                    )
                };
                [
                    erase(0, 0x1_0000),
                    erase(0x1_0000, 0x1_0000),
                    erase(0x2_0000, 0x1_0000),
                    erase(0x7F_0000, 0x1_0000),
                    // not aligned: whole sectors around it
                    erase(0x1_FF80, 0x1_0100),
                ]
            })
            .expect("board");
        no_violations(&board);
        counts
    };
    // 150 ms a block, 70 ms a sector
    assert_eq!(
        erases("published", RomErase::AsPublished),
        [
            (1, 0, 150),
            (1, 0, 150),
            (0, 16, 1120),
            (0, 16, 1120),
            (0, 18, 1260)
        ]
    );
    assert_eq!(
        erases("sound", RomErase::Sound),
        [
            (1, 0, 150),
            (1, 0, 150),
            (1, 0, 150),
            (1, 0, 150),
            (1, 2, 290)
        ]
    );
}

#[test]
fn the_chip_erase_takes_its_time_and_the_whole_chip() {
    let board = board("chip", |_| ());
    board
        .with(|b| {
            b.chip.system.borrow_mut().nor.content_mut().fill(0x55);
            set_up(b);
            let (status, time) = call(b, ERASE_ALL, [CONFIG, 0, 0, 0]);
            assert_eq!((status, time.as_us() / 1_000_000), (0, 16));
            let system = b.chip.system.borrow();
            assert!(system.nor.content().iter().all(|byte| *byte == 0xFF));
        })
        .expect("board");
    no_violations(&board);
}

#[test]
fn block_protection_goes_only_where_qe_had_to_be_set() {
    for (name, status, cleared) in [("bp", 0x3C, true), ("bp-qe", 0x7C, false)] {
        let board = board(name, |_| ());
        let (register, byte) = board
            .with(move |b| {
                b.chip.system.borrow_mut().nor.set_status_register(status);
                set_up(b);
                write(b, BUFFER, 0);
                assert_eq!(call(b, PAGE_PROGRAM, [CONFIG, 0, BUFFER, 0]).0, 0);
                let system = b.chip.system.borrow();
                (
                    system.nor.status_register() & 0x7C,
                    system.nor.content().first().copied(),
                )
            })
            .expect("board");
        let expected = if cleared { (0x40, 0x00) } else { (0x7C, 0xFF) };
        assert_eq!((register, byte), (expected.0, Some(expected.1)));
    }
}

#[test]
fn a_debugger_halts_a_call_sees_the_rom_and_lets_it_go_on() {
    let board = board("halt", |_| ());
    board
        .with(|b| {
            set_up(b);
            start(b, ERASE, CONFIG, 0, 0x1000, 0);
            b.wait(Time::ms(1));
            let poke = |b: &mut Board, address, value| {
                b.chip.wire_now = b.now();
                b.chip
                    .ap_write(address, Width::Word, value, 0)
                    .expect("poke");
            };
            poke(b, DHCSR, 0xA05F_0003);
            b.wait(Time::ms(100));
            poke(b, DCRSR, 15);
            b.chip.wire_now = b.now();
            let pc = b.chip.ap_read(DCRDR, Width::Word, 0).expect("pc");
            assert!(ROM.contains(&pc), "PC {pc:08X}");
            assert_eq!(
                read(b, RESULT),
                NOT_RETURNED,
                "the flash is ready, the core is not"
            );
            poke(b, DHCSR, 0xA05F_0001);
            assert_eq!(finish(b).0, 0);
        })
        .expect("board");
    no_violations(&board);
}

#[test]
fn a_flash_that_does_not_answer_has_no_sfdp() {
    let board = board("absent", |config| config.nor_faults.absent = true);
    let status = board.with(|b| {
        write(b, OPTION, ANY_QUAD_FLASH);
        call(b, GET_CONFIG, [CONFIG, OPTION, 0, 0]).0
    });
    assert_eq!(status.expect("board"), 20_007);
}

#[test]
fn what_the_model_does_not_know_of_the_rom_is_never_silent() {
    let board = board("unknown", |_| ());
    let (version, limit) = board
        .with(|b| {
            let tree = read(b, TREE_POINTER);
            let version = b.chip.system.borrow_mut().read(tree, Width::Word);
            // HyperFlash
            write(b, OPTION, 0xC020_0006);
            start(b, GET_CONFIG, CONFIG, OPTION, 0, 0);
            b.wait(Time::ms(1));
            (version, b.chip.cpu.state().clone())
        })
        .expect("board");
    assert!(version.is_err(), "the tree's version faults");
    assert!(matches!(limit, State::ModelLimit(_)), "{limit:?}");
    let violations = board.violations().expect("violations");
    assert!(
        violations.iter().any(|line| line.contains("boot ROM")),
        "{violations:?}"
    );
}
