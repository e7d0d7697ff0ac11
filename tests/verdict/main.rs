//! The verdict against the boot ROM of the virtual board, which knows nothing of our rules: what `inspect` calls bootable
//! boots under both readings of the ROM, what it refuses boots under neither, and what it calls uncertain may differ.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is how a test fails"
)]

#[path = "../../virtual-board/tests/boot_rom_bench/mod.rs"]
#[allow(
    dead_code,
    unused_imports,
    reason = "the ROM's own tests use more of their bench than these"
)]
mod boot_rom_bench;

mod cases;

use std::path::Path;

use boot_rom_bench::{Bench, Image as Flash, KNOWN_FCBS, QE};
use cases::{CASES, Side};
use proptest::prelude::*;
use proptest::sample::select;
use rtflash::address::Address;
use rtflash::boot::{Judgement, fcb_for, judge};
use rtflash::image::Image;
use rtflash::target::Target;
use virtual_board::rom::{Outcome, Reading};

const WINDOW: u32 = 0x6000_0000;
const A1_SIZE: usize = 0x50;
const PART_BYTES: u32 = 8 << 20;
const BOOT_DATA_START: usize = 0x1020;
const THUMB: u32 = 1;

fn target() -> Target {
    Target::builtin("mimxrt1062", "is25wp064", "qspi").expect("target")
}

fn judged(flash: &Flash, target: &Target) -> Judgement {
    let image = Image::raw(Path::new("flash.bin"), &flash.flash, Address::new(WINDOW));
    judge(&image.expect("image"), None, target)
}

