//! The boot ROM's FlexSPI NOR API, under the stock NXP algorithm inside probe-rs and through probe-rs's own session and
//! flash loader.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

use std::time::Duration;

use probe_rs::flashing::DownloadOptions;
use probe_rs::probe::list::Lister;
use probe_rs::{Permissions, Session};
use virtual_board::board::{BoardConfig, BoardHandle};
use virtual_board::nor::{Counters, Part};
use virtual_board::rom::api::RomErase;

/// The target whose algorithm calls the ROM.
const TARGET: &str = "MIMXRT1060";
const WINDOW: u64 = 0x6000_0000;
/// The erase unit of that algorithm.
const BLOCK: usize = 0x1_0000;

/// Bytes that compress badly and differ everywhere.
fn noise(seed: u32, bytes: usize) -> Vec<u8> {
    let mut x = seed | 1;
    (0..bytes)
        .map(|_| {
            x ^= x << 13;
            x ^= x >> 17;
            x ^= x << 5;
            (x >> 24) as u8
        })
        .collect()
}

struct Bench {
    board: BoardHandle,
    old: Vec<u8>,
}

/// What a piece of work cost.
#[derive(Debug)]
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
        let board = BoardHandle::start(config, &format!("rom-api-{name}")).expect("board");
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
        loader
            .add_data(WINDOW + offset as u64, data)
            .expect("data");
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
            counters: self.board.with(|b| b.chip.system.borrow().nor.counters()).expect("board"),
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
    let cost = bench.flash(15_000, offset, &data, true).expect("flashed");
    eprintln!("{cost:?}");
    let flash = bench.content();
    assert_eq!(&flash[offset..offset + data.len()], &data[..], "programmed");
    assert!(
        flash[offset + data.len()..offset + 2 * BLOCK].iter().all(|b| *b == 0xFF),
        "the rest of the blocks is erased"
    );
    assert_eq!(flash[..offset], bench.old[..offset], "nothing below");
    let above = offset + 2 * BLOCK;
    assert_eq!(flash[above..], bench.old[above..], "nothing above");
    assert_eq!(bench.violations(), Vec::<String>::new());
}
