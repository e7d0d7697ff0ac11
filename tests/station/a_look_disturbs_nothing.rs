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

use crate::floor::{config, start};

const SIGNS: [SeatSign; 2] = [SeatSign::Supply, SeatSign::DebugPort];

fn watch(board: &VirtualBench, sign: SeatSign) -> SeatWatch {
    SeatWatch::new(ProbePlace::Named(board.selector()), sign)
}

fn blinky(board: &VirtualBench) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/blinky-xip.headerless.hex");
    let image = Image::parse(&path, &std::fs::read(&path).expect("fixture")).expect("image");
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
        blinky(&board);
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
            assert!(after.0 > before.0, "{}: the LED stands still", probe.name);
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
