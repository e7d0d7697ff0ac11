//! Rules in a job's image: where each one's bytes go, and that they may go there.

use super::apply::{Failure, FittedRules};
use super::near::near;
use super::place::Where;
use super::rules::{UnitRules, not_made};
use super::{Rule, Value};
use crate::address::{Address, AddressRange};
use crate::boot::{Seal, Sealed, sealed};
use crate::image::{Image, NoSymbol, Patch};
use crate::problem::{ExitCode, Place, Problem};
use crate::target::{FlashPart, Target};

impl UnitRules {
    /// Finds the places of the rules in a job's image, before any board is touched.
    ///
    /// # Errors
    /// Exit 20 for a place that must not be written, or that does not exist.
    pub fn fit(&self, image: &Image, target: &Target) -> Result<FittedRules, Problem> {
        let fitting = Fitting {
            unit: self,
            image,
            target,
            sealed: sealed(image, target),
        };
        let fills = fitting.blocks()?;
        let with_blocks = image
            .patched(&fills)
            .ok_or_else(|| not_made("block", "two blocks lie in one place".to_owned()))?;
        let places: Result<Vec<_>, _> = self
            .rules()
            .iter()
            .map(|rule| fitting.place(rule))
            .collect();
        let fitted = FittedRules {
            rules: self.clone(),
            image: with_blocks,
            places: places?,
        };
        fitting.apart(&fitted)?;
        fitting.crcs(&fitted)?;
        match fitted.tried() {
            Ok(_) => Ok(fitted),
            Err(failure) => Err(fitting.not_tried(failure)),
        }
    }
}

/// A job's image while places are looked for in it.
struct Fitting<'f> {
    unit: &'f UnitRules,
    image: &'f Image,
    target: &'f Target,
    sealed: Vec<Sealed>,
}

