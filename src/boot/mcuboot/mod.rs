//! MCUboot images: header, TLVs, hash and trailer of a slot, and how a bootloader is recognised.
//!
//! Layout: mcu-tools/mcuboot `docs/design.md` and `boot/bootutil/include/bootutil/image.h`.

mod tlv;
mod trailer;

use std::fmt;

use sha2::{Digest, Sha256};

pub use tlv::{Signature, Tlv};
pub use trailer::Trailer;

use crate::address::{Address, FlashOffset};
use crate::image::Image;
use crate::target::Target;

/// First word of an image header.
pub const MAGIC: u32 = 0x96F3_B83D;
/// Slots begin on a sector, so headers are looked for there.
const SECTOR_BYTES: u32 = 4096;
/// No application's header is larger: it is padded to the alignment of the vector table.
const LARGEST_HEADER_BYTES: u16 = 0x8000;
/// No bootloader is larger: where no slot tells its end, it is looked for up to here.
const LARGEST_BOOTLOADER_BYTES: u64 = 0x10_0000;

/// Flags of the header.
mod flag {
    pub const ENCRYPTED: u32 = 0x04 | 0x08;
    pub const NON_BOOTABLE: u32 = 0x10;
    pub const RAM_LOAD: u32 = 0x20;
    pub const ROM_FIXED: u32 = 0x100;
}

/// A slot of a layout that is in use.
struct KnownSlot {
    offset: u32,
    bytes: u32,
    name: &'static str,
    /// Whether applications run here; the other slot's are swapped or copied first.
    primary: bool,
}

const fn known(offset: u32, bytes: u32, primary: bool, name: &'static str) -> KnownSlot {
    KnownSlot {
        offset,
        bytes,
        name,
        primary,
    }
}

const KNOWN_SLOTS: [KnownSlot; 4] = [
    known(
        0x02_0000,
        0x30_0000,
        true,
        "image-0 of Zephyr's mimxrt1060_evk",
    ),
    known(
        0x32_0000,
        0x30_0000,
        false,
        "image-1 of Zephyr's mimxrt1060_evk",
    ),
    known(0x10_0000, 0x10_0000, true, "primary slot of NXP's SBL"),
    known(0x20_0000, 0x10_0000, false, "secondary slot of NXP's SBL"),
];

/// Version in an image header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// Major.
    pub major: u8,
    /// Minor.
    pub minor: u8,
    /// Revision.
    pub revision: u16,
    /// Build number.
    pub build: u32,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.revision)?;
        if self.build != 0 {
            write!(f, "+{}", self.build)?;
        }
        Ok(())
    }
}

/// An image header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Where a RAM-loaded image belongs, else 0.
    pub load_address: u32,
    /// Header size in bytes: the vector table follows.
    pub header_bytes: u16,
    /// Size of the protected TLV area in bytes.
    pub protected_tlv_bytes: u16,
    /// Size of the application without header in bytes.
    pub image_bytes: u32,
    /// Flags.
    pub flags: u32,
    /// Version.
    pub version: Version,
}

impl Header {
    /// Size of the part that means something, in bytes; the rest is padding.
    pub const SIZE_BYTES: usize = 32;

    /// Takes a header apart; `None` without the magic, or with sizes that no image has.
    pub fn parse(bytes: &[u8; Self::SIZE_BYTES]) -> Option<Self> {
        let half = |at| u16::from_le_bytes(fixed(bytes, at));
        let word = |at| u32::from_le_bytes(fixed(bytes, at));
        let [major, minor] = fixed(bytes, 20);
        let header = Header {
            load_address: word(4),
            header_bytes: half(8),
            protected_tlv_bytes: half(10),
            image_bytes: word(12),
            flags: word(16),
            version: Version {
                major,
                minor,
                revision: half(22),
                build: word(24),
            },
        };
        let possible = (Self::SIZE_BYTES as u16..=LARGEST_HEADER_BYTES)
            .contains(&header.header_bytes)
            && header.header_bytes.is_multiple_of(4)
            && header.image_bytes != 0;
        (word(0) == MAGIC && possible).then_some(header)
    }

    /// Whether the application is encrypted in the flash.
    pub const fn is_encrypted(&self) -> bool {
        self.flags & flag::ENCRYPTED != 0
    }

    /// Whether it is marked as not to be booted.
    pub const fn is_not_bootable(&self) -> bool {
        self.flags & flag::NON_BOOTABLE != 0
    }