fn word_at(flash: &Flash, at: usize) -> Option<u32> {
    let bytes = flash.flash.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

/// Whether the ROM starts the image: it jumps to Thumb code that the flash holds, with a stack in RAM.
fn starts(flash: &Flash, reading: Reading, target: &Target) -> bool {
    let mut bench = Bench::with(flash, QE, reading);
    let Outcome::Booted { pc, vector_table } = bench.boot() else {
        return false;
    };
    // what the core sees at an address: the flash itself, or what the ROM copied from its first byte
    let copied_to = word_at(flash, BOOT_DATA_START).unwrap_or(WINDOW);
    let seen = |address: u32| {
        let base = if address >= WINDOW { WINDOW } else { copied_to };
        word_at(flash, address.checked_sub(base)? as usize)
    };
    let stack_is_sound = vector_table.is_none_or(|table| {
        seen(table).is_some_and(|sp| {
            sp % 4 == 0 && target.chip().ram_for_stack(Address::new(sp)).is_some()
        })
    });
    pc & THUMB == THUMB && seen(pc & !THUMB).is_some() && stack_is_sound
}

/// What the board holds after `flash` or `pack`.
fn completed(judgement: &Judgement) -> Option<Flash> {
    let boot_image = judgement.boot_image()?;
    let mut flash = vec![0xFF; boot_image.end() as usize];
    for run in boot_image.runs() {
        flash[run.offset.index()..][..run.bytes.len()].copy_from_slice(&run.bytes);
    }
    Some(Flash { flash })
}

/// Compares verdict and ROM; the reason of a contradiction.
fn contradiction(flash: &Flash, target: &Target) -> Option<String> {
    let judgement = judged(flash, target);
    let boots = |flash: &Flash| {
        [Reading::Strict, Reading::Lenient].map(|reading| starts(flash, reading, target))
    };
    let codes: Vec<&str> = judgement.findings().iter().map(|f| f.code).collect();
    let Some(completed) = completed(&judgement) else {
        let boots = boots(flash);
        return (boots != [false, false])
            .then(|| format!("refused with {codes:?}, and boots (strict, lenient): {boots:?}"));
    };
    let inserted = judgement
        .boot_image()
        .is_some_and(|b| !b.inserted().is_empty());
    if inserted && boots(flash) != [false, false] {
        return Some("called incomplete, and boots as it is".to_owned());
    }
    let uncertain = judgement.findings().iter().any(|f| f.uncertain);
    let after = boots(&completed);
    (!uncertain && after != [true, true])
        .then(|| format!("accepted with {codes:?}, and boots (strict, lenient): {after:?}"))
}

/// The SDK's image with our own FCB.
fn ours() -> Flash {
    let mut flash = Flash::sdk();
    let fcb = fcb_for(&target()).expect("fcb").fcb.build();
    flash.flash[..fcb.len()].copy_from_slice(&fcb);
    flash
}

fn changed(flash: &Flash, changes: &[(usize, Vec<u8>)]) -> Flash {
    let mut flash = flash.clone();
    for (at, bytes) in changes {
        flash.flash[*at..at + bytes.len()].copy_from_slice(bytes);
    }
    flash
}

#[test]
fn our_own_header_boots_under_both_readings() {
    let target = target();
    assert_eq!(contradiction(&ours(), &target), None);
    assert!(judged(&ours(), &target).findings().is_empty());
    let headerless = changed(&ours(), &[(0, vec![0xFF; 0x2000])]);
    assert_eq!(contradiction(&headerless, &target), None);
    assert_eq!(judged(&headerless, &target).missing().len(), 2);
}

#[test]
fn no_published_fcb_is_refused_and_the_sound_ones_boot() {
    let target = target();
    for (name, words) in KNOWN_FCBS {
        let flash = Flash::sdk().with_fcb(words);
        let judgement = judged(&flash, &target);
        let codes: Vec<&str> = judgement.findings().iter().map(|f| f.code).collect();
        assert!(judgement.boot_image().is_some(), "{name}: {codes:?}");
        assert_eq!(contradiction(&flash, &target), None, "{name}: {codes:?}");
    }
}

#[test]
fn every_finding_on_a_header_is_shown_on_the_board() {
    let target = target();
    for case in CASES {
        let flash = changed(&ours(), &case.changes());
        let judgement = judged(&flash, &target);
        let findings = judgement.findings();
        let codes: Vec<&str> = findings.iter().map(|f| f.code).collect();
        let finding = findings.iter().find(|finding| finding.code == case.code);
        let Some(finding) = finding else {
            panic!("{}: {codes:?}", case.code);
        };
        let accepted = judgement.boot_image().is_some();
        match case.side {
            Side::Refused => assert!(!accepted, "{}: {codes:?}", case.code),
            Side::Uncertain => {
                assert!(accepted && finding.uncertain, "{}: {codes:?}", case.code);
                let why = finding.why.clone().unwrap_or_default();
                assert!(why.starts_with("uncertain"), "{}: {why}", case.code);
            }
            Side::Told => assert!(accepted && !finding.uncertain, "{}: {codes:?}", case.code),
        }
        assert_eq!(contradiction(&flash, &target), None, "{}", case.code);
    }
}

/// Words that upset header fields more often than random ones.
fn odd_word() -> impl Strategy<Value = u32> {
    prop_oneof![
        select(vec![
            0,
            1,
            2,
            3,
            4,
            0x20,
            0x400,
            0x1000,
            0x1020,
            0x2000,
            0x2101,
            0x8000,
            0x80_0000,
            0x0100_0000,
            0x1F7F_FFFF,
            0x2000_0000,
            0x2002_0000,
            0x2020_8000,
            0x4020_00D1,
            0x4320_00D1,
            0x5020_00D1,
            0x6000_0000,
            0x6000_1000,
            0x6000_1020,
            0x6000_2000,
            0x6000_2101,
            0x6000_3000,
            0x6080_0000,
            0x7000_2000,
            0xFFFF_FFFF,
        ]),
        any::<u32>(),
    ]
}

/// Where the words stand that decide a boot.
fn place() -> impl Strategy<Value = usize> {
    prop_oneof![
        // FCB without its tag; timeoutInMs stays, or the ROM waits longer than the test
        select((0x04..0x70).step_by(4).collect::<Vec<usize>>()),
        select((0x74..0x80).step_by(4).collect::<Vec<usize>>()),
        select((0x80..0x90).step_by(4).collect::<Vec<usize>>()),
        select(
            (0x00..0x200)
                .step_by(4)
                .filter(|at| *at != 0x70)
                .collect::<Vec<usize>>()
        ),
        select((0x1000..0x1020).step_by(4).collect::<Vec<usize>>()),
        select((0x1020..0x102C).step_by(4).collect::<Vec<usize>>()),
        select(vec![0x2000_usize, 0x2004]),
    ]
}

/// A change of a whole word, of one byte or of one bit.
fn change() -> impl Strategy<Value = (usize, Change)> {
    let kind = prop_oneof![
        odd_word().prop_map(Change::Word),
        (0_usize..4, any::<u8>()).prop_map(|(at, byte)| Change::Byte(at, byte)),
        (0_u32..32).prop_map(Change::Bit),
    ];
    (place(), kind)
}

#[derive(Clone, Copy, Debug)]
enum Change {
    Word(u32),
    Byte(usize, u8),
    Bit(u32),
}

fn apply(flash: &mut Flash, at: usize, change: Change) {
    match change {
        Change::Word(word) => flash.flash[at..at + 4].copy_from_slice(&word.to_le_bytes()),
        Change::Byte(further, byte) => flash.flash[at + further] = byte,
        Change::Bit(bit) => flash.flash[at + bit as usize / 8] ^= 1 << (bit % 8),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_verdict_contradicts_the_rom(
        base in select(vec![None; 3].into_iter().chain((0..KNOWN_FCBS.len()).map(Some)).collect::<Vec<_>>()),
        changes in proptest::collection::vec(change(), 1..3),
    ) {
        let target = target();
        let mut flash = match base {
            None => ours(),
            Some(index) => Flash::sdk().with_fcb(KNOWN_FCBS[index].1),
        };
        for (at, change) in &changes {
            apply(&mut flash, *at, *change);
        }
        // waitTimeCfgCommands: a wait of seconds boots all the same, and is longer than the bench's patience
        flash.flash[0x13] = 0;
        // above the part's size addresses wrap round in it: a pointer there works by chance, and is refused all the same
        if word_at(&flash, A1_SIZE).is_some_and(|size| size > PART_BYTES) {
            flash.flash[A1_SIZE..A1_SIZE + 4].copy_from_slice(&PART_BYTES.to_le_bytes());
        }
        let contradiction = contradiction(&flash, &target);
        prop_assert!(contradiction.is_none(), "{}", contradiction.unwrap_or_default());
    }
}
