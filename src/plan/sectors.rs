//! What happens to each sector: kept, programmed, or erased and programmed.

use std::collections::BTreeMap;

use super::layout::{SECTOR_LENGTH, SectorNeed};
use super::{Layout, PlanError};
use crate::address::FlashOffset;
use crate::boot::ERASED;
use crate::target::FlashPart;

/// What the survey found in a sector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SectorState {
    /// Every byte is FFh.
    Blank,
    /// Its digest is that of the final content. Only for a sector that the image fills.
    Equal,
    /// Its digest is another, and it is not blank. Only for a sector that the image fills.
    Different,
    /// Its 4096 bytes were read. Needed for a shared sector that is not blank.
    Content(Vec<u8>),
}

/// The state of every sector of a [`Layout`], by sector number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SectorMap {
    states: BTreeMap<u32, SectorState>,
    saved: Saved,
    /// Sectors of which is known what bytes of others they must hold in the end, whatever they hold now.
    certain: BTreeMap<u32, Vec<u8>>,
}

/// Bytes that an interrupted job saved on the host before it erased them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saved {
    /// The bytes.
    pub pieces: Vec<Foreign>,
    /// Whether the FCB's tag is dead, as a whole image's job leaves it until its end: nothing has run on the board since.
    pub image_is_dead: bool,
}

impl SectorMap {
    /// An empty map.
    pub fn new() -> Self {
        SectorMap::default()
    }

    /// Notes the state of a sector.
    pub fn insert(&mut self, number: u32, state: SectorState) {
        self.states.insert(number, state);
    }

    /// Adds what an interrupted job saved on the host: it is put back where the board shows that the interruption took it.
    pub fn with_saved(self, saved: Saved) -> Self {
        SectorMap { saved, ..self }
    }

    /// Adds the content that shared sectors must have in the end, by number, where an earlier plan of the same job has found
    /// it out: what they hold now may be damage.
    pub fn with_certain(mut self, sectors: &[(u32, Vec<u8>)]) -> Self {
        self.certain.extend(sectors.iter().cloned());
        self
    }

    /// Whether the bytes of others in a sector are blank now; `None` where that is not known.
    pub fn others_are_blank(&self, need: &SectorNeed) -> Option<bool> {
        match self.states.get(&need.number())? {
            SectorState::Blank => Some(true),
            SectorState::Content(now) => Some(foreign_of(need, now).is_empty()),
            SectorState::Equal | SectorState::Different => None,
        }
    }

    /// What a sector that holds `now` must hold of others in the end.
    fn restored(&self, need: &SectorNeed, now: &[u8]) -> Vec<u8> {
        let certain = self.certain.get(&need.number());
        certain.map_or_else(
            || self.saved.restore(need.offset(), now.to_vec()),
            Vec::clone,
        )
    }
}

impl Saved {
    /// `now`, what the board holds from `offset` on, with the saved bytes put back.
    ///
    /// Below a dead image they all are. Else the bits decide: a cut leaves a byte erased, half erased or half programmed,
    /// so that it has at least the saved byte's 1 bits. Where a piece shows anything else, somebody wrote since, and the
    /// board's bytes count.
    pub fn restore(&self, offset: FlashOffset, mut now: Vec<u8>) -> Vec<u8> {
        let begin = offset.get() as usize;
        let end = begin + now.len();
        let found = now.clone();
        for piece in &self.pieces {
            let start = piece.offset.get() as usize;
            let (from, to) = (start.max(begin), (start + piece.bytes.len()).min(end));
            if from >= to {
                continue;
            }
            let bytes = piece.bytes.get(from - start..to - start);
            let place = now.get_mut(from - begin..to - begin);
            let found = found.get(from - begin..to - begin);
            let (Some(bytes), Some(place), Some(found)) = (bytes, place, found) else {
                continue;
            };
            let mut pairs = found.iter().zip(bytes);
            if self.image_is_dead || pairs.all(|(now, saved)| now & saved == *saved) {
                place.copy_from_slice(bytes);
            }
        }
        now
    }
}

impl FromIterator<(u32, SectorState)> for SectorMap {
    fn from_iter<I: IntoIterator<Item = (u32, SectorState)>>(states: I) -> Self {
        SectorMap {
            states: states.into_iter().collect(),
            ..SectorMap::default()
        }
    }
}

/// What happens to a sector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SectorAction {
    /// Nothing: it holds the final content.
    Keep,
    /// Programmed without an erase.
    Program,
    /// Erased, then programmed where the final content is not FFh.
    EraseAndProgram,
}

/// Bytes of a shared sector that do not belong to the image. They are saved on the host before the erase and restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// First byte.
    pub offset: FlashOffset,
    /// The bytes as the board holds them, or held them before an interrupted job.
    pub bytes: Vec<u8>,
}

