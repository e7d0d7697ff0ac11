//! From the content of a file to an image: by its format, and where it says no addresses by what it holds.

use std::path::Path;
use std::sync::Arc;

use super::segment::{self, Segment};
use super::source::Source;
use super::symbols::Symbols;
use super::{
    FileHash, Format, Image, ImageError, Input, Placement, RawGuess, RomPlaces, elf, format,
    intel_hex, s_record, uf2,
};
use crate::address::Address;

impl Image {
    /// Reads a file of any format, recognised by its content, and puts it where it belongs.
    ///
    /// A raw binary goes to `start`, or, where the user gave none, where its FCB, IVT or vector table belongs. A file
    /// with addresses from 0 on that is a picture of the flash is rebased, see [`Image::rebased`].
    ///
    /// # Errors
    /// [`ImageError`] with line or offset where the file is malformed; [`ImageError::UnknownFormat`] for a raw binary
    /// that does not show where it belongs; [`ImageError::AddressGiven`] for a `start` that the file contradicts.
    pub fn read(
        path: &Path,
        content: &[u8],
        start: Option<Address>,
        places: &RomPlaces,
    ) -> Result<Self, ImageError> {
        match (Format::of(content), start) {
            (Format::Raw, Some(start)) => Image::raw(path, content, start),
            (Format::Raw, None) => Image::recognised(path, content, places),
            // a raw binary may begin with the letter that a text format begins with
            (Format::IntelHex | Format::SRecord, Some(start)) if !format::is_text(content) => {
                Image::raw(path, content, start)
            }
            (format, Some(_)) => Err(ImageError::AddressGiven {
                path: path.to_owned(),
                format,
            }),
            (_, None) => Ok(Image::parse(path, content)?.rebased(places)),
        }
    }

    /// Reads a file of a format that brings its own addresses, recognised by its content.
    ///
    /// # Errors
    /// [`ImageError`] with line or offset where the file is malformed; [`ImageError::UnknownFormat`] for a raw binary.
    pub fn parse(path: &Path, content: &[u8]) -> Result<Self, ImageError> {
        let format = Format::of(content);
        let mut symbols = Symbols::default();
        let (pieces, sections) = match format {
            Format::IntelHex => (intel_hex::read(path, content)?, Vec::new()),
            Format::SRecord => (s_record::read(path, content)?, Vec::new()),
            Format::Elf => {
                let program = elf::read(path, content)?;
                symbols = program.symbols;
                (program.pieces, program.sections)
            }
            Format::Uf2 => (uf2::read(path, content)?, Vec::new()),
            Format::Raw => return Err(ImageError::unknown(path, content, RawGuess::Nothing)),
        };
        let segments = segment::join(pieces).map_err(|overlap| ImageError::OverlapInFile {
            path: path.to_owned(),
            format,
            address: overlap.address,
            first: overlap.first,
            second: overlap.second,
        })?;
        if segments.is_empty() {
            return Err(ImageError::NoData {
                path: path.to_owned(),
            });
        }
        let input = Input {
            path: path.to_owned(),
            format,
            sha256: FileHash::of(content).bytes(),
            size_bytes: content.len() as u64,
            placement: Placement::OwnAddresses,
            sections,
            symbols: Arc::new(symbols),
        };
        Ok(Image {
            inputs: vec![input],
            segments,
        })
    }

    /// Takes `content` as it is, its first byte at `start`.
    ///
    /// # Errors
    /// [`ImageError::Empty`] without content, [`ImageError::RawTooLong`] where it leaves the 32-bit bus.
    pub fn raw(path: &Path, content: &[u8], start: Address) -> Result<Self, ImageError> {
        if content.is_empty() {
            return Err(ImageError::Empty {
                path: path.to_owned(),
            });
        }
        let segment = Segment::new(start, content.to_vec(), Source::offset(0));
        let segment = segment.ok_or_else(|| ImageError::RawTooLong {
            path: path.to_owned(),
            start,
        })?;
        let input = Input {
            path: path.to_owned(),
            format: Format::Raw,
            sha256: FileHash::of(content).bytes(),
            size_bytes: content.len() as u64,
            placement: Placement::Given { start },
            sections: Vec::new(),
            symbols: Arc::default(),
        };
        Ok(Image {
            inputs: vec![input],
            segments: vec![segment],
        })
    }

    /// A raw binary where its FCB, IVT or vector table belongs.
    fn recognised(path: &Path, content: &[u8], places: &RomPlaces) -> Result<Self, ImageError> {
        if content.trim_ascii().is_empty() {
            return Err(ImageError::Empty {
                path: path.to_owned(),
            });
        }
        let image = Image::raw(path, content, Address::new(0))?;
        let Some((landmark, start)) = places.of_first_byte(&image) else {
            let guess = RawGuess::of(&image, places);
            return Err(ImageError::unknown(path, content, guess));
        };
        let placement = Placement::Recognised { start, landmark };
        image
            .moved_up(start, placement)
            .ok_or_else(|| ImageError::RawTooLong {
                path: path.to_owned(),
                start,
            })
    }

    /// The image moved from address 0 to the flash, if it is a picture of the flash: all of it lies in 0 and the size of
    /// the window, and it holds an FCB or an IVT where the boot ROM looks. Any other image comes back as it is; code
    /// that is linked for ITCM lies there, too.
    pub fn rebased(self, places: &RomPlaces) -> Self {
        let window_bytes = u64::from(places.window.length_bytes());
        let fits = self
            .segments
            .last()
            .is_some_and(|s| s.end() <= window_bytes);
        let Some((landmark, found_at)) = places.picture_of_flash(&self).filter(|_| fits) else {
            return self;
        };
        let start = places.window.start();
        let placement = Placement::Rebased {
            start,
            landmark,
            found_at,
        };
        self.clone().moved_up(start, placement).unwrap_or(self)
    }

    /// The image with its address 0 at `start`.
    fn moved_up(mut self, start: Address, placement: Placement) -> Option<Self> {
        let moved = self.segments.into_iter().map(|s| s.moved_up(start.get()));
        self.segments = moved.collect::<Option<_>>()?;
        for input in &mut self.inputs {
            input.placement = placement;
        }
        Some(self)
    }
}
