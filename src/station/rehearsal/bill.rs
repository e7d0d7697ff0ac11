//! What the virtual boards of a rehearsal are made of: the job's chip and flash part, and where a defect hurts its image.

use std::time::Duration;

use virtual_board::board::{BoardConfig, Mishap};
use virtual_board::nor::{Faults, FlakyCell, Part, PartError};
use virtual_board::soc::{Fuses, Straps};
use virtual_board::swd::BadContact;

use super::defect::Defect;
use super::draw::Draw;
use super::kept::Kept;
use super::script::UnitLine;
use crate::problem::{ExitCode, Problem};
use crate::target::Target;

/// Stands in a job's patterns for any digit of a unique ID.
const ANY_DIGIT: char = '?';
/// Of so many reads of a flaky bit one is wrong.
const FLAKY_ONE_IN: u64 = 2;
/// The fastest clock that a poor contact is good for, below the 4 MHz that jobs use by default.
const POOR_CONTACT_KHZ: u32 = 2_000;
/// Fuse word with the fuse that closes the debug port for good (IMXRT1060RM fusemap).
const BOOT_CONFIG_FUSES: u32 = 0x460;
const SJC_DISABLE: u32 = 1 << 20;
/// Bytes of others beside an image.
const FOREIGN_BYTES: usize = 16;
const SECTOR_BYTES: u64 = 4096;
/// Flash parts that may be fitted by mistake.
const OTHER_PARTS: [&str; 2] = ["w25q64jv", "is25wp064"];
/// A job on a board behind others at the same site needs no contact check: a mishap that is to strike within it is set to
/// strike within this part of a first job.
const WITHIN: f64 = 0.8;

/// What the job takes on a sound, blank board.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Effort {
    /// By the board's clock.
    pub time: Duration,
    /// Transfers on SWD.
    pub transfers: u64,
    /// Transactions of the probe.
    pub transactions: u64,
    /// Page programs.
    pub programs: u64,
}

/// A place in the flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bit {
    /// Offset of the byte.
    pub offset: u32,
    /// The bit.
    pub mask: u8,
}

/// One board, all of it decided.
#[derive(Clone, Debug)]
pub struct VirtualUnit {
    /// Its name.
    pub name: String,
    /// What is wrong with it.
    pub defect: Defect,
    /// The chip's unique ID.
    pub uid: u64,
    /// Its barcode.
    pub barcode: Option<String>,
    /// Which bit of the flash is bad, where one is.
    pub bit: Bit,
    /// How far the job has come when the mishap strikes, 0 to 1.
    pub strikes_at: f64,
    /// Draws what is left to chance.
    pub seed: u64,
    /// What its flash holds when it comes.
    pub before: Kept,
    /// Where bytes of others are in it, and which.
    pub foreign: Option<(usize, Vec<u8>)>,
}

/// What all boards of a rehearsal have in common.
#[derive(Clone, Debug)]
pub struct Bill {
    part: Part,
    other_part: Part,
    /// What the job writes on every unit, apart from its own data: flash offset and bytes.
    runs: Vec<(u32, Vec<u8>)>,
    /// Patterns of the unique IDs that the job allows.
    uids: Vec<String>,
    /// What a job takes.
    pub effort: Effort,
}

impl Bill {
    /// Boards for `target` whose image is `runs`, with unique IDs that fit `uids`.
    ///
    /// # Errors
    /// `virtual-part` where the flash part is not among those that can be simulated.
    pub fn new(
        target: &Target,
        runs: Vec<(u32, Vec<u8>)>,
        uids: Vec<String>,
    ) -> Result<Self, Problem> {
        let unknown = |error: PartError| {
            Problem::new("virtual-part", ExitCode::Usage, error.to_string())
                .fix("rehearse the job with another flash part")
        };
        let part = Part::builtin(&target.flash().name).map_err(unknown)?;
        let others: Result<Vec<Part>, PartError> =
            OTHER_PARTS.iter().map(|name| Part::builtin(name)).collect();
        let mut others = others.map_err(unknown)?.into_iter();
        let other_part = others.find(|other| other.jedec_id != part.jedec_id);
        Ok(Bill {
            other_part: other_part.unwrap_or_else(|| part.clone()),
            part,
            runs,
            uids,
            effort: Effort::default(),
        })
    }

