//! Whatever the flash, its wires or the link pretend: never a claim that the flash holds the image while it does not, or
//! while bytes around the image are no longer what they were.
//!
//! Random fault plans through the real path. How many: `RTFLASH_DEEP_LIES`, 40 if not set;
//! `RTFLASH_DEEP_LIES=400 cargo test --test behaviour a_lie_never -- --nocapture` is the long run, with its counts.
//! One plan alone: `RTFLASH_LIE=SEED`.
//!
//! What a claim says: every byte was read back right by the target after the last write. So the flash is judged by what it
//! holds afterwards. A cell that is stuck holds, for every reader, what it is stuck at. A cell that reads now so and now so
//! has no value that could be claimed, so its bit counts neither way; the seven beside it count. A read that is disturbed
//! once, a line that is stuck and a link that lies excuse nothing.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::mpsc;
use std::time::Duration;

use rtflash::image::Image;
use rtflash::job::{self, Bench, Job, Observer, Outcome, Request};
use rtflash::link::{Choice, VirtualBench};
use rtflash::report::Verdict;

use crate::bench;
use crate::fault_plan::{FaultPlan, Reach, Tally};
use crate::images::{WINDOW, intel_hex};
use crate::slots::{application, bootloader};

/// Fault plans in the default suite.
const PLANS: u64 = 40;
/// What all scenarios play in.
const PLAYGROUND: usize = 0x8_0000;
const SECTOR: u32 = 0x1000;
const BLOCK: u32 = 0x1_0000;
/// A job of half a second that takes this long hangs.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Command {
    Flash,
    Verify,
}

/// A board as it is found, and what is asked for.
struct Scenario {
    name: &'static str,
    command: Command,
    before: Vec<u8>,
    status: u8,
    request: Request,
    /// What the flash is claimed to hold.
    image: Vec<(u32, Vec<u8>)>,
    /// Flash offsets that a claim covers besides: other bytes of touched sectors, and blocks around them.
    guarded: Vec<Range<u32>>,
    reach: Reach,
}

/// A job's end, and what the flash looked like before and after.
struct End {
    outcome: Outcome,
    before: Vec<u8>,
    after: Vec<u8>,
    struck: bool,
    hung: bool,
}

impl Scenario {
    fn new(
        name: &'static str,
        command: Command,
        before: Vec<u8>,
        status: u8,
        request: Request,
    ) -> Self {
        let offline = request.judged_offline(&bench::target()).expect("an image");
        let image: Vec<(u32, Vec<u8>)> = match offline {
            Some(image) => image
                .runs()
                .iter()
                .map(|run| (run.offset.get(), run.bytes.clone()))
                .collect(),
            None => request
                .image
                .segments()
                .iter()
                .map(|s| (s.start().get() - WINDOW, s.bytes().to_vec()))
                .collect(),
        };
        let mut scenario = Scenario {
            name,
            command,
            before,
            status,
            request,
            image,
            guarded: Vec::new(),
            reach: Reach::default(),
        };
        scenario.learn();
        scenario
    }

    /// Runs the job on a sound board, to know what it does and where faults may be put.
    fn learn(&mut self) {
        let mut watch = Watch::default();
        let sound = self.run(&FaultPlan::default(), &mut watch);
        assert!(!sound.struck && !sound.hung, "{}", self.name);
        assert_eq!(
            sound.outcome.record.verdict.exit() == 0,
            self.is_right(&sound.after),
            "{}: {:?}",
            self.name,
            sound.outcome.problem
        );
        let sector = |at: usize| at as u32 / SECTOR;
        let changed: BTreeSet<u32> = (0..PLAYGROUND)
            .filter(|at| sound.before[*at] != sound.after[*at])
            .map(|at| sector(at) * SECTOR / BLOCK)
            .collect();
        let near: BTreeSet<u32> = changed
            .iter()
            .flat_map(|block| block.saturating_sub(1)..=block + 1)
            .collect();
        let mut guarded: Vec<Range<u32>> = near
            .iter()
            .map(|block| block * BLOCK..(block + 1) * BLOCK)
            .collect();
        if self.command == Command::Flash && !changed.is_empty() {
            guarded.extend(self.image.iter().map(|(at, bytes)| {
                let end = at + bytes.len() as u32;
                at / SECTOR * SECTOR..end.next_multiple_of(SECTOR)
            }));
        }
        let image: Vec<Range<u32>> = self
            .image
            .iter()
            .map(|(at, bytes)| *at..at + bytes.len() as u32)
            .collect();
        let [begin, late, end] = watch.marks.expect("a job that ran");
        self.reach = Reach {
            programs: begin.programs..end.programs,
            erases: begin.erases..end.erases,
            write_enables: begin.write_enables..end.write_enables,
            reads: begin.reads..end.reads,
            receptions: begin.receptions..end.receptions,
            transfers: begin.transfers..end.transfers,
            late_transfer: late.transfers,
            memory_reads: begin.memory_reads..end.memory_reads,
            late_memory_read: late.memory_reads,
            memory_writes: begin.memory_writes..end.memory_writes,
            late_memory_write: late.memory_writes,
            has_parity: true,
            has_rom: true,
            image,
            near: guarded.clone(),
            address_lines: 23,
        };
        self.guarded = guarded;
    }

