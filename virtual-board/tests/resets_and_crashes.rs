//! What power, resets and a bad image do to core, RAM and debug logic of the whole board.
#![allow(clippy::expect_used, reason = "a panic is how a test fails")]

#[allow(
    dead_code,
    reason = "the ROM's own tests use more of their bench than these"
)]
#[allow(unused_imports, reason = "as above")]
mod boot_rom_bench;

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use boot_rom_bench::{Image, QE};
use virtual_board::board::{Board, BoardConfig, BoardHandle, Supply};
use virtual_board::bus::Width;
use virtual_board::cpu::State;
use virtual_board::nor::Part;
use virtual_board::rom::{Outcome, Reading};
use virtual_board::swd::{ApError, ApTarget};
use virtual_board::time::Time;

const DHCSR: u32 = 0xE000_EDF0;
const DCRSR: u32 = 0xE000_EDF4;
const DCRDR: u32 = 0xE000_EDF8;
const MPU_CTRL: u32 = 0xE000_ED94;
const DEMCR: u32 = 0xE000_EDFC;
const AIRCR: u32 = 0xE000_ED0C;
const COMPARATOR_1: u32 = 0xE000_1030;
const RAM: [u32; 4] = [0x0000_0100, 0x2000_0100, 0x2020_9000, 0x2028_0100];

static SERIAL: AtomicU32 = AtomicU32::new(0);

fn board(image: &Image, reading: Reading) -> BoardHandle {
    let serial = format!("resets-{}", SERIAL.fetch_add(1, Ordering::Relaxed));
    let part = Part::builtin("is25wp064").expect("part");
    let config = BoardConfig {
        reading,
        ..BoardConfig::new(part)
    };
    let board = BoardHandle::start(config, &serial).expect("board");
    let flash = image.flash.clone();
    board
        .with(move |b| {
            {
                let mut system = b.chip.system.borrow_mut();
                system.nor.content_mut()[..flash.len()].copy_from_slice(&flash);
                system.nor.set_status_register(QE);
            }
            b.power_cycle(1);
        })
        .expect("board");
    board.sleep(Duration::from_millis(20)).expect("board");
    board
}

fn read(b: &mut Board, address: u32) -> u32 {
    b.chip.wire_now = b.now();
    b.chip.ap_read(address, Width::Word, 0).expect("read")
}

fn write(b: &mut Board, address: u32, value: u32) {
    b.chip.wire_now = b.now();
    b.chip
        .ap_write(address, Width::Word, value, 0)
        .expect("write");
}

fn outcome(board: &BoardHandle) -> Outcome {
    let outcome = board.with(|b| b.chip.rom_outcome()).expect("board");
    outcome.expect("decided")
}

/// An image whose vector table starts with `sp` and `reset`, and whose code at 0x60002100 is `code`.
fn image(sp: u32, reset: u32, code: [u16; 2]) -> Image {
    let mut image = Image::sdk();
    for (at, word) in [
        (0x2000, sp),
        (0x2004, reset),
        (0x2100, u32::from(code[0]) | u32::from(code[1]) << 16),
    ] {
        image.flash[at..at + 4].copy_from_slice(&word.to_le_bytes());
    }
    image
}

const LOOP: [u16; 2] = [0xE7FE, 0xE7FE];
/// push {r0} ; b .
const PUSH: [u16; 2] = [0xB401, 0xE7FE];
const SOUND_SP: u32 = 0x2002_0000;

#[test]
fn ram_forgets_everything_without_power_and_the_same_seed_gives_the_same_noise() {
    let board = board(&Image::sdk(), Reading::Strict);
    let after = |seed: u64| {
        let values = board.with(move |b| {
            RAM.into_iter()
                .for_each(|address| write(b, address, 0x600D_DA7A));
            b.power_cycle(seed);
            b.wait(Time::ms(20));
            RAM.map(|address| read(b, address))
        });
        values.expect("board")
    };
    let (first, second, again) = (after(7), after(8), after(7));
    assert!(first.iter().all(|word| *word != 0x600D_DA7A), "{first:X?}");
    assert!(
        first.iter().zip(second).all(|(a, b)| *a != b),
        "{first:X?} {second:X?}"
    );
    assert_eq!(first, again);
}

#[test]
fn ram_survives_the_reset_pin() {
    let board = board(&Image::sdk(), Reading::Strict);
    let value = board.with(|b| {
        write(b, 0x2000_0100, 0x600D_DA7A);
        b.set_reset_pin(false);
        b.set_reset_pin(true);
        b.wait(Time::ms(20));
        read(b, 0x2000_0100)
    });
    assert_eq!(value.expect("board"), 0x600D_DA7A);
}

/// Stops the core, has it execute `code` in OCRAM for a while and stops it again, as a debugger does.
fn execute(b: &mut Board, code: u32) {
    write(b, DHCSR, 0xA05F_0003);
    write(b, MPU_CTRL, 0);
    write(b, 0x2020_9000, code);
    write(b, DCRDR, 0x2020_9000);
    write(b, DCRSR, 0x1_000F);
    write(b, DHCSR, 0xA05F_0009);
    b.wait(Time::us(100));
    write(b, DHCSR, 0xA05F_0003);
}

