//! An application in a slot, cut at every operation: FCB, IVT and bootloader are untouched and the ROM starts the bootloader;
//! the slot is complete-old, complete-new or without its first word.

use rtflash::job::Request;

use crate::cut_sweep::{Counts, Update, sweep};
use crate::desk::Desk;
use crate::images::noise;
use crate::slots::{SLOT, application, bootloader, request};

/// A second slot, not far behind the first so that little of the flash is looked at.
const SECOND_SLOT: u32 = 0x6003_0000;
const EXTENT: usize = 0x6_0000;
const QE: u8 = 0x40;
const PROTECTED: u8 = 0x3C;

/// A desk on which a bootloader and an application were flashed.
fn desk_with(tail: &[u8]) -> Desk {
    let desk = Desk::new("is25wp064");
    let done = desk.flash(&request(&[bootloader(), application(SLOT, tail)]));
    assert!(done.passed(), "{}", done.code());
    desk.power_cycle();
    desk
}

fn cut(name: &str, desk: &Desk, new: &Request, least: usize) -> Counts {
    let counts = sweep(
        desk,
        &Update {
            name,
            old: None,
            new,
            extent: EXTENT,
            others: None,
        },
    );
    println!("cut sweep: {name}: {counts}");
    assert!(
        counts.points >= least,
        "{name}: {} power cuts",
        counts.points
    );
    counts
}

#[test]
fn in_a_slot_that_holds_another() {
    let desk = desk_with(&noise(1, 0x1C00));
    // the rest of the slot's last sector belongs to others
    desk.fill(0x2_2F00, &noise(9, 0x100));
    let counts = cut(
        "slot over another",
        &desk,
        &request(&[application(SLOT, &noise(2, 0x2400))]),
        138,
    );
    assert!(counts.old > 0 && counts.new > 0 && counts.dead > 0);
}

#[test]
fn in_an_empty_slot_beside_a_full_one() {
    let desk = desk_with(&noise(1, 0x800));
    let counts = cut(
        "empty second slot",
        &desk,
        &request(&[application(SECOND_SLOT, &noise(2, 0x1800))]),
        88,
    );
    assert!(counts.new > 0 && counts.dead + counts.old > 0);
}

#[test]
fn in_two_slots_at_once() {
    let desk = desk_with(&noise(1, 0x800));
    let (first, second) = (
        application(SLOT, &noise(2, 0xC00)),
        application(SECOND_SLOT, &noise(3, 0x400)),
    );
    let counts = cut("two slots", &desk, &request(&[first, second]), 108);
    assert!(counts.new > 0 && counts.dead > 0);
}

#[test]
fn where_blocks_are_protected_or_qe_is_lost() {
    for status in [PROTECTED | QE, PROTECTED, 0] {
        let desk = desk_with(&noise(1, 0x400));
        desk.nor(|nor| nor.set_status_register(status));
        let name = format!("slot, status register {status:#04x}");
        let counts = cut(
            &name,
            &desk,
            &request(&[application(SLOT, &noise(2, 0x400))]),
            58,
        );
        assert!(counts.new > 0 && counts.dead > 0);
    }
}
