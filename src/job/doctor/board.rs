//! From the probe to a chip that was taken over, and at the end the boot: in between the flash is looked at.

use std::time::Duration;

use super::Question;
use super::content::Content;
use super::examination::{Examination, check};
use super::running;
use crate::diagnosis::{Boot, Observation, Weight};
use crate::job::run::Run;
use crate::link::{Connection, Link};
use crate::problem::{ExitCode, Problem};
use crate::report::ChipRecord;
use crate::reset::{Cause, Doing, Expectation, FlashContent, Look, SETTLE, boot_source, look};
use crate::survey::{ChipFound, Fuses, require_chip};

impl Run<'_> {
    /// Looks at everything behind the probe.
    pub(super) fn examine_board(
        &mut self,
        question: &Question,
        examination: &mut Examination,
    ) -> Result<(), Problem> {
        let mut connection = self.reach(question, examination)?;
        let chip = self.job.target.chip();
        let mut seen = self.watch(&mut connection, examination)?;
        let asleep = seen.is_some_and(|look| look.doing == Doing::AsleepWithoutBus);
        if asleep && !question.no_reset {
            drop(connection);
            connection = self.reach_under_reset(None)?;
            seen = None;
            examination.at(check::CHIP);
        }
        self.go_on()?;
        let is_halted = connection.is_under_reset();
        let mut link = connection.link(chip)?;
        let link: &mut dyn Link = &mut link;
        if question.no_reset {
            return self.only_look(link, seen, examination);
        }
        examination.at(check::CHIP);
        if let Err(error) = require_chip(link, chip) {
            if is_halted {
                // by us, whoever's chip it is
                let _ = link.let_go();
            }
            return Err(error.into());
        }
        examination.ok(
            check::CHIP,
            format!("core and boot ROM are those of the {}", chip.name),
        );
        link.take_over()
            .map_err(|error| self.blame_contact(error.into(), link.counts()))?;
        examination.at(check::CONTACT);
        self.require_contact(link)?;
        self.tell_contact(examination);
        self.note_link(link);
        self.begin("survey");
        examination.at(check::BOOT_MODE);
        let chip = match self.examine_chip(link, examination) {
            Ok(chip) => chip,
            Err(problem) => {
                self.let_run(link);
                return Err(problem);
            }
        };
        let boot = chip.boot;
        let content = self.examine_flash(question, link, chip, examination)?;
        if let Err(cancelled) = self.go_on() {
            self.let_run(link);
            return Err(cancelled);
        }
        let Some(content) = content else {
            self.let_run(link);
            return Ok(());
        };
        if boot.is_closed() && !content.is_signed {
            let cause = Cause::Closed { sbmr2: boot.sbmr2 };
            examination.found(check::SECURITY, Observation::of(cause.into()));
        }
        self.examine_boot(link, seen, content, examination)
    }

    /// What the core does before anything disturbs it.
    fn watch(
        &mut self,
        connection: &mut Connection,
        examination: &mut Examination,
    ) -> Result<Option<Look>, Problem> {
        examination.at(check::DEBUG_PORT);
        let under_reset = connection.is_under_reset();
        let mut link = connection.link(self.job.target.chip())?;
        if under_reset {
            examination.skip(check::RUNNING, "connecting under reset has halted the core");
            return Ok(None);
        }
        self.begin("look");
        match look(&mut link, self.job.target.chip()) {
            Ok(look) => {
                running::tell(&look, examination);
                Ok(Some(look))
            }
            Err(error) => {
                let problem = Problem::from(error);
                examination.skip(check::RUNNING, &problem.what);
                // what follows finds out whether it lasts
                Ok(None)
            }
        }
    }

    /// What can be told without touching the board.
    fn only_look(
        &mut self,
        link: &mut dyn Link,
        seen: Option<Look>,
        examination: &mut Examination,
    ) -> Result<(), Problem> {
        examination.stop_because(
            "--no-reset was given, and for this the chip must be taken over by a reset",
        );
        examination.at(check::CHIP);
        if seen.is_some_and(|look| look.doing == Doing::AsleepWithoutBus) {
            return Ok(());
        }
        let chip = self.job.target.chip();
        require_chip(link, chip)?;
        examination.ok(
            check::CHIP,
            format!("core and boot ROM are those of the {}", chip.name),
        );
        examination.at(check::BOOT_MODE);
        if let Err(problem) = self.examine_boot_source(link, examination) {
            examination.skip(check::BOOT_MODE, &problem.what);
        }
        if seen.is_some_and(|look| look.doing == Doing::InRom) {
            let problem = Problem::new(
                "in-boot-rom",
                ExitCode::BootNotProven,
                "the core is in its boot ROM: the ROM has not started anything",
            )
            .because("it stays there where it does not accept what the flash holds")
            .fix("run `rtflash doctor` without --no-reset: it reads the flash");
            examination.found(check::RUNNING, Observation::new(Weight::Symptom, problem));
        }
        Ok(())
    }

    fn tell_contact(&self, examination: &mut Examination) {
        let Some(probe) = &self.record.probe else {
            return;
        };
        match probe.contact_warning {
            Some(warning) => {
                let problem = Problem::new("contact-slow", ExitCode::LinkLost, warning.to_string());
                let problem = problem.fix("use a shorter cable with a ground wire beside SWCLK");
                examination.found(check::CONTACT, Observation::new(Weight::Suspicion, problem));
            }
            None if probe.contact.is_empty() => examination.skip(
                check::CONTACT,
                "this probe's driver does not let its clock be changed",
            ),
            None => {
                let clocks: Vec<String> = probe
                    .contact
                    .iter()
                    .map(|trial| trial.speed_khz.to_string())
                    .collect();
                examination.ok(
                    check::CONTACT,
                    format!("clean at {} kHz", clocks.join(", ")),
                );
            }
        }
    }

    /// Identity, boot mode and fuses of the chip that was taken over.
    fn examine_chip(
        &mut self,
        link: &mut dyn Link,
        examination: &mut Examination,
    ) -> Result<ChipFound, Problem> {
        let chip = ChipFound::read(link, self.job.target.chip())?;
        self.record.chip = Some(ChipRecord {
            name: self.job.target.chip().name.clone(),
            uid: chip.unique_id.to_string(),
            silicon_revision: format!("{:#010x}", chip.silicon_revision),
        });
        self.examine_boot_source(link, examination)?;
        examination.at(check::FUSES);
        let fuses = Fuses::read(link, &self.job.target.chip().registers)?;
        let notable = match fuses.notable() {
            notable if notable.is_empty() => "nothing blown that changes how it boots".to_owned(),
            notable => notable.join("; "),
        };
        let access = fuses.debug_access();
        examination.ok(check::FUSES, format!("debug port {access}; {notable}"));
        Ok(chip)
    }

    fn examine_boot_source(
        &mut self,
        link: &mut dyn Link,
        examination: &mut Examination,
    ) -> Result<(), Problem> {
        let chip = self.job.target.chip();
        let (boot, obstacle) = boot_source(link, chip)?;
        match obstacle {
            Some(cause) => {
                examination.found(check::BOOT_MODE, Observation::of(Problem::from(cause)))
            }
            None => {
                let source = if boot.is_from_fuses() {
                    "fuses"
                } else {
                    "pins"
                };
                examination.ok(
                    check::BOOT_MODE,
                    format!(
                        "FlexSPI NOR, from {source} (SRC_SBMR1 {:#010x}, SRC_SBMR2 {:#010x})",
                        boot.sbmr1, boot.sbmr2
                    ),
                );
            }
        }
        if boot.is_closed() {
            examination.ok(
                check::SECURITY,
                "the part is closed (HAB): it runs signed images only",
            );
        } else {
            examination.ok(check::SECURITY, "the part is open");
        }
        Ok(())
    }

    /// Resets the board and watches what becomes of it.
    fn examine_boot(
        &mut self,
        link: &mut dyn Link,
        seen: Option<Look>,
        content: Content,
        examination: &mut Examination,
    ) -> Result<(), Problem> {
        examination.at(check::BOOT);
        self.begin("reset");
        let boot_mode = &self.job.target.chip().boot_mode;
        let usual_ms = if content.application.is_some() {
            boot_mode.bootloader_timeout_ms
        } else {
            boot_mode.boot_timeout_ms
        };
        let window = self.job.target.chip().flexspi.window_start();
        let expected = Expectation {
            reset_handler: content
                .application
                .or(content.reset_handler)
                .unwrap_or(window),
            code: None,
            started_by_bootloader: content.application.is_some(),
            limit: self
                .job
                .boot_timeout
                .unwrap_or(Duration::from_millis(usual_ms.into())),
            settle: self.job.boot_watch.unwrap_or(SETTLE),
        };
        let flash = FlashContent {
            present: content.present,
            status_register: Some(content.status),
        };
        match self.prove(link, expected, &flash)? {
            Ok(booted) => {
                let boot = if content.starts_another && content.application.is_none() {
                    Boot::ByRom
                } else {
                    Boot::ToTheEnd
                };
                examination.boot(boot);
                let proof = booted.evidence().first().map(ToString::to_string);
                examination.ok(check::BOOT, proof.unwrap_or_default());
                if let Some(look) = seen.filter(|look| look.doing == Doing::InRom) {
                    examination.found(check::RUNNING, running::not_reset(&look));
                }
            }
            Err(problem) => {
                examination.boot(Boot::NotSeen);
                examination.found(check::BOOT, Observation::of(problem));
            }
        }
        Ok(())
    }
}
