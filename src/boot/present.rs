//! What the board holds already, as far as the survey read it.

use super::fcb::Fcb;
use super::ivt::Ivt;
use crate::address::FlashOffset;
use crate::target::BootOffsets;

/// Pieces of the board's flash, read before anything was changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Present {
    pieces: Vec<(FlashOffset, Vec<u8>)>,
}

impl Present {
    /// From the pieces that were read.
    pub fn new(pieces: Vec<(FlashOffset, Vec<u8>)>) -> Self {
        Present { pieces }
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

    /// Whether a boot header with a bootloader behind it seems to be there.
    pub fn has_boot_header(&self, offsets: &BootOffsets) -> bool {
        self.fcb(offsets).is_some() && self.ivt(offsets).is_some()
    }
}
