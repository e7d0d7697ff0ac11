//! Whatever is typed wrong is told clearly, with the right exit code, and no board is touched.

use std::fs::{self, File};

use crate::station::{FLASH_BYTES, Station, data, image, noise, probe};

/// What is typed behind the command and the probe, the exit code, and the stable code where the program has one (the
/// others are the command line's own).
type Row<'a> = (&'a [&'a str], i32, Option<&'a str>);

/// Runs `flash` and `verify` with each row on a full flash and asserts that it stays as it is.
fn all_are_refused(station: &Station, rows: &[Row]) {
    let before = station.content();
    let at = probe("");
    for (arguments, code, stable) in rows {
        for command in ["flash", "verify"] {
            let mut typed = vec![command];
            typed.extend(*arguments);
            if !typed.contains(&"--probe") {
                typed.extend(["--probe", &at]);
            }
            let session = station.run(&typed).ends_with(*code);
            let session = match stable {
                Some(stable) => session.complains(stable, &[]).advises(),
                None => session,
            };
            let words = session.stderr.trim();
            assert!(words.contains("error: "), "{session}");
            assert!(!words.contains("panicked"), "{session}");
        }
    }
    assert!(station.content() == before, "the flash is as it was");
    assert_eq!(station.saved_files(), 0, "nothing was saved");
}

#[test]
fn targets_files_probes_and_numbers_that_make_no_sense_leave_the_board_untouched() {
    let station = Station::holding(&noise(3, FLASH_BYTES));
    let image = image();
    let image = image.to_str().expect("text");
    let empty = station.path("empty.bin");
    fs::write(&empty, b"").expect("file");
    let vast = station.path("vast.bin");
    let vast_bytes = (1 << 30) + 1;
    File::create(&vast)
        .and_then(|file| file.set_len(vast_bytes))
        .expect("a sparse file");
    let past_the_end = format!("{}@0xFFFFFFF0", station.path("flash.bin").display());
    let behind_a_file = format!("{image}/app.hex");
    let big = data("odd").join("beyond-flash.hex");
    let big = big.to_str().expect("text");
    let rows: [Row; 17] = [
        (&[image, "--flash", "is25wp065"], 2, Some("target-unknown")),
        (&[image, "--board", "octal"], 2, Some("target-unknown")),
        (&["nowhere.hex"], 13, Some("input-unreadable")),
        (&["."], 13, Some("input-unreadable")),
        (&[&behind_a_file], 13, Some("input-unreadable")),
        (&[""], 2, None),
        (&["empty.bin"], 13, Some("input-empty")),
        (&["vast.bin"], 13, Some("input-unreadable")),
        (&[&past_the_end], 13, None),
        (&[big], 20, Some("beyond-part")),
        (&[image, "--probe", "nonsense"], 2, Some("probe-selector")),
        (
            &[image, "--probe", "dead:beef:1"],
            21,
            Some("probe-not-found"),
        ),
        (&[image, "--speed", "0"], 2, None),
        (&[image, "--speed", "4294967296"], 2, None),
        (&[image, "--sha256", "1234"], 2, None),
        (
            &[image, image, "--sha256", &"0".repeat(64)],
            2,
            Some("pin-count"),
        ),
        (
            &[image, "--sha256", &"0".repeat(64)],
            13,
            Some("input-hash"),
        ),
    ];
    all_are_refused(&station, &rows);
}

#[test]
fn a_board_that_another_rtflash_is_at_is_said_to_be_in_use() {
    let station = Station::holding(&noise(3, FLASH_BYTES));
    let file = File::open(station.flash_file()).expect("file");
    file.lock().expect("the other one's lock");
    let before = station.content();
    station
        .flash(&image(), &[])
        .ends_with(21)
        .complains("probe-busy", &["in use", "flash.bin"])
        .advises();
    assert!(station.content() == before);
    drop(file);
    station.flash(&image(), &[]).ends_with(0);
}
