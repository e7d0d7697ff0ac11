//! A virtual board with a link to it.

use rtflash::link::{Choice, Connection, Link, VirtualBench};
use rtflash::target::Target;
use virtual_board::board::BoardConfig;
use virtual_board::nor::Part;

/// Bytes that differ everywhere.
pub fn noise(seed: u32, bytes: usize) -> Vec<u8> {
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

/// The usual target.
pub fn target() -> Target {
    Target::builtin("MIMXRT1062", "IS25WP064", "qspi").unwrap()
}

/// A board whose flash was changed by `prepare` before anybody connected.
pub fn bench(prepare: impl FnOnce(&mut virtual_board::nor::Nor) + Send + 'static) -> VirtualBench {
    let part = Part::builtin("is25wp064").unwrap();
    let bench = VirtualBench::start(BoardConfig::new(part)).unwrap();
    bench
        .board()
        .with(move |board| prepare(&mut board.chip.system.borrow_mut().nor))
        .unwrap();
    bench
}

/// Connects, takes the core over and gives the link to `work`.
pub fn taken_over<R>(bench: &VirtualBench, work: impl FnOnce(&mut dyn Link) -> R) -> R {
    let target = target();
    let choice = Choice {
        probe: Some(bench.selector()),
        speed_khz: Some(15_000),
        ..Choice::default()
    };
    let mut connection = Connection::open(&choice, target.chip(), bench.clock()).unwrap();
    let mut link = connection.link(target.chip()).unwrap();
    let link: &mut dyn Link = &mut link;
    link.take_over().unwrap();
    work(link)
}

/// What the flash holds now.
pub fn flash(bench: &VirtualBench) -> Vec<u8> {
    bench
        .board()
        .with(|board| board.chip.system.borrow().nor.content().to_vec())
        .unwrap()
}

/// Fails if the model refused anything.
pub fn assert_clean(bench: &VirtualBench) {
    assert_eq!(bench.board().violations().unwrap(), Vec::<String>::new());
}
