//! From every state that software, another tool or a cut may have left, a job gets control of the board and does what it
//! was asked for, or says why not and has touched nothing; and no ending leaves a trace of a debugger, or a flash that the
//! boot ROM cannot read.

use std::time::Duration;

use rtflash::job::{self, Bench, Job, Outcome, Question, Request};
use rtflash::link::{Choice, VirtualBench};
use rtflash::report::Verdict;
use virtual_board::board::BoardConfig;
use virtual_board::swd::BadContact;

use crate::apps;
use crate::bench;
use crate::states::{self, Owed, State};

fn bench_for(board: &VirtualBench, state: &State) -> Bench {
    let choice = Choice {
        speed_khz: Some(15_000),
        connect_under_reset: state.under_reset,
        ..Choice::default()
    };
    Bench::virtual_board(choice, board.clone())
}

fn told(outcome: &Outcome) -> Option<&'static str> {
    outcome.problem.as_ref().map(|problem| problem.code)
}

/// What is wrong with a board after `flash`.
fn flash(state: &State) -> Vec<String> {
    let board = state.board();
    let old = bench::flash_content(&board);
    let before = violations(&board);
    let image = states::image_with(&apps::idles(), &[(0x6000_3000, bench::noise(9, 0x900))]);
    let request = Request::new(image.image().clone());
    let target = bench::target();
    let outcome = job::flash(
        &Job::new(&target),
        &request,
        &bench_for(&board, state),
        &mut (),
    );
    let passed = matches!(outcome.record.verdict, Verdict::Pass(_));
    let mut wrong = Vec::new();
    match state.owed {
        Owed::Pass if passed => {}
        Owed::NotBooted(code) | Owed::Refusal(code) if told(&outcome) == Some(code) => {}
        _ => wrong.push(format!(
            "{:?}: {:?}",
            outcome.record.verdict, outcome.problem
        )),
    }
    let content = bench::flash_content(&board);
    if let Owed::Refusal(_) = state.owed {
        if content != old {
            wrong.push("the flash was touched".to_owned());
        }
    } else {
        let is_there = image.runs().iter().all(|run| {
            let at = run.offset.get() as usize;
            content[at..].starts_with(&run.bytes)
        });
        if !is_there {
            wrong.push("the flash does not hold the image".to_owned());
        }
        wrong.extend(states::unlike_the_rom_needs(&board));
    }
    wrong.extend(states::debug_residue(&board));
    wrong.extend(violations(&board).split_off(before.len()));
    wrong
}

/// What the board refused, apart from what cannot be otherwise: until it is known in which mode the flash listens, some
/// commands are none to it, and a reset breaks off what the application left under way.
fn violations(board: &VirtualBench) -> Vec<String> {
    let expected = |line: &String| {
        line.contains("nor: command") && line.contains("is ignored")
            || line.contains("a reset while an IP command was running")
    };
    let mut lines = bench::violations(board);
    lines.retain(|line| !expected(line));
    lines
}

