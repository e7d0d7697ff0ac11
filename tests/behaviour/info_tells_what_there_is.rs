//! `rtflash info` is for finding out: it tells what can be read of any board, known or not, as it was before it was
//! touched, and changes nothing that outlives a reset.

use rtflash::job::{self, Bench, Job, Outcome};
use rtflash::link::{Choice, VirtualBench};
use rtflash::report::InfoRecord;
use virtual_board::board::{Board, BoardConfig, ChipIdentity, RomIdentity};
use virtual_board::bus::{Bus, Width};
use virtual_board::nor::{Faults, Part};
use virtual_board::swd::PortIds;

use crate::bench;

fn info(board: &VirtualBench) -> Outcome {
    let choice = Choice {
        speed_khz: Some(15_000),
        ..Choice::default()
    };
    let bench = Bench::virtual_board(choice, board.clone());
    job::info(&Job::new(&bench::target()), &bench, &mut ())
}

/// Of a board that was changed by `with` after it was powered; it must be told in full.
fn told(config: BoardConfig, with: impl FnOnce(&mut Board) + Send + 'static) -> InfoRecord {
    let board = bench::start(config);
    board.board().with(with).expect("board");
    let outcome = info(&board);
    assert_eq!(outcome.record.verdict.exit(), 0, "{:?}", outcome.problem);
    outcome.record.info.expect("a section")
}

fn resets(board: &VirtualBench) -> u32 {
    board.board().with(|b| b.chip.resets()).expect("board")
}

const GPR16: u32 = 0x400A_C040;
const GPR17: u32 = 0x400A_C044;

fn poke(board: &mut Board, address: u32, value: u32) {
    let mut system = board.chip.system.borrow_mut();
    system.write(address, Width::Word, value).expect("taken");
}

#[test]
fn a_part_without_data_is_told_with_all_the_rest_and_ends_in_exit_6() {
    for (faults, code, sfdp, is_absent) in [
        (
            Faults {
                jedec_id: Some([0x12, 0x34, 0x56]),
                ..Faults::default()
            },
            "flash-unknown",
            "1.6",
            false,
        ),
        (
            Faults {
                absent: true,
                ..Faults::default()
            },
            "flash-none",
            "absent",
            true,
        ),
        (
            Faults {
                sfdp: vec![(0, 0)],
                ..Faults::default()
            },
            "flash-sfdp",
            "damaged",
            false,
        ),
    ] {
        let board = bench::start(BoardConfig {
            nor_faults: faults,
            ..bench::config()
        });
        let outcome = info(&board);
        let problem = outcome.problem.expect("a problem");
        assert_eq!((problem.code, problem.exit.number()), (code, 6));
        let record = outcome.record.info.expect("a section");
        assert!(record.boot.is_some() && record.fuses.is_some() && record.flexram.is_some());
        let flash = record.flash.expect("what answers");
        assert_eq!((flash.sfdp.as_str(), flash.is_known), (sfdp, false));
        let answers = outcome.record.flash.expect("an ID").jedec_id;
        assert_eq!(answers == "FF FF FF", is_absent, "{answers}");
    }
}

#[test]
fn of_a_chip_that_is_not_ours_the_ports_are_told_and_it_is_not_reset() {
    let other_port = ChipIdentity {
        ports: PortIds {
            dpidr: 0x2BA0_1477,
            ..PortIds::default()
        },
        ..ChipIdentity::default()
    };
    let other_core = ChipIdentity {
        cpuid: 0x410F_C270,
        ..ChipIdentity::default()
    };
    for (identity, code, dpidr) in [
        (other_port, "chip-debug-port", "0x2ba01477"),
        (other_core, "chip-core", "0x0bd11477"),
    ] {
        let board = bench::start(BoardConfig {
            identity,
            ..bench::config()
        });
        let outcome = info(&board);
        let problem = outcome.problem.expect("a problem");
        assert_eq!((problem.code, problem.exit.number()), (code, 6));
        let record = outcome.record.info.expect("a section");
        assert_eq!(record.dpidr, dpidr);
        assert_eq!(resets(&board), 0);
    }
}

