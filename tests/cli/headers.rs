//! What the user can say about the boot header, and what comes of it.

use std::fs;

use serde_json::Value;

use crate::station::{Station, data, image};

fn path(name: &str) -> String {
    data(name).to_str().expect("path is text").to_owned()
}

fn complete() -> String {
    path("blinky-xip.complete.hex")
}

fn headerless() -> String {
    path("blinky-xip.headerless.hex")
}

#[test]
fn a_header_that_is_replaced_is_told_as_replaced_not_as_missing() {
    let station = Station::new();
    let session = station
        .run(&["inspect", &complete(), "--replace-boot-header"])
        .ends_with(0)
        .last_line_is("BOOTS AFTER INSERTING FCB (replaced), IVT and boot data (replaced)");
    assert!(session.stdout.contains("[fcb-changed]"), "{session}");
    assert!(!session.stdout.contains("-absent]"), "{session}");
    let file = complete();
    station
        .flash(file.as_ref(), &["--replace-boot-header"])
        .ends_with(0)
        .reports("header", &["FCB replaced: IS25WP064, 80 MHz"])
        .last_line_is("PASS");
}

#[test]
fn clock_and_read_mode_are_what_the_chip_and_the_part_have() {
    let station = Station::new();
    for (options, code, words) in [
        (
            ["--clock", "70"],
            "clock",
            ["no flash clock of 70 MHz", "30, 50, 60, 75, 80, 100"],
        ),
        (
            ["--clock", "166"],
            "clock",
            ["too fast for read EBh", "MHz or less"],
        ),
    ] {
        let file = headerless();
        let arguments = [&["inspect", &file][..], &options].concat();
        station
            .run(&arguments)
            .ends_with(2)
            .complains(code, &words)
            .advises();
    }
    let slow = ["--clock", "133", "--read-mode", "normal"];
    let file = headerless();
    station
        .run(&[&["flash", &file, "--probe", "virtual:flash.bin"][..], &slow].concat())
        .ends_with(2)
        .complains(
            "clock",
            &["133 MHz is too fast for read 03h", "50 MHz or less"],
        );
    assert_eq!(station.files(), Vec::<String>::new());
}

#[test]
fn a_wish_on_a_new_fcb_is_refused_where_none_is_made() {
    let station = Station::new();
    let file = complete();
    for command in [
        &["inspect", &file][..],
        &["pack", &file, "-o", "packed.hex"],
        &["flash", &file, "--probe", "virtual:flash.bin"],
    ] {
        station
            .run(&[command, &["--clock", "60"]].concat())
            .ends_with(2)
            .complains("header-stays", &["--replace-boot-header"]);
    }
    assert_eq!(station.files(), Vec::<String>::new());
    station
        .run(&["inspect", &file, "--clock", "60", "--replace-boot-header"])
        .ends_with(0);
}

#[test]
fn an_fcb_of_one_s_own_is_told_as_given_and_its_faults_are_placed_in_its_file() {
    let station = Station::new();
    let own = station.flash_file().with_file_name("own.bin");
    let own = own.to_str().expect("path is text");
    station
        .run(&["pack", &headerless(), "-o", own, "--clock", "30"])
        .ends_with(0);
    let session = station
        .run(&["inspect", &complete(), "--fcb", own])
        .ends_with(0)
        .last_line_is("BOOTS AFTER INSERTING FCB (given)");
    assert!(
        session.stdout.contains("FCB given: IS25WP064, 30 MHz"),
        "{session}"
    );
    let mut bytes = fs::read(own).expect("packed");
    bytes[0x44] = 7;
    fs::write(own, bytes).expect("FCB file");
    let session = station
        .run(&["inspect", &complete(), "--fcb", own, "--json"])
        .ends_with(0);
    let record: Value = serde_json::from_str(&session.stdout).expect("json");
    let findings = record["findings"].as_array().expect("findings");
    let device_type = findings.iter().find(|f| f["code"] == "fcb-device-type");
    let place = device_type.expect("finding")["place"].as_str();
    let place = place.expect("place");
    assert!(place.contains("own.bin"), "{place}");
}

#[test]
fn the_board_s_header_is_kept_on_demand() {
    let station = Station::new();
    let file = headerless();
    station
        .flash(file.as_ref(), &["--clock", "30"])
        .ends_with(0);
    let before = station.content();
    station
        .flash(file.as_ref(), &["--keep-boot-header"])
        .ends_with(0)
        .reports(
            "header",
            &["FCB kept as the board holds it: IS25WP064, 30 MHz"],
        )
        .last_line_is("PASS");
    assert!(station.content() == before);
    station.flash(file.as_ref(), &[]).ends_with(0);
    assert!(station.content() != before);
    for other in ["--replace-boot-header", "--data"] {
        station
            .flash(file.as_ref(), &["--keep-boot-header", other])
            .ends_with(2);
    }
}

#[test]
fn wishes_on_the_header_are_refused_where_the_board_s_stays() {
    let station = Station::new();
    let slot = data("odd/slot-only.hex");
    for wish in [&["--clock", "60"][..], &["--replace-boot-header"]] {
        station.flash(&slot, wish).ends_with(2).complains(
            "header-of-board",
            &["--replace-boot-header", "bootloader's file"],
        );
    }
    assert_eq!(station.files(), Vec::<String>::new());
}

