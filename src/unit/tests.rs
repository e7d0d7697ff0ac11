//! Tests of whole jobs' rules: where bytes may go, what one unit gets, and that nothing else changes.

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::address::Address;
use crate::boot::mcuboot::sample::signed;
use crate::boot::{BootData, CSF_TAG, Ivt};
use crate::image::Image;
use crate::image::sample::{self, application, image_of};
use crate::problem::{ExitCode, Problem};
use crate::target::Target;

const APP: u32 = 0x6000_2000;
const APP_BYTES: usize = 0x400;
const STACK: u32 = 0x2002_0000;

fn target() -> Target {
    Target::builtin("mimxrt1062", "is25wp064", "qspi").expect("target")
}

fn app() -> (u32, Vec<u8>) {
    (APP, application(STACK, APP + 0x101, APP_BYTES))
}

/// The tables of a job file.
#[derive(Deserialize)]
struct Tables {
    #[serde(default)]
    series: Vec<Series>,
    #[serde(default)]
    data: Vec<Rule>,
}

const SERIES: &str = "[[series]]\nname = 'sn'\nfirst = 1\nlast = 9999\n";

fn rules(tables: &str) -> Result<UnitRules, Problem> {
    let tables: Tables = toml::from_str(tables).expect(tables);
    UnitRules::new(tables.series, tables.data)
}

/// One rule without series, as a table.
fn rule(name: &str, keys: &str) -> String {
    format!("[[data]]\nname = '{name}'\n{keys}\n")
}

fn fitted(tables: &str, image: &Image) -> Result<FittedRules, Problem> {
    rules(tables).expect(tables).fit(image, &target())
}

fn facts(number: u64) -> UnitFacts {
    let reserved_at = "2026-11-23T01:37:14Z".parse().expect("a time");
    let names = ["sn", "mac", "rows"].map(str::to_owned);
    UnitFacts {
        uid: 0x0123_4567_89AB_CDEF,
        numbers: names
            .map(|name| {
                (
                    name,
                    Number {
                        number,
                        reserved_at,
                    },
                )
            })
            .into(),
        now: "2026-11-24T00:00:00Z".parse().expect("a time"),
        barcode: Some("PCB-77".to_owned()),
        outside: BTreeMap::from([("key".to_owned(), "00112233".to_owned())]),
    }
}

/// Code and reason of a refusal.
fn refusal(tables: &str, image: &Image) -> (&'static str, String) {
    let problem = fitted(tables, image).expect_err(tables);
    assert!(problem.fix.is_some(), "{problem}");
    (problem.code, problem.why.unwrap_or_default())
}

fn bytes_at(image: &Image, start: u32, length: usize) -> &[u8] {
    image.bytes_at(Address::new(start), length).expect("bytes")
}

