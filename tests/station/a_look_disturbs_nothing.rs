//! Looking whether a board is there: right for every kind of probe, and the board does not notice.

use std::path::Path;
use std::time::Duration;

use rtflash::image::Image;
use rtflash::job::{self, Bench, Job, Request};
use rtflash::link::{Choice, LinkError, ProbePlace, SeatSign, SeatWatch, VirtualBench};
use rtflash::report::Verdict;
use rtflash::target::Target;
use virtual_board::board::BoardConfig;
use virtual_board::probe::Profile;

use crate::apps::Code;
use crate::floor::{config, start};
use crate::images::{APPLICATION, intel_hex};

const SIGNS: [SeatSign; 2] = [SeatSign::Supply, SeatSign::DebugPort];

fn watch(board: &VirtualBench, sign: SeatSign) -> SeatWatch {
    SeatWatch::new(ProbePlace::Named(board.selector()), sign)
}

/// An application that toggles a pin in every SysTick interrupt and sleeps in between: virtual milliseconds of it cost the
/// emulator little. Registers: IMXRT1060RM GPIO chapter, ARMv7-M ARM B3.2.5 and B3.3.
fn blinky() -> Vec<u8> {
    const SYSTICK: usize = 15;
    const GPIO1_GDIR: u32 = 0x401B_8004;
    const GPIO1_DR_TOGGLE: u32 = 0x401B_808C;
    const VTOR: u32 = 0xE000_ED08;
    const SYST_CSR: u32 = 0xE000_E010;
    const SYST_RVR: u32 = 0xE000_E014;
    const BX_LR: [u8; 2] = [0x70, 0x47];
    let mut handler = Code::new().store(GPIO1_DR_TOGGLE, 1).bytes();
    handler.extend(BX_LR);
    handler.resize(handler.len().next_multiple_of(4), 0);
    let main = Code::new()
        .store(GPIO1_GDIR, 1)
        .store(VTOR, APPLICATION)
        .store(SYST_RVR, 200_000)
        .store(SYST_CSR, 7)
        .interrupts_on()
        .idle_here();
    let code = APPLICATION + 64;
    let reset = code + handler.len() as u32;
    let mut words = [reset | 1; 16];
    (words[0], words[SYSTICK]) = (0x2001_0000, code | 1);
    let mut bytes: Vec<u8> = words
        .iter()
        .flat_map(|word: &u32| word.to_le_bytes())
        .collect();
    bytes.extend(handler);
    bytes.extend(main.bytes());
    bytes
}

fn flash(board: &VirtualBench) {
    let hex = intel_hex(&[(APPLICATION, blinky())]);
    let image = Image::parse(Path::new("blinky.hex"), hex.as_bytes()).expect("image");
    let target = Target::builtin("mimxrt1062", "is25wp064", "qspi").expect("target");
    let bench = Bench::virtual_board(Choice::default(), board.clone());
    let outcome = job::flash(&Job::new(&target), &Request::new(image), &bench, &mut ());
    assert!(
        matches!(outcome.record.verdict, Verdict::Pass(_)),
        "{:?}",
        outcome.problem
    );
}

/// Edges of the LED so far, resets, and what a debugger wrote to the core.
fn life(board: &VirtualBench) -> (usize, u32, usize) {
    let life = board.board().with(|b| {
        let edges = b.chip.system.borrow().soc.gpio_edges().len();
        (edges, b.chip.resets(), b.chip.debug_writes.len())
    });
    life.expect("board")
}

#[test]
fn an_application_runs_on_under_a_hundred_looks_through_every_probe() {
    for probe in Profile::ALL {
        let board = start(BoardConfig { probe, ..config(1) });
        flash(&board);
        for sign in SIGNS {
            let before = life(&board);
            let mut watch = watch(&board, sign);
            for _ in 0..100 {
                assert!(watch.look().expect("a look"), "{} {sign:?}", probe.name);
                board
                    .board()
                    .sleep(Duration::from_millis(1))
                    .expect("board");
            }
            let after = life(&board);
            assert!(
                after.0 > before.0 + 50,
                "{}: the pin stands still, {before:?} {after:?}",
                probe.name
            );
            assert_eq!(
                (after.1, after.2),
                (before.1, before.2),
                "{} {sign:?}",
                probe.name
            );
            let halted = board.board().with(|b| b.chip.cpu.debug.halted());
            assert!(!halted.expect("board"), "{} {sign:?}", probe.name);
        }
        let violations = board.board().violations().expect("board");
        assert_eq!(violations, [] as [&str; 0], "{}", probe.name);
    }
}

#[test]
fn a_seat_without_power_is_empty_and_one_with_it_is_not() {
    for probe in Profile::ALL {
        let board = start(BoardConfig {
            powered: false,
            probe,
            ..config(1)
        });
        for sign in SIGNS {
            let mut watch = watch(&board, sign);
            assert!(!watch.look().expect("a look"), "{} {sign:?}", probe.name);
            board.board().with(|b| b.power_cycle(0)).expect("board");
            assert!(watch.look().expect("a look"), "{} {sign:?}", probe.name);
            board.board().with(|b| b.chip.power_off(0)).expect("board");
            assert!(!watch.look().expect("a look"), "{} {sign:?}", probe.name);
        }
    }
}

#[test]
fn a_probe_that_is_gone_is_no_empty_seat_and_is_found_again() {
    for probe in Profile::ALL {
        let board = start(BoardConfig { probe, ..config(1) });
        for sign in SIGNS {
            let mut watch = watch(&board, sign);
            assert!(watch.look().expect("a look"));
            for round in 0..2 {
                board.board().with(|b| b.set_plugged(false)).expect("board");
                for _ in 0..2 {
                    let gone = watch.look();
                    assert!(gone.is_err(), "{} {sign:?} {round}: {gone:?}", probe.name);
                }
                board.board().with(|b| b.set_plugged(true)).expect("board");
                assert!(watch.look().expect("a look"), "{} {sign:?}", probe.name);
            }
        }
    }
}

#[test]
fn a_probe_in_use_elsewhere_is_told_as_that_and_a_closed_watch_uses_none() {
    let board = start(config(1));
    let mut first = watch(&board, SeatSign::DebugPort);
    assert!(first.look().expect("a look"));
    let mut second = watch(&board, SeatSign::DebugPort);
    assert!(matches!(second.look(), Err(LinkError::Busy { .. })));
    first.close();
    assert!(second.look().expect("a look"));
}
