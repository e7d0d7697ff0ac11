//! Whatever the flash, its wires or the link pretend: never a claim that the flash holds the image while it does not, or
//! while bytes around the image are no longer what they were. The same as `tests/behaviour/a_lie_never_becomes_a_pass.rs`,
//! thousands of times and without core, probe and boot.
//!
//! How many: `RTFLASH_LIES`, 10000 if not set. One plan alone: `RTFLASH_LIE=SEED`.
//!
//! What counts as a lie is told there. The link has no parity here: every wrong bit arrives.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::rc::Rc;

use mailbox::layout::{AREA_ADDRESS, REQUEST_BYTES, REQUESTS};
use rtflash::boot::{HeaderPolicy, HeaderWishes};
use rtflash::job::Request;
use rtflash::verify::Verification;
use virtual_board::swd::WireFaults;
use virtual_board::time::Time;

use crate::desk::{Desk, Disturbance};
use crate::fault_plan::{FaultPlan, Kind, Reach, Tally};
use crate::images::{APPLICATION, WINDOW, image_for, noise};
use crate::wire::{Access, Tap};

/// Fault plans in the default suite.
const PLANS: u64 = 10_000;
const PART: &str = "is25wp032";
const ADDRESS_LINES: u64 = 22;
/// What the core takes for an access here. It is slower than any, so that it polls little.
const SLOW_ACCESS: Time = Time::ns(250);
/// What all scenarios play in: the image's block and the one that is guarded with it.
const PLAYGROUND: usize = 0x2_0000;
const SECTOR: u32 = 0x1000;
const BLOCK: u32 = 0x1_0000;

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
    /// What may stand there instead of what was there, whole: the parts of a header that are inserted where the board, as
    /// its defects show it, has none.
    instead: Vec<(u32, Vec<u8>)>,
    /// Flash offsets that a claim covers besides: other bytes of touched sectors, and blocks around them.
    guarded: Vec<Range<u32>>,
    reach: Reach,
}

/// A job's end.
struct End {
    claimed: bool,
    exit: u8,
    code: &'static str,
    before: Vec<u8>,
    after: Vec<u8>,
    struck: bool,
}

/// What the link has carried, and how often it lied.
#[derive(Debug, Default)]
struct Carried {
    reads: u64,
    writes: u64,
    /// The same when the first request was written.
    late: Option<(u64, u64)>,
    strikes: u64,
    given: HashMap<u32, u32>,
}

fn has(ranges: &[Range<u64>], number: u64) -> bool {
    ranges.iter().any(|range| range.contains(&number))
}

/// A link with these faults, word by word.
fn lying(faults: WireFaults, carried: Rc<RefCell<Carried>>) -> Tap {
    const FIRST: Range<u32> = AREA_ADDRESS + REQUESTS..AREA_ADDRESS + REQUESTS + REQUEST_BYTES;
    Box::new(move |access: Access<'_>| {
        let carried = &mut *carried.borrow_mut();
        if access.is_write && FIRST.contains(&access.address) && carried.late.is_none() {
            carried.late = Some((carried.reads, carried.writes));
        }
        // most accesses are of no interest, and there are many
        let (reads, writes) = (carried.reads, carried.writes);
        let words = access.words.len() as u64;
        let begin = reads + writes;
        let flips = faults.flipped_bits.iter();
        let mut flips = flips.filter(|f| (begin..begin + words).contains(&f.transfer));
        let touched = |ranges: &[Range<u64>], from: u64| {
            let mut ranges = ranges.iter();
            ranges.any(|range| range.start < from + words && from < range.end)
        };
        let is_plain = flips.next().is_none()
            && (!access.is_write || !touched(&faults.lost_writes, writes))
            && (access.is_write || faults.replayed_reads.is_empty());
        if is_plain {
            let count = if access.is_write {
                &mut carried.writes
            } else {
                &mut carried.reads
            };
            *count += words;
            return;
        }
        for (index, (at, word)) in (access.address..)
            .step_by(4)
            .zip(access.words.iter_mut())
            .enumerate()
        {
            let transfer = carried.reads + carried.writes;
            for flip in faults
                .flipped_bits
                .iter()
                .filter(|f| f.transfer == transfer)
            {
                carried.strikes += 1;
                *word ^= 1 << (flip.bit % u32::BITS);
            }
            if access.is_write {
                if has(&faults.lost_writes, carried.writes) {
                    carried.strikes += 1;
                    access.lost[index] = true;
                }
                carried.writes += 1;
                continue;
            }
            if !faults.replayed_reads.is_empty() {
                match carried.given.get(&at) {
                    Some(former) if has(&faults.replayed_reads, carried.reads) => {
                        carried.strikes += u64::from(former != word);
                        *word = *former;
                    }
                    _ => {
                        carried.given.insert(at, *word);
                    }
                }
            }
            carried.reads += 1;
        }
    })
}

