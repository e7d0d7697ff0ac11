//! What the user wants in the flash: segments read from files, sorted, never overlapping, that know where they came from.

mod error;
mod format;
mod intel_hex;
mod segment;

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

pub use error::{Conflict, ImageError};
pub use format::Format;
pub use segment::{Segment, Source};

use crate::address::{Address, AddressRange};
use crate::problem::Place;

/// One input file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// The name as the user gave it.
    pub path: PathBuf,
    /// What its content showed it to be.
    pub format: Format,
    /// SHA-256 of the file as it was read.
    pub sha256: [u8; 32],
    /// Size of the file in bytes.
    pub size_bytes: u64,
}

impl Input {
    /// SHA-256 in hex.
    pub fn sha256_text(&self) -> String {
        self.sha256
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

/// Segments of one or more input files. Only made by [`Image::parse`] and [`Image::merge`], which check it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    inputs: Vec<Input>,
    segments: Vec<Segment>,
}

impl Image {
    /// Reads a file's content; its format is recognised by that content.
    ///
    /// # Errors
    /// [`ImageError`] with the line where the file is malformed.
    pub fn parse(path: &Path, content: &[u8]) -> Result<Self, ImageError> {
        let format = Format::detect(path, content)?;
        let chunks = match format {
            Format::IntelHex => intel_hex::read(path, content)?,
        };
        let segments = segment::join(chunks).map_err(|overlap| ImageError::OverlapInFile {
            path: path.to_owned(),
            address: overlap.address,
            line: overlap.second.line,
            earlier_line: overlap.first.line,
        })?;
        if segments.is_empty() {
            return Err(ImageError::NoData {
                path: path.to_owned(),
            });
        }
        let input = Input {
            path: path.to_owned(),
            format,
            sha256: Sha256::digest(content).into(),
            size_bytes: content.len() as u64,
        };
        Ok(Image {
            inputs: vec![input],
            segments,
        })
    }

    /// Joins images. Bytes that several files bring must be equal; the first file then counts as their origin.
    ///
    /// # Errors
    /// [`ImageError::Conflict`] with both files and the first address at which they differ;
    /// [`ImageError::NoInput`] without any image.
    pub fn merge(images: Vec<Image>) -> Result<Self, ImageError> {
        let mut merged: Option<Image> = None;
        for image in images {
            merged = Some(match merged {
                None => image,
                Some(earlier) => earlier.joined_with(image)?,
            });
        }
        merged.ok_or(ImageError::NoInput)
    }

    /// The input files, in the order given.
    pub fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    /// Segments in ascending order, with at least one byte between two of them that no file brings.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Number of bytes brought.
    pub fn len_bytes(&self) -> u64 {
        self.segments.iter().map(|s| s.bytes().len() as u64).sum()
    }

    /// The `length` bytes from `address`, or `None` unless the image brings them all.
    pub fn bytes_at(&self, address: Address, length: usize) -> Option<&[u8]> {
        let index = self.segments.partition_point(|s| s.start() <= address);
        let segment = self.segments.get(index.checked_sub(1)?)?;
        let from = address.checked_from(segment.start())? as usize;
        segment.bytes().get(from..from.checked_add(length)?)
    }

    /// The little-endian word at `address`, or `None` unless the image brings all four bytes.
    pub fn word_at(&self, address: Address) -> Option<u32> {
        let bytes: [u8; 4] = self.bytes_at(address, 4)?.try_into().ok()?;
        Some(u32::from_le_bytes(bytes))
    }

    /// The pieces of the image inside `range`, as start address and bytes.
    pub fn pieces_in(&self, range: AddressRange) -> impl Iterator<Item = (Address, &[u8])> {
        self.segments.iter().filter_map(move |s| s.piece_in(range))
    }

    /// Whether the image brings a byte for `address`.
    pub fn covers(&self, address: Address) -> bool {
        self.bytes_at(address, 1).is_some()
    }

    /// Where the byte at `address` came from: file, and line where the format has lines.
    pub fn place_of(&self, address: Address) -> Option<Place> {
        let index = self.segments.partition_point(|s| s.start() <= address);
        let segment = self.segments.get(index.checked_sub(1)?)?;
        let source = segment.source_of(address)?;
        let input = self.inputs.get(source.input)?;
        Some(Place {
            file: Some(input.path.clone()),
            line: source.line,
            address: Some(address),
            sector: None,
        })
    }

    /// Checks that every byte lies in `window`, the bus addresses at which the flash part appears.
    ///
    /// # Errors
    /// [`ImageError::OutsideWindow`] with the first byte outside.
    pub fn require_inside(&self, window: AddressRange) -> Result<(), ImageError> {
        for segment in &self.segments {
            let Some(address) = segment.first_outside(window) else {
                continue;
            };
            return Err(ImageError::OutsideWindow {
                address,
                window,
                place: self.place_of(address).unwrap_or_default(),
            });
        }
        Ok(())
    }

    fn joined_with(self, later: Image) -> Result<Self, ImageError> {
        let Image {
            mut inputs,
            segments,
        } = self;
        let first_of_later = inputs.len();
        inputs.extend(later.inputs);
        let mut chunks: Vec<Segment> = segments;
        for segment in later.segments {
            let segment = segment.with_inputs_moved(first_of_later);
            let (rest, conflict) = segment.without(&chunks);
            if let Some(address) = conflict {
                return Err(conflict_between(&inputs, &chunks, &segment, address));
            }
            chunks.extend(rest);
        }
        let segments = segment::join(chunks).map_err(|overlap| ImageError::Conflict {
            address: overlap.address,
            conflict: Box::default(),
        })?;
        Ok(Image { inputs, segments })
    }
}

/// Names both files of a difference that [`Segment::without`] found.
fn conflict_between(
    inputs: &[Input],
    earlier: &[Segment],
    later: &Segment,
    address: Address,
) -> ImageError {
    let side = |segment: Option<&Segment>| {
        let place = segment.and_then(|s| s.source_of(address)).map(|source| {
            Place::in_file(
                inputs
                    .get(source.input)
                    .map(|input| input.path.clone())
                    .unwrap_or_default(),
                source.line,
            )
        });
        (
            place.unwrap_or_default(),
            segment.and_then(|s| s.byte_at(address)).unwrap_or_default(),
        )
    };
    let (first, first_byte) = side(earlier.iter().find(|s| s.byte_at(address).is_some()));
    let (second, second_byte) = side(Some(later));
    ImageError::Conflict {
        address,
        conflict: Box::new(Conflict {
            first,
            first_byte,
            second,
            second_byte,
        }),
    }
}

#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;