    fn is_right(&self, flash: &[u8]) -> bool {
        self.image
            .iter()
            .all(|(at, bytes)| flash[*at as usize..].starts_with(bytes))
    }

    fn run(&self, plan: &FaultPlan, watch: &mut Watch) -> End {
        let board = bench::start(bench::config());
        bench::fill(&board, 0, &self.before);
        bench::set_status(&board, self.status);
        let (nor, flexspi, wire) = (plan.nor.clone(), plan.flexspi.clone(), plan.wire.clone());
        board
            .board()
            .with(move |b| {
                *b.dp_mut().faults_mut() = wire;
                let mut system = b.chip.system.borrow_mut();
                system.nor.faults = nor;
                system.flexspi.faults = flexspi;
            })
            .expect("board");
        let before = as_read(&board);
        watch.board = Some(board.clone());
        let begin = Mark::of(&board);
        let (outcome, hung) = self.job(&board, watch);
        watch.marks = watch.late.map(|late| [begin, late, Mark::of(&board)]);
        End {
            outcome,
            before,
            after: as_read(&board),
            struck: Mark::of(&board).strikes > begin.strikes,
            hung,
        }
    }

    /// The job; a cable is pulled if it does not end by itself.
    fn job(&self, board: &VirtualBench, watch: &mut Watch) -> (Outcome, bool) {
        let target = bench::target();
        let choice = Choice {
            speed_khz: Some(15_000),
            ..Choice::default()
        };
        let bench = Bench::virtual_board(choice, board.clone());
        let (ended, end) = mpsc::channel::<()>();
        std::thread::scope(|scope| {
            let patient = scope.spawn(move || {
                let hangs = end.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout);
                if hangs {
                    board.board().with(|b| b.set_plugged(false)).expect("board");
                }
                hangs
            });
            let job = Job::new(&target);
            let outcome = match self.command {
                Command::Flash => job::flash(&job, &self.request, &bench, watch),
                Command::Verify => job::verify(&job, &self.request, &bench, watch),
            };
            drop(ended);
            (outcome, patient.join().expect("thread"))
        })
    }

    /// What is wrong with a job's end, if anything is.
    fn lie(&self, plan: &FaultPlan, end: &End) -> Option<String> {
        if end.hung {
            return Some("the job does not end".to_owned());
        }
        if !claims(&end.outcome.record.verdict) {
            return None;
        }
        let mut expected = end.before.clone();
        for (at, bytes) in &self.image {
            let at = *at as usize;
            expected[at..at + bytes.len()].copy_from_slice(bytes);
        }
        let undefined = plan.undefined();
        let image = self.image.iter().map(|(at, b)| *at..at + b.len() as u32);
        let mut covered = image.chain(self.guarded.iter().cloned()).flatten();
        let differs = covered.find(|at| {
            let bits = expected[*at as usize] ^ end.after[*at as usize];
            bits & !undefined.get(at).copied().unwrap_or(0) != 0
        });
        differs.map(|at| {
            format!(
                "{:#08x} holds {:#04x} instead of {:#04x}",
                at, end.after[at as usize], expected[at as usize]
            )
        })
    }
}

/// Whether the verdict says that the flash holds the image.
fn claims(verdict: &Verdict) -> bool {
    matches!(
        verdict,
        Verdict::Pass(_) | Verdict::BootNotProven { .. } | Verdict::Equal
    )
}

fn as_read(board: &VirtualBench) -> Vec<u8> {
    board
        .board()
        .with(|b| {
            let now = b.now();
            let mut system = b.chip.system.borrow_mut();
            system.nor.settle(now);
            let size = system.nor.part().size_bytes;
            system.nor.as_read(0..size)
        })
        .expect("board")
}

/// How far flash, controller and wire have counted.
#[derive(Clone, Copy, Debug)]
struct Mark {
    programs: u64,
    erases: u64,
    write_enables: u64,
    reads: u64,
    receptions: u64,
    transfers: u64,
    memory_reads: u64,
    memory_writes: u64,
    strikes: u64,
}

impl Mark {
    fn of(board: &VirtualBench) -> Self {
        board
            .board()
            .with(|b| {
                let (wire, memory) = (b.dp_mut().counts(), b.dp_mut().memory_counts());
                let system = b.chip.system.borrow();
                let flash = system.nor.counters();
                Mark {
                    programs: flash.programs,
                    erases: flash.erases,
                    write_enables: flash.write_enables,
                    reads: flash.reads,
                    receptions: system.flexspi.receptions(),
                    transfers: wire.transfers,
                    memory_reads: memory.reads,
                    memory_writes: memory.writes,
                    strikes: wire.disturbed
                        + memory.strikes
                        + system.nor.strikes()
                        + system.flexspi.strikes(),
                }
            })
            .expect("board")
    }
}