#[test]
fn flash_does_its_work_or_says_why_not() {
    let mut failed = Vec::new();
    let states = states::all();
    for state in &states {
        let wrong = flash(state);
        println!("{:70} {:?}", state.name, state.owed);
        if !wrong.is_empty() {
            failed.push(format!("{}: {}", state.name, wrong.join("; ")));
        }
    }
    println!("{} states", states.len());
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn verify_answers_or_says_why_not_and_changes_nothing() {
    let target = bench::target();
    let mut failed = Vec::new();
    for state in states::all().iter().filter(|state| state.is_main) {
        let board = state.board();
        let (old, status) = (bench::flash_content(&board), registers(&board));
        let request = Request::new(state.old_image().image().clone());
        let outcome = job::verify(
            &Job::new(&target),
            &request,
            &bench_for(&board, state),
            &mut (),
        );
        let mut wrong = Vec::new();
        match state.owed {
            Owed::Refusal(code) if told(&outcome) == Some(code) => {}
            Owed::Pass | Owed::NotBooted(_) if outcome.record.verdict.exit() == 0 => {}
            _ => wrong.push(format!(
                "{:?}: {:?}",
                outcome.record.verdict, outcome.problem
            )),
        }
        if bench::flash_content(&board) != old || registers(&board) != status {
            wrong.push("the flash was touched".to_owned());
        }
        wrong.extend(states::debug_residue(&board));
        println!("{:70} {:?}", state.name, state.owed);
        if !wrong.is_empty() {
            failed.push(format!("{}: {}", state.name, wrong.join("; ")));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn doctor_finds_the_cause_or_says_why_not_and_changes_nothing() {
    let target = bench::target();
    let question = Question {
        image: None,
        no_reset: false,
        flash_command: "rtflash flash IMAGE".to_owned(),
    };
    let mut failed = Vec::new();
    for state in states::all().iter().filter(|state| state.is_main) {
        let board = state.board();
        let (old, status) = (bench::flash_content(&board), registers(&board));
        let job = Job {
            boot_timeout: Some(Duration::from_millis(60)),
            ..Job::new(&target)
        };
        let outcome = job::doctor(&job, &question, &bench_for(&board, state), &mut ());
        let verdict = &outcome.record.verdict;
        let mut wrong = Vec::new();
        // through the reset pin it gets further than `flash` may
        let is_answered = [0, 16].contains(&verdict.exit());
        match (state.owed, verdict) {
            _ if is_answered => {}
            (Owed::Refusal(owed), Verdict::Diagnosed { code, .. }) if code == owed => {}
            _ => wrong.push(format!("{verdict:?}")),
        }
        if bench::flash_content(&board) != old || registers(&board) != status {
            wrong.push("the flash was touched".to_owned());
        }
        let checks = outcome.record.doctor.expect("what was looked at").checks;
        let twice = |text: &str| text.matches("VTref").count() > 1;
        let twice = checks.iter().find(|check| twice(&check.text));
        wrong.extend(twice.map(|check| check.text.clone()));
        // an image that takes the pins or the bus clock keeps the doctor from the comparators of its proof
        let evidence = outcome.record.boot.map_or(Vec::new(), |boot| boot.evidence);
        let is_told = |text: &String| text.contains("comparator could not be turned off");
        let mut residue = states::debug_residue(&board);
        if evidence.iter().any(is_told) {
            let of_comparator =
                |left: &str| left.starts_with("DWT_") || left == "DEMCR = 0x1000000";
            residue.retain(|left| !of_comparator(left));
        }
        wrong.extend(residue);
        println!("{:70} {:?}: {verdict}", state.name, state.owed);
        if !wrong.is_empty() {
            failed.push(format!("{}: {}", state.name, wrong.join("; ")));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// The flash's registers that survive power-off.
fn registers(board: &VirtualBench) -> virtual_board::nor::NonVolatile {
    let registers = board
        .board()
        .with(|b| b.chip.system.borrow().nor.registers());
    registers.expect("board")
}

#[test]
fn the_steps_to_control_stand_in_the_record() {
    let state = states::all()
        .into_iter()
        .find(|state| state.name == "sleeps in WAIT and wakes every 1000 ms")
        .expect("state");
    let board = state.board();
    let target = bench::target();
    let request = Request::new(states::image_of(&apps::loops()).image().clone());
    let outcome = job::flash(
        &Job::new(&target),
        &request,
        &bench_for(&board, &state),
        &mut (),
    );
    let what: Vec<&str> = outcome.record.retries.iter().map(|r| r.what).collect();
    assert!(
        what.contains(&"the halt request was kept up until the core was awake"),
        "{what:?}"
    );
}

/// A defect that a job ends with, and the code of its problem.
type Defect = (&'static str, fn(&mut BoardConfig));

#[test]
fn a_job_that_fails_leaves_no_trace_of_a_debugger_and_a_core_that_runs() {
    let defects: [Defect; 6] = [
        ("flash-part", |config| {
            config.nor_faults.jedec_id = Some([0xC2, 0x20, 0x17]);
        }),
        ("flash-none", |config| config.nor_faults.absent = true),
        ("flash-timeout", |config| config.nor_faults.stuck_wip = true),
        ("program-differs", |config| {
            config.nor_faults.unprogrammable.push((0x3000, 0xFF));
        }),
        ("erase-incomplete", |config| {
            config.nor_faults.weak_erase.push((0x3ABC, 0x01));
        }),
        ("contact-poor", |config| {
            config.wire_faults.bad_contact = Some(BadContact {
                good_khz: 2_000,
                seed: 7,
            });
        }),
    ];
    let image = states::image_with(&apps::idles(), &[(0x6000_3000, bench::noise(9, 0x1000))]);
    let request = Request::new(image.image().clone());
    for (code, defect) in defects {
        let mut config = bench::config();
        defect(&mut config);
        let board = bench::start(config);
        bench::fill(&board, 0x3000, &[0; 0x1000]);
        let outcome = bench::run(&board, &request, |job| job);
        println!("{code}");
        assert_eq!(told(&outcome), Some(code), "{:?}", outcome.problem);
        assert_eq!(
            states::debug_residue(&board),
            Vec::<String>::new(),
            "{code}: {:?}",
            outcome.problem
        );
        let is_halted = board.board().with(|b| b.chip.cpu.debug.halted());
        assert!(!is_halted.expect("board"), "{code}");
    }
}
