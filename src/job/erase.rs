//! `erase`: the chip or ranges of it, sector-exact; what the ROM boots by dies first, and what is erased is read back.

use std::time::Duration;

use super::run::Run;
use super::stages::confirm_blank;
use super::{Bench, CutSectors, Job, Observer, Outcome, RangeChoice, Saved, SavedBy, range};
use crate::address::Address;
use crate::algorithm::{Algorithm, AlgorithmError, Operation, operations};
use crate::boot::{BootData, ERASED, Fcb, Ivt, Present};
use crate::clock::Clock;
use crate::link::Link;
use crate::plan::{Erasure, Plan, Step, VerifyScope};
use crate::problem::{ExitCode, Place, Problem};
use crate::report::{EraseRecord, FindingRecord, FlashLeft, RangeRecord, Verdict};
use crate::survey::Identified;
use crate::target::{FlashPart, Target};
use crate::verify::{Mismatch, Verification, expected_by, verify};

/// Operations that are sent ahead: a cancelled erase does not end before they do.
const AT_ONCE: usize = 2;

/// What is to be erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EraseWhat {
    /// The whole part.
    Chip,
    /// Ranges of it.
    Ranges(Vec<RangeChoice>),
}

/// What is to be erased, and what becomes of other bytes in its sectors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EraseRequest {
    /// What.
    pub what: EraseWhat,
    /// Other bytes in sectors that a range ends inside of.
    pub cut: CutSectors,
}

impl EraseRequest {
    /// The same in the target's flash part.
    ///
    /// # Errors
    /// A range that is not inside it (exit 20).
    pub fn within(&self, target: &Target) -> Result<Erasure, Problem> {
        let ranges = match &self.what {
            EraseWhat::Chip => vec![range::whole(target)],
            EraseWhat::Ranges(choices) => {
                let ranges = choices.iter().map(|choice| choice.within(target));
                ranges.collect::<Result<_, _>>()?
            }
        };
        Ok(Erasure::new(&ranges, self.cut))
    }
}

/// Erases what is asked for and reads it back. The board is reset before and after.
pub fn erase(
    job: &Job<'_>,
    request: &EraseRequest,
    bench: &Bench,
    observer: &mut dyn Observer,
) -> Outcome {
    let mut run = Run::new("erase", job, bench, observer);
    let verdict = run.erase(request);
    run.finish(verdict)
}

