//! Promises of the last step: a boot counts as proven when the ROM was seen to jump into the image, and otherwise the
//! user is told why it did not. On the virtual board, through probe-rs.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is how a test fails"
)]

use std::time::Duration;

use rtflash::address::{Address, AddressRange, FlashOffset};
use rtflash::boot::Present;
use rtflash::link::{Choice, Connection, CoreState, Link, VirtualBench};
use rtflash::problem::{ExitCode, Problem};
use rtflash::reset::{
    BootResult, Booted, Cause, Evidence, Expectation, FlashContent, NotBooted, prove_boot,
};
use rtflash::survey::{ChipFound, SurveyError};
use rtflash::target::{BootMode, Chip, Target};
use virtual_board::board::BoardConfig;
use virtual_board::nor::Part;
use virtual_board::rom::Reading;
use virtual_board::soc::Straps;

const QE: u8 = 0x40;
const FCB: usize = 0;
const IVT: usize = 0x1000;
const VECTORS: usize = 0x2000;
const RESET_HANDLER: u32 = 0x6000_2100;
const HEADER_BYTES: usize = 0x2000;

/// A bootable image: FCB of NXP's EVK, IVT, vector table, and `code` as its reset handler.
fn image(code: &[u16]) -> Vec<u8> {
    let mut flash = vec![0xFF; 0x3000];
    let fcb: [(usize, u32); 15] = [
        (0x000, 0x4246_4346),
        (0x004, 0x5601_0400),
        (0x00C, 0x0003_0301),
        (0x040, 0x10),
        (0x044, 0x0007_0401),
        (0x050, 0x0080_0000),
        (0x080, 0x0A18_04EB),
        (0x084, 0x2604_3206),
        (0x090, 0x2404_0405),
        (0x0B0, 0x0000_0406),
        (0x110, 0x0818_0402),
        (0x114, 0x0000_2004),
        (0x1C0, 0x100),
        (0x1C4, 0x1000),
        (0x1D0, 0x1_0000),
    ];
    flash[..512].fill(0);
    for (at, word) in fcb {
        put(&mut flash, FCB + at, &[word]);
    }
    put(
        &mut flash,
        IVT,
        &[
            0x4120_00D1,
            0x6000_2000,
            0,
            0,
            0x6000_1020,
            0x6000_1000,
            0,
            0,
        ],
    );
    put(&mut flash, IVT + 0x20, &[0x6000_0000, 0x0080_0000, 0]);
    put(&mut flash, VECTORS, &[0x2002_0000, RESET_HANDLER | 1]);
    // Every exception ends in a lockup: its vector is no code.
    put(&mut flash, VECTORS + 8, &[0; 14]);
    for (at, half) in code.iter().enumerate() {
        flash[0x2100 + 2 * at..][..2].copy_from_slice(&half.to_le_bytes());
    }
    flash
}

fn put(flash: &mut [u8], at: usize, words: &[u32]) {
    for (index, word) in words.iter().enumerate() {
        flash[at + 4 * index..][..4].copy_from_slice(&word.to_le_bytes());
    }
}

/// `b .`
const LOOP: &[u16] = &[0xE7FE];
/// `wfi`, and again
const SLEEP: &[u16] = &[0xBF30, 0xE7FD];
/// `udf #0`, twice
const CRASH: &[u16] = &[0xDE00, 0xDE00];

struct Bench {
    bench: VirtualBench,
    chip: Chip,
    content: FlashContent,
}

impl Bench {
    fn with(flash: Vec<u8>, status: u8, change: impl FnOnce(&mut BoardConfig)) -> Self {
        let target = Target::builtin("MIMXRT1062", "IS25WP064", "qspi").expect("a built-in target");
        let mut config = BoardConfig::new(Part::builtin("is25wp064").expect("a part"));
        change(&mut config);
        let bench = VirtualBench::start(config).expect("a board");
        let pieces = vec![(
            FlashOffset::ZERO,
            flash.iter().copied().take(HEADER_BYTES).collect(),
        )];
        let content = FlashContent::new(Present::new(pieces), Some(status.into()), &target);
        bench
            .board()
            .with(move |board| {
                {
                    let mut system = board.chip.system.borrow_mut();
                    system.nor.content_mut()[..flash.len()].copy_from_slice(&flash);
                    system.nor.set_status_register(status);
                }
                board.power_cycle(1);
            })
            .expect("the board runs");
        bench
            .board()
            .sleep(Duration::from_millis(50))
            .expect("the board runs");
        Bench {
            bench,
            chip: target.chip().clone(),
            content,
        }
    }

    fn chip(&self) -> &Chip {
        &self.chip
    }

    fn linked<R>(&self, job: impl FnOnce(&mut dyn Link) -> R) -> R {
        let choice = Choice {
            probe: Some(self.bench.selector()),
            ..Choice::default()
        };
        let mut connection =
            Connection::open(&choice, self.chip(), self.bench.clock()).expect("a debug port");
        let mut link = connection.link(self.chip()).expect("a link");
        job(&mut link)
    }

