//! `info`: everything that identifies a board and decides its boot, read and told; nothing non-volatile changes.

use super::run::Run;
use super::stages::seed;
use crate::algorithm::Algorithm;
use crate::link::{Link, LinkError};
use crate::problem::Problem;
use crate::report::{FlashDetails, InfoRecord, Verdict};
use crate::survey::{
    FlashFound, FlexRam, Fuses, RomApi, Standing, SurveyError, part_found, require_chip,
    require_debug_port,
};
use crate::target::{Chip, FlashPart, Target};

impl Run<'_> {
    /// `info`. What could be read stands in the record however it ends.
    ///
    /// # Errors
    /// Chip or flash part are unknown or absent; whatever kept the job from reading them.
    pub fn info(&mut self) -> Result<Verdict, Problem> {
        // the command asks which target this is
        self.record.target = None;
        let chip = self.job.target.chip();
        self.go_on()?;
        let mut connection = self.open()?;
        let mut info = InfoRecord::new(connection.debug_port(), connection.millivolts());
        self.record.info = Some(info.clone());
        require_debug_port(connection.debug_port(), chip)?;
        let mut link = connection.link(chip)?;
        let link: &mut dyn Link = &mut link;
        // what the reset takes away is read first
        let standing = standing(link, chip)
            .map_err(|error| self.blame_contact(error.into(), link.counts()))?;
        info.note_standing(standing.as_ref(), chip);
        self.record.info = Some(info.clone());
        let found = self.take_chip(link)?;
        info.note_chip(&found);
        let more = self.more_of_chip(link, standing.as_ref());
        let flash = more
            .map_err(Problem::from)
            .and_then(|(rom, fuses, flexram)| {
                info.note_rom_and_fuses(rom, &fuses, flexram);
                self.record.info = Some(info.clone());
                self.flash_details(link)
            });
        self.begin("reset");
        self.let_run(link);
        let (details, known) = flash?;
        info.flash = Some(details);
        self.record.info = Some(info);
        known?;
        Ok(Verdict::done("the board was read, nothing was changed"))
    }

    fn more_of_chip(
        &self,
        link: &mut dyn Link,
        standing: Option<&Standing>,
    ) -> Result<(Option<RomApi>, Fuses, FlexRam), LinkError> {
        let chip = self.job.target.chip();
        let rom = RomApi::read(link, chip)?;
        let fuses = Fuses::read(link, &chip.registers)?;
        // a split that could not be read is the one after a reset
        let gpr16 = standing.and_then(|standing| standing.gpr16).unwrap_or(0);
        let gpr17 = standing.and_then(|standing| standing.gpr17).unwrap_or(0);
        let flexram = FlexRam::new(gpr16, gpr17, fuses.flexram_code(), chip);
        Ok((rom, fuses, flexram))
    }

    /// The flash part, and whether it is one that there is data for.
    #[allow(clippy::type_complexity, reason = "two answers, used once")]
    fn flash_details(
        &mut self,
        link: &mut dyn Link,
    ) -> Result<(FlashDetails, Result<(), Problem>), Problem> {
        let flash = self.meet_flash(link)?;
        match part_found(&flash) {
            Ok(part) => {
                let status = self.status_of(link, &part, &flash)?;
                let details = FlashDetails::of(&flash, Some((&part, status)));
                Ok((details, Ok(())))
            }
            Err(error) => Ok((FlashDetails::of(&flash, None), Err(error.into()))),
        }
    }

    /// All status registers of a part that is known now. What was read before is the first of them.
    fn status_of(
        &self,
        link: &mut dyn Link,
        part: &FlashPart,
        flash: &FlashFound,
    ) -> Result<u32, Problem> {
        let registers = &part.registers;
        if registers.status_2.is_none() && registers.status_3.is_none() {
            return Ok(flash.status_register);
        }
        let base = self.job.target;
        let target = Target::new(base.chip().clone(), part.clone(), base.board().clone())?;
        link.take_over()?;
        let mut algorithm = Algorithm::start(link, &target, seed())?;
        let identity = algorithm.identify();
        algorithm.stop()?;
        Ok(identity?.status_register)
    }
}

/// What the board does, once it is known which chip it is. None where it sleeps with its bus clock off: then nothing can be
/// read before it is woken.
fn standing(link: &mut dyn Link, chip: &Chip) -> Result<Option<Standing>, SurveyError> {
    let read = require_chip(link, chip).and_then(|_| Ok(Standing::read(link, chip)?));
    match read {
        Ok(standing) => Ok(Some(standing)),
        Err(SurveyError::Link(LinkError::Asleep { .. })) => Ok(None),
        Err(error) => Err(error),
    }
}
