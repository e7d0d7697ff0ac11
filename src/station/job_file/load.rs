//! A job that is ready to run: its text verified and understood, its files read and judged, all of it before any board.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::file::{JobBootProof, JobFile, JobGuard, JobHeaderPolicy, JobSharedSectors};
use super::rules::{self, BarcodePattern};
use super::signature::{Signed, TrustedKey};
use super::text::{JobInput, JobText};
use crate::address::Address;
use crate::boot::{GivenFcb, HeaderWishes};
use crate::image::FileHash;
use crate::job::{
    self, BootPolicy, Guard, HeaderChoice, HeaderPolicy, InputFile, Job, ReadMode, Request,
    SharedSectors,
};
use crate::link::{Choice, ProbeSelector};
use crate::problem::{ExitCode, Place, Problem};
use crate::station::outside::Outside;
use crate::survey::ChipFound;
use crate::target::Target;
use crate::unit::{FittedRules, UnitRules};

const HZ_PER_MHZ: u32 = 1_000_000;

/// A job, verified, understood, and judged as far as that can be done without a board.
#[derive(Clone, Debug)]
pub struct LoadedJob {
    /// What the file says.
    pub file: JobFile,
    /// Where the file is.
    pub path: PathBuf,
    /// SHA-256 of the file.
    pub sha256: FileHash,
    /// Who signed it, where a trusted key was asked for.
    pub signed: Option<Signed>,
    /// Chip, flash part and board.
    pub target: Target,
    /// The image that all units share, and what is wished of the boot header; judged.
    pub request: Request,
    /// What a scanned code must look like; none where units do not begin with one.
    pub barcode: Option<BarcodePattern>,
    /// What differs on every unit, with its places in the image.
    pub rules: FittedRules,
    /// Where the values of its units come from that neither chip nor ledger gives.
    pub outside: Outside,
    /// The files that it names, each with its hash.
    inputs: Vec<(PathBuf, FileHash)>,
}

impl LoadedJob {
    /// Reads the job file at `path` and all files that it names. With `trust`, its signature is verified first, over the
    /// very bytes that are then read.
    ///
    /// # Errors
    /// Exit 13: `job-unreadable`, `job-syntax`, `job-version`, `job-newer`, what [`rules::check`] refuses,
    /// `job-not-signed`, `job-other-key`, `job-signature`, `job-not-locked`, `input-hash` and other faults of a file.
    /// Exit 20: an image that would not boot or does not fit.
    pub fn load(path: &Path, trust: Option<&TrustedKey>) -> Result<Self, Problem> {
        LoadedJob::from_content(path, &content(path)?, trust)
    }

    /// The same from the bytes of the job file, read before.
    ///
    /// # Errors
    /// As [`LoadedJob::load`].
    pub fn from_content(
        path: &Path,
        content: &[u8],
        trust: Option<&TrustedKey>,
    ) -> Result<Self, Problem> {
        let signed = match trust {
            Some(key) => Some(key.verify(path, content)?),
            None => None,
        };
        let text = JobText::new(path, content)?;
        let file = text.parse()?;
        let barcode = rules::check(&file, &text)?;
        let rules = UnitRules::new(file.series.clone(), file.data.clone())
            .map_err(|problem| in_file(problem, path))?;
        let inputs = locked(&text)?;
        let in_target = |problem: Problem| told_of_job(problem, "target", &text);
        let wanted = &file.target;
        let target = Target::builtin(&wanted.chip, &wanted.flash, &wanted.board)
            .map_err(|error| in_target(error.into()))?;
        let in_header = |problem: Problem| told_of_job(problem, "boot_header", &text);
        let wishes = wishes(&file, &text, &target).map_err(in_header)?;
        let files: Vec<InputFile> = file
            .images
            .iter()
            .map(|image| InputFile {
                path: text.beside(&image.file),
                start: image.address.map(Address::new),
                pin: image.sha256,
            })
            .collect();
        let image = job::read_files(&files, &target).map_err(pinned_by_job)?;
        let request = Request { image, wishes };
        request.judged_offline(&target).map_err(in_header)?;
        let rules = rules
            .fit(&request.image, &target)
            .map_err(|problem| in_file(problem, path))?;
        let outside = Outside::load(rules.rules(), &file.name, text.folder())
            .map_err(|problem| in_file(problem, path))
            .map_err(pinned_by_job)?;
        let sample = Request {
            image: rules
                .sample()
                .map_err(|problem| in_file(problem, path))?
                .image,
            wishes: request.wishes.clone(),
        };
        sample.judged_offline(&target).map_err(in_header)?;
        Ok(LoadedJob {
            file,
            path: path.to_owned(),
            sha256: FileHash::of(content),
            signed,
            target,
            request,
            barcode,
            rules,
            outside,
            inputs,
        })
    }

