//! Before the first erase the board must be known: debug port, core, boot ROM, unique ID, flash part, size. Whatever is
//! another one ends the job with exit 6, what was expected and what was found; no bit of the flash and no bit of its
//! registers changes, and a chip that is not ours is not even reset.

use rtflash::job::{self, Bench, CutSectors, EraseRequest, EraseWhat, Job, Outcome, Request};
use rtflash::link::{Choice, VirtualBench};
use rtflash::problem::ExitCode;
use virtual_board::board::{BoardConfig, ChipIdentity, RomIdentity};
use virtual_board::nor::{Faults, NonVolatile};
use virtual_board::swd::PortIds;

use crate::bench;

/// What is wrong with the board.
struct Case {
    name: &'static str,
    config: fn(BoardConfig) -> BoardConfig,
    code: &'static str,
    /// The whole message, with what was found and what was expected.
    what: &'static str,
    /// It is told before the chip is reset.
    is_left_running: bool,
}

fn with_identity(config: BoardConfig, identity: ChipIdentity) -> BoardConfig {
    BoardConfig { identity, ..config }
}

fn with_nor(config: BoardConfig, nor_faults: Faults) -> BoardConfig {
    BoardConfig {
        nor_faults,
        ..config
    }
}

fn with_unique_id(mut config: BoardConfig, id: [u32; 2]) -> BoardConfig {
    config.fuses.set_unique_id(id);
    config
}

fn with_tables(config: BoardConfig, sfdp: Vec<(u32, u8)>) -> BoardConfig {
    let faults = Faults {
        sfdp,
        ..Faults::default()
    };
    with_nor(config, faults)
}

const CASES: [Case; 12] = [
    Case {
        name: "another debug port",
        config: |config| {
            let ports = PortIds {
                dpidr: 0x2BA0_1477,
                ..PortIds::default()
            };
            with_identity(
                config,
                ChipIdentity {
                    ports,
                    ..ChipIdentity::default()
                },
            )
        },
        code: "chip-debug-port",
        what: "the debug port is not the one of MIMXRT1062: DPIDR reads 0x2ba01477, not 0x0bd11477",
        is_left_running: true,
    },
    Case {
        name: "another access port",
        config: |config| {
            let ports = PortIds {
                ap_idr: 0x2477_0011,
                ..PortIds::default()
            };
            with_identity(
                config,
                ChipIdentity {
                    ports,
                    ..ChipIdentity::default()
                },
            )
        },
        code: "chip-debug-port",
        what: "the debug port is not the one of MIMXRT1062: AP IDR reads 0x24770011, not 0x04770041",
        is_left_running: true,
    },
    Case {
        name: "another core",
        config: |config| {
            let identity = ChipIdentity {
                cpuid: 0x410F_C270,
                ..ChipIdentity::default()
            };
            with_identity(config, identity)
        },
        code: "chip-core",
        what: "the core is not the one of MIMXRT1062: CPUID reads 0x410fc270, not 0x411fc271",
        is_left_running: true,
    },
    Case {
        name: "another boot ROM",
        config: |config| {
            let rom = RomIdentity {
                mark: 0x0A01_2345,
                ..RomIdentity::default()
            };
            with_identity(
                config,
                ChipIdentity {
                    rom,
                    ..ChipIdentity::default()
                },
            )
        },
        code: "chip-rom",
        what: "the boot ROM is not the one of MIMXRT1062: its mark reads 0x0a012345, not 0x80dbf000",
        is_left_running: true,
    },
    Case {
        name: "fuses that read all zeros",
        config: |config| with_unique_id(config, [0, 0]),
        code: "chip-uid",
        what: "the chip's unique ID reads 0000000000000000; expected one that is neither all zeros nor all ones",
        is_left_running: false,
    },
    Case {
        name: "fuses that read all ones",
        config: |config| with_unique_id(config, [u32::MAX; 2]),
        code: "chip-uid",
        what: "the chip's unique ID reads FFFFFFFFFFFFFFFF; expected one that is neither all zeros nor all ones",
        is_left_running: false,
    },
    Case {
        name: "another flash part",
        config: |config| {
            let faults = Faults {
                jedec_id: Some([0x9D, 0x60, 0x17]),
                ..Faults::default()
            };
            with_nor(config, faults)
        },
        code: "flash-part",
        what: "found IS25LP064 (9D 60 17); expected IS25WP064 (9D 70 17)",
        is_left_running: false,
    },
    Case {
        name: "no flash part",
        config: |config| {
            let faults = Faults {
                absent: true,
                ..Faults::default()
            };
            with_nor(config, faults)
        },
        code: "flash-none",
        what: "no flash part answers: the JEDEC ID reads FF FF FF; expected IS25WP064 (9D 70 17)",
        is_left_running: false,
    },
    Case {
        name: "a flash part of half the size",
        config: |config| with_tables(config, vec![(0x37, 0x01)]),
        code: "flash-size",
        what: "the flash part says it has 4194304 bytes, and IS25WP064 has 8388608",
        is_left_running: false,
    },
    Case {
        name: "a flash part without tables",
        config: |config| with_tables(config, (0..0x100).map(|at| (at, 0xFF)).collect()),
        code: "flash-sfdp",
        what: "the flash part's SFDP cannot be read: it begins with FF FF FF FF; expected 53 46 44 50 of IS25WP064",
        is_left_running: false,
    },
    Case {
        name: "tables with a damaged signature",
        config: |config| with_tables(config, vec![(1, 0x47)]),
        code: "flash-sfdp",
        what: "the flash part's SFDP cannot be read: it begins with 53 47 44 50; expected 53 46 44 50 of IS25WP064",
        is_left_running: false,
    },
    Case {
        name: "tables that lie nowhere",
        config: |config| with_tables(config, vec![(0x0D, 0x80)]),
        code: "flash-sfdp",
        what: "the flash part's SFDP cannot be read: it has no size; expected 8388608 bytes of IS25WP064",
        is_left_running: false,
    },
];

