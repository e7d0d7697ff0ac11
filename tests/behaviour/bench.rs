//! Virtual boards for the tests: made, filled, looked into.

use rtflash::link::VirtualBench;
use virtual_board::board::BoardConfig;
use virtual_board::nor::Part;

/// A sound board with a blank IS25WP064.
pub fn config() -> BoardConfig {
    BoardConfig::new(Part::builtin("is25wp064").expect("part"))
}

/// A board that is running.
pub fn start(config: BoardConfig) -> VirtualBench {
    VirtualBench::start(config).expect("virtual board")
}

/// The flash array, operations in flight finished.
pub fn flash_content(bench: &VirtualBench) -> Vec<u8> {
    bench
        .board()
        .with(|b| {
            let now = b.now();
            let mut system = b.chip.system.borrow_mut();
            system.nor.settle(now);
            system.nor.content().to_vec()
        })
        .expect("board")
}

/// Replaces part of the flash array, as if it had been there before.
pub fn fill(bench: &VirtualBench, offset: usize, bytes: &[u8]) {
    let bytes = bytes.to_vec();
    bench
        .board()
        .with(move |b| {
            b.chip.system.borrow_mut().nor.content_mut()[offset..offset + bytes.len()].copy_from_slice(&bytes);
        })
        .expect("board");
}

/// Everything the board had to refuse.
pub fn violations(bench: &VirtualBench) -> Vec<String> {
    bench.board().violations().expect("board")
}

/// Bytes without a pattern.
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
