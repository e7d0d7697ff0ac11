//! What the board holds already, as far as the survey read it.

use super::boot_image::{ERASED, FlashRun};
use super::fcb::Fcb;
use super::ivt::Ivt;
use crate::address::{Address, FlashOffset};
use crate::target::{BootOffsets, Target};

/// Pieces of the board's flash, read before anything was changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Present {
    pieces: Vec<(FlashOffset, Vec<u8>)>,
}

impl Present {
    /// From the pieces that were read.
    pub const fn new(pieces: Vec<(FlashOffset, Vec<u8>)>) -> Self {
        Present { pieces }
    }

    /// Adds a piece that was read.
    pub fn add(&mut self, offset: FlashOffset, bytes: Vec<u8>) {
        self.pieces.push((offset, bytes));
    }

    /// The pieces as they were read.
    pub fn pieces(&self) -> impl Iterator<Item = (FlashOffset, &[u8])> {
        let pieces = self.pieces.iter();
        pieces.map(|(offset, bytes)| (*offset, bytes.as_slice()))
    }

    /// The same with `runs` written over it.
    pub fn below(self, runs: &[FlashRun]) -> Self {
        let written = runs.iter().map(|run| (run.offset, run.bytes.clone()));
        Present {
            pieces: written.chain(self.pieces).collect(),
        }
    }

    /// Whether this very piece was read.
    pub(super) fn has(&self, offset: FlashOffset, length_bytes: u32) -> bool {
        let mut pieces = self.pieces.iter();
        pieces.any(|(start, bytes)| *start == offset && bytes.len() as u64 >= length_bytes.into())
    }

    /// The pieces by bus address, without those that are erased: nothing is there that could be started.
    pub(super) fn by_address(&self, target: &Target) -> Vec<(Address, Vec<u8>)> {
        let pieces = self.pieces.iter();
        pieces
            .filter(|(_, bytes)| bytes.iter().any(|byte| *byte != ERASED))
            .filter_map(|(offset, bytes)| Some((target.address_of(*offset)?, bytes.clone())))
            .collect()
    }

    /// The `N` bytes from `offset`, or `None` unless one piece holds them all.
    pub fn bytes_at<const N: usize>(&self, offset: FlashOffset) -> Option<&[u8; N]> {
        self.pieces.iter().find_map(|(start, bytes)| {
            let from = offset.checked_from(*start)? as usize;
            bytes.get(from..)?.first_chunk::<N>()
        })
    }

    /// The FCB, if its tag is right.
    pub fn fcb(&self, offsets: &BootOffsets) -> Option<Fcb> {
        let fcb = Fcb::parse(self.bytes_at(offsets.fcb_offset)?);
        fcb.has_tag().then_some(fcb)
    }

    /// The IVT, if its tag is right.
    pub fn ivt(&self, offsets: &BootOffsets) -> Option<Ivt> {
        Ivt::parse(self.bytes_at(offsets.ivt_offset)?)
    }
}