#[test]
fn code_loaded_before_a_reset_is_no_stale_code_after_it() {
    let board = board(&Image::sdk(), Reading::Strict);
    let (within, beyond) = board
        .with(|b| {
            let violations = |b: &Board| b.chip.system.borrow().trace.violations();
            execute(b, 0xE7FE_E7FE);
            write(b, AIRCR, 0x05FA_0004);
            b.wait(Time::ms(20));
            let before = violations(b);
            execute(b, 0xE7FE_BF00);
            let beyond = violations(b) - before;
            // the same without a reset in between: the instruction cache that the ROM left on holds the old line
            execute(b, 0xE7FD_BF00);
            (violations(b) - before - beyond, beyond)
        })
        .expect("board");
    assert_eq!(beyond, 0, "the boot ROM invalidates what it turns on");
    assert_ne!(within, 0, "and nobody else did");
}

#[test]
fn a_system_reset_keeps_the_debug_logic_and_the_reset_pin_resets_it() {
    let board = board(&Image::sdk(), Reading::Strict);
    let (warm, held, cold) = board
        .with(|b| {
            write(b, DHCSR, 0xA05F_0001);
            write(b, DEMCR, 1 << 24);
            write(b, COMPARATOR_1, 0x6000_2100);
            write(b, AIRCR, 0x05FA_0004);
            let state = |b: &mut Board| (read(b, DHCSR) & 1, read(b, DEMCR), read(b, COMPARATOR_1));
            let warm = state(b);
            b.set_reset_pin(false);
            assert_eq!(b.chip.supply(), Supply::HeldInReset);
            b.chip.wire_now = b.now();
            let held = (
                b.chip.debug_port_answers(),
                b.chip.ap_read(DHCSR, Width::Word, 0),
            );
            b.set_reset_pin(true);
            (warm, held, state(b))
        })
        .expect("board");
    assert_eq!(warm, (1, 1 << 24, 0x6000_2100));
    assert_eq!(held, (false, Err(ApError::Fault)));
    assert_eq!((cold.0, cold.1), (0, 0), "C_DEBUGEN and TRCENA are gone");
}

#[test]
fn a_core_reset_is_a_violation_and_never_a_boot() {
    let board = board(&Image::sdk(), Reading::Lenient);
    assert!(matches!(outcome(&board), Outcome::Booted { .. }));
    let (resets, state) = board
        .with(|b| {
            let before = b.chip.resets();
            write(b, AIRCR, 0x05FA_0001);
            b.wait(Time::ms(20));
            (b.chip.resets() - before, b.chip.cpu.state().clone())
        })
        .expect("board");
    assert_eq!((resets, state), (0, State::UnknownRomCode));
    let violations = board.violations().expect("board");
    assert!(
        violations.iter().any(|v| v.contains("VECTRESET")),
        "{violations:?}"
    );
    let gpr = board.with(|b| read(b, 0x402A_8200)).expect("board");
    assert_eq!(gpr, 0x0A18_04EB, "the FlexSPI was not reset");
}

#[test]
fn a_debugger_may_start_code_after_a_core_reset() {
    let board = board(&Image::sdk(), Reading::Lenient);
    let pc = board
        .with(|b| {
            write(b, DHCSR, 0xA05F_0001);
            write(b, DEMCR, 1);
            write(b, AIRCR, 0x05FA_0001);
            let halted = read(b, DHCSR) & 1 << 17;
            assert_ne!(halted, 0, "the vector catch holds it");
            write(b, 0x2020_9000, 0xE7FE_BF00);
            write(b, 0xE000_EDF8, 0x2020_9000);
            write(b, 0xE000_EDF4, 15 | 1 << 16);
            write(b, 0xE000_EDF8, 0x0100_0000);
            write(b, 0xE000_EDF4, 16 | 1 << 16);
            write(b, DHCSR, 0xA05F_0001);
            b.wait(virtual_board::time::Time::ms(1));
            b.chip.cpu.pc()
        })
        .expect("board");
    assert_eq!(pc, 0x2020_9002);
}

#[test]
fn an_image_that_crashes_at_once_is_reported_as_crashed_and_not_as_booted() {
    let cases = [
        ("even reset vector", image(SOUND_SP, 0x6000_2100, LOOP)),
        ("stack outside RAM", image(0x6000_0000, 0x6000_2101, PUSH)),
        ("code that is no code", Image::sdk().entry(0x6000_2100)),
    ];
    for reading in [Reading::Strict, Reading::Lenient] {
        let sound = board(&image(SOUND_SP, 0x6000_2101, PUSH), reading);
        assert!(matches!(outcome(&sound), Outcome::Booted { .. }));
        for (name, image) in &cases {
            let board = board(image, reading);
            let outcome = outcome(&board);
            assert!(
                matches!(outcome, Outcome::Crashed { .. }),
                "{name}, {reading:?}: {outcome:?}"
            );
        }
    }
}

