//! The verdict before anything is touched: will the ROM start this image, and what must be inserted for that.

use super::boot_image::{BootImage, Inserted};
use super::compose::{self, Piece};
use super::entry::{self, LoadMap};
use super::fcb::Fcb;
use super::finding::{Finding, Refusal};
use super::header::{self, NewFcb, NewIvt};
use super::ivt::Ivt;
use super::present::Present;
use super::wishes::HeaderWishes;
use super::{fcb_rules, ivt_rules, mcuboot, rules, slot_rules};
use crate::address::{AddressRange, FlashOffset};
use crate::image::Image;
use crate::target::Target;

/// The findings on an image and, unless one is an error, what the flash is to hold.
#[derive(Clone, Debug)]
pub struct Judgement {
    outcome: Result<BootImage, Refusal>,
}

impl Judgement {
    /// What the flash is to hold, if the image was accepted.
    pub const fn boot_image(&self) -> Option<&BootImage> {
        match &self.outcome {
            Ok(boot_image) => Some(boot_image),
            Err(_) => None,
        }
    }

    /// What the flash is to hold.
    ///
    /// # Errors
    /// [`Refusal`] with the findings.
    pub fn into_boot_image(self) -> Result<BootImage, Refusal> {
        self.outcome
    }

    /// What was missing and is inserted, as findings.
    pub fn missing(&self) -> Vec<Finding> {
        self.boot_image()
            .map(|boot_image| boot_image.inserted().iter().map(rules::absent).collect())
            .unwrap_or_default()
    }

    /// All findings, the deciding one first.
    pub fn findings(&self) -> Vec<&Finding> {
        match &self.outcome {
            Ok(boot_image) => boot_image.findings().iter().collect(),
            Err(refusal) => std::iter::once(refusal.first())
                .chain(refusal.others())
                .collect(),
        }
    }
}

/// Judges an image for a target. `present` is what the board holds where the image brings nothing, if it was read.
///
/// Whole images only: the ROM's entry must lie in what is written. A slot under a resident bootloader is refused with
/// that reason.
pub fn judge(image: &Image, present: Option<&Present>, target: &Target) -> Judgement {
    judge_with(image, present, target, &HeaderWishes::default())
}

/// As [`judge`], with wishes on the header.
pub fn judge_with(
    image: &Image,
    present: Option<&Present>,
    target: &Target,
    wishes: &HeaderWishes,
) -> Judgement {
    let mut bench = Bench {
        image,
        present,
        target,
        wishes,
        findings: Vec::new(),
    };
    let decided = bench.decide();
    let findings = bench.findings;
    let outcome = match (Refusal::from_findings(findings.clone()), decided) {
        (Some(refusal), _) => Err(refusal),
        (None, Some(boot_image)) => Ok(BootImage {
            findings,
            ..boot_image
        }),
        (None, None) => Err(Refusal::unexplained(findings)),
    };
    Judgement { outcome }
}

/// One part of the header as the image brings it.
pub(super) enum Region<T> {
    /// Not brought, or all FFh, or all 00h: linkers fill gaps with zeros.
    Absent,
    /// There.
    Found(T),
    /// Something else is in its place.
    Other,
}

/// The image on the bench, with what was found so far.
pub(super) struct Bench<'a> {
    pub(super) image: &'a Image,
    pub(super) present: Option<&'a Present>,
    pub(super) target: &'a Target,
    pub(super) wishes: &'a HeaderWishes,
    pub(super) findings: Vec<Finding>,
}

