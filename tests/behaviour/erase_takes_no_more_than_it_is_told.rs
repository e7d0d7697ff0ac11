//! `erase` erases what it is told, proves that it is blank, leaves every other byte, and kills the FCB before anything
//! else, so that a cut never leaves half an image that the ROM starts by it.

use std::cell::Cell;
use std::path::Path;
use std::time::Duration;

use rtflash::address::{Address, FlashOffset};
use rtflash::boot::{BootImage, HeaderWishes};
use rtflash::image::Image;
use rtflash::job::{
    self, BootPolicy, CutSectors, EraseRequest, EraseWhat, HeaderPolicy, Job, Outcome, Request,
    Saved, SavedBy,
};
use rtflash::link::VirtualBench;
use rtflash::plan::Foreign;
use rtflash::report::{FlashLeft, Verdict};
use rtflash::target::Target;
use virtual_board::board::BoardConfig;
use virtual_board::nor::{Counters, Faults, Part};
use virtual_board::rom;
use virtual_board::time::Time;

use crate::bench;
use crate::watched::{self, Watched};

/// Bytes of a part that is digested in no time.
const SMALL: u32 = 0x4_0000;
const CHIP_ERASE_US: u32 = 400_000;
const CUTS: u64 = 5;

/// A cut that leaves most of the bits as they were.
const CUT_SEED: u64 = 1;

type Task = fn(&VirtualBench) -> Outcome;

fn request(ranges: &[&str], cut: CutSectors) -> EraseRequest {
    let ranges = ranges.iter().map(|typed| typed.parse().expect(typed));
    EraseRequest {
        what: EraseWhat::Ranges(ranges.collect()),
        cut,
    }
}

fn run(
    board: &VirtualBench,
    target: &Target,
    request: &EraseRequest,
    watched: &mut Watched<'_>,
) -> Outcome {
    job::erase(&Job::new(target), request, &watched::bench(board), watched)
}

fn erase(board: &VirtualBench, ranges: &[&str]) -> Outcome {
    let request = request(ranges, CutSectors::Refuse);
    run(board, &bench::target(), &request, &mut Watched::default())
}

#[track_caller]
fn ended_with(outcome: &Outcome, exit: u8, code: Option<&str>) {
    ended_with_exit(outcome, exit);
    let problem = outcome.problem.as_ref();
    assert_eq!(problem.map(|problem| problem.code), code, "{problem:?}");
}

#[track_caller]
fn ended_with_exit(outcome: &Outcome, exit: u8) {
    let problem = outcome.problem.as_ref();
    assert_eq!(outcome.record.verdict.exit(), exit, "{problem:?}");
}

fn counters(board: &VirtualBench) -> Counters {
    let counters = board
        .board()
        .with(|b| b.chip.system.borrow().nor.counters());
    counters.expect("board")
}

fn status(board: &VirtualBench) -> u8 {
    let status = board
        .board()
        .with(|b| b.chip.system.borrow().nor.status_register());
    status.expect("board")
}

fn rom_boots(board: &VirtualBench) -> bool {
    board
        .board()
        .with(|b| {
            b.chip.power_on();
            b.wait(Time::ms(30));
            matches!(b.chip.rom_outcome(), Some(rom::Outcome::Booted { .. }))
        })
        .expect("board")
}

/// A board with a part of 256 KiB, and the target for it.
fn small(nor_faults: Faults) -> (VirtualBench, Target) {
    let usual = bench::target();
    let mut part = usual.flash().clone();
    part.size_bytes = SMALL;
    part.chip_erase.typ_us = CHIP_ERASE_US;
    let target = Target::new(usual.chip().clone(), part, usual.board().clone()).expect("target");
    let mut part = Part::builtin("is25wp064").expect("part");
    part.size_bytes = SMALL;
    part.chip_erase.duration.typ_us = CHIP_ERASE_US.into();
    let board = bench::start(BoardConfig {
        nor_faults,
        ..BoardConfig::new(part)
    });
    bench::fill(&board, 0, &bench::noise(1, SMALL as usize));
    (board, target)
}

const CHIP: EraseRequest = EraseRequest {
    what: EraseWhat::Chip,
    cut: CutSectors::Refuse,
};