    /// What is to be done with every unit, apart from its image.
    pub fn job(&self) -> Job<'_> {
        let boot = &self.file.boot;
        let ms = |ms: u32| Duration::from_millis(ms.into());
        Job {
            boot_policy: match boot.boot_proof {
                JobBootProof::Required => BootPolicy::Required,
                JobBootProof::None => BootPolicy::Accepted,
            },
            shared: match self.file.shared_sectors {
                JobSharedSectors::Refuse => SharedSectors::Refuse,
                JobSharedSectors::Preserve => SharedSectors::Preserve,
            },
            guard: match self.file.guard {
                JobGuard::Near => Guard::Near,
                JobGuard::Whole => Guard::Chip,
            },
            boot_timeout: boot.boot_timeout_ms.map(ms),
            boot_watch: boot.boot_watch_ms.map(ms),
            ..Job::new(&self.target)
        }
    }

    /// How to connect through `probe`.
    pub fn choice(&self, probe: Option<ProbeSelector>) -> Choice {
        Choice {
            probe,
            speed_khz: self.file.link.speed_khz,
            connect_under_reset: self.file.link.connect_under_reset,
            plain: false,
        }
    }

    /// SHA-256 of each image file in hex, in the job's order.
    pub fn images_sha256(&self) -> Vec<String> {
        let inputs = self.request.image.inputs().iter();
        inputs.map(|input| input.sha256_text()).collect()
    }

    /// Time that an attempt may take from its begin to its verdict.
    pub fn cycle_budget(&self) -> Option<Duration> {
        let seconds = self.file.unit.cycle_budget_s?;
        Duration::try_from_secs_f64(seconds).ok()
    }

    /// Whether the job may flash a board with this chip.
    ///
    /// # Errors
    /// `wrong-board-uid`, `wrong-board-boot-mode`, `wrong-board-security` (exit 6).
    pub fn require_board(&self, chip: &ChipFound) -> Result<(), Problem> {
        self.file.identity.require(chip)
    }

    /// Whether the job file and every file that it names are what they were when they were loaded.
    ///
    /// # Errors
    /// `image-changed`, and `job-changed` for the job file itself (exit 13).
    pub fn still_the_same(&self) -> Result<(), Problem> {
        let changed = |code, path: &Path, what: &str, why: String| {
            Problem::new(code, ExitCode::MalformedInput, what)
                .at(Place::in_file(path, None))
                .because(why)
                .fix("nothing is flashed until the station is started again, with the released job and its files")
        };
        let job = std::iter::once((&self.path, self.sha256, "job-changed"));
        let inputs = self.inputs.iter();
        let inputs = inputs.map(|(path, hash)| (path, *hash, "image-changed"));
        for (path, then, code) in job.chain(inputs) {
            let now = InputFile {
                path: path.clone(),
                start: None,
                pin: None,
            };
            match now.content().map(|content| FileHash::of(&content)) {
                Ok(now) if now == then => {}
                Ok(now) => {
                    let why = format!("it had the SHA-256 {then} and has {now}");
                    return Err(changed(
                        code,
                        path,
                        "the file has changed since the job was loaded",
                        why,
                    ));
                }
                Err(problem) => {
                    let why = problem.why.unwrap_or(problem.what);
                    return Err(changed(code, path, "the file cannot be read any more", why));
                }
            }
        }
        Ok(())
    }
}

