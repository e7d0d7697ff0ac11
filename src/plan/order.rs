//! The order of the steps: the old image dies first, the new one lives last.

use super::erase;
use super::sectors::{PlannedSector, SectorAction};
use super::status::StatusChange;
use super::step::{Step, VerifyScope};
use super::{FCB_BYTES, SECTOR_BYTES};
use crate::address::FlashOffset;
use crate::boot::{CommitMark, ERASED, Fcb};
use crate::target::FlashPart;

/// Block in which erases and programs are kept together, so that their transfer can overlap later.
const BLOCK_BYTES: u32 = 0x1_0000;

/// What dies before anything else changes, and lives last: the FCB, without whose tag the ROM starts nothing, or the
/// first sectors of the slots that change, without which the resident bootloader finds no image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mark(Vec<Header>);

impl Mark {
    /// The mark of an image; of its slots those in which a sector changes.
    pub(super) fn new(mark: CommitMark, sectors: &[PlannedSector], part: &FlashPart) -> Self {
        let starts = match mark {
            CommitMark::FcbTag(fcb) => return Mark(vec![Header::new(fcb, FCB_BYTES, part)]),
            CommitMark::FirstSectors(starts) => starts,
        };
        let starts: Vec<FlashOffset> = starts
            .iter()
            .map(|start| start.floor_to(SECTOR_BYTES))
            .collect();
        let ends = starts.iter().skip(1).copied();
        let ends = ends.chain([FlashOffset::new(u32::MAX)]);
        let changes = |(start, end): &(FlashOffset, FlashOffset)| {
            let slot = *start..*end;
            sectors
                .iter()
                .filter(|sector| slot.contains(&sector.offset()))
                .any(|sector| sector.action != SectorAction::Keep)
        };
        let changed = starts.iter().copied().zip(ends).filter(changes);
        Mark(
            changed
                .map(|(start, _)| Header::new(start, SECTOR_BYTES, part))
                .collect(),
        )
    }

    pub(super) fn headers(&self) -> &[Header] {
        &self.0
    }

    /// What an erase takes away first: of the places given, as offset and length in bytes, the first in whose sector
    /// something changes. Each begins a sector and is no longer than one.
    pub(super) fn of_erasure(
        places: &[(FlashOffset, u32)],
        sectors: &[PlannedSector],
        part: &FlashPart,
    ) -> Self {
        let changes = |start: FlashOffset| {
            let mut changing = sectors
                .iter()
                .filter(|sector| sector.action != SectorAction::Keep);
            changing.any(|sector| sector.offset() == start)
        };
        let first = places.iter().find(|(start, _)| changes(*start));
        let header = first.map(|(start, length)| Header::new(*start, *length, part));
        Mark(header.into_iter().collect())
    }

    /// The header that begins in this sector.
    pub(super) fn header_in(&self, sector: &PlannedSector) -> Option<Header> {
        let mut headers = self.0.iter().copied();
        headers.find(|header| header.start == sector.offset())
    }

    /// Whether the sector must be erased although its content would not need it: what it holds would count as whole.
    pub(super) fn must_die(&self, sector: &PlannedSector) -> bool {
        self.header_in(sector)
            .is_some_and(|header| !sector.is_erased_at(header.start, header.length_bytes))
    }

    /// Whether the byte at `offset` is programmed at the end.
    fn is_late(&self, offset: FlashOffset) -> bool {
        self.0.iter().any(|header| header.contains(offset))
    }
}

/// Bytes that make an image count, split into the word that is written last and the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// First byte; a sector start.
    pub start: FlashOffset,
    /// Length in bytes; within the sector.
    pub length_bytes: u32,
    /// Bytes at the start that are programmed last: the tag word, or its page where a page takes one program only.
    pub tag_bytes: u32,
}

impl Header {
    const fn new(start: FlashOffset, length_bytes: u32, part: &FlashPart) -> Self {
        Header {
            start,
            length_bytes,
            tag_bytes: if part.partial_page_program {
                Fcb::TAG_BYTES
            } else {
                part.page_bytes
            },
        }
    }

    const fn contains(self, offset: FlashOffset) -> bool {
        match offset.checked_from(self.start) {
            Some(distance) => distance < self.length_bytes,
            None => false,
        }
    }

    /// The bytes behind the commit mark.
    pub(super) const fn rest(self) -> (FlashOffset, u32) {
        let offset = FlashOffset::new(self.start.get() + self.tag_bytes);
        (offset, self.length_bytes - self.tag_bytes)
    }
}

/// How what must be erased is erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Erasing {
    /// By the fastest units, each before what is programmed there, so that the transfer overlaps.
    Units,
    /// All at once. Every sector of the part must be among those planned, and none kept or begun.
    Chip,
}

