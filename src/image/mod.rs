//! What the user wants in the flash: segments read from files, sorted, never overlapping, that know where they came from.

mod elf;
mod error;
mod fault;
mod format;
mod intel_hex;
mod patch;
mod pin;
mod placement;
mod read;
mod record_lines;
mod rom_places;
mod s_record;
mod segment;
mod source;
mod symbols;
pub(crate) mod uf2;

use std::path::PathBuf;
use std::sync::Arc;

pub use error::{Conflict, ImageError, RawGuess};
pub use fault::{BinaryFault, RecordFault};
pub use format::Format;
pub use patch::Patch;
pub use pin::{FileHash, NoHash};
pub use placement::Placement;
pub use rom_places::{Landmark, RomPlaces};
pub use segment::Segment;
pub use source::{Position, Source};
pub use symbols::{NoSymbol, SymbolPlace};

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
    /// How it came to its addresses.
    pub placement: Placement,
    sections: Vec<elf::Section>,
    /// Shared, because images are copied and a program may have many.
    symbols: Arc<symbols::Symbols>,
}

impl Input {
    /// What is no file: the bytes that a board holds.
    fn board() -> Self {
        Input {
            path: PathBuf::from(Place::BOARD),
            format: Format::Raw,
            sha256: [0; 32],
            size_bytes: 0,
            placement: Placement::OwnAddresses,
            sections: Vec::new(),
            symbols: Arc::default(),
        }
    }

    /// SHA-256 in hex.
    pub fn sha256_text(&self) -> String {
        FileHash(self.sha256).to_string()
    }
}

/// Segments of one or more input files. Only made by [`Image::read`], [`Image::parse`], [`Image::raw`], [`Image::patched`] and
/// [`Image::merge`], which check it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    inputs: Vec<Input>,
    segments: Vec<Segment>,
}

impl Image {
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

    /// The image with what the board holds where no file brings a byte: `pieces` by bus address in the flash's window,
    /// of which the first to bring a byte counts.
    pub fn over_board(
        &self,
        window_start: Address,
        pieces: impl IntoIterator<Item = (Address, Vec<u8>)>,
    ) -> Self {
        let mut inputs = self.inputs.clone();
        let input = inputs.len();
        inputs.push(Input::board());
        let mut chunks = self.segments.clone();
        for (start, bytes) in pieces {
            let offset = start.checked_from(window_start).unwrap_or_default();
            let position = Position::Offset(offset.into());
            let held = Segment::new(start, bytes, Source { input, position });
            let uncovered = held.map(|held| held.outside(&chunks));
            chunks.extend(uncovered.unwrap_or_default());
        }
        match segment::join(chunks) {
            Ok(segments) => Image { inputs, segments },
            // what was cut out of the others cannot overlap them
            Err(_) => self.clone(),
        }
    }

    /// The image less what it brings in `ranges`.
    pub fn without(&self, ranges: &[AddressRange]) -> Self {
        let source = Source {
            input: 0,
            position: Position::Offset(0),
        };
        let holes: Vec<Segment> = ranges
            .iter()
            .filter_map(|range| {
                let bytes = vec![0; range.length_bytes() as usize];
                Segment::new(range.start(), bytes, source)
            })
            .collect();
        let rest = self.segments.iter();
        Image {
            inputs: self.inputs.clone(),
            segments: rest.flat_map(|segment| segment.outside(&holes)).collect(),
        }
    }

    /// An image without a byte, to be laid over a board.
    pub const fn nothing() -> Self {
        Image {
            inputs: Vec::new(),
            segments: Vec::new(),
        }
    }

    /// Address behind the last byte as 33-bit number, or 0 where no file brings a byte.
    pub fn end(&self) -> u64 {
        self.segments.last().map_or(0, Segment::end)
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

    /// The bytes that belong to one unit only.
    pub fn of_unit(&self) -> impl Iterator<Item = AddressRange> {
        let runs = self.runs().filter(|(.., of_unit)| *of_unit);
        runs.filter_map(|(start, length, _)| AddressRange::new(start, length))
    }

    /// The first byte that a file brings; in its sector of `sector_bytes`, what belongs to one unit only counts as well.
    pub fn first_of_files(&self, sector_bytes: u32) -> Option<Address> {
        let (first, ..) = self.runs().find(|(.., of_unit)| !of_unit)?;
        let sector = |address: Address| address.get() / sector_bytes;
        let mut starts = self.runs().map(|(start, ..)| start);
        starts.find(|start| sector(*start) == sector(first))
    }

    /// Address, length in bytes, and whether they belong to one unit only.
    fn runs(&self) -> impl Iterator<Item = (Address, u32, bool)> {
        let is_of_unit = |input: usize| {
            let input = self.inputs.get(input);
            input.is_some_and(|input| matches!(input.placement, Placement::PerUnit { .. }))
        };
        let runs = self.segments.iter().flat_map(Segment::runs);
        runs.map(move |(start, length, input)| (start, length, is_of_unit(input)))
    }

    /// Where the byte at `address` came from: file, and line, or section and offset, in it.
    pub fn place_of(&self, address: Address) -> Option<Place> {
        let index = self.segments.partition_point(|s| s.start() <= address);
        let segment = self.segments.get(index.checked_sub(1)?)?;
        let place = place_in(&self.inputs, segment.source_of(address)?)?;
        Some(Place {
            address: Some(address),
            ..place
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

/// File, and line, or section and offset, in it.
fn place_in(inputs: &[Input], source: Source) -> Option<Place> {
    let input = inputs.get(source.input)?;
    let offset = source.position.offset();
    let section = offset.and_then(|offset| {
        let mut sections = input.sections.iter();
        sections.find(|section| section.offsets.contains(&offset))
    });
    Some(Place {
        section: section.map(|section| section.name.clone()),
        offset,
        ..Place::in_file(input.path.clone(), source.position.line())
    })
}

/// Names both files of a difference that [`Segment::without`] found.
fn conflict_between(
    inputs: &[Input],
    earlier: &[Segment],
    later: &Segment,
    address: Address,
) -> ImageError {
    let side = |segment: Option<&Segment>| {
        let place = segment
            .and_then(|s| s.source_of(address))
            .and_then(|source| place_in(inputs, source));
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
