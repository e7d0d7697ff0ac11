//! The shallow desk: one board, and jobs on it. What was verified there counts as PASS; whether it boots, [`crate::rom`] says.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rtflash::boot::{BootImage, Present, wanted};
use rtflash::clock::Clock;
use rtflash::job::{self, Bench, Job, Observer, Request, Written};
use rtflash::plan::SharedSectors;
use rtflash::problem::Problem;
use rtflash::target;
use rtflash::verify::Verification;
use target_side::board::Board;
use target_side::cuts::Kept;
use target_side::rom;
use target_side::target::{Target, Watch};
use tempfile::TempDir;
use virtual_board::nor::{NonVolatile, Nor, Part};
use virtual_board::rom::{Outcome, Reading};
use virtual_board::soc::ResetCause;
use virtual_board::trace::Trace;

use crate::wire::{Tap, Wire};

/// Tells the board's time and lets none pass: only the link's clock does.
struct Wristwatch(Watch);

impl Clock for Wristwatch {
    fn now(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }
    fn sleep(&self, _span: Duration) {
        panic!("only the link's clock lets the board run");
    }
}

/// Where the tests keep what a job saves: in memory, where the machine has such a place.
fn new_directory() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        tempfile::tempdir_in(memory).expect("directory")
    } else {
        tempfile::tempdir().expect("directory")
    }
}

/// What is done to the link of one job.
#[derive(Default)]
pub struct Disturbance {
    pub tap: Option<Tap>,
    /// The cable is cut at this access of the link.
    pub cut_at: Option<u64>,
}

/// How a job ended.
pub struct Done {
    pub written: Written,
    /// Accesses of the link.
    pub accesses: u64,
    /// What was saved on the host when the flash began to change.
    pub saved: Vec<(String, String)>,
}

impl Done {
    /// Verified and guarded: PASS, apart from the boot.
    pub fn passed(&self) -> bool {
        self.written.verified.is_ok()
    }
    /// The code of what went wrong.
    pub fn code(&self) -> &'static str {
        self.written
            .verified
            .as_ref()
            .map_or_else(|p| p.code, |_| "")
    }
}

/// A board with a flash part, and the host's directory beside it.
pub struct Desk {
    pub board: Board,
    pub target: target::Target,
    pub shared: SharedSectors,
    state: TempDir,
}

impl Desk {
    /// A board with a flash part of `targets/flash`, blank.
    pub fn new(part: &str) -> Self {
        Desk::with(Part::builtin(part).expect("part"), part)
    }

    /// A board with this flash part, and the target `targets/flash` has for `name`.
    pub fn with(part: Part, name: &str) -> Self {
        Desk {
            board: Board::with_part(part),
            target: target::Target::builtin("mimxrt1062", name, "qspi").expect("target"),
            shared: SharedSectors::Preserve,
            state: new_directory(),
        }
    }

    /// The flash.
    pub fn nor<R>(&self, f: impl FnOnce(&mut Nor) -> R) -> R {
        self.board.with(|m| f(&mut m.nor))
    }

    /// Content as if it had been there before.
    pub fn fill(&self, offset: usize, bytes: &[u8]) {
        self.nor(|nor| nor.content_mut()[offset..offset + bytes.len()].copy_from_slice(bytes));
    }

    /// The whole flash again as delivered and without faults, and nothing saved on the host.
    pub fn renew(&mut self) {
        self.nor(|nor| {
            let part = nor.part().clone();
            nor.content_mut().fill(0xFF);
            nor.set_registers(NonVolatile::as_delivered(&part.registers));
            nor.faults = Default::default();
        });
        self.power_cycle();
        self.set_saved(&[]);
    }

    /// Power off and on, with nothing under way in the flash.
    pub fn power_cycle(&self) {
        self.board.with(|m| {
            m.nor.power_cut(m.now, 0);
            m.reset(ResetCause::PowerOn);
            m.trace = Trace::default();
        });
    }

