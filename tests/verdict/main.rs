//! The verdict against the boot ROM of the virtual board, which knows nothing of our rules: what `inspect` calls bootable
//! boots under both readings of the ROM, what it refuses boots under neither, and what it calls uncertain differs, or the
//! table says why the model cannot show it.
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

use std::cell::Cell;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::ops::Range;
use std::path::Path;

use boot_rom_bench::{Bench, Image as Flash, KNOWN_FCBS, QE};
use cases::{CASES, ELSEWHERE, Side};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;
use rtflash::address::{Address, FlashOffset};
use rtflash::boot::{
    BootImage, Fcb, HeaderPolicy, HeaderWishes, Judgement, Present, fcb_for, judge, judge_with,
};
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

/// The image of a file that brings all of the flash but `gap`.
fn file_without(flash: &Flash, gap: Option<&Range<usize>>) -> Image {
    let gap = gap.cloned().unwrap_or(0..0);
    let pieces = [
        (0, &flash.flash[..gap.start]),
        (gap.end, &flash.flash[gap.end..]),
    ];
    let pieces = pieces.into_iter().filter(|(_, bytes)| !bytes.is_empty());
    let images = pieces.map(|(at, bytes)| {
        let start = Address::new(WINDOW + at as u32);
        Image::raw(Path::new("flash.bin"), bytes, start).expect("piece")
    });
    Image::merge(images.collect()).expect("image")
}

fn judged(flash: &Flash, target: &Target) -> Judgement {
    judge(&file_without(flash, None), None, target)
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

/// What the ROM does with it under the strict and the lenient reading.
fn boots(flash: &Flash, target: &Target) -> [bool; 2] {
    [Reading::Strict, Reading::Lenient].map(|reading| starts(flash, reading, target))
}

fn codes(judgement: &Judgement) -> Vec<&'static str> {
    judgement.findings().iter().map(|f| f.code).collect()
}

/// The verdict in one word, and why the ROM contradicts it.
fn compared(
    judgement: &Judgement,
    flash: &Flash,
    target: &Target,
) -> (Verdict, Result<(), String>) {
    let boots = |flash: &Flash| boots(flash, target);
    let codes = codes(judgement);
    let Some(completed) = completed(judgement) else {
        let boots = boots(flash);
        let why = format!("refused with {codes:?}, and boots (strict, lenient): {boots:?}");
        return (Verdict::Refused, agreed(boots == [false, false], why));
    };
    let is_inserted = |b: &BootImage| !b.inserted().is_empty();
    if judgement.boot_image().is_some_and(is_inserted) && boots(flash) != [false, false] {
        let why = "called incomplete, and boots as it is".to_owned();
        return (Verdict::Accepted, Err(why));
    }
    if judgement.findings().iter().any(|f| f.uncertain) {
        return (Verdict::Uncertain, Ok(()));
    }
    let after = boots(&completed);
    let why = format!("accepted with {codes:?}, and boots (strict, lenient): {after:?}");
    (Verdict::Accepted, agreed(after == [true, true], why))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Refused,
    Uncertain,
    Accepted,
}

fn agreed(agreed: bool, why: String) -> Result<(), String> {
    if agreed { Ok(()) } else { Err(why) }
}

/// Fails where the ROM contradicts the verdict.
#[track_caller]
fn agrees(flash: &Flash, target: &Target) {
    let (_, compared) = compared(&judged(flash, target), flash, target);
    assert_eq!(compared, Ok(()));
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
    agrees(&ours(), &target);
    assert!(judged(&ours(), &target).findings().is_empty());
    let headerless = changed(&ours(), &[(0, vec![0xFF; 0x2000])]);
    agrees(&headerless, &target);
    let missing = judged(&headerless, &target).missing();
    let told: Vec<&str> = missing.iter().map(|finding| finding.code).collect();
    assert_eq!(told, ["fcb-absent", "ivt-absent"]);
}

#[test]
fn no_published_fcb_is_refused_and_the_sound_ones_boot() {
    let target = target();
    for (name, words) in KNOWN_FCBS {
        let flash = Flash::sdk().with_fcb(words);
        let judgement = judged(&flash, &target);
        let codes = codes(&judgement);
        assert!(judgement.boot_image().is_some(), "{name}: {codes:?}");
        let (_, compared) = compared(&judgement, &flash, &target);
        assert_eq!(compared, Ok(()), "{name}: {codes:?}");
    }
}

#[test]
fn every_published_fcb_survives_parsing_and_building() {
    for (name, words) in KNOWN_FCBS {
        let flash = Flash::sdk().with_fcb(words);
        let block = flash.flash.first_chunk().expect("512 bytes");
        assert_eq!(Fcb::parse(block).build(), *block, "{name}");
    }
}

#[test]
fn every_finding_on_a_header_is_shown_on_the_board() {
    let target = target();
    for case in CASES {
        let flash = changed(&ours(), &case.changes());
        let image = file_without(&flash, case.gap.as_ref());
        let judgement = judge(&image, None, &target);
        let findings = judgement.findings();
        let codes = codes(&judgement);
        let told = format!("{} among {codes:?}", case.code);
        let finding = findings.iter().find(|finding| finding.code == case.code);
        let finding = finding.unwrap_or_else(|| panic!("no {told}"));
        let (verdict, compared) = compared(&judgement, &flash, &target);
        assert_eq!(compared, Ok(()), "{told}");
        let after = completed(&judgement).map(|flash| boots(&flash, &target));
        let (expected, shown) = match case.side {
            Side::Refused => (Verdict::Refused, None),
            Side::Uncertain => (Verdict::Uncertain, Some([false, true])),
            Side::UncertainAlike { boots, .. } => (Verdict::Uncertain, Some([boots; 2])),
            Side::Told => (Verdict::Accepted, Some([true, true])),
        };
        assert_eq!((verdict, after), (expected, shown), "{told}");
        assert_eq!(finding.uncertain, verdict == Verdict::Uncertain, "{told}");
        let why = finding.why.as_deref().unwrap_or_default();
        assert_eq!(why.starts_with("uncertain"), finding.uncertain, "{told}");
    }
}

