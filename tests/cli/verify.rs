//! `verify`: how much differs, where, and what it looks like.

use crate::station::{Station, data, image, noise, probe};

/// What became of a byte.
type Fault = fn(u8) -> u8;

#[test]
fn an_erased_sector_is_called_erased_and_counted() {
    let station = Station::flashed(&image());
    station.damage(0x2000, &[0xFF; 0x1000]);
    station
        .verify(&image())
        .ends_with(11)
        .reports(
            "differs",
            &["0x60002000", "1 of 3 sectors differ", "erased there"],
        )
        .complains("verify-differs", &["1 of 3 sectors differ"]);
}

#[test]
fn bits_are_told_by_the_way_they_fell() {
    let at = 0x2040;
    let cases: [(Fault, &str); 4] = [
        (|_| 0x00, "all of them are 00h"),
        (|byte| byte | 0x11, "bits are 1 that should be 0"),
        (|byte| byte & 0x77, "bits are 0 that should be 1"),
        (|byte| byte.rotate_left(1), "single bytes among right ones"),
    ];
    let station = Station::flashed(&image());
    let right = station.content()[at..at + 12].to_vec();
    for (fault, words) in cases {
        let wrong: Vec<u8> = right.iter().copied().map(fault).collect();
        station.damage(at, &wrong);
        station
            .verify(&image())
            .ends_with(11)
            .reports("differs", &[words, "bytes from 0x6000204"]);
    }
}

#[test]
fn another_image_is_called_so_and_its_ranges_are_counted() {
    let station = Station::flashed(&image());
    let big = station.flash_file().with_file_name("big.bin");
    std::fs::write(&big, noise(1, 0x2_0000)).expect("file");
    station.damage(0x40_0000, &noise(9, 0x2_0000));
    station.damage(0x40_0000, &[!noise(1, 1)[0]]);
    let file = format!("{}@0x60400000", big.display());
    let session = station
        .run(&["verify", &file, "--data", "--json", "--probe", &probe("")])
        .ends_with(11);
    let record = crate::json::record(&session);
    let mismatch = &record["mismatch"];
    assert_eq!(mismatch["sectors"], 32);
    assert_eq!(mismatch["sectors_compared"], 32);
    assert!(
        mismatch["looks"]
            .as_str()
            .expect("text")
            .starts_with("other content")
    );
    assert_eq!(mismatch["ranges"][0]["start"], "0x60400000");
    assert_eq!(mismatch["ranges"][0]["length_bytes"], 0x2_0000);
    assert_eq!(mismatch["more_ranges"], 0);
}

#[test]
fn many_places_are_a_short_list_and_a_count() {
    let station = Station::flashed(&image());
    for place in 0..12 {
        let at = 0x2010 + place * 0x40;
        let byte = station.content()[at];
        station.damage(at, &[byte ^ 0x5A]);
    }
    let session = station.verify(&image()).ends_with(11);
    let session = session.reports(
        "differs",
        &["and 4 further ranges", "1 bytes from 0x60002010"],
    );
    let listed = session.labelled("differs");
    assert_eq!(listed.matches("bytes from").count(), 8, "{session}");
}

#[test]
fn the_inserted_header_is_compared_too_and_named() {
    let station = Station::flashed(&image());
    station.damage(0x1004, &[0x5A]);
    station.verify(&image()).ends_with(11).reports(
        "differs",
        &["0x60001004", "the IVT that rtflash puts there"],
    );
}

#[test]
fn data_and_partial_images_are_compared_as_flash_would_write_them() {
    let station = Station::flashed(&data("blinky-xip.complete.hex"));
    let settings = station.flash_file().with_file_name("settings.bin");
    std::fs::write(&settings, noise(3, 300)).expect("file");
    let file = format!("{}@0x60700010", settings.display());
    let board = probe("");
    let run = |command: &str, more: &[&str]| {
        let typed = [command, &file, "--data", "--probe", &board];
        station.run(&[&typed[..], more].concat())
    };
    run("verify", &[])
        .ends_with(11)
        .reports("differs", &["1 of 1 sectors differ", "erased there"]);
    run("flash", &["--boot-proof=none"]).ends_with(0);
    run("verify", &[]).ends_with(0).last_line_is("EQUAL");
    // bytes of others in the same sector are nobody's business here
    station.damage(0x70_0000, &[0; 16]);
    run("verify", &[]).ends_with(0).last_line_is("EQUAL");
}
