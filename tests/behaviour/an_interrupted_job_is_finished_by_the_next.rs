//! A power cut at any point of a job leaves the complete old image, the complete new one, or the ROM's serial
//! downloader; the next job finishes the work, and bytes of others that were in an erased sector are back.

use rtflash::boot::BootImage;
use rtflash::link::VirtualBench;
use rtflash::report::Verdict;
use virtual_board::rom::Outcome;
use virtual_board::time::Time;

use crate::bench;

/// Cuts over the time in which the flash changes.
const CUTS: u64 = 5;
/// Bytes of others: in the sector of the FCB, and behind the image in its last sector.
const FOREIGN: [(usize, usize); 2] = [(0x400, 0x80), (0x2F00, 0x100)];

/// A board with an old image and bytes of others.
fn board_with(old: &BootImage) -> VirtualBench {
    let board = bench::start(bench::config());
    let outcome = bench::flash(&board, old);
    assert!(
        matches!(outcome.record.verdict, Verdict::Pass(_)),
        "{:?}",
        outcome.problem
    );
    for (at, length) in FOREIGN {
        bench::fill(&board, at, &bench::noise(at as u32, length));
    }
    board
}

fn holds(flash: &[u8], image: &BootImage) -> bool {
    image.runs().iter().all(|run| {
        let at = run.offset.get() as usize;
        flash.get(at..at + run.bytes.len()) == Some(&run.bytes[..])
    })
}

fn rom_boots(board: &VirtualBench) -> bool {
    board
        .board()
        .with(|b| {
            b.chip.power_on();
            b.wait(Time::ms(30));
            matches!(b.chip.rom_outcome(), Some(Outcome::Booted { .. }))
        })
        .expect("board")
}

#[test]
fn and_no_byte_of_others_is_lost() {
    let old = bench::image(&[(0x6000_2800, bench::noise(1, 0x500))]);
    let new = bench::image(&[(0x6000_2800, bench::noise(2, 0x500))]);

    // an uncut job tells when the flash changes
    let board = board_with(&old);
    let begin = board.board().now().expect("now");
    let outcome = bench::flash(&board, &new);
    let until = |name: &str| -> f64 {
        outcome
            .record
            .phases
            .iter()
            .take_while(|p| p.name != name)
            .map(|p| p.seconds)
            .sum()
    };
    let (first, last) = (until("program"), until("verify"));
    assert!(last > first);

    let mut dead = 0;
    for cut in 0..CUTS {
        let board = board_with(&old);
        let now = board.board().now().expect("now");
        assert_eq!(now, begin, "the same board at the same time");
        let at = Time::from(now)
            + Time::us(((first + (last - first) * cut as f64 / CUTS as f64) * 1e6) as u64);
        board
            .board()
            .with(move |b| b.chip.power_cut_at = Some((at, cut)))
            .expect("board");
        let cut_off = bench::flash(&board, &new);
        assert_eq!(
            cut_off.record.verdict.exit(),
            22,
            "cut {cut}: {:?}",
            cut_off.problem
        );

        let boots = rom_boots(&board);
        let flash = bench::flash_content(&board);
        dead += u32::from(!boots);
        if boots {
            assert!(
                holds(&flash, &old) || holds(&flash, &new),
                "cut {cut}: half an image boots"
            );
        }

        let finished = bench::flash(&board, &new);
        assert!(
            matches!(finished.record.verdict, Verdict::Pass(_)),
            "cut {cut}: {:?}",
            finished.problem
        );
        let flash = bench::flash_content(&board);
        assert!(holds(&flash, &new), "cut {cut}");
        for (at, length) in FOREIGN {
            assert_eq!(
                flash[at..at + length],
                bench::noise(at as u32, length),
                "cut {cut}: bytes of others"
            );
        }
    }
    assert!(
        dead > 0,
        "some cut must fall between the old image and the new one"
    );
}