/// A code as it stands in the sources: in quotes, lower case, with hyphens, or one of three words.
fn codes_in(source: &str) -> BTreeSet<&str> {
    let is_code = |text: &&str| {
        let parts: Vec<&str> = text.split('-').collect();
        let plain = |part: &&str| {
            !part.is_empty()
                && part
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        };
        parts.iter().all(plain) && (parts.len() > 1 || ["gaps", "plugin", "signed"].contains(text))
    };
    source.split('"').filter(is_code).collect()
}

#[test]
fn every_code_of_the_boot_stage_has_its_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &Path| fs::read_to_string(path).unwrap_or_else(|e| panic!("{path:?}: {e}"));
    let mut known: BTreeSet<&str> = CASES.iter().map(|case| case.code).collect();
    for (code, file) in ELSEWHERE {
        let tests = read(&root.join(file));
        assert!(
            codes_in(&tests).contains(code),
            "{file} does not test {code}"
        );
        known.insert(code);
    }
    let mut told = BTreeSet::new();
    for file in fs::read_dir(root.join("src/boot")).expect("folder") {
        let path = file.expect("file").path();
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        let tests = ["tests.rs", "policy_tests.rs", "golden.rs"];
        if path.is_file() && !tests.contains(&name) {
            let source = read(&path);
            told.extend(codes_in(&source).into_iter().map(str::to_owned));
        }
    }
    let told: BTreeSet<&str> = told.iter().map(String::as_str).collect();
    assert_eq!(known, told);
}

#[test]
fn an_fcb_that_cannot_be_made_is_refused_and_one_that_can_boots() {
    let target = target();
    let headerless = changed(&ours(), &[(0, vec![0xFF; 0x2000])]);
    let image = file_without(&headerless, None);
    // 03h ends at 50 MHz
    let with = |clock_mhz: u32| {
        let wishes = HeaderWishes {
            read_opcode: Some(0x03),
            clock_hz: Some(clock_mhz * 1_000_000),
            ..HeaderWishes::default()
        };
        judge_with(&image, None, &target, &wishes)
    };
    let impossible = with(133);
    assert_eq!(codes(&impossible), ["fcb-impossible"]);
    let (verdict, compared) = compared(&impossible, &headerless, &target);
    assert_eq!((verdict, compared), (Verdict::Refused, Ok(())));
    let made = completed(&with(50)).expect("accepted");
    assert_eq!(boots(&made, &target), [true, true]);
}

#[test]
fn a_header_that_is_replaced_or_kept_boots_and_one_that_is_not_known_is_refused() {
    let target = target();
    let image = file_without(&ours(), None);
    let replace = HeaderWishes::only(HeaderPolicy::Replace);
    let replaced = judge_with(&image, None, &target, &replace);
    let missing = replaced.missing();
    let told: Vec<&str> = missing.iter().map(|finding| finding.code).collect();
    assert_eq!(told, ["fcb-changed", "ivt-changed"]);
    let made = completed(&replaced).expect("accepted");
    assert_eq!(boots(&made, &target), [true, true]);

    let headerless = file_without(&ours(), Some(&(0..0x2000)));
    let keep = HeaderWishes::only(HeaderPolicy::KeepOfBoard);
    let unknown = judge_with(&headerless, None, &target, &keep);
    assert_eq!(codes(&unknown), ["board-not-read"]);
    let present = Present::new(vec![(FlashOffset::ZERO, ours().flash[..0x2000].to_vec())]);
    let kept = judge_with(&headerless, Some(&present), &target, &keep);
    assert_eq!(codes(&kept), Vec::<&str>::new());
    let kept = completed(&kept).expect("accepted");
    let on_board = changed(&ours(), &[(0x2000, kept.flash[0x2000..].to_vec())]);
    assert_eq!(boots(&on_board, &target), [true, true]);
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

const CASES_OF_PROPERTY: u32 = 512;
/// About three in ten are refused, and as many accepted without doubt; were it much fewer, the property would say little.
const LEAST_REFUSED: u32 = 100;
const LEAST_ACCEPTED: u32 = 100;

#[test]
fn no_verdict_contradicts_the_rom() {
    let config = ProptestConfig {
        cases: CASES_OF_PROPERTY,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let bases: Vec<Option<usize>> = std::iter::repeat_n(None, 3)
        .chain((0..KNOWN_FCBS.len()).map(Some))
        .collect();
    let changes = proptest::collection::vec(change(), 1..3);
    let target = target();
    let decided = [Verdict::Refused, Verdict::Accepted].map(|verdict| (verdict, Cell::new(0)));
    let mut runner = TestRunner::new(config);
    let run = runner.run(&(select(bases), changes), |(base, changes)| {
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
        let (verdict, compared) = compared(&judged(&flash, &target), &flash, &target);
        let count = decided.iter().find(|(other, _)| *other == verdict);
        if let Some((_, count)) = count {
            count.set(count.get() + 1);
        }
        compared.map_err(TestCaseError::fail)
    });
    if let Err(error) = run {
        panic!("{error}");
    }
    let [refused, accepted] = decided.map(|(_, count)| count.get());
    assert!(
        refused >= LEAST_REFUSED && accepted >= LEAST_ACCEPTED,
        "of {CASES_OF_PROPERTY} only {refused} refused and {accepted} accepted without doubt"
    );
}
