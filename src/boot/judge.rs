//! The verdict before anything is touched: will the ROM start this image, and what must be inserted for that.

use super::bee;
use super::boot_image::{BootImage, HeaderPart, Inserted, Reason, Role, Start};
use super::compose::{self, Piece};
use super::entry::{self, LoadMap};
use super::fcb::Fcb;
use super::finding::{Finding, Refusal, Severity};
use super::header::{self, NewIvt};
use super::ivt::{BootData, Ivt};
use super::judgement::Judgement;
use super::present::Present;
use super::wanted::{is_blank, is_partial, that_counts, will_hold};
use super::wishes::{HeaderPolicy, HeaderWishes};
use super::{fcb_rules, ivt_rules, partial, rules, slot_rules};
use crate::address::{Address, AddressRange, FlashOffset};
use crate::image::Image;
use crate::problem::Place;
use crate::target::Target;

/// Judges an image for a target, with the default header. `present` is what the board holds where the image brings
/// nothing, if it was read; see [`wanted`](super::wanted()).
pub fn judge(image: &Image, present: Option<&Present>, target: &Target) -> Judgement {
    judge_with(image, present, target, &HeaderWishes::default())
}

/// Judges what the board holds as it is. [`wanted`](super::wanted()) without an image tells what must be read for it.
pub fn judge_present(present: &Present, target: &Target) -> Judgement {
    let policy = HeaderPolicy::KeepOfBoard;
    judge(
        &will_hold(&Image::nothing(), present, target, policy),
        None,
        target,
    )
}

/// As [`judge`], with wishes on the header. The verdict is about what the flash will hold.
pub fn judge_with(
    image: &Image,
    present: Option<&Present>,
    target: &Target,
    wishes: &HeaderWishes,
) -> Judgement {
    let brought = that_counts(image, target, wishes.policy);
    let mut bench = Bench {
        brought: &brought,
        image: will_hold(
            &brought,
            present.unwrap_or(&Present::default()),
            target,
            wishes.policy,
        ),
        end: brought.end(),
        present,
        target,
        wishes,
        findings: Vec::new(),
        liftable: 0,
    };
    let decided = bench.decide();
    let Bench {
        mut findings,
        liftable,
        ..
    } = bench;
    findings.iter_mut().for_each(rules::blame_the_board);
    let errors = findings.iter().filter(|f| f.severity == Severity::Error);
    let needs_board = liftable != 0 && errors.count() == liftable;
    let outcome = match (Refusal::from_findings(findings.clone()), decided) {
        (Some(refusal), _) => Err(refusal),
        (None, Some(boot_image)) => Ok(BootImage {
            findings,
            ..boot_image
        }),
        (None, None) => Err(Refusal::unexplained(findings)),
    };
    Judgement {
        needs_board,
        outcome,
    }
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
    /// What the files bring.
    pub(super) brought: &'a Image,
    /// What the flash will hold, as far as that is known: the files' bytes, and around them those of the board.
    pub(super) image: Image,
    /// Behind the last byte that the ROM and what it starts must reach, as a bus address.
    pub(super) end: u64,
    pub(super) present: Option<&'a Present>,
    pub(super) target: &'a Target,
    pub(super) wishes: &'a HeaderWishes,
    pub(super) findings: Vec<Finding>,
    /// How many of the findings refuse the image only because the board was not read.
    pub(super) liftable: usize,
}

