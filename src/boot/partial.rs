//! A partial image: the ROM starts a bootloader that the board holds, and that is to start what is written.

use super::boot_image::{BootImage, Entry, Role, Start};
use super::fcb::Fcb;
use super::finding::Finding;
use super::ivt::Ivt;
use super::judge::Bench;
use super::mcuboot::{self, Slot};
use super::{entry, fcb_rules, ivt_rules, rules, slot_rules};
use crate::address::{Address, FlashOffset};

/// Bit 0 of a code address: Thumb.
const THUMB: u32 = 1;

/// Decides by what the board holds; without knowing that, refuses and says what the board must hold.
pub(super) fn decide(bench: &mut Bench<'_>) -> Option<BootImage> {
    let Some((fcb, ivt)) = header_of_board(bench) else {
        bench.needs_board = bench.present.is_none();
        bench.findings.push(rules::nothing_to_start(bench));
        return None;
    };
    // the resident bootloader reads what lies behind it by itself
    bench.end = u64::from(bench.target.flash_window().start().get());
    let (map, data) = ivt_rules::check_ivt(bench, &ivt)?;
    let entry = entry::of_ivt(bench, &ivt, map)?;
    ivt_rules::check_copied(bench, &ivt, &data, &entry);
    let place = bench.place(bench.target.chip().boot.fcb_offset);
    fcb_rules::check_fcb(bench, &fcb, &entry, &place);
    if let Some(address) = started_address_brought(bench, &entry, map) {
        bench.findings.push(covers_what_is_started(bench, address));
        return None;
    }
    let slots = mcuboot::slots(bench.brought, bench.target);
    for (index, slot) in slots.iter().enumerate() {
        slot_rules::check_slot(bench, slot, index == 0);
    }
    if slots.is_empty() {
        bench.findings.push(not_a_slot(bench));
    }
    bench.findings.push(trusts_bootloader(bench, &entry));
    let first = bench.brought.segments().first()?.start();
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

/// The first instruction of a slot's application, if it is readable and may be started.
fn application_of(slot: &Slot) -> Option<Address> {
    let (_, reset) = slot.vectors?;
    Some(Address::new(reset & !THUMB))
}

/// Where the files bring a byte of what the board's boot header starts.
fn started_address_brought(
    bench: &Bench<'_>,
    entry: &Entry,
    map: entry::LoadMap,
) -> Option<Address> {
    [entry.vector_table, Some(entry.reset_handler)]
        .into_iter()
        .flatten()
        .filter_map(|address| map.stored_at(address))
        .find(|stored| bench.brought.covers(*stored))
}

fn covers_what_is_started(bench: &Bench<'_>, address: Address) -> Finding {
    Finding::error(
        "covers-entry",
        format!("the image brings {address}, which the boot header on the board starts, but no boot header of its own"),
    )
    .at(bench.brought.place_of(address).unwrap_or_default())
    .because("that makes it a whole image with its vector table at an unusual place, and no header can be made for it")
    .fix("link the application at 0x60002000, or give the files with FCB and IVT")
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
    .because("FCB, IVT and bootloader stay untouched; while the slot is written it has no first sector, and the bootloader is trusted to refuse it")
}