#[test]
fn a_unit_gets_every_kind_of_value_and_each_byte_knows_its_rule() {
    let tables = format!(
        "{SERIES}[[series]]\nname = 'mac'\nfirst = 0\nlast = 99\n{}{}{}{}{}{}{}{}{}",
        rule(
            "sn",
            "address = 0x60002200\nlength = 16\nserial = { series = 'sn', format = 'decimal', width = 5, text = 'RT{iyy}{ww}-{number}{check}', check = 'luhn' }"
        ),
        rule(
            "mac",
            "address = 0x60002210\nmac = { series = 'mac', base = '00:1B:63:00:00:00', stride = 2 }"
        ),
        rule("uid", "address = 0x60002218\nunique_id = {}"),
        rule(
            "time",
            "address = 0x60002220\ntimestamp = { form = 'unix-32' }"
        ),
        rule(
            "pcb",
            "address = 0x60002228\nlength = 8\npad = 0x20\nbarcode = {}"
        ),
        rule("model", "block = 0x60010000\ntext = 'X1'"),
        rule(
            "magic",
            "block = 0x60010000\noffset = 0x10\nbytes = 'DE AD be:ef'"
        ),
        rule(
            "key",
            "block = 0x60010000\noffset = 0x20\nlength = 4\ntable = { file = 'k.csv', column = 'k', key = 'unique-id', key_column = 'uid', form = 'hex' }"
        ),
        rule(
            "crc",
            "address = 0x600023FC\ncrc = { algorithm = 'CRC-32/ISO-HDLC', start = 0x60002000, end = 0x600023FC }"
        ),
    );
    let image = image_of(&[app()]);
    let fitted = fitted(&tables, &image).expect("fits");
    let patched = fitted.apply(&facts(42)).expect("made");
    let at = |start, length| bytes_at(&patched.image, start, length);
    // 42: 4·1 + 2·2 = 8, 2 to the next ten
    assert_eq!(at(0x6000_2200, 16), b"RT2648-000422\0\0\0");
    assert_eq!(at(0x6000_2210, 6), [0x00, 0x1B, 0x63, 0x00, 0x00, 84]);
    assert_eq!(at(0x6000_2218, 8), 0x0123_4567_89AB_CDEF_u64.to_le_bytes());
    assert_eq!(at(0x6000_2220, 4), 1_795_478_400_u32.to_le_bytes());
    assert_eq!(at(0x6000_2228, 8), b"PCB-77  ");
    assert_eq!(at(0x6001_0000, 4), [b'X', b'1', 0xFF, 0xFF]);
    assert_eq!(at(0x6001_0010, 4), [0xDE, 0xAD, 0xBE, 0xEF]);
    assert_eq!(at(0x6001_0020, 5), [0x00, 0x11, 0x22, 0x33, 0xFF]);
    let crc = ::crc::Crc::<u32>::new(&::crc::CRC_32_ISO_HDLC).checksum(at(APP, 0x3FC));
    assert_eq!(at(0x6000_23FC, 4), crc.to_le_bytes());
    assert_eq!(patched.image.len_bytes(), APP_BYTES as u64 + 4096);
    let place = |address| {
        let place = patched.image.place_of(Address::new(address));
        place
            .expect("a place")
            .file
            .expect("a name")
            .display()
            .to_string()
    };
    assert_eq!(place(0x6000_2203), "per-unit data `sn`");
    assert_eq!(place(0x6000_23FF), "per-unit data `crc`");
    assert_eq!(place(0x6001_0FFF), "per-unit data, block 0x60010000");
    assert_eq!(place(0x6000_2100), "app.hex");
    let serial = fitted.rules().serial(&patched.fields);
    assert_eq!(serial.as_deref(), Some("RT2648-000422"));
    assert_eq!(fitted.rules().serial_of(&facts(42)), Ok(serial));
    let told: Vec<(&str, &str, &str)> = patched
        .fields
        .iter()
        .map(|field| {
            (
                field.name.as_str(),
                field.address.as_str(),
                field.text.as_str(),
            )
        })
        .collect();
    assert_eq!(told[1], ("mac", "0x60002210", "00:1B:63:00:00:54"));
    assert_eq!(told[3], ("time", "0x60002220", "2026-11-24T00:00:00Z"));
    assert_eq!(patched.fields[1].bytes, "001b63000054");
}

#[test]
fn a_unit_that_lacks_something_is_refused() {
    let tables = format!(
        "{SERIES}{}{}",
        rule(
            "sn",
            "address = 0x60002200\nserial = { series = 'sn', format = 'binary', width = 4 }"
        ),
        rule("pcb", "address = 0x60002228\nlength = 4\nbarcode = {}"),
    );
    let image = image_of(&[app()]);
    let fitted = fitted(&tables, &image).expect("fits");
    let refused = |change: fn(&mut UnitFacts)| {
        let mut facts = facts(1);
        facts.barcode = Some("PCB1".to_owned());
        assert!(fitted.apply(&facts).is_ok());
        change(&mut facts);
        let problem = fitted.apply(&facts).expect_err("refused");
        assert_eq!(
            (problem.code, problem.exit),
            ("unit-data", ExitCode::Refused)
        );
        problem.why.expect("a reason")
    };
    assert!(refused(|facts| facts.barcode = None).contains("no code"));
    assert!(refused(|facts| facts.barcode = Some("PCB-12".to_owned())).contains("room for 4"));
    assert!(refused(|facts| facts.numbers.clear()).contains("no number"));
}

