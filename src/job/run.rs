//! A job while it runs: the steps that flash, verify and reset share, and what they note in the record.

use super::contact::ContactNote;
use super::meter::Meter;
use super::{Bench, BootPolicy, HeaderPolicy, Job, Observer, Outcome, Request, Saved, UnitImage};
use std::time::Duration;

use crate::algorithm::Algorithm;
use crate::boot::{self, BootImage, Fcb, HeaderPart, Ivt, Present, Reason, Role};

use crate::link::Link;
use crate::plan::Foreign;
use crate::problem::{ExitCode, Problem};
use crate::report::{FlashLeft, Record, Verdict};
use crate::reset::{Expectation, FlashContent, SETTLE};
use crate::survey::Identified;
use crate::target::Target;
use crate::verify::{Expected, Verification, Verified, verify};

/// A running job.
pub struct Run<'r> {
    pub(super) job: &'r Job<'r>,
    pub(super) bench: &'r Bench,
    pub(super) observer: &'r mut dyn Observer,
    pub(super) meter: Meter<'r>,
    pub(super) record: Record,
    /// Of the probe in use, where its contact can be checked.
    pub(super) contact_note: Option<ContactNote>,
    /// The clock that the contact is still to be checked for.
    pub(super) unproven_khz: Option<u32>,
    /// The contact is checked whatever is remembered of it.
    pub(super) always_check_contact: bool,
    /// Repeated accesses that say nothing about the clock in use.
    pub(super) retries_before: u64,
    pub(super) problem: Option<Problem>,
}

impl<'r> Run<'r> {
    /// A job that has done nothing yet.
    pub fn new(
        command: &'static str,
        job: &'r Job<'r>,
        bench: &'r Bench,
        observer: &'r mut dyn Observer,
    ) -> Self {
        let unfinished = Problem::new(
            "unfinished",
            ExitCode::Internal,
            "the job did not come to its end",
        );
        let mut record = Record::new(command, job.target, Verdict::failed(&unfinished));
        record.virtual_time = bench.is_virtual();
        Run {
            job,
            bench,
            observer,
            meter: Meter::new(bench),
            record,
            contact_note: None,
            unproven_khz: None,
            always_check_contact: false,
            retries_before: 0,
            problem: None,
        }
    }

    /// The record, with the verdict or the problem.
    pub fn finish(mut self, verdict: Result<Verdict, Problem>) -> Outcome {
        self.review_contact(verdict.is_err());
        self.record.verdict = match verdict {
            Ok(verdict) => verdict,
            Err(problem) => {
                let problem = self.with_what_is_left(problem);
                let verdict = match problem.exit {
                    ExitCode::Cancelled => Verdict::Cancelled {
                        left: self.record.left.unwrap_or(FlashLeft::Unchanged),
                    },
                    _ => Verdict::failed(&problem),
                };
                self.problem = Some(problem);
                verdict
            }
        };
        self.record.problem = self.problem.as_ref().map(Into::into);
        self.note_link_retries();
        self.record.phases = self.meter.finish();
        Outcome {
            record: self.record,
            problem: self.problem,
        }
    }

    pub(super) fn begin(&mut self, phase: &'static str) {
        tracing::info!(phase, "phase begins");
        self.meter.begin(phase);
        self.observer.phase(phase);
    }

    /// `flash`.
    ///
    /// # Errors
    /// Whatever kept the job from ending with every byte verified.
    pub fn flash(
        &mut self,
        common: &Request,
        unit: &mut dyn UnitImage,
    ) -> Result<Verdict, Problem> {
        let target = self.job.target;
        self.record.note_inputs(&common.image);
        if let Some(image) = common.judged_offline(target)? {
            self.record.note_image(&image);
        }
        self.record.left = Some(FlashLeft::Unchanged);
        self.go_on()?;
        let mut connection = self.connect()?;
        let mut link = connection.link(target.chip())?;
        let link: &mut dyn Link = &mut link;
        let Written {
            image,
            present,
            verified,
            status_register,
        } = self.write_over(unit, link)?;
        if let Err(cancelled) = self.go_on() {
            self.let_run(link);
            return Err(cancelled);
        }
        let Some(expected) = self.expectation(&image) else {
            self.let_run(link);
            return Ok(self.not_proven(&verified, not_watched(image.role())));
        };
        let content = FlashContent {
            present: present.below(image.runs()),
            status_register: Some(status_register),
        };
        match self.prove(link, expected, &content)? {
            Ok(booted) => Ok(Verdict::pass(&verified, &booted)),
            Err(cause) => Ok(self.not_proven(&verified, cause)),
        }
    }

