//! A partial image: the ROM starts a bootloader that the board holds, and that is to start what is written.

use super::boot_image::{BootImage, Entry, Role, Start};
use super::entry::LoadMap;
use super::fcb::Fcb;
use super::finding::Finding;
use super::ivt::Ivt;
use super::judge::Bench;
use super::mcuboot::{self, Slot};
use super::wanted::header_ranges;
use super::{entry, fcb_rules, ivt_rules, rules, slot_rules};
use crate::address::{Address, AddressRange, FlashOffset};
use crate::image::Segment;
use crate::target::FlashPart;

/// Bit 0 of a code address: Thumb.
const THUMB: u32 = 1;

/// Decides by what the board holds; without knowing that, refuses and says what the board must hold.
pub(super) fn decide(bench: &mut Bench<'_>) -> Option<BootImage> {
    let slots = mcuboot::slots(bench.brought, bench.target);
    slot_rules::check_each(bench, &slots);
    if let Some(unaligned) = begins_inside_a_sector(bench, &slots) {
        bench.findings.push(unaligned);
    }
    let Some((fcb, ivt)) = header_of_board(bench) else {
        let finding = rules::nothing_to_start(bench);
        bench.refuse_unless_on_board(finding);
        return None;
    };
    // the resident bootloader reads what lies behind it by itself
    bench.end = u64::from(bench.target.flash_window().start().get());
    let (map, data) = ivt_rules::check_ivt(bench, &ivt)?;
    let entry = entry::of_ivt(bench, &ivt, map)?;
    ivt_rules::check_copied(bench, &ivt, &data, &entry);
    let place = bench.place(bench.target.chip().boot.fcb_offset);
    fcb_rules::check_fcb(bench, &fcb, &entry, &place);
    if let Some(address) = started_sector_brought(bench, &entry, map) {
        bench.findings.push(covers_what_is_started(bench, address));
        return None;
    }
    if slots.is_empty() {
        bench.findings.push(not_a_slot(bench));
    }
    bench.findings.push(trusts_bootloader(bench, &entry));
    let first = first_of_application(bench)?;
    let starts: Vec<FlashOffset> = match slots.as_slice() {
        [] => vec![bench.target.offset_of(first)?],
        slots => slots.iter().map(|slot| slot.offset).collect(),
    };
    let role = Role::Partial {
        resident: Start { fcb, entry },
        application: slots.iter().find_map(application_of),
        slots: starts,
    };
    Some(bench.boot_image(role, Vec::new(), Vec::new()))
}

fn header_of_board(bench: &Bench<'_>) -> Option<(Fcb, Ivt)> {
    bench.present?;
    let boot = &bench.target.chip().boot;
    let at = |offset, length| {
        bench
            .image
            .bytes_at(bench.target.address_of(offset)?, length)
    };
    let fcb = Fcb::parse(at(boot.fcb_offset, Fcb::SIZE_BYTES)?.first_chunk()?);
    let ivt = Ivt::parse(at(boot.ivt_offset, Ivt::SIZE_BYTES)?.first_chunk()?)?;
    fcb.has_tag().then_some((fcb, ivt))
}

/// The first instruction of a slot's application, if it is readable. An image that is to be swapped into another slot
/// begins where the application before it began as well, so that one is no proof of the other.
fn application_of(slot: &Slot) -> Option<Address> {
    let (_, reset) = slot.vectors?;
    (slot.runs_in_place() != Some(false)).then_some(Address::new(reset & !THUMB))
}

/// Whether the files bring the first byte of what the board's IVT starts: then they are a whole image.
pub(super) fn brings_what_is_started(bench: &Bench<'_>) -> bool {
    header_of_board(bench).is_some_and(|(_, ivt)| {
        LoadMap::of(&ivt, bench.target)
            .and_then(|map| map.stored_at(Address::new(ivt.entry & !THUMB)))
            .is_some_and(|stored| bench.brought.covers(stored))
    })
}

/// Where an image begins that a bootloader is to start: at the first byte of the files. A block with a unit's data may lie
/// below it.
fn first_of_application(bench: &Bench<'_>) -> Option<Address> {
    let of_files = bench.brought.first_of_files(FlashPart::SECTOR_BYTES);
    let mut segments = bench.brought.segments().iter();
    of_files.or_else(|| segments.next().map(Segment::start))
}

/// A slot is erased by whole sectors, and its first word is its commit mark.
fn begins_inside_a_sector(bench: &Bench<'_>, slots: &[Slot]) -> Option<Finding> {
    let first = first_of_application(bench)?;
    let starts: Vec<Address> = match slots {
        [] => vec![first],
        slots => slots.iter().map(|slot| slot.address).collect(),
    };
    let unaligned = starts
        .into_iter()
        .find(|start| !start.is_aligned_to(FlashPart::SECTOR_BYTES))?;
    Some(
        Finding::error(
            "slot-alignment",
            format!("the image to be started by a bootloader begins at {unaligned}, inside a 4 KiB sector"),
        )
        .at(bench.brought.place_of(unaligned).unwrap_or_default())
        .because("the rest of that sector may belong to the bootloader, which a power cut would then take along")
        .fix("let the slot begin on a sector; bytes that are not meant to boot: rtflash flash --data"),
    )
}

/// The first byte in a sector with the board's boot header or with what it starts: the files may not bring any there.
fn started_sector_brought(bench: &Bench<'_>, entry: &Entry, map: LoadMap) -> Option<Address> {
    let started = [entry.vector_table, Some(entry.reset_handler)]
        .into_iter()
        .flatten()
        .filter_map(|address| map.stored_at(address));
    header_ranges(bench.target)
        .into_iter()
        .map(AddressRange::start)
        .chain(started)
        .filter_map(|address| bench.target.offset_of(address))
        .map(|offset| offset.floor_to(FlashPart::SECTOR_BYTES))
        .filter_map(|sector| bench.target.address_of(sector))
        .filter_map(|sector| AddressRange::new(sector, FlashPart::SECTOR_BYTES))
        .find_map(|sector| bench.brought.pieces_in(sector).next())
        .map(|(address, _)| address)
}

fn covers_what_is_started(bench: &Bench<'_>, address: Address) -> Finding {
    Finding::error(
        "covers-entry",
        format!("the image brings {address}, in a sector that holds the board's boot header or what it starts, but no boot header of its own"),
    )
    .at(bench.brought.place_of(address).unwrap_or_default())
    .because("FCB, IVT and the bootloader of the board must stay whole while only a slot is written")
    .fix("to replace what the board starts: give the files with FCB and IVT, or add --keep-boot-header")
}

fn not_a_slot(bench: &Bench<'_>) -> Finding {
    let start = bench.brought.segments().first().map(|s| s.start());
    Finding::uncertain(
        "slot-unknown",
        "the image is no MCUboot image, and the board's boot header starts something else",
        "whether the bootloader on the board starts it is not known",
    )
    .at(start
        .and_then(|start| bench.brought.place_of(start))
        .unwrap_or_default())
    .fix("if it is not meant to boot, say so with --data")
}

fn trusts_bootloader(bench: &Bench<'_>, entry: &Entry) -> Finding {
    let start = bench.brought.segments().first().map(|s| s.start());
    Finding::note(
        "partial-image",
        format!(
            "the image is started by the bootloader that the board holds, whose reset handler is at {}",
            entry.reset_handler
        ),
    )
    .at(start
        .and_then(|start| bench.brought.place_of(start))
        .unwrap_or_default())
    .because("FCB, IVT and the bootloader's vector table and reset handler stay untouched; while the slot is written it has no first word, and the bootloader is trusted to refuse it")
}