#[test]
fn jobs_that_contradict_themselves_are_refused() {
    let code = |tables: &str| {
        let problem = rules(tables).expect_err(tables);
        assert_eq!(problem.exit, ExitCode::MalformedInput, "{problem}");
        problem.code
    };
    let text = |name| rule(name, "address = 0x60002200\ntext = 'a'");
    assert_eq!(code(&(text("a") + &text("a"))), "data-name");
    assert_eq!(code(&format!("{SERIES}{SERIES}")), "series-name");
    assert_eq!(code(SERIES), "series-unused");
    let series = |range: &str| format!("[[series]]\nname = 'sn'\n{range}\n");
    assert_eq!(code(&series("first = 2\nlast = 1")), "series-range");
    assert_eq!(
        code(&series("first = 2\nlast = 9\nstep = 0")),
        "series-range"
    );
    let data = |keys: &str| {
        code(&format!(
            "{SERIES}{}",
            rule("a", &format!("address = 0x60002200\n{keys}"))
        ))
    };
    for keys in [
        "serial = { series = 'other', format = 'binary', width = 4 }",
        "serial = { series = 'sn', format = 'decimal', width = 3 }",
        "mac = { series = 'sn', base = '01:00:5E:00:00:00' }",
        "barcode = {}",
        "text = ''",
        "text = 'four'\nlength = 3",
        "length = 0\ntext = 'four'",
        "crc = { algorithm = 'CRC-99', start = 0x60002000, end = 0x60002100 }",
        "crc = { algorithm = 'CRC-8/SMBUS', start = 0x60002000, end = 0x60002000 }",
        "length = 4\ntable = { file = 'a.csv', column = 'a', key = 'next' }",
        "length = 4\ntable = { file = 'a.csv', column = 'a', key = 'serial', key_column = 'k' }",
        "length = 4\ntable = { file = 'a.csv', column = 'a', key = 'barcode' }",
        "length = 4\nprogram = { command = [] }",
    ] {
        assert_eq!(data(keys), "data-rule", "{keys}");
    }
    let mac = |name, base| {
        rule(
            name,
            &format!("block = 0x60010000\nmac = {{ series = 'sn', base = '{base}' }}"),
        )
    };
    let two = mac("a", "00:1B:63:00:00:00") + &mac("b", "00:1B:63:00:00:01");
    assert_eq!(code(&format!("{SERIES}{two}")), "mac-twice");
}

#[test]
fn tables_with_other_keys_than_there_are_do_not_parse() {
    for keys in [
        "text = 'a'",
        "address = 0x60002200",
        "address = 0x60002200\nblock = 0x60010000\ntext = 'a'",
        "address = 0x60002200\ntext = 'a'\nbytes = 'AA'",
        "address = 0x60002200\noffset = 1\ntext = 'a'",
        "symbol = 's'\nadd = true\ntext = 'a'",
        "address = 0x60002200\nfill = 0\ntext = 'a'",
        "address = 0x60002200\nbytes = 'A'",
        "address = 0x60002200\ntext = 'a'\nwidth = 4",
        "address = 0x60002200\nunique_id = { size = 8 }",
        "address = 0x60002200\nserial = { series = 'sn', format = 'octal', width = 4 }",
    ] {
        assert!(
            toml::from_str::<Tables>(&rule("a", keys)).is_err(),
            "{keys}"
        );
    }
}

#[test]
fn rules_are_written_as_they_are_read() {
    let tables = format!(
        "{}{}{}",
        rule(
            "a",
            "address = 0x60002200\nadd = true\nlength = 8\npad = 255\ntext = 'a'"
        ),
        rule("b", "symbol = 's'\noffset = 4\nbytes = 'AA BB'"),
        rule(
            "c",
            "block = 0x60010000\nfill = 0\ncrc = { algorithm = 'CRC-8/SMBUS', start = 1, end = 2 }"
        ),
    );
    #[derive(Deserialize, serde::Serialize)]
    struct Data {
        data: Vec<Rule>,
    }
    let read: Data = toml::from_str(&tables).expect("tables");
    let again: Data = toml::from_str(&toml::to_string(&read).expect("text")).expect("tables");
    assert_eq!(read.data, again.data);
}

