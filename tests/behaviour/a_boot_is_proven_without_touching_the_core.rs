//! Promises of the last step: a boot counts as proven when the ROM was seen to jump into the image, by reads alone, and the
//! board is left as if nobody had looked. On the virtual board, through probe-rs.

use std::time::Duration;

use rtflash::address::{Address, AddressRange, FlashOffset};
use rtflash::boot::Present;
use rtflash::link::{Choice, Connection, CoreState, Link, VirtualBench};
use rtflash::problem::{ExitCode, Problem};
use rtflash::reset::{
    BootResult, Booted, Cause, Evidence, Expectation, FlashContent, NotBooted, Proof, SETTLE,
    prove_boot,
};
use rtflash::survey::{ChipFound, SurveyError};
use rtflash::target::{BootMode, Target};
use virtual_board::board::BoardConfig;
use virtual_board::nor::Part;
use virtual_board::rom::Reading;
use virtual_board::soc::Straps;

use crate::boot_failures::{QE, RESET_HANDLER, put, put_code, set_up, sound};
use crate::thumb::{SPIN, UNDEFINED, load_word, program, store, wait_ms};

const HEADER_BYTES: usize = 0x3000;
const VECTORS: usize = 0x2000;
const DHCSR: u32 = 0xE000_EDF0;
const DEMCR: u32 = 0xE000_EDFC;
const TRCENA: u32 = 1 << 24;
const DWT: std::ops::Range<u32> = 0xE000_1000..0xE000_2000;

struct Bench {
    bench: VirtualBench,
    target: Target,
    content: FlashContent,
    limit: Duration,
}