    /// The configuration of a sound board.
    pub fn sound(&self) -> BoardConfig {
        BoardConfig::new(self.part.clone())
    }

    /// An empty seat: nothing that has power.
    pub fn empty_seat(&self) -> BoardConfig {
        BoardConfig {
            powered: false,
            ..self.sound()
        }
    }

    /// Decides what the script leaves open.
    ///
    /// # Errors
    /// `script-value` where the unique ID is none.
    pub fn unit(&self, line: &UnitLine, number: usize, seed: u64) -> Result<VirtualUnit, Problem> {
        let mut draw = Draw::of(!seed, number as u64);
        let uid = match &line.uid {
            None => self.draw_uid(&mut draw),
            Some(digits) => u64::from_str_radix(digits, 16)
                .ok()
                .filter(|_| digits.len() == 16 && !digits.starts_with('+'))
                .ok_or_else(|| {
                    let what = format!("uid of \"{}\" is not 16 hexadecimal digits", line.name);
                    Problem::new("script-value", ExitCode::MalformedInput, what)
                        .fix("correct the script of the rehearsal")
                })?,
        };
        let wants_zero = line.defect == Defect::StuckBit;
        let bit = self.draw_bit(&mut draw, wants_zero);
        let strikes_at = line.strikes_at.unwrap_or_else(|| draw.fraction());
        let mut unit = VirtualUnit {
            name: line.name.clone(),
            defect: line.defect,
            uid,
            barcode: line.barcode.clone(),
            bit,
            strikes_at,
            seed: draw.next(),
            before: Kept::default(),
            foreign: None,
        };
        if line.defect.has_older_content() {
            self.fill(&mut unit, &mut draw);
        }
        Ok(unit)
    }

    fn draw_uid(&self, draw: &mut Draw) -> u64 {
        let any = ANY_DIGIT.to_string().repeat(16);
        let pattern = draw.one_of(&self.uids).unwrap_or(&any).clone();
        let digits = pattern.chars().map(|digit| match digit {
            ANY_DIGIT => draw.below(16),
            digit => digit.to_digit(16).unwrap_or(0).into(),
        });
        digits.fold(0, |uid, digit| uid << 4 | digit)
    }

    /// A bit within the image that is, or is not, 0 in it.
    fn draw_bit(&self, draw: &mut Draw, wants_zero: bool) -> Bit {
        // all FFh or all 00h is no image; so many tries find a bit in any other
        const TRIES: u32 = 10_000;
        let length: u64 = self.runs.iter().map(|(_, bytes)| bytes.len() as u64).sum();
        let mut found = Bit { offset: 0, mask: 1 };
        for _ in 0..TRIES {
            let mut at = draw.below(length) as usize;
            found.mask = 1 << draw.below(8);
            for (offset, bytes) in &self.runs {
                match bytes.get(at) {
                    Some(byte) => {
                        found.offset = offset + at as u32;
                        if (byte & found.mask == 0) == wants_zero {
                            return found;
                        }
                        break;
                    }
                    None => at -= bytes.len(),
                }
            }
        }
        found
    }