#[test]
fn places_outside_the_flash_or_the_image_are_refused() {
    let image = image_of(&[app()]);
    let at = |keys: &str| refusal(&rule("a", keys), &image).0;
    assert_eq!(at("address = 0x20000000\ntext = 'a'"), "data-outside");
    assert_eq!(
        at("address = 0x607FFFFF\nadd = true\ntext = 'ab'"),
        "data-outside"
    );
    assert_eq!(at("block = 0x60800000\ntext = 'ab'"), "data-outside");
    assert_eq!(at("address = 0x600023FF\ntext = 'ab'"), "data-gap");
    assert_eq!(at("address = 0x60010000\ntext = 'a'"), "data-gap");
    for keys in [
        "address = 0x600023FF\nadd = true\ntext = 'ab'",
        "address = 0x60010000\nadd = true\ntext = 'a'",
        "address = 0x607FFFFE\nadd = true\ntext = 'ab'",
        "block = 0x607FF000\noffset = 4095\ntext = 'a'",
    ] {
        assert!(fitted(&rule("a", keys), &image).is_ok(), "{keys}");
    }
}

#[test]
fn a_block_is_a_sector_of_its_own() {
    let image = image_of(&[app(), (0x6001_0FFF, vec![1, 2])]);
    let at = |keys: &str| refusal(&rule("a", keys), &image);
    assert_eq!(at("block = 0x60020010\ntext = 'a'").0, "data-block");
    assert!(
        at("block = 0x60010000\ntext = 'a'")
            .1
            .contains("0x60010FFF")
    );
    assert!(
        at("block = 0x60011000\ntext = 'a'")
            .1
            .contains("0x60011000")
    );
    assert_eq!(
        at("block = 0x60020000\noffset = 4095\ntext = 'ab'").0,
        "data-block"
    );
    // where the boot header belongs, also where no file brings one
    assert_eq!(at("block = 0x60000000\ntext = 'a'").0, "data-in-header");
    assert_eq!(at("block = 0x60001000\ntext = 'a'").0, "data-in-header");
    let two = rule("a", "block = 0x60020000\ntext = 'a'")
        + &rule("b", "block = 0x60020000\noffset = 1\nfill = 0\ntext = 'b'");
    assert_eq!(refusal(&two, &image).0, "data-block");
    let into = rule("a", "block = 0x60020000\ntext = 'a'")
        + &rule("b", "address = 0x60020800\nadd = true\ntext = 'b'");
    assert_eq!(refusal(&into, &image).0, "data-overlap");
}

#[test]
fn two_rules_for_one_byte_are_refused() {
    let image = image_of(&[app()]);
    let two = rule("a", "address = 0x60002200\ntext = 'abc'")
        + &rule("b", "address = 0x60002202\ntext = 'd'");
    let (code, why) = refusal(&two, &image);
    assert_eq!(code, "data-overlap");
    assert!(why.contains("`b`") && why.contains("0x60002202"), "{why}");
    let beside = two.replace("0x60002202", "0x60002203");
    assert!(fitted(&beside, &image).is_ok());
}

#[test]
fn the_boot_header_is_not_patched() {
    let fcb = crate::boot::fcb_for(&target())
        .expect("fcb")
        .fcb
        .build()
        .to_vec();
    let mut ivt = Ivt::new(APP, Address::new(0x6000_1000), Address::new(0x6000_2080));
    ivt.dcd = 0x6000_20A0;
    let mut code = app().1;
    let data = BootData {
        start: 0x6000_0000,
        length_bytes: 0x2400,
        plugin: 0,
    };
    code[0x80..0x90].copy_from_slice(&data.build());
    code[0xA0..0xA4].copy_from_slice(&[0xD2, 0x00, 0x04, 0x41]);
    let image = image_of(&[(0x6000_0000, fcb), (0x6000_1000, ivt.build()), (APP, code)]);
    for address in [
        0x6000_0000_u32,
        0x6000_01FF,
        0x6000_1000,
        0x6000_101F,
        0x6000_2080,
        0x6000_20A3,
    ] {
        let keys = format!("address = {address}\ntext = 'a'");
        let (code, why) = refusal(&rule("a", &keys), &image);
        assert_eq!(code, "data-in-header", "{address:08X}");
        assert!(why.contains("boot header"), "{why}");
    }
    for address in [0x6000_2000_u32, 0x6000_209F, 0x6000_20A4] {
        let keys = format!("address = {address}\ntext = 'a'");
        assert!(fitted(&rule("a", &keys), &image).is_ok(), "{address:08X}");
    }
}

