//! A power cut or a pulled probe, wherever it comes, leaves a board that runs the complete old image or the complete new one,
//! or that waits in the ROM's serial downloader; the next job finishes the work, and no byte of others is lost.
//!
//! The same at thousands of points without core and probe: the test binary `sweeps`. `RTFLASH_CUTS=n` (a number, by default
//! 1) multiplies the points of both.

use std::env;
use std::fs;
use std::path::PathBuf;

use rtflash::boot::BootImage;
use rtflash::job::{self, Bench, Job, Observer, Outcome, Request};
use rtflash::link::{Choice, VirtualBench};
use rtflash::report::Verdict;
use target_side::board;
use target_side::cuts::{Cut, Kept, every_cut};
use target_side::rom;
use virtual_board::board::Board;
use virtual_board::nor::operation::Operation;
use virtual_board::rom::{Outcome as RomOutcome, Reading};
use virtual_board::swd::Counts;
use virtual_board::time::Time;

use crate::bench;
use crate::slots::{MAGIC, SLOT, application, bootloader, request};

/// Everything happens in this part of the flash.
const EXTENT: usize = 0x3_0000;
/// Bytes of others: in the sector of the FCB, and behind the image in its last sector.
const FOREIGN: [(usize, usize); 2] = [(0x400, 0x80), (0x3F00, 0x100)];
const TEARS: u64 = 4;
/// Cuts after which the next job runs at this depth too.
const FINISHED: usize = 8;
/// Pulled probes, spread over the transfers and over the clocks between the first change of the flash and the last.
const PULLED: [u64; 2] = [3, 2];
/// The lease, and time for what the flash is busy with.
const AFTERMATH: Time = Time::ms(4_000);

fn depth() -> u64 {
    env::var("RTFLASH_CUTS").map_or(1, |text| text.parse().expect("a number"))
}

fn old() -> BootImage {
    bench::image(&[(0x6000_2800, bench::noise(1, 0x1400))])
}

fn new() -> BootImage {
    bench::image(&[(0x6000_2800, bench::noise(2, 0x1400))])
}

/// A board with an old image and bytes of others.
fn board_with(old: &BootImage) -> VirtualBench {
    let board = bench::start(bench::config());
    passed(&bench::flash(&board, old), "the old image");
    for (at, length) in FOREIGN {
        bench::fill(&board, at, &bench::noise(at as u32, length));
    }
    board
}

#[track_caller]
fn passed(outcome: &Outcome, at: &str) {
    let verdict = &outcome.record.verdict;
    assert!(
        matches!(verdict, Verdict::Pass(_)),
        "{at}: {:?}",
        outcome.problem
    );
}

fn with<R: Send + 'static>(
    board: &VirtualBench,
    job: impl FnOnce(&mut Board) -> R + Send + 'static,
) -> R {
    board.board().with(job).expect("board")
}

fn kept(board: &VirtualBench) -> Kept {
    with(board, |b| {
        let now = b.now();
        let mut system = b.chip.system.borrow_mut();
        system.nor.settle(now);
        Kept::of(&system.nor, EXTENT)
    })
}

fn holds(content: &[u8], image: &BootImage) -> bool {
    image.runs().iter().all(|run| {
        let at = run.offset.get() as usize;
        content.get(at..at + run.bytes.len()) == Some(&run.bytes[..])
    })
}

/// Notes what the host has saved when the flash begins to change.
struct Looker {
    directory: PathBuf,
    saved: Vec<(PathBuf, Vec<u8>)>,
}

impl Observer for Looker {
    fn phase(&mut self, name: &'static str) {
        if name != "program" {
            return;
        }
        // without bytes to save there is no directory
        for entry in fs::read_dir(&self.directory).into_iter().flatten() {
            let path = entry.expect("entry").path();
            let bytes = fs::read(&path).expect("bytes");
            self.saved.push((path, bytes));
        }
    }
    fn progress(&mut self, _done_bytes: u64, _total_bytes: u64) {}
    fn note(&mut self, _text: &str) {}
}

/// The whole way of `rtflash flash`, watched.
fn flash(board: &VirtualBench, request: &Request, observer: &mut dyn Observer) -> Outcome {
    let choice = Choice {
        speed_khz: Some(15_000),
        ..Choice::default()
    };
    let bench = Bench::virtual_board(choice, board.clone());
    let target = bench::target();
    job::flash(&Job::new(&target), request, &bench, observer)
}

/// A whole job of `rtflash flash`, recorded.
struct Recorded {
    before: Kept,
    after: Kept,
    operations: Vec<Operation>,
    saved: Vec<(PathBuf, Vec<u8>)>,
}