/// One sector of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedSector {
    /// Number of the sector, counted from 0.
    pub number: u32,
    /// What happens to it.
    pub action: SectorAction,
    /// Non-blank bytes of others in it; only for a sector that is erased.
    pub foreign: Vec<Foreign>,
    /// Whether it has room for bytes of others.
    pub(super) shared: bool,
    /// What it holds now, as far as that is known: all FFh, or what was read.
    pub(super) now: Option<Vec<u8>>,
    /// What it will hold, foreign bytes included.
    pub(super) content: Vec<u8>,
}

impl PlannedSector {
    /// First byte.
    pub const fn offset(&self) -> FlashOffset {
        FlashOffset::new(self.number * FlashPart::SECTOR_BYTES)
    }

    /// Whether the sector is blank now.
    pub(super) fn is_blank(&self) -> bool {
        self.now
            .as_deref()
            .is_some_and(|now| now.iter().all(|byte| *byte == ERASED))
    }

    /// Whether the first `length_bytes` are to be erased in the end.
    pub(super) fn will_be_erased(&self, length_bytes: u32) -> bool {
        let head = self.content.get(..length_bytes as usize);
        head.is_some_and(|bytes| bytes.iter().all(|byte| *byte == ERASED))
    }

    /// Whether the `length_bytes` from `offset` are blank now.
    pub(super) fn is_erased_at(&self, offset: FlashOffset, length_bytes: u32) -> bool {
        let from = offset.checked_from(self.offset());
        from.zip(self.now.as_deref())
            .and_then(|(from, now)| now.get(from as usize..(from + length_bytes) as usize))
            .is_some_and(|bytes| bytes.iter().all(|byte| *byte == ERASED))
    }

    /// Makes the sector be erased although its content would not need it.
    pub(super) fn force_erase(&mut self, need: &SectorNeed) {
        self.action = SectorAction::EraseAndProgram;
        self.foreign = foreign_of(need, &self.content);
    }
}

/// Decides for every sector of the layout.
///
/// # Errors
/// [`PlanError::SectorUnknown`] where the map lacks what is needed.
pub(super) fn decide(
    layout: &Layout,
    map: &SectorMap,
    part: &FlashPart,
) -> Result<Vec<PlannedSector>, PlanError> {
    layout
        .sectors()
        .iter()
        .map(|need| {
            let unknown = PlanError::SectorUnknown {
                sector: need.number(),
            };
            decide_one(need, map, part).ok_or(unknown)
        })
        .collect()
}

fn decide_one(need: &SectorNeed, map: &SectorMap, part: &FlashPart) -> Option<PlannedSector> {
    let (now, content, action) = match map.states.get(&need.number())? {
        SectorState::Blank => {
            let now = vec![ERASED; SECTOR_LENGTH];
            let content = need.merged_with(&map.restored(need, &now));
            let action = action_for(&now, &content, part);
            (Some(now), content, action)
        }
        SectorState::Equal => (None, need.whole_content()?.to_vec(), SectorAction::Keep),
        SectorState::Different => (
            None,
            need.whole_content()?.to_vec(),
            SectorAction::EraseAndProgram,
        ),
        SectorState::Content(now) => {
            if now.len() != SECTOR_LENGTH {
                return None;
            }
            let content = need.merged_with(&map.restored(need, now));
            let action = action_for(now, &content, part);
            (Some(now.clone()), content, action)
        }
    };
    let foreign = match action {
        SectorAction::EraseAndProgram => foreign_of(need, &content),
        SectorAction::Keep | SectorAction::Program => Vec::new(),
    };
    Some(PlannedSector {
        number: need.number(),
        action,
        foreign,
        shared: need.is_shared(),
        now,
        content,
    })
}

/// The gentlest action that turns `now` into `content`. A byte is programmed only where it is erased: NOR could clear
/// more bits of a programmed byte, but parts with ECC forbid it.
fn action_for(now: &[u8], content: &[u8], part: &FlashPart) -> SectorAction {
    if now == content {
        return SectorAction::Keep;
    }
    let page = part.page_bytes as usize;
    let programmable = now
        .chunks(page)
        .zip(content.chunks(page))
        .all(|(now, content)| {
            let whole_page_blank = now.iter().all(|byte| *byte == ERASED);
            let only_erased_bytes_change = now
                .iter()
                .zip(content)
                .all(|(now, content)| now == content || *now == ERASED);
            now == content
                || whole_page_blank
                || (part.partial_page_program && only_erased_bytes_change)
        });
    if programmable {
        SectorAction::Program
    } else {
        SectorAction::EraseAndProgram
    }
}

fn foreign_of(need: &SectorNeed, content: &[u8]) -> Vec<Foreign> {
    need.foreign()
        .filter_map(|(offset, from, to)| {
            let bytes = content.get(from..to)?.to_vec();
            let is_blank = bytes.iter().all(|byte| *byte == ERASED);
            (!is_blank).then_some(Foreign { offset, bytes })
        })
        .collect()
}