impl Bench {
    fn with(flash: Vec<u8>, change: impl FnOnce(&mut BoardConfig)) -> Self {
        let target = Target::builtin("MIMXRT1062", "IS25WP064", "qspi").expect("a built-in target");
        let mut config = BoardConfig::new(Part::builtin("is25wp064").expect("a part"));
        change(&mut config);
        let bench = VirtualBench::start(config).expect("a board");
        let pieces = vec![(
            FlashOffset::ZERO,
            flash.iter().copied().take(HEADER_BYTES).collect(),
        )];
        let content = FlashContent {
            present: Present::new(pieces),
            status_register: Some(QE.into()),
        };
        bench
            .board()
            .with(move |board| {
                {
                    let mut system = board.chip.system.borrow_mut();
                    system.nor.content_mut()[..flash.len()].copy_from_slice(&flash);
                    system.nor.set_status_register(QE);
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
            target,
            content,
            limit: Duration::from_millis(200),
        }
    }

    fn linked<R>(&self, job: impl FnOnce(&mut dyn Link) -> R) -> R {
        let choice = Choice {
            probe: Some(self.bench.selector()),
            ..Choice::default()
        };
        let chip = self.target.chip();
        let mut connection =
            Connection::open(&choice, chip, self.bench.clock()).expect("a debug port");
        let mut link = connection.link(chip).expect("a link");
        job(&mut link)
    }

    fn prove(&self) -> BootResult {
        let expected = Expectation {
            reset_handler: Address::new(RESET_HANDLER),
            code: AddressRange::new(Address::new(0x6000_0000), 0x1_0000),
            started_by_bootloader: false,
            limit: self.limit,
            settle: SETTLE,
        };
        self.linked(|link| {
            prove_boot(link, &self.target, expected, &self.content, &|| true)
                .expect("the board answers")
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

    /// What the debugger wrote to the core since the last reset, DEMCR, and the functions of the DWT's comparators.
    fn residue(&self) -> (Vec<(u32, u32)>, u32, [u32; 4]) {
        let look = |board: &mut virtual_board::board::Board| {
            let writes = board.chip.debug_writes.clone();
            let cpu = &mut board.chip.cpu;
            let comparators = [0x28, 0x38, 0x48, 0x58];
            let functions = comparators.map(|at| cpu.dwt.read(at, 0, 0).expect("a register") & 0xF);
            (writes, cpu.debug.read_demcr(), functions)
        };
        self.bench.board().with(look).expect("the board runs")
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
    let bench = Bench::with(sound(&SPIN), |_| {});
    let booted = bench.booted();
    assert_eq!(booted.proof(), Proof::ResetHandler);
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
    let bench = Bench::with(sound(&SPIN), |_| {});
    bench.booted();
    let (state, dhcsr) = bench.linked(|link| {
        let dhcsr = link.read_word(Address::new(DHCSR)).expect("DHCSR");
        (link.core_state().expect("DHCSR"), dhcsr)
    });
    assert_eq!(state, CoreState::Running);
    assert_eq!(dhcsr & 1, 0, "halting debug is off");
}

#[test]
fn from_the_reset_on_the_core_is_only_read_and_then_only_the_watch_is_taken_away() {
    let looks: [(&str, Vec<u8>, Straps); 3] = [
        ("booted", set_up(&SPIN), Straps::INTERNAL_BOOT),
        ("crashed", set_up(&[UNDEFINED]), Straps::INTERNAL_BOOT),
        ("strapped", set_up(&SPIN), Straps::SERIAL_DOWNLOADER),
    ];
    for (name, flash, straps) in looks {
        let bench = Bench::with(flash, |board| board.straps = straps);
        bench.prove();
        let (writes, demcr, functions) = bench.residue();
        let allowed = |(address, value): &(u32, u32)| match *address {
            DEMCR => *value == 0,
            address => DWT.contains(&address) && *value == 0,
        };
        assert!(writes.iter().all(allowed), "{name}: {writes:X?}");
        assert!(!writes.is_empty(), "{name}: the log of writes sees nothing");
        assert_eq!((demcr, functions), (0, [0; 4]), "{name}");
    }
}

#[test]
fn a_debug_unit_that_the_image_uses_is_left_to_it() {
    const ITM_TCR: u32 = 0xE000_0E80;
    const OTHER_COMPARATOR: u32 = 0xE000_1058;
    let cycle_counter = wait_ms(1);
    let trace = program(&[&store(DEMCR, TRCENA), &store(ITM_TCR, 1)]);
    let comparator = program(&[&store(DEMCR, TRCENA), &store(OTHER_COMPARATOR, 4)]);
    for (name, code) in [
        ("cycle counter", cycle_counter),
        ("trace", trace),
        ("comparator", comparator),
    ] {
        let bench = Bench::with(set_up(&program(&[&code, &SPIN])), |_| {});
        bench.booted();
        let (_, demcr, functions) = bench.residue();
        assert_eq!(demcr, TRCENA, "{name}");
        assert_eq!(functions[1..3], [0; 2], "{name}: the watch is gone");
    }
}

#[test]
fn the_flash_is_not_touched_by_the_proof() {
    let flash = sound(&SPIN);
    let bench = Bench::with(flash.clone(), |_| {});
    bench.booted();
    let after = bench.bench.board().with(move |board| {
        let system = board.chip.system.borrow();
        (
            system.nor.content()[..flash.len()] == flash,
            system.nor.status_register(),
        )
    });
    assert_eq!(after.expect("the board runs"), (true, QE));
}

#[test]
fn an_image_that_crashes_at_once_is_not_taken_for_a_boot() {
    // Under the image's own vector table the core is in its fault handler, under the ROM's in that of the ROM.
    for reading in [Reading::Lenient, Reading::Strict] {
        let reason = Bench::with(sound(&[UNDEFINED]), |config| config.reading = reading);
        let reason = reason.not_booted();
        assert!(
            matches!(reason.cause, Cause::ImageCrashed { .. }),
            "{reason:?}"
        );
        let started = |e: &Evidence| matches!(e, Evidence::ResetHandlerExecuted { .. });
        assert!(reason.evidence.iter().any(started), "{reason:?}");
    }
}

#[test]
fn a_match_that_one_read_has_lost_is_found_in_the_second_comparator() {
    // Whoever reads it clears it: here the image, else a read of ours whose answer is damaged on the wire.
    const FIRST_COMPARATOR: u32 = 0xE000_1038;
    let mut bench = Bench::with(
        set_up(&program(&[&load_word(FIRST_COMPARATOR), &SPIN])),
        |_| {},
    );
    bench.limit = Duration::from_millis(60);
    let booted = bench.booted();
    let Some(Evidence::ResetHandlerExecuted { within, .. }) = booted.evidence().first() else {
        panic!("the proof comes first: {:?}", booted.evidence());
    };
    assert!(*within >= bench.limit, "{within:?}");
}

#[test]
fn a_board_strapped_to_the_serial_downloader_is_told_so_without_waiting() {
    let mut bench = Bench::with(sound(&SPIN), |config| {
        config.straps = Straps::SERIAL_DOWNLOADER
    });
    bench.limit = Duration::from_secs(2);
    let before = bench.bench.board().now().expect("time");
    let reason = bench.not_booted();
    let took = bench.bench.board().now().expect("time") - before;
    assert_eq!(
        reason.cause,
        Cause::StrappedToSerialDownloader { sbmr2: 0x0100_0001 }
    );
    assert!(took < Duration::from_millis(500), "{took:?}");
}

#[test]
fn a_flash_left_in_qpi_is_a_refusal_by_the_rom_although_the_header_is_right() {
    let mut flash = sound(&SPIN);
    // 100 MHz: nothing of the header is doubtful
    put(&mut flash, 0x44, &[0x0006_0401]);
    let bench = Bench::with(flash, |_| {});
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
    let mut flash = sound(&SPIN);
    put(&mut flash, VECTORS + 4, &[0x6000_2201]);
    put_code(&mut flash, 0x6000_2200, &SPIN);
    let reason = Bench::with(flash, |_| {}).not_booted();
    let expected = Address::new(RESET_HANDLER);
    assert!(
        matches!(reason.cause, Cause::OtherCode { at, expected: told }
            if told == expected && (at.get() & !3) == 0x6000_2200),
        "{reason:?}"
    );
    told(reason.cause, "other-code-runs");
}

#[test]
fn the_survey_reads_the_chip_and_changes_nothing() {
    let bench = Bench::with(sound(&SPIN), |_| {});
    let found = bench
        .linked(|link| ChipFound::read(link, bench.target.chip()))
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
    let bench = Bench::with(sound(&SPIN), |_| {});
    let mut other = bench.target.chip().clone();
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
