//! One case, done twice on fresh virtual boards.

use std::time::Duration;

use virtual_board::activity::{Span, What};
use virtual_board::board::{BoardConfig, BoardError};
use virtual_board::nor::{Part, PartError};
use virtual_board::rom::api::RomErase;

use super::{Case, Way, Work, content};
use crate::boot::BootImage;
use crate::image::ImageError;
use crate::job::{self, Bench, BootPolicy, Job, Request};
use crate::link::{
    Choice, PeerAlgorithm, PeerError, VirtualBench, VirtualError, flash_through_probe_rs,
};
use crate::problem::Problem;
use crate::report::{Phase, Verdict};
use crate::target::Target;

/// Phases of a job from the first change of the flash to the last digest.
const DATA_PHASES: [&str; 2] = ["program", "verify"];

/// Why a case has no figures.
#[derive(Debug, thiserror::Error)]
pub enum MeasureError {
    /// The image cannot be made.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The job ended with a problem.
    #[error("{0}")]
    Job(Problem),
    /// The job did not end as it must.
    #[error("it ended with {0}")]
    Verdict(String),
    /// The peer failed.
    #[error(transparent)]
    Peer(#[from] PeerError),
    /// The virtual board cannot be made.
    #[error(transparent)]
    Virtual(#[from] VirtualError),
    /// The virtual board has stopped.
    #[error(transparent)]
    Board(#[from] BoardError),
    /// The virtual board has no such part.
    #[error(transparent)]
    Part(#[from] PartError),
    /// The flash does not hold the image.
    #[error("the flash does not hold the image at offset 0x{0:X}")]
    Content(usize),
    /// Something was done that the manuals forbid.
    #[error("the board refused {count} times; first: {first}")]
    Violation {
        /// How often.
        count: usize,
        /// The first line.
        first: String,
    },
    /// The two runs differ: something depended on the host's clock.
    #[error("two runs of the same case differ: {0} s and {1} s")]
    NotTheSame(f64, f64),
}

/// The figures of one case.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// The phases in their order.
    pub phases: Vec<Phase>,
    /// Page programs that the flash took.
    pub programs: u64,
    /// Erases that the flash took.
    pub erases: u64,
    /// Bytes that the image takes, boot header included.
    pub image_bytes: u64,
    /// Pages of the image that are not blank.
    pub pages: u64,
    /// Time spent in transactions of the probe.
    pub link_busy: Duration,
    /// What link and flash were busy with.
    pub spans: Vec<Span>,
}

impl Measured {
    /// Seconds from the beginning to the end of the command.
    pub fn total_seconds(&self) -> f64 {
        self.phases.iter().map(|phase| phase.seconds).sum()
    }

    /// Seconds from the first change of the flash to the last digest.
    pub fn data_seconds(&self) -> f64 {
        let is_data = |phase: &&Phase| DATA_PHASES.contains(&phase.name);
        let data = self.phases.iter().filter(is_data);
        data.map(|phase| phase.seconds).sum()
    }

    /// Probe transactions.
    pub fn transactions(&self) -> u64 {
        self.phases.iter().map(|phase| phase.transactions).sum()
    }
}

/// How often a case is done at most. probe-rs allows a caught reset 100 ms of the host's time; on a host that slept through
/// them the reset is repeated, and that run is invalid.
const MOST_RUNS: u32 = 4;

/// Does a case twice, each time on a new board, and gives the figures, which must be the same. Where they are not, a busy
/// host may have disturbed one of the runs: further ones must give the same twice in a row.
///
/// # Errors
/// [`MeasureError`]; then there are no figures.
pub fn measure(case: &Case, target: &Target) -> Result<Measured, MeasureError> {
    let mut last = once(case, target)?;
    let mut runs = 1;
    loop {
        let next = once(case, target)?;
        runs += 1;
        if next == last {
            return Ok(next);
        }
        let (a, b) = (last.total_seconds(), next.total_seconds());
        if runs == MOST_RUNS {
            return Err(MeasureError::NotTheSame(a, b));
        }
        tracing::warn!("two runs of the same case differ: {a} s and {b} s");
        last = next;
    }
}

fn once(case: &Case, target: &Target) -> Result<Measured, MeasureError> {
    let request = Request::new(content::image(case.bytes, target)?);
    let image = request
        .judged_offline(target)
        .map_err(MeasureError::Job)?
        .ok_or_else(|| MeasureError::Verdict("an image that needs a board".to_owned()))?;
    let after = picture(&image, target);
    let board = board(case, target, &after)?;
    let phases = match case.way {
        Way::Ours | Way::Plain => ours(case, target, &request, &board)?,
        Way::EntryPoints => peer(case, PeerAlgorithm::Ours, target, &image, &board)?,
        Way::Stock(_) => peer(case, PeerAlgorithm::Stock, target, &image, &board)?,
    };
    let violations = board.board().violations()?;
    if let Some(first) = violations.first() {
        return Err(MeasureError::Violation {
            count: violations.len(),
            first: first.clone(),
        });
    }
    let (flash, counters, spans) = board.board().with(|board| {
        let now = board.now();
        let spans = board.activity();
        let mut system = board.chip.system.borrow_mut();
        system.nor.settle(now);
        (system.nor.content().to_vec(), system.nor.counters(), spans)
    })?;
    for run in image.runs() {
        let start = run.offset.get() as usize;
        let held = flash.get(start..start + run.bytes.len());
        if held != Some(run.bytes.as_slice()) {
            return Err(MeasureError::Content(start));
        }
    }
    let page = target.flash().page_bytes as usize;
    let pages = after
        .chunks(page)
        .filter(|page| page.iter().any(|byte| *byte != 0xFF))
        .count();
    let link_busy = spans
        .iter()
        .filter(|span| span.what == What::Transaction)
        .map(|span| Duration::from(span.until - span.from))
        .sum();
    Ok(Measured {
        phases,
        programs: counters.programs,
        erases: counters.erases,
        image_bytes: image.len_bytes(),
        pages: pages as u64,
        link_busy,
        spans,
    })
}

/// The flash with nothing but the image in it.
fn picture(image: &BootImage, target: &Target) -> Vec<u8> {
    let mut flash = vec![0xFF; target.flash().size_bytes as usize];
    for run in image.runs() {
        let place = flash.iter_mut().skip(run.offset.get() as usize);
        place.zip(&run.bytes).for_each(|(to, from)| *to = *from);
    }
    flash
}

fn board(case: &Case, target: &Target, after: &[u8]) -> Result<VirtualBench, MeasureError> {
    let name = target.flash().name.to_ascii_lowercase();
    let part = Part::builtin(&name)?;
    let bench = VirtualBench::start(BoardConfig {
        timing: case.timing,
        probe: case.probe,
        core_divider: case.core_divider,
        rom_erase: match case.way {
            Way::Stock(erase) => erase,
            _ => RomErase::default(),
        },
        ..BoardConfig::new(part)
    })?;
    let before = content::before(case.before, after);
    let quad_enable = target.flash().quad_enable_mask() as u8;
    let used_before = case.before != super::Before::Blank;
    bench.board().with(move |board| {
        let mut system = board.chip.system.borrow_mut();
        system.nor.content_mut().copy_from_slice(&before);
        if used_before {
            system.nor.set_status_register(quad_enable);
        }
        drop(system);
        board.record_activity();
    })?;
    Ok(bench)
}

fn ours(
    case: &Case,
    target: &Target,
    request: &Request,
    board: &VirtualBench,
) -> Result<Vec<Phase>, MeasureError> {
    let choice = Choice {
        speed_khz: Some(case.speed_khz),
        plain: case.way == Way::Plain,
        ..Choice::default()
    };
    let bench = Bench::virtual_board(choice, board.clone());
    let job = Job {
        boot_policy: BootPolicy::Required,
        ..Job::new(target)
    };
    let outcome = match case.work {
        Work::Flash => job::flash(&job, request, &bench, &mut ()),
        Work::Verify => job::verify(&job, request, &bench, &mut ()),
        Work::Session => job::reset(&job, &bench, &mut ()),
    };
    if let Some(problem) = outcome.problem {
        return Err(MeasureError::Job(problem));
    }
    match outcome.record.verdict {
        Verdict::Pass(_) | Verdict::Equal => Ok(outcome.record.phases),
        verdict => Err(MeasureError::Verdict(verdict.to_string())),
    }
}

fn peer(
    case: &Case,
    algorithm: PeerAlgorithm,
    target: &Target,
    image: &BootImage,
    board: &VirtualBench,
) -> Result<Vec<Phase>, MeasureError> {
    let window = target.flash_window().start().get();
    let runs: Vec<_> = image
        .runs()
        .iter()
        .map(|run| {
            let address = crate::address::Address::new(window + run.offset.get());
            (address, run.bytes.as_slice())
        })
        .collect();
    let mut marks: Vec<(&'static str, Duration, u64)> = Vec::new();
    let mark = |name| (name, board.clock().now(), board.transactions());
    flash_through_probe_rs(board, algorithm, case.speed_khz, &runs, &mut |name| {
        marks.push(mark(name));
    })?;
    marks.push(mark("end"));
    let pairs = marks.iter().zip(marks.iter().skip(1));
    let phases = pairs.map(|(begin, end)| Phase {
        name: begin.0,
        seconds: end.1.saturating_sub(begin.1).as_secs_f64(),
        transactions: end.2 - begin.2,
    });
    Ok(phases.collect())
}