/// All steps for sectors of which at least one changes. The sectors of `mark` are among them, and change too.
pub(super) fn steps(
    part: &FlashPart,
    sectors: &[PlannedSector],
    mark: &Mark,
    status: Option<StatusChange>,
    erasing: Erasing,
) -> Vec<Step> {
    let mut steps = Vec::new();
    let set_status = status.map(|change| Step::SetStatus {
        value: change.value,
        mask: change.mask,
    });
    // Protected blocks ignore the kill silently, so here, and only here, the status comes first.
    let status_first = status.is_some_and(|change| change.unprotects);
    steps.extend(set_status.filter(|_| status_first));
    let already_erased = kill(part, sectors, mark, &mut steps);
    steps.extend(set_status.filter(|_| !status_first));
    let wanted = |offset: FlashOffset| !mark.is_late(offset);
    if erasing == Erasing::Chip {
        steps.push(Step::Erase {
            offset: FlashOffset::ZERO,
            size_bytes: part.size_bytes,
        });
        steps.extend(programs(part, sectors, wanted));
        commit(mark, sectors, &mut steps);
        return steps;
    }
    let largest = part
        .erase
        .iter()
        .map(|unit| unit.size_bytes)
        .filter(|size| *size <= BLOCK_BYTES)
        .max()
        .unwrap_or(SECTOR_BYTES);
    let mut rest = sectors;
    while let Some(first) = rest.first() {
        let block = first.offset().floor_to(largest);
        let inside = rest.partition_point(|s| s.offset().floor_to(largest) == block);
        let (here, later) = rest.split_at(inside);
        let (erases, _) = erase::cover(part, sectors, &already_erased, block, largest);
        steps.extend(erases);
        steps.extend(programs(part, here, wanted));
        rest = later;
    }
    commit(mark, sectors, &mut steps);
    steps
}

/// Takes the mark away; the sectors erased for that.
fn kill(
    part: &FlashPart,
    sectors: &[PlannedSector],
    mark: &Mark,
    steps: &mut Vec<Step>,
) -> Vec<u32> {
    let marked: Vec<(&PlannedSector, Header)> = sectors
        .iter()
        .filter_map(|sector| Some((sector, mark.header_in(sector)?)))
        .collect();
    let living = marked
        .iter()
        .filter(|(sector, _)| part.partial_page_program && tag_may_live(sector));
    steps.extend(living.map(|(_, header)| Step::KillTag {
        offset: header.start,
    }));
    let erased = || {
        marked
            .iter()
            .map(|(sector, _)| sector)
            .filter(|sector| sector.action == SectorAction::EraseAndProgram)
    };
    steps.extend(erased().map(|sector| Step::Erase {
        offset: sector.offset(),
        size_bytes: SECTOR_BYTES,
    }));
    erased().map(|sector| sector.number).collect()
}

/// Puts the mark there, after all else was verified. One that is to stay erased is there already.
fn commit(mark: &Mark, sectors: &[PlannedSector], steps: &mut Vec<Step>) {
    let is_erased = |header: &Header| {
        sectors.iter().any(|sector| {
            sector.offset() == header.start && sector.will_be_erased(header.length_bytes)
        })
    };
    let headers = || mark.headers().iter().filter(|header| !is_erased(header));
    if headers().next().is_some() {
        steps.push(Step::Verify(VerifyScope::AllButMark));
        steps.extend(headers().map(|header| {
            let (offset, length_bytes) = header.rest();
            Step::ProgramHeader {
                offset,
                length_bytes,
            }
        }));
        steps.push(Step::Verify(VerifyScope::MarkWithoutTag));
        steps.extend(headers().map(|header| Step::ProgramTag {
            offset: header.start,
            length_bytes: header.tag_bytes,
        }));
    }
    steps.push(Step::Verify(VerifyScope::Everything));
}

/// Whether the sector may begin with a tag now. An erased or a zero word is dead already.
fn tag_may_live(sector: &PlannedSector) -> bool {
    let tag = sector.now.as_deref().and_then(|now| now.first_chunk::<4>());
    !matches!(tag, Some([ERASED, ERASED, ERASED, ERASED] | [0, 0, 0, 0]))
}

/// Program steps for those pages of sectors whose start is `wanted`. Blank content is not programmed.
fn programs(
    part: &FlashPart,
    sectors: &[PlannedSector],
    wanted: impl Fn(FlashOffset) -> bool,
) -> Vec<Step> {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for sector in sectors {
        if sector.action == SectorAction::Keep {
            continue;
        }
        let page_bytes = part.page_bytes as usize;
        for (index, content) in sector.content.chunks(page_bytes).enumerate() {
            let from = index * page_bytes;
            let start = sector.offset().get() + from as u32;
            if !wanted(FlashOffset::new(start)) {
                continue;
            }
            let now = match sector.action {
                SectorAction::Program => sector.now.as_deref(),
                _ => None,
            };
            let now = now.and_then(|now| now.get(from..from + content.len()));
            for (from, to) in changes(now, content) {
                push(&mut ranges, start + from as u32, start + to as u32);
            }
        }
    }
    ranges
        .into_iter()
        .map(|(from, to)| Step::Program {
            offset: FlashOffset::new(from),
            length_bytes: to - from,
        })
        .collect()
}

/// The algorithm takes addresses of whole words only: its FIFO is filled by words.
const WORD_BYTES: usize = 4;

/// What must be programmed in a page: all of a blank one, only the words with missing bytes of a begun one. The other
/// bytes of such a word get the value that they have.
fn changes(now: Option<&[u8]>, content: &[u8]) -> Vec<(usize, usize)> {
    let is_blank = |bytes: &[u8]| bytes.iter().all(|byte| *byte == ERASED);
    let Some(now) = now.filter(|now| !is_blank(now)) else {
        return if is_blank(content) {
            Vec::new()
        } else {
            vec![(0, content.len())]
        };
    };
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for (at, _) in now
        .iter()
        .zip(content)
        .enumerate()
        .filter(|(_, (a, b))| a != b)
    {
        let from = at - at % WORD_BYTES;
        let end = (from + WORD_BYTES).min(content.len());
        match runs.last_mut() {
            Some((_, to)) if *to >= from => *to = end,
            _ => runs.push((from, end)),
        }
    }
    runs
}

fn push(ranges: &mut Vec<(u32, u32)>, from: u32, to: u32) {
    match ranges.last_mut() {
        Some((_, end)) if *end == from => *end = to,
        _ => ranges.push((from, to)),
    }
}
