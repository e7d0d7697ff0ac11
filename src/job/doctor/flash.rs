//! The flash part, its registers, and what it holds, read by the algorithm; the flash is left as the ROM expects it.

use super::Question;
use super::content::Content;
use super::examination::{Examination, check};
use crate::algorithm::Algorithm;
use crate::diagnosis::{Observation, Weight};
use crate::job::Saved;
use crate::job::run::Run;
use crate::job::stages::{flash_record, seed};
use crate::link::Link;
use crate::problem::{ExitCode, Problem};
use crate::survey::{ChipFound, FlashFound, Identified};

impl Run<'_> {
    /// Reads the flash; `None` where it is not the part that the target names, so that nothing can be said of its content.
    pub(super) fn examine_flash(
        &mut self,
        question: &Question,
        link: &mut dyn Link,
        chip: ChipFound,
        examination: &mut Examination,
    ) -> Result<Option<Content>, Problem> {
        examination.at(check::FLASH_PART);
        let uid = chip.unique_id.to_string();
        let mut algorithm = Algorithm::start(link, self.job.target, seed())?;
        let looked = self.look_at_flash(question, chip, &mut algorithm, examination);
        let stopped = self.leave(algorithm);
        let looked = looked.and_then(|content| match (content, stopped) {
            (Some(content), Ok(stopped)) => Ok(Some(Content {
                status: stopped.status_register,
                ..content
            })),
            (Some(_), Err(problem)) => Err(problem),
            // no part, or another one, need not answer to the exit sequence either
            (None, _) => Ok(None),
        });
        match &looked {
            Ok(Some(_)) => self.tell_saved(&uid, examination),
            Ok(None) => {}
            Err(_) => {
                self.let_run(link);
            }
        }
        looked
    }

    fn look_at_flash(
        &mut self,
        question: &Question,
        chip: ChipFound,
        algorithm: &mut Algorithm<'_, '_>,
        examination: &mut Examination,
    ) -> Result<Option<Content>, Problem> {
        let identity = algorithm.identify()?;
        let flash = FlashFound::from(&identity);
        let record = flash_record(&flash);
        let text = format!("{}, JEDEC ID {}", record.part, record.jedec_id);
        self.record.flash = Some(record);
        let identified = match Identified::new(chip, flash, self.job.target) {
            Ok(identified) => identified,
            Err(error) => {
                let problem = Problem::from(error);
                examination.stop_because(format!(
                    "{}: nothing is read by another part's commands",
                    problem.what
                ));
                examination.found(check::FLASH_PART, Observation::of(problem));
                return Ok(None);
            }
        };
        examination.ok(check::FLASH_PART, text);
        self.tell_state(identified.flash(), examination);
        examination.at(check::HEADER);
        self.begin("content");
        let held = self.read_board(algorithm)?;
        let content = self.examine_content(question, held, identity.status_register, examination);
        self.examine_image(question, &content.held, algorithm, examination)?;
        Ok(Some(content))
    }

    /// Protection and what was under way.
    fn tell_state(&self, flash: &FlashFound, examination: &mut Examination) {
        let check = check::FLASH_STATE;
        let status = flash.status_register;
        let note = |code, what: String, fix| {
            let problem = Problem::new(code, ExitCode::BootNotProven, what);
            Observation::new(Weight::Note, problem.fix(fix))
        };
        let protected = status & self.job.target.flash().protection_mask();
        if protected != 0 {
            examination.found(
                check,
                note(
                    "flash-protected",
                    format!("block protection is on (status register {status:#04x}): it does not keep the board from booting"),
                    "nothing: `rtflash flash` lifts it",
                ),
            );
        }
        let met: Vec<&str> = flash.on_entry().collect();
        if !met.is_empty() {
            let fix = "nothing, if the application writes to its flash or runs a watchdog";
            examination.found(check, note("flash-on-entry", met.join("; "), fix));
        }
        if protected == 0 && met.is_empty() {
            examination.ok(
                check,
                format!("idle, not protected, status register {status:#04x}"),
            );
        }
    }

    /// Bytes of others that an interrupted job of this host has left.
    fn tell_saved(&self, uid: &str, examination: &mut Examination) {
        let saved = Saved::open(self.bench.state_directory(), uid);
        let bytes: usize = match &saved {
            Ok(saved) => saved.pieces().map(|piece| piece.bytes.len()).sum(),
            Err(_) => 0,
        };
        if bytes != 0 {
            let what = format!(
                "a job on this board was interrupted: {bytes} bytes of others are saved on this host"
            );
            let problem = Problem::new("saved-bytes", ExitCode::BootNotProven, what)
                .fix("the next `rtflash flash` of this board restores them");
            examination.found(check::FLASH_STATE, Observation::new(Weight::Note, problem));
        }
    }
}