/// Blocks protected, and QE off: `flash` would want to change both.
const STATUS: u8 = 0x3C;

type Command = (&'static str, fn(&Job<'_>, &Request, &Bench) -> Outcome);

const COMMANDS: [Command; 4] = [
    ("flash", |job, request, bench| {
        job::flash(job, request, bench, &mut ())
    }),
    ("verify", |job, request, bench| {
        job::verify(job, request, bench, &mut ())
    }),
    ("erase", |job, _, bench| {
        let everything = EraseRequest {
            what: EraseWhat::Chip,
            cut: CutSectors::Refuse,
        };
        job::erase(job, &everything, bench, &mut ())
    }),
    ("reset", |job, _, bench| job::reset(job, bench, &mut ())),
];

/// What must not change.
#[derive(Debug, PartialEq, Eq)]
struct NonVolatileState {
    registers: NonVolatile,
    operations: [u64; 3],
}

fn non_volatile(board: &VirtualBench) -> NonVolatileState {
    let state = board.board().with(|b| {
        let system = b.chip.system.borrow();
        let counters = system.nor.counters();
        NonVolatileState {
            registers: system.nor.registers(),
            operations: [counters.programs, counters.erases, counters.register_writes],
        }
    });
    state.expect("board")
}

fn resets(board: &VirtualBench) -> u32 {
    board.board().with(|b| b.chip.resets()).expect("board")
}

fn refused(case: &Case, (command, run): Command) {
    let name = format!("{command}: {}", case.name);
    let board = bench::start((case.config)(bench::config()));
    bench::fill(&board, 0x1000, &bench::noise(3, 0x4000));
    bench::set_status(&board, STATUS);
    let before = (bench::flash_content(&board), non_volatile(&board));
    let target = bench::target();
    let request = Request::new(bench::image(&[]).image().clone());
    let choice = Choice {
        speed_khz: Some(15_000),
        ..Choice::default()
    };
    let bench = Bench::virtual_board(choice, board.clone());
    let outcome = run(&Job::new(&target), &request, &bench);

    let problem = outcome.problem.expect("a problem");
    assert_eq!(
        (problem.code, problem.what.as_str()),
        (case.code, case.what),
        "{name}"
    );
    assert_eq!(problem.exit, ExitCode::WrongDevice, "{name}");
    assert!(problem.fix.is_some(), "{name}: no advice");
    assert_eq!(outcome.record.verdict.exit(), 6, "{name}");
    assert!(
        outcome.record.plan.is_none(),
        "{name}: something was planned"
    );
    assert_eq!(non_volatile(&board), before.1, "{name}");
    assert!(
        bench::flash_content(&board) == before.0,
        "{name}: the flash was changed"
    );
    assert_eq!(
        resets(&board) == 0,
        case.is_left_running,
        "{name}: {} resets",
        resets(&board)
    );
    let halted = board.board().with(|b| b.chip.cpu.debug.halted());
    assert!(!halted.expect("board"), "{name}: the core is left halted");
}

#[test]
fn a_board_that_is_not_the_target_s_is_refused_with_what_was_expected_and_found() {
    for case in &CASES {
        for command in COMMANDS {
            refused(case, command);
        }
    }
}

#[test]
fn the_board_that_these_cases_are_made_from_is_accepted() {
    let board = bench::start(bench::config());
    bench::fill(&board, 0x1000, &bench::noise(3, 0x4000));
    bench::set_status(&board, STATUS);
    let outcome = bench::flash(&board, &bench::image(&[]));
    assert_eq!(outcome.record.verdict.exit(), 0, "{:?}", outcome.problem);
    assert!(non_volatile(&board).operations.iter().all(|n| *n > 0));
}
