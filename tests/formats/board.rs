//! The fixtures, and a virtual board that they are flashed on.

use std::path::{Path, PathBuf};

use rtflash::boot::HeaderWishes;
use rtflash::image::Image;
use rtflash::job::{self, Bench, InputFile, Job};
use rtflash::link::{Choice, VirtualBench};
use rtflash::problem::Problem;
use rtflash::report::{Record, Verdict};
use rtflash::target::Target;
use virtual_board::board::BoardConfig;
use virtual_board::nor::Part;

/// The target of these tests.
pub fn target() -> Target {
    Target::builtin("mimxrt1062", "is25wp064", "qspi").expect("target")
}

/// A fixture.
pub fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}

/// The content of a fixture.
pub fn content(name: &str) -> Vec<u8> {
    std::fs::read(data(name)).expect("fixture")
}

/// Reads `content` as `rtflash` reads a file.
pub fn read(content: &[u8]) -> Result<Image, Problem> {
    let places = job::rom_places(&target());
    Ok(Image::read(Path::new("app"), content, None, &places)?)
}

/// Flashes what `typed` names on a blank board; the record, and what the flash then holds.
pub fn flash(typed: &[PathBuf]) -> (Record, Vec<u8>) {
    let target = target();
    let inputs = InputFile::all(typed, &[]).expect("inputs");
    let request = job::load(&inputs, &target, HeaderWishes::default()).expect("image");
    let config = BoardConfig::new(Part::builtin("is25wp064").expect("part"));
    let board = VirtualBench::start(config).expect("virtual board");
    let choice = Choice {
        speed_khz: Some(15_000),
        ..Choice::default()
    };
    let bench = Bench::virtual_board(choice, board.clone());
    let outcome = job::flash(&Job::new(&target), &request, &bench, &mut ());
    let verdict = &outcome.record.verdict;
    assert!(
        matches!(verdict, Verdict::Pass(_)),
        "{typed:?}: {:?}",
        outcome.problem
    );
    let content = board.board().with(|b| {
        let now = b.now();
        let mut system = b.chip.system.borrow_mut();
        system.nor.settle(now);
        system.nor.content().to_vec()
    });
    (outcome.record, content.expect("board"))
}
