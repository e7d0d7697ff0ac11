//! What flash, verify and reset do on the board, stage by stage, and what each notes in the record.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

use mailbox::Request as AlgorithmRequest;

use super::policy::may_program_again;
use super::run::Run;
use super::{Request, Saved, SavedBy};
use crate::address::AddressRange;
use crate::algorithm::{Algorithm, AlgorithmError, Operation, SectorDigests, Stopped, operations};
use crate::boot::{BootImage, ERASED, Fcb, HeaderPolicy, Present, Role, wanted};
use crate::link::{Connection, Link, LinkError};
use crate::plan::{
    Foreign, Layout, Plan, Saved as SavedBytes, SectorMap, SectorState, Step, VerifyScope,
};
use crate::problem::{ExitCode, Place, Problem};
use crate::report::{
    BootRecord, ChipRecord, FlashLeft, FlashRecord, MismatchRecord, PlanRecord, ProbeRecord,
    RetryRecord,
};
use crate::reset::{BootResult, Booted, Expectation, FlashContent, prove_boot};
use crate::survey::{
    ChipFound, FlashFound, Identified, SurveyError, require_chip, require_debug_port,
};
use crate::target::{Chip, FlashPart};
use crate::verify::{
    Difference, Expected, Verification, Verified, VerifyError, confirm, expected_by, verify,
};

