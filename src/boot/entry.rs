//! From the IVT's entry to the first instruction, with every check on the way.

use super::boot_image::Entry;
use super::finding::Finding;
use super::ivt::Ivt;
use super::judge::Bench;
use crate::address::{Address, AddressRange};
use crate::problem::Place;
use crate::target::Target;

/// Bit 0 of a code address: Thumb.
const THUMB: u32 = 1;
/// The core reads the stack pointer without its two low bits.
const WORD_BYTES: u32 = 4;
/// AAPCS wants more.
const STACK_ALIGNMENT_BYTES: u32 = 8;

/// How addresses of the running image map to the flash: in place, or copied to RAM by the ROM.
#[derive(Clone, Copy)]
pub(super) struct LoadMap {
    window: AddressRange,
    /// Where flash offset 0 lands on the bus.
    base: Address,
}

impl LoadMap {
    /// The image runs where it is stored.
    pub(super) const fn in_place(window: AddressRange) -> Self {
        LoadMap {
            window,
            base: window.start(),
        }
    }

    /// The ROM copies the flash from offset 0 to `base`.
    pub(super) const fn copied_to(window: AddressRange, base: Address) -> Self {
        LoadMap { window, base }
    }

    /// By where the IVT says it is itself; `None` where no image can begin before it.
    pub(super) fn of(ivt: &Ivt, target: &Target) -> Option<Self> {
        let own = Address::new(ivt.self_address);
        let base = own.checked_sub(target.chip().boot.ivt_offset.get())?;
        Some(LoadMap::copied_to(target.flash_window(), base))
    }

    /// Where the byte that the running image sees at `address` is stored.
    pub(super) fn stored_at(self, address: Address) -> Option<Address> {
        let distance = address.checked_from(self.base)?;
        let stored = self.window.start().checked_add(distance)?;
        self.window.contains(stored).then_some(stored)
    }
}

/// The entry that an IVT names. Bit 0 decides, not the version: NXP's own images use both kinds under one version.
pub(super) fn of_ivt(bench: &mut Bench<'_>, ivt: &Ivt, map: LoadMap) -> Option<Entry> {
    let place = bench.place(bench.target.chip().boot.ivt_offset);
    let address = Address::new(ivt.entry & !THUMB);
    let stored = map.stored_at(address);
    if stored.is_none_or(|stored| !bench.image.covers(stored)) {
        let finding = Finding::error(
            "entry-outside",
            format!("the IVT's entry {address} lies outside the image"),
        )
        .at(place)
        .because("the boot ROM would jump to memory that the image does not fill")
        .fix("link the application where the IVT expects it (usually 0x60002000), or correct the entry");
        refuse(bench, finding, stored);
        return None;
    }
    if ivt.entry & THUMB == THUMB {
        return Some(Entry {
            ivt_entry: ivt.entry,
            vector_table: None,
            initial_sp: None,
            reset_handler: address,
        });
    }
    of_vector_table(bench, address, map)
}

/// Refuses the image for what it lacks at `stored`; in the flash the board may hold that.
pub(super) fn refuse(bench: &mut Bench<'_>, finding: Finding, stored: Option<Address>) {
    if stored.is_some() {
        bench.refuse_unless_on_board(finding);
    } else {
        bench.findings.push(finding);
    }
}

/// The entry by a vector table, which must be inside the image.
pub(super) fn of_vector_table(
    bench: &mut Bench<'_>,
    table: Address,
    map: LoadMap,
) -> Option<Entry> {
    let stored = map.stored_at(table)?;
    let place = bench
        .image
        .place_of(stored)
        .unwrap_or_else(|| Place::at(stored));
    let second = stored.checked_add(WORD_BYTES);
    let words = bench
        .image
        .word_at(stored)
        .zip(second.and_then(|second| bench.image.word_at(second)));
    let Some((sp, reset)) = words else {
        bench.findings.push(
            Finding::error(
                "entry-outside",
                format!("the vector table at {table} is not complete in the image"),
            )
            .at(place)
            .fix("add the part of the application that holds its vector table"),
        );
        return None;
    };
    let alignment = bench.target.chip().boot.vector_table_alignment_bytes;
    if !table.is_aligned_to(alignment) {
        bench.findings.push(
            Finding::uncertain(
                "vector-table-alignment",
                format!("the vector table at {table} is not aligned to {alignment} bytes"),
                "interrupts may take wrong vectors once VTOR points there",
            )
            .at(place.clone()),
        );
    }
    check_stack_pointer(bench, table, Address::new(sp), &place);
    check_reset_vector(bench, table, reset, map, &place)?;
    Some(Entry {
        ivt_entry: table.get(),
        vector_table: Some(table),
        initial_sp: Some(Address::new(sp)),
        reset_handler: Address::new(reset & !THUMB),
    })
}

fn check_stack_pointer(bench: &mut Bench<'_>, table: Address, sp: Address, place: &Place) {
    let fix = "check that a vector table is linked at this address";
    if bench.target.chip().ram_for_stack(sp).is_none() {
        bench.findings.push(
            Finding::error(
                "stack-pointer",
                format!(
                    "the initial stack pointer {sp} in the vector table at {table} is not in RAM"
                ),
            )
            .at(place.clone())
            .because("the first push would fault, and the core would lock up")
            .fix(fix),
        );
    } else if !sp.is_aligned_to(WORD_BYTES) {
        bench.findings.push(
            Finding::error(
                "stack-pointer-misaligned",
                format!("the initial stack pointer {sp} in the vector table at {table} is no multiple of 4"),
            )
            .at(place.clone())
            .because("no linker makes such a word: this is hardly a vector table")
            .fix(fix),
        );
    } else if !sp.is_aligned_to(STACK_ALIGNMENT_BYTES) {
        bench.findings.push(
            Finding::warning(
                "stack-pointer-misaligned",
                format!("the initial stack pointer {sp} in the vector table at {table} is no multiple of 8"),
            )
            .at(place.clone())
            .because("the calling convention wants 8; the core itself starts with it"),
        );
    }
}

fn check_reset_vector(
    bench: &mut Bench<'_>,
    table: Address,
    reset: u32,
    map: LoadMap,
    place: &Place,
) -> Option<()> {
    let handler = Address::new(reset & !THUMB);
    if reset & THUMB == 0 {
        bench.findings.push(
            Finding::error(
                "reset-not-thumb",
                format!("the reset vector {handler} in the vector table at {table} is even"),
            )
            .at(place.clone())
            .because("a Cortex-M7 runs Thumb code only: bit 0 of a vector must be set, or the core faults at once")
            .fix("check that a vector table is linked at this address"),
        );
        return None;
    }
    let stored = map.stored_at(handler);
    if stored.is_none_or(|stored| !bench.image.covers(stored)) {
        let finding = Finding::error(
            "reset-outside",
            format!("the reset vector {handler} in the vector table at {table} points outside the image"),
        )
        .at(place.clone())
        .because("after reset only the flash holds code: the core would run into memory that nobody filled")
        .fix("link the reset handler into the flash, and give all files of the application");
        refuse(bench, finding, stored);
        return None;
    }
    Some(())
}
