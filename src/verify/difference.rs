//! Where and how the flash differs from what it should hold, as far as a firmware engineer needs it to see why.

use std::fmt;

use mailbox::digest;
use mailbox::result::SECTOR_BYTES;

use super::{Expected, VerifyError};
use crate::address::FlashOffset;
use crate::algorithm::Algorithm;
use crate::boot::ERASED;

/// Differing sectors that are read to find their bytes; the others are counted.
const SECTORS_READ: usize = 16;
/// Differing ranges that are told; the others are counted.
const RANGES_TOLD: usize = 8;
/// Equal bytes between differing ones that do not part a range.
const JOIN_BYTES: u32 = 16;
/// More differing bytes than this are another content, not single bytes.
const SINGLE_BYTES: u32 = 16;

/// The first byte that differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Where it is.
    pub offset: FlashOffset,
    /// What should be there.
    pub expected: u8,
    /// What is there.
    pub found: u8,
}

impl Mismatch {
    /// Number of its 4 KiB sector.
    pub const fn sector(&self) -> u32 {
        self.offset.get() / SECTOR_BYTES
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Mismatch {
            offset,
            expected,
            found,
        } = self;
        write!(
            f,
            "flash offset {offset} (sector {}) holds 0x{found:02X} instead of 0x{expected:02X}",
            self.sector()
        )
    }
}

/// What the differing bytes have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// All of them are FFh.
    Erased,
    /// All of them are 00h.
    Zeros,
    /// Bits are 1 that should be 0, and none the other way.
    BitsStillSet,
    /// Bits are 0 that should be 1, and none the other way.
    BitsCleared,
    /// Some bytes among many that are right.
    SingleBytes,
    /// Much else.
    OtherContent,
}

impl fmt::Display for Look {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Look::Erased => "the flash is erased there: not programmed, or erased since",
            Look::Zeros => "all of them are 00h",
            Look::BitsStillSet => {
                "bits are 1 that should be 0, and none the other way: a program that was cut short or had no effect"
            }
            Look::BitsCleared => {
                "bits are 0 that should be 1, and none the other way: programmed over without an erase, or an erase that was cut short"
            }
            Look::SingleBytes => "single bytes among right ones: settings or counters that firmware writes, or a fault of the part",
            Look::OtherContent => "other content: another image, or another version of this one",
        })
    }
}

/// How the flash differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The first byte.
    pub first: Mismatch,
    /// How many 4 KiB sectors differ.
    pub sectors: u32,
    /// How many were compared.
    pub sectors_compared: u32,
    /// The first differing ranges, as offset and length in bytes, ascending. Ranges in sectors that were not read reach to
    /// their ends.
    pub ranges: Vec<(FlashOffset, u32)>,
    /// How many further ranges there are.
    pub more_ranges: u32,
    /// What the differing bytes that were read have in common.
    pub look: Look,
}

/// What the differing bytes read so far have in common.
struct Common {
    count: u32,
    erased: bool,
    zeros: bool,
    only_set: bool,
    only_cleared: bool,
}

impl Common {
    fn note(&mut self, expected: u8, found: u8) {
        self.count += 1;
        self.erased &= found == ERASED;
        self.zeros &= found == 0;
        self.only_set &= found & expected == expected;
        self.only_cleared &= found & expected == found;
    }

    const fn look(&self) -> Look {
        match self {
            Common { erased: true, .. } => Look::Erased,
            Common { zeros: true, .. } => Look::Zeros,
            Common { only_set: true, .. } => Look::BitsStillSet,
            Common {
                only_cleared: true, ..
            } => Look::BitsCleared,
            _ if self.count <= SINGLE_BYTES => Look::SingleBytes,
            _ => Look::OtherContent,
        }
    }
}