impl Run<'_> {
    /// Opens the connection and makes sure that the debug port is the target's.
    pub(super) fn connect(&mut self) -> Result<Connection, Problem> {
        let connection = self.open()?;
        require_debug_port(connection.debug_port(), self.job.target.chip())?;
        Ok(connection)
    }

    pub(super) fn open(&mut self) -> Result<Connection, Problem> {
        self.begin("attach");
        let connection = self.connect_carefully()?;
        self.record.probe = Some(ProbeRecord {
            name: connection.probe().name.clone(),
            selector: connection.probe().selector().to_string(),
            speed_khz: connection.speed_khz(),
            contact: Vec::new(),
            contact_warning: None,
        });
        Ok(connection)
    }

    /// Takes the board over, loads the algorithm and makes sure that chip and flash part are the target's. Nothing
    /// non-volatile changes. Where it fails, the board runs on without a debugger if it still answers.
    pub(super) fn survey<'l, 'p>(
        &mut self,
        link: &'l mut (dyn Link + 'p),
    ) -> Result<(Algorithm<'l, 'p>, Identified), Problem> {
        let chip = self.take_chip(link)?;
        self.survey_flash(chip, link)
    }

    /// The second half of it: the chip is taken over and known.
    pub(super) fn survey_flash<'l, 'p>(
        &mut self,
        chip: ChipFound,
        link: &'l mut (dyn Link + 'p),
    ) -> Result<(Algorithm<'l, 'p>, Identified), Problem> {
        let mut algorithm = Algorithm::start(link, self.job.target, seed())?;
        match self.identify(&mut algorithm, chip) {
            Ok(identified) => Ok((algorithm, identified)),
            Err(problem) => {
                // the flash as the ROM needs it, and the board runs on with what it has
                let _ = algorithm.release();
                Err(problem)
            }
        }
    }

    fn identify(
        &mut self,
        algorithm: &mut Algorithm<'_, '_>,
        chip: ChipFound,
    ) -> Result<Identified, Problem> {
        let flash = FlashFound::from(&algorithm.identify()?);
        self.record.flash = Some(flash_record(&flash));
        Ok(Identified::new(chip, flash, self.job.target)?)
    }

    /// Takes the board over and makes sure that its chip is the target's.
    pub(super) fn take_chip(&mut self, link: &mut dyn Link) -> Result<ChipFound, Problem> {
        let target = self.job.target;
        let taken_over = take_over(link, target.chip());
        self.note_link(link);
        if taken_over.is_err() && self.bench.choice().connect_under_reset {
            // the core is halted by us, whoever's chip it is
            let _ = link.let_go();
        }
        taken_over.map_err(|error| self.blame_contact(error.into(), link.counts()))?;
        self.require_contact(link)?;
        self.note_link(link);
        self.begin("survey");
        let chip = match ChipFound::read(link, target.chip()) {
            Ok(chip) => chip,
            Err(error) => {
                self.let_run(link);
                return Err(error.into());
            }
        };
        self.record.chip = Some(ChipRecord {
            name: target.chip().name.clone(),
            uid: chip.unique_id.to_string(),
            silicon_revision: format!("{:#010x}", chip.silicon_revision),
        });
        Ok(chip)
    }

    /// Finds out which flash part the board has, with settings that hold for every part. The chip is taken over; it is
    /// left as the exit sequence of the algorithm leaves it.
    pub(super) fn meet_flash(&mut self, link: &mut dyn Link) -> Result<FlashFound, Problem> {
        let found = self.ask_flash(link);
        if found.is_err() {
            self.let_run(link);
        }
        found
    }

    fn ask_flash(&mut self, link: &mut dyn Link) -> Result<FlashFound, Problem> {
        let mut algorithm = Algorithm::start_to_identify(link, self.job.target, seed())?;
        let identity = algorithm.identify();
        let stopped = algorithm.stop();
        let found = FlashFound::from(&identity?);
        self.record.flash = Some(flash_record(&found));
        if !found.is_absent() {
            stopped?;
        }
        Ok(found)
    }

    /// Compares, plans, erases, programs and verifies. What reads back wrong after it was programmed is programmed once
    /// more, not oftener. `header` is what of the image only the board has: it is saved like bytes of others.
    pub(super) fn write(
        &mut self,
        image: &BootImage,
        header: Vec<Foreign>,
        mut saved: Saved,
        algorithm: &mut Algorithm<'_, '_>,
        status: u32,
    ) -> Result<Verified, Problem> {
        let mut before = Before::default();
        let first = self.write_round(image, &header, algorithm, status, &mut saved, &mut before);
        let (plan, verified) = match first {
            Err(problem) if may_program_again(&problem) => {
                self.note_retry(RetryRecord::of(
                    "the image was programmed once more",
                    1,
                    &problem,
                ));
                self.record.mismatch = None;
                algorithm.clear_fault()?;
                let status = algorithm.identify()?.status_register;
                self.write_round(image, &header, algorithm, status, &mut saved, &mut before)?
            }
            round => round?,
        };
        // whatever lies around it: the image itself is there
        self.record.left = Some(FlashLeft::Complete);
        for guard in &before.guards {
            self.check_guard(guard, algorithm)?;
        }
        let kept = saved.forget(|piece| {
            plan.content(piece.offset, piece.bytes.len() as u32)
                .is_some()
        });
        if let Err(error) = kept {
            // the board is right; a stale file only costs the next job a look at it
            self.observer.note(&format!("warning: {error}"));
        }
        Ok(verified)
    }

    fn write_round(
        &mut self,
        image: &BootImage,
        header: &[Foreign],
        algorithm: &mut Algorithm<'_, '_>,
        status: u32,
        saved: &mut Saved,
        before: &mut Before,
    ) -> Result<(Plan, Verified), Problem> {
        let part = self.job.target.flash();
        self.note_counts(algorithm);
        self.begin("compare");
        self.go_on()?;
        let interrupted = self.interrupted(saved, algorithm)?;
        let image_is_dead = interrupted.image_is_dead;
        let map = self
            .map(&Layout::new(image), algorithm)?
            .with_saved(interrupted);
        // what a failed round has made of bytes of others is not what they were
        before.require_blank(image, &map)?;
        let map = map.with_certain(&before.shared);
        let plan = Plan::new(image, part, &map, status, self.job.shared)?;
        let plan = plan.paced(part, algorithm.pace());
        self.record.plan = Some(PlanRecord::from(&plan));
        let saved_by = match image.role() {
            Role::Whole(_) => SavedBy::WholeImage,
            Role::Partial { .. } | Role::Data => SavedBy::Part,
        };
        if saved_by == SavedBy::Part && image_is_dead {
            self.refuse_to_revive(&plan, saved)?;
        }
        confirm_blank(&plan, algorithm)?;
        if !plan.is_empty() {
            let foreign = plan.foreign().chain(header);
            let kept = saved.keep(saved_by, foreign, |at, length| plan.content(at, length));
            kept.map_err(|error| self.after_what_changed(error.into()))?;
        }

        if before.guards.is_empty() {
            before.shared = plan.shared_content().collect();
            before.glanced_at = plan.glanced_at().collect();
        }
        before.guards.push(self.guard(&plan, algorithm)?);

        self.note_counts(algorithm);
        self.begin("program");
        let mut done_bytes = 0;
        for steps in plan
            .steps()
            .split_inclusive(|step| matches!(step, Step::Verify(_)))
        {
            self.go_on()?;
            self.perform(&plan, steps, done_bytes, algorithm)?;
            done_bytes += programmed_bytes(steps);
            if let Some(Step::Verify(scope)) = steps.last()
                && *scope != VerifyScope::Everything
            {
                let expected = expected_by(&plan, *scope);
                if !expected.is_empty() {
                    self.check(&expected, image, algorithm)?;
                }
            }
        }

        self.note_counts(algorithm);
        self.begin("verify");
        let everything = expected_by(&plan, VerifyScope::Everything);
        match self.check(&everything, image, algorithm) {
            Ok(verified) => {
                self.record.digest = verified.digest_lines();
                Ok((plan, verified))
            }
            Err(problem) => {
                if problem.exit == ExitCode::Differs {
                    self.take_back(&plan, algorithm);
                }
                Err(problem)
            }
        }
    }

    /// Below a dead FCB: makes sure that a job for part of the flash does not bring it back from what was saved while it
    /// belongs to a whole image that is half there.
    pub(super) fn refuse_to_revive(&self, plan: &Plan, saved: &Saved) -> Result<(), Problem> {
        let fcb = self.job.target.chip().boot.fcb_offset;
        let tag = plan.content(fcb, Fcb::TAG_BYTES);
        let revives = tag.as_deref() == Some(&Fcb::TAG.to_le_bytes());
        if !revives || !saved.is_of_whole_image(fcb) {
            return Ok(());
        }
        let what = "the board waits for an interrupted `rtflash flash` to be finished";
        Err(Problem::new("flash-unfinished", ExitCode::Refused, what)
            .at(Place {
                address: self.job.target.address_of(fcb),
                ..Place::default()
            })
            .because("this would put the saved FCB back first, and the boot ROM would start an image that is half there")
            .fix("finish `rtflash flash` first, with the same options; or give that image up: `rtflash erase` the whole sector of the FCB"))
    }

    /// A refusal that is none: an earlier round has changed the flash.
    fn after_what_changed(&self, problem: Problem) -> Problem {
        match self.record.left {
            None | Some(FlashLeft::Unchanged) => problem,
            Some(_) => Problem {
                exit: ExitCode::ProgramFailed,
                ..problem
            },
        }
    }

    /// Kills the tag of what was committed and then read back wrong, so that nobody starts it.
    fn take_back(&mut self, plan: &Plan, algorithm: &mut Algorithm<'_, '_>) {
        let part = self.job.target.flash();
        let committed = plan.steps().iter().filter_map(|step| match *step {
            Step::ProgramTag { offset, .. } => Some(offset),
            _ => None,
        });
        let dead = committed.map(|offset| Operation::Program {
            offset,
            data: vec![0; Fcb::TAG_BYTES as usize],
        });
        let dead: Vec<Operation> = dead.collect();
        // a plan that has committed nothing has changed nothing that is started
        if dead.is_empty() || !part.partial_page_program {
            return;
        }
        if algorithm.perform(dead, &mut |_| true).is_ok() {
            self.record.left = Some(FlashLeft::Incomplete);
        }
    }

    /// Maps what lies around the sectors to be changed, and must stay as it is.
    pub(super) fn guard(
        &mut self,
        plan: &Plan,
        algorithm: &mut Algorithm<'_, '_>,
    ) -> Result<Vec<SectorDigests>, Problem> {
        let ranges = plan.guarded(self.job.target.flash(), self.job.guard);
        if let Some(record) = &mut self.record.plan {
            record.guarded_sectors = ranges.iter().map(|(_, count)| count).sum();
        }
        let maps: Result<Vec<_>, _> = ranges
            .into_iter()
            .map(|(first, count)| algorithm.map(first, count))
            .collect();
        Ok(maps?)
    }

    /// Whether what lies around is as it was.
    pub(super) fn check_guard(
        &mut self,
        guard: &[SectorDigests],
        algorithm: &mut Algorithm<'_, '_>,
    ) -> Result<(), Problem> {
        for before in guard {
            let after = algorithm.map_again(before)?;
            if let Some(sector) = before.first_change(&after) {
                let what = "bytes that were not to be touched have changed";
                return Err(Problem::new("guard-differs", ExitCode::Differs, what)
                    .at(Place { sector: Some(sector), ..Place::default() })
                    .because("the digest of their sector is another one than before")
                    .fix("do not use this board: its flash part answers to wrong addresses or loses content"));
            }
        }
        Ok(())
    }

    fn perform(
        &mut self,
        plan: &Plan,
        steps: &[Step],
        done_bytes: u64,
        algorithm: &mut Algorithm<'_, '_>,
    ) -> Result<(), Problem> {
        let total = programmed_bytes(plan.steps());
        let operations = operations(plan, steps, self.job.target.flash());
        let before = self.record.left;
        if !operations.is_empty() {
            let commits = steps
                .iter()
                .any(|step| matches!(step, Step::ProgramTag { .. }));
            self.record.left = Some(if commits {
                FlashLeft::Unproven
            } else {
                FlashLeft::Incomplete
            });
        }
        let begins_with_status = matches!(steps.first(), Some(Step::SetStatus { .. }));
        let observer = &mut *self.observer;
        let performed = algorithm.perform(operations, &mut |progress| {
            observer.progress(done_bytes + progress.programmed_bytes, total);
            !observer.is_cancelled()
        });
        if let Err(AlgorithmError::Failed {
            request: AlgorithmRequest::SetStatus { .. },
            ..
        }) = &performed
            && begins_with_status
        {
            // nothing was done behind it
            self.record.left = before;
        }
        Ok(performed?)
    }

    /// The state of every sector of a layout.
    pub(super) fn map(
        &mut self,
        layout: &Layout,
        algorithm: &mut Algorithm<'_, '_>,
    ) -> Result<SectorMap, Problem> {
        let mut map = SectorMap::new();
        for (offset, length) in layout.ranges() {
            let first = offset.get() / FlashPart::SECTOR_BYTES;
            let digests = algorithm.map(first, length.div_ceil(FlashPart::SECTOR_BYTES))?;
            let sectors = layout
                .sectors()
                .iter()
                .filter(|need| digests.is_blank(need.number()).is_some());
            for need in sectors {
                let number = need.number();
                let state = match need.whole_content() {
                    _ if digests.is_blank(number) == Some(true) => SectorState::Blank,
                    Some(content) if digests.holds(number, content) == Some(true) => {
                        SectorState::Equal
                    }
                    Some(_) => SectorState::Different,
                    None => {
                        let content = algorithm.read(need.offset(), FlashPart::SECTOR_BYTES)?;
                        // bytes of others are written back as they were read: two readings must agree
                        if digests.holds(number, &content) != Some(true) {
                            let offset = need.offset();
                            return Err(VerifyError::Unstable { offset }.into());
                        }
                        SectorState::Content(content)
                    }
                };
                map.insert(number, state);
            }
        }
        Ok(map)
    }

    /// Verifies, and makes a problem of a difference: what was just programmed must be there.
    pub(super) fn check(
        &mut self,
        expected: &[Expected],
        image: &BootImage,
        algorithm: &mut Algorithm<'_, '_>,
    ) -> Result<Verified, Problem> {
        match verify(algorithm, expected)? {
            Verification::Equal(verified) => Ok(verified),
            Verification::Differs(difference) => Err(self.differs(&difference, image)),
        }
    }

    pub(super) fn differs(&mut self, difference: &Difference, image: &BootImage) -> Problem {
        let target = self.job.target;
        let first = &difference.first;
        let origin = image.origin_of(first.offset);
        let origin_text = origin
            .as_ref()
            .map_or("bytes of others".to_owned(), ToString::to_string);
        let record = MismatchRecord::new(difference, origin_text.clone(), target);
        let summary = record.summary();
        self.record.mismatch = Some(record);
        Problem::new(
            "verify-differs",
            ExitCode::Differs,
            "the flash does not hold the image",
        )
        .at(Place {
            address: target.address_of(first.offset),
            sector: Some(first.sector()),
            ..Place::default()
        })
        .because(format!(
            "expected 0x{:02X} (from {origin_text}), found 0x{:02X}; {summary}",
            first.expected, first.found
        ))
        .fix("flash again; if it differs again, suspect the flash part, its wiring, or firmware that writes into its own image")
    }

    /// Where nothing but the image executes in place, if its reset handler is in the flash. Below a slot lies the
    /// bootloader, which is not the image.
    pub(super) fn code_of(&self, image: &BootImage) -> Option<AddressRange> {
        let first = image.first_instruction()?;
        let segments = image.image().segments().iter();
        if matches!(image.role(), Role::Partial { .. }) {
            return segments
                .filter_map(|segment| {
                    AddressRange::new(segment.start(), segment.bytes().len() as u32)
                })
                .find(|range| range.contains(first));
        }
        let window = self.job.target.flash_window();
        let end = u32::try_from(image.end()).ok()?;
        let code = AddressRange::new(window.start(), end)?;
        code.contains(first).then_some(code)
    }

    /// What of the flash decides the boot and is not brought by the files; without files, all that does.
    pub(super) fn read_present(
        &mut self,
        request: Option<&Request>,
        algorithm: &mut Algorithm<'_, '_>,
    ) -> Result<Present, Problem> {
        let target = self.job.target;
        let image = request.map(|request| &request.image);
        let policy = request.map_or(HeaderPolicy::default(), |request| request.wishes.policy);
        let mut present = Present::default();
        while let Some((offset, length_bytes)) = wanted(image, &present, target, policy) {
            present.add(offset, algorithm.read(offset, length_bytes)?);
        }
        Ok(present)
    }

    /// What an interrupted job saved, and whether the board still shows the interruption.
    pub(super) fn interrupted(
        &mut self,
        saved: &Saved,
        algorithm: &mut Algorithm<'_, '_>,
    ) -> Result<SavedBytes, Problem> {
        let pieces: Vec<Foreign> = saved.pieces().cloned().collect();
        let fcb = self.job.target.chip().boot.fcb_offset;
        let image_is_dead =
            !pieces.is_empty() && algorithm.read(fcb, Fcb::TAG_BYTES)? != Fcb::TAG.to_le_bytes();
        Ok(SavedBytes {
            pieces,
            image_is_dead,
        })
    }

    /// The same for a job that writes: read twice, with what an interrupted job saved in the place of what is left of it.
    pub(super) fn read_present_or_saved(
        &mut self,
        request: &Request,
        saved: &SavedBytes,
        algorithm: &mut Algorithm<'_, '_>,
    ) -> Result<Present, Problem> {
        let target = self.job.target;
        let (image, policy) = (Some(&request.image), request.wishes.policy);
        let mut present = Present::default();
        let mut read = Vec::new();
        while let Some((offset, length_bytes)) = wanted(image, &present, target, policy) {
            let bytes = algorithm.read(offset, length_bytes)?;
            present.add(offset, saved.restore(offset, bytes.clone()));
            read.push(Expected { offset, bytes });
        }
        // a header of the board that stays is written back as it was read
        confirm(algorithm, &read)?;
        Ok(present)
    }

    /// Exit sequence: the flash as the ROM needs it.
    pub(super) fn leave(&mut self, mut algorithm: Algorithm<'_, '_>) -> Result<Stopped, Problem> {
        self.note_counts(&mut algorithm);
        self.note_records_read_again(&algorithm);
        let stopped = algorithm.stop()?;
        if let Some(flash) = &mut self.record.flash {
            flash.status_after = Some(stopped.status_register);
        }
        Ok(stopped)
    }

    /// Lets the board run without watching it. Where that fails, the algorithm's lease resets it; false says that it has
    /// failed.
    pub(super) fn let_run(&mut self, link: &mut dyn Link) -> bool {
        let reset = link.final_reset(None);
        if let Err(error) = &reset {
            tracing::warn!(%error, "the board could not be reset; where the algorithm runs, its lease does it, else power-cycle it");
        }
        self.note_link(link);
        reset.is_ok()
    }

    pub(super) fn prove(
        &mut self,
        link: &mut dyn Link,
        expected: Expectation,
        content: &FlashContent,
    ) -> Result<Result<Booted, Problem>, Problem> {
        let observer = &*self.observer;
        let go_on = || !observer.is_cancelled();
        let result = prove_boot(link, self.job.target, expected, content, &go_on);
        self.note_link(link);
        let result = match result {
            Ok(result) => result,
            Err(error) => {
                // it may be parked, or watched: whatever it does, without a debugger
                self.let_run(link);
                return Err(error.into());
            }
        };
        let (proven, evidence) = match &result {
            BootResult::Booted(booted) => (true, booted.evidence()),
            BootResult::NotBooted(not_booted) => (false, not_booted.evidence.as_slice()),
        };
        let proof = match &result {
            BootResult::Booted(booted) => Some(booted.proof().name()),
            BootResult::NotBooted(_) => None,
        };
        self.record.boot = Some(BootRecord {
            proven,
            proof,
            evidence: evidence.iter().map(ToString::to_string).collect(),
        });
        Ok(match result {
            BootResult::Booted(booted) => Ok(booted),
            BootResult::NotBooted(not_booted) => {
                // not seen in time, if the user did not give it its time
                self.go_on()?;
                Err(not_booted.into())
            }
        })
    }

    pub(super) fn note_counts(&mut self, algorithm: &mut Algorithm<'_, '_>) {
        self.note_link(algorithm.link());
    }

    /// Notes what the link has done and retried so far.
    pub(super) fn note_link(&mut self, link: &dyn Link) {
        self.meter.note(link.counts(), link.retries());
    }
}