#[test]
fn a_whole_chip_is_erased_by_one_command_whose_time_is_told_while_it_lasts() {
    let (board, target) = small(Faults::default());
    let mut watched = Watched::default();
    ended_with(&run(&board, &target, &CHIP, &mut watched), 0, None);
    assert!(
        bench::flash_content(&board)
            .iter()
            .all(|byte| *byte == 0xFF)
    );
    assert_eq!(counters(&board).erases, 2, "the FCB's sector, and the chip");
    let (elapsed, typical, longest) = watched.waits.last().expect("waits are told");
    assert!(*elapsed > Duration::from_micros(u64::from(CHIP_ERASE_US) / 2));
    assert_eq!(*typical, Duration::from_micros(CHIP_ERASE_US.into()));
    let max_us = target.flash().chip_erase.max_us;
    assert_eq!(*longest, Duration::from_micros(max_us.into()));
}

#[test]
fn what_is_blank_is_neither_erased_nor_unprotected() {
    let board = bench::start(bench::config());
    bench::set_status(&board, 0x7C);
    let outcome = erase(&board, &["0x10000+128K"]);
    ended_with(&outcome, 0, None);
    let reads = counters(&board).reads;
    assert_eq!(
        counters(&board),
        Counters {
            reads,
            ..Counters::default()
        }
    );
    assert_eq!(status(&board), 0x7C);
}

#[test]
fn protection_is_taken_away_where_something_changes_and_qe_stays() {
    for (before, after) in [(0x7C, 0x40), (0x00, 0x00)] {
        let board = bench::start(bench::config());
        bench::fill(&board, 0x2_0000, &bench::noise(1, 0x1000));
        bench::set_status(&board, before);
        let outcome = erase(&board, &["0x60020000+4K"]);
        ended_with(&outcome, 0, None);
        assert_eq!(status(&board), after, "from {before:#x}");
        let writes = u64::from(before != after);
        assert_eq!(counters(&board).register_writes, writes, "{before:#x}");
        let record = outcome.record.erase.expect("what was erased");
        assert_eq!(record.removes_protection, before != after);
    }
}

#[test]
fn a_defective_part_is_a_failed_erase() {
    let range = ["0x60020000+64K"];
    let weak = Faults {
        weak_erase: vec![(0x2_3456, 0x10)],
        ..Faults::default()
    };
    let stuck = Faults {
        stuck_wip: true,
        ..Faults::default()
    };
    for (nor_faults, code) in [(weak, "erase-incomplete"), (stuck, "flash-timeout")] {
        let board = bench::start(BoardConfig {
            nor_faults,
            ..bench::config()
        });
        bench::fill(&board, 0x2_0000, &[0; 0x1_0000]);
        let outcome = erase(&board, &range);
        ended_with(&outcome, 8, Some(code));
        let record = outcome.record.erase.expect("what was to be erased");
        assert!(!record.found_blank);
    }
}

/// What `erase` says where a byte changes between the last erase and the proof.
fn disturbed_at(offset: usize) -> Outcome {
    let board = bench::start(bench::config());
    bench::fill(&board, 0x2_0000, &bench::noise(1, 0x2_0000));
    let mut watched = Watched {
        at_phase: Some(Box::new(|phase| {
            if phase == "verify" {
                let byte = bench::flash_content(&board)[offset];
                bench::fill(&board, offset, &[!byte]);
            }
        })),
        ..Watched::default()
    };
    let request = request(&["0x60020000+64K"], CutSectors::Refuse);
    run(&board, &bench::target(), &request, &mut watched)
}

#[test]
fn what_is_not_blank_when_it_is_read_back_is_told() {
    let outcome = disturbed_at(0x2_5678);
    ended_with(&outcome, 9, Some("not-blank"));
    let place = outcome.problem.expect("a problem").place.to_string();
    assert_eq!(place, "address 0x60025678, sector 37");
}

#[test]
fn bytes_beside_the_range_that_change_are_told() {
    ended_with(&disturbed_at(0x3_0000), 11, Some("guard-differs"));
}

