//! Sessions of the server: identify, map, stream, verify, stop, and what happens when the host goes away.

use std::time::Duration;

use mailbox::Request;
use rtflash::address::FlashOffset;
use rtflash::algorithm::{Algorithm, AlgorithmError, Operation};
use rtflash::link::VirtualBench;
use rtflash::problem::{ExitCode, Problem};
use rtflash::verify::{Expected, Verification, verify};
use virtual_board::board::BoardConfig;
use virtual_board::nor::Part;

use crate::bench::{assert_clean, bench, flash, noise, taken_over, target};

const SEED: u32 = 0x5EED;

fn erase(address: u32, size: u32, opcode: u8) -> Operation {
    Operation::Plain(Request::Erase {
        address,
        size,
        opcode,
        flags: 1,
    })
}

fn program(offset: u32, data: &[u8]) -> Operation {
    Operation::Program {
        offset: FlashOffset::new(offset),
        data: data.to_vec(),
    }
}

#[test]
fn a_session_identifies_and_stops_within_few_transactions() {
    let bench = bench(|_| {});
    let target = target();
    let before = bench.transactions();
    taken_over(&bench, |link| {
        let mut algorithm = Algorithm::start(link, &target, SEED).unwrap();
        let identity = algorithm.identify().unwrap();
        assert_eq!(identity.jedec_id, target.flash().jedec_id);
        let stopped = algorithm.stop().unwrap();
        assert_eq!(stopped.jedec_id, target.flash().jedec_id);
    });
    let used = bench.transactions() - before;
    assert!(used < 300, "{used} transactions");
    assert_clean(&bench);
}

#[test]
fn a_board_whose_flexram_split_has_no_dtcm_is_served_from_ocram() {
    const FLEXRAM_FUSES: u32 = 0x6D0;
    let mut config = BoardConfig::new(Part::builtin("is25wp064").unwrap());
    // a split that no source gives: the virtual board then has neither ITCM nor DTCM
    config.fuses.set_word(FLEXRAM_FUSES, 1 << 16);
    let bench = VirtualBench::start(config).unwrap();
    let target = target();
    taken_over(&bench, |link| {
        let mut algorithm = Algorithm::start(link, &target, SEED).unwrap();
        let identity = algorithm.identify().unwrap();
        assert_eq!(identity.jedec_id, target.flash().jedec_id);
        algorithm.stop().unwrap();
    });
    let violations = bench.board().violations().unwrap();
    assert!(
        violations
            .iter()
            .all(|line| line.contains("flexram") || line.contains("0x2000")),
        "{violations:?}"
    );
}

#[test]
fn a_stream_of_erases_and_programs_ends_verified() {
    let old = noise(3, 8 << 20);
    let before = old.clone();
    let bench = bench(move |nor| nor.content_mut().copy_from_slice(&old));
    let target = target();
    let data = noise(17, 0x3_0000);
    taken_over(&bench, |link| {
        let mut algorithm = Algorithm::start(link, &target, SEED).unwrap();
        algorithm
            .perform(
                vec![Operation::Plain(Request::SetStatus {
                    value: 0x40,
                    mask: 0xFC,
                })],
                &mut |_| true,
            )
            .unwrap();
        let mut operations = Vec::new();
        for block in 0..3 {
            let at = 0x1_0000 + block * 0x1_0000;
            operations.push(erase(at, 0x1_0000, 0xD8));
            let from = (block * 0x1_0000) as usize;
            operations.push(program(at, &data[from..from + 0x1_0000]));
        }
        let mut seen = Vec::new();
        algorithm
            .perform(operations, &mut |progress| {
                seen.push(progress);
                true
            })
            .unwrap();
        assert_eq!(
            seen.last().map(|p| (p.done, p.total, p.programmed_bytes)),
            Some((6, 6, 0x3_0000))
        );
        let mut expected = vec![Expected {
            offset: FlashOffset::new(0x1_0000),
            bytes: data.clone(),
        }];
        let Verification::Equal(verified) = verify(&mut algorithm, &expected).unwrap() else {
            panic!("differs")
        };
        assert_eq!(verified.bytes(), 0x3_0000);
        expected[0].bytes[0x1_2345] ^= 0x10;
        let Verification::Differs(mismatch) = verify(&mut algorithm, &expected).unwrap() else {
            panic!("equal")
        };
        assert_eq!(mismatch.first.offset, FlashOffset::new(0x2_2345));
        assert_eq!(mismatch.first.found, data[0x1_2345]);
        algorithm.stop().unwrap();
    });
    let after = flash(&bench);
    assert!(after[..0x1_0000] == before[..0x1_0000] && after[0x4_0000..] == before[0x4_0000..]);
    assert!(after[0x1_0000..0x4_0000] == data[..]);
    assert_clean(&bench);
}