    /// Whether the bootloader copies it to RAM.
    pub const fn is_loaded_to_ram(&self) -> bool {
        self.flags & flag::RAM_LOAD != 0
    }

    /// Names of the flags that are set.
    pub fn flag_names(&self) -> Vec<&'static str> {
        [
            (flag::ENCRYPTED, "encrypted"),
            (flag::NON_BOOTABLE, "not bootable"),
            (flag::RAM_LOAD, "loaded to RAM"),
            (flag::ROM_FIXED, "fixed load address"),
        ]
        .into_iter()
        .filter(|(mask, _)| self.flags & mask != 0)
        .map(|(_, name)| name)
        .collect()
    }
}

/// Whether the hash TLV fits the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashCheck {
    /// The SHA-256 is that of the bytes.
    Fits,
    /// It is another one.
    Differs,
    /// It covers the decrypted image, which is not known here.
    Encrypted,
    /// There is no SHA-256 TLV.
    Absent,
    /// The image's bytes or its TLVs are not all there.
    Incomplete,
}

impl HashCheck {
    /// In words.
    pub const fn text(self) -> &'static str {
        match self {
            HashCheck::Fits => "SHA-256 fits",
            HashCheck::Differs => "SHA-256 does not fit",
            HashCheck::Encrypted => "SHA-256 covers the decrypted image, not checked",
            HashCheck::Absent => "no SHA-256",
            HashCheck::Incomplete => "not complete, not checked",
        }
    }
}

/// An MCUboot image in a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Where its header is on the bus.
    pub address: Address,
    /// The same in the flash.
    pub offset: FlashOffset,
    /// Name of the slot in a layout that is in use.
    pub name: Option<&'static str>,
    /// Its size in bytes there.
    pub slot_bytes: Option<u32>,
    /// Whether applications run in it there; `None` for a slot of no known layout.
    pub primary: Option<bool>,
    /// Header.
    pub header: Header,
    /// TLVs, protected ones first.
    pub tlvs: Vec<Tlv>,
    /// Offset behind the last TLV, or behind the application where there is none.
    pub end: u64,
    /// Check of the hash TLV.
    pub hash: HashCheck,
    /// Trailer, where the file brings one.
    pub trailer: Option<Trailer>,
    /// Initial stack pointer and reset vector behind the header, unless encrypted.
    pub vectors: Option<(u32, u32)>,
}

impl Slot {
    /// What the image is signed with.
    pub fn signatures(&self) -> Vec<Signature> {
        self.tlvs.iter().filter_map(Tlv::signature).collect()
    }

    /// Kinds of its signatures in words.
    pub fn signature_text(&self) -> String {
        let kinds: Vec<&str> = self.signatures().iter().map(|s| s.text()).collect();
        if kinds.is_empty() {
            "not signed".to_owned()
        } else {
            format!("signed with {}", kinds.join(" and "))
        }
    }

    /// Address of the application's vector table.
    pub fn vector_table(&self) -> Option<Address> {
        self.address
            .checked_add(u32::from(self.header.header_bytes))
    }

    /// Whether the reset vector lies in the application itself; `None` where that cannot be told.
    pub fn runs_in_place(&self) -> Option<bool> {
        let (_, reset) = self.vectors?;
        if self.header.is_loaded_to_ram() {
            return None;
        }
        let distance = Address::new(reset & !1).checked_from(self.vector_table()?);
        Some(distance.is_some_and(|distance| distance < self.header.image_bytes))
    }
}

/// All MCUboot images in `image`, by ascending address.
pub fn slots(image: &Image, target: &Target) -> Vec<Slot> {
    let mut slots: Vec<Slot> = Vec::new();
    for address in starts(image) {
        let inside_another = slots.last().is_some_and(|slot| {
            target
                .offset_of(address)
                .is_some_and(|offset| u64::from(offset.get()) < slot.end)
        });
        if !inside_another {
            slots.extend(slot_at(image, target, address));
        }
    }
    slots
}

/// Where a slot may begin: at the start of a sector, or of what the image brings.
fn starts(image: &Image) -> impl Iterator<Item = Address> {
    image.segments().iter().flat_map(|segment| {
        let sectors = std::iter::successors(Some(segment.start()), |address| {
            let floor = Address::new(address.get() & !(SECTOR_BYTES - 1));
            floor.checked_add(SECTOR_BYTES)
        });
        sectors.take_while(|address| u64::from(address.get()) < segment.end())
    })
}

fn header_at(image: &Image, address: Address) -> Option<Header> {
    Header::parse(image.bytes_at(address, Header::SIZE_BYTES)?.first_chunk()?)
}