fn recorded(board: &VirtualBench, new: &Request) -> Recorded {
    let before = kept(board);
    with(board, |b| b.chip.system.borrow_mut().nor.recorder.start());
    let mut looker = Looker {
        directory: board.state_directory(),
        saved: Vec::new(),
    };
    passed(&flash(board, new, &mut looker), "uncut");
    Recorded {
        before,
        after: kept(board),
        operations: with(board, |b| b.chip.system.borrow_mut().nor.recorder.take()),
        saved: looker.saved,
    }
}

/// The board with this in its flash, and the power just on again.
fn power_up_with(board: &VirtualBench, kept: Kept) {
    with(board, move |b| {
        b.chip.power_off(1);
        kept.give_to(&mut b.chip.system.borrow_mut().nor);
        b.power_cycle(1);
    });
}

impl Recorded {
    /// The board as the cut left it, with the power back, and the host's directory as it was then.
    fn give(&self, cut: &Kept, board: &VirtualBench) {
        power_up_with(board, cut.clone());
        for (path, bytes) in &self.saved {
            fs::create_dir_all(path.parent().expect("directory")).expect("directory");
            fs::write(path, bytes).expect("written");
        }
    }
}

#[test]
fn power_cut_before_inside_and_after_every_operation() {
    let (old, new) = (old(), new());
    let board = board_with(&old);
    let update = Request::new(new.image().clone());
    let job = recorded(&board, &update);
    let rom = board::Board::new("is25wp064");
    let mut cuts: Vec<(String, Kept)> = Vec::new();
    let mut dead = 0;
    let end = every_cut(
        &job.before,
        &job.operations,
        TEARS * depth(),
        |cut: Cut<'_>| {
            let whole = holds(&cut.kept.content, &old) || holds(&cut.kept.content, &new);
            for reading in [Reading::Strict, Reading::Lenient] {
                rom.with(|m| cut.kept.give_to(&mut m.nor));
                match rom.with(|m| rom::boot(m, reading)) {
                    RomOutcome::Booted { .. } => {
                        assert!(whole, "{cut}: {reading:?}: half an image boots")
                    }
                    RomOutcome::SerialDownloader(_) => dead += 1,
                    other => panic!("{cut}: {reading:?}: {other:?}"),
                }
            }
            cuts.push((cut.to_string(), cut.kept.clone()));
        },
    );
    assert!(end == job.after, "what was replayed is what happened");
    assert!(dead > 0 && dead < 2 * cuts.len());
    let all = FINISHED * depth() as usize;
    let step = (cuts.len() / all).max(1);
    let mut finished = 0;
    for (at, cut) in cuts.iter().step_by(step) {
        job.give(cut, &board);
        passed(&bench::run(&board, &update, |job| job), at);
        assert!(kept(&board).content == job.after.content, "{at}");
        finished += 1;
    }
    println!(
        "power cuts of one deep job: {} points, two readings of the ROM each; {finished} finished by the next deep job",
        cuts.len()
    );
    assert!(cuts.len() >= 100 && finished >= FINISHED);
}

/// Lets the board run on without its probe, until its ROM has decided after the lease; where the core was halted when the
/// probe went nothing decides, and somebody takes the power away.
fn runs_on(board: &VirtualBench) -> RomOutcome {
    with(board, |b| {
        b.dp_mut().faults_mut().cable_cut_at = None;
        b.dp_mut().faults_mut().cable_cut_at_clock = None;
        b.set_plugged(false);
        let end = b.now() + AFTERMATH;
        while b.now() < end && b.chip.rom_outcome().is_none() {
            b.wait(Time::ms(5));
        }
        if b.chip.rom_outcome().is_none() {
            b.power_cycle(1);
            b.wait(Time::ms(30));
        }
        b.set_plugged(true);
        b.chip.rom_outcome().expect("decided")
    })
}

/// Notes what has gone over the wire at the begin of each phase.
struct Meter<'b> {
    board: &'b VirtualBench,
    phases: Vec<(&'static str, Counts)>,
}

impl Meter<'_> {
    fn at(&self, phase: &str) -> Counts {
        let mut phases = self.phases.iter();
        let (_, counts) = phases.find(|(name, _)| *name == phase).expect("phase");
        *counts
    }
}

impl Observer for Meter<'_> {
    fn phase(&mut self, name: &'static str) {
        let counts = with(self.board, |b| b.dp_mut().counts());
        self.phases.push((name, counts));
    }
    fn progress(&mut self, _done_bytes: u64, _total_bytes: u64) {}
    fn note(&mut self, _text: &str) {}
}