#[test]
fn a_cancelled_erase_ends_what_it_has_begun_and_the_next_one_goes_on() {
    const BYTES: usize = 0x8_0000;
    let board = bench::start(bench::config());
    bench::fill(&board, 0, &bench::noise(1, BYTES));
    let cancel = Cell::new(false);
    let mut watched = Watched {
        at_progress: Some(Box::new(|phase, done| {
            if phase == "erase" && done > 0x2_0000 {
                cancel.set(true);
            }
        })),
        cancel: Some(&cancel),
        ..Watched::default()
    };
    let range = request(&["0x60000000+512K"], CutSectors::Refuse);
    let outcome = run(&board, &bench::target(), &range, &mut watched);
    ended_with(&outcome, 130, Some("cancelled"));
    assert_eq!(outcome.record.left, Some(FlashLeft::PartlyErased));
    let told = |text: &str| watched.notes.iter().any(|note| note.contains(text));
    assert!(told("cannot be stopped"), "{:?}", watched.notes);
    let problem = outcome.problem.expect("a problem");
    assert!(
        problem
            .why
            .expect("why")
            .contains("the FCB is what goes first")
    );
    let content = bench::flash_content(&board);
    let (erased, left) = content[..BYTES].split_at(0x2_0000);
    assert!(erased.iter().all(|byte| *byte == 0xFF));
    let sectors = left.chunks(0x1000);
    let left = sectors.filter(|sector| sector.iter().any(|byte| *byte != 0xFF));
    let left = left.count() as u64;
    assert!(left >= 32, "it went on for long: {left} sectors left");
    let before = counters(&board).erases;
    ended_with(&erase(&board, &["0x60000000+512K"]), 0, None);
    assert_eq!(
        counters(&board).erases - before,
        left / 16,
        "blank blocks again"
    );
}

#[test]
fn a_cancel_before_the_first_erase_changes_nothing() {
    let board = bench::start(bench::config());
    bench::fill(&board, 0, &bench::noise(1, 0x1000));
    let cancel = Cell::new(true);
    let mut watched = Watched {
        cancel: Some(&cancel),
        ..Watched::default()
    };
    let range = request(&["0x60000000+4K"], CutSectors::Refuse);
    let outcome = run(&board, &bench::target(), &range, &mut watched);
    ended_with(&outcome, 130, Some("cancelled"));
    assert_eq!(outcome.record.left, Some(FlashLeft::Unchanged));
    assert_eq!(counters(&board), Counters::default());
}

fn holds(flash: &[u8], image: &BootImage) -> bool {
    image.runs().iter().all(|run| {
        let at = run.offset.get() as usize;
        flash.get(at..at + run.bytes.len()) == Some(&run.bytes[..])
    })
}

#[test]
fn a_power_cut_leaves_the_whole_image_or_nothing_that_boots() {
    let image = bench::image(&[(0x6000_2800, bench::noise(1, 0x2000))]);
    let flashed = bench::start(bench::config());
    bench::flash(&flashed, &image);
    let content = bench::flash_content(&flashed)[..0x1_0000].to_vec();
    let board_with = || {
        let board = bench::start(bench::config());
        bench::fill(&board, 0, &content);
        bench::set_status(&board, 0x40);
        board
    };
    assert!(rom_boots(&board_with()));
    // all of it, and all but the FCB's sector: then the IVT is what dies first
    for range in ["0x60000000+64K", "0x60001000+60K"] {
        let whole = board_with();
        let begin = whole.board().now().expect("now");
        let outcome = erase(&whole, &[range]);
        ended_with(&outcome, 0, None);
        assert!(!rom_boots(&whole));
        let phases = &outcome.record.phases;
        let until = |name: &str| -> f64 {
            let before = phases.iter().take_while(|phase| phase.name != name);
            before.map(|phase| phase.seconds).sum()
        };
        let (first, last) = (until("erase"), until("verify"));
        let mut dead = 0;
        for cut in 0..CUTS {
            let board = board_with();
            assert_eq!(board.board().now().expect("now"), begin);
            let share = cut as f64 / CUTS as f64;
            let after_us = (first + (last - first) * share) * 1e6;
            let at = Time::from(begin) + Time::us(after_us as u64);
            board
                .board()
                .with(move |b| b.chip.power_cut_at = Some((at, cut)))
                .expect("board");
            let outcome = erase(&board, &[range]);
            assert_eq!(outcome.record.verdict.exit(), 22, "{:?}", outcome.problem);
            let boots = rom_boots(&board);
            dead += u32::from(!boots);
            let flash = bench::flash_content(&board);
            assert!(!boots || holds(&flash, &image), "{range}, cut {cut}");
            if cut == CUTS / 2 {
                ended_with(&erase(&board, &[range]), 0, None);
            }
        }
        assert!(dead > 0, "no cut fell into the erase");
    }
}