fn slot_at(image: &Image, target: &Target, address: Address) -> Option<Slot> {
    let header = header_at(image, address)?;
    let offset = target.offset_of(address)?;
    let known = KNOWN_SLOTS.iter().find(|slot| slot.offset == offset.get());
    let payload_bytes = u32::from(header.header_bytes).checked_add(header.image_bytes)?;
    let tlv_area = address.checked_add(payload_bytes)?;
    let area = tlv::read(image, tlv_area, header.protected_tlv_bytes);
    let start = u64::from(offset.get());
    let end = start + u64::from(payload_bytes) + area.length_bytes;
    let vectors = address
        .checked_add(u32::from(header.header_bytes))
        .filter(|_| !header.is_encrypted())
        .and_then(|table| Some((image.word_at(table)?, image.word_at(table.checked_add(4)?)?)));
    Some(Slot {
        address,
        offset,
        name: known.map(|slot| slot.name),
        slot_bytes: known.map(|slot| slot.bytes),
        primary: known.map(|slot| slot.primary),
        hash: check_hash(image, address, &header, &area),
        trailer: trailer::find(
            image,
            target,
            end,
            known.map(|slot| slot.offset + slot.bytes),
        ),
        tlvs: area.tlvs,
        header,
        end,
        vectors,
    })
}

fn check_hash(image: &Image, address: Address, header: &Header, area: &tlv::Area) -> HashCheck {
    if !area.complete {
        return HashCheck::Incomplete;
    }
    let Some(written) = area.tlvs.iter().find(|tlv| tlv.is_sha256()) else {
        return HashCheck::Absent;
    };
    if header.is_encrypted() {
        return HashCheck::Encrypted;
    }
    let covered = u64::from(header.header_bytes)
        + u64::from(header.image_bytes)
        + u64::from(header.protected_tlv_bytes);
    let bytes = usize::try_from(covered)
        .ok()
        .and_then(|covered| image.bytes_at(address, covered));
    match bytes {
        Some(bytes) if Sha256::digest(bytes).as_slice() == written.value => HashCheck::Fits,
        Some(_) => HashCheck::Differs,
        None => HashCheck::Incomplete,
    }
}

/// Where slots of layouts in use begin.
pub fn known_slots() -> impl Iterator<Item = FlashOffset> {
    KNOWN_SLOTS.iter().map(|slot| FlashOffset::new(slot.offset))
}

/// Where the magic of an image header stands in front of what is none.
pub fn broken_headers(image: &Image) -> impl Iterator<Item = Address> {
    magics(image).filter(|address| header_at(image, *address).is_none())
}

/// Starts of slots by the magic alone.
fn magics(image: &Image) -> impl Iterator<Item = Address> {
    starts(image).filter(|address| image.word_at(*address) == Some(MAGIC))
}

/// Whether what `image` brings below its slots looks like an MCUboot bootloader.
pub fn is_bootloader(image: &Image, target: &Target) -> bool {
    let first_slot = magics(image).find_map(|address| target.offset_of(address));
    let end = first_slot.map_or(LARGEST_BOOTLOADER_BYTES, |offset| offset.get().into());
    holds_bootloader(image, target, end)
}

/// Whether the bytes of `image` up to `to` look like an MCUboot bootloader: its code compares headers with the image
/// magic and trailers with the trailer magic, so both are in its constants.
fn holds_bootloader(image: &Image, target: &Target, to: u64) -> bool {
    let magic = MAGIC.to_le_bytes();
    let mut has_image_magic = false;
    let mut has_trailer_magic = false;
    for segment in image.segments() {
        let Some(start) = target.offset_of(segment.start()) else {
            continue;
        };
        let start = u64::from(start.get());
        let keep = to.saturating_sub(start) as usize;
        let bytes = segment
            .bytes()
            .get(..keep.min(segment.bytes().len()))
            .unwrap_or_default();
        let has = |magic: &[u8]| bytes.windows(magic.len()).any(|window| window == magic);
        has_image_magic = has_image_magic || has(&magic);
        has_trailer_magic = has_trailer_magic || has(&trailer::MAGIC);
    }
    has_image_magic && has_trailer_magic
}

/// `N` bytes at `at`; zeros behind the end, which the callers' offsets rule out.
fn fixed<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes
        .get(at..)
        .and_then(|rest| rest.first_chunk())
        .copied()
        .unwrap_or([0; N])
}

#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;