    fn prove(&self) -> BootResult {
        let expected = Expectation {
            reset_handler: Address::new(RESET_HANDLER),
            code: AddressRange::new(Address::new(0x6000_0000), 0x1_0000),
            started_by_bootloader: false,
            limit: Duration::from_secs(2),
        };
        self.linked(|link| {
            prove_boot(link, self.chip(), expected, &self.content).expect("the board answers")
        })
    }

    #[track_caller]
    fn booted(&self) -> Booted {
        match self.prove() {
            BootResult::Booted(booted) => booted,
            BootResult::NotBooted(reason) => panic!("not booted: {reason:?}"),
        }
    }

    #[track_caller]
    fn not_booted(&self) -> NotBooted {
        match self.prove() {
            BootResult::NotBooted(reason) => reason,
            BootResult::Booted(booted) => panic!("booted: {booted:?}"),
        }
    }
}

#[track_caller]
fn told(cause: Cause, code: &str) {
    let problem = Problem::from(cause);
    assert_eq!(
        (problem.code, problem.exit),
        (code, ExitCode::BootNotProven)
    );
    assert!(problem.why.is_some() && problem.fix.is_some(), "{problem}");
}

#[test]
fn a_good_image_is_proven_by_its_reset_handler() {
    let bench = Bench::with(image(LOOP), QE, |_| {});
    let booted = bench.booted();
    assert!(booted.is_by_reset_handler() && !booted.locked_up() && !booted.back_in_rom());
    let Some(Evidence::ResetHandlerExecuted { address, within }) = booted.evidence().first() else {
        panic!("the proof comes first: {:?}", booted.evidence());
    };
    assert_eq!(address.get(), RESET_HANDLER);
    assert!(
        *within > Duration::from_millis(5) && *within < Duration::from_millis(100),
        "{within:?}"
    );
}

#[test]
fn the_proof_leaves_the_image_running_without_a_debugger() {
    let bench = Bench::with(image(LOOP), QE, |_| {});
    bench.booted();
    let (state, dhcsr) = bench.linked(|link| {
        let dhcsr = link.read_word(Address::new(0xE000_EDF0)).expect("DHCSR");
        (link.core_state().expect("DHCSR"), dhcsr)
    });
    assert_eq!(state, CoreState::Running);
    assert_eq!(dhcsr & 1, 0, "halting debug is off");
}

#[test]
fn the_flash_is_not_touched_by_the_proof() {
    let flash = image(LOOP);
    let bench = Bench::with(flash.clone(), QE, |_| {});
    bench.booted();
    let after = bench.bench.board().with(|board| {
        let system = board.chip.system.borrow();
        (
            system.nor.content()[..0x3000].to_vec(),
            system.nor.status_register(),
        )
    });
    assert_eq!(after.expect("the board runs"), (flash, QE));
}

#[test]
fn an_image_that_crashes_at_once_is_not_taken_for_a_boot() {
    // Under the image's own vector table the core locks up, under the ROM's it ends in the ROM.
    for reading in [Reading::Lenient, Reading::Strict] {
        let reason = Bench::with(image(CRASH), QE, |config| config.reading = reading).not_booted();
        assert!(
            matches!(reason.cause, Cause::ImageCrashed { .. }),
            "{reason:?}"
        );
        let started = |e: &Evidence| matches!(e, Evidence::ResetHandlerExecuted { .. });
        assert!(reason.evidence.iter().any(started), "{reason:?}");
    }
}

#[test]
fn a_blank_flash_is_told_as_missing_fcb() {
    let reason = Bench::with(vec![0xFF; 0x3000], QE, |_| {}).not_booted();
    assert_eq!(reason.cause, Cause::NoFcb { found: [0xFF; 4] });
    told(reason.cause, "fcb-missing");
}

#[test]
fn a_missing_ivt_is_told() {
    let mut flash = image(LOOP);
    flash[IVT..IVT + 0x30].fill(0xFF);
    let reason = Bench::with(flash, QE, |_| {}).not_booted();
    assert_eq!(reason.cause, Cause::NoIvt { found: [0xFF; 4] });
    told(reason.cause, "ivt-missing");
}

#[test]
fn an_empty_image_length_is_told() {
    let mut flash = image(LOOP);
    put(&mut flash, IVT + 0x24, &[0]);
    let reason = Bench::with(flash, QE, |_| {}).not_booted();
    assert!(
        matches!(reason.cause, Cause::BadHeader { found: 0, .. }),
        "{reason:?}"
    );
    told(reason.cause, "boot-header");
}

#[test]
fn quad_enable_off_is_told() {
    let reason = Bench::with(image(LOOP), 0, |_| {}).not_booted();
    assert_eq!(reason.cause, Cause::QuadEnableOff { status: 0 });
    told(reason.cause, "qe-clear");
}

#[test]
fn a_board_strapped_to_the_serial_downloader_is_told_so_without_waiting() {
    let bench = Bench::with(image(LOOP), QE, |config| {
        config.straps = Straps::SERIAL_DOWNLOADER
    });
    let before = bench.bench.board().now().expect("time");
    let reason = bench.not_booted();
    let took = bench.bench.board().now().expect("time") - before;
    assert_eq!(
        reason.cause,
        Cause::StrappedToSerialDownloader { sbmr2: 0x0100_0001 }
    );
    assert!(took < Duration::from_millis(500), "{took:?}");
    told(reason.cause, "strapped-serial-downloader");
}

