//! What the flash holds of everything that decides the boot: header, vectors, bootloader, slots.

use crate::address::{Address, FlashOffset};
use crate::algorithm::Algorithm;
use crate::boot::mcuboot::{self, Header};
use crate::boot::{HeaderPolicy, Present, wanted};
use crate::image::Image;
use crate::job::run::Run;
use crate::problem::Problem;
use crate::target::{FlashPart, Target};

/// What is read as a whole, as far as it is not erased: the boot header, and a bootloader with its constants.
const FIRST_BYTES: u32 = 0x2_0000;
/// Erase unit of common flash loaders, whatever they call it.
pub(super) const BLOCK_BYTES: u32 = 0x1_0000;
/// An erased byte.
const ERASED: u8 = 0xFF;
/// Behind an MCUboot image: room for its TLVs (hash, key, signature, dependencies), far more than imgtool writes.
const TLV_BYTES: u32 = 0x1000;

/// Pieces of the flash as they were read, and what follows from them for the boot.
#[derive(Clone, Debug)]
pub(super) struct Content {
    /// For the boot proof.
    pub present: Present,
    /// The same as an image whose bytes come from the board.
    pub held: Image,
    /// What the ROM starts.
    pub reset_handler: Option<Address>,
    /// What the bootloader is to start.
    pub application: Option<Address>,
    /// Whether what the ROM starts is a bootloader that starts something else, or may be one.
    pub starts_another: bool,
    /// Whether a CSF is where the IVT says.
    pub is_signed: bool,
    /// Status registers as left.
    pub status: u32,
}

/// What was read.
#[derive(Clone, Debug, Default)]
pub(super) struct Held {
    /// Pieces that are not erased.
    pieces: Vec<(FlashOffset, Vec<u8>)>,
    /// The first bytes of the places where the ROM looks, erased or not.
    heads: Vec<(FlashOffset, Vec<u8>)>,
    /// Whether all of the first block is erased.
    pub first_block_is_blank: bool,
    /// The first sector that is not erased, where it was looked for.
    pub first_content: Option<FlashOffset>,
}

impl Held {
    /// For the boot proof and the ROM's view.
    pub fn present(&self) -> Present {
        let all = self.pieces.iter().chain(&self.heads).cloned();
        Present::new(all.collect())
    }

    /// As an image.
    pub fn image(&self, target: &Target) -> Image {
        // whole sectors were read, and an erased rest belongs to nobody
        let at = |(offset, bytes): &(FlashOffset, Vec<u8>)| {
            let end = bytes.iter().rposition(|byte| *byte != ERASED)? + 1;
            Some((target.address_of(*offset)?, bytes.get(..end)?.to_vec()))
        };
        Image::nothing().over_board(
            target.chip().flexspi.window_start(),
            self.pieces.iter().filter_map(at),
        )
    }

    fn add(&mut self, offset: FlashOffset, bytes: Vec<u8>) {
        if bytes.iter().all(|byte| *byte == ERASED) {
            self.heads.push((offset, bytes));
        } else {
            self.first_content = self.first_content.or(Some(offset));
            self.pieces.push((offset, bytes));
        }
    }
}

impl Run<'_> {
    /// Reads what decides the boot.
    pub(super) fn read_board(
        &mut self,
        algorithm: &mut Algorithm<'_, '_>,
    ) -> Result<Held, Problem> {
        let target = self.job.target;
        let mut held = Held::default();
        let first = FIRST_BYTES.min(target.flash().size_bytes) / FlashPart::SECTOR_BYTES;
        let map = algorithm.map(0, first)?;
        let is_blank = |sector: u32| map.is_blank(sector) == Some(true);
        held.first_block_is_blank = (0..BLOCK_BYTES / FlashPart::SECTOR_BYTES).all(is_blank);
        let mut sector = 0;
        while sector < first {
            let run = (sector..first)
                .take_while(|sector| !is_blank(*sector))
                .count() as u32;
            if run != 0 {
                let offset = FlashOffset::new(sector * FlashPart::SECTOR_BYTES);
                held.add(
                    offset,
                    algorithm.read(offset, run * FlashPart::SECTOR_BYTES)?,
                );
                let done = u64::from(sector + run);
                self.observer.progress(done, first.into());
            }
            sector += run.max(1);
        }
        while let Some((offset, length_bytes)) =
            wanted(None, &held.present(), target, HeaderPolicy::default())
        {
            held.add(offset, algorithm.read(offset, length_bytes)?);
        }
        let image = held.image(target);
        let known: Vec<FlashOffset> = mcuboot::known_slots().collect();
        let is_bootloader = mcuboot::is_bootloader(&image, target);
        let mut found = 0;
        for offset in &known {
            found += u32::from(self.read_slot(*offset, &mut held, algorithm)?);
        }
        if found == 0 && is_bootloader && mcuboot::slots(&image, target).is_empty() {
            // a layout of its own: slots begin on blocks in all that are known
            let blocks = FIRST_BYTES..target.flash().size_bytes;
            for offset in blocks.step_by(BLOCK_BYTES as usize).map(FlashOffset::new) {
                if !known.contains(&offset) && self.read_slot(offset, &mut held, algorithm)? {
                    break;
                }
            }
        }
        Ok(held)
    }

    /// Reads the slot at `offset`, if there is an image in it.
    fn read_slot(
        &mut self,
        offset: FlashOffset,
        held: &mut Held,
        algorithm: &mut Algorithm<'_, '_>,
    ) -> Result<bool, Problem> {
        let size = self.job.target.flash().size_bytes;
        if offset.get() < FIRST_BYTES || offset.get() >= size {
            return Ok(false);
        }
        let head = algorithm.read(offset, Header::SIZE_BYTES as u32)?;
        let Some(header) = head.first_chunk().and_then(Header::parse) else {
            held.add(offset, head);
            return Ok(false);
        };
        let length = u32::from(header.header_bytes)
            .saturating_add(header.image_bytes)
            .saturating_add(TLV_BYTES)
            .min(size - offset.get());
        self.observer.note(&format!(
            "reading {length} bytes of the slot at {offset}, to check its hash"
        ));
        held.add(offset, algorithm.read(offset, length)?);
        Ok(true)
    }
}