    /// Fills the image's place with other bytes, of which none boots.
    fn fill(&self, unit: &mut VirtualUnit, draw: &mut Draw) {
        for (offset, bytes) in &self.runs {
            let noise: Vec<u8> = bytes.iter().map(|_| draw.next() as u8).collect();
            unit.before.write(*offset as usize, &noise);
        }
        // the bad bit of a weak erase is 0 before
        let at = unit.bit.offset as usize;
        let byte = unit.before.byte(at) & !unit.bit.mask;
        unit.before.write(at, &[byte]);
        if unit.defect == Defect::ForeignContent
            && let Some(at) = self.beside_image()
        {
            let foreign: Vec<u8> = (0..FOREIGN_BYTES)
                .map(|_| draw.next() as u8 & 0x7F)
                .collect();
            unit.before.write(at, &foreign);
            unit.foreign = Some((at, foreign));
        }
    }

    /// A place for bytes of others in a sector of the image.
    fn beside_image(&self) -> Option<usize> {
        let ends = self
            .runs
            .iter()
            .map(|(offset, bytes)| u64::from(*offset) + bytes.len() as u64);
        let mut candidates = ends.filter(|end| {
            let room = end.next_multiple_of(SECTOR_BYTES) - end;
            let behind = end + FOREIGN_BYTES as u64;
            let is_free = self.runs.iter().all(|(offset, bytes)| {
                let start = u64::from(*offset);
                behind <= start || start + bytes.len() as u64 <= *end
            });
            room >= FOREIGN_BYTES as u64 && is_free
        });
        usize::try_from(candidates.next()?).ok()
    }

    /// The board itself, for its insertion number `of_unit`.
    pub fn board(&self, unit: &VirtualUnit) -> BoardConfig {
        let part = match unit.defect {
            Defect::WrongPart => self.other_part.clone(),
            _ => self.part.clone(),
        };
        let mut config = BoardConfig::new(part);
        let mut fuses = Fuses::default();
        fuses.set_unique_id([unit.uid as u32, (unit.uid >> 32) as u32]);
        let cell = (unit.bit.offset, unit.bit.mask);
        let mut faults = Faults::default();
        match unit.defect {
            Defect::StuckBit => faults.unprogrammable.push(cell),
            Defect::WeakErase => faults.weak_erase.push(cell),
            Defect::FlakyBit => faults.flaky_cells.push(FlakyCell {
                address: unit.bit.offset,
                mask: unit.bit.mask,
                one_in: FLAKY_ONE_IN,
                seed: unit.seed,
            }),
            Defect::WrongChip => config.identity.rom.mark = !config.identity.rom.mark,
            Defect::SerialDownloader => config.straps = Straps::SERIAL_DOWNLOADER,
            Defect::PortClosed => {
                let word = fuses.word(BOOT_CONFIG_FUSES);
                fuses.set_word(BOOT_CONFIG_FUSES, word | SJC_DISABLE);
            }
            Defect::NoPower => config.powered = false,
            Defect::NoContact => config.wire_faults.closed_port = true,
            Defect::PoorContact => {
                config.wire_faults.bad_contact = Some(BadContact {
                    good_khz: POOR_CONTACT_KHZ,
                    seed: unit.seed,
                });
            }
            Defect::Good
            | Defect::OlderContent
            | Defect::ForeignContent
            | Defect::InsertedAgain
            | Defect::WrongPart
            | Defect::ContactLost
            | Defect::ProbePulled
            | Defect::PowerLost => {}
        }
        config.fuses = fuses;
        config.nor_faults = faults;
        config
    }

    /// The transfer, counted from the job's beginning, at which the contact of `unit` is lost.
    pub fn contact_lost_at(&self, unit: &VirtualUnit) -> Option<u64> {
        (unit.defect == Defect::ContactLost).then(|| self.part_of(self.effort.transfers, unit))
    }

    /// What befalls `unit` in a job that begins after so many transactions.
    pub fn mishap(&self, unit: &VirtualUnit, transactions: u64) -> Option<Mishap> {
        match unit.defect {
            Defect::ProbePulled => Some(Mishap::Unplugged {
                transaction: transactions + self.part_of(self.effort.transactions, unit),
            }),
            Defect::PowerLost => Some(Mishap::PowerLost {
                programs: self.part_of(self.effort.programs, unit).max(1),
                seed: unit.seed,
            }),
            _ => None,
        }
    }