/// Pulls the probe out of an update of what was `before`: while it still compares, spread over what changes the flash, by
/// transfers and by clocks, and in the exit sequence.
fn pulled(
    board: &VirtualBench,
    update: &Request,
    before: &Kept,
    mut look: impl FnMut(&str, RomOutcome, &Kept),
) -> u64 {
    let start = || {
        power_up_with(board, before.clone());
        let _ = fs::remove_dir_all(board.state_directory());
        with(board, |b| b.dp_mut().counts())
    };
    let begin = start();
    let mut meter = Meter {
        board,
        phases: Vec::new(),
    };
    passed(&flash(board, update, &mut meter), "uncut");
    let after = kept(board);
    let [compare, first, last] = ["compare", "program", "reset"].map(|phase| meter.at(phase));
    let transfer = |counts: Counts| counts.transfers - begin.transfers;
    let clock = |counts: Counts| counts.clocks - begin.clocks;
    let spread = |from: u64, to: u64, count: u64| {
        let count = count * depth();
        (0..count).map(move |n| from + (to - from) * (2 * n + 1) / (2 * count))
    };
    let edges = [transfer(compare) + 1, transfer(last) + 1];
    let transfers = spread(transfer(first), transfer(last), PULLED[0]).chain(edges);
    let clocks = spread(clock(first), clock(last), PULLED[1]);
    let points = transfers
        .map(|at| (Some(at), None))
        .chain(clocks.map(|at| (None, Some(at))));
    let mut pulled = 0;
    for (at_transfer, at_clock) in points {
        let counts = start();
        with(board, move |b| {
            let faults = b.dp_mut().faults_mut();
            faults.cable_cut_at = at_transfer.map(|at| counts.transfers + at);
            faults.cable_cut_at_clock = at_clock.map(|at| counts.clocks + at);
        });
        let at = format!("probe pulled at transfer {at_transfer:?}, clock {at_clock:?}");
        let outcome = bench::run(board, update, |job| job);
        assert!(outcome.record.verdict.exit() != 0, "{at}: no PASS");
        let rom = runs_on(board);
        look(&at, rom, &kept(board));
        passed(&bench::run(board, update, |job| job), &at);
        assert!(kept(board).content == after.content, "{at}: finished");
        pulled += 1;
    }
    pulled
}

#[test]
fn probe_pulled_out_while_the_target_runs_on() {
    let (old, new) = (old(), new());
    let board = board_with(&old);
    let before = kept(&board);
    let update = Request::new(new.image().clone());
    let [mut is_old, mut is_new, mut dead] = [0; 3];
    let points = pulled(&board, &update, &before, |at, rom, kept| {
        let (holds_old, holds_new) = (holds(&kept.content, &old), holds(&kept.content, &new));
        match rom {
            RomOutcome::Booted { .. } => {
                assert!(holds_old || holds_new, "{at}: half an image boots");
                is_old += u64::from(holds_old);
                is_new += u64::from(holds_new);
            }
            RomOutcome::SerialDownloader(_) => dead += 1,
            other => panic!("{at}: {other:?}"),
        }
    });
    println!(
        "probe pulled out of a deep job: {points} points ({is_old} old, {is_new} new, {dead} dead), all finished by the next job"
    );
    assert!(points >= 7 && is_old > 0 && is_new > 0 && dead > 0);
}

#[test]
fn probe_pulled_out_while_a_slot_is_written_and_the_bootloader_runs_on() {
    let board = bench::start(bench::config());
    let (_, old) = application(SLOT, &bench::noise(1, 0x1400));
    let (_, new) = application(SLOT, &bench::noise(2, 0x1400));
    let first = request(&[bootloader(), (SLOT, old.clone())]);
    passed(
        &bench::run(&board, &first, |job| job),
        "the old application",
    );
    let before = kept(&board);
    let update = request(&[(SLOT, new.clone())]);
    let points = pulled(&board, &update, &before, |at, rom, kept| {
        assert!(matches!(rom, RomOutcome::Booted { .. }), "{at}: {rom:?}");
        assert!(
            kept.content[..0x2_0000] == before.content[..0x2_0000],
            "{at}"
        );
        let slot = &kept.content[0x2_0000..];
        let is_dead = slot[..4] != MAGIC.to_le_bytes();
        let whole = slot.starts_with(&old) || slot.starts_with(&new);
        assert!(is_dead || whole, "{at}: half an image in the slot");
    });
    println!(
        "probe pulled out while a slot was written: {points} points, all finished by the next job"
    );
}