impl Fitting<'_> {
    /// By themselves all values can be made: it is a CRC over what nobody brings.
    fn not_tried(&self, failure: Failure) -> Problem {
        let mut rules = self.unit.rules().iter();
        match rules.find(|rule| rule.name == failure.rule) {
            Some(rule) => refused(
                "data-crc",
                rule,
                failure.why,
                "let it cover bytes of the image only, or write the gaps with `fill`",
            ),
            None => not_made(&failure.rule, failure.why),
        }
    }

    /// The sectors of all blocks, filled.
    fn blocks(&self) -> Result<Vec<Patch>, Problem> {
        let mut blocks: Vec<(Address, u8)> = Vec::new();
        for rule in self.unit.rules() {
            let Where::Block { at, fill, .. } = rule.place else {
                continue;
            };
            match blocks.iter().find(|(known, _)| *known == at) {
                Some((_, other)) if *other != fill => {
                    return Err(refused(
                        "data-block",
                        rule,
                        format!("the block at {at} is to be filled with {fill} and with {other}"),
                        "give all rules of a block the same `fill`",
                    ));
                }
                Some(_) => {}
                None => {
                    self.is_free(rule, at)?;
                    blocks.push((at, fill));
                }
            }
        }
        Ok(blocks
            .into_iter()
            .map(|(start, fill)| Patch {
                by: format!("per-unit data, block {start}"),
                start,
                bytes: vec![fill; FlashPart::SECTOR_BYTES as usize],
            })
            .collect())
    }

    fn is_free(&self, rule: &Rule, at: Address) -> Result<(), Problem> {
        let wrong = |why: String, fix| Err(refused("data-block", rule, why, fix));
        let another = "choose a 4 KiB sector that neither the image nor the boot header uses";
        if !at.is_aligned_to(FlashPart::SECTOR_BYTES) {
            return wrong(
                format!("the block at {at} does not begin on a 4 KiB sector"),
                another,
            );
        }
        let sector = self.range(rule, at, FlashPart::SECTOR_BYTES)?;
        if let Some((first, _)) = self.image.pieces_in(sector).next() {
            return wrong(
                format!("the image brings {first}, in the sector of the block at {at}"),
                another,
            );
        }
        self.is_not_sealed(rule, sector)
    }

    /// Where the rule's bytes go.
    fn place(&self, rule: &Rule) -> Result<AddressRange, Problem> {
        let length = rule
            .length_bytes(self.unit)
            .map_err(|why| not_made(&rule.name, why))?;
        let (at, may_add) = match &rule.place {
            Where::Address { at, add } => (*at, *add),
            Where::Symbol { symbol, offset } => {
                (self.symbol(rule, symbol, *offset, length)?, false)
            }
            Where::Block { at, offset, .. } => {
                let end = u64::from(*offset) + u64::from(length);
                if end > FlashPart::SECTOR_BYTES.into() {
                    return Err(refused(
                        "data-block",
                        rule,
                        format!(
                            "its bytes end {end} bytes behind the block's start, which has 4096"
                        ),
                        "let them begin earlier, or use another block",
                    ));
                }
                (at.checked_add(*offset).unwrap_or(*at), true)
            }
        };
        let range = self.range(rule, at, length)?;
        self.is_not_sealed(rule, range)?;
        if !may_add && self.image.bytes_at(at, length as usize).is_none() {
            return Err(refused(
                "data-gap",
                rule,
                format!("the image does not bring all of {range}"),
                "correct the address; to put bytes where the image has none: `block`, or `add = true`",
            ));
        }
        Ok(range)
    }

    /// `length` bytes from `at`, which must lie in the flash part.
    fn range(&self, rule: &Rule, at: Address, length: u32) -> Result<AddressRange, Problem> {
        let window = self.target.flash_window();
        let range = AddressRange::new(at, length).filter(|range| {
            let last = at.checked_add(range.length_bytes().saturating_sub(1));
            window.contains(at) && last.is_some_and(|last| window.contains(last))
        });
        range.ok_or_else(|| {
            refused(
                "data-outside",
                rule,
                format!("{length} bytes from {at} do not lie in the flash, {window}"),
                "give a bus address of the flash",
            )
        })
    }

    fn is_not_sealed(&self, rule: &Rule, range: AddressRange) -> Result<(), Problem> {
        // the weightiest reason first: a header inside a signed range is both
        let order = [Seal::Bee, Seal::Hab, Seal::McuBoot, Seal::BootHeader];
        let found = order.into_iter().find_map(|seal| {
            let mut all = self.sealed.iter().filter(|sealed| sealed.seal == seal);
            all.find_map(|sealed| sealed.first_in(range))
                .map(|at| (seal, at))
        });
        let Some((seal, at)) = found else {
            return Ok(());
        };
        let code = match seal {
            Seal::BootHeader => "data-in-header",
            Seal::Hab | Seal::McuBoot => "data-signed",
            Seal::Bee => "data-encrypted",
        };
        Err(refused(
            code,
            rule,
            format!("{at} {}", seal.reason()),
            "put it into a `block` outside, which the application reads",
        ))
    }

    /// Where the symbol's byte `offset` is stored.
    fn symbol(
        &self,
        rule: &Rule,
        name: &str,
        offset: u32,
        length: u32,
    ) -> Result<Address, Problem> {
        let refuse = |code, why: String, fix: &str| Err(refused(code, rule, why, fix));
        let found = match self.image.symbol(name) {
            Ok(found) => found,
            Err(NoSymbol::NoneAtAll) => {
                return refuse(
                    "data-symbol",
                    format!(
                        "no image of the job is an ELF file with symbols, so `{name}` is unknown"
                    ),
                    "give the ELF file, not stripped, as the job's image; or use `address`",
                );
            }
            Err(NoSymbol::Unknown) => {
                let near = near(name, self.image.symbol_names());
                let fix = if near.is_empty() {
                    "check the name; a variable that nobody uses is dropped by the linker"
                        .to_owned()
                } else {
                    format!("check the name; there is {}", near.join(", "))
                };
                return refuse(
                    "data-symbol",
                    format!("the image has no symbol `{name}`"),
                    &fix,
                );
            }
            Err(NoSymbol::NotStored { linked }) => {
                return refuse(
                    "data-symbol",
                    format!(
                        "the symbol `{name}` at {linked} has no first value in the flash: startup code fills it, or nobody does"
                    ),
                    "make it a constant, or give it a first value other than zero",
                );
            }
            Err(NoSymbol::Several { first, second }) => {
                return refuse(
                    "data-symbol",
                    format!("several symbols are called `{name}`: at {first} and at {second}"),
                    "use `address`, or give it a name of its own",
                );
            }
        };
        let end = u64::from(offset) + u64::from(length);
        if found.size_bytes != 0 && end > found.size_bytes.into() {
            return refuse(
                "data-symbol",
                format!(
                    "the symbol `{name}` has {} bytes, and the rule's bytes end {end} bytes behind its start",
                    found.size_bytes
                ),
                "make the variable larger, or the rule's `length` smaller",
            );
        }
        match found.stored.checked_add(offset) {
            Some(at) => Ok(at),
            None => refuse(
                "data-symbol",
                format!("`{name}` leaves the bus"),
                "check `offset`",
            ),
        }
    }

    /// No two rules write the same byte, and none writes into another's block.
    fn apart(&self, fitted: &FittedRules) -> Result<(), Problem> {
        let placed: Vec<_> = self.unit.rules().iter().zip(&fitted.places).collect();
        for (index, (rule, range)) in placed.iter().enumerate() {
            for (other_rule, other) in placed.iter().skip(index + 1) {
                if let Some(at) = range.first_shared(**other) {
                    let why = format!("the rule `{}` writes {at} as well", other_rule.name);
                    let fix = "let every byte belong to one rule";
                    return Err(refused("data-overlap", rule, why, fix));
                }
            }
            if let Where::Address { .. } = rule.place
                && let Some(at) = self.block_of_another(**range)
            {
                let why = format!("it writes into the block at {at}");
                let fix = "say `block` and `offset` instead of `address`";
                return Err(refused("data-overlap", rule, why, fix));
            }
        }
        Ok(())
    }

    fn block_of_another(&self, range: AddressRange) -> Option<Address> {
        self.unit.rules().iter().find_map(|rule| match rule.place {
            Where::Block { at, .. } => {
                let sector = AddressRange::new(at, FlashPart::SECTOR_BYTES)?;
                range.first_shared(sector).map(|_| at)
            }
            _ => None,
        })
    }

    /// What a CRC covers must be known when it is computed, and must not change afterwards.
    fn crcs(&self, fitted: &FittedRules) -> Result<(), Problem> {
        let placed: Vec<_> = self.unit.rules().iter().zip(&fitted.places).collect();
        for (index, (rule, _)) in placed.iter().enumerate() {
            let Value::Crc(crc) = &rule.value else {
                continue;
            };
            let (_, covers) = crc.checked().map_err(|why| not_made(&rule.name, why))?;
            let covers = self.range(rule, covers.start(), covers.length_bytes())?;
            let header = self.sealed.iter().filter(|s| s.seal == Seal::BootHeader);
            if let Some(at) = header.filter_map(|header| header.first_in(covers)).min() {
                let why =
                    format!("it covers {at}, in the boot header, which rtflash may write itself");
                let fix = "let it begin behind the boot header, usually at the vector table";
                return Err(refused("data-crc", rule, why, fix));
            }
            for (later, range) in placed.iter().skip(index) {
                if !matches!(later.value, Value::Crc(_)) {
                    continue;
                }
                let Some(at) = covers.first_shared(**range) else {
                    continue;
                };
                let (why, fix) = if later.name == rule.name {
                    (
                        format!("it covers {at}, where it is written itself"),
                        "put it outside of its range",
                    )
                } else {
                    (
                        format!(
                            "it covers {at}, which the CRC `{}` changes afterwards",
                            later.name
                        ),
                        "let the CRC that covers the other stand behind it in the job file",
                    )
                };
                return Err(refused("data-crc", rule, why, fix));
            }
        }
        Ok(())
    }
}

fn refused(code: &'static str, rule: &Rule, why: impl Into<String>, fix: &str) -> Problem {
    let place = match &rule.place {
        Where::Address { at, .. } | Where::Block { at, .. } => Place::at(*at),
        Where::Symbol { .. } => Place::default(),
    };
    Problem::new(
        code,
        ExitCode::Refused,
        format!(
            "the per-unit data `{}` cannot be put where the job says",
            rule.name
        ),
    )
    .at(place)
    .because(why)
    .fix(fix)
}
