//! The stock NXP algorithm inside probe-rs, which calls the boot ROM's FlexSPI NOR API, through probe-rs's own session and
//! flash loader.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

use std::time::Duration;

use probe_rs::flashing::DownloadOptions;
use probe_rs::probe::list::Lister;
use probe_rs::{Permissions, Session};
use virtual_board::board::{BoardConfig, BoardHandle};
use virtual_board::nor::{Counters, Part, TimingProfile};
use virtual_board::rom::api::RomErase;

#[path = "noise/mod.rs"]
mod noise;
use noise::noise;

/// The target whose algorithm calls the ROM.
const TARGET: &str = "MIMXRT1060";
const WINDOW: u64 = 0x6000_0000;
/// The erase unit of that algorithm.
const BLOCK: usize = 0x1_0000;

struct Bench {
    board: BoardHandle,
    old: Vec<u8>,
}

/// What a piece of work cost.
#[derive(Debug, PartialEq)]
struct Cost {
    time: Duration,
    transactions: u64,
    counters: Counters,
}

impl Bench {
    /// A board whose flash is full of other data, QE clear.
    fn start(name: &str, change: impl FnOnce(&mut BoardConfig)) -> Self {
        let mut config = BoardConfig::new(Part::builtin("is25wp064").expect("part"));
        change(&mut config);
        let old = noise(7, config.part.size_bytes as usize);
        let board = BoardHandle::start(config, &format!("stock-{name}")).expect("board");
        let content = old.clone();
        board
            .with(move |b| {
                let mut system = b.chip.system.borrow_mut();
                system.nor.content_mut().copy_from_slice(&content);
            })
            .expect("previous content");
        Bench { board, old }
    }

    fn attach(&self, khz: u32) -> Session {
        let listed = Lister::new().list_all();
        let info = listed
            .iter()
            .find(|p| p.serial_number.as_deref() == Some(self.board.serial()))
            .expect("listed");
        let mut probe = info.open().expect("open");
        probe.set_speed(khz).expect("speed");
        probe
            .attach(TARGET, Permissions::default())
            .expect("attach")
    }

    fn flash(&self, khz: u32, offset: usize, data: &[u8], verify: bool) -> Result<Cost, String> {
        let mut session = self.attach(khz);
        let mut loader = session.target().flash_loader();
        loader.add_data(WINDOW + offset as u64, data).expect("data");
        let mut options = DownloadOptions::new();
        options.verify = verify;
        let before = self.cost();
        loader
            .commit(&mut session, options)
            .map_err(|e| format!("{e:?}"))?;
        let after = self.cost();
        Ok(Cost {
            time: after.time - before.time,
            transactions: after.transactions - before.transactions,
            counters: after.counters,
        })
    }

    fn cost(&self) -> Cost {
        Cost {
            time: self.board.now().expect("now"),
            transactions: self.board.transactions().expect("transactions"),
            counters: self
                .board
                .with(|b| b.chip.system.borrow().nor.counters())
                .expect("board"),
        }
    }

    fn content(&self) -> Vec<u8> {
        self.board
            .with(|b| b.chip.system.borrow().nor.content().to_vec())
            .expect("content")
    }

    fn violations(&self) -> Vec<String> {
        self.board.violations().expect("violations")
    }
}

#[test]
fn the_stock_algorithm_erases_programs_and_verifies_through_the_rom() {
    let bench = Bench::start("whole", |_| ());
    let offset = 3 * BLOCK;
    let data = noise(99, BLOCK + 300);
    bench.flash(15_000, offset, &data, true).expect("flashed");
    let flash = bench.content();
    assert_eq!(&flash[offset..offset + data.len()], &data[..], "programmed");
    assert!(
        flash[offset + data.len()..offset + 2 * BLOCK]
            .iter()
            .all(|b| *b == 0xFF),
        "the rest of the blocks is erased"
    );
    assert_eq!(flash[..offset], bench.old[..offset], "nothing below");
    let above = offset + 2 * BLOCK;
    assert_eq!(flash[above..], bench.old[above..], "nothing above");
    assert_eq!(bench.violations(), Vec::<String>::new());
}

#[test]
fn a_block_is_erased_as_sixteen_sectors_where_the_published_defect_is_on() {
    let data = noise(99, 256);
    let run = |name, erase| {
        let bench = Bench::start(name, |config| config.rom_erase = erase);
        bench
            .flash(15_000, 3 * BLOCK, &data, false)
            .expect("flashed")
    };
    let published = run("published", RomErase::AsPublished);
    let sound = run("sound", RomErase::Sound);
    let erases = |cost: &Cost| (cost.counters.block_erases, cost.counters.sector_erases);
    assert_eq!(erases(&published), (0, 16));
    assert_eq!(erases(&sound), (1, 0));
    // 16 x 70 ms against 150 ms, seen by polls of a millisecond
    let more = (published.time - sound.time).as_millis();
    assert!((965..985).contains(&more), "{more} ms");
}

#[test]
fn a_run_costs_the_same_every_time() {
    let data = noise(5, 0x1000);
    let run = |name| {
        let bench = Bench::start(name, |_| ());
        bench.flash(4_000, 2 * BLOCK, &data, true).expect("flashed")
    };
    assert_eq!(run("first"), run("second"));
}

#[test]
fn skipped_polls_change_no_more_than_when_the_end_of_an_operation_is_seen() {
    let data = noise(5, 0x400);
    let run = |name, skips| {
        let bench = Bench::start(name, |config| {
            config.rom_erase = RomErase::Sound;
            config.skips = skips;
        });
        let cost = bench
            .flash(15_000, 2 * BLOCK, &data, true)
            .expect("flashed");
        (cost, bench.content())
    };
    let (quick, flash) = run("skips", true);
    let (exact, same) = run("no-skips", false);
    assert_eq!(flash, same);
    assert_eq!(quick.counters, exact.counters);
    let apart = quick.time.abs_diff(exact.time);
    assert!(apart < Duration::from_millis(2), "{apart:?}");
}

#[test]
fn the_slowest_flash_stays_within_the_loaders_wall_clock_limits() {
    let bench = Bench::start("slowest", |config| config.timing = TimingProfile::Max);
    let data = noise(5, 0x2000);
    let cost = bench
        .flash(15_000, 2 * BLOCK, &data, true)
        .expect("flashed");
    assert!(cost.time > Duration::from_millis(16 * 300), "{cost:?}");
    assert_eq!(bench.violations(), Vec::<String>::new());
}

#[test]
fn a_protected_flash_with_qe_set_stays_as_it_is_and_only_verify_tells() {
    let bench = Bench::start("protected", |_| ());
    bench
        .board
        .with(|b| b.chip.system.borrow_mut().nor.set_status_register(0x7C))
        .expect("board");
    let data = noise(99, 256);
    bench.flash(15_000, 0, &data, false).expect("says it did");
    assert_eq!(bench.content(), bench.old, "nothing changed");
    assert!(bench.flash(15_000, 0, &data, true).is_err(), "verify");
}