#[test]
fn an_exception_through_a_misaligned_vector_table_is_a_violation() {
    for (table, bad) in [(0x2021_0000, false), (0x2021_0080, true)] {
        let board = board(&Image::sdk(), Reading::Lenient);
        board
            .with(move |b| {
                write(b, DHCSR, 0xA05F_0003);
                write(b, 0xE000_ED94, 0);
                let ccr = read(b, 0xE000_ED14);
                write(b, 0xE000_ED14, ccr & !0x0003_0000);
                write(b, 0xE000_ED08, table);
                // SVC's vector, and svc #0 ; b .
                write(b, table + 0x2C, 0x2020_9003);
                write(b, 0x2020_9000, 0xE7FE_DF00);
                write(b, 0xE000_EDF8, 0x2020_9000);
                write(b, 0xE000_EDF4, 15 | 1 << 16);
                write(b, DHCSR, 0xA05F_0001);
                b.wait(virtual_board::time::Time::ms(1));
            })
            .expect("board");
        let violations = board.violations().expect("board");
        let told = violations
            .iter()
            .any(|v| v.contains("not aligned to 0x400"));
        assert_eq!(told, bad, "{violations:?}");
    }
}

#[test]
fn the_flexspis_clock_changes_only_while_module_or_gate_is_closed() {
    const CSCMR1: u32 = 0x400F_C01C;
    const CCGR6: u32 = 0x400F_C080;
    const PFD_480_CLR: u32 = 0x400D_80F8;
    const PODF: u32 = 7 << 23;
    const MCR0: u32 = 0x402A_8000;
    type Change = fn(&mut Board);
    let changes: [(Change, bool); 6] = [
        (|b| set(b, CSCMR1, PODF, 7 << 23), true),
        (|b| write(b, PFD_480_CLR, 0x3F), true),
        (|b| set(b, CSCMR1, 1 << 6, 1 << 6), false),
        (
            |b| {
                set(b, MCR0, 0, 2);
                set(b, CSCMR1, PODF, 7 << 23);
            },
            false,
        ),
        (
            |b| {
                set(b, CCGR6, 3 << 10, 0);
                set(b, CSCMR1, PODF, 7 << 23);
                set(b, CCGR6, 0, 3 << 10);
            },
            false,
        ),
        (|b| set(b, CCGR6, 3 << 12, 0), false),
    ];
    for (number, (change, bad)) in changes.into_iter().enumerate() {
        let board = board(&Image::sdk(), Reading::Strict);
        board
            .with(move |b| {
                write(b, DHCSR, 0xA05F_0003);
                change(b);
            })
            .expect("board");
        let violations = board.violations().expect("board");
        assert_eq!(
            violations.len(),
            usize::from(bad),
            "{number}: {violations:?}"
        );
    }
}

fn set(b: &mut Board, address: u32, clear: u32, set: u32) {
    let value = read(b, address) & !clear | set;
    write(b, address, value);
}

// Instruction by instruction: ARMv7-M Architecture Reference Manual, A7.7.
/// cpsid i ; wfi ; b to itself
const SLEEP: [u16; 3] = [0xB672, 0xBF30, 0xE7FE];

#[test]
fn an_access_that_stalls_on_a_sleeping_core_ends_when_the_core_wakes() {
    const CLPCR: u32 = 0x400F_C054;
    let mut image = Image::sdk();
    for (at, half) in SLEEP.into_iter().enumerate() {
        image.flash[0x2100 + 2 * at..][..2].copy_from_slice(&half.to_le_bytes());
    }
    image.flash[0x2004..0x2008].copy_from_slice(&0x6000_2101u32.to_le_bytes());
    let board = board(&image, Reading::Strict);
    board
        .with(|b| {
            assert_eq!(*b.chip.cpu.state(), State::Sleeping);
            let ask = |b: &mut Board, address| {
                b.chip.wire_now = b.now() + Time::us(50);
                b.chip.ap_read(address, Width::Word, 0)
            };
            assert_eq!(ask(b, CLPCR), Err(ApError::Wait));
            assert_eq!(ask(b, CLPCR), Err(ApError::Wait), "and again");
            // an interrupt that is masked wakes the core, and this one sleeps no more
            b.chip.cpu.scs.nvic.write_enabled(0, 1, true);
            b.chip.cpu.scs.nvic.pend(16);
            assert_eq!(ask(b, CLPCR), Ok(0x79));
        })
        .expect("board");
}

#[test]
fn the_debug_port_is_gone_while_its_pads_are_something_else() {
    let board = board(&image(SOUND_SP, 0x6000_2101, LOOP), Reading::Strict);
    board
        .with(|b| {
            assert!(b.chip.debug_port_answers());
            // GPIO_AD_B0_06 and GPIO_AD_B0_07, SWDIO and SWCLK
            for mux in [0x401F_80D4, 0x401F_80D8] {
                write(b, mux, 5);
                assert!(!b.chip.debug_port_answers());
                write(b, mux, 0);
                assert!(b.chip.debug_port_answers());
            }
            write(b, 0x401F_80D4, 5);
            b.set_reset_pin(false);
            b.set_reset_pin(true);
            assert!(b.chip.debug_port_answers(), "a reset gives the pads back");
        })
        .expect("board");
}
