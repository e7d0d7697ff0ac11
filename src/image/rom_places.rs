//! Where the boot ROM looks, and what tells there that a file belongs to the start of the flash.

use std::fmt;

use super::Image;
use crate::address::{Address, AddressRange, FlashOffset};

/// FCB tag "FCFB" (NXP RT1060 reference manual, FlexSPI NOR boot, flash configuration block).
const FCB_TAG: &[u8] = b"FCFB";
/// IVT header: tag D1h, length 0020h big-endian; a version byte of 40h to 43h follows (same manual, image vector table).
const IVT_HEADER: &[u8] = &[0xD1, 0x00, 0x20];
const IVT_VERSIONS: std::ops::RangeInclusive<u8> = 0x40..=0x43;
/// Words of the vector table that the Armv7-M architecture defines; four of them are reserved.
const SYSTEM_VECTORS: u32 = 16;
const WORD_BYTES: u32 = 4;
const THUMB: u32 = 1;

/// Where things lie in the flash of a bootable image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RomPlaces {
    /// Bus addresses at which flash appears.
    pub window: AddressRange,
    /// Where the FCB begins.
    pub fcb: FlashOffset,
    /// Where the IVT begins.
    pub ivt: FlashOffset,
    /// Where the vector table of an image without boot header begins.
    pub vector_table: FlashOffset,
    /// What a vector table is aligned to, a power of two.
    pub vector_table_alignment_bytes: u32,
    /// Where an initial stack pointer may point.
    pub ram: Vec<AddressRange>,
}

/// What showed where a file belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Landmark {
    /// A flash configuration block.
    Fcb,
    /// An image vector table.
    Ivt,
    /// A vector table of the core.
    VectorTable,
}

impl fmt::Display for Landmark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Landmark::Fcb => "an FCB",
            Landmark::Ivt => "an IVT",
            Landmark::VectorTable => "a vector table",
        })
    }
}

impl RomPlaces {
    /// What shows that `image`, which begins at address 0, is a picture of the flash from its first byte on, and where
    /// in the image it is.
    pub(super) fn picture_of_flash(&self, image: &Image) -> Option<(Landmark, FlashOffset)> {
        if image.bytes_at(at(self.fcb), FCB_TAG.len()) == Some(FCB_TAG) {
            return Some((Landmark::Fcb, self.fcb));
        }
        has_ivt(image, self.ivt).then_some((Landmark::Ivt, self.ivt))
    }

    /// What shows where the first byte of a raw binary belongs, which `image` holds at address 0.
    pub(super) fn of_first_byte(&self, image: &Image) -> Option<(Landmark, Address)> {
        let window = self.window.start();
        if let Some((landmark, _)) = self.picture_of_flash(image) {
            return Some((landmark, window));
        }
        if has_ivt(image, FlashOffset::ZERO) {
            return Some((Landmark::Ivt, window.checked_add(self.ivt.get())?));
        }
        let table = window.checked_add(self.vector_table.get())?;
        self.is_vector_table_linked_for(image, table)
            .then_some((Landmark::VectorTable, table))
    }

    /// Whether `image`, at address 0, begins as a vector table of code that runs from the flash.
    pub(super) fn begins_with_vector_table(&self, image: &Image) -> bool {
        let stack = image.word_at(Address::new(0)).map(Address::new);
        let in_ram = |stack| self.ram.iter().any(|ram| ram.contains_or_ends_at(stack));
        stack.is_some_and(in_ram) && self.handlers(image).is_some()
    }

    /// Whether the table is certain to be linked for `start`: its handlers lie in the file, and either no other start
    /// could be, or the file holds the table's address, as start-up code does that sets VTOR. A wrong guess would flash
    /// an image that starts and then crashes.
    fn is_vector_table_linked_for(&self, image: &Image, start: Address) -> bool {
        let Some((lowest, highest)) = self
            .begins_with_vector_table(image)
            .then(|| self.handlers(image))
            .flatten()
        else {
            return false;
        };
        let length = image.len_bytes();
        let holds = |start: u64| {
            u64::from(lowest) >= start + u64::from(SYSTEM_VECTORS * WORD_BYTES)
                && u64::from(highest) < start + length
        };
        let start = u64::from(start.get());
        let step = u64::from(self.vector_table_alignment_bytes);
        let only = !holds(start + step) && !holds(start.saturating_sub(step));
        holds(start) && (only || holds_word(image, start))
    }

    /// The lowest and highest address among the system handlers that are Thumb code in the flash; `None` unless the reset
    /// handler is one of them. Handlers in RAM are no hint, and the reserved words may hold anything.
    fn handlers(&self, image: &Image) -> Option<(u32, u32)> {
        let vectors = (1..SYSTEM_VECTORS).map(|n| image.word_at(Address::new(n * WORD_BYTES)));
        let vectors: Vec<u32> = vectors.collect::<Option<_>>()?;
        let in_flash =
            |word: u32| word & THUMB != 0 && self.window.contains(Address::new(word & !THUMB));
        vectors.first().filter(|reset| in_flash(**reset))?;
        let handlers = vectors.iter().filter(|word| in_flash(**word));
        let addresses: Vec<u32> = handlers.map(|word| word & !THUMB).collect();
        Some((*addresses.iter().min()?, *addresses.iter().max()?))
    }
}

fn at(offset: FlashOffset) -> Address {
    Address::new(offset.get())
}

fn has_ivt(image: &Image, offset: FlashOffset) -> bool {
    match image.bytes_at(at(offset), IVT_HEADER.len() + 1) {
        Some([header @ .., version]) => header == IVT_HEADER && IVT_VERSIONS.contains(version),
        _ => false,
    }
}

fn holds_word(image: &Image, wanted: u64) -> bool {
    let segments = image.segments().iter();
    segments
        .flat_map(|segment| segment.bytes().as_chunks().0)
        .any(|word: &[u8; 4]| u64::from(u32::from_le_bytes(*word)) == wanted)
}
