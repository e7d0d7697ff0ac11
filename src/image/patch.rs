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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::sample::image_of;

    fn patch(by: &str, start: u32, bytes: &[u8]) -> Patch {
        Patch {
            by: by.to_owned(),
            start: Address::new(start),
            bytes: bytes.to_vec(),
        }
    }

    #[test]
    fn patches_replace_and_add_bytes_that_know_who_put_them_there() {
        let image = image_of(&[(0x6000_2000, vec![0x11; 16])]);
        let patched = image
            .patched(&[
                patch("serial", 0x6000_2004, &[1, 2]),
                patch("mac", 0x6000_200E, &[3, 4, 5]),
                patch("serial", 0x6000_3000, &[6]),
            ])
            .expect("an image");
        let start = Address::new(0x6000_2000);
        let expected = [
            17, 17, 17, 17, 1, 2, 17, 17, 17, 17, 17, 17, 17, 17, 3, 4, 5,
        ];
        assert_eq!(patched.bytes_at(start, 17), Some(&expected[..]));
        assert_eq!(patched.len_bytes(), 18);
        let of = |address| {
            let place = patched.place_of(Address::new(address)).expect("a place");
            place.file.expect("a name").display().to_string()
        };
        assert_eq!(of(0x6000_2003), "app.hex");
        assert_eq!(of(0x6000_2005), "serial");
        assert_eq!(of(0x6000_2006), "app.hex");
        assert_eq!(of(0x6000_2010), "mac");
        assert_eq!(of(0x6000_3000), "serial");
        assert_eq!(patched.inputs().len(), 3);
        assert_eq!(patched.inputs()[1].size_bytes, 3);
    }

    #[test]
    fn patches_that_overlap_are_no_image() {
        let image = image_of(&[(0x6000_2000, vec![0x11; 16])]);
        let two = [
            patch("a", 0x6000_2000, &[1, 2]),
            patch("b", 0x6000_2001, &[2]),
        ];
        assert_eq!(image.patched(&two), None);
        assert_eq!(image.patched(&[patch("a", 0xFFFF_FFFF, &[1, 2])]), None);
    }
}
