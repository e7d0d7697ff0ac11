//! One job on one board: the stages in their order, each timed, with one record at the end.

mod bench;
mod contact;
mod doctor;
mod erase;
mod find_target;
mod header;
mod info;
mod inspect;
mod load;
mod meter;
mod output;
mod pack;
mod policy;
mod range;
mod read;
mod run;
mod saved;
mod stages;

use std::time::Duration;

pub use bench::Bench;
pub use doctor::{Question, UDEV_RULE, UDEV_RULE_NAME};
pub use erase::{EraseRequest, EraseWhat, erase};
pub use find_target::{Found, find_target};
pub use header::{HeaderChoice, ReadMode};
pub use inspect::inspect;
pub use load::{InputFile, Request, load, read as read_files, rom_places};
pub use output::{OutputFile, unwritable};
pub use pack::{PackFormat, pack};
pub use range::RangeChoice;
pub use read::{Destination, ReadRequest, read};
pub use saved::{Saved, SavedBy, SavedError, host_directory};

pub use crate::boot::HeaderPolicy;
pub use crate::image::{FileHash, Image};
use crate::link::Link;
pub use crate::plan::{CutSectors, Guard, SharedSectors};
use crate::problem::Problem;
use crate::report::Record;
use crate::survey::ChipFound;
use crate::target::Target;
use crate::verify::{Verification, Verified};
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
    /// What is compared before and after besides the image's sectors.
    pub guard: Guard,
    /// How long the board may take from its reset to the image's first instruction; by default what the boot ROM needs,
    /// and longer where a bootloader on the board starts the image.
    pub boot_timeout: Option<Duration>,
    /// How long the image must then run without a crash or a reset; by default [`crate::reset::SETTLE`].
    pub boot_watch: Option<Duration>,
}

impl<'t> Job<'t> {
    /// A job with the defaults: boot proof required, shared sectors preserved.
    pub const fn new(target: &'t Target) -> Self {
        Job {
            target,
            boot_policy: BootPolicy::Required,
            shared: SharedSectors::Preserve,
            guard: Guard::Near,
            boot_timeout: None,
            boot_watch: None,
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
    /// What is under way tells nothing of itself until it ends: it has taken `elapsed`, usually takes `typical`, and by the
    /// data sheet `longest` at most.
    fn waiting(&mut self, _elapsed: Duration, _typical: Duration, _longest: Duration) {}
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
    flash_unit(job, request, &mut SameForAll(request), bench, observer)
}

/// Gives a unit its own image.
pub trait UnitImage {
    /// What this unit gets. Called once, when its chip is known to be the target's, and before anything on the board is
    /// changed; the flash part is found out afterwards. The core is halted meanwhile, so that this may take its time.
    ///
    /// # Errors
    /// Whatever keeps the unit from being flashed; the board is then left as it was found.
    fn for_unit(&mut self, unit: &ChipFound) -> Result<Request, Problem>;
}

/// Every unit gets the same.
struct SameForAll<'r>(&'r Request);

impl UnitImage for SameForAll<'_> {
    fn for_unit(&mut self, _unit: &ChipFound) -> Result<Request, Problem> {
        Ok(self.0.clone())
    }
}

/// As [`flash`], with an image that is made for the very unit on the bench, once that is known. `common` is what all units
/// share: it is judged before the board is touched.
pub fn flash_unit(
    job: &Job<'_>,
    common: &Request,
    unit: &mut dyn UnitImage,
    bench: &Bench,
    observer: &mut dyn Observer,
) -> Outcome {
    let mut run = Run::new("flash", job, bench, observer);
    let verdict = run.flash(common, unit);
    run.finish(verdict)
}

/// How [`write_over`] ended.
#[derive(Debug)]
pub struct Written {
    /// The record; without a verdict on the boot, which nobody has watched.
    pub record: Record,
    /// The proof that the flash held every byte, or what went wrong.
    pub verified: Result<Verified, Problem>,
}

/// The part of [`flash`] between connecting and the reset, over a link that the caller has: who is there, what must
/// change, programmed, verified, guarded, and the flash left as the ROM needs it. `bench` gives the clock and the place of
/// saved bytes, see [`Bench::without_probe`].
///
/// It is there for sweeps over thousands of faults, which need every step of a job and not the core that boots afterwards.
pub fn write_over(
    job: &Job<'_>,
    request: &Request,
    bench: &Bench,
    link: &mut dyn Link,
    observer: &mut dyn Observer,
) -> Written {
    let mut run = Run::new("flash", job, bench, observer);
    let verified = run
        .write_over(&mut SameForAll(request), link)
        .map(|written| written.verified);
    let verdict = match &verified {
        Ok(verified) => Ok(run.without_watching(verified)),
        Err(problem) => Err(problem.clone()),
    };
    Written {
        record: run.finish(verdict).record,
        verified,
    }
}

/// The part of [`verify`] between connecting and the reset, as [`write_over`] is of [`flash`].
///
/// # Errors
/// Whatever kept the job from finding out.
pub fn compare_over(
    job: &Job<'_>,
    request: &Request,
    bench: &Bench,
    link: &mut dyn Link,
) -> Result<Verification, Problem> {
    let mut nobody = ();
    let mut run = Run::new("verify", job, bench, &mut nobody);
    let (_, verification) = run.compare_over(request, link)?;
    Ok(verification)
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

/// Looks at everything between the host and the application, as far as it can be reached, and says why the board does not
/// work. Nothing non-volatile is changed; the board is reset, unless the question forbids it.
pub fn doctor(
    job: &Job<'_>,
    question: &Question,
    bench: &Bench,
    observer: &mut dyn Observer,
) -> Outcome {
    doctor::doctor(job, question, bench, observer)
}

/// Reads everything that identifies the board and decides its boot. Nothing non-volatile changes; the board is reset
/// before and after. Of the job's target, the flash part does not matter.
pub fn info(job: &Job<'_>, bench: &Bench, observer: &mut dyn Observer) -> Outcome {
    let mut run = Run::new("info", job, bench, observer);
    let verdict = run.info();
    run.finish(verdict)
}
