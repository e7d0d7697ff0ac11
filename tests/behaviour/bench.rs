//! Virtual boards for the tests: made, filled, flashed, looked into.

use rtflash::boot::BootImage;
use rtflash::job::{self, Bench, Job, Outcome, Request};
use rtflash::link::{Choice, VirtualBench};
use rtflash::target::Target;
use virtual_board::board::BoardConfig;
use virtual_board::nor::Part;

pub use crate::images::{image, image_for, noise, target};

/// A sound board with a blank IS25WP064.
pub fn config() -> BoardConfig {
    BoardConfig::new(Part::builtin("is25wp064").expect("part"))
}

/// A board that is running.
pub fn start(config: BoardConfig) -> VirtualBench {
    VirtualBench::start(config).expect("virtual board")
}

/// The whole way of `rtflash flash` on a running board.
pub fn flash(board: &VirtualBench, image: &BootImage) -> Outcome {
    flash_as(board, &target(), image)
}

/// The same with another target.
pub fn flash_as(board: &VirtualBench, target: &Target, image: &BootImage) -> Outcome {
    let request = Request::new(image.image().clone());
    run_as(board, target, &request, |job| job)
}

/// The same with a request of its own, and a job that is changed by `with`.
pub fn run(
    board: &VirtualBench,
    request: &Request,
    with: impl for<'t> Fn(Job<'t>) -> Job<'t>,
) -> Outcome {
    run_as(board, &target(), request, with)
}

fn run_as(
    board: &VirtualBench,
    target: &Target,
    request: &Request,
    with: impl for<'t> Fn(Job<'t>) -> Job<'t>,
) -> Outcome {
    let choice = Choice {
        speed_khz: Some(15_000),
        ..Choice::default()
    };
    let bench = Bench::virtual_board(choice, board.clone());
    job::flash(&with(Job::new(target)), request, &bench, &mut ())
}

/// The flash array, operations in flight finished.
pub fn flash_content(board: &VirtualBench) -> Vec<u8> {
    board
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
pub fn fill(board: &VirtualBench, offset: usize, bytes: &[u8]) {
    let bytes = bytes.to_vec();
    board
        .board()
        .with(move |b| {
            b.chip.system.borrow_mut().nor.content_mut()[offset..offset + bytes.len()]
                .copy_from_slice(&bytes);
        })
        .expect("board");
}

/// Sets the status register, as if it had been so before.
pub fn set_status(board: &VirtualBench, status: u8) {
    board
        .board()
        .with(move |b| b.chip.system.borrow_mut().nor.set_status_register(status))
        .expect("board");
}

/// Everything the board had to refuse.
pub fn violations(board: &VirtualBench) -> Vec<String> {
    board.board().violations().expect("board")
}
