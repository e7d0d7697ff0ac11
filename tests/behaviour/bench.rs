//! Virtual boards for the tests: made, filled, flashed, looked into.

use std::path::Path;

use rtflash::boot::{BootImage, judge};
use rtflash::image::Image;
use rtflash::job::{self, Bench, Job, Outcome};
use rtflash::link::{Choice, VirtualBench};
use rtflash::target::Target;
use virtual_board::board::BoardConfig;
use virtual_board::nor::Part;

/// The first bytes of an application that runs: vector table and a reset handler that loops.
pub const APPLICATION: u32 = 0x6000_2000;

/// A sound board with a blank IS25WP064.
pub fn config() -> BoardConfig {
    BoardConfig::new(Part::builtin("is25wp064").expect("part"))
}

/// A board that is running.
pub fn start(config: BoardConfig) -> VirtualBench {
    VirtualBench::start(config).expect("virtual board")
}

/// The target that the boards of these tests are.
pub fn target() -> Target {
    Target::builtin("mimxrt1062", "is25wp064", "qspi").expect("target")
}

/// The whole way of `rtflash flash` on a running board.
pub fn flash(board: &VirtualBench, image: &BootImage) -> Outcome {
    let target = target();
    let choice = Choice {
        speed_khz: Some(15_000),
        ..Choice::default()
    };
    let bench = Bench::virtual_board(choice, board.clone());
    job::flash(&Job::new(&target), image, &bench, &mut ())
}

/// An image of a running application without boot header, with further segments at bus addresses.
pub fn image(segments: &[(u32, Vec<u8>)]) -> BootImage {
    let mut all = vec![(APPLICATION, application())];
    all.extend_from_slice(segments);
    let text = intel_hex(&all);
    let image = Image::parse(Path::new("test.hex"), text.as_bytes()).expect("image");
    judge(&image, None, &target())
        .into_boot_image()
        .expect("a bootable image")
}

/// Vector table with 16 entries, then `b .`.
fn application() -> Vec<u8> {
    let handler = APPLICATION + 64;
    let mut words = vec![0x2001_0000, handler | 1];
    words.resize(16, handler | 1);
    let mut bytes: Vec<u8> = words.iter().flat_map(|w: &u32| w.to_le_bytes()).collect();
    bytes.extend(0xE7FE_u16.to_le_bytes());
    bytes
}

fn intel_hex(segments: &[(u32, Vec<u8>)]) -> String {
    use ihex::Record;
    let mut records = Vec::new();
    for (start, bytes) in segments {
        let mut at = *start;
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let room = (0x1_0000 - at % 0x1_0000).min(16) as usize;
            let (piece, left) = rest.split_at(room.min(rest.len()));
            records.push(Record::ExtendedLinearAddress((at >> 16) as u16));
            records.push(Record::Data {
                offset: at as u16,
                value: piece.to_vec(),
            });
            at += piece.len() as u32;
            rest = left;
        }
    }
    records.push(Record::EndOfFile);
    ihex::create_object_file_representation(&records).expect("hex")
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