#[test]
fn bytes_of_others_that_a_cut_took_are_put_back_by_the_next_erase() {
    let kept = bench::noise(5, 0x800);
    let range = request(&["0x60020800+2K"], CutSectors::KeepOthers);
    let board_with = || {
        let board = bench::start(bench::config());
        bench::fill(&board, 0x2_0000, &kept);
        bench::fill(&board, 0x2_0800, &bench::noise(6, 0x800));
        board
    };
    let erased =
        |board: &VirtualBench| run(board, &bench::target(), &range, &mut Watched::default());
    let board = board_with();
    let begin = board.board().now().expect("now");
    let outcome = erased(&board);
    ended_with(&outcome, 0, None);
    let phases = outcome.record.phases.iter();
    let first: f64 = phases
        .take_while(|phase| phase.name != "erase")
        .map(|phase| phase.seconds)
        .sum();
    let board = board_with();
    // 70 ms of erase, then the program: a cut when the bytes are gone
    let at = Time::from(begin) + Time::us((first * 1e6) as u64) + Time::ms(60);
    board
        .board()
        .with(move |b| b.chip.power_cut_at = Some((at, 3)))
        .expect("board");
    assert_eq!(erased(&board).record.verdict.exit(), 22);
    assert!(bench::flash_content(&board)[0x2_0000..0x2_0800] != kept);
    board.board().with(|b| b.chip.power_on()).expect("board");
    ended_with(&erased(&board), 0, None);
    let content = bench::flash_content(&board);
    assert!(content[0x2_0000..0x2_0800] == kept, "they are lost");
    assert!(content[0x2_0800..0x2_1000].iter().all(|byte| *byte == 0xFF));
}

/// A board with a complete image, and bytes of others behind its FCB.
fn flashed(image: &BootImage) -> Vec<u8> {
    let flashed = bench::start(bench::config());
    bench::flash(&flashed, image);
    bench::fill(&flashed, 0x800, &bench::noise(1, 0x100));
    bench::flash_content(&flashed)[..0x4_0000].to_vec()
}

fn board_holding(content: &[u8]) -> VirtualBench {
    let board = bench::start(bench::config());
    bench::fill(&board, 0, content);
    bench::set_status(&board, 0x40);
    board
}

fn erase_beside_the_fcb(board: &VirtualBench) -> Outcome {
    let range = request(&["0x60000800+256"], CutSectors::KeepOthers);
    run(board, &bench::target(), &range, &mut Watched::default())
}

fn flash_data_beside_the_fcb(board: &VirtualBench) -> Outcome {
    let start = Address::new(0x6000_0800);
    let image = Image::raw(Path::new("data.bin"), &[0; 0x100], start).expect("image");
    let wishes = HeaderWishes::only(HeaderPolicy::DataOnly);
    bench::run(board, &Request { image, wishes }, |job| Job {
        boot_policy: BootPolicy::Accepted,
        ..job
    })
}

/// Tasks inside the FCB's sector, and the phase in which each begins to change the flash.
const BESIDE_THE_FCB: [(Task, &str); 2] = [
    (erase_beside_the_fcb, "erase"),
    (flash_data_beside_the_fcb, "program"),
];

/// A board that holds `content`, after `task` was cut so long after the begin of `phase`.
fn cut(
    content: &[u8],
    task: impl Fn(&VirtualBench) -> Outcome,
    phase: &str,
    after: Time,
) -> VirtualBench {
    let board = board_holding(content);
    let begin = board.board().now().expect("now");
    let outcome = task(&board);
    ended_with_exit(&outcome, 0);
    let phases = outcome.record.phases.iter();
    let before: f64 = phases
        .take_while(|known| known.name != phase)
        .map(|phase| phase.seconds)
        .sum();
    let board = board_holding(content);
    let at = Time::from(begin) + Time::us((before * 1e6) as u64) + after;
    board
        .board()
        .with(move |b| b.chip.power_cut_at = Some((at, CUT_SEED)))
        .expect("board");
    ended_with_exit(&task(&board), 22);
    assert!(!rom_boots(&board), "{phase}: the tag is dead");
    board
}

