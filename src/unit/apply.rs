//! One unit's image: the job's image with the values of the unit in their places.

use super::encoded::{Encoded, hex_text};
use super::field::{Field, Patched};
use super::rules::UnitRules;
use super::{Crc, Letters, Rule, UnitFacts, Value};
use crate::address::{Address, AddressRange};
use crate::boot::ERASED;
use crate::image::{Image, Patch};
use crate::problem::Problem;

/// Rules whose places in the job's image are known and allowed. Only made by [`UnitRules::fit`].
#[derive(Clone, Debug)]
pub struct FittedRules {
    pub(super) rules: UnitRules,
    /// The job's image, with the blocks that the rules add, filled.
    pub(super) image: Image,
    /// Where each rule's bytes go.
    pub(super) places: Vec<AddressRange>,
}

impl FittedRules {
    /// The rules.
    pub const fn rules(&self) -> &UnitRules {
        &self.rules
    }

    /// The image of a unit that could be, so that it can be judged before any board is touched.
    ///
    /// # Errors
    /// As [`FittedRules::apply`].
    pub fn sample(&self) -> Result<Patched, Problem> {
        self.tried().map_err(not_made)
    }

    /// The image of one unit.
    ///
    /// # Errors
    /// `unit-data` (exit 20) where the unit lacks something, or a value does not fit.
    pub fn apply(&self, facts: &UnitFacts) -> Result<Patched, Problem> {
        let made = self.made(|rule, length| rule.encoded(facts, length));
        made.map_err(not_made)
    }

    /// As [`FittedRules::sample`].
    pub(super) fn tried(&self) -> Result<Patched, Failure> {
        let facts = self.rules.sample();
        self.made(|rule, length| rule.sample(&facts, length))
    }

    /// Makes a unit's image; `encoded` gives all values but CRCs, from the rule and the number of bytes it has.
    fn made(
        &self,
        encoded: impl Fn(&Rule, u32) -> Result<Encoded, String>,
    ) -> Result<Patched, Failure> {
        let rules = || self.rules.rules().iter().zip(&self.places);
        let mut fields = vec![None; self.places.len()];
        let mut patches = Vec::new();
        for ((rule, range), field) in rules().zip(&mut fields) {
            if !matches!(rule.value, Value::Crc(_)) {
                let value = encoded(rule, range.length_bytes());
                *field = Some(self.put(rule, *range, value, &mut patches)?);
            }
        }
        for ((rule, range), field) in rules().zip(&mut fields) {
            if let Value::Crc(crc) = &rule.value {
                let value = self.crc(rule, crc, &mut patches);
                *field = Some(self.put(rule, *range, value, &mut patches)?);
            }
        }
        let image = self.image.patched(&patches);
        Ok(Patched {
            image: image.ok_or_else(|| Failure::overlap("all"))?,
            fields: fields.into_iter().flatten().collect(),
        })
    }

    /// Adds a rule's bytes to `patches`.
    fn put(
        &self,
        rule: &Rule,
        range: AddressRange,
        value: Result<Encoded, String>,
        patches: &mut Vec<Patch>,
    ) -> Result<Field, Failure> {
        let padded = value.and_then(|value| rule.padded(value, range.length_bytes()));
        let value = padded.map_err(|why| Failure {
            rule: rule.name.clone(),
            why,
        })?;
        let field = Field {
            name: rule.name.clone(),
            address: range.start().to_string(),
            bytes: hex_text(&value.bytes, "", Letters::Lower),
            text: value.text,
        };
        patches.push(patch(rule, range.start(), value.bytes));
        Ok(field)
    }

    /// A CRC over what is there so far; what it covers and nobody brings is filled, where the rule says so.
    fn crc(&self, rule: &Rule, crc: &Crc, patches: &mut Vec<Patch>) -> Result<Encoded, String> {
        const OVERLAP: &str = "two rules write the same byte";
        let (_, covers) = crc.checked()?;
        let image = self.image.patched(patches).ok_or(OVERLAP)?;
        let gaps = gaps(&image, covers);
        if let (None, Some(gap)) = (crc.fill, gaps.first()) {
            return Err(format!(
                "it covers {gap}, which the image does not bring: what the flash holds there is not known"
            ));
        }
        let fill = crc.fill.unwrap_or(ERASED);
        patches.extend(gaps.iter().map(|gap| {
            let bytes = vec![fill; gap.length_bytes() as usize];
            patch(rule, gap.start(), bytes)
        }));
        let image = self.image.patched(patches).ok_or(OVERLAP)?;
        let bytes = image.bytes_at(covers.start(), covers.length_bytes() as usize);
        crc.over(bytes.ok_or("its range is not filled")?)
    }
}

/// A value that could not be made.
pub(super) struct Failure {
    /// Name of the rule.
    pub rule: String,
    /// Why.
    pub why: String,
}

impl Failure {
    fn overlap(rule: &str) -> Self {
        Failure {
            rule: rule.to_owned(),
            why: "two rules write the same byte".to_owned(),
        }
    }
}

/// Data that this unit cannot be given.
fn not_made(failure: Failure) -> Problem {
    super::rules::not_made(&failure.rule, failure.why)
}

fn patch(rule: &Rule, start: Address, bytes: Vec<u8>) -> Patch {
    Patch {
        by: format!("per-unit data `{}`", rule.name),
        start,
        bytes,
    }
}

/// What of `range` the image does not bring.
fn gaps(image: &Image, range: AddressRange) -> Vec<AddressRange> {
    let mut gaps = Vec::new();
    let mut at = range.start();
    let mut left = range.length_bytes();
    for (start, bytes) in image.pieces_in(range) {
        let gap = start.checked_from(at).unwrap_or(0);
        gaps.extend(AddressRange::new(at, gap).filter(|gap| gap.length_bytes() != 0));
        let passed = gap.saturating_add(bytes.len() as u32);
        left = left.saturating_sub(passed);
        at = at.checked_add(passed).unwrap_or(at);
    }
    gaps.extend(AddressRange::new(at, left).filter(|gap| gap.length_bytes() != 0));
    gaps
}
