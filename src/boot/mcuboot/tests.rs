//! Slots as imgtool makes them.

use super::*;
use crate::image::sample::{application, image_of};

const SLOT: u32 = 0x6002_0000;
const STACK: u32 = 0x2002_0000;

fn target() -> Target {
    Target::builtin("mimxrt1062", "is25wp064", "qspi").expect("target")
}

fn slots_of(pieces: &[(u32, Vec<u8>)]) -> Vec<Slot> {
    slots(&image_of(pieces), &target())
}

#[test]
fn a_signed_application_is_told_with_version_hash_and_signature() {
    let found = slots_of(&[(SLOT, sample::signed(SLOT, STACK, 0x800))]);
    let [slot] = found.as_slice() else {
        panic!("one slot, not {}", found.len());
    };
    assert_eq!(slot.name, Some("image-0 of Zephyr's mimxrt1060_evk"));
    assert_eq!(slot.header.version.to_string(), "1.2.3+4");
    assert_eq!(slot.hash, HashCheck::Fits);
    assert_eq!(slot.signature_text(), "signed with ECDSA");
    assert_eq!(slot.trailer, None);
    assert_eq!(slot.vector_table(), Some(Address::new(0x6002_0400)));
    assert_eq!(slot.runs_in_place(), Some(true));
    let names: Vec<_> = slot.tlvs.iter().filter_map(Tlv::name).collect();
    assert_eq!(names, ["SHA-256", "key hash", "ECDSA signature"]);
}

#[test]
fn one_changed_byte_and_a_cut_file_are_told_apart() {
    let mut changed = sample::signed(SLOT, STACK, 0x800);
    changed[0x500] ^= 1;
    assert_eq!(slots_of(&[(SLOT, changed)])[0].hash, HashCheck::Differs);
    let mut cut = sample::signed(SLOT, STACK, 0x800);
    cut.truncate(0xC10);
    assert_eq!(slots_of(&[(SLOT, cut)])[0].hash, HashCheck::Incomplete);
    let mut encrypted = sample::signed(SLOT, STACK, 0x800);
    encrypted[16] = 4;
    assert_eq!(slots_of(&[(SLOT, encrypted)])[0].hash, HashCheck::Encrypted);
}

#[test]
fn an_application_linked_elsewhere_is_seen_by_its_reset_vector() {
    let found = slots_of(&[(SLOT, sample::signed(0x6032_0000, STACK, 0x800))]);
    assert_eq!(found[0].runs_in_place(), Some(false));
}

#[test]
fn the_trailer_says_whether_the_image_is_confirmed() {
    let state = |confirmed| {
        let image = sample::padded(sample::signed(SLOT, STACK, 0x800), 0x4000, confirmed);
        slots_of(&[(SLOT, image)])[0]
            .trailer
            .expect("trailer")
            .text()
    };
    assert_eq!(state(true), "padded, confirmed");
    assert_eq!(state(false), "padded, pending: to be tried once");
}

#[test]
fn a_trailer_belongs_to_the_slot_before_it_only() {
    let first = sample::signed(SLOT, STACK, 0x300);
    let second = sample::padded(sample::signed(0x6006_0000, STACK, 0x300), 0x4_0000, false);
    let found = slots_of(&[(SLOT, first), (0x6006_0000, second)]);
    let trailers: Vec<bool> = found.iter().map(|slot| slot.trailer.is_some()).collect();
    assert_eq!(trailers, [false, true]);
}

#[test]
fn several_slots_are_found_and_none_inside_another() {
    let mut nested = sample::signed(SLOT, STACK, 0x3000);
    let inner = sample::signed(SLOT, STACK, 0x100);
    nested[0x1000..0x1000 + inner.len()].copy_from_slice(&inner);
    let second = sample::signed(0x6032_0000, STACK, 0x100);
    let found = slots_of(&[(SLOT, nested), (0x6032_0000, second)]);
    let offsets: Vec<u32> = found.iter().map(|slot| slot.offset.get()).collect();
    assert_eq!(offsets, [0x2_0000, 0x32_0000]);
}

#[test]
fn a_bootloader_is_recognised_by_the_constants_it_compares_with() {
    let code = application(STACK, 0x6000_2101, 0x400);
    let plain = image_of(&[(0x6000_2000, code.clone())]);
    assert!(!is_bootloader(&plain, &target()));
    let constants = sample::bootloader_constants();
    let with_constants_at = |at: usize| {
        let mut code = code.clone();
        code.resize(at, 0xBF);
        code.extend(&constants);
        image_of(&[
            (0x6000_2000, code),
            (SLOT, sample::signed(SLOT, STACK, 0x100)),
        ])
    };
    assert!(is_bootloader(&with_constants_at(0x400), &target()));
    // the same constants behind the slot's start are not the bootloader's
    let behind = [
        (0x6000_2000, code.clone()),
        (SLOT, sample::signed(SLOT, STACK, 0x100)),
        (SLOT + 0x1_0000, constants.clone()),
    ];
    assert!(!is_bootloader(&image_of(&behind), &target()));
}
