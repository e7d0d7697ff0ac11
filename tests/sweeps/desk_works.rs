//! The desk itself: a job over it ends like one on the whole virtual board.

use rtflash::job::Request;
use virtual_board::rom::{Outcome, Reading};

use crate::desk::Desk;
use crate::images::{image, noise};

#[test]
fn a_job_over_the_desk_leaves_a_flash_that_the_rom_boots() {
    let desk = Desk::new("is25wp064");
    let image = image(&[(0x6000_3000, noise(3, 0x9000))]);
    let request = Request::new(image.image().clone());
    for round in 0..std::env::var("ROUNDS").map_or(2, |n| n.parse().expect("number")) {
        let begin = std::time::Instant::now();
        let done = desk.flash(&request);
        println!(
            "job {round}: {:?}, {} accesses",
            begin.elapsed(),
            done.accesses
        );
        assert!(done.passed(), "{:?}", done.written.verified);
        desk.board.assert_clean();
        for run in image.runs() {
            let at = run.offset.get() as usize;
            desk.nor(|nor| assert_eq!(nor.content()[at..at + run.bytes.len()], run.bytes));
        }
        for reading in [Reading::Strict, Reading::Lenient] {
            let begin = std::time::Instant::now();
            let outcome = desk.boots(reading);
            println!("rom: {:?}", begin.elapsed());
            assert!(matches!(outcome, Outcome::Booted { .. }), "{outcome:?}");
        }
        desk.power_cycle();
    }
}