/// An image whose IVT names a CSF at `csf`, where `tag` stands, with code behind that.
fn signed_image(csf: u32, tag: u8, length_bytes: u32) -> Image {
    let mut ivt = Ivt::new(APP, Address::new(0x6000_1000), Address::new(0x6000_1020));
    ivt.csf = csf;
    let data = BootData {
        start: 0x6000_0000,
        length_bytes,
        plugin: 0,
    };
    let mut header = ivt.build();
    header.extend(data.build());
    let csf_bytes = vec![tag, 0x00, 0x40, 0x43];
    image_of(&[
        (0x6000_1000, header),
        app(),
        (0x6000_2400, [csf_bytes, vec![0; 0x3C]].concat()),
        (0x6000_3000, vec![7; 16]),
    ])
}

#[test]
fn nothing_is_patched_inside_a_signed_image() {
    let at = |image: &Image, address: u32| {
        fitted(
            &rule("a", &format!("address = {address}\nadd = true\ntext = 'a'")),
            image,
        )
        .map(|_| ())
        .map_err(|problem| (problem.code, problem.why.expect("a reason")))
    };
    let image = signed_image(0x6000_2400, CSF_TAG, 0x2440);
    for address in [
        0x6000_1000,
        0x6000_1F00,
        0x6000_2000,
        0x6000_23FF,
        0x6000_2400,
        0x6000_243F,
    ] {
        let (code, why) = at(&image, address).expect_err("signed");
        assert_eq!(code, "data-signed", "{address:08X}");
        assert!(why.contains("HAB"), "{why}");
    }
    assert_eq!(at(&image, 0x6000_2440), Ok(()));
    assert_eq!(at(&image, 0x6000_3000), Ok(()));
    // what the boot data covers behind the CSF may be signed as well, where the image brings it
    let image = signed_image(0x6000_2400, CSF_TAG, 0x80_0000);
    assert!(at(&image, 0x6000_3000).is_err());
    assert_eq!(at(&image, 0x6000_3010), Ok(()));
    // a CSF that is to be added
    let image = signed_image(0x6000_4000, 0, 0x2440);
    assert!(at(&image, 0x6000_2200).is_err());
    // no CSF stands where the pointer leads: nothing is signed
    let image = signed_image(0x6000_2400, 0, 0x2440);
    assert_eq!(at(&image, 0x6000_2200), Ok(()));
}

#[test]
fn nothing_is_patched_inside_an_mcuboot_image() {
    let slot = signed(0x6002_0000, STACK, 0x200);
    let end = 0x6002_0000 + slot.len() as u32;
    let image = image_of(&[app(), (0x6002_0000, slot)]);
    for address in [0x6002_0000, 0x6002_0400, end - 1] {
        let keys = format!("address = {address}\ntext = 'a'");
        let (code, why) = refusal(&rule("a", &keys), &image);
        assert_eq!(code, "data-signed", "{address:08X}");
        assert!(why.contains("MCUboot"), "{why}");
    }
    let keys = format!("address = {end}\nadd = true\ntext = 'a'");
    assert!(fitted(&rule("a", &keys), &image).is_ok());
    assert!(fitted(&rule("a", "address = 0x60002200\ntext = 'a'"), &image).is_ok());
}

#[test]
fn nothing_is_patched_where_the_image_may_be_encrypted() {
    let cipher: Vec<u8> = (0..0x200_u32).map(|at| ((at * 7) >> 2) as u8).collect();
    let image = image_of(&[app(), (0x6000_0400, cipher)]);
    for keys in [
        "address = 0x60002200\ntext = 'a'",
        "block = 0x60010000\ntext = 'a'",
    ] {
        assert_eq!(refusal(&rule("a", keys), &image).0, "data-encrypted");
    }
}

fn program() -> Image {
    let code = app().1;
    let segments = [
        sample::Segment {
            linked: APP,
            stored: APP,
            bytes: &code,
            cleared: 0,
        },
        sample::Segment {
            linked: 0x2000_0000,
            stored: APP + APP_BYTES as u32,
            bytes: &[2; 0x40],
            cleared: 0x80,
        },
    ];
    let symbols = [
        ("SERIAL_NUMBER", APP + 0x200, 16, false),
        ("config", 0x2000_0010, 8, false),
        ("buffer", 0x2000_0048, 8, false),
        ("unsized", APP + 0x300, 0, false),
    ];
    let elf = sample::elf(&segments, &symbols);
    Image::parse(Path::new("app.elf"), &elf).expect("a program")
}