impl Bench<'_> {
    fn decide(&mut self) -> Option<BootImage> {
        self.fits()?;
        match self.wishes.policy {
            HeaderPolicy::DataOnly => Some(self.boot_image(Role::Data, Vec::new(), Vec::new())),
            HeaderPolicy::KeepOfBoard if self.present.is_none() => {
                self.refuse_unless_on_board(rules::board_not_read());
                None
            }
            HeaderPolicy::KeepOfBoard if partial::brings_what_is_started(self) => self.whole(),
            _ if is_partial(self.brought, self.target) => partial::decide(self),
            _ => self.whole(),
        }
    }

    /// Refuses the image; unless the board was read, what it holds may lift that.
    pub(super) fn refuse_unless_on_board(&mut self, finding: Finding) {
        self.liftable += usize::from(self.present.is_none());
        self.findings.push(finding);
    }

    /// An image that the ROM starts.
    fn whole(&mut self) -> Option<BootImage> {
        let Header {
            fcb,
            ivt,
            old_ivt,
            ivt_goes,
        } = self.header_to_keep()?;
        let (new_ivt, entry, copied) = match ivt {
            Some(ivt) => {
                let (map, data) = ivt_rules::check_ivt(self, &ivt)?;
                (None, entry::of_ivt(self, &ivt, map)?, Some((ivt, data)))
            }
            None => {
                let (new, entry) = self.new_ivt(old_ivt)?;
                (Some(new), entry, None)
            }
        };
        if let Some((ivt, data)) = &copied {
            ivt_rules::check_copied(self, ivt, data, &entry);
        }
        let new_fcb = match &fcb {
            Some(fcb) => {
                let place = self.place(self.target.chip().boot.fcb_offset);
                fcb_rules::check_fcb(self, fcb, &entry, &place);
                None
            }
            None => {
                self.findings.extend(rules::fcb_elsewhere(self));
                Some(self.new_fcb(&entry)?)
            }
        };
        self.findings.extend(rules::gaps(self));
        slot_rules::check_slots(self, &entry);
        let boot = &self.target.chip().boot;
        let mut inserted = Vec::new();
        let mut pieces = Vec::new();
        let kept = Reason::KeptOfBoard;
        let is_kept = |offset| self.is_of_board(offset);
        let fcb_part = new_fcb.as_ref().map(|(fcb, reason)| (fcb, *reason));
        let kept_fcb = fcb.as_ref().filter(|_| is_kept(boot.fcb_offset));
        if let Some((fcb, reason)) = fcb_part.or(kept_fcb.map(|fcb| (fcb, kept))) {
            inserted.push(self.fcb_part(fcb, reason));
            pieces.push(Piece {
                offset: boot.fcb_offset,
                bytes: fcb.build().to_vec(),
                name: "FCB",
            });
        }
        let made = new_ivt.map(|new| {
            let reason = if ivt_goes {
                Reason::Replaced
            } else {
                Reason::Missing
            };
            (new, reason)
        });
        let kept_ivt = copied
            .filter(|_| is_kept(boot.ivt_offset))
            .map(|(ivt, boot_data)| (NewIvt { ivt, boot_data }, kept));
        if let Some((new, reason)) = made.or(kept_ivt) {
            pieces.push(Piece {
                offset: boot.ivt_offset,
                bytes: new.ivt.build(),
                name: "IVT",
            });
            // boot data of the board may stand elsewhere, and stay there
            if reason != kept {
                pieces.push(Piece {
                    offset: boot.boot_data_offset,
                    bytes: new.boot_data.build(),
                    name: "boot data",
                });
            }
            inserted.push(Inserted {
                part: HeaderPart::Ivt(new),
                reason,
            });
        }
        let fcb = new_fcb.map(|(fcb, _)| fcb).or(fcb)?;
        Some(self.boot_image(Role::Whole(Start { fcb, entry }), inserted, pieces))
    }

    /// The files' bytes with `pieces` in their places.
    pub(super) fn boot_image(
        &self,
        role: Role,
        inserted: Vec<Inserted>,
        pieces: Vec<Piece>,
    ) -> BootImage {
        BootImage {
            runs: compose::overlay(self.brought, self.target, &pieces),
            image: self.brought.clone(),
            window_start: self.target.chip().flexspi.window_start(),
            inserted,
            inserted_runs: pieces
                .iter()
                .map(|piece| (piece.offset, piece.bytes.len() as u32, piece.name))
                .collect(),
            fcb_offset: self.target.chip().boot.fcb_offset,
            role,
            findings: Vec::new(),
        }
    }

    fn fcb_part(&self, fcb: &Fcb, reason: Reason) -> Inserted {
        let chip = self.target.chip();
        Inserted {
            part: HeaderPart::Fcb {
                flash: self.target.flash().name.clone(),
                fcb: Box::new(fcb.clone()),
                clock_hz: chip
                    .clock_of_code(fcb.serial_clk_freq)
                    .unwrap_or(chip.serial_clock_limits.unknown_code_hz),
            },
            reason,
        }
    }

    /// Whether the byte at `offset` is the board's.
    fn is_of_board(&self, offset: FlashOffset) -> bool {
        self.target
            .address_of(offset)
            .is_some_and(|address| !self.brought.covers(address))
    }

    /// FCB and IVT that stay as they are; `None` where something else is in a place and may not go.
    fn header_to_keep(&mut self) -> Option<Header> {
        let replace = self.wishes.policy == HeaderPolicy::Replace;
        let fcb = match self.read_fcb(replace || self.wishes.fcb.is_some()) {
            Region::Found(fcb) => Some(fcb),
            Region::Other if !replace && self.wishes.fcb.is_none() => {
                self.findings.push(rules::no_fcb_but_something(self));
                return None;
            }
            Region::Absent | Region::Other => None,
        };
        let found = self.read_ivt(replace);
        let brings_ivt = !matches!(found, Region::Absent);
        // an encrypted image has an FCB in clear, if any, and an IVT that cannot be told from anything else
        let bee = bee::may_be_encrypted(&self.image, self.target);
        let encrypted = bee && (fcb.is_some() || replace);
        let ivt = match found {
            Region::Found(ivt) => {
                if bee {
                    self.findings.push(rules::bee_headers(self));
                }
                Some(ivt)
            }
            _ if encrypted => {
                self.findings.push(rules::maybe_encrypted(self));
                return None;
            }
            Region::Other if !replace => {
                self.findings.push(rules::no_ivt_but_something(self));
                return None;
            }
            Region::Absent | Region::Other => None,
        };
        let stays = |ivt: &Ivt| {
            !replace || bee || ivt_rules::is_signed(self, ivt) || ivt_rules::is_copied(self, ivt)
        };
        let kept = ivt.filter(stays);
        Some(Header {
            fcb: fcb.filter(|_| !replace && self.wishes.fcb.is_none()),
            ivt: kept,
            old_ivt: ivt.filter(|_| kept.is_none()),
            ivt_goes: brings_ivt && kept.is_none(),
        })
    }

    /// The FCB that is asked for, or one made for the target.
    fn new_fcb(&mut self, entry: &super::Entry) -> Option<(Fcb, Reason)> {
        if let Some(given) = &self.wishes.fcb {
            let place = Place::in_file(given.file.clone(), None);
            fcb_rules::check_fcb(self, &given.fcb, entry, &place);
            return Some((given.fcb.clone(), Reason::Given));
        }
        let Some(new) = header::fcb_with(self.target, self.wishes) else {
            self.findings.push(rules::no_fcb_possible(self.target));
            return None;
        };
        let offset = self.target.chip().boot.fcb_offset;
        let reason = match self.region::<{ Fcb::SIZE_BYTES }>(offset) {
            Some(_) => Reason::Replaced,
            None => Reason::Missing,
        };
        Some((new.fcb, reason))
    }

    /// Whether all data lies in the part.
    fn fits(&mut self) -> Option<()> {
        match self.brought.require_inside(self.target.flash_window()) {
            Ok(()) => Some(()),
            Err(error) => {
                self.findings.push(rules::does_not_fit(self.target, error));
                None
            }
        }
    }

    /// The FCB; `goes` if it will not stay, so that it need not be complete.
    fn read_fcb(&mut self, goes: bool) -> Region<Fcb> {
        let offset = self.target.chip().boot.fcb_offset;
        let (bytes, complete) = match self.region::<{ Fcb::SIZE_BYTES }>(offset) {
            Some(region) => region,
            None => return Region::Absent,
        };
        let fcb = Fcb::parse(&bytes);
        if !fcb.has_tag() {
            return Region::Other;
        }
        if !complete && !goes {
            self.findings.push(rules::incomplete(
                "FCB",
                "fcb-incomplete",
                self.place(offset),
            ));
        }
        Region::Found(fcb)
    }

    /// The IVT; `goes` if it will not stay.
    fn read_ivt(&mut self, goes: bool) -> Region<Ivt> {
        let offset = self.target.chip().boot.ivt_offset;
        let (bytes, complete) = match self.region::<{ Ivt::SIZE_BYTES }>(offset) {
            Some(region) => region,
            None => return Region::Absent,
        };
        let Some(ivt) = Ivt::parse(&bytes) else {
            return Region::Other;
        };
        if !complete && !goes {
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
        if is_blank(&self.image, range) {
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

    /// Makes IVT and boot data, where an image without them has its vector table at the usual place. Of an `old` IVT that
    /// is replaced, the entry stays where it leads into the image, and a DCD where there is one.
    fn new_ivt(&mut self, old: Option<Ivt>) -> Option<(NewIvt, super::Entry)> {
        let boot = &self.target.chip().boot;
        let window = self.target.flash_window();
        let map = LoadMap::in_place(window);
        let boot_data_start = self.target.address_of(boot.boot_data_offset)?;
        let boot_data = AddressRange::new(boot_data_start, BootData::BUILT_BYTES as u32)?;
        let replace = self.wishes.policy == HeaderPolicy::Replace;
        if !replace && !is_blank(&self.image, boot_data) {
            self.findings.push(rules::no_room_for_boot_data(self));
            return None;
        }
        let usual = self.target.address_of(boot.vector_table_offset)?;
        let leads_into_image = |entry: u32| {
            let stored = map.stored_at(Address::new(entry & !THUMB));
            stored.is_some_and(|stored| self.brought.covers(stored))
        };
        let entry = old
            .map(|old| old.entry)
            .filter(|entry| leads_into_image(*entry))
            .unwrap_or(usual.get());
        if entry == usual.get() && self.image.word_at(usual).is_none() {
            self.findings.push(rules::nothing_to_start(self));
            return None;
        }
        let dcd = old.map_or(0, |old| old.dcd);
        let keeps_dcd = dcd != 0 && ivt_rules::has_dcd(self, dcd, map);
        if dcd != 0 && !keeps_dcd {
            self.findings.push(rules::dcd_dropped(self, dcd));
        }
        let end = self.end.checked_sub(u64::from(window.start().get()))?;
        let end = FlashOffset::new(u32::try_from(end).ok()?);
        let dcd = if keeps_dcd { dcd } else { 0 };
        let new = header::ivt_for(self.target, entry, dcd, end)?;
        let entry = entry::of_ivt(self, &new.ivt, map)?;
        Some((new, entry))
    }

    /// The first byte from the IVT to `end` that belongs to one unit only.
    pub(super) fn of_unit_below(&self, end: Address) -> Option<Address> {
        let ivt = self.target.address_of(self.target.chip().boot.ivt_offset)?;
        let signed = AddressRange::new(ivt, end.checked_from(ivt)?)?;
        let mut own = self.brought.of_unit();
        own.find_map(|own| own.first_shared(signed))
    }

    /// The place of a header part: by file and line where the image brings it.
    pub(super) fn place(&self, offset: FlashOffset) -> Place {
        let Some(address) = self.target.address_of(offset) else {
            return Place::default();
        };
        self.image.place_of(address).unwrap_or(Place::at(address))
    }
}

/// FCB and IVT that stay, the IVT that goes, and whether anything in its place goes.
struct Header {
    fcb: Option<Fcb>,
    ivt: Option<Ivt>,
    old_ivt: Option<Ivt>,
    ivt_goes: bool,
}

/// Bit 0 of a code address: Thumb.
const THUMB: u32 = 1;
