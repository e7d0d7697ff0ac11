//! `--target auto`: the flash part is found by its ID, and everything goes on as if it had been named.

use crate::json::record;
use crate::station::{FLASH_BYTES, FLASH_BYTES_128, Session, Station, data, image, probe};

fn last_line(session: &Session) -> &str {
    session.stdout.lines().last().unwrap_or_default()
}

#[test]
fn every_part_with_data_is_found_flashed_and_verified() {
    for (part, bytes) in [
        ("is25wp064", FLASH_BYTES),
        ("is25wp128", FLASH_BYTES_128),
        ("w25q64jv", FLASH_BYTES),
    ] {
        let station = Station::new();
        let board = probe(&format!("part={part}"));
        let on_board = ["--target", "auto", "--probe", &board];
        station
            .flash(&image(), &on_board)
            .ends_with(0)
            .reports("flash", &[&part.to_uppercase(), "found by its ID"])
            .last_line_is("PASS");
        assert_eq!(station.content().len(), bytes);
        station
            .on_image("verify", &image(), &on_board)
            .ends_with(0)
            .last_line_is("EQUAL");
        station
            .run(&["reset", "--target", "auto", "--probe", &board])
            .ends_with(0)
            .last_line_is("PASS");
    }
}

#[test]
fn what_is_found_is_flashed_as_if_it_had_been_named() {
    let board = probe("part=w25q64jv");
    let flashed = |chosen: &[&str]| {
        let station = Station::new();
        let arguments = [chosen, &["--probe", &board]].concat();
        station.flash(&image(), &arguments).ends_with(0);
        station.board()
    };
    assert!(flashed(&["--flash", "auto"]) == flashed(&["--target", "w25q64jv"]));
}

#[test]
fn the_record_says_that_the_part_was_found() {
    let station = Station::new();
    let found = |target: &str| {
        let session = station
            .flash(&image(), &["--json", "--target", target])
            .ends_with(0);
        record(&session)
    };
    let by_id = found("auto");
    assert_eq!(by_id["target"]["flash"], "IS25WP064");
    assert_eq!(by_id["target"]["found_by_id"], true);
    assert_eq!(by_id["phases"][0]["name"], "identify");
    assert_eq!(found("is25wp064")["target"]["found_by_id"], false);
}

#[test]
fn an_image_is_judged_for_the_part_that_is_found() {
    // ends one byte beyond 8 MiB, which the 16 MiB part has
    let filler = "filler.bin@0x60800000";
    for (part, code) in [("is25wp128", 0), ("is25wp064", 20)] {
        let station = Station::new();
        std::fs::write(station.path("filler.bin"), [0x5A]).expect("file");
        let session = station
            .flash(
                &image(),
                &[
                    filler,
                    "--target",
                    "auto",
                    "--probe",
                    &probe(&format!("part={part}")),
                ],
            )
            .ends_with(code);
        if code != 0 {
            let session = session.complains("beyond-part", &["0x60800000"]);
            let last = last_line(&session);
            assert!(last.starts_with("FAIL: "), "{session}");
            let content = station.content();
            assert!(content.iter().all(|byte| *byte == 0xFF), "{session}");
        }
    }
}

#[test]
fn an_image_that_suits_no_part_is_refused_before_any_board_is_touched() {
    for name in ["vectors-at-start.hex", "outside-window.hex"] {
        let station = Station::new();
        let session = station
            .flash(&data("odd").join(name), &["--target", "auto"])
            .ends_with(20);
        let last = last_line(&session);
        assert!(
            last.starts_with("REFUSED, board not touched: "),
            "{session}"
        );
        assert_eq!(station.files(), Vec::<String>::new());
    }
}

#[test]
fn a_name_that_is_none_is_refused_by_either_spelling() {
    for option in ["--flash", "--target"] {
        Station::new()
            .flash(&image(), &[option, "automatic"])
            .ends_with(2)
            .complains("target-unknown", &["automatic", "IS25WP064"]);
    }
}