    fn part_of(&self, whole: u64, unit: &VirtualUnit) -> u64 {
        (whole as f64 * WITHIN * unit.strikes_at) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bill() -> Bill {
        let target = Target::builtin("mimxrt1062", "is25wp064", "qspi").expect("target");
        let code: Vec<u8> = (0..100).collect();
        let runs = vec![(0, vec![0xA5; 512]), (0x2000, code)];
        let uids = vec!["12????????????EF".to_owned()];
        Bill::new(&target, runs, uids).expect("bill")
    }

    fn unit(bill: &Bill, defect: Defect, number: usize) -> VirtualUnit {
        let line = UnitLine {
            name: "a".to_owned(),
            defect,
            uid: None,
            barcode: None,
            strikes_at: None,
        };
        bill.unit(&line, number, 1).expect("unit")
    }

    #[test]
    fn every_board_has_a_unique_id_that_the_job_allows() {
        let bill = bill();
        let mut seen = std::collections::BTreeSet::new();
        for number in 0..100 {
            let digits = format!("{:016X}", unit(&bill, Defect::Good, number).uid);
            assert!(
                digits.starts_with("12") && digits.ends_with("EF"),
                "{digits}"
            );
            assert!(seen.insert(digits));
        }
    }

    #[test]
    fn a_bad_bit_is_where_it_hurts() {
        let bill = bill();
        for number in 0..50 {
            for (defect, is_zero) in [(Defect::StuckBit, true), (Defect::WeakErase, false)] {
                let unit = unit(&bill, defect, number);
                let mut run = bill.runs.iter().filter_map(|(offset, bytes)| {
                    bytes.get(unit.bit.offset.checked_sub(*offset)? as usize)
                });
                let byte = run.next().expect("within the image");
                assert_eq!(byte & unit.bit.mask == 0, is_zero);
                let before = unit.before.byte(unit.bit.offset as usize);
                assert_eq!(before & unit.bit.mask == 0, defect == Defect::WeakErase);
            }
        }
    }

    #[test]
    fn bytes_of_others_lie_beside_the_image_in_one_of_its_sectors() {
        let bill = bill();
        let unit = unit(&bill, Defect::ForeignContent, 0);
        let (at, bytes) = unit.foreign.expect("foreign bytes");
        assert_eq!((at, bytes.len()), (512, FOREIGN_BYTES));
        assert_eq!(unit.before.differs(at, &bytes), None);
    }

    #[test]
    fn the_same_seed_makes_the_same_boards() {
        let bill = bill();
        for defect in Defect::ALL {
            let (a, b) = (unit(&bill, defect, 3), unit(&bill, defect, 3));
            assert_eq!((a.uid, a.bit, a.before), (b.uid, b.bit, b.before));
            assert_ne!(a.uid, unit(&bill, defect, 4).uid);
        }
    }

    #[test]
    fn no_defect_but_those_without_a_trace_leaves_the_board_as_it_is() {
        let bill = bill();
        let looks = |config: BoardConfig| {
            format!(
                "{} {:?} {:?} {:?} {:?} {:?} {:?}",
                config.part.name,
                config.powered,
                config.straps,
                config.fuses.word(BOOT_CONFIG_FUSES),
                config.nor_faults,
                config.wire_faults,
                config.identity
            )
        };
        let sound = looks(bill.board(&unit(&bill, Defect::Good, 0)));
        for defect in Defect::ALL {
            let unit = unit(&bill, defect, 0);
            let shows = looks(bill.board(&unit)) != sound
                || unit.before != Kept::default()
                || bill.contact_lost_at(&unit).is_some()
                || bill.mishap(&unit, 0).is_some();
            let hides = matches!(defect, Defect::Good | Defect::InsertedAgain);
            assert_ne!(shows, hides, "{defect}");
        }
    }
}