    /// The verdict where the caller does not let the board boot.
    pub fn without_watching(&mut self, verified: &Verified) -> Verdict {
        let cause = Problem::new(
            "boot-not-watched",
            ExitCode::BootNotProven,
            "nobody has watched the board boot",
        );
        self.not_proven(verified, cause)
    }

    fn not_proven(&mut self, verified: &Verified, cause: Problem) -> Verdict {
        let accepted = self.job.boot_policy == BootPolicy::Accepted;
        let verdict = Verdict::boot_not_proven(verified, &cause, accepted);
        self.problem = Some(cause);
        verdict
    }

    /// What lies between connecting and the reset: takes the board over, makes sure that it is the target, writes and
    /// verifies, and leaves the flash as the ROM needs it. After an error the board runs again.
    ///
    /// # Errors
    /// Whatever kept it from ending with every byte verified.
    pub fn write_over(
        &mut self,
        unit: &mut dyn UnitImage,
        link: &mut (dyn Link + '_),
    ) -> Result<Written, Problem> {
        let chip = self.take_chip(link)?;
        // may take its time: the core is halted, and nothing on the board waits for us yet
        let request = match unit.for_unit(&chip) {
            Ok(request) => request,
            Err(problem) => {
                self.begin("reset");
                self.let_run(link);
                return Err(problem);
            }
        };
        let (mut algorithm, identified) = self.survey_flash(chip, link)?;
        let written = self.judge_and_write(&request, &mut algorithm, &identified);
        self.begin("reset");
        let stopped = self.leave(algorithm);
        match written {
            Ok((image, present, verified)) => Ok(Written {
                image,
                present,
                verified,
                status_register: stopped?.status_register,
            }),
            Err(problem) => {
                self.let_run(link);
                Err(problem)
            }
        }
    }

    /// Decides what the flash shall hold, by the files and by what the board holds where they bring nothing, and writes it.
    fn judge_and_write(
        &mut self,
        request: &Request,
        algorithm: &mut Algorithm<'_, '_>,
        identified: &Identified,
    ) -> Result<(BootImage, Present, Verified), Problem> {
        let directory = self.bench.state_directory();
        let saved = Saved::open(directory, &identified.chip().unique_id.to_string())?;
        let interrupted = self.interrupted(&saved, algorithm)?;
        let present = self.read_present_or_saved(request, &interrupted, algorithm)?;
        let image = request.judged_with(&present, self.job.target)?;
        self.record.note_image(&image);
        let header = kept_header(&image, self.job.target);
        let status = identified.flash().status_register;
        let verified = self.write(&image, header, saved, algorithm, status)?;
        Ok((image, present, verified))
    }

    /// What a boot proof must see; `None` where nothing can be watched for.
    fn expectation(&self, image: &BootImage) -> Option<Expectation> {
        let partial = matches!(image.role(), Role::Partial { .. });
        let boot_mode = &self.job.target.chip().boot_mode;
        let usual_ms = if partial {
            boot_mode.bootloader_timeout_ms
        } else {
            boot_mode.boot_timeout_ms
        };
        let usual = Duration::from_millis(usual_ms.into());
        Some(Expectation {
            reset_handler: image.first_instruction()?,
            code: self.code_of(image),
            started_by_bootloader: partial,
            limit: self.job.boot_timeout.unwrap_or(usual),
            settle: self.job.boot_watch.unwrap_or(SETTLE),
        })
    }

    /// `verify`.
    ///
    /// # Errors
    /// Whatever kept the job from finding out.
    pub fn verify(&mut self, request: &Request) -> Result<Verdict, Problem> {
        let target = self.job.target;
        self.record.note_inputs(&request.image);
        if let Some(image) = request.judged_offline(target)? {
            self.record.note_image(&image);
        }
        self.go_on()?;
        let mut connection = self.connect()?;
        let mut link = connection.link(target.chip())?;
        let (image, verification) = self.compare_over(request, &mut link)?;
        Ok(match verification {
            Verification::Equal(verified) => {
                self.record.digest = verified.digest_lines();
                Verdict::equal(&verified)
            }
            Verification::Differs(difference) => {
                self.problem = Some(self.differs(&difference, &image));
                Verdict::Differs
            }
        })
    }

    /// What lies between connecting and the reset; then the board runs again.
    ///
    /// # Errors
    /// Whatever kept it from finding out.
    pub fn compare_over(
        &mut self,
        request: &Request,
        link: &mut (dyn Link + '_),
    ) -> Result<(BootImage, Verification), Problem> {
        let offline = request.judged_offline(self.job.target)?;
        let (mut algorithm, _) = self.survey(link)?;
        let compared = self.compare(request, offline, &mut algorithm);
        self.begin("reset");
        let stopped = self.leave(algorithm);
        self.let_run(link);
        let compared = compared?;
        stopped?;
        Ok(compared)
    }

    /// Compares the board with what `flash` would write.
    pub(super) fn compare(
        &mut self,
        request: &Request,
        offline: Option<BootImage>,
        algorithm: &mut Algorithm<'_, '_>,
    ) -> Result<(BootImage, Verification), Problem> {
        let target = self.job.target;
        self.go_on()?;
        let image = match offline {
            Some(image) => image,
            None => {
                let present = self.read_present(Some(request), algorithm)?;
                match request.judged_with(&present, target) {
                    Ok(image) => image,
                    // a header of the board was to belong to it, and is none
                    Err(problem) if request.wishes.policy == HeaderPolicy::KeepOfBoard => {
                        return Err(problem);
                    }
                    // it would not boot, but whether it is there can be told
                    Err(_) => request.as_data(target)?,
                }
            }
        };
        self.record.note_image(&image);
        self.begin("verify");
        let expected: Vec<Expected> = image
            .runs()
            .iter()
            .map(|run| Expected {
                offset: run.offset,
                bytes: run.bytes.clone(),
            })
            .collect();
        Ok((image, verify(algorithm, &expected)?))
    }

    /// `reset`.
    ///
    /// # Errors
    /// Whatever kept the job from resetting the board and watching it.
    pub fn reset(&mut self) -> Result<Verdict, Problem> {
        self.go_on()?;
        let mut connection = self.connect()?;
        let mut link = connection.link(self.job.target.chip())?;
        let link: &mut dyn Link = &mut link;
        let (mut algorithm, _) = self.survey(link)?;
        let present = self.read_present(None, &mut algorithm);
        self.begin("reset");
        let stopped = self.leave(algorithm);
        let (present, status) = match (present, stopped) {
            (Ok(present), Ok(stopped)) => (present, stopped.status_register),
            (Err(problem), _) | (_, Err(problem)) => {
                self.let_run(link);
                return Err(problem);
            }
        };
        let chip = self.job.target.chip();
        let reset_handler = boot::reset_handler(&present, self.job.target);
        let content = FlashContent {
            present,
            status_register: Some(status),
        };
        let usual = Duration::from_millis(chip.boot_mode.boot_timeout_ms.into());
        let expected = Expectation {
            reset_handler: reset_handler.unwrap_or(chip.flexspi.window_start()),
            code: None,
            started_by_bootloader: false,
            limit: self.job.boot_timeout.unwrap_or(usual),
            settle: self.job.boot_watch.unwrap_or(SETTLE),
        };
        Ok(match self.prove(link, expected, &content)? {
            Ok(booted) => Verdict::reset_pass(&booted),
            Err(cause) => {
                let verdict = Verdict::not_booted(&cause);
                self.problem = Some(cause);
                verdict
            }
        })
    }
}

/// Why no boot is watched for.
fn not_watched(role: &Role) -> Problem {
    let problem = |code, what, why: &str, fix: &str| {
        Problem::new(code, ExitCode::BootNotProven, what)
            .because(why)
            .fix(fix)
    };
    match role {
        Role::Data => problem(
            "data-only",
            "the bytes are not meant to boot",
            "--data says so",
            "accept it with --boot-proof=none; `rtflash reset` tells whether the board boots with them",
        ),
        Role::Whole(_) | Role::Partial { .. } => problem(
            "start-unknown",
            "where the application begins is not known",
            "its vector table is encrypted, or the image is no MCUboot image",
            "accept it with --boot-proof=none; `rtflash reset` tells whether the bootloader starts",
        ),
    }
}

/// What the image has of the board's own header: nobody else knows it, so it is saved before it is erased.
fn kept_header(image: &BootImage, target: &Target) -> Vec<Foreign> {
    let boot = &target.chip().boot;
    let inserted = image.inserted().iter();
    let kept = inserted.filter(|inserted| inserted.reason == Reason::KeptOfBoard);
    kept.filter_map(|inserted| {
        let (offset, length) = match inserted.part {
            HeaderPart::Fcb { .. } => (boot.fcb_offset, Fcb::SIZE_BYTES),
            HeaderPart::Ivt(_) => (boot.ivt_offset, Ivt::SIZE_BYTES),
        };
        let bytes = image.runs().iter().find_map(|run| {
            let from = offset.checked_from(run.offset)? as usize;
            run.bytes.get(from..from + length)
        });
        Some(Foreign {
            offset,
            bytes: bytes?.to_vec(),
        })
    })
    .collect()
}

/// What was written, and what the board held around it.
pub struct Written {
    /// The image.
    pub image: BootImage,
    /// What the board held where the files bring nothing.
    pub present: Present,
    /// The proof that it is there.
    pub verified: Verified,
    /// Status registers as the exit sequence read them.
    pub status_register: u32,
}