impl Run<'_> {
    fn erase(&mut self, request: &EraseRequest) -> Result<Verdict, Problem> {
        let target = self.job.target;
        let erasure = request.within(target)?;
        self.record.left = Some(FlashLeft::Unchanged);
        self.go_on()?;
        let mut connection = self.connect()?;
        let mut link = connection.link(target.chip())?;
        let link: &mut dyn Link = &mut link;
        let (mut algorithm, identified) = self.survey(link)?;
        let erased = self.erase_what_is_there(&erasure, &mut algorithm, &identified);
        self.begin("reset");
        let stopped = self.leave(algorithm);
        let was_reset = self.let_run(link);
        let boots = erased?;
        stopped?;
        Ok(Verdict::done(self.done(&erasure, boots, was_reset)))
    }

    /// Compares, plans, erases and reads back; whether the board then still has an FCB.
    fn erase_what_is_there(
        &mut self,
        erasure: &Erasure,
        algorithm: &mut Algorithm<'_, '_>,
        identified: &Identified,
    ) -> Result<bool, Problem> {
        let target = self.job.target;
        let part = target.flash();
        self.note_counts(algorithm);
        self.begin("compare");
        let directory = self.bench.state_directory();
        let mut saved = Saved::open(directory, &identified.chip().unique_id.to_string())?;
        let present = self.read_present(None, algorithm)?;
        let map = self.map(erasure.layout(), algorithm)?;
        let interrupted = self.interrupted(&saved, algorithm)?;
        let image_is_dead = interrupted.image_is_dead;
        let map = map.with_saved(interrupted);
        let plan = erasure.plan(target, &map, identified.flash().status_register)?;
        let plan = plan.paced(part, algorithm.pace());
        let present = with_header_of(&plan, &present, target);
        let has_fcb = present.fcb(&target.chip().boot).is_some();
        let fcb_erased = erasure.covers(target.chip().boot.fcb_offset);
        self.record.erase = Some(erase_record(erasure, &plan, fcb_erased, target));
        let warning = cuts_into_image(&present, erasure, target);
        if let Some(warning) = warning.filter(|_| !plan.is_empty()) {
            self.observer.note(&format!("warning: {}", warning.what));
            self.record.findings.push(warning);
        }
        if image_is_dead {
            self.refuse_to_revive(&plan, &saved)?;
        }
        confirm_blank(&plan, algorithm)?;
        if !plan.is_empty() {
            let final_content = |at, length| plan.content(at, length);
            saved.keep(SavedBy::Part, plan.foreign(), final_content)?;
        }
        let guard = self.guard(&plan, algorithm)?;

        self.note_counts(algorithm);
        self.begin("erase");
        // its sector is the first to be erased, whether it comes back or not
        let fcb_goes_first = plan.steps().iter().any(|step| {
            matches!(step, Step::Erase { offset, .. } if *offset == target.chip().boot.fcb_offset)
        });
        let mut progress = Erasing::new(&plan, part);
        for steps in plan
            .steps()
            .split_inclusive(|step| matches!(step, Step::Verify(_)))
        {
            let operations = operations(&plan, steps, part);
            let clock = self.bench.clock().clone();
            for some in operations.chunks(AT_ONCE) {
                self.go_on()?;
                self.record.left = Some(if fcb_goes_first {
                    FlashLeft::PartlyErased
                } else {
                    FlashLeft::PartlyErasedFcbKept
                });
                progress.perform(some, &*clock, algorithm, &mut *self.observer)?;
            }
            if let Some(Step::Verify(scope)) = steps.last() {
                if *scope == VerifyScope::Everything {
                    self.note_counts(algorithm);
                    self.begin("verify");
                }
                self.require_erased(&plan, *scope, algorithm)?;
            }
        }
        if plan.is_empty() {
            self.note_counts(algorithm);
            self.begin("verify");
            self.require_erased(&plan, VerifyScope::Everything, algorithm)?;
        }
        self.check_guard(&guard, algorithm)?;
        if !plan.is_empty() {
            self.record.left = Some(FlashLeft::Erased);
        }
        if let Some(record) = &mut self.record.erase {
            record.found_blank = true;
        }
        let kept = saved.forget(|piece| {
            plan.content(piece.offset, piece.bytes.len() as u32)
                .is_some()
        });
        if let Err(error) = kept {
            // the board is right; a stale file only costs the next job a look at it
            self.observer.note(&format!("warning: {error}"));
        }
        Ok(has_fcb)
    }

    /// Has the target digest what the plan leaves: FFh, and bytes of others where they are kept.
    fn require_erased(
        &mut self,
        plan: &Plan,
        scope: VerifyScope,
        algorithm: &mut Algorithm<'_, '_>,
    ) -> Result<(), Problem> {
        let expected = expected_by(plan, scope);
        if expected.is_empty() {
            return Ok(());
        }
        match verify(algorithm, &expected)? {
            Verification::Equal(verified) => {
                self.record.digest = verified.digest_lines();
                Ok(())
            }
            Verification::Differs(difference) => {
                Err(not_as_planned(&difference.first, self.job.target))
            }
        }
    }

    /// The last line.
    fn done(&self, erasure: &Erasure, boots: bool, was_reset: bool) -> String {
        let bytes = erasure.len_bytes();
        let already = self
            .record
            .erase
            .as_ref()
            .is_some_and(|record| record.erase_commands == 0);
        let what = if already {
            format!("{bytes} bytes found blank, there was nothing to erase")
        } else {
            format!("{bytes} bytes erased and found blank")
        };
        let board = match (was_reset, boots) {
            (false, _) => "the board could not be reset: power-cycle it",
            (true, false) => "the board was reset, and its boot ROM finds no FCB to boot by",
            (true, true) => {
                "the board was reset; its FCB is there, and whether it boots was not watched"
            }
        };
        format!("{what}; {board}")
    }
}

fn erase_record(erasure: &Erasure, plan: &Plan, fcb_erased: bool, target: &Target) -> EraseRecord {
    let part = target.flash();
    let summary = plan.summary();
    let is_chip_erase = |step: &Step| matches!(step, Step::Erase { size_bytes, .. } if *size_bytes == part.size_bytes);
    let ranges = erasure.ranges().iter();
    EraseRecord {
        ranges: ranges
            .map(|(offset, length)| RangeRecord::new(*offset, *length, target))
            .collect(),
        sectors_erased: summary.erased,
        sectors_left: summary.kept + summary.programmed,
        erase_commands: summary.erase_commands,
        chip_erase: plan.steps().iter().any(is_chip_erase),
        kept_bytes: summary.foreign_bytes,
        removes_protection: summary.sets_status,
        typical_seconds: plan.typical_time().as_secs_f64(),
        longest_seconds: plan.longest_erase_time(part).as_secs_f64(),
        fcb_erased,
        found_blank: false,
    }
}

/// What the board holds, with FCB and IVT as the plan leaves them: what an interrupted job took of them may come back.
fn with_header_of(plan: &Plan, present: &Present, target: &Target) -> Present {
    let boot = &target.chip().boot;
    let parts = [
        (boot.fcb_offset, Fcb::SIZE_BYTES),
        (boot.ivt_offset, Ivt::SIZE_BYTES),
    ];
    let header = parts
        .into_iter()
        .filter_map(|(at, length)| Some((at, plan.content(at, length as u32)?)));
    let rest = present.pieces().map(|(at, bytes)| (at, bytes.to_vec()));
    Present::new(header.chain(rest).collect())
}

