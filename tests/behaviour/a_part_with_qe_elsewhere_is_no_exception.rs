//! A part whose QE is in status register 2 (W25Q64JV) gets the same promises: it is flashed to PASS whatever QE and
//! protection were, and a power cut inside the write of that register never leaves a board that boots half an image.

use rtflash::boot::BootImage;
use rtflash::job::Outcome;
use rtflash::link::VirtualBench;
use rtflash::report::Verdict;
use rtflash::target::Target;
use virtual_board::board::BoardConfig;
use virtual_board::nor::Part;
use virtual_board::rom;
use virtual_board::time::Time;

use crate::bench;

const QE: u8 = 0x02;
const CMP: u8 = 0x40;
/// Longer than the write of a status register takes, typically.
const WRITE_US: u64 = 10_000;

fn target() -> Target {
    Target::builtin("mimxrt1062", "w25q64jv", "qspi").expect("target")
}

fn blank() -> VirtualBench {
    let part = Part::builtin("w25q64jv").expect("part");
    bench::start(BoardConfig::new(part))
}

fn image(seed: u32) -> BootImage {
    bench::image_for(&target(), &[(0x6000_2800, bench::noise(seed, 0x500))])
}

fn flash(board: &VirtualBench, image: &BootImage) -> Outcome {
    bench::flash_as(board, &target(), image)
}

#[track_caller]
fn passes(outcome: &Outcome) {
    let passed = matches!(outcome.record.verdict, Verdict::Pass(_));
    assert!(passed, "{:?}", outcome.problem);
}

/// Status registers 1 and 2, as power keeps them.
fn registers(board: &VirtualBench) -> [u8; 2] {
    let read = board.board().with(|b| {
        let registers = b.chip.system.borrow().nor.registers();
        [registers.status, registers.status_2]
    });
    read.expect("board")
}

fn set_registers(board: &VirtualBench, [status, status_2]: [u8; 2]) {
    let set = board.board().with(move |b| {
        let nor = &mut b.chip.system.borrow_mut().nor;
        let mut registers = nor.registers();
        (registers.status, registers.status_2) = (status, status_2);
        nor.set_registers(registers);
    });
    set.expect("board");
}

fn register_writes(board: &VirtualBench) -> u64 {
    let read = board
        .board()
        .with(|b| b.chip.system.borrow().nor.counters().register_writes);
    read.expect("board")
}

fn rom_boots(board: &VirtualBench) -> bool {
    let boots = board.board().with(|b| {
        b.chip.power_on();
        b.wait(Time::ms(30));
        matches!(b.chip.rom_outcome(), Some(rom::Outcome::Booted { .. }))
    });
    boots.expect("board")
}

fn holds(flash: &[u8], image: &BootImage) -> bool {
    image.runs().iter().all(|run| {
        let at = run.offset.get() as usize;
        flash.get(at..at + run.bytes.len()) == Some(&run.bytes[..])
    })
}

#[test]
fn as_delivered_no_status_register_is_written() {
    let board = blank();
    let outcome = flash(&board, &image(1));
    passes(&outcome);
    assert_eq!(
        outcome.record.flash.expect("flash").status_before,
        0x60_0200
    );
    assert_eq!((register_writes(&board), registers(&board)), (0, [0, QE]));
    assert_eq!(bench::violations(&board), Vec::<String>::new());
}

#[test]
fn with_qe_clear_it_is_set_once_and_the_rom_reads_on_four_lines() {
    let board = blank();
    set_registers(&board, [0x20, 0]);
    let outcome = flash(&board, &image(1));
    passes(&outcome);
    let flash_record = outcome.record.flash.expect("flash");
    assert_eq!(flash_record.status_before, 0x60_0020);
    assert_eq!(flash_record.status_after, Some(0x60_0220));
    assert_eq!(
        (register_writes(&board), registers(&board)),
        (1, [0x20, QE])
    );
    passes(&flash(&board, &image(1)));
    assert_eq!(register_writes(&board), 1, "nothing is left to do");
    assert_eq!(bench::violations(&board), Vec::<String>::new());
}

#[test]
fn protection_of_every_kind_is_taken_off() {
    for before in [[0x1C, QE], [0x00, CMP | QE], [0x04, CMP], [0x44, 0]] {
        let board = blank();
        set_registers(&board, before);
        passes(&flash(&board, &image(1)));
        let [status, status_2] = registers(&board);
        assert_eq!((status & 0x1C, status_2), (0, QE), "{before:02X?}");
    }
}

#[test]
fn a_cut_inside_the_write_of_register_2_is_finished_by_the_next_job() {
    let (old, new) = (image(1), image(2));
    let before = || {
        let board = blank();
        passes(&flash(&board, &old));
        set_registers(&board, [0, 0]);
        board
    };

    // The tag is killed, then its sector erased (45 ms), then the register written: the cuts lie around that.
    let board = before();
    let outcome = flash(&board, &new);
    let begin: f64 = outcome
        .record
        .phases
        .iter()
        .take_while(|phase| phase.name != "program")
        .map(|phase| phase.seconds)
        .sum();
    let begin_us = (begin * 1e6) as u64;

    let (mut inside, mut torn) = (0, 0);
    for (seed, step) in (0..16).enumerate() {
        let board = before();
        let at = Time::from(board.board().now().expect("now"))
            + Time::us(begin_us + 40_000 + step * WRITE_US / 8);
        let cut = board
            .board()
            .with(move |b| b.chip.power_cut_at = Some((at, seed as u64)));
        cut.expect("board");
        let cut_off = flash(&board, &new);
        assert_eq!(cut_off.record.verdict.exit(), 22, "{:?}", cut_off.problem);

        let content = bench::flash_content(&board);
        let [status, status_2] = registers(&board);
        assert_eq!(status, 0, "register 1 is not touched");
        let begun = register_writes(&board) == 1;
        let written = status_2 == QE && content[0x1000..0x1100].iter().any(|byte| *byte != 0xFF);
        if begun && !written {
            inside += 1;
            torn += u32::from(status_2 != 0 && status_2 != QE);
            let tag = content.first_chunk::<4>().expect("tag");
            assert!(
                [[0xFF; 4], [0; 4]].contains(tag),
                "QE changes only while the FCB's tag is dead: {tag:02X?}"
            );
        }
        if rom_boots(&board) {
            let content = bench::flash_content(&board);
            assert!(
                holds(&content, &old) || holds(&content, &new),
                "half an image boots"
            );
        }

        passes(&flash(&board, &new));
        assert!(holds(&bench::flash_content(&board), &new));
        assert_eq!(registers(&board), [0, QE]);
    }
    assert!(inside > 2 && torn > 0, "{inside} cuts inside, {torn} torn");
}