#[test]
fn symbols_are_patched_where_their_first_value_is_stored() {
    let tables = rule(
        "a",
        "symbol = 'SERIAL_NUMBER'\noffset = 4\nlength = 12\ntext = 'abc'",
    ) + &rule("b", "symbol = 'config'\nbytes = '11 22'")
        + &rule("c", "symbol = 'unsized'\nlength = 32\ntext = 'z'");
    let patched = fitted(&tables, &program())
        .expect("fits")
        .apply(&facts(1))
        .expect("made");
    assert_eq!(bytes_at(&patched.image, APP + 0x204, 4), b"abc\0");
    assert_eq!(bytes_at(&patched.image, APP + 0x40F, 4), [2, 0x11, 0x22, 2]);
}

#[test]
fn symbols_that_cannot_be_patched_are_refused_with_the_reason() {
    let at = |keys: &str| {
        let problem = fitted(&rule("a", keys), &program()).expect_err(keys);
        assert_eq!(
            (problem.code, problem.exit),
            ("data-symbol", ExitCode::Refused)
        );
        problem.to_string()
    };
    assert!(at("symbol = 'serial_numbr'\ntext = 'a'").contains("there is SERIAL_NUMBER"));
    assert!(at("symbol = 'buffer'\ntext = 'a'").contains("no first value"));
    assert!(at("symbol = 'config'\nlength = 9\ntext = 'a'").contains("has 8 bytes"));
    assert!(at("symbol = 'config'\noffset = 8\ntext = 'a'").contains("has 8 bytes"));
    let hex = image_of(&[app()]);
    assert!(
        refusal(&rule("a", "symbol = 'config'\ntext = 'a'"), &hex)
            .1
            .contains("ELF")
    );
}

fn crc(name: &str, at: u32, start: u32, end: u32, more: &str) -> String {
    rule(
        name,
        &format!(
            "address = {at}\nadd = true\ncrc = {{ algorithm = 'CRC-16/IBM-3740', start = {start}, end = {end}{more} }}"
        ),
    )
}

fn crc_of(bytes: &[u8]) -> [u8; 2] {
    ::crc::Crc::<u16>::new(&::crc::CRC_16_IBM_3740)
        .checksum(bytes)
        .to_le_bytes()
}

#[test]
fn a_crc_covers_what_is_there_in_the_end() {
    let image = image_of(&[app()]);
    // the second covers the first and a patch that stands behind both in the job
    let tables = crc("inner", 0x6000_2100, APP, 0x6000_2100, "")
        + &crc("outer", 0x6000_2400, APP, 0x6000_2400, "")
        + &rule("late", "address = 0x60002080\ntext = 'late'");
    let patched = fitted(&tables, &image)
        .expect("fits")
        .apply(&facts(1))
        .expect("made");
    let at = |start, length| bytes_at(&patched.image, start, length);
    assert_eq!(at(0x6000_2080, 4), b"late");
    assert_eq!(at(0x6000_2100, 2), crc_of(at(APP, 0x100)));
    assert_eq!(at(0x6000_2400, 2), crc_of(at(APP, 0x400)));
}

#[test]
fn a_crc_over_what_is_not_known_or_changes_is_refused() {
    let image = image_of(&[app(), (0x6000_2500, vec![9; 0x100])]);
    let why = |tables: &str| {
        let (code, why) = refusal(tables, &image);
        assert_eq!(code, "data-crc", "{why}");
        why
    };
    assert!(why(&crc("a", 0x6000_3000, APP, 0x6000_2600, "")).contains("0x60002400–0x600024FF"));
    assert!(why(&crc("a", 0x6000_2100, APP, 0x6000_2400, "")).contains("itself"));
    let wrong_order = crc("outer", 0x6000_3000, APP, 0x6000_2400, "")
        + &crc("inner", 0x6000_2100, APP, 0x6000_2100, "");
    assert!(why(&wrong_order).contains("`inner`"));
    assert!(
        why(&crc(
            "a",
            0x6000_3000,
            0x6000_0000,
            0x6000_2400,
            ", fill = 0xFF"
        ))
        .contains("boot header")
    );
    let outside = crc("a", 0x6000_3000, 0x5FFF_0000, 0x6000_2400, "");
    assert_eq!(refusal(&outside, &image).0, "data-outside");
}