/// A warning where the ROM will still find FCB and IVT, and start what the erase has left of the image.
fn cuts_into_image(present: &Present, erasure: &Erasure, target: &Target) -> Option<FindingRecord> {
    let boot = &target.chip().boot;
    present.fcb(boot)?;
    let ivt = present.ivt(boot)?;
    if erasure.covers(boot.fcb_offset) || erasure.covers(boot.ivt_offset) {
        return None;
    }
    let at = target.offset_of(Address::new(ivt.boot_data))?;
    let boot_data = BootData::parse(present.bytes_at(at)?);
    let start = target.offset_of(Address::new(boot_data.start))?;
    if !erasure.meets(start, boot_data.length_bytes) {
        return None;
    }
    Some(FindingRecord {
        code: "erase-in-image",
        severity: "warning",
        uncertain: false,
        place: None,
        what: format!(
            "the range lies in the image that the boot ROM starts ({} bytes from {} by its boot data)",
            boot_data.length_bytes,
            Address::new(boot_data.start)
        ),
        why: Some("FCB and IVT stay, so the ROM will start what is left of it".to_owned()),
        fix: Some(
            "erase the sector of the FCB as well, so that the ROM falls into its serial downloader"
                .to_owned(),
        ),
    })
}

/// What an erase left that it should not.
fn not_as_planned(first: &Mismatch, target: &Target) -> Problem {
    let place = Place {
        address: target.address_of(first.offset),
        sector: Some(first.sector()),
        ..Place::default()
    };
    let Mismatch {
        expected, found, ..
    } = *first;
    if expected == ERASED {
        return Problem::new(
            "not-blank",
            ExitCode::NotBlank,
            "the flash is not blank where it was erased",
        )
        .because(format!("the first byte that is not FFh reads 0x{found:02X}"))
        .fix("erase again; if it stays, the flash part is worn out or broken, or something on the board writes to it")
        .at(place);
    }
    Problem::new(
        "kept-differs",
        ExitCode::Differs,
        "bytes of others in an erased sector are not back as they were",
    )
    .because(format!("0x{expected:02X} should be there, 0x{found:02X} is"))
    .fix("they are saved on this computer, and the next job for that sector puts them back; if it fails again, the flash part is worn out or broken")
    .at(place)
}

/// How far an erase is. It tells nothing of itself while it is under way; what is longer than the others is shown by time.
struct Erasing<'p> {
    part: &'p FlashPart,
    total_bytes: u64,
    done_bytes: u64,
    wait_is_told: bool,
}

impl<'p> Erasing<'p> {
    fn new(plan: &Plan, part: &'p FlashPart) -> Self {
        let sizes = plan.steps().iter().map(|step| match step {
            Step::Erase { size_bytes, .. } => u64::from(*size_bytes),
            _ => 0,
        });
        Erasing {
            part,
            total_bytes: sizes.sum(),
            done_bytes: 0,
            wait_is_told: false,
        }
    }

    fn perform(
        &mut self,
        operations: &[Operation],
        clock: &dyn Clock,
        algorithm: &mut Algorithm<'_, '_>,
        observer: &mut dyn Observer,
    ) -> Result<(), AlgorithmError> {
        let sizes: Vec<u32> = operations.iter().map(erases).collect();
        let mut done = 0;
        let mut since = clock.now();
        algorithm.perform(operations.to_vec(), &mut |progress| {
            let ended = sizes.get(done..progress.done).unwrap_or_default();
            if !ended.is_empty() {
                self.done_bytes += ended.iter().map(|size| u64::from(*size)).sum::<u64>();
                done = progress.done;
                since = clock.now();
            }
            observer.progress(self.done_bytes, self.total_bytes);
            let sent = sizes.get(done..).unwrap_or_default();
            let size = sent.first().copied().unwrap_or_default();
            let longest = |size: u32| Duration::from_micros(self.part.erase_max_us(size).into());
            if size == self.part.size_bytes {
                let typical = Duration::from_micros(self.part.erase_typ_us(size).into());
                observer.waiting(clock.now().saturating_sub(since), typical, longest(size));
            }
            let cancelled = observer.is_cancelled();
            if cancelled && !self.wait_is_told {
                self.wait_is_told = true;
                let wait: Duration = sent.iter().map(|size| longest(*size)).sum();
                observer.note(&format!(
                    "what the flash has begun to erase cannot be stopped: waiting for it, {:.1} s at most",
                    wait.as_secs_f64()
                ));
            }
            !cancelled
        })
    }
}

/// How many bytes an operation erases.
const fn erases(operation: &Operation) -> u32 {
    match operation {
        Operation::Plain(mailbox::Request::Erase { size, .. }) => *size,
        _ => 0,
    }
}