/// Notes how far a job is when the algorithm is up.
#[derive(Default)]
struct Watch {
    board: Option<VirtualBench>,
    late: Option<Mark>,
    marks: Option<[Mark; 3]>,
}

impl Observer for Watch {
    fn phase(&mut self, name: &'static str) {
        if self.late.is_none() && ["compare", "verify"].contains(&name) {
            self.late = self.board.as_ref().map(Mark::of);
        }
    }
    fn progress(&mut self, _done_bytes: u64, _total_bytes: u64) {}
    fn note(&mut self, _text: &str) {}
}

fn request(pieces: &[(u32, Vec<u8>)]) -> Request {
    let text = intel_hex(pieces);
    let path = std::path::Path::new("test.hex");
    Request::new(Image::parse(path, text.as_bytes()).expect("image"))
}

fn playground(pieces: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let mut content = vec![0xFF; PLAYGROUND];
    for (at, bytes) in pieces {
        let at = (at & !WINDOW) as usize;
        content[at..at + bytes.len()].copy_from_slice(bytes);
    }
    content
}

fn scenarios() -> Vec<Scenario> {
    let noise = |at: u32, seed, bytes| (at, bench::noise(seed, bytes));
    // two sectors shared with others, one of them in a block of which the rest is the image's
    let pieces = [
        noise(0x6000_4100, 6, 0x1700),
        noise(0x6001_0000, 7, 0x4800),
        noise(0x6002_3456, 8, 0x333),
    ];
    let whole = Request::new(bench::image(&pieces).image().clone());
    let runs = bench::image(&pieces);
    let held: Vec<(u32, Vec<u8>)> = runs
        .runs()
        .iter()
        .map(|run| (run.offset.get(), run.bytes.clone()))
        .collect();
    let mut older = playground(&[noise(0, 1, PLAYGROUND)]);
    for (at, bytes) in &held {
        older[*at as usize..][..bytes.len()].copy_from_slice(bytes);
    }
    let right = older.clone();
    older[0x1_0000..0x1_1234].copy_from_slice(&bench::noise(9, 0x1234));
    let mut wrong = right.clone();
    wrong[0x1_2345] ^= 0x08;
    let sparse = playground(&[noise(0x3000, 2, 0x2200), noise(0x1_5000, 3, 0x9000)]);
    let slot = |seed| application(0x6002_0000, &bench::noise(seed, 0x1400));
    let under = playground(&[noise(0x2_2000, 4, 0x8000)]);
    let under = {
        let whole = request(&[bootloader(), slot(1)]);
        let image = whole.judged_offline(&bench::target()).expect("image");
        let mut content = under;
        for run in image.expect("a whole image").runs() {
            content[run.offset.get() as usize..][..run.bytes.len()].copy_from_slice(&run.bytes);
        }
        content
    };
    let flash = |name, before, status, request| {
        Scenario::new(name, Command::Flash, before, status, request)
    };
    let verify = |name, before| Scenario::new(name, Command::Verify, before, 0x40, whole.clone());
    vec![
        flash(
            "all anew",
            playground(&[noise(0, 1, PLAYGROUND)]),
            0x00,
            whole.clone(),
        ),
        flash("an update", older, 0x40, whole.clone()),
        verify("equal", right),
        flash("half blank and protected", sparse, 0x3C, whole.clone()),
        flash("a slot", under, 0x40, request(&[slot(2)])),
        verify("one bit is wrong", wrong),
    ]
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().expect("a number"))
}

#[test]
fn of_random_faults_on_the_whole_way() {
    let scenarios = scenarios();
    let plans = number("RTFLASH_DEEP_LIES").unwrap_or(PLANS);
    let seeds = match number("RTFLASH_LIE") {
        Some(seed) => seed..seed + 1,
        None => 0..plans,
    };
    let alone = seeds.end - seeds.start == 1;
    let reaches: Vec<&Reach> = scenarios.iter().map(|s| &s.reach).collect();
    let mut tally = Tally::default();
    let mut lies = Vec::new();
    for seed in seeds {
        let (job, plan) = FaultPlan::draw(seed, &reaches);
        let scenario = &scenarios[job];
        let end = scenario.run(&plan, &mut Watch::default());
        let verdict = &end.outcome.record.verdict;
        let code = end.outcome.problem.as_ref().map_or("", |p| p.code);
        if alone {
            println!("{plan:#?}\n{}: {verdict}", scenario.name);
        }
        tally.note(&plan, verdict.exit(), code, end.struck, claims(verdict));
        if let Some(lie) = scenario.lie(&plan, &end) {
            lies.push(format!(
                "RTFLASH_LIE={seed} ({}, {:?}): {verdict}, but {lie}",
                scenario.name, plan.kinds
            ));
        }
    }
    println!("{tally}");
    assert!(lies.is_empty(), "{} lies:\n{}", lies.len(), lies.join("\n"));
    if !alone {
        tally.assert_it_shows_something(plans / PLANS / 4, &[]);
    }
}