    /// What a job for `request` leaves in the flash, by what the flash holds now.
    pub fn judged(&self, request: &Request) -> BootImage {
        let mut present = Present::default();
        let (image, policy) = (Some(&request.image), request.wishes.policy);
        while let Some((offset, length)) = wanted(image, &present, &self.target, policy) {
            let at = offset.get() as usize;
            let bytes = self.nor(|nor| nor.content()[at..at + length as usize].to_vec());
            present.add(offset, bytes);
        }
        request
            .judged_with(&present, &self.target)
            .expect("accepted")
    }

    /// What the boot ROM does with the flash after power-on.
    pub fn boots(&self, reading: Reading) -> Outcome {
        self.board.with(|m| rom::boot(m, reading))
    }

    /// The flash as a power cut left it, with the power just on again.
    pub fn power_up_with(&self, kept: &Kept) {
        self.nor(|nor| kept.give_to(nor));
        self.power_cycle();
    }

    /// What lies in the host's directory, by name.
    pub fn saved(&self) -> Vec<(String, String)> {
        saved_in(self.state.path())
    }

    /// Replaces what lies in the host's directory.
    pub fn set_saved(&self, files: &[(String, String)]) {
        for (name, _) in self.saved() {
            fs::remove_file(self.state.path().join(name)).expect("removed");
        }
        for (name, text) in files {
            fs::write(self.state.path().join(name), text).expect("written");
        }
    }

    /// One job as `rtflash flash` does it, from taking the board over to the exit sequence.
    pub fn flash(&self, request: &Request) -> Done {
        self.flash_disturbed(request, Disturbance::default())
    }

    /// The same with something between host and target.
    pub fn flash_disturbed(&self, request: &Request, disturbance: Disturbance) -> Done {
        let (mut wire, bench) = self.laid(disturbance);
        let job = Job {
            shared: self.shared,
            ..Job::new(&self.target)
        };
        let mut looker = Looker {
            directory: self.state.path(),
            saved: Vec::new(),
        };
        let written = job::write_over(&job, request, &bench, &mut wire, &mut looker);
        let accesses = wire.accesses();
        if written.verified.is_err() {
            // the target runs on: what it has still got ends, or its lease does
            wire.target().run_for(AFTERMATH);
        }
        Done {
            written,
            accesses,
            saved: looker.saved,
        }
    }

    /// The comparison of `rtflash verify`, with something between host and target.
    ///
    /// # Errors
    /// Whatever kept it from finding out.
    pub fn compare_disturbed(
        &self,
        request: &Request,
        disturbance: Disturbance,
    ) -> Result<Verification, Problem> {
        let (mut wire, bench) = self.laid(disturbance);
        job::compare_over(&Job::new(&self.target), request, &bench, &mut wire)
    }

    /// A link to the board, and what a job needs besides.
    fn laid(&self, disturbance: Disturbance) -> (Wire, Bench) {
        let watch = Watch::default();
        let target = Target::new(self.board.clone(), watch.clone());
        let mut wire = Wire::new(target, self.target.chip());
        wire.tap = disturbance.tap;
        wire.cut_at = disturbance.cut_at;
        let bench = Bench::without_probe(Arc::new(Wristwatch(watch)), self.state.path().to_owned());
        (wire, bench)
    }
}

/// Longer than the lease and the longest erase of a block together.
const AFTERMATH: virtual_board::time::Time = virtual_board::time::Time::ms(6_000);

fn saved_in(directory: &Path) -> Vec<(String, String)> {
    let entries = fs::read_dir(directory).expect("directory");
    let mut files: Vec<(String, String)> = entries
        .map(|entry| {
            let path = entry.expect("entry").path();
            let name = path.file_name().expect("name").to_string_lossy();
            (name.into_owned(), fs::read_to_string(&path).expect("text"))
        })
        .collect();
    files.sort();
    files
}

/// Notes what is saved on the host when the flash begins to change.
struct Looker<'d> {
    directory: &'d Path,
    saved: Vec<(String, String)>,
}

impl Observer for Looker<'_> {
    fn phase(&mut self, name: &'static str) {
        if name == "program" {
            self.saved = saved_in(self.directory);
        }
    }
    fn progress(&mut self, _done_bytes: u64, _total_bytes: u64) {}
    fn note(&mut self, _text: &str) {}
}
