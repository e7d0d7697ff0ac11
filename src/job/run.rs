//! A job while it runs: the steps that flash, verify and reset share, and what they note in the record.

use super::meter::Meter;
use super::{Bench, BootPolicy, Job, Observer, Outcome};
use crate::address::FlashOffset;
use crate::boot::{BootImage, Present};
use crate::link::Link;
use crate::problem::{ExitCode, Problem};
use crate::report::{Record, Verdict};
use crate::reset::{Expectation, FlashContent};
use crate::verify::{Expected, Verification, verify};

/// A running job.
pub struct Run<'r> {
    pub(super) job: &'r Job<'r>,
    pub(super) bench: &'r Bench,
    pub(super) observer: &'r mut dyn Observer,
    pub(super) meter: Meter<'r>,
    pub(super) record: Record,
    problem: Option<Problem>,
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
            problem: None,
        }
    }

    /// The record, with the verdict or the problem.
    pub fn finish(mut self, verdict: Result<Verdict, Problem>) -> Outcome {
        self.record.verdict = match verdict {
            Ok(verdict) => verdict,
            Err(problem) => {
                let verdict = Verdict::failed(&problem);
                self.problem = Some(problem);
                verdict
            }
        };
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
    pub fn flash(&mut self, image: &BootImage) -> Result<Verdict, Problem> {
        self.record.note_image(image);
        let mut connection = self.connect()?;
        let mut link = connection.link(self.job.target.chip())?;
        let link: &mut dyn Link = &mut link;
        let (mut algorithm, identified) = self.survey(link)?;
        let verified = self.write(image, &mut algorithm, &identified);
        self.begin("reset");
        let stopped = self.leave(algorithm);
        let verified = match verified {
            Ok(verified) => verified,
            Err(problem) => {
                self.let_run(link);
                return Err(problem);
            }
        };
        let content = FlashContent::new(
            present_of(image),
            Some(stopped?.status_register),
            self.job.target,
        );
        let expected = Expectation {
            code: self.code_of(image),
            ..Expectation::from(&image.entry())
        };
        match self.prove(link, expected, &content)? {
            Ok(booted) => Ok(Verdict::pass(&verified, &booted)),
            Err(cause) => {
                let accepted = self.job.boot_policy == BootPolicy::Accepted;
                let verdict = Verdict::boot_not_proven(&verified, &cause, accepted);
                self.problem = Some(cause);
                Ok(verdict)
            }
        }
    }

    /// `verify`.
    ///
    /// # Errors
    /// Whatever kept the job from finding out.
    pub fn verify(&mut self, image: &BootImage) -> Result<Verdict, Problem> {
        self.record.note_image(image);
        let mut connection = self.connect()?;
        let mut link = connection.link(self.job.target.chip())?;
        let link: &mut dyn Link = &mut link;
        let (mut algorithm, _) = self.survey(link)?;
        self.begin("verify");
        let expected: Vec<Expected> = image
            .runs()
            .iter()
            .map(|run| Expected {
                offset: run.offset,
                bytes: run.bytes.clone(),
            })
            .collect();
        let verification = verify(&mut algorithm, &expected);
        self.begin("reset");
        let stopped = self.leave(algorithm);
        self.let_run(link);
        let verification = verification?;
        stopped?;
        Ok(match verification {
            Verification::Equal(verified) => {
                self.record.digest = verified.digest_lines();
                Verdict::equal(&verified)
            }
            Verification::Differs(mismatch) => {
                self.problem = Some(self.differs(&mismatch, image));
                Verdict::Differs
            }
        })
    }

    /// `reset`.
    ///
    /// # Errors
    /// Whatever kept the job from resetting the board and watching it.
    pub fn reset(&mut self) -> Result<Verdict, Problem> {
        let mut connection = self.connect()?;
        let mut link = connection.link(self.job.target.chip())?;
        let link: &mut dyn Link = &mut link;
        let (mut algorithm, _) = self.survey(link)?;
        let held = self.read_boot_header(&mut algorithm);
        self.begin("reset");
        let stopped = self.leave(algorithm);
        let (present, reset_handler) = held?;
        let content = FlashContent::new(present, Some(stopped?.status_register), self.job.target);
        let reset_handler = reset_handler.unwrap_or(self.job.target.flash_window().start());
        Ok(
            match self.prove(
                link,
                Expectation {
                    reset_handler,
                    code: None,
                },
                &content,
            )? {
                Ok(booted) => Verdict::reset_pass(&booted),
                Err(cause) => {
                    let verdict = Verdict::not_booted(&cause);
                    self.problem = Some(cause);
                    verdict
                }
            },
        )
    }
}

/// The boot header as it was programmed.
fn present_of(image: &BootImage) -> Present {
    let pieces = image
        .runs()
        .iter()
        .map(|run| (run.offset, run.bytes.clone()));
    Present::new(pieces.collect::<Vec<(FlashOffset, Vec<u8>)>>())
}
