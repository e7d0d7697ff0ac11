//! A unit's own data - serial number, MAC address, unique ID, CRC - is in its flash when it passes, every byte of it and
//! nothing else; and where a signature covers the bytes, no board is touched.

use std::collections::BTreeMap;
use std::path::Path;

use rtflash::image::Image;
use rtflash::job::{self, Bench, Job, Outcome, Request, UnitImage};
use rtflash::link::{Choice, VirtualBench};
use rtflash::problem::Problem;
use rtflash::report::Verdict;
use rtflash::survey::ChipFound;
use rtflash::unit::{FittedRules, Number, Rule, Series, UnitFacts, UnitRules};
use serde::Deserialize;

use crate::bench;
use crate::images::{APPLICATION, WINDOW, intel_hex, noise};
use crate::slots::{SLOT, application, bootloader, request};

const UID: u64 = 0x0123_4567_89AB_CDEF;
/// Where the image brings room for the data.
const ROOM: u32 = 0x6000_3000;
const ROOM_BYTES: u32 = 0x800;
/// A block that only the rules bring.
const BLOCK: u32 = 0x6001_0000;

const RULES: &str = "
[[series]]
name = 'sn'
first = 1
last = 99999

[[series]]
name = 'mac'
first = 0
last = 255

[[data]]
name = 'serial'
address = 0x60003100
length = 16
serial = { series = 'sn', format = 'decimal', width = 5, text = 'RT{iyy}{ww}-{number}{check}', check = 'luhn' }

[[data]]
name = 'mac'
address = 0x60003110
mac = { series = 'mac', base = '00:1B:63:00:10:00' }

[[data]]
name = 'uid'
block = 0x60010000
offset = 8
unique_id = {}

[[data]]
name = 'crc'
address = 0x600037FC
crc = { algorithm = 'CRC-32/ISO-HDLC', start = 0x60003000, end = 0x600037FC }
";

#[derive(Deserialize)]
struct Tables {
    #[serde(default)]
    series: Vec<Series>,
    data: Vec<Rule>,
}

fn fitted(text: &str, image: &Image) -> Result<FittedRules, Problem> {
    let tables: Tables = toml::from_str(text).expect("tables");
    UnitRules::new(tables.series, tables.data)
        .expect("rules")
        .fit(image, &bench::target())
}

/// What a station does between the chip's unique ID and the image.
struct Unit<'r> {
    rules: &'r FittedRules,
    number: u64,
}

impl UnitImage for Unit<'_> {
    fn for_unit(&mut self, unit: &ChipFound) -> Result<Request, Problem> {
        let at = "2026-11-23T01:37:14Z".parse().expect("a time");
        let number = Number {
            number: self.number,
            reserved_at: at,
        };
        let facts = UnitFacts {
            uid: unit.unique_id.get(),
            numbers: ["sn", "mac"]
                .map(|series| (series.to_owned(), number))
                .into(),
            now: at,
            barcode: None,
            outside: BTreeMap::new(),
        };
        Ok(Request::new(self.rules.apply(&facts)?.image))
    }
}

fn common() -> Request {
    let code = bench::image(&[(ROOM, noise(1, ROOM_BYTES as usize))]);
    Request::new(code.image().clone())
}

fn flash(board: &VirtualBench, common: &Request, unit: &mut dyn UnitImage) -> Outcome {
    let choice = Choice {
        speed_khz: Some(15_000),
        ..Choice::default()
    };
    let bench = Bench::virtual_board(choice, board.clone());
    let target = bench::target();
    job::flash_unit(&Job::new(&target), common, unit, &bench, &mut ())
}

fn board() -> VirtualBench {
    let mut config = bench::config();
    config.fuses.set_unique_id([UID as u32, (UID >> 32) as u32]);
    bench::start(config)
}

/// What the flash of the unit 42 must hold from [`ROOM`] on, put together by hand.
fn room_of_unit_42() -> Vec<u8> {
    let mut room = noise(1, ROOM_BYTES as usize);
    // 00042: 4·1 + 2·2 = 8, 2 to the next ten
    room[0x100..0x110].copy_from_slice(b"RT2648-000422\0\0\0");
    room[0x110..0x116].copy_from_slice(&[0x00, 0x1B, 0x63, 0x00, 0x10, 0x2A]);
    let crc = room[..0x7FC].iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (if crc & 1 == 1 { 0xEDB8_8320 } else { 0 })
        })
    });
    room[0x7FC..].copy_from_slice(&(!crc).to_le_bytes());
    room
}

#[test]
fn a_unit_passes_with_exactly_its_own_bytes() {
    let common = common();
    let rules = fitted(RULES, &common.image).expect("fits");
    let same = board();
    let plain = bench::run(&same, &common, |job| job);
    assert!(
        matches!(plain.record.verdict, Verdict::Pass(_)),
        "{:?}",
        plain.problem
    );

    let board = board();
    let outcome = flash(
        &board,
        &common,
        &mut Unit {
            rules: &rules,
            number: 42,
        },
    );
    assert!(
        matches!(outcome.record.verdict, Verdict::Pass(_)),
        "{:?}",
        outcome.problem
    );
    assert_eq!(bench::violations(&board), Vec::<String>::new());

    // as without rules, but for the unit's bytes and its block, and for the length in the boot data
    let mut expected = bench::flash_content(&same);
    let at = |address: u32| (address - WINDOW) as usize;
    expected[at(ROOM)..at(ROOM + ROOM_BYTES)].copy_from_slice(&room_of_unit_42());
    expected[at(BLOCK) + 8..at(BLOCK) + 16].copy_from_slice(&UID.to_le_bytes());
    let length = at(0x6000_1024)..at(0x6000_1028);
    expected[length].copy_from_slice(&(BLOCK - WINDOW + 0x1000).to_le_bytes());
    let found = bench::flash_content(&board);
    let differs = found.iter().zip(&expected).position(|(a, b)| a != b);
    assert_eq!(differs.map(|at| format!("{at:06X}")), None);

    let inputs = outcome.record.inputs.iter();
    let names: Vec<&str> = inputs.map(|input| input.path.as_str()).collect();
    assert!(names.contains(&"per-unit data `serial`"), "{names:?}");
}