#[test]
fn gaps_that_a_crc_covers_are_written_where_the_rule_says_so() {
    let image = image_of(&[app(), (0x6000_2500, vec![9; 0x100])]);
    let tables = crc("a", 0x6000_3000, APP, 0x6000_2700, ", fill = 0x5A");
    let patched = fitted(&tables, &image)
        .expect("fits")
        .apply(&facts(1))
        .expect("made");
    let at = |start, length| bytes_at(&patched.image, start, length);
    assert_eq!(at(0x6000_2400, 0x100), [0x5A; 0x100]);
    assert_eq!(at(0x6000_2500, 0x100), [9; 0x100]);
    assert_eq!(at(0x6000_2600, 0x100), [0x5A; 0x100]);
    assert_eq!(at(0x6000_3000, 2), crc_of(at(APP, 0x700)));
}

/// A rule of random kind with room for its longest value, and what it must write, computed apart.
fn kinds(number: u64) -> Vec<(&'static str, Vec<u8>)> {
    let uid = 0x0123_4567_89AB_CDEF_u64;
    vec![
        (
            "serial = { series = 'sn', format = 'binary', width = 4 }",
            (number as u32).to_le_bytes().to_vec(),
        ),
        (
            "serial = { series = 'sn', format = 'binary', width = 8, order = 'big' }",
            number.to_be_bytes().to_vec(),
        ),
        (
            "serial = { series = 'sn', format = 'decimal', width = 6 }",
            format!("{number:06}").into_bytes(),
        ),
        (
            "serial = { series = 'sn', format = 'hex-lower', width = 6, text = 'x{number}' }",
            format!("x{number:06x}").into_bytes(),
        ),
        ("unique_id = { order = 'big' }", uid.to_be_bytes().to_vec()),
        (
            "unique_id = { form = 'text' }",
            format!("{uid:016X}").into_bytes(),
        ),
        (
            "timestamp = { form = 'iso' }",
            b"2026-11-24T00:00:00Z".to_vec(),
        ),
        ("text = 'same'", b"same".to_vec()),
    ]
}

proptest! {
    #[test]
    fn a_patched_image_reads_back_as_expected_and_differs_nowhere_else(
        number in 1_u64..10_000,
        picks in prop::collection::vec((0_usize..8, 0_u32..40, 0_u32..12, any::<u8>()), 1..10),
        pieces in prop::collection::vec((0_u32..0x300, 1_usize..0x80), 0..4),
    ) {
        let mut flash: BTreeMap<u32, u8> = BTreeMap::new();
        let mut brought = vec![app()];
        for (offset, length) in pieces {
            // behind the application, apart or overlapping it with the same bytes
            let start = 0x6000_2800 + offset * 0x100;
            if brought.iter().all(|(at, bytes)| start >= at + bytes.len() as u32 || start + (length as u32) <= *at) {
                brought.push((start, vec![offset as u8; length]));
            }
        }
        for (start, bytes) in &brought {
            flash.extend((*start..).zip(bytes.iter().copied()));
        }
        let image = image_of(&brought);
        let kinds = kinds(number);
        let mut tables = String::new();
        let mut at = 0x6000_2100_u32;
        for (index, (pick, gap, extra, pad)) in picks.iter().enumerate() {
            let (keys, bytes) = &kinds[*pick];
            at += gap;
            let length = bytes.len() as u32 + extra;
            tables += &rule(
                &format!("r{index}"),
                &format!("address = {at}\nadd = true\nlength = {length}\npad = {pad}\n{keys}"),
            );
            let padded = bytes.iter().copied().chain(std::iter::repeat_n(*pad, *extra as usize));
            flash.extend((at..).zip(padded));
            at += length;
        }
        if tables.contains("'sn'") {
            tables = format!("{SERIES}{tables}");
        }
        let patched = fitted(&tables, &image).expect("fits").apply(&facts(number)).expect("made");
        prop_assert_eq!(patched.fields.len(), picks.len());
        let read: BTreeMap<u32, u8> = patched
            .image
            .segments()
            .iter()
            .flat_map(|segment| (segment.start().get()..).zip(segment.bytes().iter().copied()))
            .collect();
        prop_assert!(read == flash);
    }
}