#[test]
fn verify_compares_a_kept_header_with_itself_and_a_missing_one_with_ours() {
    let station = Station::new();
    let file = headerless();
    station
        .flash(file.as_ref(), &["--clock", "30"])
        .ends_with(0);
    let keep = ["--keep-boot-header"];
    station
        .on_image("verify", file.as_ref(), &keep)
        .ends_with(0)
        .last_line_is("EQUAL");
    station.verify(file.as_ref()).ends_with(11);
    station.damage(0, &[0xFF; 512]);
    station
        .on_image("verify", file.as_ref(), &keep)
        .ends_with(11);
}

#[test]
fn a_kept_header_without_its_tag_is_not_equal_to_anything() {
    let station = Station::new();
    let file = headerless();
    station.flash(file.as_ref(), &[]).ends_with(0);
    for tag in [[0xFF; 4], [0; 4]] {
        station.damage(0, &tag);
        let session = station.on_image("verify", file.as_ref(), &["--keep-boot-header"]);
        assert!(!session.all().contains("EQUAL"), "{session}");
    }
}

#[test]
fn a_packed_file_says_what_it_fills() {
    let station = Station::new();
    let gap = path("blinky-xip.headerless.hex");
    for (name, fills) in [
        ("all.hex", false),
        ("all.srec", false),
        ("all.bin", true),
        ("all.uf2", true),
    ] {
        let session = station.run(&["pack", &gap, "-o", name]).ends_with(0);
        let told = session
            .stdout
            .contains("bytes of FFh where the image brings none");
        assert_eq!(told, fills, "{session}");
    }
}

#[test]
fn a_slot_alone_is_refused_by_a_blank_board_and_compared_by_verify() {
    let station = Station::new();
    let slot = data("odd/slot-only.hex");
    station
        .flash(&slot, &[])
        .ends_with(20)
        .complains(
            "partial-image",
            &["0x60020000", "the board holds no FCB and IVT"],
        )
        .advises();
    assert!(station.content().iter().all(|byte| *byte == 0xFF));
    station.verify(&slot).ends_with(11).last_line_is("DIFFERS");
    station
        .flash(&slot, &["--data"])
        .ends_with(16)
        .reports("role", &["bytes by themselves"])
        .complains("data-only", &["--boot-proof=none"])
        .last_line_is("PROGRAMMED AND VERIFIED, BOOT NOT PROVEN (the bytes are not meant to boot)");
    station.verify(&slot).ends_with(0).last_line_is("EQUAL");
    station
        .flash(&slot, &["--data", "--boot-proof=none"])
        .ends_with(0);
}

#[test]
fn a_shared_sector_is_refused_on_demand_and_nothing_changes() {
    let station = Station::flashed(&image());
    // bytes of others behind the FCB, and a change that makes its sector be erased
    station.damage(0x300, &[1, 2, 3, 4]);
    station.damage(0x2000, &[0; 4]);
    let before = station.content();
    station
        .flash(&image(), &["--no-shared-sectors"])
        .ends_with(9)
        .complains(
            "shared-sector",
            &["sector 0", "4 bytes", "--no-shared-sectors"],
        )
        .advises();
    assert!(station.content() == before);
    station.flash(&image(), &[]).ends_with(0);
    assert_eq!(station.content()[0x300..0x304], [1, 2, 3, 4]);
}

#[test]
fn where_nothing_can_be_told_of_an_image_the_last_word_says_so_and_speaks_of_no_board() {
    let station = Station::new();
    let (image, damaged) = (headerless(), path("odd/bad-checksum.hex"));
    for (typed, exit, code) in [
        (&["inspect", &damaged][..], 13, "hex-checksum"),
        (&["inspect", "nowhere.hex"], 13, "input-unreadable"),
        (&["inspect", &image, "--flash", "x"], 2, "target-unknown"),
        (&["pack", &damaged, "-o", "a.hex"], 13, "hex-checksum"),
        (&["pack", &image, "-o", "no/a.hex"], 23, "output-unwritable"),
    ] {
        let session = station.run(typed).ends_with(exit);
        let words = session.stdout.trim_end();
        let is_told = words.starts_with("FAIL: ") && words.ends_with(&format!("[{code}]"));
        assert!(is_told && !words.contains('\n'), "{session}");
        let session = station.run(&[typed, &["--json"]].concat()).ends_with(exit);
        let record: Value = serde_json::from_str(&session.stdout).expect("json");
        assert_eq!(record["record_version"], 1);
        assert_eq!(record["command"], typed[0]);
        assert_eq!(record["problem"]["code"], code);
        assert_eq!(record["verdict"]["exit"], exit);
    }
    assert_eq!(station.files(), Vec::<String>::new());
}

#[test]
fn pack_leaves_other_files_alone() {
    let station = Station::new();
    let beside = station.flash_file().with_file_name("packed.unfinished");
    fs::write(&beside, "of the user").expect("file");
    station
        .run(&["pack", &headerless(), "-o", "packed.hex"])
        .ends_with(0);
    assert_eq!(fs::read(&beside).expect("file"), b"of the user");
    // the name is a folder: what was begun beside it is gone
    fs::create_dir(station.flash_file().with_file_name("folder.hex")).expect("folder");
    station
        .run(&["pack", &headerless(), "-o", "folder.hex"])
        .ends_with(23);
    let mut files = station.files();
    files.sort();
    assert_eq!(files, ["folder.hex", "packed.hex", "packed.unfinished"]);
}

#[test]
fn the_time_to_boot_is_a_number_of_seconds() {
    let station = Station::new();
    for typed in ["0", "-1", "soon", "1e9"] {
        station
            .run(&["reset", &format!("--boot-timeout={typed}")])
            .ends_with(2);
    }
}
