//! `inspect` and `pack`: what they tell and write, without a board.

use std::fs;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::station::{Station, data, image};

fn path(name: &str) -> String {
    data(name).to_str().expect("path is text").to_owned()
}

#[test]
fn inspect_tells_what_is_missing_and_that_it_will_be_inserted() {
    let session = Station::new()
        .run(&["inspect", &path("blinky-xip.headerless.hex")])
        .ends_with(0)
        .last_line_is("BOOTS AFTER INSERTING FCB, IVT and boot data");
    for words in [
        "[fcb-absent]",
        "[ivt-absent]",
        "046 serialClkFreq        0x05  80 MHz",
        "lookupTable  0: CMD/1 EBh, RADDR/4 24, MODE8/4 FFh, DUMMY/4 4, READ/4 04h",
        "014 self                 0x60001000",
        "application, from ",
    ] {
        assert!(session.stdout.contains(words), "{words}\n{session}");
    }
}

#[test]
fn inspect_of_an_image_that_will_not_boot_ends_with_20_and_the_reason() {
    let station = Station::new();
    for (name, code) in [
        ("odd/vectors-at-start.hex", "vector-table-at-start"),
        ("odd/slot-only.hex", "partial-image"),
        ("odd/beyond-flash.hex", "beyond-part"),
    ] {
        let session = station.run(&["inspect", &path(name)]).ends_with(20);
        let last = session.stdout.lines().last().unwrap_or_default();
        assert!(last.starts_with("WILL NOT BOOT: "), "{session}");
        assert!(last.ends_with(&format!("[{code}]")), "{session}");
    }
    assert_eq!(station.files(), Vec::<String>::new());
}

#[test]
fn inspect_as_json_is_one_versioned_record() {
    let file = path("blinky-xip.complete.hex");
    let session = Station::new()
        .run(&["inspect", &file, "--json"])
        .ends_with(0);
    let record: Value = serde_json::from_str(&session.stdout).expect("json");
    assert_eq!(record["record_version"], 1);
    assert_eq!(record["verdict"]["kind"], "boots");
    assert_eq!(record["fcb"]["inserted"], false);
    assert_eq!(record["ivt"]["fields"][1]["name"], "entry");
    assert!(record["map"].as_array().is_some_and(|map| map.len() > 3));
}

#[test]
fn a_packed_file_flashes_to_the_same_content_as_its_inputs() {
    let direct = Station::flashed(&image()).content();
    for name in ["packed.hex", "packed.bin", "packed.srec", "packed.uf2"] {
        let station = Station::new();
        let session = station
            .run(&["pack", &path("blinky-xip.headerless.hex"), "-o", name])
            .ends_with(0);
        assert!(session.stdout.contains("SHA-256"), "{session}");
        let packed = station.flash_file().with_file_name(name);
        let session = station
            .flash(&packed, &[])
            .ends_with(0)
            .last_line_is("PASS");
        assert!(session.stdout.contains("nothing inserted"), "{session}");
        assert!(station.content() == direct, "{name}");
    }
}

#[test]
fn pack_writes_nothing_for_an_image_that_will_not_boot_or_a_name_without_format() {
    let station = Station::new();
    station
        .run(&["pack", &path("odd/slot-only.hex"), "-o", "packed.hex"])
        .ends_with(20);
    station
        .run(&["pack", &path("blinky-xip.headerless.hex"), "-o", "packed"])
        .ends_with(2)
        .complains("output-format", &["packed", ".uf2"]);
    station
        .run(&[
            "pack",
            &path("blinky-xip.headerless.hex"),
            "-o",
            "no/such/folder.hex",
        ])
        .ends_with(23)
        .complains("output-unwritable", &["folder.hex"]);
    assert_eq!(station.files(), Vec::<String>::new());
}

