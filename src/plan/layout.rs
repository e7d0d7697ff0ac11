//! Which sectors an image lies in, before anything is known of the board.

use super::SECTOR_BYTES;
use crate::address::FlashOffset;
use crate::boot::{BootImage, ERASED};
use crate::target::FlashPart;

/// Sector size as an index.
pub(super) const SECTOR_LENGTH: usize = SECTOR_BYTES as usize;

/// What the image needs of one sector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectorNeed {
    number: u32,
    /// The image's bytes, FFh where it brings none.
    content: Vec<u8>,
    /// Byte ranges inside the sector that the image does not bring, ascending.
    foreign: Vec<(usize, usize)>,
}

impl SectorNeed {
    /// Number of the 4 KiB sector, counted from 0.
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// First byte.
    pub const fn offset(&self) -> FlashOffset {
        FlashOffset::new(self.number * SECTOR_BYTES)
    }

    /// Whether the image leaves bytes of the sector to others. Then the board's content must be read to plan it,
    /// unless the sector is blank.
    pub fn is_shared(&self) -> bool {
        !self.foreign.is_empty()
    }

    /// The whole final sector, or `None` for a shared sector, whose other bytes only the board knows.
    pub fn whole_content(&self) -> Option<&[u8]> {
        self.foreign.is_empty().then_some(self.content.as_slice())
    }

    /// The final sector, with the foreign bytes taken from what the sector holds now.
    pub(super) fn merged_with(&self, now: &[u8]) -> Vec<u8> {
        let mut merged = self.content.clone();
        for (from, to) in &self.foreign {
            if let (Some(to_fill), Some(kept)) = (merged.get_mut(*from..*to), now.get(*from..*to)) {
                to_fill.copy_from_slice(kept);
            }
        }
        merged
    }

    /// Ranges that the image does not bring, as flash offsets.
    pub(super) fn foreign(&self) -> impl Iterator<Item = (FlashOffset, usize, usize)> {
        self.foreign.iter().filter_map(|(from, to)| {
            let offset = self.offset().checked_add(u32::try_from(*from).ok()?)?;
            Some((offset, *from, *to))
        })
    }
}

/// All sectors that an image lies in: what the survey must find out about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    needs: Vec<SectorNeed>,
}

impl Layout {
    /// The sectors of an image.
    pub fn new(boot_image: &BootImage) -> Self {
        let mut gathered = Gathered::default();
        for run in boot_image.runs() {
            let mut rest = run.bytes.as_slice();
            let mut at = run.offset.get();
            while !rest.is_empty() {
                let room = (SECTOR_BYTES - at % SECTOR_BYTES) as usize;
                let (piece, later) = rest.split_at(rest.len().min(room));
                if let Some(bytes) = gathered.cover(at, piece.len()) {
                    bytes.copy_from_slice(piece);
                }
                rest = later;
                at = at.saturating_add(piece.len() as u32);
            }
        }
        gathered.into_layout()
    }

    /// The sectors of ranges that are to be erased, given as offset and length in bytes, ascending and apart.
    pub(super) fn erased(ranges: &[(FlashOffset, u32)]) -> Self {
        let mut gathered = Gathered::default();
        for (start, length) in ranges {
            let (mut at, mut left) = (start.get(), *length);
            while left > 0 {
                let piece = left.min(SECTOR_BYTES - at % SECTOR_BYTES);
                // a sector begins as FFh
                gathered.cover(at, piece as usize);
                left -= piece;
                at = at.saturating_add(piece);
            }
        }
        gathered.into_layout()
    }

    /// The sectors, ascending.
    pub fn sectors(&self) -> &[SectorNeed] {
        &self.needs
    }

    /// The sectors as gapless ranges of offset and length in bytes, for map requests.
    pub fn ranges(&self) -> Vec<(FlashOffset, u32)> {
        let mut ranges: Vec<(FlashOffset, u32)> = Vec::new();
        for need in &self.needs {
            match ranges.last_mut() {
                Some((start, length)) if start.get() + *length == need.offset().get() => {
                    *length += FlashPart::SECTOR_BYTES;
                }
                _ => ranges.push((need.offset(), FlashPart::SECTOR_BYTES)),
            }
        }
        ranges
    }
}

/// Sectors with what is known so far of the bytes to be brought.
#[derive(Default)]
struct Gathered {
    needs: Vec<SectorNeed>,
    covered: Vec<Vec<(usize, usize)>>,
}

impl Gathered {
    /// Takes `length` bytes from `at`, which stay inside a sector, as belonging to the job; they are FFh until written.
    fn cover(&mut self, at: u32, length: usize) -> Option<&mut [u8]> {
        let number = at / SECTOR_BYTES;
        let from = (at % SECTOR_BYTES) as usize;
        if self.needs.last().map(SectorNeed::number) != Some(number) {
            self.needs.push(SectorNeed {
                number,
                content: vec![ERASED; SECTOR_LENGTH],
                foreign: Vec::new(),
            });
            self.covered.push(Vec::new());
        }
        self.covered.last_mut()?.push((from, from + length));
        self.needs.last_mut()?.content.get_mut(from..from + length)
    }

    fn into_layout(self) -> Layout {
        let mut needs = self.needs;
        for (need, covered) in needs.iter_mut().zip(self.covered) {
            need.foreign = complement(&covered);
        }
        Layout { needs }
    }
}

/// The parts of a sector outside `covered`, which ascends without overlap.
fn complement(covered: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let mut gaps = Vec::new();
    let mut at = 0;
    for (from, to) in covered {
        if *from > at {
            gaps.push((at, *from));
        }
        at = *to;
    }
    if at < SECTOR_LENGTH {
        gaps.push((at, SECTOR_LENGTH));
    }
    gaps
}