#[test]
fn the_ram_split_and_the_reset_cause_are_those_before_our_reset() {
    let record = told(bench::config(), |board| {
        poke(board, GPR17, 0xAAAA_FFFF);
        poke(board, GPR16, 0x0020_0007);
    });
    let flexram = record.flexram.expect("a split");
    assert_eq!(
        flexram.text,
        "ITCM 256 KiB, DTCM 256 KiB, OCRAM 0 KiB (by GPR17 0xaaaaffff)"
    );
    let found = record.found.expect("a state");
    assert_eq!(found.reset_causes, ["power-on or reset pin"]);
    assert!(found.in_boot_rom && found.core == "running");
}

#[test]
fn fuses_are_told_in_words() {
    let mut config = bench::config();
    config.fuses.close();
    let word = config.fuses.word(0x460);
    config.fuses.set_word(0x460, word | 1 << 4 | 1 << 17);
    config.fuses.set_word(0x450, 0x40);
    config.fuses.set_word(0x5A0, 0x1234_5678);
    config.fuses.set_word(0x6E0, 2 << 16);
    let record = told(config, |_| {});
    let boot = record.boot.expect("a boot configuration");
    assert_eq!(
        (boot.sec_config.as_str(), boot.hab_closed),
        ("closed", true)
    );
    assert!(boot.bt_fuse_sel && boot.boot_cfg_from_fuses);
    assert_eq!(
        boot.obstacle.as_deref(),
        Some("the fuses select another boot device")
    );
    let fuses = record.fuses.expect("fuses");
    assert!(fuses.srk_hash_set);
    assert_eq!(fuses.notable, ["the serial downloader is off"]);
    assert_eq!(fuses.secondary_image_offset, Some(0x8_0000));
}

#[test]
fn the_version_of_the_rom_api_is_told_where_it_can_be_read_and_no_access_is_refused() {
    let board = bench::start(BoardConfig {
        identity: ChipIdentity {
            rom: RomIdentity {
                api_version: Some(0x5601_0000),
                ..RomIdentity::default()
            },
            ..ChipIdentity::default()
        },
        ..bench::config()
    });
    let record = info(&board).record.info.expect("a section");
    assert_eq!(record.rom_api_version.as_deref(), Some("0x56010000"));
    assert_eq!(bench::violations(&board), Vec::<String>::new());
}

#[test]
fn nothing_outlives_it_and_the_board_runs_on() {
    for part in ["is25wp064", "w25q64jv"] {
        let part = Part::builtin(part).expect("part");
        let board = bench::start(BoardConfig::new(part));
        bench::fill(&board, 0x1000, &bench::noise(9, 0x4000));
        bench::set_status(&board, 0x1C);
        let state = |board: &VirtualBench| {
            let state = board.board().with(|b| {
                let system = b.chip.system.borrow();
                (system.nor.registers(), system.nor.counters())
            });
            state.expect("board")
        };
        let before = (bench::flash_content(&board), state(&board).0);
        let outcome = info(&board);
        assert_eq!(outcome.record.verdict.exit(), 0, "{:?}", outcome.problem);
        let (registers, counters) = state(&board);
        assert!(bench::flash_content(&board) == before.0);
        assert_eq!(registers, before.1);
        assert_eq!(
            (counters.programs, counters.erases, counters.register_writes),
            (0, 0, 0)
        );
        let status = outcome.record.info.and_then(|i| i.flash?.status_bits);
        let status = status.expect("status");
        assert_eq!((status.block_protection, status.protected), (0x1C, true));
        let halted = board.board().with(|b| b.chip.cpu.debug.halted());
        assert!(!halted.expect("board"));
    }
}

#[test]
fn a_core_that_another_debugger_halted_is_told() {
    let record = told(bench::config(), |board| {
        const DHCSR: u32 = 0xE000_EDF0;
        board
            .chip
            .cpu
            .ppb_write(DHCSR, Width::Word, 0xA05F_0003, true)
            .expect("halt");
    });
    assert_eq!(record.found.expect("a state").core, "halted");
}