#[test]
fn wrong_boot_pins_and_fuses_are_told() {
    let bench = Bench::with(image(LOOP), QE, |config| {
        config.straps = Straps {
            boot_mode: 0,
            ..Straps::default()
        }
    });
    told(bench.not_booted().cause, "boot-fuses-not-set");
    let bench = Bench::with(image(LOOP), QE, |config| {
        config.straps = Straps {
            boot_mode: 3,
            ..Straps::default()
        }
    });
    told(bench.not_booted().cause, "boot-mode-reserved");
    let bench = Bench::with(image(LOOP), QE, |config| {
        config.straps = Straps {
            boot_cfg1: 0x40,
            ..Straps::default()
        }
    });
    let cause = bench.not_booted().cause;
    assert!(
        matches!(
            cause,
            Cause::OtherBootDevice {
                from_fuses: false,
                ..
            }
        ),
        "{cause:?}"
    );
    told(cause, "boot-device");
}

#[test]
fn fuses_that_override_the_pins_are_told() {
    let bench = Bench::with(image(LOOP), QE, |config| {
        config.fuses.set_word(0x460, 1 << 4);
        config.fuses.set_word(0x450, 0x40);
    });
    let cause = bench.not_booted().cause;
    assert!(
        matches!(
            cause,
            Cause::OtherBootDevice {
                from_fuses: true,
                ..
            }
        ),
        "{cause:?}"
    );
}

#[test]
fn a_closed_part_with_an_unsigned_image_is_told() {
    let bench = Bench::with(image(LOOP), QE, |config| config.fuses.close());
    told(bench.not_booted().cause, "part-closed");
}

/// The old image is still running when the proof begins, and loops at the very address that is watched.
#[test]
fn a_flash_left_in_qpi_is_a_refusal_by_the_rom_although_the_header_is_right() {
    let bench = Bench::with(image(LOOP), QE, |_| {});
    let qpi = |board: &mut virtual_board::board::Board| {
        board
            .chip
            .system
            .borrow_mut()
            .nor
            .set_mode(true, None, false)
    };
    bench.bench.board().with(qpi).expect("the board runs");
    let reason = bench.not_booted();
    assert!(
        matches!(reason.cause, Cause::RomRefused { .. }),
        "{reason:?}"
    );
    told(reason.cause, "rom-refused");
}

#[test]
fn another_image_than_expected_is_told() {
    let mut flash = image(LOOP);
    put(&mut flash, VECTORS + 4, &[0x6000_2201]);
    flash[0x2200..0x2202].copy_from_slice(&0xE7FEu16.to_le_bytes());
    let mut bench = Bench::with(flash, QE, |_| {});
    // The emulator executes every instruction of the wait.
    bench.chip.boot_mode.boot_timeout_ms = 60;
    let reason = bench.not_booted();
    let (at, expected) = (Address::new(0x6000_2200), Address::new(RESET_HANDLER));
    assert_eq!(reason.cause, Cause::OtherCode { at, expected });
    told(reason.cause, "other-code-runs");
}

#[test]
fn an_image_that_sleeps_without_bus_clock_cannot_be_proven_and_the_reason_is_told() {
    let bench = Bench::with(vec![0xFF; 0x3000], QE, |_| {});
    let flash = image(SLEEP);
    let program = move |board: &mut virtual_board::board::Board| {
        let mut system = board.chip.system.borrow_mut();
        system.nor.content_mut()[..flash.len()].copy_from_slice(&flash);
    };
    bench.bench.board().with(program).expect("the board runs");
    let reason = bench.not_booted();
    assert_eq!(reason.cause, Cause::AsleepWithoutBus);
    told(reason.cause, "asleep-without-bus");
}

#[test]
fn the_survey_reads_the_chip_and_changes_nothing() {
    let bench = Bench::with(image(LOOP), QE, |_| {});
    let found = bench
        .linked(|link| ChipFound::read(link, bench.chip()))
        .expect("the chip");
    assert_eq!(found.unique_id.get(), 0x1B26_09D7_5A3C_4D61);
    assert_eq!(
        (
            found.boot.mode,
            found.boot.is_closed(),
            found.boot.bt_fuse_sel
        ),
        (BootMode::Internal, false, false)
    );
    let violations = bench
        .bench
        .board()
        .with(|board| board.chip.system.borrow().trace.violations());
    assert_eq!(violations.expect("the board runs"), 0);
}

#[test]
fn another_chip_is_refused_before_more_of_it_is_read() {
    let bench = Bench::with(image(LOOP), QE, |_| {});
    let mut other = bench.chip().clone();
    other.identity.cpuid_value = 0x410F_C270;
    let error = bench
        .linked(|link| ChipFound::read(link, &other))
        .expect_err("refused");
    assert!(matches!(
        error,
        SurveyError::OtherCore {
            found: 0x411F_C271,
            ..
        }
    ));
    assert_eq!(Problem::from(error).exit, ExitCode::WrongDevice);
}
