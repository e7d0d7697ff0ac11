//! Laying inserted header parts over the image.

use super::boot_image::FlashRun;
use crate::address::FlashOffset;
use crate::image::Image;
use crate::target::Target;

/// A header part to insert.
pub(super) struct Piece {
    /// First byte.
    pub offset: FlashOffset,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Name for reports.
    pub name: &'static str,
}

impl Piece {
    fn end(&self) -> u64 {
        u64::from(self.offset.get()) + self.bytes.len() as u64
    }
}

/// The image's bytes with `pieces` in place of what it brings there, as ascending runs with gaps between them.
pub(super) fn overlay(image: &Image, target: &Target, pieces: &[Piece]) -> Vec<FlashRun> {
    let mut parts: Vec<FlashRun> = pieces
        .iter()
        .map(|piece| FlashRun {
            offset: piece.offset,
            bytes: piece.bytes.clone(),
        })
        .collect();
    for segment in image.segments() {
        if let Some(offset) = target.offset_of(segment.start()) {
            parts.extend(outside(offset, segment.bytes(), pieces));
        }
    }
    parts.sort_by_key(|part| part.offset);
    let mut runs: Vec<FlashRun> = Vec::new();
    for part in parts {
        match runs.last_mut() {
            Some(last) if last.end() == u64::from(part.offset.get()) => {
                last.bytes.extend(part.bytes);
            }
            _ => runs.push(part),
        }
    }
    runs
}

/// The parts of a segment that no piece replaces.
fn outside(offset: FlashOffset, bytes: &[u8], pieces: &[Piece]) -> Vec<FlashRun> {
    let start = u64::from(offset.get());
    let end = start + bytes.len() as u64;
    let mut cuts: Vec<(u64, u64)> = pieces
        .iter()
        .map(|piece| (u64::from(piece.offset.get()), piece.end()))
        .filter(|(from, to)| *from < end && *to > start)
        .collect();
    cuts.sort_unstable();
    cuts.push((end, end));
    let mut runs = Vec::new();
    let mut at = start;
    for (from, to) in cuts {
        let kept = bytes.get((at - start) as usize..(from.max(at) - start) as usize);
        if let Some(kept) = kept.filter(|kept| !kept.is_empty()) {
            runs.push(FlashRun {
                offset: FlashOffset::new(at as u32),
                bytes: kept.to_vec(),
            });
        }
        at = at.max(to.min(end));
    }
    runs
}
