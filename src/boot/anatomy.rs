//! What an image is made of, told without judging it: header parts, slots, and a map of every byte.

use super::bee;
use super::boot_image::{BootImage, Role};
use super::dcd::{self, DCD_HEADER_BYTES, DcdFault, DcdHeader, DcdStep};
use super::entry::LoadMap;
use super::fcb::Fcb;
use super::ivt::{BootData, CSF_TAG, Ivt};
use super::mcuboot::{self, Slot};
use crate::address::{Address, FlashOffset};
use crate::image::Image;
use crate::target::Target;

/// A CSF's length stands where a DCD's does.
const CSF_HEADER_BYTES: usize = 4;

/// A header part and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part<T> {
    /// Where.
    pub address: Address,
    /// What.
    pub value: T,
}

/// A DCD as far as it can be walked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dcd {
    /// Header.
    pub header: DcdHeader,
    /// Its steps.
    pub steps: Result<Vec<DcdStep>, DcdFault>,
}

/// A run of bytes of one meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// First byte.
    pub start: Address,
    /// Length in bytes.
    pub length_bytes: u64,
    /// What it is.
    pub what: String,
    /// Files that bring it; empty for what rtflash inserts.
    pub files: Vec<String>,
}

/// Everything that can be told of an image.
#[derive(Clone, Debug)]
pub struct Anatomy {
    /// FCB with the right tag.
    pub fcb: Option<Part<Fcb>>,
    /// IVT with the right tag.
    pub ivt: Option<Part<Ivt>>,
    /// Boot data that the IVT points to.
    pub boot_data: Option<Part<BootData>>,
    /// DCD that the IVT points to.
    pub dcd: Option<Part<Dcd>>,
    /// CSF that the IVT points to, and its length in bytes.
    pub csf: Option<Part<u16>>,
    /// Places of BEE headers that hold data, in an image whose IVT cannot be read.
    pub bee: Vec<Address>,
    /// MCUboot images.
    pub slots: Vec<Slot>,
    /// Whether what lies below the slots looks like MCUboot.
    pub is_bootloader: bool,
    /// All bytes, in ascending order.
    pub map: Vec<Region>,
}

impl Anatomy {
    /// Takes `image` apart. `boot_image`, where it was accepted, adds what is inserted.
    pub fn of(image: &Image, boot_image: Option<&BootImage>, target: &Target) -> Self {
        let boot = &target.chip().boot;
        let fcb = part::<{ Fcb::SIZE_BYTES }, _>(image, target, boot.fcb_offset, |bytes| {
            Some(Fcb::parse(bytes)).filter(Fcb::has_tag)
        });
        let ivt = part(image, target, boot.ivt_offset, Ivt::parse);
        let load = ivt.as_ref().and_then(|ivt| LoadMap::of(&ivt.value, target));
        let pointed = |pointer: u32| {
            load.filter(|_| pointer != 0)
                .and_then(|load| load.stored_at(Address::new(pointer)))
        };
        let word_of =
            |pick: fn(&Ivt) -> u32| ivt.as_ref().and_then(|ivt| pointed(pick(&ivt.value)));
        let boot_data = word_of(|ivt| ivt.boot_data).and_then(|address| {
            let bytes = image
                .bytes_at(address, BootData::SIZE_BYTES)?
                .first_chunk()?;
            Some(Part {
                address,
                value: BootData::parse(bytes),
            })
        });
        let dcd = word_of(|ivt| ivt.dcd).and_then(|address| dcd_at(image, address));
        let csf = word_of(|ivt| ivt.csf).and_then(|address| {
            let [tag, high, low, _] = *image.bytes_at(address, CSF_HEADER_BYTES)?.first_chunk()?;
            (tag == CSF_TAG).then_some(Part {
                address,
                value: u16::from_be_bytes([high, low]),
            })
        });
        let slots = mcuboot::slots(image, target);
        let mut anatomy = Anatomy {
            boot_data,
            dcd,
            csf,
            bee: if ivt.is_none() {
                bee::headers(image, target)
            } else {
                Vec::new()
            },
            fcb,
            ivt,
            is_bootloader: mcuboot::is_bootloader(image, target),
            slots,
            map: Vec::new(),
        };
        anatomy.map = anatomy.mapped(image, boot_image, target);
        anatomy
    }

    fn mapped(
        &self,
        image: &Image,
        boot_image: Option<&BootImage>,
        target: &Target,
    ) -> Vec<Region> {
        let inserted: Vec<Mark> = boot_image
            .into_iter()
            .flat_map(BootImage::inserted_parts)
            .filter_map(|(offset, length, name)| {
                let start = u64::from(target.address_of(offset)?.get());
                Some(Mark {
                    start,
                    end: start + u64::from(length),
                    what: name.to_owned(),
                })
            })
            .collect();
        let marks = self.marks(target, boot_image);
        let mut map: Vec<Region> = inserted
            .iter()
            .map(|mark| Region {
                start: Address::new(mark.start as u32),
                length_bytes: mark.end - mark.start,
                what: mark.what.clone(),
                files: Vec::new(),
            })
            .collect();
        for segment in image.segments() {
            let (start, end) = (u64::from(segment.start().get()), segment.end());
            let mut cuts: Vec<u64> = inserted
                .iter()
                .chain(&marks)
                .flat_map(|mark| [mark.start, mark.end])
                .filter(|cut| (start + 1..end).contains(cut))
                .chain([start, end])
                .collect();
            cuts.sort_unstable();
            cuts.dedup();
            for pair in cuts.windows(2) {
                let [from, to] = *pair else { continue };
                if inserted.iter().any(|mark| mark.covers(from)) {
                    continue;
                }
                let known = marks.iter().find(|mark| mark.covers(from));
                map.extend(region(image, from, to, known));
            }
        }
        map.sort_by_key(|region| region.start);
        map
    }