#[test]
fn a_unit_in_rework_gets_the_same_bytes_and_nothing_is_erased() {
    let common = common();
    let rules = fitted(RULES, &common.image).expect("fits");
    let board = board();
    for erases in [None, Some(0)] {
        let outcome = flash(
            &board,
            &common,
            &mut Unit {
                rules: &rules,
                number: 7,
            },
        );
        assert!(
            matches!(outcome.record.verdict, Verdict::Pass(_)),
            "{:?}",
            outcome.problem
        );
        let commands = outcome.record.plan.expect("plan").erase_commands;
        assert!(erases.is_none_or(|erases| erases == commands), "{commands}");
    }
}

#[test]
fn a_difference_in_a_unit_s_bytes_is_told_by_the_name_of_the_rule() {
    let common = common();
    let rules = fitted(RULES, &common.image).expect("fits");
    let board = board();
    let mut unit = Unit {
        rules: &rules,
        number: 42,
    };
    let outcome = flash(&board, &common, &mut unit);
    assert!(
        matches!(outcome.record.verdict, Verdict::Pass(_)),
        "{:?}",
        outcome.problem
    );
    bench::fill(&board, (ROOM + 0x103 - WINDOW) as usize, &[0x00]);
    let facts_image = {
        let at = "2026-11-23T01:37:14Z".parse().expect("a time");
        let number = Number {
            number: 42,
            reserved_at: at,
        };
        let facts = UnitFacts {
            uid: UID,
            numbers: ["sn", "mac"]
                .map(|series| (series.to_owned(), number))
                .into(),
            now: at,
            barcode: None,
            outside: BTreeMap::new(),
        };
        rules.apply(&facts).expect("made").image
    };
    let choice = Choice::default();
    let on = Bench::virtual_board(choice, board.clone());
    let target = bench::target();
    let outcome = job::verify(&Job::new(&target), &Request::new(facts_image), &on, &mut ());
    assert_eq!(outcome.record.verdict.exit(), 11);
    let told = outcome.problem.expect("a problem").to_string();
    assert!(told.contains("per-unit data `serial`"), "{told}");
}

/// Rules with text at `address`.
fn at(address: u32) -> String {
    format!("[[data]]\nname = 'a'\naddress = {address}\ntext = 'x'")
}

#[test]
fn bytes_under_a_signature_are_refused_before_any_board() {
    let slot = request(&[bootloader(), application(SLOT, &noise(3, 0x200))]);
    for address in [SLOT, SLOT + 0x400, SLOT + 0x500] {
        let problem = fitted(&at(address), &slot.image).expect_err("signed");
        assert_eq!((problem.code, problem.exit.number()), ("data-signed", 20));
        assert!(problem.to_string().contains("MCUboot"), "{problem}");
    }
    assert!(fitted(&at(APPLICATION + 4), &slot.image).is_ok());

    // IVT that names a CSF behind the application, and the CSF
    let mut ivt: Vec<u8> = [
        0x4120_00D1,
        APPLICATION,
        0,
        0,
        0x6000_1020,
        0x6000_1000,
        0x6000_2100,
        0,
    ]
    .into_iter()
    .flat_map(u32::to_le_bytes)
    .collect();
    ivt.extend([WINDOW, 0x2140, 0].into_iter().flat_map(u32::to_le_bytes));
    let mut code = bootloader().1;
    code.resize(0x100, 0);
    code.extend([0xD4, 0x00, 0x40, 0x43]);
    code.resize(0x140, 0);
    let text = intel_hex(&[(0x6000_1000, ivt), (APPLICATION, code)]);
    let image = Image::parse(Path::new("signed.hex"), text.as_bytes()).expect("image");
    for address in [APPLICATION + 4, APPLICATION + 0x13F] {
        let problem = fitted(&at(address), &image).expect_err("signed");
        assert_eq!((problem.code, problem.exit.number()), ("data-signed", 20));
        assert!(problem.to_string().contains("HAB"), "{problem}");
    }
}

/// Whoever gets past the rules.
struct Careless(Image);

impl UnitImage for Careless {
    fn for_unit(&mut self, _unit: &ChipFound) -> Result<Request, Problem> {
        let patch = rtflash::image::Patch {
            by: "a careless hand".to_owned(),
            start: rtflash::address::Address::new(SLOT + 0x500),
            bytes: vec![0x5A],
        };
        let image = self.0.patched(&[patch]).expect("an image");
        Ok(Request::new(image))
    }
}

#[test]
fn a_patched_image_is_judged_like_any_other_before_the_board_changes() {
    let slot = request(&[bootloader(), application(SLOT, &noise(3, 0x200))]);
    let board = board();
    bench::fill(&board, 0x2_0000, &noise(4, 64));
    let before = bench::flash_content(&board);
    let outcome = flash(&board, &slot, &mut Careless(slot.image.clone()));
    let problem = outcome.problem.expect("refused");
    assert_eq!((problem.code, problem.exit.number()), ("mcuboot-hash", 20));
    assert!(bench::flash_content(&board) == before);
}