/// The tag is killed within the first millisecond, and the erase of its sector takes 70.
const IN_THE_FIRST_ERASE: Time = Time::ms(20);

#[test]
fn an_fcb_beside_what_is_erased_or_flashed_as_data_is_back_after_a_cut_and_the_next_try() {
    let content = flashed(&bench::image(&[]));
    for (task, phase) in BESIDE_THE_FCB {
        let board = cut(&content, task, phase, IN_THE_FIRST_ERASE);
        let outcome = task(&board);
        ended_with_exit(&outcome, 0);
        if let Verdict::Done { what } = &outcome.record.verdict {
            assert!(what.contains("its FCB is there"), "{what}");
        }
        let now = bench::flash_content(&board);
        assert!(now[..0x800] == content[..0x800], "{phase}: the FCB is lost");
        assert!(now[0x900..0x1000] == content[0x900..0x1000], "{phase}");
        assert!(rom_boots(&board), "{phase}");
    }
}

#[test]
fn an_fcb_saved_by_a_whole_image_is_not_put_back_before_that_image_is_complete() {
    let image = |seed| bench::image(&[(0x6000_2800, bench::noise(seed, 0x2500))]);
    let new = image(2);
    let update = Request {
        image: new.image().clone(),
        wishes: HeaderWishes::only(HeaderPolicy::KeepOfBoard),
    };
    let content = flashed(&image(1));
    let flash = |board: &VirtualBench| bench::run(board, &update, |job| job);
    // behind the erase of the FCB's sector, and before that of the last
    let cut = || cut(&content, flash, "program", Time::ms(200));
    let board = cut();
    let half = bench::flash_content(&board);
    assert!(half[0x2800..0x4D00] != content[0x2800..0x4D00], "begun");
    assert!(!holds(&half, &new), "not complete");
    for (task, phase) in BESIDE_THE_FCB {
        ended_with(&task(&board), 20, Some("flash-unfinished"));
        assert!(bench::flash_content(&board) == half, "{phase}: changed");
        assert!(!rom_boots(&board), "{phase}");
    }
    ended_with_exit(&flash(&board), 0);
    let now = bench::flash_content(&board);
    assert!(holds(&now, &new));
    assert!(now[..0x1000] == content[..0x1000], "the board's own FCB");
    for (task, phase) in BESIDE_THE_FCB {
        ended_with_exit(&task(&board), 0);
        assert!(rom_boots(&board), "{phase}");
    }

    // or the image is given up
    let board = cut();
    ended_with(&erase(&board, &["0x60000000+4K"]), 0, None);
    for (task, phase) in BESIDE_THE_FCB {
        ended_with_exit(&task(&board), 0);
        assert!(!rom_boots(&board), "{phase}");
    }
}

/// The virtual board's chip.
const UID: &str = "1B2609D75A3C4D61";

#[test]
fn bytes_written_since_an_earlier_cut_survive_a_cut_erase() {
    const OTHERS: usize = 0x2_0800;
    let mut content = flashed(&bench::image(&[]));
    let since = bench::noise(7, 0x100);
    content[OTHERS..OTHERS + 0x100].copy_from_slice(&since);
    // the second range is blank already, in the sector of the bytes of others
    let ranges = ["0x60000800+256", "0x60020000+256"];
    let ranges = request(&ranges, CutSectors::KeepOthers);
    let erase = |board: &VirtualBench| {
        let directory = Some(board.state_directory());
        let mut saved = Saved::open(directory, UID).expect("saved");
        if saved.is_empty() {
            let offset = FlashOffset::new(OTHERS as u32);
            let bytes = bench::noise(8, 0x100);
            let piece = Foreign { offset, bytes };
            saved
                .keep(SavedBy::Part, [&piece], |_, _| None)
                .expect("saved");
        }
        run(board, &bench::target(), &ranges, &mut Watched::default())
    };
    let board = cut(&content, erase, "erase", IN_THE_FIRST_ERASE);
    ended_with(&erase(&board), 0, None);
    let now = bench::flash_content(&board);
    assert!(now[OTHERS..OTHERS + 0x100] == since, "older bytes are back");
    assert!(now[..0x800] == content[..0x800], "the FCB is lost");
    assert!(rom_boots(&board));
    let saved = Saved::open(Some(board.state_directory()), UID).expect("saved");
    assert!(saved.is_empty());
}