/// How far flash and controller have counted.
fn counts(desk: &Desk) -> [u64; 6] {
    desk.board.with(|m| {
        let flash = m.nor.counters();
        [
            flash.programs,
            flash.erases,
            flash.write_enables,
            flash.reads,
            m.flexspi.receptions(),
            m.nor.strikes() + m.flexspi.strikes(),
        ]
    })
}

impl Scenario {
    fn new(
        name: &'static str,
        command: Command,
        before: Vec<u8>,
        status: u8,
        request: Request,
        image: Vec<(u32, Vec<u8>)>,
    ) -> Self {
        Scenario {
            name,
            command,
            before,
            status,
            request,
            image,
            instead: Vec::new(),
            guarded: Vec::new(),
            reach: Reach::default(),
        }
    }

    /// Runs the job on a sound board, to know what it does and where faults may be put.
    fn learnt(mut self, desk: &mut Desk) -> Self {
        let begin = self.prepare(desk, &FaultPlan::default());
        let carried = Rc::default();
        let sound = self.run(desk, &FaultPlan::default(), &carried);
        let is_right = self
            .image
            .iter()
            .all(|(at, bytes)| sound.after[*at as usize..].starts_with(bytes));
        assert!(!sound.struck, "{}", self.name);
        assert_eq!(sound.claimed, is_right, "{}: {}", self.name, sound.code);
        let end = counts(desk);
        let changed: BTreeSet<u32> = (0..)
            .zip(sound.before.chunks(SECTOR as usize))
            .zip(sound.after.chunks(SECTOR as usize))
            .filter(|((_, before), after)| before != after)
            .map(|((sector, _), _)| sector * SECTOR / BLOCK)
            .collect();
        let near: BTreeSet<u32> = changed
            .iter()
            .flat_map(|block| block.saturating_sub(1)..=block + 1)
            .collect();
        self.guarded
            .extend(near.iter().map(|block| block * BLOCK..(block + 1) * BLOCK));
        if self.command == Command::Flash && !changed.is_empty() {
            self.guarded.extend(self.image.iter().map(|(at, bytes)| {
                let end = at + bytes.len() as u32;
                at / SECTOR * SECTOR..end.next_multiple_of(SECTOR)
            }));
        }
        let carried = carried.borrow();
        let (late_reads, late_writes) = carried.late.expect("requests");
        let [programs, erases, write_enables, reads, receptions, _] =
            std::array::from_fn(|n| begin[n]..end[n]);
        self.reach = Reach {
            programs,
            erases,
            write_enables,
            reads,
            receptions,
            transfers: 0..carried.reads + carried.writes,
            late_transfer: late_reads + late_writes,
            has_parity: false,
            has_rom: false,
            memory_reads: 0..carried.reads,
            late_memory_read: late_reads,
            memory_writes: 0..carried.writes,
            late_memory_write: late_writes,
            image: self
                .image
                .iter()
                .map(|(at, bytes)| *at..at + bytes.len() as u32)
                .collect(),
            near: self.guarded.clone(),
            address_lines: ADDRESS_LINES,
        };
        self
    }