/// The bytes of a job file.
///
/// # Errors
/// `job-unreadable` (exit 13).
pub fn content(path: &Path) -> Result<Vec<u8>, Problem> {
    let file = InputFile {
        path: path.to_owned(),
        start: None,
        pin: None,
    };
    file.content().map_err(|problem| Problem {
        code: "job-unreadable",
        what: "the job file cannot be read".into(),
        ..problem
    })
}

/// The inputs with their hashes.
///
/// # Errors
/// `job-not-locked` (exit 13), which names every file without one.
fn locked(text: &JobText) -> Result<Vec<(PathBuf, FileHash)>, Problem> {
    let inputs = text.inputs();
    let without: Vec<&JobInput> = inputs.iter().filter(|i| i.sha256.is_none()).collect();
    if let Some(first) = without.first() {
        let names: Vec<String> = without.iter().map(|i| i.name.clone()).collect();
        return Err(text
            .refusal(
                "job-not-locked",
                &first.table,
                format!("the job does not pin {}", names.join(", ")),
            )
            .because("without the SHA-256 of its files, nobody can tell whether they are the released ones")
            .fix("run `rtflash job lock` where the released files are, and look at the hashes that it prints"));
    }
    let inputs = inputs.into_iter();
    Ok(inputs.filter_map(|i| Some((i.path, i.sha256?))).collect())
}

fn wishes(job: &JobFile, text: &JobText, target: &Target) -> Result<HeaderWishes, Problem> {
    let header = &job.boot_header;
    let choice = HeaderChoice {
        policy: match header.policy {
            JobHeaderPolicy::Insert => HeaderPolicy::InsertMissing,
            JobHeaderPolicy::Keep => HeaderPolicy::KeepOfBoard,
            JobHeaderPolicy::Replace => HeaderPolicy::Replace,
        },
        fcb: None,
        read_opcode: header.read_mode.map(ReadMode::opcode),
        clock_hz: header.clock_mhz.map(|mhz| mhz.saturating_mul(HZ_PER_MHZ)),
    };
    let mut wishes = choice.wishes(target)?;
    if let Some(fcb) = &header.fcb {
        let file = InputFile {
            path: text.beside(&fcb.file),
            start: None,
            pin: fcb.sha256,
        };
        let content = file.content().map_err(pinned_by_job)?;
        wishes.fcb = Some(Box::new(GivenFcb::read(file.path, &content)?));
    }
    Ok(wishes)
}

/// A problem of the job file, with the file's name where it has no place.
fn in_file(problem: Problem, path: &Path) -> Problem {
    match problem.place.file {
        Some(_) => problem,
        None => Problem {
            place: Box::new(Place {
                file: Some(path.to_owned()),
                ..*problem.place
            }),
            ..problem
        },
    }
}

/// A file that is not the pinned one, where a job pins it.
fn pinned_by_job(problem: Problem) -> Problem {
    match problem.code {
        "input-hash" => problem
            .fix("put the released file in its place; or, if this one is released, run `rtflash job lock`"),
        _ => problem,
    }
}

/// A fault that commands tell as one of the command line, where a job file is at fault; other faults stay as they are.
fn told_of_job(problem: Problem, key: &str, text: &JobText) -> Problem {
    if problem.exit != ExitCode::Usage {
        return problem;
    }
    let in_keys = |said: String| {
        OPTIONS
            .iter()
            .fold(said, |said, (option, key)| said.replace(option, key))
    };
    Problem {
        exit: ExitCode::MalformedInput,
        what: in_keys(problem.what),
        place: Box::new(text.place(key)),
        why: problem.why.map(in_keys),
        fix: problem.fix.map(in_keys),
        ..problem
    }
}

/// What options of the command line are called in a job file.
const OPTIONS: [(&str, &str); 4] = [
    ("--read-mode", "read_mode"),
    ("--clock", "clock_mhz"),
    ("--fcb", "fcb"),
    ("--replace-boot-header", "policy = \"replace\""),
];