/// Makes sure that the chip is the target's, and takes it over. Another chip is not even reset; a core that sleeps is
/// halted to be asked, and let go again.
fn take_over(link: &mut dyn Link, chip: &Chip) -> Result<(), SurveyError> {
    match require_chip(link, chip) {
        Ok(_) => {}
        Err(SurveyError::Link(LinkError::Asleep { .. })) => {
            link.halt_when_awake("the bus answered WAIT: the core sleeps with its clock off")?;
            if let Err(error) = require_chip(link, chip) {
                let _ = link.let_go();
                return Err(error);
            }
        }
        Err(error) => return Err(error),
    }
    Ok(link.take_over()?)
}

/// What there was before the first round, and must be there after the last.
#[derive(Default)]
struct Before {
    /// Around the image's sectors, for each round.
    guards: Vec<Vec<SectorDigests>>,
    /// In the image's sectors: those with bytes of others, as they are to be in the end.
    shared: Vec<(u32, Vec<u8>)>,
    /// Those that only looked as if there were none.
    glanced_at: Vec<u32>,
}

impl Before {
    /// Makes sure that nothing has turned up where nothing was seen: it may have been there, or be damage.
    fn require_blank(&self, image: &BootImage, map: &SectorMap) -> Result<(), VerifyError> {
        let layout = Layout::new(image);
        let glanced_at = self.glanced_at.iter();
        let turned_up = glanced_at
            .filter_map(|number| {
                layout
                    .sectors()
                    .iter()
                    .find(|need| need.number() == *number)
            })
            .find(|need| map.others_are_blank(need) != Some(true));
        match turned_up {
            Some(need) => Err(VerifyError::Unstable {
                offset: need.offset(),
            }),
            None => Ok(()),
        }
    }
}