    /// Makes the board what it is found as; the counts are as after a start.
    fn prepare(&self, desk: &mut Desk, plan: &FaultPlan) -> [u64; 6] {
        desk.nor(|nor| {
            nor.faults = Default::default();
            let flash = nor.content_mut();
            flash.fill(0xFF);
            flash[..PLAYGROUND].copy_from_slice(&self.before);
            nor.set_status_register(self.status);
        });
        desk.power_cycle();
        desk.set_saved(&[]);
        desk.board.with(|m| {
            m.nor.restart_counters();
            m.flexspi.restart_counters();
            m.nor.faults = plan.nor.clone();
            m.flexspi.faults = plan.flexspi.clone();
        });
        counts(desk)
    }

    fn run(&self, desk: &Desk, plan: &FaultPlan, carried: &Rc<RefCell<Carried>>) -> End {
        let before = desk.nor(|nor| nor.as_read(0..PLAYGROUND as u32));
        let disturbance = Disturbance {
            tap: Some(lying(plan.wire.clone(), carried.clone())),
            ..Disturbance::default()
        };
        let ended = match self.command {
            Command::Flash => desk
                .flash_disturbed(&self.request, disturbance)
                .written
                .verified
                .map(|_| true),
            Command::Verify => desk
                .compare_disturbed(&self.request, disturbance)
                .map(|verification| matches!(verification, Verification::Equal(_))),
        };
        let (claimed, exit, code) = match ended {
            Ok(true) => (true, 0, ""),
            Ok(false) => (false, 11, "differs"),
            Err(problem) => (false, problem.exit.number(), problem.code),
        };
        let [.., strikes] = counts(desk);
        let after = desk.board.with(|m| {
            m.nor.settle(m.now);
            m.nor.as_read(0..PLAYGROUND as u32)
        });
        End {
            claimed,
            exit,
            code,
            before,
            after,
            struck: strikes + carried.borrow().strikes > 0,
        }
    }

    /// What is wrong with a job's end, if anything is.
    fn lie(&self, plan: &FaultPlan, end: &End) -> Option<String> {
        if !end.claimed {
            return None;
        }
        let mut expected = end.before.clone();
        let instead = self.instead.iter();
        let inserted = instead.filter(|(at, bytes)| end.after[*at as usize..].starts_with(bytes));
        for (at, bytes) in inserted.chain(&self.image) {
            let at = *at as usize;
            expected[at..at + bytes.len()].copy_from_slice(bytes);
        }
        let covered = self.image.iter().map(|(at, b)| *at..at + b.len() as u32);
        let mut covered = covered.chain(self.guarded.iter().cloned());
        let undefined = plan.undefined();
        let differs = covered.find_map(|range| {
            let bytes = range.start as usize..range.end as usize;
            if expected[bytes.clone()] == end.after[bytes] {
                return None;
            }
            range.into_iter().find(|at| {
                let bits = expected[*at as usize] ^ end.after[*at as usize];
                bits & !undefined.get(at).copied().unwrap_or(0) != 0
            })
        });
        differs.map(|at| {
            let (holds, wanted) = (end.after[at as usize], expected[at as usize]);
            format!("{at:#08x} holds {holds:#04x} instead of {wanted:#04x}")
        })
    }
}

fn playground(pieces: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let mut content = vec![0xFF; PLAYGROUND];
    for (at, bytes) in pieces {
        content[*at as usize..][..bytes.len()].copy_from_slice(bytes);
    }
    content
}

