//! The rules for MCUboot images and the bootloader below them.

use super::boot_image::Entry;
use super::finding::Finding;
use super::judge::Bench;
use super::mcuboot::{self, HashCheck, Slot};
use crate::address::Address;
use crate::problem::Place;

/// Bit 0 of a code address: Thumb.
const THUMB: u32 = 1;

/// Checks the slots that the image brings, and whether a bootloader has something to start.
pub(super) fn check_slots(bench: &mut Bench<'_>, entry: &Entry) {
    let slots = mcuboot::slots(bench.brought, bench.target);
    let in_slot = |slot: &Slot| {
        bench
            .target
            .offset_of(entry.reset_handler)
            .is_some_and(|reset| {
                (u64::from(slot.offset.get())..slot.end).contains(&u64::from(reset.get()))
            })
    };
    let has_application = !slots.is_empty();
    let bootloader = mcuboot::is_bootloader(bench.brought, bench.target);
    let enters_slot = slots.iter().any(in_slot);
    if bootloader && !has_application {
        let on_board = mcuboot::slots(&bench.image, bench.target);
        bench
            .findings
            .push(bootloader_alone(bench.present.is_some(), on_board.first()));
    }
    if has_application && !bootloader && !enters_slot {
        bench.findings.push(
            Finding::note(
                "bootloader-unknown",
                "the image holds MCUboot applications, and what the boot ROM starts is not recognised as MCUboot",
            )
            .because("another bootloader may read the same format"),
        );
    }
    check_each(bench, &slots);
}

/// Checks every slot by itself.
pub(super) fn check_each(bench: &mut Bench<'_>, slots: &[Slot]) {
    for (index, slot) in slots.iter().enumerate() {
        check_slot(bench, slot, slot.primary.unwrap_or(index == 0));
    }
    let broken: Vec<Address> = mcuboot::broken_headers(bench.brought).collect();
    for address in broken {
        bench.findings.push(
            Finding::uncertain(
                "mcuboot-header",
                format!("{address} has the magic of an MCUboot image, and what follows is no header of one"),
                "MCUboot refuses it; it may also be code or data that begins with that word",
            )
            .at(bench.brought.place_of(address).unwrap_or_default()),
        );
    }
}

fn bootloader_alone(board_is_known: bool, on_board: Option<&Slot>) -> Finding {
    const CODE: &str = "bootloader-without-application";
    const WHAT: &str = "the image is an MCUboot bootloader without an application in a slot";
    const FIX: &str =
        "give the signed application's file as well: rtflash flash mcuboot.hex app.signed.hex";
    match on_board {
        Some(slot) => Finding::note(CODE, WHAT).because(format!(
            "the board holds version {} at {}, which the bootloader may accept",
            slot.header.version, slot.address
        )),
        None if board_is_known => Finding::warning(CODE, WHAT)
            .because("the board holds none in a slot of a known layout either: the bootloader will find nothing to start")
            .fix(FIX),
        None => Finding::warning(CODE, WHAT)
            .because("the boot ROM starts the bootloader, which then finds nothing to start unless a slot is on the board already")
            .fix(FIX),
    }
}

/// Checks one slot; `primary` where applications run in it.
fn check_slot(bench: &mut Bench<'_>, slot: &Slot, primary: bool) {
    let place = bench
        .brought
        .place_of(slot.address)
        .unwrap_or(Place::at(slot.address));
    let target = bench.target;
    let mut say = |finding: Finding| bench.findings.push(finding.at(place.clone()));
    let at = slot.address;
    match slot.hash {
        HashCheck::Differs => say(Finding::error(
            "mcuboot-hash",
            format!("the SHA-256 of the MCUboot image at {at} does not fit its bytes"),
        )
        .because("MCUboot refuses such an image: the file was damaged or changed after signing")
        .fix("sign the application again (`imgtool sign`), and give the file as imgtool wrote it")),
        HashCheck::Incomplete => say(Finding::warning(
            "mcuboot-incomplete",
            format!("the MCUboot image at {at} is not complete: its header asks for more bytes or TLVs than the files bring"),
        )
        .because("MCUboot refuses an image without hash and signature behind it")
        .fix("give the signed file (zephyr.signed.hex), not the one before signing")),
        HashCheck::Absent => say(Finding::warning(
            "mcuboot-no-hash",
            format!("the MCUboot image at {at} has no SHA-256 TLV"),
        )
        .because("MCUboot refuses an image without a hash; a build with another hash accepts that one")),
        HashCheck::Fits | HashCheck::Encrypted => {}
    }
    if slot.signatures().is_empty() && slot.hash != HashCheck::Incomplete {
        say(Finding::note(
            "mcuboot-not-signed",
            format!("the MCUboot image at {at} is not signed"),
        )
        .because("only a bootloader built without signature check starts it"));
    }
    if primary && slot.runs_in_place() == Some(false) {
        say(Finding::warning(
            "mcuboot-linked-elsewhere",
            format!("the reset vector of the MCUboot image at {at} is outside the image"),
        )
        .because("the application is linked for another slot or header size, and MCUboot would start it all the same")
        .fix("link it for this slot: CONFIG_FLASH_LOAD_OFFSET and CONFIG_ROM_START_OFFSET in Zephyr"));
    }
    if slot.header.is_not_bootable() {
        say(Finding::uncertain(
            "mcuboot-not-bootable",
            format!("the MCUboot image at {at} is marked as not bootable"),
            "MCUboot passes such an image over; another loader may start it",
        ));
    }
    let longer = slot
        .slot_bytes
        .zip(slot.name)
        .filter(|(bytes, _)| slot.end > u64::from(slot.offset.get()) + u64::from(*bytes));
    if let Some((bytes, name)) = longer {
        say(Finding::uncertain(
            "mcuboot-slot-size",
            format!("the MCUboot image at {at} goes beyond the {bytes} bytes of {name}"),
            "the board's bootloader may have another layout",
        ));
    }
    let vectors_are_sound = slot.vectors.is_none_or(|(sp, reset)| {
        let stack = target.chip().ram_for_stack(Address::new(sp));
        stack.is_some() && reset & THUMB == THUMB
    });
    if !vectors_are_sound {
        say(Finding::uncertain(
            "mcuboot-vectors",
            format!(
                "behind the header of the MCUboot image at {at} stands no vector table: a stack pointer in RAM and an odd reset vector"
            ),
            "MCUboot starts it all the same, and the core faults at once, unless the loader wants something else there",
        ));
    }
}
