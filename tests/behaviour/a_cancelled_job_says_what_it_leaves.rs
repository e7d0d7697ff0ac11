//! Ctrl-C at any moment: the job ends with 130, what it says of the flash is true, no half image boots, and the next job
//! finishes the work.

use std::cell::Cell;
use std::time::Duration;

use rtflash::job::{self, Bench, Job, Observer, Outcome, Request};
use rtflash::link::{Choice, VirtualBench};
use rtflash::report::{FlashLeft, Verdict};

use crate::bench;
use crate::images::WINDOW;
use crate::slots;
use crate::thumb::SPIN;

/// Says at its n-th question that the user wants the job to end, and from then on.
struct Impatient {
    questions: Cell<u32>,
    patience: u32,
}

impl Impatient {
    fn asked(patience: u32) -> Self {
        Impatient {
            questions: Cell::new(0),
            patience,
        }
    }
}

impl Observer for Impatient {
    fn phase(&mut self, _name: &'static str) {}
    fn progress(&mut self, _done_bytes: u64, _total_bytes: u64) {}
    fn note(&mut self, _text: &str) {}
    fn is_cancelled(&self) -> bool {
        let questions = self.questions.get();
        self.questions.set(questions + 1);
        questions >= self.patience
    }
}

/// QE, as the first job left it.
const QUAD_ENABLE: u8 = 0x40;
/// Of the questions, so many are passed over between two cancelled jobs; RTFLASH_MOMENTS_APART=1 takes every one.
const MOMENTS_APART: usize = 7;

fn flash(board: &VirtualBench, request: &Request, timeout: u64, user: &mut Impatient) -> Outcome {
    let choice = Choice {
        speed_khz: Some(15_000),
        ..Choice::default()
    };
    let target = bench::target();
    let job = Job {
        boot_timeout: Some(Duration::from_secs(timeout)),
        ..Job::new(&target)
    };
    let bench = Bench::virtual_board(choice, board.clone());
    job::flash(&job, request, &bench, user)
}

#[test]
fn and_it_is_true_at_every_moment_of_a_job() {
    let old = bench::image(&[(0x6000_2800, bench::noise(1, 0x300))]);
    let new = bench::image(&[(0x6000_2800, bench::noise(2, 0x300))]);
    let request = Request::new(new.image().clone());
    let desk = || {
        let board = bench::start(bench::config());
        assert!(matches!(
            bench::flash(&board, &old).record.verdict,
            Verdict::Pass(_)
        ));
        board
    };
    let mut seen = Vec::new();
    // the flash of the first desk, on a new board each time
    let held = bench::flash_content(&desk());
    let apart = std::env::var("RTFLASH_MOMENTS_APART");
    let apart = apart.map_or(MOMENTS_APART, |n| n.parse().expect("a number"));
    for patience in (0..).step_by(apart) {
        let board = bench::start(bench::config());
        bench::fill(&board, 0, &held);
        bench::set_status(&board, QUAD_ENABLE);
        let before = bench::flash_content(&board);
        let mut user = Impatient::asked(patience);
        let outcome = flash(&board, &request, 2, &mut user);
        if user.questions.get() <= patience {
            assert!(matches!(outcome.record.verdict, Verdict::Pass(_)));
            break;
        }
        let after = bench::flash_content(&board);
        let left = match outcome.record.verdict {
            Verdict::Cancelled { left } => left,
            // asked for the last time while the boot was watched, and seen all the same
            Verdict::Pass(_) => FlashLeft::Complete,
            ref other => panic!("question {patience}: {other:?}"),
        };
        match left {
            FlashLeft::Unchanged => assert!(after == before, "question {patience}"),
            FlashLeft::Incomplete => {
                let reset = job::reset(
                    &Job::new(&bench::target()),
                    &Bench::virtual_board(Choice::default(), board.clone()),
                    &mut (),
                );
                assert_eq!(reset.record.verdict.exit(), 16, "question {patience}");
            }
            FlashLeft::Unproven => {}
            FlashLeft::Complete => assert!(
                after[0x2800..0x2B00] == *bench::noise(2, 0x300),
                "question {patience}"
            ),
            other => panic!("question {patience}: {other:?} is of an erase"),
        }
        let finished = bench::flash(&board, &new);
        assert!(
            matches!(finished.record.verdict, Verdict::Pass(_)),
            "question {patience}: {:?}",
            finished.problem
        );
        seen.push(left);
    }
    for left in [
        FlashLeft::Unchanged,
        FlashLeft::Incomplete,
        FlashLeft::Complete,
    ] {
        assert!(seen.contains(&left), "{left:?} in {seen:?}");
    }
    println!("{} moments of a job cancelled", seen.len());
}

#[test]
fn waiting_for_a_bootloader_ends_as_well() {
    const PATIENCE_IN_QUESTIONS: u32 = 60;
    let board = bench::start(bench::config());
    let patient = || Impatient::asked(u32::MAX);
    let (at, mut resident) = slots::bootloader();
    flash(
        &board,
        &slots::request(&[(at, resident.clone())]),
        2,
        &mut patient(),
    );
    // from the next reset on it idles for ever, and starts nothing
    let code = resident.len() - 14 * 2 - 8;
    let idle: Vec<u8> = SPIN.iter().flat_map(|half| half.to_le_bytes()).collect();
    resident[code..code + idle.len()].copy_from_slice(&idle);
    bench::fill(&board, (at - WINDOW) as usize, &resident);

    let slot = slots::request(&[slots::application(slots::SLOT, &[])]);
    let mut user = Impatient::asked(PATIENCE_IN_QUESTIONS);
    let outcome = flash(&board, &slot, 600, &mut user);
    let left = FlashLeft::Complete;
    assert_eq!(outcome.record.verdict, Verdict::Cancelled { left });
    let seconds: f64 = outcome
        .record
        .phases
        .iter()
        .map(|phase| phase.seconds)
        .sum();
    assert!(seconds < 60.0, "{seconds} s of 600");
    let problem = outcome.problem.expect("a problem");
    assert_eq!(problem.exit.number(), 130);
    assert!(problem.fix.is_some_and(|fix| fix.contains("rtflash reset")));
}
