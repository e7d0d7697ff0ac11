//! From the probe to a chip that was taken over, and at the end the boot: in between the flash is looked at.

use std::time::Duration;

use super::Question;
use super::content::Content;
use super::examination::{Examination, check};
use super::running;
use crate::diagnosis::{Boot, Observation, Weight};
use crate::job::run::Run;
use crate::link::{Choice, Connection, Link};
use crate::problem::{ExitCode, Problem};
use crate::report::{ChipRecord, ProbeRecord};
use crate::reset::{
    Cause, Doing, Expectation, FlashContent, Look, SETTLE, boot_source, look,
};
use crate::survey::{ChipFound, require_chip};

/// A clock that nearly every contact stands, in kHz.
const SLOW_KHZ: u32 = 100;
/// Below this VTref a board is taken as unpowered, in millivolts (lowest RT1062 I/O supply is 1.65 V).
const UNPOWERED_MILLIVOLTS: u32 = 1_400;
/// Code of a port that gives no answer on a powered board.
const NO_ANSWER: &str = "target-no-answer";

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
        let mut link = connection.link(chip)?;
        let link: &mut dyn Link = &mut link;
        if question.no_reset {
            return self.only_look(link, seen, examination);
        }
        examination.at(check::CHIP);
        require_chip(link, chip)?;
        examination.ok(
            check::CHIP,
            format!("core and boot ROM are those of the {}", chip.name),
        );
        link.take_over()
            .map_err(|error| self.blame_contact(error.into(), link.counts()))?;
        examination.at(check::CONTACT);
        self.require_contact(link)?;
        self.tell_contact(examination);
        self.meter.note_counts(link.counts());
        self.begin("survey");
        examination.at(check::BOOT_MODE);
        self.examine_chip(link, examination)?;
        let content = self.examine_flash(question, link, examination)?;
        if let Err(cancelled) = self.go_on() {
            self.let_run(link);
            return Err(cancelled);
        }
        self.examine_boot(link, seen, content, examination)
    }

    /// Opens the probe and wakes the debug port; where it is silent, more slowly and under reset.
    fn reach(
        &mut self,
        question: &Question,
        examination: &mut Examination,
    ) -> Result<Connection, Problem> {
        self.always_check_contact = true;
        let connection = match self.connect() {
            Ok(connection) => connection,
            Err(problem) if problem.exit == ExitCode::NoProbe => return Err(problem),
            Err(problem) => {
                examination.ok(check::PROBE, "can be opened");
                examination.at(check::DEBUG_PORT);
                if problem.code != NO_ANSWER {
                    if problem.code == "target-unpowered" {
                        examination.at(check::POWER);
                    }
                    return Err(problem);
                }
                self.reach_a_silent_port(question, problem, examination)?
            }
        };
        let name = connection.probe().to_string();
        examination.ok(check::PROBE, name);
        match connection.millivolts() {
            Some(low) if low < UNPOWERED_MILLIVOLTS => examination.ok(
                check::POWER,
                format!("the probe measures {low} mV at VTref, which is not wired then: the debug port answers"),
            ),
            Some(millivolts) => examination.ok(check::POWER, format!("{millivolts} mV at VTref")),
            None => examination.ok(check::POWER, "the debug port answers; the probe does not measure VTref"),
        }
        examination.ok(check::DEBUG_PORT, "open");
        Ok(connection)
    }

    fn reach_a_silent_port(
        &mut self,
        question: &Question,
        problem: Problem,
        examination: &mut Examination,
    ) -> Result<Connection, Problem> {
        if let Ok(connection) = self.open_with(Choice {
            speed_khz: Some(SLOW_KHZ),
            ..self.bench.choice().clone()
        }) {
            let what = format!("the debug port answers at {SLOW_KHZ} kHz and not faster");
            let poor = Problem::new("contact-poor", ExitCode::LinkLost, what)
                .because("a fast clock needs a short cable and a good ground")
                .fix(format!("check the pins and GND, use a shorter cable with a ground wire beside SWCLK; until then --speed {SLOW_KHZ}"));
            examination.found(check::CONTACT, Observation::of(poor));
            return Ok(connection);
        }
        let mut tried = format!("at the clock asked for and at {SLOW_KHZ} kHz");
        if !question.no_reset && !self.bench.choice().connect_under_reset {
            if let Ok(connection) = self.reach_under_reset(Some(SLOW_KHZ)) {
                let pins = Problem::new(
                    "swd-pins-off",
                    ExitCode::LinkLost,
                    "the debug port answers after a pulse of the reset pin only",
                )
                .because("the firmware takes the SWD pins for something else, or sleeps")
                .fix("use --connect-under-reset with this firmware");
                examination.found(
                    check::DEBUG_PORT,
                    Observation::new(Weight::Suspicion, pins),
                );
                return Ok(connection);
            }
            tried += ", and after a pulse of the reset pin";
        }
        Err(Problem {
            why: Some(format!(
                "tried {tried}. A port that is closed by fuses (SJC_DISABLE; JTAG_SMODE: no debug, or a challenge first) stays as \
                 silent as one that is not wired or whose board is held in reset: SWD cannot tell these apart"
            )),
            fix: Some(
                "check SWDIO, SWCLK and GND, and that the reset line is high; where another board of this kind answers, this one is \
                 closed: it takes images through its USB or UART serial downloader only"
                    .to_owned(),
            ),
            ..problem
        })
    }

    /// Opens the probe with another choice than the user's.
    fn open_with(&mut self, choice: Choice) -> Result<Connection, Problem> {
        let chip = self.job.target.chip();
        let connection = Connection::open(&choice, chip, self.bench.clock().clone())?;
        self.record.probe = Some(ProbeRecord {
            name: connection.probe().name.clone(),
            selector: connection.probe().selector().to_string(),
            speed_khz: connection.speed_khz(),
            contact: Vec::new(),
            contact_warning: None,
        });
        Ok(connection)
    }

    fn reach_under_reset(&mut self, speed_khz: Option<u32>) -> Result<Connection, Problem> {
        let choice = self.bench.choice().clone();
        self.open_with(Choice {
            connect_under_reset: true,
            speed_khz: speed_khz.or(choice.speed_khz),
            ..choice
        })
    }

    /// What the core does before anything disturbs it.
    fn watch(
        &mut self,
        connection: &mut Connection,
        examination: &mut Examination,
    ) -> Result<Option<Look>, Problem> {
        examination.at(check::DEBUG_PORT);
        let under_reset = self.bench.choice().connect_under_reset;
        let mut link = connection.link(self.job.target.chip())?;
        if under_reset {
            examination.skip(
                check::RUNNING,
                "--connect-under-reset has halted the core",
            );
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
        examination.stop_because("--no-reset was given, and for this the chip must be taken over by a reset");
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
                examination.found(
                    check::CONTACT,
                    Observation::new(Weight::Suspicion, problem),
                );
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
                examination.ok(check::CONTACT, format!("clean at {} kHz", clocks.join(", ")));
            }
        }
    }

    /// Identity, boot mode and fuses of the chip that was taken over.
    fn examine_chip(
        &mut self,
        link: &mut dyn Link,
        examination: &mut Examination,
    ) -> Result<(), Problem> {
        let chip = match ChipFound::read(link, self.job.target.chip()) {
            Ok(chip) => chip,
            Err(error) => {
                self.let_run(link);
                return Err(error.into());
            }
        };
        self.record.chip = Some(ChipRecord {
            name: self.job.target.chip().name.clone(),
            uid: chip.unique_id.to_string(),
            silicon_revision: format!("{:#010x}", chip.silicon_revision),
        });
        self.examine_boot_source(link, examination)
    }

    fn examine_boot_source(
        &mut self,
        link: &mut dyn Link,
        examination: &mut Examination,
    ) -> Result<(), Problem> {
        let chip = self.job.target.chip();
        let (boot, obstacle) = boot_source(link, chip)?;
        match obstacle {
            Some(cause) => examination.found(
                check::BOOT_MODE,
                Observation::of(Problem::from(cause)),
            ),
            None => {
                let source = if boot.is_from_fuses() {
                    "fuses"
                } else {
                    "pins"
                };
                examination.ok(
                    check::BOOT_MODE,
                    format!("FlexSPI NOR, from {source} (SRC_SBMR1 {:#010x}, SRC_SBMR2 {:#010x})", boot.sbmr1, boot.sbmr2),
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
        content: Option<Content>,
        examination: &mut Examination,
    ) -> Result<(), Problem> {
        examination.at(check::BOOT);
        let Some(content) = content else {
            self.let_run(link);
            return Ok(());
        };
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
        if content.must_be_signed() {
            let cause = Cause::Closed {
                sbmr2: content.sbmr2,
            };
            examination.found(check::SECURITY, Observation::of(cause.into()));
        }
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