#[test]
fn a_map_tells_blank_equal_and_different() {
    let bench = bench(|nor| nor.content_mut()[0x1000..0x2000].fill(0x77));
    let target = target();
    taken_over(&bench, |link| {
        let mut algorithm = Algorithm::start(link, &target, SEED).unwrap();
        let map = algorithm.map(0, 3).unwrap();
        assert_eq!(
            [0, 1, 2, 3].map(|n| map.is_blank(n)),
            [Some(true), Some(false), Some(true), None]
        );
        assert_eq!(map.holds(1, &[0x77; 4096]), Some(true));
        assert_eq!(map.holds(1, &[0x78; 4096]), Some(false));
        let bytes = algorithm.read(FlashOffset::new(0xFFE), 0x1004).unwrap();
        assert_eq!(bytes[..3], [0xFF, 0xFF, 0x77]);
        assert_eq!(bytes[0x1001..], [0x77, 0xFF, 0xFF]);
    });
    assert_clean(&bench);
}

#[test]
fn a_protected_part_is_told_by_code_and_exit() {
    let bench = bench(|nor| {
        nor.set_status_register(0x3C);
        nor.content_mut()[..0x1000].fill(0);
    });
    let target = target();
    taken_over(&bench, |link| {
        let mut algorithm = Algorithm::start(link, &target, SEED).unwrap();
        let error = algorithm
            .perform(
                vec![
                    erase(0, 0x1000, 0x20),
                    program(0, &[1, 2, 3, 4]),
                    erase(0x1000, 0x1000, 0x20),
                ],
                &mut |_| true,
            )
            .unwrap_err();
        let problem = Problem::from(error);
        assert_eq!(problem.exit, ExitCode::EraseFailed, "{problem}");
        // The session goes on: reading is allowed at once, changing after the fault is cleared.
        assert_eq!(algorithm.read(FlashOffset::ZERO, 4).unwrap(), [0; 4]);
        algorithm.clear_fault().unwrap();
        algorithm
            .perform(
                vec![
                    Operation::Plain(Request::SetStatus {
                        value: 0,
                        mask: 0xFC,
                    }),
                    erase(0, 0x1000, 0x20),
                    program(0, &[9, 8, 7, 6]),
                ],
                &mut |_| true,
            )
            .unwrap();
    });
    assert_eq!(flash(&bench)[..4], [9, 8, 7, 6]);
}

#[test]
fn cancelling_ends_what_was_sent_and_starts_nothing_more() {
    let bench = bench(|nor| nor.content_mut().fill(0));
    let target = target();
    taken_over(&bench, |link| {
        let mut algorithm = Algorithm::start(link, &target, SEED).unwrap();
        let operations = (0..40).map(|n| erase(n * 0x1000, 0x1000, 0x20)).collect();
        let error = algorithm
            .perform(operations, &mut |progress| progress.done < 2)
            .unwrap_err();
        assert!(matches!(error, AlgorithmError::Cancelled), "{error}");
        algorithm.stop().unwrap();
    });
    let after = flash(&bench);
    let erased = after
        .chunks(0x1000)
        .take_while(|sector| sector.iter().all(|b| *b == 0xFF))
        .count();
    assert!((2..40).contains(&erased), "{erased} sectors");
    assert!(after[erased * 0x1000..].iter().all(|b| *b == 0));
    assert_clean(&bench);
}

