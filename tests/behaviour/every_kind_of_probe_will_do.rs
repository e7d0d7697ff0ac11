//! The same job passes through every kind of probe that the virtual board has, and fails as clearly through each.

use std::path::Path;

use rtflash::address::Address;
use rtflash::image::Image;
use rtflash::job::{self, Bench, Job, Outcome, Request};
use rtflash::link::{Choice, Connection, Link, VirtualBench};
use rtflash::report::Verdict;
use rtflash::target::Chip;
use virtual_board::board::BoardConfig;
use virtual_board::bus::{Bus, Width};
use virtual_board::probe::{CMSIS_DAP_V1, CMSIS_DAP_V2_HS, Profile};
use virtual_board::swd::{FlippedBit, WaitStorm, WireFaults};

use crate::bench;

const OCRAM: Address = Address::new(0x2020_9000);
const BATCHING: [Profile; 2] = [CMSIS_DAP_V1, CMSIS_DAP_V2_HS];

fn config(probe: Profile) -> BoardConfig {
    BoardConfig {
        probe,
        ..bench::config()
    }
}

fn blinky() -> Image {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/blinky-xip.headerless.hex");
    let bytes = std::fs::read(&path).expect("fixture");
    Image::parse(&path, &bytes).expect("image")
}

fn flash_blinky(board: &VirtualBench) -> Outcome {
    let target = bench::target();
    let bench = Bench::virtual_board(Choice::default(), board.clone());
    job::flash(&Job::new(&target), &Request::new(blinky()), &bench, &mut ())
}

#[test]
fn a_real_application_passes_through_every_probe_and_breaks_no_rule_of_the_manuals() {
    for probe in Profile::ALL {
        let board = bench::start(config(probe));
        let outcome = flash_blinky(&board);
        assert!(
            matches!(outcome.record.verdict, Verdict::Pass(_)),
            "{}: {:?}",
            probe.name,
            outcome.problem
        );
        assert_eq!(bench::violations(&board), [] as [&str; 0], "{}", probe.name);
    }
}

#[test]
fn a_write_is_at_the_target_when_it_returns() {
    for probe in BATCHING {
        let board = bench::start(config(probe));
        let choice = Choice {
            probe: Some(board.selector()),
            ..Choice::default()
        };
        let chip = Chip::builtin("MIMXRT1062").expect("chip");
        let mut connection = Connection::open(&choice, &chip, board.clock()).expect("connection");
        let mut link = connection.link(&chip).expect("link");
        let seen = || {
            board
                .board()
                .with(|b| {
                    let mut system = b.chip.system.borrow_mut();
                    system.read(OCRAM.get(), Width::Word).expect("OCRAM")
                })
                .expect("board")
        };
        link.write(OCRAM, &[0x1234_5678]).expect("write");
        assert_eq!(seen(), 0x1234_5678, "{}", probe.name);
        link.write_once(OCRAM, 0x9ABC_DEF0).expect("write");
        assert_eq!(seen(), 0x9ABC_DEF0, "{}", probe.name);
    }
}

#[test]
fn flipped_bits_and_waits_are_ridden_out() {
    for probe in BATCHING {
        // The first within the download of the algorithm, the second within its read-back, the third later.
        let flipped = [(1_000, 3), (9_000, 17), (12_500, 32)];
        let flipped = flipped.map(|(transfer, bit)| FlippedBit { transfer, bit });
        let board = bench::start(BoardConfig {
            wire_faults: WireFaults {
                flipped_bits: flipped.to_vec(),
                wait_storm: Some(WaitStorm {
                    from: 2_000,
                    transfers: 300,
                }),
                ..WireFaults::default()
            },
            ..config(probe)
        });
        let outcome = flash_blinky(&board);
        assert!(
            matches!(outcome.record.verdict, Verdict::Pass(_)),
            "{}: {:?}",
            probe.name,
            outcome.problem
        );
        let counts = board.board().with(|b| b.dp_mut().counts()).expect("board");
        assert!(counts.waits >= 300, "{}: {counts:?}", probe.name);
        assert!(counts.transfers > 12_500, "{}: {counts:?}", probe.name);
    }
}

#[test]
fn a_cable_cut_anywhere_is_never_a_pass() {
    for probe in BATCHING {
        let board = bench::start(config(probe));
        flash_blinky(&board);
        let all = board.board().with(|b| b.dp_mut().counts().transfers);
        let all = all.expect("board");
        for part in 0..6 {
            let board = bench::start(BoardConfig {
                wire_faults: WireFaults {
                    cable_cut_at: Some(all * part / 6),
                    ..WireFaults::default()
                },
                ..config(probe)
            });
            let outcome = flash_blinky(&board);
            let at = format!("{} at {part}/6", probe.name);
            assert!(!matches!(outcome.record.verdict, Verdict::Pass(_)), "{at}");
            assert!(outcome.problem.is_some(), "{at}");
        }
    }
}
