//! Choosing erase units: the fastest cover by the data sheet's typical times that touches no other sector.

use super::SECTOR_BYTES;
use super::sectors::{PlannedSector, SectorAction};
use super::step::Step;
use crate::address::FlashOffset;
use crate::target::{EraseUnit, FlashPart};

/// What a unit may do with a sector.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    /// Must be erased.
    Needed,
    /// Blank, so that an erase does no harm.
    Harmless,
    /// Holds bytes that stay.
    Forbidden,
}

/// Erase steps for the sectors in the aligned range of `unit_bytes` from `start`, and their typical time in us.
pub(super) fn cover(
    part: &FlashPart,
    sectors: &[PlannedSector],
    already_erased: &[u32],
    start: FlashOffset,
    unit_bytes: u32,
) -> (Vec<Step>, u64) {
    let units: Vec<&EraseUnit> = part
        .erase
        .iter()
        .filter(|unit| unit.size_bytes <= unit_bytes)
        .collect();
    best(&units, sectors, already_erased, start)
}

fn best(
    units: &[&EraseUnit],
    sectors: &[PlannedSector],
    already_erased: &[u32],
    start: FlashOffset,
) -> (Vec<Step>, u64) {
    let Some((unit, smaller)) = units.split_last() else {
        return (Vec::new(), 0);
    };
    let uses = || {
        (0..unit.size_bytes / SECTOR_BYTES)
            .map(|index| use_of(sectors, already_erased, start.get() / SECTOR_BYTES + index))
    };
    if !uses().any(|u| u == Use::Needed) {
        return (Vec::new(), 0);
    }
    let whole = (
        vec![Step::Erase {
            offset: start,
            size_bytes: unit.size_bytes,
        }],
        u64::from(unit.typ_us),
    );
    let Some(next) = smaller.last() else {
        return whole;
    };
    let mut parts = (Vec::new(), 0);
    for index in 0..unit.size_bytes / next.size_bytes {
        let Some(at) = start.checked_add(index * next.size_bytes) else {
            break;
        };
        let (steps, time_us) = best(smaller, sectors, already_erased, at);
        parts.0.extend(steps);
        parts.1 += time_us;
    }
    if uses().any(|u| u == Use::Forbidden) || parts.1 <= whole.1 {
        parts
    } else {
        whole
    }
}

fn use_of(sectors: &[PlannedSector], already_erased: &[u32], number: u32) -> Use {
    if already_erased.contains(&number) {
        return Use::Harmless;
    }
    let Ok(index) = sectors.binary_search_by_key(&number, |sector| sector.number) else {
        return Use::Forbidden;
    };
    match sectors.get(index) {
        Some(sector) if sector.action == SectorAction::EraseAndProgram => Use::Needed,
        Some(sector) if sector.is_blank() => Use::Harmless,
        _ => Use::Forbidden,
    }
}