/// Makes sure of what a sector was seen to hold before an erase takes it: blank sectors were seen once only.
pub(super) fn confirm_blank(plan: &Plan, algorithm: &mut Algorithm<'_, '_>) -> Result<(), Problem> {
    let believed: Vec<Expected> = plan
        .believed_blank()
        .map(|offset| Expected {
            offset,
            bytes: vec![ERASED; FlashPart::SECTOR_BYTES as usize],
        })
        .collect();
    Ok(confirm(algorithm, &believed)?)
}

/// A number that is another one in every process: session number and nonces grow from it.
pub(super) fn seed() -> u32 {
    RandomState::new().build_hasher().finish() as u32
}

fn programmed_bytes(steps: &[Step]) -> u64 {
    let lengths = steps.iter().filter_map(Step::programs);
    lengths.map(|(_, length)| u64::from(length)).sum()
}

/// The flash part by what it says of itself, before that is compared with the target.
pub(super) fn flash_record(found: &FlashFound) -> FlashRecord {
    let [a, b, c] = found.jedec_id;
    let name = FlashPart::named_by(found.jedec_id);
    let part = name.and_then(|name| FlashPart::builtin(name).ok());
    let size = found
        .sfdp_size_bytes()
        .or(part.map(|part| part.size_bytes.into()));
    FlashRecord {
        part: name.unwrap_or("unknown part").to_owned(),
        jedec_id: format!("{a:02X} {b:02X} {c:02X}"),
        size_bytes: size,
        status_before: found.status_register,
        status_after: None,
    }
}