#[test]
fn a_host_that_goes_away_leaves_a_board_that_was_reset() {
    let bench = bench(|_| {});
    let target = target();
    taken_over(&bench, |link| {
        let algorithm = Algorithm::start(link, &target, SEED).unwrap();
        drop(algorithm);
    });
    let before = bench.board().with(|board| board.chip.resets()).unwrap();
    // In pieces: an idle core skips to the end of each.
    for _ in 0..12 {
        bench.clock().sleep(Duration::from_millis(500));
    }
    let after = bench.board().with(|board| board.chip.resets()).unwrap();
    assert_eq!(after, before + 1, "the lease ran out");
    assert_clean(&bench);
}

#[test]
fn a_board_that_is_reset_under_the_algorithm_is_told_as_silent() {
    let bench = bench(|_| {});
    let target = target();
    taken_over(&bench, |link| {
        let mut algorithm = Algorithm::start(link, &target, SEED).unwrap();
        algorithm.link().halt().unwrap();
        let error = algorithm.identify().unwrap_err();
        let problem = Problem::from(error);
        assert_eq!(
            (problem.code, problem.exit),
            ("algorithm-silent", ExitCode::LinkLost)
        );
        assert!(problem.why.unwrap().contains("halted"));
    });
}

/// The registers of a watchdog, and what they are set to, as the board's own software would.
type Lock = fn(&mut virtual_board::board::system::System);

#[test]
fn a_watchdog_that_stays_on_never_bites() {
    use mailbox::result::{FOUND_RTWDOG_LOCKED, FOUND_WDOG1_LOCKED, FOUND_WDOG2_LOCKED};
    use virtual_board::bus::{Bus, Width};
    const STILL_ON: u32 = FOUND_WDOG1_LOCKED | FOUND_WDOG2_LOCKED | FOUND_RTWDOG_LOCKED;
    fn lock_rtwdog(system: &mut virtual_board::board::system::System, ticks: u32) {
        for (address, value) in [
            (0x400B_C004, 0xD928_C520),
            (0x400B_C008, ticks),
            (0x400B_C000, 0x2180),
        ] {
            system.write(address, Width::Word, value).unwrap();
        }
    }
    let locks: [(&str, Lock); 4] = [
        ("WDOG1, 0.5 s", |s| {
            s.write(0x400B_8000, Width::Half, 0x0034).unwrap();
        }),
        ("WDOG2, 0.5 s", |s| {
            s.write(0x400D_0000, Width::Half, 0x0034).unwrap();
        }),
        ("RTWDOG, 10 ms", |s| lock_rtwdog(s, 328)),
        ("RTWDOG, 1 s", |s| lock_rtwdog(s, 32_768)),
    ];
    let target = target();
    for (name, lock) in locks {
        let bench = bench(|nor| nor.content_mut()[..0x8_0000].fill(0));
        taken_over(&bench, |link| {
            // the clock counts from where the algorithm starts
            let mut algorithm = {
                bench
                    .board()
                    .with(move |b| lock(&mut b.chip.system.borrow_mut()))
                    .unwrap();
                Algorithm::start(link, &target, SEED).unwrap()
            };
            let found = algorithm.identify().unwrap().found;
            assert_ne!(found & STILL_ON, 0, "{name}");
            let resets = bench.board().with(|b| b.chip.resets()).unwrap();
            let operations = (0..8)
                .flat_map(|n| {
                    let at = n * 0x1_0000;
                    [erase(at, 0x1_0000, 0xD8), program(at, &noise(n, 0x1000))]
                })
                .collect();
            algorithm.perform(operations, &mut |_| true).unwrap();
            let expected = [Expected {
                offset: FlashOffset::new(0x7_0000),
                bytes: noise(7, 0x1000),
            }];
            let verification = verify(&mut algorithm, &expected).unwrap();
            assert!(matches!(verification, Verification::Equal(_)), "{name}");
            algorithm.stop().unwrap();
            let after = bench.board().with(|b| b.chip.resets()).unwrap();
            assert_eq!(after, resets, "{name}");
        });
    }
}