/// Finds out where and how `expected`, of which something differs, is not what the flash holds. `sectors_compared` is
/// for the report.
pub(super) fn find(
    algorithm: &mut Algorithm<'_, '_>,
    expected: &[&Expected],
    sectors_compared: u32,
) -> Result<Difference, VerifyError> {
    let pieces: Vec<(FlashOffset, &[u8])> = expected.iter().flat_map(|e| pieces(e)).collect();
    let asked: Vec<(FlashOffset, u32)> = pieces
        .iter()
        .map(|(offset, bytes)| (*offset, bytes.len() as u32))
        .collect();
    let digests = algorithm.digests(&asked)?;
    let differing: Vec<(FlashOffset, &[u8])> = pieces
        .iter()
        .zip(digests)
        .filter(|((_, bytes), (nonce, found))| digest::digest(*nonce, bytes) != *found)
        .map(|(piece, _)| *piece)
        .collect();
    let unstable = |offset| VerifyError::Unstable { offset };
    let start = pieces.first().map_or(FlashOffset::ZERO, |piece| piece.0);
    let mut first = None;
    let mut common = Common {
        count: 0,
        erased: true,
        zeros: true,
        only_set: true,
        only_cleared: true,
    };
    let mut ranges: Vec<(FlashOffset, u32)> = Vec::new();
    for (index, (offset, bytes)) in differing.iter().enumerate() {
        if index >= SECTORS_READ {
            join(&mut ranges, *offset, bytes.len() as u32);
            continue;
        }
        let read = algorithm.read(*offset, bytes.len() as u32)?;
        let before = common.count;
        for (distance, (expected, found)) in (0..).zip(bytes.iter().zip(read)) {
            if *expected == found {
                continue;
            }
            let at = FlashOffset::new(offset.get() + distance);
            first = first.or(Some(Mismatch {
                offset: at,
                expected: *expected,
                found,
            }));
            common.note(*expected, found);
            join(&mut ranges, at, 1);
        }
        if common.count == before {
            return Err(unstable(*offset));
        }
    }
    let more = ranges.len().saturating_sub(RANGES_TOLD);
    ranges.truncate(RANGES_TOLD);
    Ok(Difference {
        first: first.ok_or(unstable(start))?,
        sectors: sectors_of(&differing),
        sectors_compared,
        ranges,
        more_ranges: more as u32,
        look: common.look(),
    })
}

fn join(ranges: &mut Vec<(FlashOffset, u32)>, at: FlashOffset, length: u32) {
    match ranges.last_mut() {
        Some((start, so_far)) if at.get() - (start.get() + *so_far) < JOIN_BYTES => {
            *so_far = at.get() + length - start.get();
        }
        _ => ranges.push((at, length)),
    }
}

/// How many sectors pieces lie in; two ranges may share one.
fn sectors_of(pieces: &[(FlashOffset, &[u8])]) -> u32 {
    let mut sectors: Vec<u32> = pieces
        .iter()
        .map(|(offset, _)| offset.get() / SECTOR_BYTES)
        .collect();
    sectors.dedup();
    sectors.len() as u32
}

/// How many sectors lie in `expected`.
pub(super) fn sectors_in(expected: &[Expected]) -> u32 {
    let pieces: Vec<(FlashOffset, &[u8])> = expected.iter().flat_map(pieces).collect();
    sectors_of(&pieces)
}

/// The range cut at sector boundaries.
fn pieces(expected: &Expected) -> Vec<(FlashOffset, &[u8])> {
    let mut pieces = Vec::new();
    let mut at = expected.offset.get();
    let mut rest = expected.bytes.as_slice();
    while !rest.is_empty() {
        let room = (SECTOR_BYTES - at % SECTOR_BYTES) as usize;
        let (piece, left) = rest.split_at(room.min(rest.len()));
        pieces.push((FlashOffset::new(at), piece));
        at += piece.len() as u32;
        rest = left;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(bytes: &[(u8, u8)]) -> Look {
        let mut common = Common {
            count: 0,
            erased: true,
            zeros: true,
            only_set: true,
            only_cleared: true,
        };
        for (expected, found) in bytes {
            common.note(*expected, *found);
        }
        common.look()
    }

    #[test]
    fn differing_bytes_are_told_by_what_they_have_in_common() {
        assert_eq!(look(&[(0x12, 0xFF), (0x00, 0xFF)]), Look::Erased);
        assert_eq!(look(&[(0x12, 0x00), (0xFF, 0x00)]), Look::Zeros);
        assert_eq!(look(&[(0x12, 0x13), (0x00, 0xFF)]), Look::BitsStillSet);
        assert_eq!(look(&[(0x13, 0x12), (0xFF, 0x7F)]), Look::BitsCleared);
        assert_eq!(look(&[(0x13, 0x12), (0x00, 0x80)]), Look::SingleBytes);
        assert_eq!(look(&[(0x5A, 0xA5); 17]), Look::OtherContent);
    }

    #[test]
    fn ranges_join_over_a_few_equal_bytes_only() {
        let mut ranges = Vec::new();
        for at in [0x10, 0x11, 0x20, 0x31 + JOIN_BYTES] {
            join(&mut ranges, FlashOffset::new(at), 1);
        }
        join(&mut ranges, FlashOffset::new(0x1000), SECTOR_BYTES);
        join(&mut ranges, FlashOffset::new(0x2000), SECTOR_BYTES);
        let ranges: Vec<(u32, u32)> = ranges.iter().map(|(o, l)| (o.get(), *l)).collect();
        assert_eq!(ranges, [(0x10, 0x11), (0x41, 1), (0x1000, 0x2000)]);
    }

    #[test]
    fn two_ranges_in_one_sector_are_one_sector() {
        let expected = |offset, length| Expected {
            offset: FlashOffset::new(offset),
            bytes: vec![0; length],
        };
        assert_eq!(
            sectors_in(&[expected(0x1F00, 0x200), expected(0x2F00, 8)]),
            2
        );
    }
}
