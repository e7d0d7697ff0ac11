//! The verdict about the boot is about what the image did: not about what it left in a status register, nor about the
//! mere jump.

use rtflash::boot::{BootImage, judge};
use rtflash::image::Image;
use rtflash::report::Verdict;
use std::path::Path;
use std::time::Duration;

use crate::bench;
use crate::images::{APPLICATION, intel_hex};

/// An application whose reset handler is `code`.
fn running(code: &[u16]) -> BootImage {
    let handler = APPLICATION + 64;
    let mut words = vec![0x2001_0000, handler | 1];
    words.resize(16, handler | 1);
    let mut bytes: Vec<u8> = words
        .iter()
        .flat_map(|word: &u32| word.to_le_bytes())
        .collect();
    bytes.extend(code.iter().flat_map(|half| half.to_le_bytes()));
    let text = intel_hex(&[(APPLICATION, bytes)]);
    let image = Image::parse(Path::new("test.hex"), text.as_bytes()).expect("image");
    judge(&image, None, &bench::target())
        .into_boot_image()
        .expect("a bootable image")
}

#[test]
fn an_image_that_clears_the_reset_status_passes() {
    // ldr r0,[pc,#8] ; ldr r1,[r0] ; str r1,[r0] ; b . ; nop ; nop ; SRC_SRSR
    let code = [
        0x4802, 0x6801, 0x6001, 0xE7FE, 0xBF00, 0xBF00, 0x8008, 0x400F,
    ];
    let board = bench::start(bench::config());
    let outcome = bench::flash(&board, &running(&code));
    assert!(
        matches!(outcome.record.verdict, Verdict::Pass(_)),
        "{:?}",
        outcome.problem
    );
}

#[test]
fn an_image_that_faults_on_its_first_instruction_does_not_pass() {
    let board = bench::start(bench::config());
    let outcome = bench::flash(&board, &running(&[0xDE00, 0xE7FE]));
    assert_eq!(outcome.record.verdict.exit(), 16);
    assert_eq!(outcome.problem.expect("a problem").code, "image-crashed");
}

#[test]
fn a_job_that_cannot_begin_leaves_the_board_running() {
    use virtual_board::nor::Faults;
    let faults = Faults {
        jedec_id: Some([0xC2, 0x20, 0x17]),
        ..Faults::default()
    };
    let board = bench::start(virtual_board::board::BoardConfig {
        nor_faults: faults,
        ..bench::config()
    });
    let outcome = bench::flash(&board, &running(&[0xE7FE]));
    assert_eq!(outcome.record.verdict.exit(), 6);
    // the algorithm's lease ends, and the ROM runs again; an idle loop passes once in every look at the board
    for _ in 0..300 {
        board
            .board()
            .sleep(Duration::from_millis(10))
            .expect("board");
    }
    let (halted, in_rom) = board
        .board()
        .with(|b| (b.chip.cpu.debug.halted(), b.chip.cpu.in_rom()))
        .expect("board");
    assert!(!halted && in_rom, "halted {halted}, in ROM {in_rom}");
}