    /// Stretches of known meaning; the first that covers a byte counts.
    fn marks(&self, target: &Target, boot_image: Option<&BootImage>) -> Vec<Mark> {
        let mut marks = Vec::new();
        let mut mark = |address: Address, length: u64, what: String| {
            let start = u64::from(address.get());
            marks.push(Mark {
                start,
                end: start + length,
                what,
            });
        };
        if let Some(fcb) = &self.fcb {
            mark(fcb.address, Fcb::SIZE_BYTES as u64, "FCB".to_owned());
        }
        for (engine, address) in self.bee.iter().enumerate() {
            let what = format!("perhaps BEE header {engine} (encrypted)");
            mark(*address, target.chip().boot.bee_header_bytes.into(), what);
        }
        if let Some(ivt) = &self.ivt {
            mark(ivt.address, Ivt::SIZE_BYTES as u64, "IVT".to_owned());
        }
        if let Some(data) = &self.boot_data {
            let length = BootData::SIZE_BYTES as u64;
            mark(data.address, length, "boot data".to_owned());
        }
        if let Some(dcd) = &self.dcd {
            let length = dcd.value.header.length_bytes.into();
            mark(dcd.address, length, "DCD".to_owned());
        }
        if let Some(csf) = &self.csf {
            mark(
                csf.address,
                csf.value.into(),
                "CSF (HAB signature)".to_owned(),
            );
        }
        for slot in &self.slots {
            let header = u64::from(slot.header.header_bytes);
            let image = u64::from(slot.header.image_bytes);
            let start = u64::from(slot.offset.get());
            mark(slot.address, header, "MCUboot header".to_owned());
            let mut follow = |at: u64, length: u64, what: String| {
                let address = u32::try_from(at).ok().map(FlashOffset::new);
                if let Some(address) = address.and_then(|at| target.address_of(at)) {
                    mark(address, length, what);
                }
            };
            let version = slot.header.version;
            follow(
                start + header,
                image,
                format!("MCUboot application {version}"),
            );
            let tlvs = start + header + image;
            follow(tlvs, slot.end - tlvs, "MCUboot TLVs".to_owned());
            if let Some(trailer) = slot.trailer {
                let at = trailer.magic_offset.get().into();
                follow(at, 16, "MCUboot trailer magic".to_owned());
            }
        }
        if let Some(Role::Whole(start)) = boot_image.map(BootImage::role) {
            let entry = start.entry;
            let first = entry.vector_table.unwrap_or(entry.reset_handler);
            let end = self
                .slots
                .first()
                .map_or_else(|| u64::from(u32::MAX), |slot| u64::from(slot.address.get()));
            let what = if self.is_bootloader {
                "bootloader (MCUboot)"
            } else {
                "application"
            };
            let length = end.saturating_sub(u64::from(first.get()));
            mark(first, length, what.to_owned());
        }
        marks
    }
}

struct Mark {
    start: u64,
    end: u64,
    what: String,
}

impl Mark {
    fn covers(&self, at: u64) -> bool {
        (self.start..self.end).contains(&at)
    }
}

fn region(image: &Image, from: u64, to: u64, known: Option<&Mark>) -> Option<Region> {
    let start = Address::new(u32::try_from(from).ok()?);
    let last = Address::new(u32::try_from(to - 1).ok()?);
    let bytes = image.bytes_at(start, usize::try_from(to - from).ok()?)?;
    let what = match known {
        Some(mark) => mark.what.clone(),
        None if bytes.iter().all(|byte| *byte == super::ERASED) => "filler (FFh)".to_owned(),
        None if bytes.iter().all(|byte| *byte == 0) => "filler (00h)".to_owned(),
        None => "data".to_owned(),
    };
    let mut files: Vec<String> = [start, last]
        .into_iter()
        .filter_map(|address| image.place_of(address)?.file)
        .map(|file| file.display().to_string())
        .collect();
    files.dedup();
    Some(Region {
        start,
        length_bytes: to - from,
        what,
        files,
    })
}

fn part<const N: usize, T>(
    image: &Image,
    target: &Target,
    offset: FlashOffset,
    parse: impl Fn(&[u8; N]) -> Option<T>,
) -> Option<Part<T>> {
    let address = target.address_of(offset)?;
    let value = parse(image.bytes_at(address, N)?.first_chunk()?)?;
    Some(Part { address, value })
}

fn dcd_at(image: &Image, address: Address) -> Option<Part<Dcd>> {
    let header = DcdHeader::parse(*image.bytes_at(address, DCD_HEADER_BYTES)?.first_chunk()?)?;
    let steps = match image.bytes_at(address, usize::from(header.length_bytes)) {
        Some(bytes) => dcd::walk(bytes),
        None => Err(DcdFault {
            at: 0,
            why: "the DCD goes beyond the image",
        }),
    };
    Some(Part {
        address,
        value: Dcd { header, steps },
    })
}
