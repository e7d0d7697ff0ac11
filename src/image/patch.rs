//! An image with some bytes replaced or added, each of which knows who put it there.

use std::path::PathBuf;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::segment::{self, Segment};
use super::source::{Position, Source};
use super::{Format, Image, Input, Placement};
use crate::address::Address;

/// Bytes that go over what files bring, or beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    /// Who puts them there, for messages; patches with the same name count as one input.
    pub by: String,
    /// Where the first one goes.
    pub start: Address,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl Image {
    /// The image with `patches`; everything else stays as it is. `None` where two of them bring the same address, or one
    /// leaves the 32-bit bus.
    pub fn patched(&self, patches: &[Patch]) -> Option<Self> {
        let mut inputs = self.inputs.clone();
        let mut pieces: Vec<Segment> = Vec::new();
        for patch in patches.iter().filter(|patch| !patch.bytes.is_empty()) {
            let path = PathBuf::from(&patch.by);
            let known = inputs.iter().skip(self.inputs.len());
            let known = known.clone().position(|input| input.path == path);
            let input = known.map_or(inputs.len(), |index| self.inputs.len() + index);
            if known.is_none() {
                inputs.push(input_of(patches, &patch.by));
            }
            let source = Source {
                input,
                position: Position::Offset(0),
            };
            pieces.push(Segment::new(patch.start, patch.bytes.clone(), source)?);
        }
        let pieces = segment::join(pieces).ok()?;
        let rest = self.segments.iter();
        let mut all: Vec<Segment> = rest.flat_map(|segment| segment.outside(&pieces)).collect();
        all.extend(pieces);
        let segments = segment::join(all).ok()?;
        Some(Image { inputs, segments })
    }
}

/// All that `by` brings, as one input.
fn input_of(patches: &[Patch], by: &str) -> Input {
    let own = || patches.iter().filter(|patch| patch.by == by);
    let mut hash = Sha256::new();
    own().for_each(|patch| hash.update(&patch.bytes));
    let start = own().map(|patch| patch.start).min();
    Input {
        path: PathBuf::from(by),
        format: Format::Raw,
        sha256: hash.finalize().into(),
        size_bytes: own().map(|patch| patch.bytes.len() as u64).sum(),
        placement: Placement::PerUnit {
            start: start.unwrap_or(Address::new(0)),
        },
        sections: Vec::new(),
        symbols: Arc::default(),
    }
}