impl Bench<'_> {
    fn decide(&mut self) -> Option<BootImage> {
        self.fits()?;
        let (fcb, ivt) = self.header_to_keep()?;
        let (new_ivt, entry, copied) = match ivt {
            Some(ivt) => {
                let (map, data) = ivt_rules::check_ivt(self, &ivt)?;
                (None, entry::of_ivt(self, &ivt, map)?, Some((ivt, data)))
            }
            None => {
                let (new, entry) = self.new_ivt(fcb.is_some())?;
                (Some(new), entry, None)
            }
        };
        if let Some((ivt, data)) = copied {
            ivt_rules::check_copied(self, &ivt, &data, &entry);
        }
        let (new_fcb, fcb) = match fcb {
            Some(fcb) => {
                fcb_rules::check_fcb(self, &fcb, &entry);
                (None, fcb)
            }
            None => {
                self.findings.extend(rules::fcb_elsewhere(self));
                let new = self.new_fcb(&entry)?;
                let fcb = new.fcb.clone();
                (Some(new), fcb)
            }
        };
        self.findings.extend(rules::gaps(self));
        slot_rules::check_slots(self, &entry);
        let boot = &self.target.chip().boot;
        let added = self.pieces_to_insert(new_fcb.as_ref(), new_ivt.as_ref());
        Some(BootImage {
            runs: compose::overlay(self.image, self.target, &added),
            image: self.image.clone(),
            window_start: self.target.chip().flexspi.window_start(),
            inserted: inserted(self.target, new_fcb, new_ivt),
            inserted_runs: added
                .iter()
                .map(|piece| (piece.offset, piece.bytes.len() as u32, piece.name))
                .collect(),
            fcb_offset: boot.fcb_offset,
            fcb,
            entry,
            findings: Vec::new(),
        })
    }

    /// FCB and IVT that stay as the image brings them; `None` where something else is in a place and may not go.
    fn header_to_keep(&mut self) -> Option<(Option<Fcb>, Option<Ivt>)> {
        let fcb = match self.read_fcb() {
            Region::Found(fcb) => Some(fcb),
            Region::Other if !self.wishes.replace => {
                self.findings.push(rules::no_fcb_but_something(self));
                return None;
            }
            Region::Absent | Region::Other => None,
        };
        let found = self.read_ivt();
        if let Region::Other = found
            && (!self.wishes.replace || self.may_be_encrypted())
        {
            self.findings
                .push(if fcb.is_some() && self.may_be_encrypted() {
                    rules::maybe_encrypted(self)
                } else {
                    rules::no_ivt_but_something(self)
                });
            return None;
        }
        let ivt = match found {
            Region::Found(ivt) => Some(ivt),
            Region::Absent | Region::Other => None,
        };
        let signed = ivt.is_some_and(|ivt| ivt_rules::is_signed(self, &ivt));
        let replace = self.wishes.replace;
        Some((
            fcb.filter(|_| !replace && self.wishes.fcb.is_none()),
            ivt.filter(|_| !replace || signed),
        ))
    }

    /// Whether data stands where an encrypted image has its BEE headers.
    fn may_be_encrypted(&self) -> bool {
        let boot = &self.target.chip().boot;
        self.target
            .address_of(boot.bee_header_offset)
            .and_then(|start| AddressRange::new(start, boot.bee_header_bytes))
            .is_some_and(|range| !is_blank(self.image, range))
    }

    /// The FCB that is asked for, or one made for the target.
    fn new_fcb(&mut self, entry: &super::Entry) -> Option<NewFcb> {
        if let Some(fcb) = &self.wishes.fcb {
            fcb_rules::check_fcb(self, fcb, entry);
            return header::taken_as_given(self.target, fcb);
        }
        let new = header::fcb_with(self.target, self.wishes);
        if new.is_none() {
            self.findings.push(rules::no_fcb_possible(self.target));
        }
        new
    }

    /// Whether all data lies in the part.
    fn fits(&mut self) -> Option<()> {
        match self.image.require_inside(self.target.flash_window()) {
            Ok(()) => Some(()),
            Err(error) => {
                self.findings.push(rules::does_not_fit(self.target, error));
                None
            }
        }
    }

    fn read_fcb(&mut self) -> Region<Fcb> {
        let offset = self.target.chip().boot.fcb_offset;
        let (bytes, complete) = match self.region::<{ Fcb::SIZE_BYTES }>(offset) {
            Some(region) => region,
            None => return Region::Absent,
        };
        let fcb = Fcb::parse(&bytes);
        if !fcb.has_tag() {
            return Region::Other;
        }
        if !complete {
            self.findings.push(rules::incomplete(
                "FCB",
                "fcb-incomplete",
                self.place(offset),
            ));
        }
        Region::Found(fcb)
    }

    fn read_ivt(&mut self) -> Region<Ivt> {
        let offset = self.target.chip().boot.ivt_offset;
        let (bytes, complete) = match self.region::<{ Ivt::SIZE_BYTES }>(offset) {
            Some(region) => region,
            None => return Region::Absent,
        };
        let Some(ivt) = Ivt::parse(&bytes) else {
            return Region::Other;
        };
        if !complete {
            self.findings.push(rules::incomplete(
                "IVT",
                "ivt-incomplete",
                self.place(offset),
            ));
        }
        Region::Found(ivt)
    }

    /// The `N` bytes from `offset`, with FFh where the image brings none, and whether it brings all; `None` if absent.
    fn region<const N: usize>(&self, offset: FlashOffset) -> Option<([u8; N], bool)> {
        let start = self.target.address_of(offset)?;
        let range = AddressRange::new(start, N as u32)?;
        if is_blank(self.image, range) {
            return None;
        }
        let mut bytes = [super::ERASED; N];
        let mut brought = 0;
        for (address, piece) in self.image.pieces_in(range) {
            let from = address.checked_from(start)? as usize;
            bytes
                .get_mut(from..from + piece.len())?
                .copy_from_slice(piece);
            brought += piece.len();
        }
        Some((bytes, brought == N))
    }

    /// Makes IVT and boot data, where an image without them has its vector table at the usual place.
    fn new_ivt(&mut self, has_fcb: bool) -> Option<(NewIvt, super::Entry)> {
        let boot = &self.target.chip().boot;
        let window = self.target.flash_window();
        if has_fcb && self.may_be_encrypted() {
            self.findings.push(rules::maybe_encrypted(self));
            return None;
        }
        let boot_data_start = self.target.address_of(boot.boot_data_offset)?;
        let boot_data = AddressRange::new(boot_data_start, BOOT_DATA_BYTES)?;
        if !self.wishes.replace && !is_blank(self.image, boot_data) {
            self.findings.push(rules::no_room_for_boot_data(self));
            return None;
        }
        let table = self.target.address_of(boot.vector_table_offset)?;
        if self.image.word_at(table).is_none() {
            let signed = self
                .image
                .segments()
                .iter()
                .find(|segment| self.image.word_at(segment.start()) == Some(mcuboot::MAGIC))
                .map(|segment| segment.start());
            self.findings.push(rules::nothing_to_start(self, signed));
            return None;
        }
        let entry = entry::of_vector_table(self, table, LoadMap::in_place(window))?;
        let image_end = self.image.segments().last().map_or(0, |s| s.end());
        let end = image_end.checked_sub(u64::from(window.start().get()))?;
        let end = FlashOffset::new(u32::try_from(end).ok()?);
        Some((header::ivt_for(self.target, table, end)?, entry))
    }

    fn pieces_to_insert(&self, fcb: Option<&NewFcb>, ivt: Option<&NewIvt>) -> Vec<Piece> {
        let boot = &self.target.chip().boot;
        let mut pieces = Vec::new();
        if let Some(new) = fcb {
            pieces.push(Piece {
                offset: boot.fcb_offset,
                bytes: new.fcb.build().to_vec(),
                name: "FCB",
            });
        }
        if let Some(new) = ivt {
            pieces.push(Piece {
                offset: boot.ivt_offset,
                bytes: new.ivt.build(),
                name: "IVT",
            });
            pieces.push(Piece {
                offset: boot.boot_data_offset,
                bytes: new.boot_data.build(),
                name: "boot data",
            });
        }
        pieces
    }

    /// The place of a header part: by file and line where the image brings it.
    pub(super) fn place(&self, offset: FlashOffset) -> crate::problem::Place {
        let Some(address) = self.target.address_of(offset) else {
            return crate::problem::Place::default();
        };
        self.image
            .place_of(address)
            .unwrap_or(crate::problem::Place::at(address))
    }
}

/// Boot data with NXP's filler word.
const BOOT_DATA_BYTES: u32 = 16;

fn inserted(target: &Target, fcb: Option<NewFcb>, ivt: Option<NewIvt>) -> Vec<Inserted> {
    let fcb = fcb.map(|new| Inserted::Fcb {
        part: target.flash().name.clone(),
        new: Box::new(new),
    });
    fcb.into_iter().chain(ivt.map(Inserted::Ivt)).collect()
}

/// Whether what the image brings in `range`, if anything, is all FFh or all 00h.
fn is_blank(image: &Image, range: AddressRange) -> bool {
    let all = |value: u8| {
        image
            .pieces_in(range)
            .all(|(_, bytes)| bytes.iter().all(|byte| *byte == value))
    };
    all(super::ERASED) || all(0)
}