#[test]
fn an_fcb_of_one_s_own_is_taken_and_a_bad_one_refused() {
    let station = Station::new();
    let application = path("blinky-xip.headerless.hex");
    let own = station.flash_file().with_file_name("own.fcb");
    let own = own.to_str().expect("path is text");
    station
        .run(&[
            "pack",
            &application,
            "-o",
            "slow.bin",
            "--clock",
            "30",
            "--read-mode",
            "fast",
        ])
        .ends_with(0);
    let slow = fs::read(station.flash_file().with_file_name("slow.bin")).expect("packed");
    fs::write(own, &slow[..512]).expect("FCB file");
    station
        .run(&["pack", &application, "-o", "own.bin", "--fcb", own])
        .ends_with(0);
    let packed = fs::read(station.flash_file().with_file_name("own.bin")).expect("packed");
    assert!(packed == slow);
    fs::write(own, [0; 512]).expect("FCB file");
    station
        .run(&["inspect", &application, "--fcb", own])
        .ends_with(13)
        .complains("fcb-file", &["own.fcb"]);
}

/// An application as imgtool signs it: header, vector table linked for the slot, code, and TLVs with its SHA-256.
fn signed_application(slot: u32) -> Vec<u8> {
    const HEADER_BYTES: u16 = 0x400;
    let mut bytes = Vec::new();
    for word in [
        0x96F3_B83D,
        0,
        u32::from(HEADER_BYTES),
        0x800,
        0,
        0x0003_0201,
        0,
    ] {
        bytes.extend(u32::to_le_bytes(word));
    }
    bytes.resize(HEADER_BYTES.into(), 0);
    bytes.extend(0x2002_0000_u32.to_le_bytes());
    bytes.extend((slot + u32::from(HEADER_BYTES) + 0x101).to_le_bytes());
    bytes.resize(usize::from(HEADER_BYTES) + 0x800, 0xBF);
    let hash = Sha256::digest(&bytes);
    let half = |bytes: &mut Vec<u8>, halves: [u16; 2]| {
        bytes.extend(halves.into_iter().flat_map(u16::to_le_bytes));
    };
    half(&mut bytes, [0x6907, 4 + 36 + 74]);
    half(&mut bytes, [0x10, 32]);
    bytes.extend(hash);
    half(&mut bytes, [0x22, 70]);
    bytes.extend([0x30; 70]);
    bytes
}

/// The thread that started the project: a bootloader linked at 0x60002000 without FCB, and a signed application.
#[test]
fn a_bootloader_without_fcb_and_a_signed_application_are_explained_packed_and_booted() {
    let station = Station::new();
    let bootloader = path("blinky-xip.headerless.hex");
    let application = station.flash_file().with_file_name("app.signed.bin");
    fs::write(&application, signed_application(0x6002_0000)).expect("application");
    let application = format!("{}@0x60020000", application.display());
    let told = station
        .run(&["inspect", &bootloader, &application])
        .ends_with(0)
        .last_line_is("BOOTS AFTER INSERTING FCB, IVT and boot data");
    for words in [
        "without it the boot ROM stays in the serial downloader",
        "MCUboot application 1.2.3",
        "image-0 of Zephyr's mimxrt1060_evk",
        "SHA-256 fits, signed with ECDSA, no trailer",
    ] {
        assert!(told.stdout.contains(words), "{words}\n{told}");
    }
    station
        .run(&["pack", &bootloader, &application, "-o", "production.hex"])
        .ends_with(0);
    let production = station.flash_file().with_file_name("production.hex");
    let packed = Station::flashed(&production);
    station
        .run(&[
            "flash",
            &bootloader,
            &application,
            "--probe",
            "virtual:flash.bin",
        ])
        .ends_with(0)
        .last_line_is("PASS");
    assert!(station.content() == packed.content());

    let alone = station.run(&["inspect", &application]).ends_with(20);
    for words in ["[partial-image]", "must hold FCB, IVT and a bootloader"] {
        assert!(alone.stdout.contains(words), "{words}\n{alone}");
    }
}
