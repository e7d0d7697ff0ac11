//! One job on one board: the stages in their order, each timed, with one record at the end.

mod bench;
mod contact;
mod header;
mod inspect;
mod load;
mod meter;
mod pack;
mod policy;
mod run;
mod saved;
mod stages;

use std::time::Duration;

pub use bench::Bench;
pub use header::HeaderChoice;
pub use inspect::inspect;
pub use load::{InputFile, Request, load, read, rom_places};
pub use pack::{PackFormat, pack};
pub use saved::{Saved, SavedError};

pub use crate::boot::HeaderPolicy;
pub use crate::image::FileHash;
pub use crate::plan::SharedSectors;
use crate::problem::Problem;
use crate::report::Record;
use crate::target::Target;
use run::Run;

/// Whether `flash` may end without a proven boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BootPolicy {
    /// The ROM must be seen to start the image.
    Required,
    /// Asked for explicitly: verified content is enough, and the record says so.
    Accepted,
}

/// What is to be done, apart from the image.
#[derive(Clone, Copy, Debug)]
pub struct Job<'t> {
    /// Chip, flash part and board.
    pub target: &'t Target,
    /// Whether the boot must be proven.
    pub boot_policy: BootPolicy,
    /// What happens to bytes of others in a sector that must be erased.
    pub shared: SharedSectors,
    /// How long the board may take from its reset to the image's first instruction; by default what the boot ROM needs,
    /// and longer where a bootloader on the board starts the image.
    pub boot_timeout: Option<Duration>,
}

impl<'t> Job<'t> {
    /// A job with the defaults: boot proof required, shared sectors preserved.
    pub const fn new(target: &'t Target) -> Self {
        Job {
            target,
            boot_policy: BootPolicy::Required,
            shared: SharedSectors::Preserve,
            boot_timeout: None,
        }
    }
}

/// How a job ended.
#[derive(Debug)]
pub struct Outcome {
    /// The record, verdict included.
    pub record: Record,
    /// What went wrong, with what to do about it.
    pub problem: Option<Problem>,
}

/// Who watches a job.
pub trait Observer {
    /// A phase begins.
    fn phase(&mut self, name: &'static str);
    /// The phase is this far.
    fn progress(&mut self, done_bytes: u64, total_bytes: u64);
    /// Something worth a line.
    fn note(&mut self, text: &str);
    /// Whether the job shall end early, at the next point where the board can be left safely.
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// Nobody watches.
impl Observer for () {
    fn phase(&mut self, _name: &'static str) {}
    fn progress(&mut self, _done_bytes: u64, _total_bytes: u64) {}
    fn note(&mut self, _text: &str) {}
}

/// Programs what is asked for, verifies it, resets the board and proves that it starts.
pub fn flash(
    job: &Job<'_>,
    request: &Request,
    bench: &Bench,
    observer: &mut dyn Observer,
) -> Outcome {
    let mut run = Run::new("flash", job, bench, observer);
    let verdict = run.flash(request);
    run.finish(verdict)
}

/// Compares the board with what `flash` would write. Nothing is written; the board is reset before and after.
pub fn verify(
    job: &Job<'_>,
    request: &Request,
    bench: &Bench,
    observer: &mut dyn Observer,
) -> Outcome {
    let mut run = Run::new("verify", job, bench, observer);
    let verdict = run.verify(request);
    run.finish(verdict)
}

/// Resets the board into its boot ROM and proves that the ROM starts what the flash holds.
pub fn reset(job: &Job<'_>, bench: &Bench, observer: &mut dyn Observer) -> Outcome {
    let mut run = Run::new("reset", job, bench, observer);
    let verdict = run.reset();
    run.finish(verdict)
}