fn scenarios(desk: &mut Desk) -> Vec<Scenario> {
    let piece = |at: u32, seed, bytes| (at, noise(seed, bytes));
    // sectors shared with others at both ends
    let image = image_for(
        &desk.target,
        &[piece(0x6000_4100, 6, 0x1234), piece(0x6000_7F00, 7, 0x180)],
    );
    let held: Vec<(u32, Vec<u8>)> = image
        .runs()
        .iter()
        .map(|run| (run.offset.get(), run.bytes.clone()))
        .collect();
    let whole = Request::new(image.image().clone());
    let full = playground(&[piece(0, 1, PLAYGROUND)]);
    let mut right = full.clone();
    for (at, bytes) in &held {
        right[*at as usize..][..bytes.len()].copy_from_slice(bytes);
    }
    let mut older = right.clone();
    older[0x4100..0x4300].copy_from_slice(&noise(9, 0x200));
    let mut wrong = right.clone();
    wrong[0x4321] ^= 0x08;
    let sparse = playground(&[piece(0x3000, 2, 0x2200), piece(0xA000, 3, 0x9000)]);
    // the board's own FCB, at another clock than ours
    const FCB_CLOCK: usize = 0x46;
    let mut of_board = right.clone();
    of_board[FCB_CLOCK] = 3;
    of_board[0x2041] ^= 0x20;
    let kept = Request {
        wishes: HeaderWishes::only(HeaderPolicy::KeepOfBoard),
        ..whole.clone()
    };
    // it is what the board has there, and must stay
    let above_header: Vec<(u32, Vec<u8>)> = held
        .iter()
        .filter(|(at, _)| *at >= APPLICATION - WINDOW)
        .cloned()
        .collect();
    let flash = |name, before, status, request: &Request, image: &[(u32, Vec<u8>)]| {
        Scenario::new(
            name,
            Command::Flash,
            before,
            status,
            request.clone(),
            image.to_vec(),
        )
    };
    let verify = |name, before| {
        Scenario::new(
            name,
            Command::Verify,
            before,
            0x40,
            whole.clone(),
            held.clone(),
        )
    };
    let mut all = vec![
        flash("all anew", full, 0x00, &whole, &held),
        flash("an update", older, 0x40, &whole, &held),
        verify("equal", right),
        flash("half blank and protected", sparse, 0x3C, &whole, &held),
        flash(
            "the board's header stays",
            of_board,
            0x40,
            &kept,
            &above_header,
        ),
        verify("one bit is wrong", wrong),
    ];
    let header = all.iter_mut().find(|s| s.name.contains("header"));
    let parts = held.iter().filter(|(at, _)| *at < APPLICATION - WINDOW);
    header.expect("scenario").instead = parts.cloned().collect();
    all.into_iter()
        .map(|scenario| scenario.learnt(desk))
        .collect()
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().expect("a number"))
}

/// Two halves, for two cores.
#[test]
fn a_lie_never_becomes_a_pass() {
    let plans = number("RTFLASH_LIES").unwrap_or(PLANS);
    let alone = number("RTFLASH_LIE");
    sweep(alone.map_or(0..plans / 2, |seed| seed..seed + 1));
}

#[test]
fn nor_does_any_of_as_many_more() {
    let plans = number("RTFLASH_LIES").unwrap_or(PLANS);
    if number("RTFLASH_LIE").is_none() {
        sweep(plans / 2..plans);
    }
}

fn sweep(seeds: Range<u64>) {
    let mut desk = Desk::new(PART);
    desk.board.with(|m| m.access = SLOW_ACCESS);
    let scenarios = scenarios(&mut desk);
    let plans = seeds.end - seeds.start;
    let alone = seeds.end - seeds.start == 1;
    let reaches: Vec<&Reach> = scenarios.iter().map(|s| &s.reach).collect();
    let mut tally = Tally::default();
    let mut lies = Vec::new();
    for seed in seeds {
        let (job, plan) = FaultPlan::draw(seed, &reaches);
        let scenario = &scenarios[job];
        if alone {
            println!("{}: {plan:#?}", scenario.name);
        }
        scenario.prepare(&mut desk, &plan);
        let end = scenario.run(&desk, &plan, &Rc::default());
        tally.note(&plan, end.exit, end.code, end.struck, end.claimed);
        if let Some(lie) = scenario.lie(&plan, &end) {
            lies.push(format!(
                "RTFLASH_LIE={seed} ({}, {:?}): {lie}",
                scenario.name, plan.kinds
            ));
        }
    }
    println!("{tally}");
    assert!(lies.is_empty(), "{} lies:\n{}", lies.len(), lies.join("\n"));
    if !alone {
        tally.assert_it_shows_something(plans / 500, &[Kind::ParityErrors, Kind::StaleAhbBuffer]);
    }
}
